"""The client against a scripted server over mutual TLS, and a device that does what the test says."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web

from certs import Credentials, Pki, server_context
from der_client import (
    Applied,
    ClientEvent,
    ClientSettings,
    ControlSettings,
    DERClient,
    ExchangeError,
    Fault,
    FaultKind,
    Nameplate,
    ReportSettings,
    Reversion,
    ServerSettings,
    Setpoint,
    What,
)
from der_client.device import Telemetry
from der_client.identity import identity_of
from der_client.looking import look
from der_client.session import Session
from der_client.tree import tree_of
from schemas import (
    DER,
    Codec,
    DateTimeInterval,
    DefaultDERControl,
    DefaultDERControlLink,
    DERAvailability,
    DERAvailabilityLink,
    DERCapability,
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
    DERSettings,
    DERSettingsLink,
    DERStatus,
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
    LogEventList,
    LogEventListLink,
    MirrorMeterReadingList,
    MirrorUsagePoint,
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
PATIENCE_S = 15.0
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
    down: bool = False
    time_offset_s: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        answer = self.answer(request.method, path, request.query.get("s"), await request.read())
        self.asked.append(f"{request.method} {path}")
        self.tell()
        if path in self.swallow and request.method == "POST":
            self.swallow.discard(path)
            assert request.transport is not None
            request.transport.close()
        return answer

    def answer(self, method: str, path: str, start: str | None, body: bytes) -> web.Response:
        if self.down or path in self.status:
            return web.Response(status=500 if self.down else self.status[path])
        if path in self.moved:
            return web.Response(status=301, headers={"Location": self.moved[path]})
        if method == "PUT":
            self.put[path] = _decoded(body)
            return web.Response(status=204)
        if method == "POST":
            self.posted.append((path, _decoded(body)))
            return web.Response(status=201, headers={"Location": f"{path}/{len(self.posted)}"})
        if path == "/a/replies":
            found = [one for _, one in self.posted if isinstance(one, Response)]
            self.resources[path] = ResponseList(all=len(found), results=len(found), Response_=found)
        if path not in self.resources:
            return web.Response(status=404)
        return web.Response(body=CODEC.encode(self.page(path, int(start or "0"))), content_type=SEP_XML)

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
        shown = every[start : start + 2]
        return replace(resource, **{items: shown, "all": len(every), "results": len(shown)})

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


def _decoded(body: bytes) -> Resource:
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
        return Applied()

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
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(client.run())
            yield client
            task.cancel()

    def settings_lfdi(self) -> str:
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


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    pki = Pki.create(tmp_path_factory.mktemp("pki") / "pki", depth=3)
    other = Pki.create(tmp_path_factory.mktemp("pki") / "other", depth=2)
    return Lab(
        server=pki.issue_server("server", hosts=["127.0.0.1"]),
        device=pki.issue_device("inverter"),
        stranger=other.issue_server("server", hosts=["127.0.0.1"]),
    )


@asynccontextmanager
async def served(script: Script, own: Credentials) -> AsyncIterator[int]:
    """The script over mutual TLS on a free port."""
    runner = web.ServerRunner(web.Server(script.handle), shutdown_timeout=0.1)
    await runner.setup()
    context = server_context(own.certificate_path, own.key_path, own.root_path)
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


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


@pytest.fixture
async def site(lab: Lab, tmp_path: Path) -> AsyncIterator[Site]:
    script = Script()
    script.resources = offered(lab.device.lfdi)
    async with served(script, lab.server) as port:
        yield Site(script, settings_for(lab, port, tmp_path / "spool.sqlite"), Inverter(script))


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


async def test_the_default_control_is_applied_and_armed_as_reversion(site: Site) -> None:
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(90.0))

    assert site.inverter.applied[-1] == (
        Setpoint(max_w_pct=90.0),
        Reversion(after_s=60, to=Setpoint(max_w_pct=90.0)),
    )
    assert site.inverter.closed


async def test_ratings_settings_status_and_availability_are_stored_at_the_links(site: Site) -> None:
    links = {"/a/capability", "/a/settings", "/a/status", "/a/availability"}
    async with site.client():
        await site.script.until(lambda: links <= site.script.put.keys())

    capability, settings = site.script.put["/a/capability"], site.script.put["/a/settings"]
    status, availability = site.script.put["/a/status"], site.script.put["/a/availability"]
    assert isinstance(capability, DERCapability)
    assert capability.modesSupported == "0010008C"
    assert isinstance(settings, DERSettings)
    assert settings.setMaxW.value * 10**settings.setMaxW.multiplier == 10_000
    assert isinstance(status, DERStatus)
    assert status.genConnectStatus is not None
    assert status.genConnectStatus.value == "07"
    assert isinstance(availability, DERAvailability)


async def test_readings_go_to_a_mirror_usage_point_that_is_made_first(site: Site) -> None:
    def readings() -> list[MirrorMeterReadingList]:
        return [one for _, one in site.script.posted if isinstance(one, MirrorMeterReadingList)]

    async with site.client():
        await site.script.until(readings)

    place, point = next((p, one) for p, one in site.script.posted if isinstance(one, MirrorUsagePoint))
    first = readings()[0].MirrorMeterReading_[0]
    assert place == "/a/mirror"
    assert point.deviceLFDI == site.settings_lfdi()
    assert first.MirrorReadingSet_[0].Reading_[0].value == 8_000


async def test_an_event_runs_and_answers_received_started_completed(site: Site) -> None:
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(control("C1", now + 2, 2, 5_000))
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(50.0))
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2, 3])
        await site.script.until(lambda: site.inverter.holds(90.0))

    assert "DERControl C1 active: opModMaxLimW 50 %" in site.heard(What.CONTROL)


async def test_a_cancelled_event_answers_received_started_cancelled(site: Site) -> None:
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(control("C1", now, 600, 5_000, 1))
    async with site.client():
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2])
        stopped = control("C1", now, 600, 5_000, 2)
        stopped.EventStatus_.dateTime = int(time.time())
        site.script.resources["/a/controls"] = controls(stopped)
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2, 6])
        await site.script.until(lambda: site.inverter.holds(90.0))


async def test_a_superseded_event_answers_received_started_superseded(site: Site) -> None:
    now = int(time.time())
    older, newer = control("C1", now, 600, 5_000, 1), control("C2", now, 600, 2_000, 1)
    site.script.resources["/a/controls"] = controls(older)
    async with site.client():
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2])
        newer.creationTime = now
        site.script.resources["/a/controls"] = controls(older, newer)
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2, 7])
        await site.script.until(lambda: site.inverter.holds(20.0))


async def test_an_event_superseded_before_its_start_never_starts(site: Site) -> None:
    now = int(time.time())
    older, newer = control("C1", now + 2, 4, 5_000), control("C2", now + 2, 4, 2_000)
    newer.creationTime = older.creationTime + 1
    site.script.resources["/a/controls"] = controls(older, newer)
    async with site.client():
        await site.script.until(lambda: site.script.statuses("C2")[:2] == [1, 2])
        await site.script.until(lambda: site.script.statuses("C1") == [1, 7])
        await site.script.until(lambda: site.inverter.holds(20.0))


async def test_a_restart_keeps_the_event_and_answers_nothing_twice(site: Site) -> None:
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(control("C1", now, 4, 5_000, 1))
    async with site.client():
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2])
    site.inverter.applied.clear()
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(50.0))
        await site.script.until(lambda: 3 in site.script.statuses("C1"))

    assert site.script.statuses("C1") == [1, 2, 3]


async def test_without_a_server_a_restarted_client_goes_on_with_what_it_knows(site: Site) -> None:
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(control("C1", now, 4, 5_000, 1))
    async with site.client():
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2])
    site.inverter.applied.clear()
    site.script.down = True
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(50.0))
        await site.script.until(lambda: site.inverter.holds(90.0))
        site.script.down = False
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2, 3])


async def test_a_server_that_goes_and_comes_back_gets_what_is_owed_in_order(site: Site) -> None:
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(control("C1", now + 1, 2, 5_000))
    async with site.client():
        await site.script.until(lambda: site.script.statuses("C1") == [1])
        site.script.down = True
        await site.script.until(lambda: site.inverter.holds(50.0))
        await site.script.until(lambda: site.inverter.holds(90.0))
        site.script.down = False
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2, 3])
        await site.script.until(lambda: site.heard(What.SERVER_BACK))


async def test_a_response_whose_answer_was_lost_is_not_sent_again(site: Site) -> None:
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(control("C1", now, 3, 5_000, 1))
    site.script.swallow.add("/a/replies")
    async with site.client():
        await site.script.until(lambda: 3 in site.script.statuses("C1"))

    assert site.script.statuses("C1") == [1, 2, 3]


async def test_the_wrong_pin_means_that_the_server_is_not_used(site: Site) -> None:
    site.script.resources["/a/pin"] = Registration(dateTimeRegistered=0, pIN=123455)
    async with site.client():
        await site.script.until(lambda: site.script.asked.count("GET /a/pin") > 1)

    assert site.heard(What.WRONG_PIN)
    assert "GET /a/fsas" not in site.script.asked
    assert site.script.put == {}
    assert site.script.posted == []


async def test_a_uri_that_is_gone_makes_the_client_begin_again_at_dcap(site: Site) -> None:
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(90.0))
        program = site.script.resources["/a/programs"]
        assert isinstance(program, DERProgramList)
        program.DERProgram_[0].DefaultDERControlLink_ = DefaultDERControlLink(href="/z/default")
        del site.script.resources["/a/default"]
        base = DERControlBase(opModMaxLimW=7_000)
        site.script.resources["/z/default"] = DefaultDERControl(mRID="DD", DERControlBase_=base)
        await site.script.until(lambda: site.inverter.holds(70.0))


async def test_all_uris_may_change_at_once(site: Site) -> None:
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(90.0))
        text = {path: CODEC.encode(one) for path, one in site.script.resources.items()}
        salted = {p.replace("/a/", "/q/"): t.replace(b"/a/", b"/q/") for p, t in text.items()}
        site.script.resources = {path: _decoded(body) for path, body in salted.items()}
        base = DERControlBase(opModMaxLimW=6_000)
        site.script.resources["/q/default"] = DefaultDERControl(mRID="DD", DERControlBase_=base)
        await site.script.until(lambda: site.inverter.holds(60.0))
        await site.script.until(lambda: "/q/status" in site.script.put)

    assert site.heard(What.REDISCOVERY)


async def test_a_moved_uri_is_followed_and_remembered(site: Site) -> None:
    site.script.moved["/a/default"] = "/n/default"
    site.script.resources["/n/default"] = site.script.resources["/a/default"]
    async with site.client():
        await site.script.until(lambda: site.script.asked.count("GET /n/default") > 2)

    assert site.script.asked.count("GET /a/default") == 1
    assert site.inverter.holds(90.0)


async def test_one_resource_that_the_server_cannot_give_does_not_stop_the_others(site: Site) -> None:
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(90.0))
        site.script.status["/a/controls"] = 500
        base = DERControlBase(opModMaxLimW=7_000)
        site.script.resources["/a/default"] = DefaultDERControl(mRID="DD", DERControlBase_=base)
        await site.script.until(lambda: site.inverter.holds(70.0))


async def test_an_incident_of_the_last_run_is_cleared_by_the_next(site: Site) -> None:
    reading = site.inverter.reading
    assert isinstance(reading, Telemetry)
    site.inverter.reading = replace(reading, alarms=frozenset({2}))
    async with site.client():
        await site.script.until(lambda: (11, 4, "under voltage") in site.script.log_codes())
    site.inverter.reading = reading
    async with site.client():
        await site.script.until(lambda: (11, 5, "ok: under voltage") in site.script.log_codes())


async def test_the_post_rate_of_the_server_is_adopted(site: Site) -> None:
    def posts() -> int:
        return sum(isinstance(one, MirrorMeterReadingList) for _, one in site.script.posted)

    async with site.client():
        await site.script.until(posts)
        place = next(p for p, one in site.script.posted if isinstance(one, MirrorMeterReadingList))
        point = next(one for _, one in site.script.posted if isinstance(one, MirrorUsagePoint))
        site.script.resources[place] = replace(point, postRate=3_600, MirrorMeterReading_=[])
        seen = site.script.asked.count(f"GET {place}")
        await site.script.until(lambda: site.script.asked.count(f"GET {place}") > seen)
        await site.script.until(lambda: site.script.asked[-1] == f"POST {place}")
        posted = posts()
        polled = site.script.asked.count("GET /a/controls")
        await site.script.until(lambda: site.script.asked.count("GET /a/controls") > polled + 25)

    assert posts() == posted


async def test_a_new_poll_rate_is_adopted(site: Site) -> None:
    programs = site.script.resources["/a/programs"]
    assert isinstance(programs, DERProgramList)
    async with site.client():
        await site.script.until(lambda: site.script.asked.count("GET /a/controls") > 2)
        programs.pollRate = 900
        seen = site.script.asked.count("GET /a/programs")
        await site.script.until(lambda: site.script.asked.count("GET /a/programs") > seen)
        polled = site.script.asked.count("GET /a/controls")
        statuses = site.script.asked.count("PUT /a/status")
        await site.script.until(lambda: site.script.asked.count("PUT /a/status") > statuses + 1)

    assert site.script.asked.count("GET /a/controls") - polled <= 1


async def test_a_clock_far_from_ours_is_followed(site: Site) -> None:
    site.script.time_offset_s = 5_000_000
    start = int(time.time()) + 5_000_000
    site.script.resources["/a/controls"] = controls(control("C1", start, 60, 5_000, 1))
    async with site.client() as client:
        await site.script.until(lambda: site.inverter.holds(50.0))
        assert abs(client.now_s() - time.time() - 5_000_000) < 2.0


async def test_a_device_that_reads_back_something_else_is_reported_and_recovers(site: Site) -> None:
    def status() -> str | None:
        found = site.script.put.get("/a/status")
        assert found is None or isinstance(found, DERStatus)
        return found.genConnectStatus.value if found and found.genConnectStatus else None

    fault = Fault(kind=FaultKind.READBACK, detail="reads 0", point="704.WMaxLimPct")
    site.inverter.refusal = fault
    async with site.client():
        await site.script.until(lambda: site.heard(What.FAULT))
        await site.script.until(lambda: (0, 1, "max_w_pct not held") in site.script.log_codes())
        await site.script.until(lambda: status() == "17")
        site.inverter.refusal = None
        await site.script.until(lambda: site.inverter.holds(90.0))
        await site.script.until(lambda: (0, 1, "ok: max_w_pct not held") in site.script.log_codes())
        await site.script.until(lambda: status() == "07")

    assert (Setpoint(energize=False)) in [setpoint for setpoint, _ in site.inverter.applied]


async def test_a_device_that_stops_answering_is_reported_and_identified_before_the_next_write(
    site: Site,
) -> None:
    reading = site.inverter.reading
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(90.0))
        site.inverter.plate, plate = Fault(kind=FaultKind.NO_ANSWER, detail="gone"), site.inverter.plate
        site.inverter.reading = Fault(kind=FaultKind.NO_ANSWER, detail="gone")
        await site.script.until(lambda: site.heard(What.DEVICE_LOST))
        await site.script.until(lambda: (0, 1, "device does not answer") in site.script.log_codes())
        writes, identified = len(site.inverter.applied), site.inverter.identified
        await site.script.until(lambda: site.inverter.identified > identified + 2)
        assert len(site.inverter.applied) == writes
        site.inverter.plate, site.inverter.reading = plate, reading
        await site.script.until(lambda: len(site.inverter.applied) > writes)
        await site.script.until(lambda: (0, 1, "ok: device does not answer") in site.script.log_codes())


async def test_the_dead_man_switch_is_refreshed_at_half_of_its_time(site: Site) -> None:
    site.settings = replace(site.settings, control=replace(site.settings.control, reversion_s=1))
    async with site.client():
        await site.script.until(lambda: len([one for one, _ in site.inverter.applied if one.max_w_pct]) > 3)

    assert len({one for one, _ in site.inverter.applied[-3:]}) == 1


async def test_a_server_of_another_pki_is_refused(lab: Lab, tmp_path: Path) -> None:
    script = Script(resources=offered(lab.device.lfdi))
    async with served(script, lab.stranger) as port:
        settings = settings_for(lab, port, tmp_path / "spool.sqlite")
        with pytest.raises(ExchangeError):
            await look(settings.server)

    assert script.asked == []


async def test_a_look_at_a_server_says_what_it_offers(site: Site) -> None:
    site.script.resources["/a/controls"] = controls(control("C1", 100, 60, 5_000))
    lines = list(tree_of(await look(site.settings.server)))

    assert "  DERProgram /a/program primacy 3" in lines
    assert "    default: opModMaxLimW 90 %" in lines
    assert "    DERControl C1 scheduled from 100 for 60 s: opModMaxLimW 50 %" in lines
    assert "  MirrorUsagePointList /a/mirror" in lines


@pytest.mark.parametrize(
    ("status", "kind"), [(500, "UnreachableError"), (403, "RefusedError"), (404, "MissingError")]
)
async def test_a_status_is_an_error_of_its_own_kind(site: Site, status: int, kind: str) -> None:
    site.script.status["/a/time"] = status
    async with Session(site.settings.server) as session:
        with pytest.raises(ExchangeError) as caught:
            await session.get("/a/time", Time)

    assert type(caught.value).__name__ == kind


async def test_an_answer_of_another_type_cannot_be_used(site: Site) -> None:
    async with Session(site.settings.server) as session:
        with pytest.raises(ExchangeError, match="cannot be used"):
            await session.get("/a/time", Registration)


async def test_a_redirection_without_end_is_given_up(site: Site) -> None:
    site.script.moved["/a/time"] = "/a/time"
    async with Session(site.settings.server) as session:
        with pytest.raises(ExchangeError, match="too often"):
            await session.get("/a/time", Time)


async def test_a_redirection_away_from_tls_is_refused(site: Site) -> None:
    site.script.moved["/a/time"] = "http://127.0.0.1/time"
    async with Session(site.settings.server) as session:
        with pytest.raises(ExchangeError, match="without TLS"):
            await session.get("/a/time", Time)


async def test_a_log_event_whose_answer_was_lost_is_not_sent_again(site: Site) -> None:
    site.inverter.refusal = Fault(kind=FaultKind.READBACK, detail="reads 0", point="704.WMaxLimPct")
    site.script.swallow.add("/a/log")
    async with site.client():
        await site.script.until(lambda: "POST /a/log" in site.script.asked)
        event = next(one for _, one in site.script.posted if isinstance(one, LogEvent))
        site.script.resources["/a/log"] = LogEventList(all=1, results=1, LogEvent_=[event])
        site.inverter.refusal = None
        await site.script.until(lambda: (0, 1, "ok: max_w_pct not held") in site.script.log_codes())

    assert len([code for code in site.script.log_codes() if code[2] == "max_w_pct not held"]) == 1
