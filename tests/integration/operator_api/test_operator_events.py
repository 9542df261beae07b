"""Load controls, tariffs, messages and flow reservations by `lineside op`: what they store and refuse."""

import json
import re
from collections.abc import Callable

import pytest

from schemas import (
    ActivePower,
    Codec,
    ConsumptionTariffIntervalList,
    DateTimeInterval,
    DrResponse,
    EndDeviceControl,
    FlowReservationRequest,
    FlowReservationResponseList,
    MessagingProgramList,
    RequestStatus,
    SignedRealEnergy,
    TextMessageList,
    TextResponse,
    TimeTariffInterval,
)
from sep2_server import ManualClock
from sep2_server.messages import Answer
from sep2_server.operator import ApiError, OperatorClient
from sep2_server.operator.commands import Row, rows_of

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
OTHER = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E6"
NOW = 1_700_000_000
Op = Callable[..., int]
Capture = pytest.CaptureFixture[str]
DeviceRequest = Callable[..., Answer]
HOUR = ("--for", "1h")


@pytest.fixture(autouse=True)
def _feeder(op: Op, capsys: Capture) -> None:
    """The device north in the group feeder-7, which has one DERProgram of primacy 7."""
    assert op("enrol", "north", "--lfdi", LFDI, "--pin", "111115") == 0
    assert op("group", "create", "feeder-7", "--primacy", "7") == 0
    assert op("group", "add", "feeder-7", "north") == 0
    capsys.readouterr()


def told(op: Op, capsys: Capture, *words: str) -> Row:
    """What a command that ends well says as JSON."""
    capsys.readouterr()
    assert op(*words, "--json") == 0
    answer: Row = json.loads(capsys.readouterr().out)
    return answer


def refused(op: Op, capsys: Capture, *words: str, code: int = 2) -> str:
    assert op(*words) == code
    return capsys.readouterr().err


def states(api: OperatorClient, what: str) -> list[object]:
    return [one["status"] for one in rows_of(api.get("groups", "feeder-7", what), "events")]


LOADS = [
    (("--duty", "50%"), {"DutyCycle": {"normalValue": 50}}),
    (
        ("--cooling", "26.5", "--heating", "18"),
        {"SetPoint": {"coolingSetpoint": 2650, "heatingSetpoint": 1800}},
    ),
    (("--cooling-offset", "1.5"), {"Offset": {"coolingOffset": 15}}),
    (
        ("--heating-offset", "2", "--load-offset", "20%"),
        {"Offset": {"heatingOffset": 20, "loadAdjustmentPercentageOffset": 2000}},
    ),
    (("--target", "3 kW"), {"TargetReduction": {"type": 1, "value": 3}}),
    (("--appliance", "reduce"), {"ApplianceLoadReduction": {"type": 1}}),
    (("--duty", "0", "--override", "10m"), {"DutyCycle": {"normalValue": 0}, "overrideDuration": 600}),
]


@pytest.mark.parametrize(("words", "wire"), LOADS)
def test_a_load_control_is_what_the_options_say(
    op: Op, capsys: Capture, device_request: DeviceRequest, words: tuple[str, ...], wire: dict[str, object]
) -> None:
    made = told(op, capsys, "drlc", "publish", "feeder-7", "--category", "water-heater", *words, *HOUR)
    held = made["resource"]
    assert isinstance(held, dict)
    assert {name: held.get(name) for name in wire} == wire
    seen = Codec().decode(device_request("GET", str(made["href"])).body, EndDeviceControl)
    assert (seen.deviceCategory, seen.drProgramMandatory, seen.interval.duration) == ("00000008", False, 3600)


def test_the_program_of_a_group_is_made_once_with_its_primacy(
    op: Op, capsys: Capture, api: OperatorClient
) -> None:
    for _ in range(2):
        told(op, capsys, "drlc", "publish", "feeder-7", "--category", "sauna", "--duty", "10%", *HOUR)
    programs = rows_of(api.get("resources", href="DemandResponseProgramList"), "items")
    assert [one["resource"]["primacy"] for one in programs] == [7]  # type: ignore[index,call-overload]
    told(op, capsys, "message", "send", "feeder-7", "hello", "--primacy", "3", "--locale", "en-AU", *HOUR)
    held = rows_of(api.get("resources", href="MessagingProgramList"), "items")[0]["resource"]
    assert isinstance(held, dict)
    assert (held["primacy"], held["locale"]) == (3, "en-AU")


