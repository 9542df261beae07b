"""A PKI whose server certificate is there before a server is, and the databases that servers run on."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from certs import Pki

if TYPE_CHECKING:
    from tests.postgres import Postgres


@pytest.fixture(scope="session")
def process_pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """A PKI with a chain of depth 3 and the certificate of a server."""
    pki = Pki.create(tmp_path_factory.mktemp("process") / "pki", depth=3)
    pki.issue_server("server", hosts=["127.0.0.1", "localhost"])
    return pki


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A line of the settings that names a database of each kind in turn."""
    if request.param == "sqlite":
        yield 'database = "lineside.db"'
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.databases() as of:
        yield f'database = "{of(tmp_path)}"'
