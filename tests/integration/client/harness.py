"""A scripted server over mutual TLS, and a device that does what the test says."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiohttp import web
from lxml import etree

import schemas
from certs import Credentials, Door, server_context
from der_client import (
    AggregatorClient,
    Applied,
    ClientEvent,
    ClientSettings,
    ControlSettings,
    DERClient,
    Fault,
    Nameplate,
    ReportSettings,
    Reversion,
    ServerSettings,
    Setpoint,
    What,
)
from der_client.device import Telemetry
from der_client.identity import identity_of
from schemas import (
    DER,
    Codec,
    DateTimeInterval,
    DefaultDERControl,
    DefaultDERControlLink,
    DERAvailabilityLink,
    DERCapabilityLink,
    DERControl,
    DERControlBase,
    DERControlList,
    DERControlListLink,
    DERControlResponse,
    DERList,
    DERListLink,
    DERProgram,
    DERProgramList,
    DERProgramListLink,
    DERSettingsLink,
    DERStatusLink,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    EndDeviceListLink,
    EventStatus,
    FunctionSetAssignments,
    FunctionSetAssignmentsList,
    FunctionSetAssignmentsListLink,
    List,
    LogEvent,
    LogEventListLink,
    MirrorUsagePointListLink,
    Registration,
    RegistrationLink,
    Resource,
    Response,
    ResponseList,
    SubscribableList,
    Time,
    TimeLink,
    spec_of,
)

CODEC = Codec()
SCHEMA = etree.XMLSchema(file=str(Path(schemas.__file__).with_name("sep.xsd")))
PATIENCE_S = 30.0
SEP_XML = "application/sep+xml"


@dataclass
class Script:
    """A server that answers from a dictionary; tests change it while it runs."""

    resources: dict[str, Resource] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    swallow: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    put: dict[str, Resource] = field(default_factory=dict)
    posted: list[tuple[str, Resource]] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)
    down: bool = False
    garbage: bytes | None = None
    hangs: asyncio.Event | None = None
    stuck: str | None = None
    """Where only one resource hangs, which one that is."""
    time_offset_s: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    started_s: float | None = None

    def taken(self, body: bytes) -> Resource:
        """The resource of a body that the client sent; the schema's complaints about it are kept."""
        if not SCHEMA.validate(etree.fromstring(body)):
            self.flaws.append(str(SCHEMA.error_log))
        return decoded(body)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if self.hangs is not None and (self.stuck is None or path == self.stuck):
            await self.hangs.wait()
        answer = self.answer(request.method, path, request.query.get("s"), await request.read())
        self.asked.append(f"{request.method} {path}")
        self.tell()
        if path in self.swallow and request.method == "POST":
            self.swallow.discard(path)
            assert request.transport is not None
            request.transport.close()
        return answer

    def answer(self, method: str, path: str, start: str | None, body: bytes) -> web.Response:
        trouble = self.trouble(method, path)
        if trouble is not None:
            return trouble
        if method == "PUT":
            self.put[path] = self.taken(body)
            return web.Response(status=204)
        if method == "POST":
            self.posted.append((path, self.taken(body)))
            return web.Response(status=201, headers={"Location": f"{path}/{len(self.posted)}"})
        if path == "/a/replies":
            found = [one for _, one in self.posted if isinstance(one, Response)]
            self.resources[path] = ResponseList(all=len(found), results=len(found), Response_=found)
        if path not in self.resources:
            return web.Response(status=404)
        return web.Response(body=CODEC.encode(self.page(path, int(start or "0"))), content_type=SEP_XML)

    def trouble(self, method: str, path: str) -> web.Response | None:
        if self.down or path in self.status:
            return web.Response(status=500 if self.down else self.status[path])
        if self.garbage is not None and method == "GET":
            return web.Response(body=self.garbage, content_type=SEP_XML)
        if path in self.moved:
            return web.Response(status=301, headers={"Location": self.moved[path]})
        return None

    def page(self, path: str, start: int) -> Resource:
        """The resource; two items of a list at a time, so that paging is exercised."""
        resource = self.resources[path]
        if isinstance(resource, Time):
            return replace(resource, currentTime=int(time.time()) + self.time_offset_s)
        cls: type = type(resource)
        items = next((f.attr for f in spec_of(cls) if f.is_list), None)
        if items is None or not isinstance(resource, List | SubscribableList):
            return resource
        every = getattr(resource, items)
        if self.started_s is not None and any(hasattr(one, "interval") for one in every):
            self.move_events(int(time.time() - self.started_s))
        shown = every[start : start + 2]
        return replace(resource, **{items: shown, "all": len(every), "results": len(shown)})

    def move_events(self, by_s: int) -> None:
        """Events that were laid out before the client started begin later by the time that its start took.

        So one of a few seconds is not over where the machine is busy and the client comes late.
        """
        self.started_s = None
        for resource in self.resources.values():
            cls: type = type(resource)
            items = next((f.attr for f in spec_of(cls) if f.is_list), None)
            for one in getattr(resource, items) if items else ():
                if hasattr(one, "interval"):
                    one.interval = replace(one.interval, start=one.interval.start + by_s)

    def tell(self) -> None:
        self.news.set()
        self.news = asyncio.Event()

    async def until(self, is_so: Callable[[], object]) -> None:
        """Wait until something is so; looked at after each request and each thing that the device does."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                await self.news.wait()

    def statuses(self, mrid: str) -> list[int | None]:
        """Responses to one event, in the order in which they came."""
        found = [one for _, one in self.posted if isinstance(one, DERControlResponse)]
        return [one.status for one in found if one.subject == mrid]

    def log_codes(self) -> list[tuple[int, int, str | None]]:
        events = [one for _, one in self.posted if isinstance(one, LogEvent)]
        return [(one.functionSet, one.logEventCode, one.details) for one in events]


def decoded(body: bytes) -> Resource:
    resource = CODEC.decode_any(body)
    assert isinstance(resource, Resource)
    return resource


@dataclass
class Inverter:
    """A device whose behaviour the test switches."""

    script: Script
    name: str = "inverter"
    plate: Nameplate | Fault = field(
        default_factory=lambda: Nameplate(
            manufacturer="Maker",
            model="One",
            serial="77",
            version="1.2",
            der_type=4,
            modes=frozenset({"opModMaxLimW", "opModFixedW", "opModConnect", "opModEnergize"}),
            max_w=10_000,
            max_va=10_000,
            max_var=4_400,
            max_var_neg=4_400,
            set_max_w=10_000,
            set_max_va=10_000,
            set_max_var=4_400,
            set_max_var_neg=4_400,
        )
    )
    reading: Telemetry | Fault = field(
        default_factory=lambda: Telemetry(
            power_w=8_000.0,
            reactive_var=0.0,
            voltage_v=240.0,
            frequency_hz=60.0,
            injected_wh=1_000.0,
            gen_connect=7,
            inverter_status=4,
            operational_mode=2,
        )
    )
    refusal: Fault | None = None
    unsupported: frozenset[str] = frozenset()
    applied: list[tuple[Setpoint, Reversion]] = field(default_factory=list)
    identified: int = 0
    closed: bool = False

    async def identify(self) -> Nameplate | Fault:
        self.identified += 1
        self.script.tell()
        return self.plate

    async def read(self) -> Telemetry | Fault:
        return self.reading

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        self.script.tell()
        if self.refusal is not None:
            return self.refusal
        self.applied.append((setpoint, reversion))
        return Applied(unsupported=self.unsupported)

    async def close(self) -> None:
        self.closed = True

    def holds(self, limit_pct: float | None) -> bool:
        """True if the device was told last to keep this limit."""
        return bool(self.applied) and self.applied[-1][0].max_w_pct == limit_pct


@dataclass
class Site:
    """One scripted server with the identity of a client of it."""

    script: Script
    settings: ClientSettings
    inverter: Inverter
    events: list[ClientEvent] = field(default_factory=list)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[DERClient]:
        """A client that runs until the end of the block."""
        client = DERClient(self.settings, [self.inverter], on_event=self.hear)
        async with self.running(client):
            yield client

    @asynccontextmanager
    async def running(self, client: AggregatorClient) -> AsyncIterator[None]:
        """Run a client until the end of the block."""
        if not self.script.asked:
            self.script.started_s = time.time()
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(client.run())
            yield
            task.cancel()

    @property
    def lfdi(self) -> str:
        """LFDI of the client."""
        return str(identity_of(self.settings.server.certificate).lfdi)

    def hear(self, event: ClientEvent) -> None:
        self.events.append(event)
        self.script.tell()

    def heard(self, what: What) -> list[str]:
        return [event.detail for event in self.events if event.what is what]


@dataclass(frozen=True)
class Lab:
    """Certificates of one server and one client."""

    server: Credentials
    device: Credentials
    stranger: Credentials


@asynccontextmanager
async def served(script: Script, own: Credentials) -> AsyncIterator[int]:
    """The script over mutual TLS on a free port."""
    server = web.Server(script.handle)
    context = server_context(own.certificate_path, own.key_path, own.root_path)
    door = Door.at("127.0.0.1", 0, server, context)
    try:
        yield door.port
    finally:
        await door.close()
        server.pre_shutdown()
        await server.shutdown(0.1)


def settings_for(lab: Lab, port: int, spool: Path) -> ClientSettings:
    return ClientSettings(
        server=ServerSettings(
            uri=f"https://127.0.0.1:{port}/dcap",
            certificate=lab.device.certificate_path,
            key=lab.device.key_path,
            roots=lab.device.root_path,
            pin=111115,
            poll_floor_s=0.05,
            retry_first_s=0.05,
            retry_most_s=0.2,
        ),
        control=ControlSettings(period_s=0.05, unavailable_after_s=0.1, retry_s=0.5),
        report=ReportSettings(post_rate_s=1),
        spool=spool,
    )


def offered(lfdi: str) -> dict[str, Resource]:
    """What the scripted server has for one device; hrefs say nothing of the standard's default paths."""
    device = EndDevice(
        href="/a/me",
        lFDI=lfdi,
        sFDI=1,
        changedTime=0,
        RegistrationLink_=RegistrationLink(href="/a/pin"),
        FunctionSetAssignmentsListLink_=FunctionSetAssignmentsListLink(href="/a/fsas"),
        DERListLink_=DERListLink(href="/a/ders"),
        LogEventListLink_=LogEventListLink(href="/a/log"),
    )
    others = [EndDevice(href=f"/b/{n}", lFDI=f"{n:040X}", sFDI=n, changedTime=0) for n in (10, 11, 12)]
    assignment = FunctionSetAssignments(
        href="/a/fsa",
        mRID="F1",
        TimeLink_=TimeLink(href="/a/time"),
        DERProgramListLink_=DERProgramListLink(href="/a/programs"),
    )
    der = DER(
        href="/a/der",
        DERAvailabilityLink_=DERAvailabilityLink(href="/a/availability"),
        DERCapabilityLink_=DERCapabilityLink(href="/a/capability"),
        DERSettingsLink_=DERSettingsLink(href="/a/settings"),
        DERStatusLink_=DERStatusLink(href="/a/status"),
    )
    program = DERProgram(
        href="/a/program",
        mRID="AA",
        primacy=3,
        DefaultDERControlLink_=DefaultDERControlLink(href="/a/default"),
        DERControlListLink_=DERControlListLink(href="/a/controls"),
    )
    return {
        "/dcap": DeviceCapability(
            pollRate=900,
            TimeLink_=TimeLink(href="/a/time"),
            EndDeviceListLink_=EndDeviceListLink(href="/a/devices"),
            MirrorUsagePointListLink_=MirrorUsagePointListLink(href="/a/mirror"),
        ),
        "/a/time": Time(
            pollRate=900, currentTime=0, dstEndTime=0, dstOffset=0, dstStartTime=0, quality=7, tzOffset=0
        ),
        "/a/devices": EndDeviceList(all=4, results=4, EndDevice_=[*others, device]),
        "/a/pin": Registration(dateTimeRegistered=0, pIN=111115),
        "/a/fsas": FunctionSetAssignmentsList(all=1, results=1, FunctionSetAssignments_=[assignment]),
        "/a/ders": DERList(all=1, results=1, DER_=[der]),
        "/a/programs": DERProgramList(all=1, results=1, pollRate=0, DERProgram_=[program]),
        "/a/default": DefaultDERControl(mRID="DD", DERControlBase_=DERControlBase(opModMaxLimW=9_000)),
        "/a/controls": DERControlList(all=0, results=0),
    }


def control(mrid: str, start: int, duration: int, limit: int, status: int = 0) -> DERControl:
    return DERControl(
        href=f"/a/controls/{mrid}",
        replyTo="/a/replies",
        responseRequired="03",
        mRID=mrid,
        creationTime=start - 100,
        EventStatus_=EventStatus(currentStatus=status, dateTime=start - 100, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=duration, start=start),
        DERControlBase_=DERControlBase(opModMaxLimW=limit),
    )


def controls(*found: DERControl) -> DERControlList:
    return DERControlList(all=len(found), results=len(found), DERControl_=list(found))
