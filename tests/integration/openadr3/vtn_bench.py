"""A VEN and the VTN of the tests on one loop in virtual time: hours take milliseconds."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aiohttp import web

from lineside.demo.ports import free_port
from openadr_ven.events import Enrolment, Plan, Resource, plans_of
from openadr_ven.memory import InMemory
from openadr_ven.v3.client import VenClient
from openadr_ven.v3.ports import Ask, Measured, NoMeter, Settings, Surroundings, Webhook
from openadr_ven.v3.tokens import Credentials
from openadr_ven.v3.version import ObjectType, Version
from openadr_ven.vtn.v3 import Vtn
from openadr_ven.vtn.v3_store import Client
from tests.virtual_time import VirtualTime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from openadr_ven.events import Change, Step
    from openadr_ven.v3.ports import Meter

Json = dict[str, object]
HOUR = 3600
LONGEST_S = 3 * 86_400
"""Virtual time in which a fact must come true."""
BASE = Enrolment(ven_id="", resources=(Resource(name="battery", targets=frozenset({"east"})),))
BOTH = (Version.V301, Version.V310)
SECRET = "a-secret-that-is-not-logged"


@dataclass
class Bench:
    """The two of them. `changes` is what the listener of the VEN heard."""

    version: Version
    clock: VirtualTime
    with_webhook: bool = False
    with_tokens: bool = True
    with_mqtt: bool = False
    meter: Meter = field(default_factory=NoMeter)
    memory: InMemory = field(default_factory=InMemory)
    token_life_s: int = 3600
    changes: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        clients = [Client(client_id="ven", secret=SECRET)] if self.with_tokens else []
        self.vtn = Vtn(self.version, clients, now=self.clock.time, token_life_s=self.token_life_s)
        self._runner: web.AppRunner | None = None
        self._task: asyncio.Task[None] | None = None
        self.url = ""
        self._port = 0

    @contextlib.asynccontextmanager
    async def running(self, *, with_vtn: bool = True) -> AsyncIterator[Bench]:
        """Both run."""
        if with_vtn:
            await self.start_vtn()
        try:
            await self.start_ven()
            yield self
        finally:
            await self.stop_ven()
            await self.stop_vtn()

    async def start_vtn(self) -> None:
        self._runner = web.AppRunner(self.vtn.app(), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def stop_vtn(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def reserve(self) -> None:
        """Know the URL of a VTN that does not run yet."""
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"

    async def start_ven(self) -> None:
        webhook = None
        if self.with_webhook:
            port = free_port()
            webhook = Webhook(url=f"http://127.0.0.1:{port}/hook", port=port)
        credentials = Credentials(client_id="ven", client_secret=SECRET) if self.with_tokens else None
        settings = Settings(
            url=self.url,
            version=self.version,
            venName="site one",
            enrolment=BASE,
            credentials=credentials,
            webhook=webhook,
            is_mqtt=self.with_mqtt,
        )
        ports = Surroundings(listener=self._heard, meter=self.meter, time=self.clock.time, random=lambda: 0.5)
        self.ven = VenClient(settings, self.memory, ports)
        self._task = asyncio.get_running_loop().create_task(self.ven.run())

    async def stop_ven(self) -> None:
        """As a kill does: nothing more is said or kept."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _heard(self, step: Step) -> None:
        """Nothing is told before it is kept."""
        assert all(change.eventID in (self.memory.text or "") for change in step.changes)
        self.changes += step.changes

    def plans(self) -> tuple[Plan, ...]:
        """What the VEN is to carry out now."""
        return plans_of(self.ven.kept.state, int(self.clock.time()))

    def planned(self) -> list[str]:
        """The names of the events in it, by what the VTN calls them."""
        names = {one["id"]: one.get("eventName") for one in self.vtn.of(ObjectType.EVENT)}
        return sorted(str(names.get(plan.event.eventID, plan.event.eventID)) for plan in self.plans())

    async def until(self, is_so: Callable[[], object]) -> None:
        """Let time pass until something is so, looked at ever more rarely."""
        end = self.clock.time() + LONGEST_S
        pause_s = 0.25
        while not is_so():
            if self._task is not None and self._task.done():
                self._task.result()
            assert self.clock.time() < end, "it never came to be"
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 60)

    async def pass_by(self, seconds: float) -> None:
        """Let so much time pass."""
        await asyncio.sleep(seconds)

    async def program(self, **more: object) -> Json:
        kw = [{"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": "DISPATCH_SETPOINT", "units": "KW"}]
        plain: Json = {"programName": "dispatch", "payloadDescriptors": kw}
        return await self.vtn.put(ObjectType.PROGRAM, plain | more)

    async def event(self, name: str = "one", *, start_s: float = 600, **more: object) -> Json:
        """An event of ten minutes in the first program, which is made if there is none."""
        programs = self.vtn.of(ObjectType.PROGRAM) or [await self.program()]
        plain: Json = {
            "eventName": name,
            "programID": programs[0]["id"],
            "intervalPeriod": {"start": self.text(start_s), "duration": "PT10M"},
            "intervals": [{"id": 0, "payloads": [{"type": "DISPATCH_SETPOINT", "values": [-2]}]}],
        }
        return await self.vtn.put(ObjectType.EVENT, plain | more)

    def text(self, in_s: float) -> str:
        """A time from now on the wire."""
        return datetime.fromtimestamp(int(self.clock.time() + in_s), UTC).isoformat().replace("+00:00", "Z")

    def asked(self, path: str, method: str = "GET") -> int:
        """How often something was asked for."""
        return sum(one.path.startswith(path) and one.method == method for one in self.vtn.exchanges)


class Steady:
    """A meter that always says the same, and remembers what it was asked."""

    def __init__(self, measured: Measured | None) -> None:
        self._measured = measured
        self.asks: list[Ask] = []

    async def measured(self, ask: Ask) -> Measured | None:
        self.asks.append(ask)
        return self._measured


def play(version: Version, scenario: Callable[[Bench], Awaitable[None]], **more: object) -> None:
    """Run a scenario with a VEN and a VTN that both run from its start."""
    clock = VirtualTime()

    async def main() -> None:
        async with Bench(version, clock, **more).running() as bench:  # type: ignore[arg-type]
            await scenario(bench)

    clock.run(main())