def test_of_several_programs_one_has_to_be_named(op: Op, capsys: Capture, api: OperatorClient) -> None:
    for name in ("a", "b"):
        body = {"primacy": 5, "description": name}
        api.call("POST", ("resources",), body, query={"href": "/dr", "group": "feeder-7"})
    words = ("drlc", "publish", "feeder-7", "--category", "sauna", "--duty", "10%", *HOUR)
    assert "program: group feeder-7 has several" in refused(op, capsys, *words)
    assert told(op, capsys, *words, "--program", "b")["group"] == "feeder-7"
    assert "has no DemandResponseProgram c" in refused(op, capsys, *words, "--program", "c", code=1)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--category", "sauna"), "what is asked for?"),
        (("--category", "toaster", "--duty", "50%"), "deviceCategory: 'toaster' is no category"),
        (("--category", "0102030405", "--duty", "50%"), "deviceCategory: '0102030405' is too long"),
        (("--category", "sauna", "--duty", "101%"), "DutyCycle.normalValue: 101"),
        (("--category", "sauna", "--duty", "half"), "DutyCycle.normalValue: 'half' cannot be read"),
        (("--category", "sauna", "--cooling", "26.123"), "SetPoint.coolingSetpoint"),
        (("--category", "sauna", "--cooling-offset", "30"), "Offset"),
        (("--category", "sauna", "--target", "3 horses"), "--target 3 horses"),
        (("--category", "sauna", "--duty", "50%", "--override", "20h"), "overrideDuration"),
        (("--category", "sauna", "--duty", "50%", "--randomize-start", "4000"), "randomizeStart"),
        (("--category", "sauna", "--duty", "50%", "--responses", "08"), "responseRequired"),
        (("--category", "sauna", "--duty", "50%", "--at", "yesterday"), "start: 'yesterday'"),
    ],
)
def test_a_load_control_that_cannot_be_is_refused(
    op: Op, capsys: Capture, api: OperatorClient, words: tuple[str, ...], error: str
) -> None:
    assert error in refused(op, capsys, "drlc", "publish", "feeder-7", *words, *HOUR)
    assert states(api, "loadcontrols") == []


def test_a_newer_load_control_of_the_same_devices_supersedes(
    op: Op, capsys: Capture, api: OperatorClient, clock: ManualClock
) -> None:
    """By the rules of DER controls: same program, same category, overlapping. 10.2.3."""
    words = ("drlc", "publish", "feeder-7", "--duty", "50%", *HOUR)
    told(op, capsys, *words, "--category", "sauna")
    told(op, capsys, *words, "--category", "pool-pump")
    clock.advance(1)
    told(op, capsys, *words, "--category", "sauna", "--in", "60s")
    assert sorted(map(str, states(api, "loadcontrols"))) == ["active", "active", "scheduled"]
    clock.advance(60)
    assert sorted(map(str, states(api, "loadcontrols"))) == ["active", "active", "superseded"]
    assert op("drlc", "list", "feeder-7", "--state", "superseded") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_load_control_is_cancelled_and_answered(
    op: Op, capsys: Capture, device_request: DeviceRequest
) -> None:
    made = told(op, capsys, "drlc", "publish", "feeder-7", "--category", "sauna", "--duty", "5%", *HOUR)
    mrid = str(made["mRID"])
    event = Codec().decode(device_request("GET", str(made["href"])).body, EndDeviceControl)
    answer = DrResponse(createdDateTime=NOW, endDeviceLFDI=LFDI, status=2, subject=mrid)
    assert device_request("POST", str(event.replyTo), answer).status == 201
    assert told(op, capsys, "drlc", "show", mrid)["responses"] == {"2": 1}
    assert op("drlc", "responses", mrid) == 0
    assert "north        2  started" in capsys.readouterr().out
    assert told(op, capsys, "drlc", "cancel", mrid, "--reason", "storm is over")["status"] == "cancelled"
    seen = Codec().decode(device_request("GET", str(made["href"])).body, EndDeviceControl).EventStatus_
    assert (seen.currentStatus, seen.reason) == (2, "storm is over")
    assert "no event has the mRID" in refused(op, capsys, "drlc", "show", "AB" * 16, code=1)


