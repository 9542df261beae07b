"""Set points: the sign, the split over DERs, baselines, ratings, ramps."""

from dataclasses import replace
from decimal import Decimal

import pytest

from openadr_ven.events import Code, Signal, Unit
from openadr_ven.to_sep2 import Device, Kind, LevelAction, TargetMode, output_w
from openadr_ven.to_sep2.amounts import Part, active_power, split
from schemas.codes_metering import UnitType
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
    load_controls,
    series,
    signal,
    spans,
    texts,
    watts,
)

SECOND = replace(
    BATTERY, resource="second", name="second", group="g-second", lFDI="AB", setMaxChargeRateW=2000
)


def test_consumption_of_openadr_is_negative_output_and_the_other_way_round() -> None:
    assert output_w(Decimal(3000)) == -3000
    assert output_w(Decimal(-2500)) == 2500


@pytest.mark.parametrize("load_w", [3000, -2500, 0])
def test_a_set_point_has_the_sign_of_ieee_2030_5(load_w: int) -> None:
    assert watts(House().makes(event(dispatch(load_w)))) == [-load_w]


def test_a_set_point_is_split_by_rating_and_the_sum_is_exact() -> None:
    house = House(devices=(BATTERY, SECOND))
    found = watts(house.makes(event(dispatch(3001))))
    assert sorted(one or 0 for one in found) == [-2001, -1000]


def test_a_set_point_is_split_by_the_configured_share() -> None:
    parts = (replace(BATTERY, share=Decimal(1)), replace(SECOND, share=Decimal(3)))
    assert sorted(one or 0 for one in watts(House(devices=parts).makes(event(dispatch(2000))))) == [
        -1500,
        -500,
    ]


def test_what_one_cannot_take_goes_to_the_others_and_the_rest_is_a_note() -> None:
    house = House(devices=(replace(BATTERY, share=Decimal(1)), replace(SECOND, share=Decimal(9))))
    found = house.makes(event(dispatch(9000)))
    assert sorted(one or 0 for one in watts(found)) == [-4000, -2000]
    assert "clamped to ratings: -6000 W of -9000 W" in texts(found)


def test_generation_takes_no_part_in_consumption() -> None:
    found = House(devices=(BATTERY, PV)).makes(event(dispatch(3000)))
    assert watts(found) == [-3000]
    assert "cannot go that way" in texts(found)


def test_consumption_is_refused_where_there_is_generation_only() -> None:
    house = House(devices=(PV,))
    assert [one.code for one in house.hears(event(dispatch(3000)))] == [Code.SIGNAL_NOT_SUPPORTED]
    assert house.translated().items == {}


def test_every_resource_gets_the_whole_where_the_programme_does_not_split() -> None:
    house = House(devices=(BATTERY, SECOND), programme=replace(PROGRAMME, is_split=False))
    found = house.makes(event(dispatch(3000)))
    assert sorted(one or 0 for one in watts(found)) == [-3000, -2000]
    assert "clamped to its rating: -2000 W of -3000 W" in texts(found)


@pytest.mark.parametrize(
    ("power_w", "value", "multiplier"),
    [
        (32_767, 32_767, 0),
        (-32_767, -32_767, 0),
        (40_001, 4000, 1),
        (-40_009, -4000, 1),
        (5_000_000, 5000, 3),
    ],
)
def test_power_beyond_16_bits_has_a_multiplier_and_is_cut_towards_zero(
    power_w: int, value: int, multiplier: int
) -> None:
    made = active_power(power_w)
    assert (made.value, made.multiplier) == (value, multiplier)


def test_parts_are_exact_on_the_wire() -> None:
    big, small = Part(weight=Decimal(9), most_w=900_000, step_w=100), Part(weight=Decimal(1), most_w=10_000)
    assert split(100_007, [big, small]) == (90_000, 10_000)
    assert split(99_950, [big, small]) == (89_900, 10_000)
    assert split(99_950, [big, Part(weight=Decimal(1), most_w=20_000)]) == (89_900, 10_050)


@pytest.mark.parametrize(
    ("name", "kind", "value", "unit"),
    [
        ("LOAD_DISPATCH", "setpoint", 5, None),
        ("LOAD_DISPATCH", "delta", 5, None),
        ("LOAD_DISPATCH", "setpoint", 5, Unit.VAR),
    ],
)
def test_a_dispatch_without_a_unit_of_active_power_is_refused(
    name: str, kind: str, value: int, unit: Unit | None
) -> None:
    house = House()
    assert [one.code for one in house.hears(event(signal(name, kind, Decimal(value), unit=unit)))] == [460]
    assert house.translated().items == {}


