"""Each row of the table by name: what one signal of it becomes, or why it is not supported."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from openadr_ven.events import Point, Profile, Signal, Unit, Value
from openadr_ven.events.signals import PAYLOADS_3, SIGNALS_20B
from openadr_ven.to_sep2 import (
    ROWS_3,
    ROWS_20B,
    Device,
    Envelope,
    Kind,
    LevelAction,
    Motion,
    PFSide,
    Programme,
    Publications,
    Row,
    judge,
)
from openadr_ven.to_sep2.building import reading_type
from openadr_ven.to_sep2.publication import HomeKind, told
from schemas import CurveData, DERControl, DERCurve, EndDeviceControl, TextMessage, TimeTariffInterval
from schemas.codes import DERCurveType
from tests.unit.openadr_ven.house import (
    BATTERY,
    EVSE,
    HEATING,
    LOAD,
    PROGRAMME,
    PV,
    T0,
    House,
    event,
    event_3,
    ordered,
    series,
    signal,
    simple,
)

CHARGING = replace(BATTERY, motion=Motion.CHARGING, power_w=Decimal(-3000), soc=Decimal("0.5"))
SITE = Device(
    resource="site", name="site", group="g-site", kind=Kind.SITE, lFDI="FF", envelope=Envelope.CSIP_AUS
)
RICH = replace(
    PROGRAMME,
    base_price=Decimal("0.20"),
    base_demand_charge=Decimal(10),
    curve_type=DERCurveType.opModVoltVar,
    tables={
        "LOAD_DISPATCH level": {3: LevelAction(dispatch=Decimal("-0.5"))},
        "CONTROL_SETPOINT": {2: LevelAction(dispatch=Decimal("0.25"))},
        "DISPATCH_INSTRUCTION": {1: LevelAction(duty_pct=30)},
    },
)
KEPT = "opModTargetW=ActivePower(multiplier=0,value={})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One payload of a row, who is to keep it, and the text that stands in what is made, by class."""

    value: Value
    device: Device
    made: str
    unit: Unit | None = None


def sample(value: float | str | Point, device: Device, made: str, unit: Unit | None = None) -> Sample:
    plain = value if isinstance(value, str | Point) else Decimal(str(value))
    return Sample(value=plain, device=device, made=made, unit=unit)


