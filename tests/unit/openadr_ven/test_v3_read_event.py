"""Events of 3.x are read into the neutral model. OpenADR 3.0.1; OpenADR 3.1.0."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from openadr_ven.events import (
    Enrolment,
    Interval,
    Point,
    Ports,
    Profile,
    Randomization,
    Resource,
    Snapshot,
    State,
    Target,
    Unit,
    Value,
    receive,
    uniform,
)
from openadr_ven.events.planning import plan_of
from openadr_ven.events.signals import PAYLOADS_3
from openadr_ven.v3.leniency import Leniency, Notes
from openadr_ven.v3.read_objects import read_program
from openadr_ven.v3.version import Version
from tests.unit.openadr_ven.v3_builder import BOTH, HOUR, START, T0, event_json, interval, read, stamped

UNITS = {
    "SIMPLE": None,
    "CHARGE_STATE_SETPOINT": "KWH",
    "DISPATCH_SETPOINT": "KW",
    "DISPATCH_SETPOINT_RELATIVE": "KW",
    "IMPORT_CAPACITY_SUBSCRIPTION": "KW",
    "EXPORT_CAPACITY_SUBSCRIPTION": "KW",
    "IMPORT_CAPACITY_RESERVATION": "KW",
    "EXPORT_CAPACITY_RESERVATION": "KW",
    "IMPORT_CAPACITY_AVAILABLE": "KW",
    "EXPORT_CAPACITY_AVAILABLE": "KW",
    "IMPORT_CAPACITY_LIMIT": "KW",
    "EXPORT_CAPACITY_LIMIT": "KW",
}
TEXTS = ("ALERT_", "DISPATCH_INSTRUCTION", "CTA2045")
VEN = Enrolment(ven_id="ven-1", resources=(Resource(name="battery"),))


def value_for(kind: str) -> object:
    if kind == "CURVE":
        return {"x": 0.9, "y": 0.1}
    return "text" if kind.startswith(TEXTS) else 1


@pytest.mark.parametrize("kind", sorted(PAYLOADS_3))
@pytest.mark.parametrize("version", BOTH)
def test_every_payload_type_becomes_a_signal_that_the_machine_takes(kind: str, version: Version) -> None:
    descriptor = {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": kind, "units": UNITS.get(kind)}
    found = read(
        event_json(interval(0, kind, value_for(kind)), payloadDescriptors=[descriptor]), version
    ).event

    step = receive(State(), Snapshot(events=(found,), is_full=True), T0 - HOUR, ports())

    plan = plan_of(step.state, "event-1", T0 - HOUR)
    assert plan is not None, step.changes
    assert [one.signal.signalName for one in plan.dispatches] == [kind]
    assert found.profile is Profile(version.value)


def ports() -> Ports:
    return Ports(enrolment=VEN, draw=uniform(lambda: 0.5))


@pytest.mark.parametrize(
    ("kind", "units", "currency", "value", "unit", "plain"),
    [
        ("DISPATCH_SETPOINT", "KW", None, -1.5, Unit.W, Decimal(-1500)),
        ("CONTROL_SETPOINT", "KVAR", None, 2, Unit.VAR, Decimal(2000)),
        ("CONTROL_SETPOINT", "KVA", None, 2, Unit.VA, Decimal(2000)),
        ("CHARGE_STATE_SETPOINT", "KWH", None, 0.5, Unit.WH, Decimal(500)),
        ("CONTROL_SETPOINT", "KVAH", None, 1, Unit.VAH, Decimal(1000)),
        ("CONTROL_SETPOINT", "KVARH", None, 1, Unit.VARH, Decimal(1000)),
        ("CHARGE_STATE_SETPOINT", "PERCENT", None, 0.5, Unit.SHARE, Decimal("0.5")),
        ("CONTROL_SETPOINT", "CELSIUS", None, 21, Unit.CELSIUS, Decimal(21)),
        ("CONTROL_SETPOINT", "FAHRENHEIT", None, 70, Unit.FAHRENHEIT, Decimal(70)),
        ("CONTROL_SETPOINT", "VOLTS", None, 230, Unit.V, Decimal(230)),
        ("CONTROL_SETPOINT", "AMPS", None, 16, Unit.A, Decimal(16)),
        ("CONTROL_SETPOINT", "THERMS", None, 2, Unit.THERM, Decimal(2)),
        ("GHG", "GHG", None, 300, Unit.GHG, Decimal(300)),
        ("PRICE", "KWH", "USD", 0.17, Unit.CURRENCY_PER_KWH, Decimal("0.17")),
        ("PRICE", "KW", "USD", 7, Unit.CURRENCY_PER_KW, Decimal(7)),
        ("PRICE", "THERMS", "USD", 7, Unit.CURRENCY_PER_THERM, Decimal(7)),
        ("IMPORT_CAPACITY_RESERVATION_FEE", None, "USD", 7, Unit.CURRENCY, Decimal(7)),
        ("PRICE", "FURLONGS", None, 7, Unit.UNKNOWN, Decimal(7)),
    ],
)
def test_unit_and_currency_come_from_the_descriptor(
    kind: str, units: str | None, currency: str | None, value: float, unit: Unit, plain: Decimal
) -> None:
    descriptor = {"payloadType": kind, "units": units, "currency": currency}
    found = event_json(interval(0, kind, value), payloadDescriptors=[descriptor])

    (signal,) = read(found).event.signals

    assert (signal.unit, signal.currency, signal.intervals[0].values) == (unit, currency, (plain,))


@pytest.mark.parametrize(("own", "watts"), [([], 2000), ([{"payloadType": "DISPATCH_SETPOINT"}], 2)])
def test_descriptor_of_the_event_wins_over_that_of_its_program(own: list[Any], watts: int) -> None:
    kw = {"payloadType": "DISPATCH_SETPOINT", "units": "KW"}
    program = read_program(stamped("PROGRAM", payloadDescriptors=[kw]), Version.V310, Notes())
    found = event_json(interval(0, "DISPATCH_SETPOINT", 2), payloadDescriptors=own)

    event = read(found, programs={"program-1": program}).event

    assert event.signals[0].intervals[0].values == (Decimal(watts),)


def test_period_of_the_event_is_the_default_and_that_of_an_interval_wins() -> None:
    rows = (interval(0), interval(1, "SIMPLE", 2, duration="PT2H"), interval(2))

    event = read(event_json(*rows)).event

    assert event.signals[0].intervals == (
        Interval(uid=0, duration_s=HOUR, values=(Decimal(1),)),
        Interval(uid=1, duration_s=2 * HOUR, values=(Decimal(2),)),
        Interval(uid=2, duration_s=HOUR, values=(Decimal(1),)),
    )
    assert (event.start, event.duration_s) == (T0, 4 * HOUR)


def test_start_of_an_interval_wins_and_the_event_begins_with_the_earliest() -> None:
    rows = (interval(0), interval(1, "SIMPLE", 2, start="2025-05-31T22:00:00Z", duration="PT1H"))

    event = read(event_json(*rows)).event

    assert event.start == T0 - 2 * HOUR
    assert [one.start for one in event.signals[0].intervals] == [T0, T0 - 2 * HOUR]


@pytest.mark.parametrize("text", ["0001-01-01", "0001-01-01T00:00:00", "0000-00-00", "0001-01-01T00:00:00Z"])
def test_start_0001_is_now(text: str) -> None:
    event = read(event_json(intervalPeriod={"start": text, "duration": "PT1H"})).event

    assert (event.start, event.duration_s) == (None, HOUR)


def test_start_0001_of_a_later_interval_follows_the_previous_one() -> None:
    rows = (interval(0), interval(1, "SIMPLE", 2, start="0001-01-01", duration="PT1H"))

    event = read(event_json(*rows)).event

    assert [one.start for one in event.signals[0].intervals] == [None, None]


@pytest.mark.parametrize("text", ["P9999Y", "P9999Y0M0DT0H0M0S"])
def test_duration_p9999y_has_no_end(text: str) -> None:
    event = read(event_json(intervalPeriod={"start": START, "duration": text})).event

    assert event.duration_s is None
    assert event.signals[0].intervals[0].duration_s is None


@pytest.mark.parametrize(("text", "length_s"), [("PT3H", 3 * HOUR), ("PT30M", 1800), ("PT0S", HOUR)])
def test_duration_of_the_event_loops_or_cuts_and_pt0s_is_the_default_of_the_schema(
    text: str, length_s: int
) -> None:
    assert read(event_json(duration=text)).event.duration_s == length_s


def test_start_now_without_length_takes_the_event_back() -> None:
    first = receive(State(), Snapshot(events=(read(event_json()).event,), is_full=True), T0 + 5, ports())
    later = event_json(
        intervalPeriod={"start": "0001-01-01", "duration": "PT0S"},
        modificationDateTime="2025-06-01T00:00:10Z",
    )

    step = receive(first.state, Snapshot(events=(read(later).event,), is_full=True), T0 + 20, ports())

    assert plan_of(step.state, "event-1", T0 + 20) is None


@pytest.mark.parametrize(
    ("where", "own"),
    [("event", None), ("interval", Randomization(early_s=300, late_s=300))],
)
def test_randomize_start_goes_both_ways(where: str, own: Randomization | None) -> None:
    period = {"start": START, "duration": "PT1H", "randomizeStart": "PT5M"}
    plain = {"start": START, "duration": "PT1H"}
    rows = interval() if where == "event" else interval(0, "SIMPLE", 1, **period)

    event = read(event_json(rows, intervalPeriod=period if where == "event" else plain)).event

    window = Randomization(early_s=300, late_s=300)
    assert event.randomization == (window if where == "event" else Randomization())
    assert event.signals[0].intervals[0].randomization == own


@pytest.mark.parametrize("priority", [0, 3, None])
def test_priority_is_as_on_the_wire(priority: int | None) -> None:
    assert read(event_json(priority=priority)).event.priority == priority


@pytest.mark.parametrize(
    ("version", "targets", "expected"),
    [
        (Version.V310, ["group-1", "ven-1"], [("", "group-1"), ("", "ven-1")]),
        (Version.V301, [{"type": "GROUP", "values": ["a", "b"]}], [("GROUP", "a"), ("GROUP", "b")]),
        (
            Version.V301,
            [{"type": "VEN_NAME", "values": ["v"]}, {"type": "RESOURCE_NAME", "values": ["r"]}],
            [("VEN_NAME", "v"), ("RESOURCE_NAME", "r")],
        ),
    ],
)
def test_targets_of_both_versions(
    version: Version, targets: list[Any], expected: list[tuple[str, str]]
) -> None:
    found = read(event_json(targets=targets), version).event.targets

    assert found == tuple(Target(kind=kind, value=value) for kind, value in expected)


def test_several_values_stay_together_as_equal_parts_of_their_interval() -> None:
    event = read(event_json(interval(7, "PRICE", 0.5, 1, 2))).event

    assert event.signals[0].intervals[0].uid == 7
    assert event.signals[0].intervals[0].values == (Decimal("0.5"), Decimal(1), Decimal(2))


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("ALERT_FIRE", "leave", "leave"),
        ("x-flag", True, True),
        ("CURVE", {"x": 1, "y": 2}, Point(x=Decimal(1), y=Decimal(2))),
        ("x-number", "7", "7"),
    ],
)
def test_values_of_every_form(kind: str, value: object, expected: Value) -> None:
    assert read(event_json(interval(0, kind, value))).event.signals[0].intervals[0].values == (expected,)


def test_interval_without_a_payload_type_leaves_a_gap_in_that_signal() -> None:
    rows = (interval(0), interval(1, "PRICE", 5), interval(2))

    event = read(event_json(*rows)).event

    simple, price = event.signals
    assert [(one.uid, one.start) for one in simple.intervals] == [(0, None), (2, T0 + 2 * HOUR)]
    assert [(one.uid, one.start) for one in price.intervals] == [(1, T0 + HOUR)]


def test_gap_in_an_event_that_starts_now_is_counted_from_when_it_was_read() -> None:
    rows = (interval(0), interval(1, "PRICE", 5))

    event = read(event_json(*rows, intervalPeriod={"start": "0001-01-01", "duration": "PT1H"})).event

    assert event.start is None
    assert event.signals[1].intervals[0].start == T0


@pytest.mark.parametrize("period", [None, {"start": "0001-01-01", "duration": "PT0H"}])
def test_event_without_intervals_only_asks_for_reports_and_is_not_taken_back(period: object) -> None:
    asking = [{"payloadType": "USAGE"}]

    found = read(event_json(intervalPeriod=period, intervals=[], reportDescriptors=asking))

    assert found.event.signals == ()
    assert found.event.duration_s is None
    assert [one.payloadType for one in found.reportDescriptors] == ["USAGE"]


def test_modification_is_the_time_of_the_modification_in_microseconds() -> None:
    found = event_json(modificationDateTime="2025-06-01T00:00:00.25Z")

    assert read(found).event.modification == T0 * 1_000_000 + 250_000


BROKEN: dict[str, dict[str, Any]] = {
    "interval is no object": {"intervals": [7]},
    "start is no time": {"intervalPeriod": {"start": "soon"}},
    "duration is no duration": {"intervalPeriod": {"start": START, "duration": "1 hour"}},
    "duration is beyond bounds": {"intervalPeriod": {"start": START, "duration": f"PT{10**15}S"}},
    "window without end": {"intervalPeriod": {"start": START, "randomizeStart": "P9999Y"}},
    "priority is negative": {"priority": -1},
    "priority is no number": {"priority": "high"},
    "priority is huge": {"priority": 2**40},
    "payload without type": {"intervals": [{"id": 0, "payloads": [{"values": [1]}]}]},
    "payload twice": {"intervals": [{"id": 0, "payloads": [{"type": "A", "values": []}] * 2}]},
    "value is a list": {"intervals": [interval(0, "SIMPLE", [1])]},
    "value is null": {"intervals": [interval(0, "SIMPLE", None)]},
    "point without y": {"intervals": [interval(0, "CURVE", {"x": 1})]},
    "target is a number": {"targets": [7]},
    "interval id is text": {"intervals": [interval("first")]},  # type: ignore[arg-type]
    "start before all events": {"intervalPeriod": {"start": "0001-01-02T00:00:00Z", "duration": "PT1H"}},
    "interval behind the year 9999": {
        "intervals": [interval(0, "SIMPLE", 1, duration="P9000Y"), interval(1)],
    },
    "more types than there are": {"intervals": [interval(n, f"x-{n}", 1) for n in range(200)]},
    "target that no encoding has": {"targets": ["\ud800"]},
    "name that no encoding has": {"eventName": "\ud800"},
    "gap in a loop": {"duration": "PT9H", "intervals": [interval(0), interval(1, "PRICE", 5)]},
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_broken_event_has_a_flaw_and_is_refused(name: str) -> None:
    event = read(event_json(**BROKEN[name])).event

    step = receive(State(), Snapshot(events=(event,), is_full=True), T0, ports())

    assert event.flaw
    assert event.eventID == "event-1"
    assert [change.code for change in step.changes] == [454]
    assert plan_of(step.state, "event-1", T0) is None


LENIENT: dict[Leniency, dict[str, Any]] = {
    Leniency.KEY_CASE: {"reportDescriptors": [{"payLoadType": "USAGE"}]},
    Leniency.OBJECT_TYPE: {"objectType": None},
    Leniency.NUMBER_AS_TEXT: {"intervals": [interval(0, "SIMPLE", "1")]},
    Leniency.ID_AS_NUMBER: {"programID": 7},
    Leniency.ONE_FOR_LIST: {"intervals": [{"id": 0, "payloads": [{"type": "SIMPLE", "values": 1}]}]},
    Leniency.TARGET_FORM: {"targets": [{"type": "GROUP", "values": ["a"]}]},
    Leniency.DESCRIPTOR_LEFT_OUT: {"payloadDescriptors": [{"units": "KW"}]},
    Leniency.UNIT_CASE: {"payloadDescriptors": [{"payloadType": "OTHER", "units": "kW"}]},
    Leniency.CURRENCY_IN_UNITS: {"payloadDescriptors": [{"payloadType": "PRICE", "units": "USD"}]},
    Leniency.TIME_WITH_SPACE: {"intervalPeriod": {"start": "2025-06-01 00:00:00Z", "duration": "PT1H"}},
    Leniency.TIME_WITHOUT_ZONE: {"intervalPeriod": {"start": "2025-06-01T00:00:00", "duration": "PT1H"}},
    Leniency.NO_MODIFICATION: {"modificationDateTime": "12:22:12"},
    Leniency.NO_CREATED: {"createdDateTime": None},
    Leniency.NO_INTERVAL_ID: {"intervals": [{"payloads": [{"type": "SIMPLE", "values": [1]}]}]},
    Leniency.SAME_INTERVAL_ID: {"intervals": [interval(0, "SIMPLE", 1), interval(0, "SIMPLE", 2)]},
    Leniency.NO_DURATION: {"intervalPeriod": {"start": START}},
    Leniency.PROGRAM_UNKNOWN: {},
}


@pytest.mark.parametrize("rule", LENIENT)
def test_what_a_rule_of_leniency_allows_is_read_and_noted(rule: Leniency) -> None:
    notes = Notes()

    event = read(event_json(**LENIENT[rule]), notes=notes).event

    assert event.flaw is None
    assert rule in notes.rules
    assert event.start == T0
    assert event.signals[0].intervals[0].values == (Decimal(1),)


def test_intervals_of_one_id_are_told_apart() -> None:
    """Each has its own window, its own draw and its own slot in reports."""
    found = read(
        event_json(
            *(interval(number, "SIMPLE", index) for index, number in enumerate((0, 0, 1, 0))),
            {"payloads": [{"type": "SIMPLE", "values": [4]}]},
        )
    )
    held = found.event.signals[0].intervals
    assert [(one.uid, one.values) for one in held] == [
        (uid, (Decimal(value),)) for value, uid in enumerate((0, 2, 1, 3, 4))
    ]


def test_every_rule_of_leniency_has_a_test() -> None:
    elsewhere = {Leniency.NO_INTERVALS, Leniency.OPERATION_WORD}

    assert set(LENIENT) | elsewhere == set(Leniency)


def test_event_of_301_without_intervals_is_noted() -> None:
    notes = Notes()

    read(event_json(intervals=[]), Version.V301, notes)

    assert Leniency.NO_INTERVALS in notes.rules


def test_plain_event_needs_no_leniency() -> None:
    notes = Notes()
    program = read_program(stamped("PROGRAM", programName="p"), Version.V310, notes)

    read(event_json(), notes=notes, programs={"program-1": program})

    assert notes.rules == frozenset()


def test_every_published_example_is_read(vectors: Path) -> None:
    files = sorted((vectors / "openadr" / "v310" / "examples").glob("*_event_*.json"))
    texts = [json.loads(path.read_text()) for path in files]
    objects = [one for found in texts for one in (found if isinstance(found, list) else [found])]
    objects = [one for one in objects if one.get("objectType") != "RESOURCE"]

    events = [read({**stamped("EVENT"), **one}).event for one in objects]

    assert len(events) >= 20
    assert [event.flaw for event in events if event.flaw] == []
