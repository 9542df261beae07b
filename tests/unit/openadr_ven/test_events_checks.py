"""Targets, market contexts, signals, units and values: what is taken, and how the rest is refused."""

from dataclasses import replace
from decimal import Decimal

import pytest

from openadr_ven.events import (
    Enrolment,
    Event,
    Point,
    Profile,
    Randomization,
    Target,
    Unit,
    Value,
    is_test_event,
    plans_of,
)
from openadr_ven.events.signals import PAYLOADS_3, SIGNALS_20B
from tests.unit.openadr_ven.event_builder import (
    BOTH,
    HOUR,
    VEN,
    Ven,
    dispatch_signal,
    event,
    event_3,
    interval,
    kinds,
    only,
    said,
    signal,
)

POWER, ENERGY = Unit.W, Unit.WH


def code(found: Event, enrolment: Enrolment = VEN) -> int:
    return said(Ven(enrolment=enrolment).hears(found))[0][2]


def served(found: Event, enrolment: Enrolment = VEN) -> list[tuple[str, ...]]:
    """Resources of each dispatch; empty where the event is refused."""
    ven = Ven(enrolment=enrolment)
    ven.hears(found)
    return [one.resources for plan in plans_of(ven.state, 0) for one in plan.dispatches]


def targeted(*targets: tuple[str, str], **more: object) -> Event:
    return event(targets=tuple(Target(kind=kind, value=value) for kind, value in targets), **more)


def test_r22_event_without_a_target_is_for_all_of_us() -> None:
    assert served(event()) == [BOTH]


@pytest.mark.parametrize(
    ("targets", "resources"),
    [
        ([("venID", "ven-1")], BOTH),
        ([("partyID", "Site One")], BOTH),
        ([("resourceID", "charger")], ("charger",)),
        ([("groupID", "east")], BOTH),
        ([("groupID", "cars")], ("charger",)),
        ([("meterAsset", "cars")], ("charger",)),
        ([("endDeviceAsset", "Storage")], ("battery",)),
        ([("groupID", "west"), ("resourceID", "battery")], ("battery",)),
        ([("venID", "ven-2"), ("groupID", "cars")], ("charger",)),
        ([("resourceID", "charger"), ("resourceID", "battery")], BOTH),
        ([("resourceID", "charger"), ("venID", "ven-1")], BOTH),
    ],
    ids=str,
)
def test_r22_items_of_a_target_are_ord(targets: list[tuple[str, str]], resources: tuple[str, ...]) -> None:
    assert served(targeted(*targets)) == [resources]


@pytest.mark.parametrize(
    "targets",
    [[("venID", "ven-2")], [("groupID", "west")], [("venID", "VEN-1")], [("meterAsset", "m")]],
    ids=str,
)
def test_r22_event_for_others_is_refused_with_462(targets: list[tuple[str, str]]) -> None:
    assert code(targeted(*targets)) == 462
    assert served(targeted(*targets)) == []


@pytest.mark.parametrize(
    "targets",
    [
        [("resourceID", "heater")],
        [("resourceID", "battery"), ("resourceID", "heater")],
        [("venID", "ven-1"), ("resourceID", "heater")],
        [("resourceID", "Battery")],
    ],
    ids=str,
)
def test_r112_resource_that_is_not_ours_is_refused_with_469(targets: list[tuple[str, str]]) -> None:
    assert code(targeted(*targets)) == 469
    assert served(targeted(*targets)) == []


def test_r112_resource_of_another_ven_is_left_to_it() -> None:
    assert served(targeted(("venID", "ven-2"), ("resourceID", "battery"), ("resourceID", "heater"))) == [
        ("battery",)
    ]