PER_KWH = Unit.CURRENCY_PER_KWH
SAMPLES_20B: Mapping[tuple[str, str], Sample] = {
    ("SIMPLE", "level"): sample(1, CHARGING, "DERControl " + KEPT.format(0)),
    ("LOAD_DISPATCH", "setpoint"): sample(3000, BATTERY, "DERControl " + KEPT.format(-3000), Unit.W),
    ("LOAD_DISPATCH", "delta"): sample(-500, CHARGING, "DERControl " + KEPT.format(-2500), Unit.W),
    ("LOAD_DISPATCH", "multiplier"): sample(0.5, CHARGING, "DERControl " + KEPT.format(-1500)),
    ("LOAD_DISPATCH", "level"): sample(3, BATTERY, "DERControl " + KEPT.format(2500), Unit.W),
    ("LOAD_CONTROL", "x-loadControlCapacity"): sample(0.25, CHARGING, "DERControl opModFixedW=-2500"),
    ("LOAD_CONTROL", "x-loadControlLevelOffset"): sample(
        -2, HEATING, "EndDeviceControl loadShiftForward=True,Offset_=Offset(coolingOffset=20,heatingOffset=20"
    ),
    ("LOAD_CONTROL", "x-loadControlPercentOffset"): sample(
        0.1,
        LOAD,
        "EndDeviceControl loadShiftForward=True,Offset_=Offset(loadAdjustmentPercentageOffset=1000",
    ),
    ("LOAD_CONTROL", "x-loadControlSetpoint"): sample(
        68, HEATING, "EndDeviceControl SetPoint(coolingSetpoint=2000,heatingSetpoint=2000", Unit.FAHRENHEIT
    ),
    ("CHARGE_STATE", "setpoint"): sample(8000, CHARGING, "DERControl " + KEPT.format(-3000), Unit.WH),
    ("CHARGE_STATE", "delta"): sample(-1000, CHARGING, "DERControl " + KEPT.format(1000), Unit.WH),
    ("CHARGE_STATE", "multiplier"): sample(0.8, CHARGING, "DERControl " + KEPT.format(-3000)),
    ("ELECTRICITY_PRICE", "price"): sample(0.31, LOAD, "TimeTariffInterval price=31000", PER_KWH),
    ("ELECTRICITY_PRICE", "priceRelative"): sample(-0.05, LOAD, "TimeTariffInterval price=15000", PER_KWH),
    ("ELECTRICITY_PRICE", "priceMultiplier"): sample(1.5, LOAD, "TimeTariffInterval price=30000"),
    ("ENERGY_PRICE", "price"): sample(0.31, PV, "TimeTariffInterval price=31000", PER_KWH),
    ("ENERGY_PRICE", "priceRelative"): sample(0.05, LOAD, "TimeTariffInterval price=25000", PER_KWH),
    ("ENERGY_PRICE", "priceMultiplier"): sample(2, LOAD, "TimeTariffInterval price=40000"),
    ("DEMAND_CHARGE", "priceRelative"): sample(
        -0.5, LOAD, "TimeTariffInterval price=950000", Unit.CURRENCY_PER_KW
    ),
    ("DEMAND_CHARGE", "priceMultiplier"): sample(1.5, LOAD, "TimeTariffInterval price=1500000"),
    ("DEMAND_CHARGE", "price"): sample(9.5, LOAD, "TimeTariffInterval price=950000", Unit.CURRENCY_PER_KW),
}
SAMPLES_3: Mapping[str, Sample] = {
    "SIMPLE": sample(2, EVSE, "EndDeviceControl DutyCycle(normalValue=50)"),
    "PRICE": sample(0.31, LOAD, "TimeTariffInterval price=31000", PER_KWH),
    "EXPORT_PRICE": sample(0.08, PV, "TimeTariffInterval price=8000", PER_KWH),
    "CHARGE_STATE_SETPOINT": sample(0.8, CHARGING, "DERControl " + KEPT.format(-3000), Unit.SHARE),
    "DISPATCH_SETPOINT": sample(-2000, BATTERY, "DERControl " + KEPT.format(2000), Unit.W),
    "DISPATCH_SETPOINT_RELATIVE": sample(500, CHARGING, "DERControl " + KEPT.format(-3500), Unit.W),
    "DISPATCH_INSTRUCTION": sample(1, LOAD, "EndDeviceControl DutyCycle(normalValue=30)"),
    "CONTROL_SETPOINT": sample(2, BATTERY, "DERControl " + KEPT.format(-1000)),
    "CONTROL_LEVEL_OFFSET": sample(2, HEATING, "EndDeviceControl Offset(coolingOffset=20,heatingOffset=20"),
    "CONTROL_LEVEL_OFFSET_PERCENT": sample(
        -0.2, LOAD, "EndDeviceControl Offset(loadAdjustmentPercentageOffset=2000", Unit.SHARE
    ),
    "CURVE": sample(
        Point(x=Decimal("0.92"), y=Decimal("0.44")), PV, "DERCurve CurveData(xvalue=9200,yvalue=4400)"
    ),
    "OLS": sample(0.5, CHARGING, "DERControl " + KEPT.format(-1500)),
    "EXPORT_CAPACITY_LIMIT": sample(2000.9, PV, "DERControl opModMaxLimW=4000", Unit.W),
    "IMPORT_CAPACITY_LIMIT": sample(
        4500, SITE, "DERControl opModImpLimW=ActivePower(multiplier=0,value=4500)", Unit.W
    ),
    "EXPORT_CAPACITY_SUBSCRIPTION": sample(
        5000, SITE, "DefaultDERControl opModExpLimW=ActivePower(multiplier=0,value=5000)", Unit.W
    ),
    "IMPORT_CAPACITY_SUBSCRIPTION": sample(
        7000, SITE, "DefaultDERControl opModImpLimW=ActivePower(multiplier=0,value=7000)", Unit.W
    ),
    **{
        row.signal: sample("stay inside", LOAD, "TextMessage priority=2,textMessage=stay inside")
        for row in ROWS_3
        if row.signal.startswith("ALERT_")
    },
    "ALERT_GRID_EMERGENCY": sample("stage 3", LOAD, "TextMessage priority=3,textMessage=stage 3"),
    "ALERT_BLACK_START": sample("dark", LOAD, "TextMessage priority=3,textMessage=dark"),
}
KNOWN = {
    "DERControl": DERControl,
    "EndDeviceControl": EndDeviceControl,
    "TextMessage": TextMessage,
    "TimeTariffInterval": TimeTariffInterval,
    "DERCurve": DERCurve,
}


