"""Several events, several devices: who wins, which limit holds, what goes out once, who draws at random."""

from dataclasses import replace
from decimal import Decimal

import pytest

from openadr_ven.events import Code, EventStatus, Interval, Randomization, Signal, Unit
from openadr_ven.to_sep2 import (
    Device,
    Envelope,
    Held,
    Kind,
    LevelAction,
    Motion,
    TargetMode,
    changes,
    done,
    judge,
)
from openadr_ven.to_sep2.publication import HomeKind
from schemas import DERControl, EndDeviceControl
from tests.unit.openadr_ven.house import (
    BATTERY,
    CONTEXT,
    EVSE,
    HEATING,
    HOUR,
    LOAD,
    PEN,
    PROGRAMME,
    PV,
    T0,
    House,
    bases,
    dispatch,
    event,
    event_3,
    load_controls,
    ordered,
    said,
    signal,
    simple,
    spans,
    texts,
    watts,
)

CHARGING = replace(BATTERY, motion=Motion.CHARGING)
AUS = replace(BATTERY, envelope=Envelope.CSIP_AUS)
SECOND = replace(BATTERY, resource="second", name="second", group="g-second", lFDI="AB")
TWO = {"g-both": frozenset({"battery", "second"})}


def limit(way: str, watt: int) -> Signal:
    return signal(f"{way}_CAPACITY_LIMIT", "", Decimal(watt), unit=Unit.W)


def test_the_better_priority_wins_and_the_other_holds_beside_it() -> None:
    long = event(dispatch(1000, 1000, 1000), eventID="long", priority=2)
    short = event(dispatch(2000), eventID="short", priority=1, start=T0 + HOUR)
    found = House().makes(long, short)
    assert watts(found) == [-1000, -2000, -1000]
    assert spans(found) == [(0, HOUR), (HOUR, 2 * HOUR), (2 * HOUR, 3 * HOUR)]


def test_an_event_that_is_cut_in_two_goes_on_behind_the_other() -> None:
    long = event(dispatch(1000), eventID="long", priority=0)
    short = event(dispatch(2000, length_s=600), eventID="short", priority=9, start=T0 + 600)
    found = House().makes(long, short)
    assert list(zip(watts(found), spans(found), strict=True)) == [
        (-1000, (0, 600)),
        (-2000, (600, 1200)),
        (-1000, (1200, HOUR)),
    ]
    assert len({one.mRID for one in ordered(found)}) == 3


def test_intervals_that_were_stored_with_one_id_keep_their_own_values() -> None:
    house = House()
    house.hears(event_3(signal("DISPATCH_SETPOINT", "", Decimal(3000), Decimal(-2000), unit=Unit.W)))
    record = house.state.records["e1"]
    (held,) = record.event.signals
    alike = replace(held, intervals=tuple(replace(one, uid=0) for one in held.intervals))
    record = replace(record, event=replace(record.event, signals=(alike,)))
    house.state = replace(house.state, records={"e1": record})
    found = house.translated()
    assert list(zip(watts(found), spans(found), strict=True)) == [
        (-3000, (0, HOUR)),
        (2000, (HOUR, 2 * HOUR)),
    ]


def test_of_two_limits_the_tightest_holds_whatever_the_priority() -> None:
    wide = event_3(limit("EXPORT", 3000), eventID="wide", priority=0)
    tight = event_3(limit("EXPORT", 1000), eventID="tight", priority=5, start=T0 + 600, duration_s=600)
    found = House(devices=(PV,)).makes(wide, tight)
    assert [base.opModMaxLimW for base in bases(found)] == [6000, 2000, 6000]


def test_a_set_point_is_clamped_to_the_limit_of_the_output() -> None:
    found = House().makes(
        event_3(limit("EXPORT", 1000), eventID="limit", start=T0 + 600, duration_s=600),
        event_3(signal("DISPATCH_SETPOINT", "", Decimal(-3000), unit=Unit.W), eventID="set"),
    )
    assert [one for one in watts(found) if one is not None] == [3000, 1000, 3000]
    assert "3000 W clamped to 1000 W by a limit" in texts(found)


def test_a_set_point_is_clamped_to_the_limit_of_the_charge() -> None:
    found = House(devices=(CHARGING,)).makes(
        event(signal("LOAD_CONTROL", "x-loadControlCapacity", Decimal("0.25")), eventID="limit"),
        event(dispatch(3000), eventID="set"),
    )
    assert watts(found) == [-1000]


