"""Fixtures: one scripted server with the identity of a client of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from certs import Pki
from tests.integration.client.harness import Inverter, Lab, Script, Site, offered, served, settings_for


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    pki = Pki.create(tmp_path_factory.mktemp("pki") / "pki", depth=3)
    other = Pki.create(tmp_path_factory.mktemp("pki") / "other", depth=2)
    return Lab(
        server=pki.issue_server("server", hosts=["127.0.0.1"]),
        device=pki.issue_device("inverter"),
        stranger=other.issue_server("server", hosts=["127.0.0.1"]),
    )


@pytest.fixture
async def site(lab: Lab, tmp_path: Path) -> AsyncIterator[Site]:
    script = Script()
    script.resources = offered(lab.device.lfdi)
    async with served(script, lab.server) as port:
        yield Site(script, settings_for(lab, port, tmp_path / "spool.sqlite"), Inverter(script))
    assert script.flaws == []