@pytest.mark.parametrize(("word", "number"), [("low", 0), ("normal", 1), ("high", 2), ("critical", 3)])
def test_a_message_has_its_priority(
    op: Op, capsys: Capture, device_request: DeviceRequest, word: str, number: int
) -> None:
    words = ("message", "send", "feeder-7", "Storm & wind at noon", "--priority", word, "--from", "grid")
    told(op, capsys, *words, *HOUR)
    program = Codec().decode(device_request("GET", "/msg?l=9").body, MessagingProgramList)
    link = program.MessagingProgram_[0].ActiveTextMessageListLink_
    assert link is not None
    page = Codec().decode(device_request("GET", f"{link.href}?l=9").body, TextMessageList)
    (text,) = page.TextMessage_
    assert (text.priority, text.textMessage, text.originator) == (number, "Storm & wind at noon", "grid")


def test_messages_are_never_superseded(
    op: Op, capsys: Capture, api: OperatorClient, clock: ManualClock
) -> None:
    """IEEE 2030.5-2018, 10.6: 4 (superseded) is not for a TextMessage."""
    for text in ("one", "two"):
        told(op, capsys, "message", "send", "feeder-7", text, *HOUR)
        clock.advance(60)
    assert states(api, "messages") == ["active", "active"]
    assert op("message", "list", "feeder-7") == 0
    assert [line.split()[-2] for line in capsys.readouterr().out.splitlines()[1:]] == ["two", "one"]
    clock.advance(3600)
    assert states(api, "messages") == []


def test_a_message_is_acknowledged_and_cancelled(
    op: Op, capsys: Capture, device_request: DeviceRequest
) -> None:
    made = told(op, capsys, "message", "send", "feeder-7", "hello", "--responses", "07", *HOUR)
    held, mrid = made["resource"], str(made["mRID"])
    assert isinstance(held, dict)
    answer = TextResponse(createdDateTime=NOW, endDeviceLFDI=LFDI, status=11, subject=mrid)
    assert device_request("POST", str(held["replyTo"]), answer).status == 201
    assert told(op, capsys, "message", "show", mrid)["responses"] == {"11": 1}
    assert told(op, capsys, "message", "cancel", mrid)["status"] == "cancelled"


@pytest.mark.parametrize(
    ("words", "error"),
    [((" ",), "textMessage"), (("x", "--from", "a" * 21), "originator"), (("x", "--at", "1"), "start")],
)
def test_a_message_that_cannot_be_is_refused(
    op: Op, capsys: Capture, api: OperatorClient, words: tuple[str, ...], error: str
) -> None:
    code = 1 if error == "start" else 2
    assert error in refused(op, capsys, "message", "send", "feeder-7", *words, *HOUR, code=code)
    assert states(api, "messages") == []


def tariff(op: Op, capsys: Capture, *words: str) -> str:
    return str(told(op, capsys, "tariff", "add", "feeder-7", "--currency", "978", *words)["mRID"])


def component(op: Op, capsys: Capture, *words: str) -> str:
    return str(told(op, capsys, "tariff", "component", tariff(op, capsys), *words)["mRID"])


def test_a_tariff_with_blocks_is_what_a_device_pays(
    op: Op, capsys: Capture, device_request: DeviceRequest
) -> None:
    part = component(op, capsys, "--flow", "forward")
    words = ("100=0.40", "0=0.3", "250=-0.05", "--tier", "2")
    made = told(op, capsys, "tariff", "interval", part, *words, *HOUR)
    assert made["prices"] == [
        {"startValue": 0, "consumptionBlock": 1, "price": "0.3"},
        {"startValue": 100, "consumptionBlock": 2, "price": "0.4"},
        {"startValue": 250, "consumptionBlock": 3, "price": "-0.05"},
    ]
    seen = Codec().decode(device_request("GET", str(made["href"])).body, TimeTariffInterval)
    assert (seen.touTier, seen.EventStatus_.currentStatus) == (2, 1)
    link = seen.ConsumptionTariffIntervalListLink_
    assert link is not None
    page = Codec().decode(device_request("GET", f"{link.href}?l=9").body, ConsumptionTariffIntervalList)
    blocks = [(b.consumptionBlock, b.startValue, b.price) for b in page.ConsumptionTariffInterval_]
    assert blocks == [(1, 0, 3000), (2, 100, 4000), (3, 250, -500)]
    added = told(op, capsys, "tariff", "block", str(made["mRID"]), "500=0.0001")
    assert rows_of(added, "prices")[-1] == {"startValue": 500, "consumptionBlock": 4, "price": "0.0001"}


