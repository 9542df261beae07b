"""Fixtures of the tests that run a server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from certs import Pki
from tests.integration.sep2_harness import Bench, running


@pytest.fixture(scope="session")
def sep2_pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """A PKI with a server's certificate, and those of devices by name as tests ask for them."""
    return Pki.create(tmp_path_factory.mktemp("sep2") / "pki", depth=3)


@pytest.fixture
async def bench(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    """A running server of profile csip with a clock that stands still."""
    async with running(tmp_path, sep2_pki) as bench:
        yield bench