def test_simple_is_not_heeded_beside_a_richer_signal_of_its_event() -> None:
    assert watts(House(devices=(CHARGING,)).makes(event(simple(2), dispatch(1500)))) == [-1500]


def test_a_level_stops_the_charge_that_another_event_dispatches() -> None:
    found = House(devices=(CHARGING,)).makes(
        event(simple(2), eventID="shed"), event(dispatch(3000), eventID="set", priority=1)
    )
    assert watts(found) == [0]


@pytest.mark.parametrize("motion", [Motion.DISCHARGING, Motion.HOLDING, Motion.UNKNOWN])
def test_a_battery_that_does_not_charge_is_left_alone_by_a_level(motion: Motion) -> None:
    assert House(devices=(replace(BATTERY, motion=motion),)).makes(event(simple(3))).items == {}


def test_csip_aus_limits_the_import_whatever_the_battery_does() -> None:
    (base,) = bases(House(devices=(AUS,)).makes(event(simple(2))))
    assert (said(base, "opModImpLimW"), base.opModTargetW) == (0, None)


def test_a_level_may_discharge_where_the_programme_says_so() -> None:
    levels = {3: LevelAction(dispatch=Decimal(-1), duty_pct=0)}
    house = House(devices=(BATTERY, PV, EVSE), programme=replace(PROGRAMME, simple_levels=levels))
    found = house.makes(event(simple(3)))
    assert watts(found) == [5000, 0]


def test_a_limit_of_the_charge_never_makes_a_battery_charge_more() -> None:
    slow = replace(CHARGING, power_w=Decimal(-500))
    capacity = signal("LOAD_CONTROL", "x-loadControlCapacity", Decimal("0.5"))
    (base,) = bases(House(devices=(slow,)).makes(event(capacity)))
    assert base.opModFixedW == -1250


def test_an_import_limit_without_csip_aus_bounds_charging_only() -> None:
    devices = (CHARGING, EVSE, replace(LOAD, site="home"))
    one_site = tuple(replace(one, site="home") for one in devices)
    found = House(devices=one_site).makes(event_3(limit("IMPORT", 5600)))
    assert [base.opModFixedW for base in bases(found)] == [-5000]
    assert [one.DutyCycle_.normalValue for one in load_controls(found) if one.DutyCycle_] == [50]
    assert "only charging can be bounded" in texts(found)


def test_an_export_limit_is_split_over_sites_and_rounded_down() -> None:
    small = replace(PV, resource="small", name="small", group="g-small", setMaxW=3000)
    found = House(devices=(PV, small)).makes(event_3(limit("EXPORT", 2000)))
    assert [base.opModMaxLimW for base in bases(found)] == [2500, 2500]
    assert "split over 2 sites" in texts(found)


def test_ders_of_one_site_share_its_limit() -> None:
    both = (replace(PV, site="home"), replace(BATTERY, site="home"))
    found = House(devices=both).makes(event_3(limit("EXPORT", 3333)))
    assert [base.opModMaxLimW for base in bases(found)] == [3333, 3333]


def test_generation_has_no_load_to_control() -> None:
    capacity = signal("LOAD_CONTROL", "x-loadControlCapacity", Decimal("0.5"))
    house = House(devices=(PV,))
    assert [one.code for one in house.hears(event(capacity))] == [Code.SIGNAL_NOT_SUPPORTED]
    mixed = House(devices=(PV, EVSE))
    found = judge(event(capacity), ["pv", "evse"], mixed.fleet, mixed.programmes)
    assert (found.code, list(found.refusals)) == (Code.OK, ["pv"])


def test_a_charge_state_without_a_state_of_charge_is_refused() -> None:
    goal = signal("CHARGE_STATE", "multiplier", Decimal("0.8"))
    assert [one.code for one in House().hears(event(goal))] == [Code.SIGNAL_NOT_SUPPORTED]


def test_a_vehicle_gets_a_goal_for_its_flow_reservation() -> None:
    car = replace(EVSE, setMaxWh=60_000, soc=Decimal("0.5"))
    found = House(devices=(car,)).makes(event(signal("CHARGE_STATE", "multiplier", Decimal("0.8"))))
    assert found.items == {}
    assert [(goal.device, goal.energy_wh, goal.soc_at_end) for goal in found.goals] == [
        ("evse", 18_000, Decimal("0.8"))
    ]