@pytest.mark.parametrize(
    ("targets", "resources"),
    [
        ([("", "east")], BOTH),
        ([("", "cars")], ("charger",)),
        ([("", "battery")], ("battery",)),
        ([("VEN_NAME", "Site One")], BOTH),
        ([("RESOURCE_NAME", "battery"), ("RESOURCE_NAME", "heater")], ("battery",)),
        ([("GROUP", "cars")], ("charger",)),
        ([("PROGRAM_NAME", "p"), ("EVENT_NAME", "e")], BOTH),
    ],
    ids=str,
)
def test_3x_targets(targets: list[tuple[str, str]], resources: tuple[str, ...]) -> None:
    limit = event_3().signals
    assert served(targeted(*targets, profile=Profile.V310, signals=limit)) == [resources]


def test_3x_event_for_others_is_left_alone() -> None:
    step = Ven().hears(event_3(targets=(Target(kind="", value="west"),)))

    assert [(one.kind, one.code) for one in step.changes] == [("refused", 462)]


def test_r111_device_classes_of_a_signal_are_andd_with_the_target() -> None:
    storage = dispatch_signal(device_classes=("Storage",))

    assert served(targeted(("groupID", "east"), signals=(storage,))) == [("battery",)]
    assert code(targeted(("groupID", "cars"), signals=(storage,))) == 462


def test_r111_each_signal_has_its_own_device_classes() -> None:
    one, two = dispatch_signal(device_classes=("Storage",)), dispatch_signal(device_classes=("EVSE", "Sauna"))

    assert served(event(signals=(one, two))) == [("battery",), ("charger",)]


def test_r48_unknown_market_context_is_refused_with_462() -> None:
    known = replace(VEN, market_contexts=frozenset({"http://dr/two"}))

    assert code(event(), known) == 462
    assert code(event(marketContext="http://dr/two"), known) == 200


def test_r48_any_market_context_is_accepted_where_none_is_configured() -> None:
    assert code(event(marketContext="http://never/heard/of")) == 200


@pytest.mark.parametrize(
    ("name", "kind"),
    [("WEATHER", "level"), ("LOAD_DISPATCH", "price"), ("x-own", "x-kind"), ("Simple", "level")],
)
def test_r109_unknown_signal_or_type_is_refused_with_460(name: str, kind: str) -> None:
    assert code(event(signals=(signal(name, kind),))) == 460


def test_r109_signal_that_this_ven_does_not_take_is_refused_with_460() -> None:
    few = replace(VEN, signals=frozenset({("SIMPLE", "level")}))

    assert code(event(), few) == 460
    assert code(event(signals=(signal("SIMPLE", "level"),)), few) == 200


def test_r109_custom_signal_is_taken_where_it_is_configured() -> None:
    own = replace(VEN, custom_signals=frozenset({("x-own", "x-kind")}))

    assert code(event(signals=(signal("x-own", "x-kind", value=Decimal("0.5")),)), own) == 200


def test_r109_one_signal_that_is_not_taken_refuses_the_whole_event() -> None:
    assert code(event(signals=(dispatch_signal(), signal("WEATHER", "level")))) == 460


def test_r116_simple_is_a_level_and_nothing_else() -> None:
    assert code(event(signals=(signal("SIMPLE", "level"),))) == 200
    assert code(event(signals=(signal("simple", "level"),))) == 200
    assert code(event(signals=(signal("SIMPLE", "setpoint"),))) == 460


@pytest.mark.parametrize("row", SIGNALS_20B, ids="/".join)
def test_r510_each_row_of_the_table_is_taken_with_its_unit(row: tuple[str, str]) -> None:
    shape = SIGNALS_20B[row]
    unit = min(shape.units, default=None)

    assert code(event(signals=(signal(*row, unit),))) == 200


def test_r510_least_signals_of_a_certified_ven_are_in_the_table() -> None:
    assert {("SIMPLE", "level"), ("ELECTRICITY_PRICE", "price"), ("LOAD_DISPATCH", "setpoint")} <= set(
        SIGNALS_20B
    )
    assert len(SIGNALS_20B) == 24