def delta(watt: int) -> Signal:
    return signal("LOAD_DISPATCH", "delta", Decimal(watt), unit=Unit.W)


def test_a_delta_is_beside_the_measured_mean() -> None:
    house = House(devices=(replace(BATTERY, power_w=Decimal(-1000)),))
    assert watts(house.makes(event(delta(-1500)))) == [500]


def test_a_delta_is_beside_the_baseline_of_the_event() -> None:
    base = replace(signal("BASELINE", "x", unit=Unit.W), intervals=series(Decimal(2000)))
    house = House(devices=(replace(BATTERY, power_w=Decimal(-1)),))
    assert watts(house.makes(event(delta(1000), baseline=base))) == [-3000]


def test_a_baseline_counts_from_its_own_start() -> None:
    """It began three hours before the event: the fourth of its hours is what would have been."""
    hours = series(*(Decimal(1000 * number) for number in range(1, 5)))
    hours = (replace(hours[0], start=T0 - 3 * HOUR), *hours[1:])
    base = replace(signal("BASELINE", "x", unit=Unit.W), intervals=hours)
    assert watts(House().makes(event(delta(-500), baseline=base))) == [-3500]


@pytest.mark.parametrize("unit", [Unit.WH, None])
def test_a_baseline_that_is_no_power_is_not_started_from(unit: Unit | None) -> None:
    base = replace(signal("BASELINE", "x", unit=unit), intervals=series(Decimal(2000)))
    measured = replace(BATTERY, power_w=Decimal(-1000))
    factor = signal("LOAD_DISPATCH", "multiplier", Decimal("0.5"))
    for devices, asked in (((measured,), delta(500)), ((measured,), factor), ((LOAD,), dispatch(500))):
        house = House(devices=devices)
        assert [one.code for one in house.hears(event(asked, baseline=base))] == [460]
    assert watts(House(devices=(measured,)).makes(event(dispatch(500), baseline=base))) == [-500]


@pytest.mark.parametrize(("kind", "unit"), [("delta", Unit.W), ("multiplier", None)])
def test_a_baseline_without_bounds_is_refused(kind: str, unit: Unit | None) -> None:
    """Whatever comes of it: one event ends nothing but itself."""
    base = replace(signal("BASELINE", "x", unit=Unit.W), intervals=series(Decimal("Infinity")))
    asked = signal("LOAD_DISPATCH", kind, Decimal(1), unit=unit)
    house = House()
    assert [one.code for one in house.hears(event(asked, baseline=base))] == [454]
    assert house.translated().items == {}


def test_a_delta_beyond_the_rating_is_clamped_with_a_note() -> None:
    found = House(devices=(replace(BATTERY, power_w=Decimal(-3500)),)).makes(event(delta(1000)))
    assert watts(found) == [-4000]
    assert "clamped to its rating: -4000 W" in texts(found)


def test_a_delta_without_any_baseline_is_refused_before_one_opts_in() -> None:
    assert [one.code for one in House().hears(event(delta(1000)))] == [Code.DEPLOYMENT_OTHER]


@pytest.mark.parametrize(
    ("watt", "unit", "value", "is_forward"),
    [
        (-1500, UnitType.WATTS, 1500, False),
        (-65_535, UnitType.WATTS, 65_535, False),
        (-65_536, UnitType.KW, 65, False),
        (800, UnitType.WATTS, 800, True),
    ],
)
def test_loads_reduce_by_a_delta_or_run_more(watt: int, unit: UnitType, value: int, is_forward: bool) -> None:
    (one,) = load_controls(House(devices=(LOAD,)).makes(event(delta(watt))))
    assert one.TargetReduction_ is not None
    assert (one.TargetReduction_.type, one.TargetReduction_.value) == (unit, value)
    assert one.loadShiftForward is is_forward


def test_loads_reduce_to_a_set_point_from_their_baseline() -> None:
    (one,) = load_controls(
        House(devices=(replace(LOAD, power_w=Decimal(-5000)),)).makes(event(dispatch(2000)))
    )
    assert one.TargetReduction_ is not None
    assert one.TargetReduction_.value == 3000


def test_a_set_point_for_loads_without_a_baseline_is_refused() -> None:
    assert [one.code for one in House(devices=(LOAD,)).hears(event(dispatch(2000)))] == [469]


@pytest.mark.parametrize(("factor", "watt"), [("0.5", -1000), ("0", 0), ("1.5", -3000), ("3", -4000)])
def test_a_multiplier_is_of_the_baseline(factor: str, watt: int) -> None:
    house = House(devices=(replace(BATTERY, power_w=Decimal(-2000)),))
    assert watts(house.makes(event(signal("LOAD_DISPATCH", "multiplier", Decimal(factor))))) == [watt]