def test_tariffs_are_listed_with_components_and_prices(op: Op, capsys: Capture) -> None:
    part = component(
        op, capsys, "--flow", "reverse", "--uom", "72", "--unit-power", "3", "--description", "solar"
    )
    told(op, capsys, "tariff", "interval", part, "0.08", *HOUR)
    assert op("tariff", "list", "feeder-7") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["tariff", "component", "interval"]
    assert "flowDirection 19" in lines[2]
    assert "0.08 from 0" in lines[3]
    assert op("tariff", "list", "feeder-7", "--state", "scheduled") == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_newer_interval_of_a_component_supersedes(
    op: Op, capsys: Capture, api: OperatorClient, clock: ManualClock
) -> None:
    part = component(op, capsys)
    told(op, capsys, "tariff", "interval", part, "0.30", *HOUR)
    clock.advance(1)
    newer = told(op, capsys, "tariff", "interval", part, "0.90", "--for", "10m")
    found = rows_of(api.get("groups", "feeder-7", "tariffs"), "tariffs")
    intervals = rows_of(rows_of(found[0], "RateComponent")[0], "intervals")
    assert [one["status"] for one in intervals] == ["superseded", "active"]
    assert told(op, capsys, "tariff", "cancel", str(newer["mRID"]))["status"] == "cancelled"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("0.30001",), "price: 0.30001 cannot stand on the wire"),
        (("cheap",), "price: 'cheap' cannot be read"),
        (("300000",), "price: 300000 cannot stand on the wire"),
        (("100=0.3",), "the first block begins at 100"),
        (("0.3", "0=0.4"), "two blocks begin at the same value"),
        (("from0=0.4",), "'from0' is no whole number"),
        (("0.3", "--tier", "16"), "touTier"),
    ],
)
def test_prices_that_cannot_be_are_refused(
    op: Op, capsys: Capture, api: OperatorClient, words: tuple[str, ...], error: str
) -> None:
    part = component(op, capsys)
    assert error in refused(op, capsys, "tariff", "interval", part, *words, *HOUR)
    found = rows_of(api.get("groups", "feeder-7", "tariffs"), "tariffs")
    assert rows_of(found[0], "RateComponent")[0]["intervals"] == []


def test_a_tariff_is_removed_when_it_is_over_or_by_force(
    op: Op, capsys: Capture, api: OperatorClient, clock: ManualClock
) -> None:
    whole = tariff(op, capsys)
    part = str(told(op, capsys, "tariff", "component", whole)["mRID"])
    told(op, capsys, "tariff", "interval", part, "0.3", *HOUR)
    for words in (("remove-component", part), ("remove", whole)):
        assert "is scheduled or active" in refused(op, capsys, "tariff", *words, code=1)
    assert op("tariff", "remove-component", part, "--force") == 0
    part = str(told(op, capsys, "tariff", "component", whole)["mRID"])
    told(op, capsys, "tariff", "interval", part, "0.3", *HOUR)
    clock.advance(3601)
    assert op("tariff", "remove", whole) == 0
    assert api.get("groups", "feeder-7", "tariffs")["tariffs"] == []


def ask(device_request: DeviceRequest, mrid: str, lfdi: str = LFDI) -> str:
    """A device asks for 20 kWh at 11 kW, some time in the hour that begins in 10 minutes; its URI."""
    wanted = FlowReservationRequest(
        mRID=mrid,
        creationTime=NOW,
        durationRequested=1800,
        energyRequested=SignedRealEnergy(multiplier=3, value=20),
        intervalRequested=DateTimeInterval(start=NOW + 600, duration=3600),
        powerRequested=ActivePower(multiplier=3, value=11),
        RequestStatus_=RequestStatus(dateTime=NOW, requestStatus=0),
    )
    listed = device_request("GET", "/edev", lfdi=lfdi).body.decode()
    found = re.search(r'FlowReservationRequestListLink href="([^"]*)"', listed)
    assert found is not None
    answer = device_request("POST", found[1], wanted, lfdi=lfdi)
    assert answer.status == 201
    return dict(answer.headers)["Location"]


