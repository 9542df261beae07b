"""Every rule of a profile over the wire: what a client meets with each of its values."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession, TCPConnector

from certs import LFDI, Pki, operator_client_context, sfdi_of
from certs.findings import broken
from schemas import (
    ActivePower,
    DERAvailability,
    DERCapability,
    DERControlResponse,
    DERListLink,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignmentsList,
    LogEvent,
    LogEventList,
    MirrorMeterReading,
    MirrorUsagePoint,
    PowerStatus,
    Reading,
    ReadingType,
    Subscription,
    SupportedLocale,
    csip_aus,
)
from sep2_server import protocol
from sep2_server.operator import controls, defaults
from sep2_server.operator.desk import Desk
from sep2_server.operator.router import Call
from sep2_server.profiles import rules
from sep2_server.rows import Role
from sep2_server.settings import Settings
from tests.integration.sep2_harness import START, Bench, Client, Reply, make_control, running
from tests.integration.test_sep2_files import information
from tests.integration.test_sep2_flow_reservations import REQUEST

OWN = "own"
POWER = ActivePower(multiplier=0, value=1)


def end_device(bench: Bench, name: str, *, sfdi: int | None = None, lfdi: str | None = OWN) -> EndDevice:
    own = bench.credentials(name)
    shown = own.lfdi if lfdi == OWN else lfdi
    return EndDevice(lFDI=shown, sFDI=own.sfdi if sfdi is None else sfdi, changedTime=0)


async def status_of(coroutine: Awaitable[Reply]) -> object:
    try:
        return (await coroutine).status
    except ClientError:
        return "closed"


async def without_certificate(bench: Bench, path: str) -> object:
    context = operator_client_context(bench.credentials("server").root_path)
    url = f"https://127.0.0.1:{bench.server.port}"
    async with ClientSession(url, connector=TCPConnector(ssl=context)) as session:
        return await status_of(Client(session, bench.server.settings.xml_profile).get(path))


async def bare(bench: Bench) -> object:
    return await without_certificate(bench, "/dcap"), await without_certificate(bench, "/edev")


async def self_signed(bench: Bench) -> object:
    client = await bench.connect(bench.pki.credentials("home"))
    return await status_of(client.get("/dcap"))


async def unknown(bench: Bench) -> object:
    client = await bench.client("stranger")
    return [(await client.get(path)).status for path in ("/dcap", "/edev", "/tm", "/derp")]


async def redirected(bench: Bench) -> object:
    plain = bench.server.redirection
    assert plain is not None
    async with ClientSession(f"http://127.0.0.1:{plain.port}") as session:
        reply = await Client(session, bench.server.settings.xml_profile).get("/dcap")
    return reply.status, reply.location == f"https://127.0.0.1:{bench.server.port}/dcap"


async def hidden(bench: Bench) -> object:
    other = await bench.enrol("pro-2")
    _, client = await bench.device("pro-1")
    return (await client.get(other.href)).status


async def registered(bench: Bench) -> object:
    client = await bench.client("pro-1")
    return (await client.post("/edev", end_device(bench, "pro-1"))).status


async def registered_twice(bench: Bench) -> object:
    await registered(bench)
    return await registered(bench)


async def wrong_sfdi(bench: Bench) -> object:
    client = await bench.client("pro-1")
    return (await client.post("/edev", end_device(bench, "pro-1", sfdi=10))).status


async def without_lfdi(bench: Bench) -> object:
    client = await bench.client("pro-1")
    return (await client.post("/edev", end_device(bench, "pro-1", lfdi=None))).status


async def managed(bench: Bench) -> object:
    await bench.enrol("agg", role=Role.AGGREGATOR)
    client = await bench.client("agg")
    statuses = []
    for lfdi in ("AB" * 16 + "00012345", "AB" * 20, "AB" * 16 + "99912345", "AB" * 16 + "00003039"):
        value = EndDevice(lFDI=lfdi, sFDI=sfdi_of(LFDI(lfdi)), changedTime=0)
        statuses.append((await client.post("/edev", value)).status)
    return statuses


async def joined(bench: Bench) -> object:
    await bench.group("new")
    client = await bench.client("pro-1")
    href = (await client.post("/edev", end_device(bench, "pro-1"))).location
    return (await client.read(f"{href}/fsa", FunctionSetAssignmentsList)).all


async def has_registration(bench: Bench) -> object:
    client = await bench.client("pro-1")
    href = (await client.post("/edev", end_device(bench, "pro-1"))).location
    return (await client.read(href, EndDevice)).RegistrationLink_ is not None


async def ders(bench: Bench) -> object:
    client = await bench.client("pro-1")
    href = (await client.post("/edev", end_device(bench, "pro-1"))).location
    link = (await client.read(href, EndDevice)).DERListLink_
    assert isinstance(link, DERListLink)
    return link.all


def log_event(number: int, at: int) -> LogEvent:
    return LogEvent(
        createdDateTime=at,
        functionSet=11,
        logEventCode=0,
        logEventID=number,
        logEventPEN=40732,
        profileID=2,
    )


async def logged(bench: Bench) -> tuple[str, Client]:
    row, client = await bench.device("pro-1")
    for number in (1, 2, 3):
        await client.post(f"{row.href}/lel", log_event(number, START + number))
    return f"{row.href}/lel", client


async def page_size(bench: Bench) -> object:
    href, client = await logged(bench)
    return (await client.read(f"{href}?l=9", LogEventList)).results


async def bad_query(bench: Bench) -> object:
    href, client = await logged(bench)
    return [(await client.get(f"{href}?{query}")).status for query in ("s=-1&l=2", "l=x")]


async def counted_after(bench: Bench) -> object:
    href, client = await logged(bench)
    page = await client.read(f"{href}?a={START + 2}&l=9", LogEventList)
    return page.all, page.results


async def log_order(bench: Bench) -> object:
    href, client = await logged(bench)
    later = await client.read(f"{href}?a={START + 1}&l=9", LogEventList)
    return [e.logEventID for e in (await client.read(f"{href}?l=9", LogEventList)).LogEvent_], [
        e.logEventID for e in later.LogEvent_
    ]


async def device_order(bench: Bench) -> object:
    aggregator = await bench.enrol("agg", role=Role.AGGREGATOR)
    client = await bench.client("agg")
    names = sorted(("pro-1", "pro-2", "pro-3"), key=lambda name: bench.credentials(name).lfdi)
    for name in names:  # a later device has a greater SFDI, so that no order is another by chance
        bench.clock.advance(1)
        await bench.enrol(name, aggregator=aggregator)
    page = await client.read("/edev?l=9", EndDeviceList)
    listed = [e for e in page.EndDevice_ if e.href != aggregator.href]
    by_time = [e.changedTime for e in listed] == sorted((e.changedTime for e in listed), reverse=True)
    return by_time, [e.sFDI for e in listed] == sorted(e.sFDI for e in listed)


async def tie_break(bench: Bench) -> object:
    await bench.device("pro-1")
    _, program = await bench.group("g", "pro-1")
    for mrid in ("A1", "A2"):
        await bench.control(program, make_control(mrid, START - 10, 100, created=START - 20))
    return [row.mrid[-2:] for row in bench.store.reader.all_by_mrid("A1") if row.status == 4 and row.mrid] + [
        row.mrid[-2:] for row in bench.store.reader.all_by_mrid("A2") if row.status == 4 and row.mrid
    ]


async def after_its_end(bench: Bench) -> object:
    _, client = await bench.device("pro-1")
    _, program = await bench.group("g", "pro-1")
    await bench.control(program, make_control("A1", START, 10))
    bench.clock.advance(15)
    return b'results="1"' in (await client.get(f"{program.href}/derc")).body


async def asked_responses(bench: Bench) -> object:
    _, program = await bench.group("g")
    modes = {"DERControlBase": {"opModMaxLimW": 5000}, "duration": 60, "in": 60}

    def publish(desk: Desk) -> object:
        return controls.publish(desk, Call(names={"group": "g"}, query={}, body=modes, now=bench.clock.now()))

    await bench.do(publish)
    row = bench.store.reader.items(bench.store.reader.by_href(f"{program.href}/derc").id)[0]  # type: ignore[union-attr]
    return row.body.partition(b'responseRequired="')[2][:2].decode()


async def new_default(bench: Bench) -> object:
    await bench.group("g")
    body = {"DERControlBase": {"opModMaxLimW": 5000}}
    told = await bench.do(
        lambda desk: defaults.change(
            desk, Call(names={"group": "g"}, query={}, body=body, now=bench.clock.now())
        )
    )
    assert isinstance(told, dict)
    held = told["DefaultDERControl"]
    assert isinstance(held, dict)
    return held.get("setGradW")


async def lost_codes(bench: Bench) -> object:
    _, client = await bench.device("pro-1")
    _, program = await bench.group("g", "pro-1")
    row = await bench.control(program, make_control("A1", START, 10))
    reply_to = row.body.partition(b'replyTo="')[2].partition(b'"')[0].decode()
    lfdi = bench.credentials("pro-1").lfdi
    return [
        (
            await client.post(
                reply_to,
                DERControlResponse(createdDateTime=START, endDeviceLFDI=lfdi, status=code, subject="A1"),
            )
        ).status
        for code in (7, 14)
    ]


async def der_href(bench: Bench) -> tuple[str, Client]:
    row, client = await bench.device("pro-1")
    return f"{row.href}/der/{bench.store.reader.of_kind('DER', limit=1)[0].id}", client


async def put_statuses(bench: Bench) -> object:
    href, client = await der_href(bench)
    value = DERAvailability(readingTime=START)
    first, second = [await client.put(f"{href}/dera", value) for _ in range(2)]
    return first.status, first.headers.get("Location") == f"{href}/dera", second.status


async def posted_capability(bench: Bench) -> object:
    href, client = await der_href(bench)
    return (await client.post(f"{href}/dera", DERAvailability(readingTime=START))).status


def mirror(bench: Bench, *readings: MirrorMeterReading, name: str = "pro-1") -> MirrorUsagePoint:
    return MirrorUsagePoint(
        mRID="B1",
        roleFlags="49",
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=bench.credentials(name).lfdi,
        MirrorMeterReading_=list(readings),
    )


async def mirrored(bench: Bench) -> object:
    _, client = await bench.device("pro-1")
    first = await client.post("/mup", mirror(bench))
    again = await client.post("/mup", mirror(bench))
    return again.status, again.location == first.location


async def posted_twice(bench: Bench) -> object:
    row, client = await bench.device("pro-1")
    about = information(bench.credentials("pro-1").lfdi)
    assert (await client.put(f"{row.href}/di", about)).status == 204
    locale = SupportedLocale(locale="en")
    first, again = [await client.post(f"{row.href}/di/loc", locale) for _ in range(2)]
    return first.status, again.status, again.location == first.location


async def asked_twice(bench: Bench) -> object:
    row, client = await bench.device("pro-1")
    first, again = [await client.post(f"{row.href}/frq", REQUEST) for _ in range(2)]
    return first.status, again.status, again.location == first.location


async def readings(bench: Bench) -> object:
    _, client = await bench.device("pro-1")
    href = (await client.post("/mup", mirror(bench))).location
    reading = MirrorMeterReading(mRID="C1", ReadingType_=ReadingType(uom=38), Reading_=Reading(value=1))
    reply = await client.post(href, reading)
    return reply.status, "Location" in reply.headers


async def borrowed_mrid(bench: Bench) -> object:
    taken = MirrorMeterReading(mRID="C1", ReadingType_=ReadingType(uom=38), Reading_=Reading(value=1))
    for name in ("pro-1", "pro-2"):
        _, client = await bench.device(name)
        reply = await client.post("/mup", mirror(bench, taken, name=name))
    return reply.status


async def deleted(bench: Bench) -> object:
    _, client = await bench.device("pro-1")
    href = (await client.post("/mup", mirror(bench))).location
    return (await client.send("DELETE", href)).status


async def full(bench: Bench) -> object:
    _, client = await bench.device("pro-1")
    capability = await client.read("/dcap", DeviceCapability)
    return capability.MirrorUsagePointListLink_ is not None


async def connected(bench: Bench) -> object:
    row, client = await bench.device("pro-1")
    value = csip_aus.ConnectionPoint(connectionPointId="NMI")
    replies = [await client.put(f"{row.href}/cp", value) for _ in range(2)]
    return [(reply.status, reply.location) for reply in replies] == [
        (201, f"{row.href}/cp"),
        (bench.server.settings.profile.connection_point_status, f"{row.href}/cp"),
    ] and replies[1].status


async def misconnected(bench: Bench) -> object:
    row, client = await bench.device("pro-1")
    value = csip_aus.ConnectionPoint(connectionPointId="N" * 33)
    return (await client.put(f"{row.href}/cp", value)).status


async def not_built(bench: Bench) -> object:
    row, client = await bench.device("pro-1")
    status = PowerStatus(batteryStatus=0, changedTime=0, currentPowerSource=0)
    missing = await client.send("DELETE", f"{row.href}/dstat")
    error = await client.post(f"{row.href}/ps", status)
    return missing.status, error.status


async def proposed_rate(bench: Bench) -> object:
    row, client = await bench.device("pro-1")
    return (await client.read(row.href, EndDevice)).postRate


async def polled(bench: Bench) -> object:
    _, client = await bench.device("pro-1")
    return (await client.read("/dcap", DeviceCapability)).pollRate


async def discovery(bench: Bench) -> object:
    _, client = await bench.device("pro-1")
    return (await client.get("/.well-known/csipaus")).status


async def subscribed_twice(bench: Bench) -> object:
    row, client = await bench.device("pro-1")
    await bench.group("g", "pro-1")
    value = Subscription(
        subscribedResource=f"{row.href}/fsa",
        encoding=0,
        level="+S1",
        limit=1,
        notificationURI="https://127.0.0.1:9/n",
    )
    first, again = [await client.post(f"{row.href}/sub", value) for _ in range(2)]
    return first.status, again.status, first.location == again.location


Scenario = Callable[[Bench], Awaitable[object]]


@dataclass(frozen=True)
class Case:
    """A rule, a scenario, and what is seen with each value of the rule; `more` are further settings."""

    rule: str
    scenario: Scenario
    seen: tuple[tuple[object, object], ...]
    more: Mapping[str, object] = field(default_factory=dict)


BARE: dict[str, object] = {"refused_certificate": "403"}
IN_BAND: dict[str, object] = {"in_band_registration": True}
AUS: dict[str, object] = {"profile": "csip_aus"}
CASES = (
    Case("allow_self_signed", self_signed, ((False, "closed"), (True, 403)), {"extra_trusted": "home"}),
    Case("strict_tls", bare, ((False, (403, 403)), (True, ("closed", "closed"))), BARE),
    Case("refused_certificate", bare, (("alert", ("closed", "closed")), ("403", (403, 403)))),
    Case("open_capability", bare, ((False, (403, 403)), (True, (200, 403))), BARE),
    Case("open_capability", bare, ((True, (200, 403)),), IN_BAND),
    Case(
        "unknown_client",
        unknown,
        (
            ("403", [403, 403, 403, 403]),
            ("404", [404, 404, 404, 404]),
            ("capability", [200, 403, 403, 403]),
            ("empty_list", [200, 200, 200, 403]),
        ),
    ),
    Case(
        "redirect_status",
        redirected,
        ((301, (301, True)), (302, (302, True)), (307, (307, True))),
        {"redirect_port": 0},
    ),
    Case("hidden_status", hidden, ((404, 404), (403, 403))),
    Case("in_band_registration", registered, ((False, 403), (True, 201))),
    Case("duplicate_end_device_status", registered_twice, ((200, 200), (204, 204), (409, 409)), IN_BAND),
    Case("wrong_sfdi_status", wrong_sfdi, ((400, 400), (403, 403)), IN_BAND),
    Case("lfdi_required", without_lfdi, (("aggregators", 201), ("all", 400)), IN_BAND),
    Case(
        "pen_suffix",
        managed,
        ((False, [201] * 4), (True, [201, 400, 400, 400])),
        {**IN_BAND, "aggregator_pens": 12345},
    ),
    Case("registration_groups", joined, (((), 0), (["new", "gone"], 1)), IN_BAND),
    Case(
        "registration_pin", has_registration, (("none", False), ("random", True), ("111115", True)), IN_BAND
    ),
    Case("registration_ders", ders, ((0, 0), (2, 2)), IN_BAND),
    Case("list_limit", page_size, ((255, 3), (2, 2))),
    Case("bad_query", bad_query, (("400", [400, 400]), ("ignore", [200, 200]))),
    Case("all_with_after", counted_after, (("filtered", (1, 1)), ("whole", (3, 1)))),
    Case("end_device_order", device_order, (("2018", (True, False)), ("2013", (False, True)))),
    Case(
        "log_event_order",
        log_order,
        (("newest_first", ([3, 2, 1], [3, 2])), ("oldest_first", ([1, 2, 3], [2, 3]))),
    ),
    Case("mrid_tie_break", tie_break, (("higher", ["A1"]), ("lower", ["A2"]))),
    Case("event_retention_s", after_its_end, ((0, False), (20, True))),
    Case("response_required", asked_responses, (("03", "03"), ("07", "07"))),
    Case("default_set_grad_w", new_default, ((-1, None), (27, 27))),
    Case("superseded_responses", lost_codes, (([7, 14], [201, 201]), ([7], [201, 400]), ([14], [400, 201]))),
    Case("put_status", put_statuses, ((204, (204, False, 204)), (200, (200, False, 200)))),
    Case("put_created_status", put_statuses, ((204, (204, False, 204)), (201, (201, True, 204)))),
    Case("update_status", mirrored, ((204, (204, True)), (200, (200, True)))),
    Case("update_status", posted_twice, ((204, (201, 204, True)), (200, (201, 200, True)))),
    Case(
        "update_status",
        asked_twice,
        ((204, (201, 204, True)), (200, (201, 200, True))),
        {"function_sets": "fr"},
    ),
    Case("delete_status", deleted, ((204, 204), (200, 200))),
    Case(
        "reading_post",
        readings,
        (("201 Location", (201, True)), ("201", (201, False)), ("204", (204, False))),
    ),
    Case("foreign_reading_mrid", borrowed_mrid, (("take", 201), ("403", 403))),
    Case("full_mirror_link", full, ((False, False), (True, True)), {"mirror_usage_points_per_device": 0}),
    Case("connection_point_status", connected, ((204, 204), (201, 201)), AUS),
    Case("connection_point_error", misconnected, ((400, 400), (422, 422)), AUS),
    Case("post_for_put", posted_capability, ((False, 405), (True, 204))),
    Case("unimplemented_status", not_built, ((405, (405, 405)), (501, (501, 405)))),
    Case(
        "repeated_subscription_status",
        subscribed_twice,
        ((200, (201, 200, True)), (201, (201, 201, True)), (204, (201, 204, True))),
        {"notification_hosts": ["127.0.0.1:9"]},
    ),
    Case("post_rate_s", proposed_rate, ((300, 300), (60, 60))),
    Case("poll_rate", polled, (({}, 300), ({"DeviceCapability": 42}, 42))),
)
ELSEWHERE = {
    "price_summary": "test_sep2_csip_aus_pricing.py",
    "function_sets": "test_sep2_walk.py and those of each function set",
    "version_discovery_status": "test_sep2_version_discovery.py",
    "level": "test_sep2_discovery.py",
    "notification_statuses": "notifications",
    "notification_end_statuses": "notifications",
    "notification_limit_0": "notifications",
    "open_mirror_list": "conformance/test_conform_aus_server.py, S-ALL-02",
    "connection_point_nmi": "conformance/test_conform_aus_server.py, S-OPT-02",
}
"""Rules that are shown by the tests of what they act in."""


@pytest.mark.parametrize(
    ("case", "value", "seen"),
    [
        pytest.param(case, value, seen, id=f"{case.rule}={value}")
        for case in CASES
        for value, seen in case.seen
    ],
)
async def test_a_rule_is_what_a_client_meets(
    tmp_path: Path, sep2_pki: Pki, case: Case, value: object, seen: object
) -> None:
    given = prepared(case, value, sep2_pki)
    async with running(tmp_path, sep2_pki, **given) as bench:
        assert await case.scenario(bench) == seen


def prepared(case: Case, value: object, pki: Pki) -> dict[str, Any]:
    """Settings of a case; what hangs on certificates is filled in."""
    given: dict[str, Any] = {**case.more, case.rule: value}
    if "extra_trusted" in given:
        home = pki.folder / "home"
        credentials = pki.credentials("home") if home.is_dir() else pki.issue_self_signed("home")
        given["extra_trusted"] = [str(credentials.certificate_path)] if value else []
    if "aggregator_pens" in given:
        folder = pki.folder / "agg"
        credentials = pki.credentials("agg") if folder.is_dir() else pki.issue_device("agg")
        given["aggregator_pens"] = {credentials.lfdi: given["aggregator_pens"]}
    return given


@pytest.mark.parametrize(("rule", "seen"), [("alert", 403), ("403", 403), ("close", "closed")])
async def test_a_certificate_that_tls_lets_pass_meets_the_rule(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch, rule: str, seen: object
) -> None:
    monkeypatch.setattr(protocol, "admission", lambda *_, **__: broken("policy", "bad"))
    async with running(tmp_path, sep2_pki, refused_certificate=rule) as bench:
        _, client = await bench.device("pro-1")
        assert await status_of(client.get("/dcap")) == seen


def test_every_rule_is_shown_over_the_wire() -> None:
    assert {case.rule for case in CASES} | ELSEWHERE.keys() == {rule.name for rule in rules()}
    assert {case.rule for case in CASES} & ELSEWHERE.keys() == set()


def test_the_profile_of_a_server_is_csip() -> None:
    assert Settings().profile.name == "csip"
    assert DERCapability(modesSupported="00", rtgMaxW=POWER, type=0).type == 0