@pytest.mark.parametrize(
    ("name", "kind", "unit"),
    [
        ("LOAD_DISPATCH", "setpoint", None),
        ("LOAD_DISPATCH", "setpoint", ENERGY),
        ("LOAD_DISPATCH", "setpoint", Unit.UNKNOWN),
        ("LOAD_DISPATCH", "multiplier", POWER),
        ("LOAD_DISPATCH", "level", None),
        ("CHARGE_STATE", "setpoint", POWER),
        ("CHARGE_STATE", "multiplier", ENERGY),
        ("ELECTRICITY_PRICE", "price", None),
        ("ELECTRICITY_PRICE", "price", Unit.CURRENCY_PER_KW),
        ("ELECTRICITY_PRICE", "priceMultiplier", Unit.CURRENCY_PER_KWH),
        ("DEMAND_CHARGE", "price", Unit.CURRENCY_PER_KWH),
        ("SIMPLE", "level", POWER),
        ("SIMPLE", "level", Unit.UNKNOWN),
        ("LOAD_CONTROL", "x-loadControlSetpoint", POWER),
    ],
)
def test_r109_unit_that_does_not_fit_is_refused_with_460(name: str, kind: str, unit: Unit | None) -> None:
    assert code(event(signals=(signal(name, kind, unit),))) == 460


def test_default_unit_of_a_programme_is_that_of_a_signal_without_one() -> None:
    ven = Ven(enrolment=replace(VEN, default_units={("http://dr/one", "LOAD_DISPATCH"): POWER}))

    step = ven.hears(event(signals=(dispatch_signal(unit=None),)))

    assert only(step.answers).code == 200
    assert [one.signal.unit for one in plans_of(ven.state, 0)[0].dispatches] == [POWER]
    assert said(ven.hears(event("e2", marketContext="x", signals=(dispatch_signal(unit=None),))))[0][2] == 460


@pytest.mark.parametrize(
    ("name", "kind", "unit", "value"),
    [
        ("SIMPLE", "level", None, Decimal(4)),
        ("SIMPLE", "level", None, Decimal(-1)),
        ("SIMPLE", "level", None, Decimal("1.5")),
        ("CHARGE_STATE", "multiplier", None, Decimal("1.01")),
        ("LOAD_DISPATCH", "level", POWER, Decimal(11)),
        ("LOAD_DISPATCH", "level", POWER, Decimal("-0.5")),
        ("LOAD_DISPATCH", "setpoint", POWER, Decimal("NaN")),
        ("LOAD_DISPATCH", "setpoint", POWER, Decimal("Infinity")),
        ("LOAD_DISPATCH", "setpoint", POWER, "many"),
        ("LOAD_DISPATCH", "setpoint", POWER, True),
        ("LOAD_CONTROL", "x-loadControlCapacity", None, Decimal("-0.1")),
        ("LOAD_CONTROL", "x-loadControlLevelOffset", None, Decimal("0.5")),
    ],
)
def test_value_that_makes_no_sense_is_refused_with_454(
    name: str, kind: str, unit: Unit | None, value: Value
) -> None:
    assert code(event(signals=(signal(name, kind, unit, value),))) == 454


@pytest.mark.parametrize("value", [Decimal(-2500), Decimal(0), Decimal("1e9")])
def test_set_point_may_have_any_sign(value: Decimal) -> None:
    assert code(event(signals=(signal("LOAD_DISPATCH", "setpoint", POWER, value),))) == 200


@pytest.mark.parametrize("count", [0, 2])
def test_r100_interval_has_exactly_one_payload(count: int) -> None:
    several = replace(interval(), values=(Decimal(1),) * count)

    assert code(event(signals=(dispatch_signal(several),))) == 454


def test_r105_notification_that_is_missing_is_accepted() -> None:
    assert code(event(notification_s=None)) == 200