def test_a_goal_beyond_the_rate_is_clamped_with_a_note() -> None:
    held = replace(BATTERY, soc=Decimal("0.1"))
    found = House(devices=(held,)).makes(event(signal("CHARGE_STATE", "multiplier", Decimal(1))))
    assert watts(found) == [-4000]
    assert "4000 W do not reach the goal" in texts(found)


@pytest.mark.parametrize(
    ("soc", "watt", "length_s"), [("0.8", 5000, 2160), ("0.1", -4000, 3600), ("0.5", 0, None)]
)
def test_a_charge_state_without_an_end_stops_once_it_is_reached(
    soc: str, watt: int, length_s: int | None
) -> None:
    """Half of 10 kWh, at 5 kW out or 4 kW in: then nothing flows, day after day."""
    house = House(devices=(replace(BATTERY, soc=Decimal(soc)),))
    house.hears(event(signal("CHARGE_STATE", "multiplier", Decimal("0.5"), length_s=None)))
    found = house.translated()
    begins = 0 if length_s is None else length_s
    led = [] if length_s is None else [(watt, (0, length_s))]
    day = 24 * HOUR
    assert list(zip(watts(found), spans(found), strict=True)) == [*led, (0, (begins, begins + day))]
    late = house.translated(T0 + 30 * HOUR)
    assert list(zip(watts(late), spans(late), strict=True))[-1] == (0, (begins + day, begins + 2 * day))


@pytest.mark.parametrize(
    ("context", "resources", "code"),
    [
        ("http://other", ["battery"], Code.TARGET_MISMATCH),
        (CONTEXT, ["ghost"], Code.DEPLOYMENT_OTHER),
        (CONTEXT, ["battery"], Code.OK),
    ],
)
def test_programme_and_resources_are_resolved_before_one_opts_in(
    context: str, resources: list[str], code: Code
) -> None:
    house = House()
    found = judge(event(dispatch(1000), marketContext=context), resources, house.fleet, house.programmes)
    assert found.code == code


def test_device_classes_pick_devices_by_category() -> None:
    fridge = replace(LOAD, resource="house", deviceCategory=1 << 7)
    pump = replace(LOAD, resource="house", name="pump", group="g-pump", deviceCategory=1 << 4)
    shed = replace(simple(2), device_classes=("Pool_Pump",))
    house = House(devices=(fridge, pump))
    house.hears(event(simple(2)))
    (made,) = [
        one
        for one in ordered(house.translated())
        if isinstance(one.value, EndDeviceControl) and one.home.group == "g-pump"
    ]
    assert isinstance(made.value, EndDeviceControl)
    assert made.value.deviceCategory == "00000010"
    found = judge(event(shed), ["house"], house.fleet, house.programmes)
    assert found.refusals == {}
    only = House(devices=(fridge,))
    assert judge(event(shed), ["house"], only.fleet, only.programmes).code == Code.TARGET_MISMATCH


def test_a_test_event_gives_nothing() -> None:
    assert House().makes(event(dispatch(1000), is_test=True)).items == {}


def test_what_is_the_same_for_a_whole_group_is_published_once() -> None:
    house = House(
        devices=(replace(EVSE, name="battery"), replace(EVSE, name="second", group="g-second", lFDI="AB")),
        groups=TWO,
    )
    found = ordered(house.makes(event(simple(2))))
    assert [(one.home.group, one.devices) for one in found] == [("g-both", ("battery", "second"))]


def test_a_group_with_others_in_it_is_not_used() -> None:
    groups = {"g-both": frozenset({"battery", "pv"})}
    found = ordered(House(devices=(CHARGING, PV), groups=groups).makes(event(simple(2))))
    assert [one.home.group for one in found] == ["g-battery"]


def starts(found_house: House, window_s: int) -> list[tuple[int, int | None]]:
    shed = event(simple(2), randomization=Randomization(late_s=window_s))
    found = ordered(found_house.makes(shed))
    return [
        (one.start - T0, one.value.randomizeStart)
        for one in found
        if isinstance(one.value, EndDeviceControl | DERControl)
    ]


def test_a_fleet_draws_its_start_itself_and_the_gateway_adds_nothing() -> None:
    house = House(devices=(EVSE, HEATING), offset_s=77)
    assert starts(house, 300) == [(0, 300), (0, 300)]


def test_the_gateway_draws_for_a_single_device() -> None:
    assert starts(House(devices=(EVSE,), offset_s=77), 300) == [(77, None)]


