"""A VEN that runs in process between a VTN and a live server, on the server's clock."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from lineside.demo.ports import free_port
from lineside.ven.service import Service
from lineside.ven.settings import VenSettings, load_settings
from openadr_ven.v2b import messages as m
from openadr_ven.v3.version import ObjectType, Version
from openadr_ven.vtn.v2b import Vtn
from openadr_ven.vtn.v3 import Vtn as Vtn3
from openadr_ven.vtn.v3_store import Client
from schemas import Codec, DERControlResponse
from sep2_server import ManualClock
from sep2_server.messages import Request
from tests.unit.openadr_ven.house import CONTEXT, T0

if TYPE_CHECKING:
    from tests.integration.openadr.conftest import Utility, Ven

SECRET = "a-secret-that-nobody-may-see"
LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
TARGET = {"opModTargetW": {"multiplier": 0, "value": -3000}}


@dataclass(slots=True)
class Bench:
    """A folder with settings, and the server that they lead to."""

    folder: Path
    utility: "Utility"
    ven: "Ven"
    clock: ManualClock
    vtn_url: str = ""
    vtn: dict[str, str] = field(default_factory=dict)
    context: str = CONTEXT
    group: str = "g-battery"
    device: str = ""
    kind: str = "storage"
    poll_s: float = 0.1
    begun: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        """The time of VEN and VTN: that of the server, which stands still, and what the test takes."""
        return self.clock.now() + time.monotonic() - self.begun

    def turn(self, second: int) -> None:
        """Let it be this second now."""
        self.clock.set(second)
        self.begun = time.monotonic()

    @property
    def settings(self) -> VenSettings:
        site = self.utility.site
        vtn = "".join(f"{name} = {value}\n" for name, value in self.vtn.items())
        text = f"""
name = "site one"
[server]
url = "{self.utility.url}"
token_file = "{site.operator.folder / "operator.token"}"
roots = "{site.server.roots}"
look_s = 0.2
retry_most_s = 1
[[devices]]
resource = "battery"
name = "battery"
group = "{self.group}"
kind = "{self.kind}"
max_w = 5000
max_charge_w = 4000
max_discharge_w = 5000
{self.device}
[[programmes]]
market_context = "{self.context}"
name = "Demand response"
[vtn]
url = "{self.vtn_url}"
poll_s = {self.poll_s}
{vtn}"""
        path = self.folder / "ven.toml"
        path.write_text(text)
        return load_settings(path)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Service]:
        service = Service(self.settings, now=self.now)
        task = asyncio.ensure_future(service.run())
        try:
            yield service
            if task.done():
                await task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def controls(self) -> list[tuple[int, int, str, Any]]:
        told: Any = await self.ven.get(f"/groups/{self.group}/controls")
        return [
            (one["start"] - T0, one["duration"], one["status"], one["DERControl"]["DERControlBase"])
            for one in told["controls"]
        ]

    async def until_programs(self, *names: str | None) -> None:
        """Wait until the group has programs with these descriptions, in the order of their primacy."""
        async with asyncio.timeout(30):
            while await self._programs() != list(names):  # noqa: ASYNC110 - asked
                await asyncio.sleep(0.05)

    async def _programs(self) -> list[str | None]:
        told: Any = await self.ven.get(f"/groups/{self.group}/programs")
        return [one["description"] for one in told["programs"]]

    async def until(self, asked: Callable[[], Awaitable[object]], wanted: object) -> None:
        """Wait until the server says so."""
        async with asyncio.timeout(30):
            while await asked() != wanted:  # noqa: ASYNC110 - asked
                await asyncio.sleep(0.05)

    async def until_status(self, *statuses: str) -> None:
        async with asyncio.timeout(30):
            while sorted(one[2] for one in await self.controls()) != sorted(statuses):  # noqa: ASYNC110 - asked
                await asyncio.sleep(0.05)


async def soon(fact: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not fact():  # noqa: ASYNC110 - the facts are lists that a server fills
            await asyncio.sleep(0.02)


def codes_of(vtn: Vtn) -> set[int]:
    """The codes of all eventResponses that a VTN heard."""
    said = [one for one in vtn.heard if isinstance(one, m.CreatedEvent)]
    return {answer.code for one in said for answer in one.answers}


@asynccontextmanager
async def vtn_of_3(bench: Bench, version: Version, *, with_webhook: bool) -> AsyncIterator[Vtn3]:
    made = Vtn3(version, [Client(client_id="ven", secret=SECRET)], now=bench.now)
    runner = web.AppRunner(made.app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    bench.vtn_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    (bench.folder / "secret").write_text(f"{SECRET}\n")
    bench.vtn = {"profile": f'"{version}"', "client_id": '"ven"', "client_secret_file": '"secret"'}
    if with_webhook:
        port = free_port()
        bench.vtn["webhook"] = f'{{ url = "http://127.0.0.1:{port}/hook", port = {port} }}'
    yield made
    await runner.cleanup()


async def programme_3(bench: Bench, vtn: Vtn3) -> None:
    """A program of set points at a VTN of 3.x, which the VEN is to serve."""
    unit = {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": "DISPATCH_SETPOINT", "units": "KW"}
    program = await vtn.put(ObjectType.PROGRAM, {"programName": "d", "payloadDescriptors": [unit]})
    bench.context = str(program["id"])


async def dispatch_3(bench: Bench, vtn: Vtn3, **more: object) -> str:
    """An hour of 3 kW from T0 on at a VTN of 3.x; the id of the event."""
    start = datetime.fromtimestamp(T0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body: dict[str, object] = {
        "programID": bench.context,
        "intervalPeriod": {"start": start, "duration": "PT1H"},
        "intervals": [{"id": 0, "payloads": [{"type": "DISPATCH_SETPOINT", "values": [3]}]}],
        **more,
    }
    return str((await vtn.put(ObjectType.EVENT, body))["id"])


async def has_device(bench: Bench) -> None:
    """The battery is on the server."""
    await bench.ven.post("/devices", {"name": "battery", "lFDI": LFDI, "groups": ["g-battery"]})


async def posts(bench: Bench, method: str, path: str, value: object) -> None:
    """What the battery sends to the server."""
    assert bench.utility.server is not None
    request = Request(
        method=method,
        path=path,
        query="",
        lfdi=LFDI,
        body=Codec().encode(value),
        content_type="application/sep+xml",
        accept="application/sep+xml",
        now=bench.clock.now(),
    )
    answer = await bench.utility.server.answering.respond(request)
    assert answer.status in {201, 204}, answer


async def answers(bench: Bench, status: int) -> None:
    """What the device says to its control."""
    told: Any = await bench.ven.get("/groups/g-battery/controls")
    control = told["controls"][0]["DERControl"]
    response = DERControlResponse(
        createdDateTime=bench.clock.now(), endDeviceLFDI=LFDI, status=status, subject=control["mRID"]
    )
    await posts(bench, "POST", str(control["replyTo"]), response)


def opts_of(vtn: Vtn) -> list[tuple[str, str, tuple[str, ...]]]:
    """All oadrCreateOpts that a VTN heard."""
    said = [one.opt for one in vtn.heard if isinstance(one, m.CreateOptMessage)]
    return [(one.optType, one.reason, one.resources) for one in said]


async def polls(vtn: Vtn) -> None:
    """Some rounds pass: what was owed before is paid, and kept as paid."""
    before = len(vtn.of(m.Poll))
    await soon(lambda: len(vtn.of(m.Poll)) > before + 3)