@pytest.mark.parametrize(
    ("text", "is_test"),
    [
        (None, False),
        ("", False),
        ("  ", False),
        ("false", False),
        ("False", False),
        ("true", True),
        ("yes", True),
        ("0", True),
    ],
)
def test_r6_any_text_but_false_is_a_test(text: str | None, is_test: bool) -> None:
    assert is_test_event(text) is is_test


def test_r6_test_event_is_checked_and_answered_and_never_dispatched() -> None:
    ven = Ven()

    assert said(ven.hears(event(is_test=True)))[0][2] == 200
    assert said(ven.hears(event("e2", is_test=True, flaw="no duration"), full=False))[0][2] == 454
    assert plans_of(ven.state, 0) == ()
    assert kinds(ven.waits(10 * HOUR)) == []


@pytest.mark.parametrize(
    "more",
    [
        {"duration_s": -1},
        {"recovery_s": -1},
        {"modification": -1},
        {"randomization": Randomization(late_s=-1)},
        {"signals": ()},
    ],
    ids=str,
)
def test_event_that_makes_no_sense_is_refused_with_454(more: dict[str, object]) -> None:
    assert code(event(**more)) == 454


def test_event_that_was_not_readable_is_refused_with_454_and_says_why() -> None:
    answer = only(Ven().hears(event(flaw="dtstart is missing")).answers)

    assert (answer.code, answer.description) == (454, "dtstart is missing")


@pytest.mark.parametrize("payload", PAYLOADS_3)
def test_3x_each_payload_type_is_taken_with_its_unit(payload: str) -> None:
    shape = PAYLOADS_3[payload]
    value: Value = Point(x=Decimal(1), y=Decimal(1)) if payload == "CURVE" else Decimal(1)
    found = signal(payload, "", min(shape.units) if shape.units and shape.needs_unit else None, value)

    assert kinds(Ven().hears(event_3(signals=(found,)))) == [("received", "e1")]


def test_3x_payload_type_that_is_not_taken_is_left_out_and_the_others_hold() -> None:
    ven = Ven()

    ven.hears(event_3(signals=(signal("x-own", ""), *event_3().signals)))

    assert [one.signal.signalName for one in plans_of(ven.state, 0)[0].dispatches] == [
        "IMPORT_CAPACITY_LIMIT"
    ]


@pytest.mark.parametrize(
    ("found", "code_"),
    [
        (signal("x-own", ""), 460),
        (signal("IMPORT_CAPACITY_LIMIT", ""), 460),
        (signal("DISPATCH_SETPOINT", "", Unit.WH), 460),
        (signal("CURVE", "", None, Decimal(1)), 454),
        (signal("CURVE", "", None, Point(x=Decimal("NaN"), y=Decimal(1))), 454),
        (signal("CONTROL_LEVEL_OFFSET", "", None, Decimal(11)), 454),
        (replace(signal("PRICE", ""), intervals=(replace(interval(), values=()),)), 454),
        (replace(signal("PRICE", ""), intervals=(interval(0, -5),)), 454),
    ],
)
def test_3x_event_of_which_nothing_is_taken_is_refused(found: object, code_: int) -> None:
    step = Ven().hears(event_3(signals=(found,)))

    assert [(one.kind, one.code) for one in step.changes] == [("refused", code_)]


def test_3x_event_without_intervals_is_taken_and_asks_nothing_of_anyone() -> None:
    ven = Ven()

    assert kinds(ven.hears(event_3(signals=()))) == [("received", "e1")]
    assert plans_of(ven.state, 0) == ()


def test_ven_without_resources_is_no_ven() -> None:
    with pytest.raises(ValueError, match="at least one resource"):
        Enrolment(ven_id="ven-1", resources=())


@pytest.mark.parametrize(
    ("ramp_s", "answer"), [(86_400, 200), (-86_400, 200), (86_401, 454), (-86_401, 454), (10**9, 454)]
)
def test_a_ramp_of_more_than_a_day_is_refused(ramp_s: int, answer: int) -> None:
    assert code(event(ramp_up_s=ramp_s)) == answer
