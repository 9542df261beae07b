"""An aggregator of four inverters at our own server, with devices that do what the test says."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from der_client import (
    AggregatorClient,
    Applied,
    ClientEvent,
    ClientSettings,
    ControlSettings,
    Fault,
    Nameplate,
    Plant,
    ReportSettings,
    Reversion,
    ServerSettings,
    Setpoint,
    What,
)
from der_client.device import Telemetry
from schemas import DERControl, DERControlBase
from sep2_server.end_devices import remove_end_device
from sep2_server.operator import defaults
from sep2_server.operator.router import Call
from sep2_server.rows import Role, Row
from tests.integration.sep2_harness import Bench, make_control

PATIENCE_S = 30.0
FAST = dict.fromkeys(
    (
        "DeviceCapability",
        "EndDeviceList",
        "FunctionSetAssignmentsList",
        "DERProgramList",
        "GroupDERProgramList",
        "DERList",
        "Time",
    ),
    1,
)
INVERTERS = ("EDA1", "EDA2", "EDB1", "EDB2")
"""The inverters of the topology of the CSIP aggregator tests."""


@dataclass
class News:
    """What has happened, and a way to wait until something is so."""

    events: list[ClientEvent] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def hear(self, event: ClientEvent) -> None:
        self.events.append(event)
        self.tell()

    async def until(self, is_so: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                await self.changed.wait()

    def heard(self, what: What) -> list[str]:
        return [event.detail for event in self.events if event.what is what]


@dataclass
class Inverter:
    """A device that takes everything and remembers it."""

    name: str
    news: News
    max_w: float = 10_000.0
    modes: frozenset[str] = frozenset({"opModMaxLimW", "opModFixedW", "opModConnect", "opModEnergize"})
    held: list[Setpoint] = field(default_factory=list)
    power_w: float = 8_000.0
    charge_w: float = 0.0
    gen_connect: int = 7

    async def identify(self) -> Nameplate | Fault:
        return Nameplate(
            manufacturer="Maker",
            model="One",
            serial=self.name,
            version="1",
            der_type=4,
            modes=self.modes,
            max_w=self.max_w,
            max_va=self.max_w,
            max_var=4_400,
            max_var_neg=4_400,
            set_max_w=self.max_w,
            set_max_va=self.max_w,
            set_max_var=4_400,
            set_max_var_neg=4_400,
            max_charge_w=self.charge_w or None,
            max_discharge_w=self.charge_w or None,
            capacity_wh=2 * self.charge_w or None,
        )

    async def read(self) -> Telemetry | Fault:
        return Telemetry(
            power_w=self.power_w,
            reactive_var=0.0,
            voltage_v=240.0,
            frequency_hz=60.0,
            injected_wh=1_000.0,
            gen_connect=self.gen_connect,
            inverter_status=4,
            operational_mode=2,
            soc_pct=50.0 if self.charge_w else None,
        )

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        self.held.append(setpoint)
        self.news.tell()
        return Applied()

    async def close(self) -> None:
        return None

    def holds(self, limit_pct: float | None) -> bool:
        """True if the device was told last to keep this limit."""
        return bool(self.held) and self.held[-1].max_w_pct == limit_pct


@dataclass
class Fleet:
    """An aggregator, its inverters by name, and the client that stands for all of them."""

    bench: Bench
    folder: Path
    manager: Row
    news: News
    inverters: dict[str, Inverter]
    rows: dict[str, Row]
    settings: ClientSettings

    def lfdi(self, name: str) -> str:
        return str(self.bench.credentials(name).lfdi)

    def inverter(self, name: str) -> Inverter:
        """One more inverter, which need not be enrolled yet."""
        return self.inverters.setdefault(name, Inverter(name, self.news))

    async def enrol(self, name: str) -> None:
        """Enrol one more inverter."""
        self.rows[name] = await self.bench.enrol(name, aggregator=self.manager)

    async def remove(self, name: str) -> None:
        """Remove an EndDevice as the operator does."""
        row = self.rows.pop(name)
        await self.bench.do(lambda desk: remove_end_device(desk.transaction, row))

    def plants(self, names: Sequence[str] = ()) -> list[Plant]:
        chosen = names or tuple(self.inverters)
        return [Plant(devices=(self.inverter(n),), end_device=self.lfdi(n)) for n in chosen]

    @asynccontextmanager
    async def client(self, plants: Sequence[Plant] = ()) -> AsyncIterator[AggregatorClient]:
        """A client that runs until the end of the block."""
        client = AggregatorClient(self.settings, plants or self.plants(), on_event=self.news.hear)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(client.run())
            yield client
            task.cancel()

    def responses(self, mrid: str) -> dict[str, list[str]]:
        """Codes of the Responses to one event by inverter, in the order in which they were sent."""
        names = {self.lfdi(name): name for name in self.inverters}
        found: dict[str, list[str]] = {}
        for event in self.news.events:
            if event.what is What.RESPONSE and event.mrid == mrid:
                found.setdefault(names[event.lfdi], []).append(event.detail.split()[0])
        return found

    def tellers(self, what: What, detail: str = "") -> set[str]:
        """LFDIs of the EndDevices of which this was told."""
        return {one.lfdi for one in self.news.events if one.what is what and detail in one.detail}

    async def until_responses(self, mrid: str, expected: dict[str, list[str]]) -> None:
        """Wait until exactly these Responses were sent."""
        await self.news.until(lambda: self.responses(mrid) == expected)

    async def until_registered(self) -> None:
        """Wait until all inverters are registered and identified."""
        await self.news.until(lambda: len(self.registered()) >= len(self.inverters))
        await self.news.until(lambda: all(one.held for one in self.inverters.values()))

    def registered(self) -> set[str]:
        told = [text.split() for text in self.news.heard(What.DISCOVERED)]
        return {words[0] for words in told if words[1] == "registered"}

    async def set_default(self, group: str, limit: int) -> None:
        """Set opModMaxLimW, 0.01 %, of the DefaultDERControl of a group's program."""
        body = {"DERControlBase": {"opModMaxLimW": limit}}
        call = Call(names={"group": group}, body=body, now=self.bench.clock.now())
        await self.bench.do(lambda desk: defaults.change(desk, call))

    async def put_out(self, program: Row, mrid: str, start_s: int, duration_s: int, limit: int) -> DERControl:
        """Publish a limit, 0.01 %, that starts `start_s` from now."""
        now = int(time.time())
        base = DERControlBase(opModMaxLimW=limit)
        control = make_control(mrid, now + start_s, duration_s, created=now, base=base)
        await self.bench.control(program, control)
        return control