def test_the_gateway_draws_where_the_window_is_more_than_an_hour() -> None:
    assert starts(House(devices=(EVSE, HEATING), offset_s=77), 3601) == [(77, None), (77, None)]


def test_a_group_of_devices_draws_itself() -> None:
    assert starts(House(devices=(replace(EVSE, lFDI=""),), offset_s=77), 3600) == [(0, 3600)]


def test_a_window_around_the_start_is_told_to_devices_as_a_delay() -> None:
    window = Randomization(early_s=120, late_s=60)
    house = House(devices=(EVSE, HEATING), offset_s=-120)
    shed = event_3(signal("SIMPLE", "", Decimal(2)), randomization=window)
    found = house.makes(shed)
    assert {said(one.value, "randomizeStart") for one in ordered(found)} == {180}
    assert spans(found) == [(-120, HOUR - 120)] * 2


def test_what_devices_end_by_themselves_is_not_cancelled_however_early_the_gateway_drew() -> None:
    window = Randomization(early_s=120, late_s=60)
    house = House(devices=(EVSE, HEATING), offset_s=-120)
    house.hears(event_3(signal("SIMPLE", "", Decimal(2)), randomization=window))
    held = Held()
    for step in changes(held, house.translated(), T0 - HOUR):
        held = done(held, step)
    for at in range(T0 + HOUR - 130, T0 + HOUR + 70, 10):
        assert changes(held, house.translated(at), at) == ()


def test_only_what_begins_with_an_event_begins_at_random() -> None:
    long = event(simple(1), eventID="long", priority=2, randomization=Randomization(late_s=300))
    short = event(
        signal("SIMPLE", "level", Decimal(2), length_s=600), eventID="short", priority=1, start=T0 + 600
    )
    found = ordered(House(devices=(EVSE, HEATING)).makes(long, short))
    mine = [one for one in found if one.home.group == "g-evse"]
    windows = [(one.start - T0, said(one.value, "randomizeStart")) for one in mine]
    assert windows == [(0, 300), (600, None), (1200, None)]


def behind_one_inverter(envelope: Envelope) -> Device:
    return replace(
        PV, kind=Kind.COMBINED, envelope=envelope, motion=Motion.CHARGING, setMaxChargeRateW=3000, site="home"
    )


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_battery_behind_the_inverter_of_a_generator_is_left_alone_by_a_level(level: int) -> None:
    found = House(devices=(behind_one_inverter(Envelope.CSIP),)).makes(event(simple(level)))
    assert found.items == {}
    assert "generation would be curtailed" in texts(found)


def test_a_battery_behind_the_inverter_of_a_generator_refuses_limits_of_its_charge() -> None:
    house = House(devices=(behind_one_inverter(Envelope.CSIP),))
    capacity = signal("LOAD_CONTROL", "x-loadControlCapacity", Decimal("0.5"))
    assert judge(event(capacity), ["pv"], house.fleet, house.programmes).code == 460
    assert judge(event_3(limit("IMPORT", 100)), ["pv"], house.fleet, house.programmes).code == 460


def test_with_csip_aus_its_import_is_limited() -> None:
    (base,) = bases(House(devices=(behind_one_inverter(Envelope.CSIP_AUS),)).makes(event(simple(2))))
    assert (said(base, "opModImpLimW"), base.opModTargetW) == (0, None)


def open_ended() -> Signal:
    return Signal(
        signalID="s1",
        signalName="LOAD_DISPATCH",
        signalType="setpoint",
        unit=Unit.W,
        intervals=(Interval(uid=0, duration_s=None, values=(Decimal(1000),)),),
    )


