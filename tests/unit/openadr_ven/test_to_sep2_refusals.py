"""What cannot be done is refused with its code, resource by resource; and what is at the edge of it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from openadr_ven.events import Event, Plan, Point, Randomization, Signal, Unit, Value
from openadr_ven.to_sep2 import (
    Device,
    Envelope,
    Fleet,
    Kind,
    LevelAction,
    Motion,
    PFSide,
    Programme,
    TargetMode,
    judge,
    translate,
)
from schemas.codes import DERCurveType
from tests.unit.openadr_ven.house import (
    BATTERY,
    EVSE,
    HEATING,
    HOUR,
    LOAD,
    PROGRAMME,
    PV,
    T0,
    House,
    bases,
    dispatch,
    event,
    event_3,
    load_controls,
    series,
    signal,
    simple,
    spans,
    texts,
    watts,
)

FULL = replace(BATTERY, soc=Decimal("0.5"))
UNRATED = replace(BATTERY, setMaxW=None, setMaxChargeRateW=None, setMaxDischargeRateW=None)
CURVED = replace(PROGRAMME, curve_type=DERCurveType.opModVoltVar)
FACTOR = replace(PROGRAMME, curve_type=DERCurveType.opModWattPF, pf_side=PFSide.INJECTING)
PERCENT = replace(PROGRAMME, target_mode=TargetMode.FIXED_W)


def charge(kind: str, value: str, unit: Unit | None = None) -> Signal:
    return signal("CHARGE_STATE", kind, Decimal(value), unit=unit)


def three(name: str, value: str, unit: Unit | None = None) -> Event:
    return event_3(signal(name, "", Decimal(value), unit=unit))


def curve(*points: Value) -> Event:
    return event_3(replace(signal("CURVE", ""), intervals=(replace(series(Decimal(0))[0], values=points),)))


POINT = Point(x=Decimal(1), y=Decimal(0))


@pytest.mark.parametrize(
    ("device", "given", "code", "programme"),
    [
        (FULL, event(charge("setpoint", "100")), 460, PROGRAMME),
        (FULL, event(charge("delta", "100")), 460, PROGRAMME),
        (PV, event(charge("multiplier", "1")), 460, PROGRAMME),
        (replace(FULL, setMaxWh=None), event(charge("multiplier", "1")), 460, PROGRAMME),
        (replace(UNRATED, soc=Decimal(0)), event(charge("multiplier", "1")), 469, PROGRAMME),
        (PV, curve(*[POINT] * 11), 454, CURVED),
        (LOAD, curve(POINT), 460, CURVED),
        (PV, curve(POINT), 460, replace(PROGRAMME, curve_type=DERCurveType.opModWattPF)),
        (PV, curve(Point(x=Decimal(1), y=Decimal(0))), 454, FACTOR),
        (PV, curve(Point(x=Decimal(1), y=Decimal("-0.9"))), 454, FACTOR),
        (PV, curve(Point(x=Decimal(1), y=Decimal("1.1"))), 454, FACTOR),
        (replace(PV, setMaxW=None), three("EXPORT_CAPACITY_LIMIT", "1", Unit.W), 469, PROGRAMME),
        (PV, three("EXPORT_CAPACITY_LIMIT", "1"), 460, PROGRAMME),
        (PV, three("EXPORT_CAPACITY_LIMIT", "-1", Unit.W), 454, PROGRAMME),
        (UNRATED, three("IMPORT_CAPACITY_LIMIT", "1", Unit.W), 469, PROGRAMME),
        (BATTERY, three("IMPORT_CAPACITY_SUBSCRIPTION", "1", Unit.W), 460, PROGRAMME),
        (EVSE, event(signal("LOAD_CONTROL", "x-loadControlCapacity", Decimal("1.5"))), 454, PROGRAMME),
        (PV, event(signal("LOAD_CONTROL", "x-loadControlPercentOffset", Decimal("0.5"))), 460, PROGRAMME),
        (LOAD, event(signal("LOAD_CONTROL", "x-loadControlSetpoint", Decimal(20))), 460, PROGRAMME),
        (HEATING, event(signal("LOAD_CONTROL", "x-loadControlSetpoint", Decimal(400))), 454, PROGRAMME),
        (LOAD, event(signal("LOAD_CONTROL", "x-loadControlLevelOffset", Decimal(2))), 460, PROGRAMME),
        (
            replace(UNRATED, power_w=Decimal(1)),
            event(signal("LOAD_DISPATCH", "delta", Decimal(1), unit=Unit.W)),
            469,
            PERCENT,
        ),
        (
            replace(UNRATED, power_w=Decimal(1)),
            event(signal("LOAD_DISPATCH", "multiplier", Decimal(1))),
            469,
            PERCENT,
        ),
        (BATTERY, event(signal("LOAD_DISPATCH", "multiplier", Decimal(1))), 469, PROGRAMME),
        (
            LOAD,
            event(signal("ELECTRICITY_PRICE", "price", Decimal(1), unit=Unit.CURRENCY_PER_KW)),
            460,
            PROGRAMME,
        ),
        (
            LOAD,
            event(signal("ELECTRICITY_PRICE", "price", Decimal(99_999), unit=Unit.CURRENCY_PER_KWH)),
            454,
            PROGRAMME,
        ),
        (
            LOAD,
            event(signal("ELECTRICITY_PRICE", "price", Decimal(1))),
            460,
            replace(PROGRAMME, currency=None),
        ),
        (LOAD, event(signal("SIMPLE", "level", "high")), 454, PROGRAMME),
        (LOAD, event(signal("x-own", "x-kind", Decimal(1))), 460, PROGRAMME),
    ],
)
def test_it_is_refused(device: Device, given: Event, code: int, programme: Programme) -> None:
    house = House(devices=(device,), programme=programme)
    found = judge(given, [device.resource], house.fleet, house.programmes)
    assert found.code == code
    assert list(found.refusals) == [device.resource]
    plan = Plan(event=given, start=T0, end=T0 + HOUR, resources=(device.resource,), dispatches=())
    assert translate([plan], house.fleet, house.programmes, T0).items == {}


@pytest.mark.parametrize(
    ("change", "text"), [({"name": "x"}, "the group 'g-battery'"), ({"group": "x"}, "the name 'battery'")]
)
def test_two_devices_have_neither_one_name_nor_one_group(change: dict[str, str], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Fleet(devices=(BATTERY, replace(BATTERY, **change)))  # type: ignore[arg-type]


def test_in_3_what_can_be_done_is_done_beside_what_cannot() -> None:
    given = event_3(*[one.signals[0] for one in (three("EXPORT_CAPACITY_LIMIT", "1"), three("SIMPLE", "2"))])
    house = House(devices=(EVSE,))
    assert judge(given, ["evse"], house.fleet, house.programmes).refusals == {}


def test_an_event_of_an_unknown_programme_and_a_test_ask_nothing() -> None:
    house = House()
    house.hears(event(dispatch(1000)))
    plan = Plan(event=event(dispatch(1000)), start=T0, end=T0 + HOUR, resources=("battery",), dispatches=())
    found = translate([plan], house.fleet, {}, T0)
    assert (found.items, "unknown programme" in texts(found)) == ({}, True)
    trial = replace(plan, event=event(dispatch(1000), is_test=True))
    assert translate([trial], house.fleet, house.programmes, T0).items == {}


def test_a_goal_that_is_reached_holds_and_one_beyond_full_is_clamped() -> None:
    house = House(devices=(FULL,))
    assert watts(house.makes(event(charge("multiplier", "0.5")))) == [0]
    found = House(devices=(FULL,)).makes(event(charge("delta", "9000", Unit.WH)))
    assert [goal.soc_at_end for goal in found.goals] == [1]
    assert "clamped to what it can hold: 10000 Wh" in texts(found)


def test_a_goal_without_an_end_takes_the_full_rate_until_it_is_reached() -> None:
    goal = signal("CHARGE_STATE", "multiplier", Decimal(1), length_s=None)
    assert watts(House(devices=(FULL,)).makes(event(goal, duration_s=None))) == [-4000, 0]


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        (LevelAction(offset_tenths=15), "Offset_", 15),
        (LevelAction(reduction_w=700), "TargetReduction_", 700),
    ],
)
def test_a_kind_of_device_may_have_levels_of_its_own(action: LevelAction, field: str, value: int) -> None:
    programme = replace(PROGRAMME, simple_by_kind={Kind.THERMOSTAT: {2: action}})
    (one,) = load_controls(House(devices=(HEATING,), programme=programme).makes(event(simple(2))))
    part = getattr(one, field)
    assert value in {getattr(part, "coolingOffset", None), getattr(part, "value", None)}


def test_an_offset_beyond_the_wire_is_clamped_with_a_note() -> None:
    level = signal("LOAD_CONTROL", "x-loadControlLevelOffset", Decimal(40))
    found = House(devices=(HEATING,)).makes(event(level))
    (one,) = load_controls(found)
    assert one.Offset_ is not None
    assert one.Offset_.coolingOffset == 255
    assert "clamped to 255 tenths" in texts(found)


def test_a_lesser_event_within_a_better_one_does_not_cut_it() -> None:
    long = event(dispatch(1000), eventID="long", priority=1)
    short = event(dispatch(2000, length_s=600), eventID="short", priority=2, start=T0 + 600)
    assert spans(House().makes(long, short)) == [(0, HOUR)]


def test_a_limit_within_a_set_point_that_it_does_not_touch_does_not_cut_it() -> None:
    found = House().makes(
        event_3(signal("DISPATCH_SETPOINT", "", Decimal(-500), unit=Unit.W), eventID="set"),
        event_3(
            signal("EXPORT_CAPACITY_LIMIT", "", Decimal(1000), unit=Unit.W, length_s=600),
            eventID="limit",
            start=T0 + 600,
        ),
    )
    assert watts(found).count(500) == 1


def test_a_battery_is_held_to_a_limit_of_its_charge_only_beside_its_set_points() -> None:
    charging = replace(BATTERY, motion=Motion.CHARGING)
    found = House(devices=(charging,)).makes(
        event(signal("LOAD_CONTROL", "x-loadControlCapacity", Decimal("0.5")), eventID="limit"),
        event(dispatch(1000, length_s=600), eventID="set", start=T0 + 600),
    )
    held = [
        (base.opModFixedW, None if base.opModTargetW is None else base.opModTargetW.value)
        for base in bases(found)
    ]
    assert held == [(-5000, None), (None, -1000), (-5000, None)]


def test_a_reduction_of_every_load_where_the_programme_does_not_split() -> None:
    loads = tuple(
        replace(LOAD, resource=f"r{number}", name=f"d{number}", group=f"g{number}", power_w=Decimal(-5000))
        for number in range(2)
    )
    house = House(devices=loads, programme=replace(PROGRAMME, is_split=False))
    parts = [one.TargetReduction_ for one in load_controls(house.makes(event(dispatch(2000))))]
    assert {part.value for part in parts if part is not None} == {3000}


def test_an_own_window_of_an_interval_of_3_counts() -> None:
    one = signal("SIMPLE", "", Decimal(2), Decimal(3))
    own = tuple(
        replace(part, randomization=Randomization(late_s=30 * (part.uid + 1))) for part in one.intervals
    )
    found = House(devices=(EVSE, HEATING)).makes(event_3(replace(one, intervals=own)))
    windows = sorted(
        (part.start - T0, getattr(part.value, "randomizeStart", None)) for part in found.items.values()
    )
    assert windows == [(0, 30), (0, 30), (HOUR, 60), (HOUR, 60)]


def test_csip_aus_only_sites_split_an_import_limit() -> None:
    sites = tuple(
        replace(
            BATTERY, resource=f"r{number}", name=f"d{number}", group=f"g{number}", envelope=Envelope.CSIP_AUS
        )
        for number in range(2)
    )
    found = House(devices=sites).makes(three("IMPORT_CAPACITY_LIMIT", "3001", Unit.W))
    assert sorted(base.opModImpLimW.value for base in bases(found) if hasattr(base, "opModImpLimW")) == [
        1500,
        1501,
    ]