def words(row: Row) -> str:
    return f"{row.signal} {row.type_}".strip()


def made(found: Publications, name: str) -> str:
    """What was made of a class, with what hangs below it, as text."""
    if name == "DefaultDERControl":
        assert found.items == {}
        return " ".join(told(one.base) for one in found.defaults.values())
    values = [one for one in ordered(found) if isinstance(one.value, KNOWN[name])]
    return " ".join(told([one.value, *one.below]) for one in values)


def house_of(one: Sample) -> House:
    programme: Programme = RICH
    return House(devices=(one.device,), programme=programme)


def assert_made(found: Publications, expected: str) -> None:
    name, _, text = expected.partition(" ")
    for part in text.split(",Offset_="):
        assert part in made(found, name)


@pytest.mark.parametrize("row", [row for row in ROWS_20B if row.rule is not None], ids=words)
def test_signal_of_20b_becomes(row: Row) -> None:
    one = SAMPLES_20B[row.signal, row.type_]
    found = house_of(one).makes(event(signal(row.signal, row.type_, one.value, unit=one.unit)))
    assert_made(found, one.made)


@pytest.mark.parametrize("row", [row for row in ROWS_3 if row.rule is not None], ids=words)
def test_payload_of_3_becomes(row: Row) -> None:
    one = SAMPLES_3[row.signal]
    found = house_of(one).makes(event_3(signal(row.signal, "", one.value, unit=one.unit)), at=T0)
    assert_made(found, one.made)


@pytest.mark.parametrize("row", [row for row in ROWS_20B if row.rule is None], ids=words)
def test_signal_of_20b_is_refused_with_a_reason(row: Row) -> None:
    unit = next(iter(sorted(SIGNALS_20B[row.signal, row.type_].units)), None)
    house = House(devices=(LOAD,))
    answers = house.hears(event(signal(row.signal, row.type_, Decimal(1), unit=unit)))
    assert row.reason
    assert [one.code for one in answers] == [460]
    assert row.reason in answers[0].description


@pytest.mark.parametrize("row", [row for row in ROWS_3 if row.rule is None], ids=words)
def test_payload_of_3_is_left_out_with_a_note(row: Row) -> None:
    shape = PAYLOADS_3[row.signal]
    unit = next(iter(sorted(shape.units)), None) if shape.needs_unit else None
    found = House(devices=(LOAD, PV)).makes(event_3(signal(row.signal, "", Decimal(1), unit=unit)))
    assert found.items == {}
    assert row.reason
    assert [row.reason in note.text for note in found.notes] == [True]


@pytest.mark.parametrize("profile", [Profile.V20B, Profile.V310])
def test_every_signal_of_the_standard_has_a_row(profile: Profile) -> None:
    if_20b = {(row.signal, row.type_) for row in ROWS_20B}, set(SIGNALS_20B)
    if_3 = {(row.signal, row.type_) for row in ROWS_3}, {(name, "") for name in PAYLOADS_3}
    rows, known = if_20b if profile is Profile.V20B else if_3
    assert rows == known


def test_an_unknown_instruction_is_left_out_with_a_note() -> None:
    found = House(devices=(BATTERY,)).makes(event_3(signal("DISPATCH_INSTRUCTION", "", Decimal(7))))
    assert found.items == {}
    assert ["no table" in note.text for note in found.notes] == [True]


