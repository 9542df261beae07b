"""What a client of one device loads: no more than it uses, since each library stays in memory."""

import asyncio
import sys
from pathlib import Path

import pytest

from der_client.sunspec.simulator import InverterSettings, serve_inverter
from schemas import DERStatus
from tests.integration.client.harness import Site


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine takes its time to start a process."""
    monkeypatch.setattr("tests.integration.client.harness.PATIENCE_S", 60.0)


UNUSED = (
    "aiohttp",
    "can",
    "cantools",
    "cryptography",
    "der_client.can",
    "der_client.commissioning",
    "der_client.physics",
    "der_client.sunspec.simulator",
    "sep2_server",
    "sqlalchemy",
    "uvloop",
    "zeroconf",
)
CODE = """
import sys
from lineside.__main__ import main
code = main(sys.argv[1:])
print(*sys.modules)
sys.exit(code)
"""
LISTENER = '[subscription]\nhost = "127.0.0.1"\nbind = "127.0.0.1"\nport = 0\n'


def config_of(site: Site, port: int, more: str) -> Path:
    """A configuration of a client of one inverter."""
    server = site.settings.server
    path = site.settings.spool.with_name("client.toml")
    path.write_text(
        f'spool = "{site.settings.spool}"\n[server]\nuri = "{server.uri}"\npin = {server.pin}\n'
        f'certificate = "{server.certificate}"\nkey = "{server.key}"\nroots = "{server.roots}"\n'
        f'{more}[[devices]]\nname = "pv"\nport = {port}\n'
    )
    return path


@pytest.mark.parametrize("more", ["", LISTENER], ids=["polls", "listens"])
async def test_a_client_of_one_device_loads_nothing_that_it_does_not_use(site: Site, more: str) -> None:
    inverter = await serve_inverter(InverterSettings())
    arguments = ("-c", CODE, "client", "run", "--config", str(config_of(site, inverter.port, more)))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    try:
        await site.script.until(lambda: isinstance(site.script.put.get("/a/status"), DERStatus))
        process.terminate()
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await inverter.close()
    loaded = out.decode().split()

    assert "der_client.sunspec.driver" in loaded
    assert {name for name in loaded if any(f"{name}.".startswith(f"{one}.") for one in UNUSED)} == set()