def granted(device_request: DeviceRequest) -> FlowReservationResponseList:
    listed = device_request("GET", "/edev").body.decode()
    found = re.search(r'FlowReservationResponseListLink href="([^"]*)"', listed)
    assert found is not None
    return Codec().decode(device_request("GET", f"{found[1]}?l=9").body, FlowReservationResponseList)


def test_requests_are_listed_in_natural_units(op: Op, capsys: Capture, device_request: DeviceRequest) -> None:
    ask(device_request, "F1")
    assert op("flow", "list", "--open") == 0
    header, line = capsys.readouterr().out.splitlines()
    assert header.split() == ["device", "status", "energy", "power", "start", "duration", "answer", "mRID"]
    assert line.split()[:6] == ["north", "requested", "20000", "Wh", "11000", "W"]
    assert op("flow", "list", "north") == 0
    assert capsys.readouterr().out.splitlines() == [header, line]


@pytest.mark.parametrize(
    ("words", "wire"),
    [
        ((), (20_000, 11_000, 600, 1800)),
        (("--energy", "10kWh", "--power", "5.5kW"), (10_000, 5_500, 600, 1800)),
        (("--in", "20m", "--for", "30m"), (20_000, 11_000, 1200, 1800)),
        (("--energy", "0Wh"), (0, 11_000, 600, 1800)),
    ],
)
def test_a_request_is_granted_as_asked_for_or_with_less(
    op: Op, capsys: Capture, device_request: DeviceRequest, words: tuple[str, ...], wire: tuple[int, ...]
) -> None:
    ask(device_request, "F1")
    assert op("flow", "grant", "F1", *words) == 0
    (event,) = granted(device_request).FlowReservationResponse_
    energy, power = event.energyAvailable, event.powerAvailable
    assert (
        energy.value * 10**energy.multiplier,
        power.value * 10**power.multiplier,
        event.interval.start - NOW,
        event.interval.duration,
    ) == wire
    assert (event.subject, event.EventStatus_.currentStatus) == ("F1", 0)
    capsys.readouterr()
    assert told(op, capsys, "flow", "list", "--open")["requests"] == []


@pytest.mark.parametrize(
    ("now", "words", "wire"),
    [
        (700, (), (700, 1800)),
        (3000, (), (3000, 1200)),
        (4199, (), (4199, 1)),
        (700, ("--for", "60s"), (700, 60)),
        (3000, ("--in", "10m", "--for", "600s"), (3600, 600)),
    ],
)
def test_what_is_granted_late_holds_from_now_on(
    op: Op,
    device_request: DeviceRequest,
    clock: ManualClock,
    now: int,
    words: tuple[str, ...],
    wire: tuple[int, int],
) -> None:
    ask(device_request, "F1")
    clock.set(NOW + now)
    assert op("flow", "grant", "F1", *words) == 0
    (event,) = granted(device_request).FlowReservationResponse_
    assert (event.interval.start - NOW, event.interval.duration) == wire
    assert event.EventStatus_.currentStatus == (1 if wire[0] == now else 0)


@pytest.mark.parametrize("now", [4200, 4300])
@pytest.mark.parametrize("words", [(), ("--in", "1m")])
def test_what_is_over_is_not_granted(
    op: Op,
    capsys: Capture,
    device_request: DeviceRequest,
    clock: ManualClock,
    now: int,
    words: tuple[str, ...],
) -> None:
    ask(device_request, "F1")
    clock.set(NOW + now)
    assert "the time that is asked for ended" in refused(op, capsys, "flow", "grant", "F1", *words, code=1)
    assert granted(device_request).all == 0


def test_a_request_is_declined_by_an_event_of_nothing(
    op: Op, capsys: Capture, device_request: DeviceRequest
) -> None:
    ask(device_request, "F1")
    assert op("flow", "decline", "F1") == 0
    (event,) = granted(device_request).FlowReservationResponse_
    assert (event.energyAvailable.value, event.powerAvailable.value) == (0, 0)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--energy", "21kWh"), "energyAvailable: it is not within"),
        (("--energy=-1kWh",), "energyAvailable: it is not within"),
        (("--power", "12kW"), "powerAvailable: it is not within"),
        (("--power", "5 apples"), "powerAvailable"),
        (("--in", "5m"), "outside the time that is asked for"),
        (("--for", "2h"), "outside the time that is asked for"),
    ],
)
def test_more_than_is_asked_for_is_not_granted(
    op: Op, capsys: Capture, device_request: DeviceRequest, words: tuple[str, ...], error: str
) -> None:
    ask(device_request, "F1")
    assert error in refused(op, capsys, "flow", "grant", "F1", *words)
    assert granted(device_request).all == 0