def test_what_has_no_end_is_renewed_in_pieces_that_keep_their_mrids() -> None:
    house = House(programme=replace(PROGRAMME, horizon_s=HOUR))
    first = house.makes(event(open_ended(), duration_s=None), at=T0)
    assert spans(first) == [(0, HOUR)]
    assert first.wake_at == T0 + HOUR // 2
    later = house.translated(T0 + HOUR // 2)
    assert spans(later) == [(0, HOUR), (HOUR, 2 * HOUR)]
    assert set(first.items) < set(later.items)
    assert later.wake_at is not None
    assert later.wake_at > T0 + HOUR // 2


def test_what_is_longer_than_the_wire_can_say_comes_in_pieces_up_to_its_end() -> None:
    whole_s = 2**32 - 1
    length_s = whole_s + HOUR // 2
    house = House(programme=replace(PROGRAMME, horizon_s=HOUR))
    long = replace(open_ended(), intervals=(Interval(uid=0, duration_s=length_s, values=(Decimal(1000),)),))

    first = house.makes(event(long, duration_s=length_s), at=T0)
    assert spans(first) == [(0, HOUR)]
    assert first.wake_at == T0 + HOUR // 2

    last = spans(house.translated(T0 + length_s - HOUR // 4))
    assert last == [(whole_s // HOUR * HOUR, length_s)]


def test_what_the_wire_can_just_say_is_one_event() -> None:
    length_s = 2**32 - 1
    long = replace(open_ended(), intervals=(Interval(uid=0, duration_s=length_s, values=(Decimal(1000),)),))

    assert spans(House().makes(event(long, duration_s=length_s), at=T0)) == [(0, length_s)]


def test_a_subscription_is_the_default_while_it_holds() -> None:
    right = signal("EXPORT_CAPACITY_SUBSCRIPTION", "", Decimal(2000), unit=Unit.W)
    house = House(devices=(AUS,))
    before = house.makes(event_3(right))
    assert (before.defaults, before.wake_at) == ({}, T0)
    (held,) = house.translated(T0).defaults.values()
    assert said(held.base, "opModExpLimW") == 2000
    assert house.translated(T0 + HOUR).defaults == {}


def test_a_programme_falls_back_to_its_own_default() -> None:
    house = House(
        devices=(PV, AUS), programme=replace(PROGRAMME, fallback_export_w=1500, fallback_import_w=900)
    )
    found = {one.home.group: one.base for one in house.translated().defaults.values()}
    assert found["g-pv"].opModMaxLimW == 3000
    aus = found["g-battery"]
    assert (said(aus, "opModExpLimW"), said(aus, "opModImpLimW")) == (1500, 900)


def test_mrids_end_with_the_pen_and_follow_from_their_cause() -> None:
    found, again = House().makes(event(dispatch(1000))), House().makes(event(dispatch(1000)), at=T0 - 60)
    assert list(found.items) == list(again.items)
    (one,) = ordered(found)
    assert one.mRID == ordered(again)[0].mRID
    assert int(one.mRID[-8:], 16) == PEN
    assert int(one.home.mRID[-8:], 16) == PEN
    assert len(one.mRID) == 32


def test_another_vtn_has_other_mrids() -> None:
    other = House(programme=replace(PROGRAMME, vtn="vtn-2")).makes(event(dispatch(1000)))
    assert not set(other.items) & set(House().makes(event(dispatch(1000))).items)


def test_the_description_is_the_event_and_fits() -> None:
    (one,) = ordered(House().makes(event(dispatch(1000), eventID="e" * 40)))
    assert said(one.value, "description") == "e" * 32


def test_the_homes_are_programs_of_the_programme() -> None:
    found = House(devices=(BATTERY, EVSE)).makes(event(dispatch(1000)), event(simple(2), eventID="e2"))
    kinds = {one.home.kind: (one.home.primacy, one.home.programme) for one in ordered(found)}
    assert kinds[HomeKind.DER] == (5, "Demand response")
    assert set(kinds) == {HomeKind.DER, HomeKind.DRLC}


def test_a_cancelled_event_of_a_fleet_is_gone_at_once_and_one_of_a_single_device_when_it_stops() -> None:
    window = Randomization(late_s=300)
    fleet, single = House(devices=(EVSE, HEATING), offset_s=77), House(devices=(EVSE,), offset_s=77)
    for house in (fleet, single):
        house.hears(event(simple(2), randomization=window), at=T0)
    off = event(simple(2), modification=1, randomization=window, eventStatus=EventStatus.CANCELLED)
    assert fleet.makes(off, at=T0 + 600).items == {}
    held = single.makes(off, at=T0 + 600)
    assert [end for _, end in spans(held)] == [677]
    assert held.wake_at == T0 + 677


def test_a_percentage_stands_for_a_set_point_where_the_programme_says_so() -> None:
    house = House(programme=replace(PROGRAMME, target_mode=TargetMode.FIXED_W))
    assert [base.opModFixedW for base in bases(house.makes(event(dispatch(2000))))] == [-5000]


def test_a_device_of_another_kind_is_no_der() -> None:
    site = Device(resource="s", name="s", group="g", kind=Kind.SITE)
    house = House(devices=(site,))
    assert judge(event_3(limit("EXPORT", 1)), ["s"], house.fleet, house.programmes).code == 460