@pytest.mark.parametrize(("factor", "offset", "is_forward"), [("0.8", 2000, False), ("1.25", 2500, True)])
def test_a_multiplier_shifts_loads(factor: str, offset: int, is_forward: bool) -> None:
    (one,) = load_controls(
        House(devices=(HEATING,)).makes(event(signal("LOAD_DISPATCH", "multiplier", Decimal(factor))))
    )
    assert one.Offset_ is not None
    assert (one.Offset_.loadAdjustmentPercentageOffset, one.loadShiftForward) == (offset, is_forward)


def test_a_level_of_load_dispatch_needs_a_table() -> None:
    level = signal("LOAD_DISPATCH", "level", Decimal(2), unit=Unit.W)
    assert [one.code for one in House().hears(event(level))] == [460]
    table = {"LOAD_DISPATCH level": {2: LevelAction(dispatch=Decimal("0.5"), duty_pct=40)}}
    house = House(devices=(BATTERY, LOAD), programme=replace(PROGRAMME, tables=table))
    found = house.makes(event(level))
    assert watts(found) == [-2000]
    assert [one.DutyCycle_.normalValue for one in load_controls(found) if one.DutyCycle_] == [40]


def test_a_percentage_of_an_unknown_rating_is_refused() -> None:
    house = House(
        devices=(replace(BATTERY, setMaxChargeRateW=None, setMaxDischargeRateW=None, setMaxW=None),),
        programme=replace(PROGRAMME, target_mode=TargetMode.FIXED_W),
    )
    assert [one.code for one in house.hears(event(dispatch(2000)))] == [469]


def test_a_vehicle_is_charged_to_a_set_point() -> None:
    assert watts(House(devices=(EVSE,)).makes(event(dispatch(3000)))) == [-3000]


@pytest.mark.parametrize(
    ("ramp_s", "start", "rampTms"), [(300, -300, 30_000), (-300, 0, 30_000), (655, -655, 65_500)]
)
def test_a_ramp_leads_to_the_start_or_begins_there(ramp_s: int, start: int, rampTms: int) -> None:
    found = House().makes(event(dispatch(3000), ramp_up_s=ramp_s))
    assert spans(found) == [(start, HOUR)]
    assert [base.rampTms for base in bases(found)] == [rampTms]


def test_a_ramp_that_the_wire_cannot_say_is_made_in_steps() -> None:
    found = House(devices=(replace(BATTERY, power_w=Decimal(-1000)),)).makes(
        event(dispatch(3000), ramp_up_s=1200), at=T0 - 2 * HOUR
    )
    assert watts(found) == [-2000, -3000]
    assert spans(found) == [(-1200, -600), (-600, HOUR)]
    assert [base.rampTms for base in bases(found)] == [60_000, 60_000]


@pytest.mark.parametrize(("load_w", "percents"), [(-4000, [4000, 8000]), (0, [0, 0])])
def test_a_ramp_of_a_generator_that_draws_at_rest_begins_at_nothing(load_w: int, percents: list[int]) -> None:
    house = House(
        devices=(replace(PV, power_w=Decimal(-150)),),
        programme=replace(PROGRAMME, target_mode=TargetMode.FIXED_W),
    )
    found = house.makes(event(dispatch(load_w), ramp_up_s=1200), at=T0 - 2 * HOUR)
    assert [base.opModFixedW for base in bases(found)] == percents


def test_a_ramp_that_was_taken_long_ago_has_no_more_steps_than_one_of_a_day() -> None:
    house = House()
    house.hears(event(dispatch(3000), ramp_up_s=600))
    record = house.state.records["e1"]
    long = replace(record, event=replace(record.event, ramp_up_s=10 * 365 * 86_400))
    house.state = replace(house.state, records={"e1": long})
    found = bases(house.translated())
    assert 0 < len(found) <= 132
    assert {base.rampTms for base in found} == {65_500}


def test_only_the_first_interval_has_the_ramp() -> None:
    found = House().makes(event(dispatch(3000, 1000), ramp_up_s=300))
    assert [base.rampTms for base in bases(found)] == [30_000, None]


def combined() -> Device:
    return replace(PV, kind=Kind.COMBINED, setMaxChargeRateW=3000)


def test_generation_with_storage_goes_both_ways() -> None:
    assert watts(House(devices=(combined(),)).makes(event(dispatch(4000)))) == [-3000]
    assert watts(House(devices=(combined(),)).makes(event(dispatch(-4000)))) == [4000]