def test_an_export_price_is_a_second_component_of_the_same_tariff() -> None:
    buy = signal("PRICE", "", Decimal("0.3"), unit=PER_KWH)
    sell = signal("EXPORT_PRICE", "", Decimal("0.1"), unit=PER_KWH)
    found = ordered(House(devices=(PV,)).makes(event_3(buy, sell)))
    assert [one.home.kind for one in found] == [HomeKind.COMPONENT] * 2
    assert len({one.home.mRID for one in found}) == 2
    assert len({one.home.parent for one in found}) == 1
    flows = {reading_type(one.home.flow).flowDirection for one in found if one.home.flow is not None}
    assert flows == {1, 19}


def test_a_price_in_a_currency_without_a_number_is_refused() -> None:
    price: Signal = signal("ELECTRICITY_PRICE", "price", Decimal("0.3"), unit=PER_KWH, currency="XYZ")
    assert [one.code for one in House(devices=(LOAD,)).hears(event(price))] == [460]


@pytest.mark.parametrize(
    ("name", "unit"), [("ELECTRICITY_PRICE", PER_KWH), ("DEMAND_CHARGE", Unit.CURRENCY_PER_KW)]
)
def test_a_relative_price_needs_one_to_start_from(name: str, unit: Unit) -> None:
    price = signal(name, "priceRelative", Decimal("0.3"), unit=unit)
    assert [one.code for one in House(devices=(LOAD,)).hears(event(price))] == [460]


@pytest.mark.parametrize(("side", "excitation"), [(PFSide.ABSORBING, True), (PFSide.INJECTING, False)])
def test_a_power_factor_curve_has_factors_and_the_side_of_its_programme(
    side: PFSide, excitation: bool
) -> None:
    programme = replace(PROGRAMME, curve_type=DERCurveType.opModWattPF, pf_side=side)
    point = Point(x=Decimal("0.5"), y=Decimal("0.955"))
    curve = replace(signal("CURVE", ""), intervals=series(point))
    found = House(devices=(PV,), programme=programme).makes(event_3(curve))
    (made_,) = [one.value for one in ordered(found) if isinstance(one.value, DERCurve)]
    assert (made_.curveType, made_.yRefType, made_.xMultiplier, made_.yMultiplier) == (13, 0, -2, -3)
    assert made_.CurveData_ == [CurveData(excitation=excitation, xvalue=5000, yvalue=955)]
    (control,) = [one for one in ordered(found) if isinstance(one.value, DERControl)]
    assert [mode for mode, _ in control.curves] == ["opModWattPF"]


def test_a_level_is_that_of_the_resource_then_of_the_kind_then_of_all() -> None:
    programme = replace(
        PROGRAMME,
        simple_by_kind={Kind.LOAD: {1: LevelAction(duty_pct=40), 2: LevelAction(duty_pct=30)}},
        simple_by_resource={"load": {1: LevelAction(reduction_w=700)}},
    )
    house = House(devices=(LOAD, HEATING), programme=programme)
    first = made(house.makes(event(simple(1))), "EndDeviceControl")
    assert "TargetReduction(type=2,value=700)" in first
    assert "DutyCycle(normalValue=75)" in first
    second = House(devices=(LOAD, HEATING), programme=programme).makes(event(simple(2)))
    assert "DutyCycle(normalValue=30)" in made(second, "EndDeviceControl")


def test_a_curve_of_an_unknown_kind_is_refused() -> None:
    curve = replace(signal("CURVE", ""), intervals=series(Point(x=Decimal(1), y=Decimal(0))))
    house = House(devices=(PV,))
    assert judge(event_3(curve), ["pv"], house.fleet, house.programmes).code == 460
    assert house.makes(event_3(curve)).items == {}


def test_an_alert_may_bring_a_level_with_it() -> None:
    alert = signal("ALERT_GRID_EMERGENCY", "", "stage 3")
    programme = replace(PROGRAMME, alert_levels={"ALERT_GRID_EMERGENCY": 3})
    found = House(devices=(EVSE,), programme=programme).makes(event_3(alert))
    assert "DutyCycle(normalValue=0)" in made(found, "EndDeviceControl")
    assert "stage 3" in made(found, "TextMessage")
