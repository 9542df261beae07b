"""The server is killed in the middle of an event: nothing acknowledged is lost, the client finds it again."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from der_client.sunspec import read_points
from lineside.demo.children import Child, start
from lineside.demo.site import SERVER_FOLDER, Site, make_site, operator_client, write_client
from sep2_server.operator import ApiError, OperatorClient

WITHIN_S = 30.0


@dataclass
class Plant:
    """A site with a server, an inverter and its client as processes."""

    site: Site
    stack: AsyncExitStack
    modbus_port: int

    @property
    def api(self) -> OperatorClient:
        return operator_client(self.site.folder / SERVER_FOLDER)

    async def start_server(self) -> Child:
        folder = self.site.folder
        child = await start("server", folder, "server", "run", "--config", str(folder / SERVER_FOLDER))
        self.stack.push_async_callback(child.stop)
        await until(lambda: self.asked("status"))
        return child

    def asked(self, *path: str) -> dict[str, Any]:
        try:
            return self.api.get(*path)
        except (ApiError, OSError):
            return {}

    def statuses(self, mrid: str) -> list[int]:
        return [r["status"] for r in self.asked("controls", mrid, "responses").get("responses", [])]

    async def limit_pct(self) -> float | None:
        points = await read_points("127.0.0.1", self.modbus_port, 1, ["704.WMaxLimPct", "704.WMaxLimPctEna"])
        value = points["704.WMaxLimPct"].value
        return float(str(value)) if points["704.WMaxLimPctEna"].value == 1 else None


async def until(claim: Callable[[], object]) -> None:
    """Wait until something is true."""
    ends = time.monotonic() + WITHIN_S
    while not await asyncio.to_thread(claim):
        assert time.monotonic() < ends, "did not come true"
        await asyncio.sleep(0.1)


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[Plant]:
    async with AsyncExitStack() as stack:
        site = make_site(tmp_path)
        inverter = await start("inverter", tmp_path, "sim", "inverter", "--irradiance", "1")
        stack.push_async_callback(inverter.stop)
        where = await inverter.first_line()
        made = Plant(site, stack, int(str(where["modbus_port"])))
        write_client(site, "pv", where)
        yield made


async def test_killed_server_loses_nothing_and_the_client_carries_on(plant: Plant) -> None:
    server = await plant.start_server()
    pem = plant.site.identities["pv"].certificate_path.read_text()
    plant.api.call(
        "POST", ("devices",), {"name": "pv", "certificate": pem, "pIN": plant.site.pins["pv"], "DER": 1}
    )
    plant.api.call("POST", ("groups",), {"name": "feeder", "primacy": 90})
    plant.api.call("PUT", ("groups", "feeder", "devices", "pv"))
    config = str(plant.site.folder / "pv.toml")
    client = await start("client", plant.site.folder, "client", "run", "--config", config)
    plant.stack.push_async_callback(client.stop)
    body = {"DERControlBase": {"opModMaxLimW": "50 %"}, "duration": 25, "responseRequired": "03"}
    mrid = str(plant.api.call("POST", ("groups", "feeder", "controls"), body)["mRID"])
    await until(lambda: plant.statuses(mrid) == [1, 2])
    reported = plant.asked("devices", "pv")["DER"]

    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    assert await plant.limit_pct() == 50.0

    await plant.start_server()
    assert plant.statuses(mrid) == [1, 2]
    assert plant.asked("devices", "pv")["DER"][0]["DERCapability"] == reported[0]["DERCapability"]
    assert await plant.limit_pct() == 50.0
    await until(lambda: plant.statuses(mrid) == [1, 2, 3])
    assert await plant.limit_pct() is None
    before = plant.asked("devices", "pv")["DER"][0]["DERStatus"]
    await until(lambda: plant.asked("devices", "pv")["DER"][0]["DERStatus"] != before)