def test_a_grant_is_cancelled_and_given_anew(
    op: Op, capsys: Capture, device_request: DeviceRequest, clock: ManualClock
) -> None:
    ask(device_request, "F1")
    assert op("flow", "grant", "F1") == 0
    assert "it is answered already" in refused(op, capsys, "flow", "grant", "F1", code=1)
    first = str(granted(device_request).FlowReservationResponse_[0].mRID)
    assert op("flow", "cancel", first) == 0
    clock.advance(1)
    assert op("flow", "grant", "F1", "--power", "3kW") == 0
    assert [e.EventStatus_.currentStatus for e in granted(device_request).FlowReservationResponse_] == [0, 2]


def test_two_devices_may_use_the_same_mrid(op: Op, capsys: Capture, device_request: DeviceRequest) -> None:
    assert op("enrol", "south", "--lfdi", OTHER, "--pin", "111115") == 0
    ask(device_request, "F1")
    ask(device_request, "F1", OTHER)
    assert "device: several devices" in refused(op, capsys, "flow", "grant", "F1")
    assert op("flow", "grant", "F1", "--device", "south") == 0
    assert granted(device_request).all == 0
    assert refused(op, capsys, "flow", "grant", "F2", code=1).startswith("error: no request has the mRID")


def test_the_list_of_requests_goes_on_behind_a_place(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    for number in range(3):
        ask(device_request, f"F{number}00")
    first = api.get("flows", limit=2)
    rest = api.get("flows", limit=2, after=str(first["next"]))
    found = [one["mRID"] for answer in (first, rest) for one in rows_of(answer, "requests")]
    assert (found, rest["next"]) == (["F000", "F100", "F200"], None)
    with pytest.raises(ApiError):
        api.get("flows", open="maybe")


@pytest.mark.parametrize("which", [("--group", "feeder-7"), ("--device", "north"), ("--all",)])
def test_all_open_events_of_a_kind_are_cancelled_together(
    op: Op, capsys: Capture, api: OperatorClient, clock: ManualClock, which: tuple[str, ...]
) -> None:
    part = component(op, capsys)
    for words in (("0.3", "--for", "10m"), ("0.4", "--in", "1h", *HOUR), ("0.5", "--in", "3h", *HOUR)):
        told(op, capsys, "tariff", "interval", part, *words)
    told(op, capsys, "message", "send", "feeder-7", "stays", "--for", "4h")
    clock.advance(700)
    assert told(op, capsys, "tariff", "cancel", *which, "--reason", "error")["cancelled"] == 2
    found = rows_of(api.get("groups", "feeder-7", "tariffs"), "tariffs")
    intervals = rows_of(rows_of(found[0], "RateComponent")[0], "intervals")
    assert [one["status"] for one in intervals] == ["cancelled", "cancelled"]
    assert states(api, "messages") == ["active"]
    assert told(op, capsys, "tariff", "cancel", *which)["cancelled"] == 0


def test_events_of_a_group_without_the_device_stay(op: Op, capsys: Capture, api: OperatorClient) -> None:
    assert op("group", "create", "other", "--primacy", "3") == 0
    for group in ("feeder-7", "other"):
        words = ("--category", "sauna", "--duty", "5%", *HOUR)
        told(op, capsys, "drlc", "publish", group, *words)
    assert told(op, capsys, "drlc", "cancel", "--device", "north")["cancelled"] == 1
    assert states(api, "loadcontrols") == ["cancelled"]
    assert [one["status"] for one in rows_of(api.get("groups", "other", "loadcontrols"), "events")] == [
        "active"
    ]


def test_one_event_or_many_has_to_be_said(op: Op, api: OperatorClient) -> None:
    for words in ((), ("--group", "feeder-7", "--all")):
        with pytest.raises(SystemExit):
            op("drlc", "cancel", *words)
    with pytest.raises(ApiError, match="which events"):
        api.call("POST", ("events", "cancel"), {"kind": "TextMessage"})