async def fleet_of(bench: Bench, folder: Path, names: Sequence[str] = INVERTERS) -> Fleet:
    """Enrol an aggregator with inverters of these names."""
    manager = await bench.enrol("aggregator", role=Role.AGGREGATOR)
    rows = {name: await bench.enrol(name, aggregator=manager) for name in names}
    news = News()
    own = bench.credentials("aggregator")
    settings = ClientSettings(
        server=ServerSettings(
            uri=f"https://127.0.0.1:{bench.server.port}/dcap",
            certificate=own.certificate_path,
            key=own.key_path,
            roots=own.root_path,
            pin=111115,
            poll_floor_s=0.2,
            retry_first_s=0.1,
            retry_most_s=0.5,
        ),
        control=ControlSettings(period_s=0.2, retry_s=1.0, unavailable_after_s=1.0),
        report=ReportSettings(post_rate_s=1),
        spool=folder / "aggregator.sqlite",
    )
    return Fleet(
        bench=bench,
        folder=folder,
        manager=manager,
        news=news,
        inverters={name: Inverter(name, news) for name in names},
        rows=rows,
        settings=settings,
    )


@asynccontextmanager
async def ticking(bench: Bench) -> AsyncIterator[None]:
    """Let the manual clock of a server follow the system's."""

    async def tick() -> None:
        while True:
            bench.clock.set(int(time.time()))
            await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(tick())
        yield
        task.cancel()
