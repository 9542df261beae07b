"""Fixtures of the tests that run a server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from certs import Pki
from tests.integration.sep2_harness import DATABASES, Bench, running, sqlite_in
from tests.postgres import Postgres


@pytest.fixture(scope="session")
def sep2_pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """A PKI with a server's certificate, and those of devices by name as tests ask for them."""
    return Pki.create(tmp_path_factory.mktemp("sep2") / "pki", depth=3)


@pytest.fixture
async def bench(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    """A running server of profile csip with a clock that stands still."""
    async with running(tmp_path, sep2_pki) as bench:
        yield bench


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A throwaway PostgreSQL for the whole run."""
    with Postgres.running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def each_database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Which database the test servers of a test have: each in turn. A server's folder names its database."""
    if request.param == "sqlite":
        monkeypatch.setattr(DATABASES, "of", sqlite_in)
        yield request.param
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.databases() as of:
        monkeypatch.setattr(DATABASES, "of", of)
        yield request.param
