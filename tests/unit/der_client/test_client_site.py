"""Limits of a connection point over several DERs. CSIP-AUS (SA TS 5573)."""

from dataclasses import replace

import pytest

from der_client.desired import Desired, Share
from der_client.device import Setpoint, VarSetpoint
from der_client.override import Override
from der_client.plan import Plan
from der_client.site import SiteRules
from der_client.site_desk import Heard, SiteDesk, SitePart
from der_client.site_split import split
from schemas import ReactivePower
from tests.unit.der_client.site_bench import PV, STORAGE, Bench, Unit, asked, limited, plan, watts

UNMETERED = SiteRules()


def pair(first_w: float = 10_000.0, second_w: float = 10_000.0, **changes: float) -> Bench:
    units = {"a": Unit(sun_w=first_w, power_w=first_w), "b": Unit(sun_w=second_w, power_w=second_w)}
    return Bench(units=units, load_w=changes.get("load_w", 0.0))


@pytest.mark.parametrize(
    ("total", "wanted", "most", "parts"),
    [
        (6.0, [4.0, 8.0], [10.0, 10.0], [2.0, 4.0]),
        (15.0, [4.0, 8.0], [10.0, 10.0], [6.25, 8.75]),
        (30.0, [4.0, 8.0], [10.0, 10.0], [10.0, 10.0]),
        (6.0, [0.0, 0.0], [10.0, 10.0], [3.0, 3.0]),
        (0.0, [4.0, 8.0], [10.0, 10.0], [0.0, 0.0]),
        (0.0, [0.0], [10.0], [0.0]),
        (5.0, [], [], []),
    ],
)
def test_an_amount_is_split_by_what_each_wants_and_then_by_room(
    total: float, wanted: list[float], most: list[float], parts: list[float]
) -> None:
    assert split(total, wanted, most) == pytest.approx(parts)


def test_without_limits_nothing_is_capped() -> None:
    bench = pair()
    bench.round(plan())

    assert bench.caps() == [None, None]


def test_a_generation_limit_is_split_by_available_power() -> None:
    bench = pair(3_000.0, 9_000.0)
    bench.round(limited(opModGenLimW=8_000), 3)

    assert bench.caps() == pytest.approx([2_000.0, 6_000.0])


def test_an_export_limit_leaves_what_the_site_takes_up() -> None:
    bench = pair(load_w=3_000.0)
    bench.round(limited(opModExpLimW=5_000), 8)

    assert bench.export_w == pytest.approx(5_000.0)


def test_without_a_meter_an_export_limit_is_one_of_generation() -> None:
    bench = pair(load_w=3_000.0)
    bench.metered, bench.rules = False, UNMETERED
    bench.__post_init__()
    bench.round(limited(opModExpLimW=5_000), 5)

    assert sum(unit.power_w for unit in bench.units.values()) == pytest.approx(5_000.0)


def test_with_its_meter_lost_a_site_assumes_no_load() -> None:
    bench = pair(load_w=3_000.0)
    bench.round(limited(opModExpLimW=5_000), 5)
    bench.metered = False
    bench.round(limited(opModExpLimW=5_000), 12)

    assert sum(unit.power_w for unit in bench.units.values()) == pytest.approx(5_000.0)


def test_a_load_that_goes_is_followed_at_once_and_one_that_comes_after_the_window() -> None:
    bench = pair(load_w=3_000.0)
    wanted = limited(opModExpLimW=5_000)
    bench.round(wanted, 8)
    bench.load_w = 1_000.0
    bench.round(wanted, 2)
    assert bench.export_w == pytest.approx(5_000.0)
    bench.load_w = 4_000.0
    bench.round(wanted, 3)
    assert bench.export_w == pytest.approx(2_000.0)
    bench.round(wanted, 6)
    assert bench.export_w == pytest.approx(5_000.0)


def test_a_meter_that_is_read_less_often_than_the_window_still_counts() -> None:
    bench = pair(load_w=3_000.0)
    wanted = limited(opModExpLimW=5_000)
    bench.round(wanted, 8)
    bench.metered = False
    bench.round(wanted, 8)

    assert bench.export_w == pytest.approx(5_000.0)


def test_generation_of_others_behind_the_meter_counts() -> None:
    bench = pair(load_w=-4_000.0)
    bench.round(limited(opModExpLimW=5_000), 8)

    assert bench.export_w == pytest.approx(5_000.0)
    assert sum(unit.power_w for unit in bench.units.values()) == pytest.approx(1_000.0)


def test_where_others_export_more_than_the_limit_the_ders_give_nothing() -> None:
    bench = pair(load_w=-9_000.0)
    bench.round(limited(opModExpLimW=5_000), 3)

    assert bench.caps() == [0.0, 0.0]


def test_a_battery_that_charges_takes_up_what_may_not_be_exported() -> None:
    units = {"pv": Unit(sun_w=6_000.0), "battery": Unit(nameplate=STORAGE)}
    bench = Bench(units=units, load_w=1_000.0)
    bench.round(plan(opModExpLimW=watts(0), opModStorageTargetW=watts(-3_000)), 10)

    assert [unit.power_w for unit in units.values()] == pytest.approx([4_000.0, -3_000.0])
    assert bench.export_w == pytest.approx(0.0)


def test_a_battery_that_stops_charging_makes_room_before_it_stops() -> None:
    units = {"battery": Unit(nameplate=STORAGE), "pv": Unit(sun_w=6_000.0)}
    bench = Bench(units=units)
    bench.round(plan(opModExpLimW=watts(0), opModStorageTargetW=watts(-3_000)), 10)
    bench.round(plan(opModExpLimW=watts(0)))

    assert bench.export_w <= 1e-6


def test_a_device_goes_up_only_as_far_as_another_has_come_down() -> None:
    bench = pair(10_000.0, 1_000.0)
    bench.round(limited(opModGenLimW=8_000), 3)
    slow = bench.units["a"]
    slow.obeys = False
    bench.units["b"].sun_w = 10_000.0
    bench.round(limited(opModGenLimW=8_000), 2)
    assert (slow.told.cap_w or 0) < slow.power_w
    assert sum(unit.power_w for unit in bench.units.values()) <= 8_000.0
    slow.obeys = True
    bench.round(limited(opModGenLimW=8_000), 3)

    assert bench.caps() == pytest.approx([4_000.0, 4_000.0])


def test_a_silent_device_keeps_its_part_where_there_is_no_meter() -> None:
    bench = pair()
    bench.metered, bench.rules = False, UNMETERED
    bench.__post_init__()
    bench.round(limited(opModGenLimW=8_000), 3)
    bench.units["a"].answers = False
    bench.round(limited(opModGenLimW=8_000), 20)

    assert bench.units["b"].told.cap_w == pytest.approx(4_000.0)


def test_what_a_silent_device_gives_is_seen_by_the_meter() -> None:
    bench = pair()
    bench.round(limited(opModExpLimW=8_000), 3)
    bench.units["a"].answers = False
    bench.units["a"].obeys = False
    bench.units["a"].power_w = 1_000.0
    bench.round(limited(opModExpLimW=8_000), 20)

    assert bench.units["b"].told.cap_w == pytest.approx(7_000.0)


def test_a_device_that_does_not_hold_limits_is_made_up_for_by_the_others() -> None:
    bench = pair()
    first = Heard(nameplate=PV, telemetry=Unit(power_w=6_000.0).telemetry, is_obeying=False)
    bench.metered = False
    bench.desk.desired("a", limited(opModGenLimW=8_000), first)
    found = bench.desk.desired(
        "b", limited(opModGenLimW=8_000), Heard(nameplate=PV, telemetry=Unit().telemetry)
    )

    assert found.cap_w == 0.0


@pytest.mark.parametrize(("mode", "charge_w"), [("opModImpLimW", 2_500.0), ("opModLoadLimW", 4_000.0)])
def test_limits_of_import_and_load_bound_charging(mode: str, charge_w: float) -> None:
    units = {"one": Unit(nameplate=STORAGE), "two": Unit(nameplate=STORAGE)}
    bench = Bench(units=units, load_w=1_500.0)
    bench.round(asked({mode: watts(4_000), "opModStorageTargetW": watts(-10_000)}), 8)

    assert [unit.power_w for unit in units.values()] == pytest.approx([-charge_w / 2, -charge_w / 2])


def test_with_its_meter_lost_nothing_charges_under_an_import_limit() -> None:
    bench = Bench(units={"one": Unit(nameplate=STORAGE)})
    wanted = plan(opModImpLimW=watts(4_000), opModStorageTargetW=watts(-3_000))
    bench.round(wanted, 3)
    bench.metered = False
    bench.round(wanted, 12)

    assert bench.units["one"].told.setpoint.max_charge_w == 0.0


def test_a_site_that_never_had_a_meter_charges_up_to_the_import_limit() -> None:
    bench = Bench(units={"one": Unit(nameplate=STORAGE)}, rules=UNMETERED, metered=False)
    bench.round(plan(opModImpLimW=watts(2_000), opModStorageTargetW=watts(-3_000)), 3)

    assert bench.units["one"].power_w == -2_000.0


def test_storage_that_is_told_to_charge_has_its_part_of_the_import_first() -> None:
    units = {"one": Unit(nameplate=STORAGE), "two": Unit(nameplate=replace(STORAGE, max_charge_w=1_000.0))}
    bench = Bench(units=units)
    bench.round(plan(opModLoadLimW=watts(3_000), opModStorageTargetW=watts(-3_000)), 3)

    assert [unit.told.setpoint.max_charge_w for unit in units.values()] == pytest.approx([2_500.0, 500.0])


def test_a_limit_comes_in_on_its_ramp_and_goes_on_that_of_the_default() -> None:
    bench = pair(5_000.0, 5_000.0)
    bench.round(plan())
    coming = [capped_w(bench, limited_on_ramp()) for _ in range(8)]
    going = [capped_w(bench, plan(grad_w=1_000)) for _ in range(4)]

    assert coming == pytest.approx([9_000, 8_000, 7_000, 6_000, 5_000, 4_000, 4_000, 4_000])
    assert going == pytest.approx([6_000.0, 8_000.0, 10_000.0, 12_000.0])


def limited_on_ramp() -> Plan:
    return plan(opModGenLimW=watts(4_000), ramp_tms=600, grad_w=1_000)


def capped_w(bench: Bench, wanted: Plan) -> float:
    """Sum of the caps one round later."""
    bench.round(wanted)
    return sum(cap or 0.0 for cap in bench.caps())


def test_targets_in_watts_and_vars_are_split_and_add_up() -> None:
    bench = pair(3_000.0, 9_000.0)
    told = bench.round(
        plan(opModTargetW=watts(6_000), opModTargetVar=ReactivePower(multiplier=0, value=1_000)), 2
    )

    assert [one.setpoint.target_w for one in told.values()] == pytest.approx([1_500.0, 4_500.0])
    assert [one.setpoint.var for one in told.values()] == [VarSetpoint(value=500.0, ref=0)] * 2


def test_a_single_device_has_the_whole() -> None:
    bench = Bench(units={"one": Unit()})
    told = bench.round(plan(opModTargetW=watts(6_000), opModMaxLimW=9_000))["one"]

    assert (told.setpoint.target_w, told.setpoint.max_w_pct, told.cap_w) == (6_000.0, 90.0, None)


def test_the_parts_of_a_default_are_by_ratings() -> None:
    bench = Bench(units={"pv": Unit(), "battery": Unit(nameplate=STORAGE)})
    bench.round(plan())

    assert bench.desk.lasting_share("pv", PV) == Share(give=2 / 3, take=0.0, storage=0.0, var=0.5)
    assert bench.desk.lasting_share("battery", STORAGE) == Share(give=1 / 3, take=1.0, storage=1.0, var=0.5)


def test_an_operator_who_charges_one_battery_stays_within_the_import_limit_of_the_site() -> None:
    bench = Bench({"a": Unit(STORAGE), "b": Unit(STORAGE)}, rules=SiteRules(), metered=False)
    wish = bench.round(limited(opModImpLimW=1_000, opModExpLimW=2_000), 2)["a"]

    ordered = SitePart("a", bench.desk).ordered(Override(target_w=-5_000).desired(), wish)

    assert ordered.setpoint.target_w == -5_000
    assert (ordered.setpoint.max_charge_w, ordered.cap_w) == (wish.setpoint.max_charge_w, wish.cap_w)
    assert wish.setpoint.max_charge_w == 500.0


def test_an_operator_of_a_device_that_stands_alone_has_no_program_beside() -> None:
    order = Override(target_w=-5_000).desired()
    wish = Desired(setpoint=Setpoint(max_charge_w=1_000), cap_w=10.0)

    assert SitePart("a").ordered(order, wish) == order


def test_a_start_does_not_take_the_devices_that_are_not_heard_yet_for_others() -> None:
    bench = pair(6_000.0, 6_000.0)
    bench.desk = SiteDesk(bench.rules, bench.meter, lambda: bench.now_s, frozenset({"a", "b"}))
    bench.units["b"].answers = False
    bench.round(limited(opModExpLimW=9_000))
    first = bench.units["a"].told.cap_w
    bench.units["b"].answers = True
    bench.round(limited(opModExpLimW=9_000), 8)

    assert first == 6_000.0
    assert bench.export_w == pytest.approx(9_000.0)


def test_devices_that_are_read_more_often_than_the_meter_do_not_swing() -> None:
    bench = pair(6_000.0, 6_000.0, load_w=2_000.0)
    bench.desk = SiteDesk(bench.rules, bench.meter, lambda: bench.now_s, frozenset({"a", "b"}))
    exports = [exported_w(bench, limited(opModExpLimW=3_000), metered=n % 5 == 0) for n in range(40)]

    assert exports[20:] == pytest.approx([3_000.0] * 20)
    assert min(exports[2:]) >= 0.0


def exported_w(bench: Bench, wanted: Plan, *, metered: bool) -> float:
    """Export one round later."""
    bench.metered = metered
    bench.round(wanted)
    return bench.export_w


def test_a_battery_charges_more_only_as_far_as_another_has_come_down() -> None:
    bench = Bench({"a": Unit(STORAGE), "b": Unit(STORAGE)}, rules=UNMETERED, metered=False)
    both = plan(opModImpLimW=watts(1_000), opModTargetW=watts(-8_000))

    seen = [[told.setpoint.max_charge_w for told in bench.round(both).values()] for _ in range(3)]

    assert seen == [[1_000.0, 0.0], [500.0, 0.0], [500.0, 500.0]]


@pytest.mark.parametrize(
    ("period_s", "lost_s", "expected_s"), [(1.0, 10.0, 10.0), (1.0, 30.0, 30.0), (10.0, 10.0, 20.0)]
)
def test_what_is_read_seldom_is_not_lost_between_two_readings(
    period_s: float, lost_s: float, expected_s: float
) -> None:
    rules = SiteRules.of(is_metered=True, period_s=period_s, lost_s=lost_s)

    assert (rules.is_metered, rules.period_s, rules.stale_s) == (True, period_s, expected_s)


def test_until_its_meter_is_read_first_a_site_goes_on_and_no_further() -> None:
    """For three seconds after a start; then no load is assumed."""
    bench = Bench(units={"pv": Unit(sun_w=10_000.0, power_w=7_000.0)}, load_w=3_000.0, metered=False)
    wanted = limited(opModExpLimW=5_000)
    powers_w = []
    for _ in range(5):
        bench.round(wanted)
        powers_w.append(bench.units["pv"].power_w)
    bench.metered = True
    bench.round(wanted, 8)

    assert powers_w == [7_000.0] * 2 + [5_000.0] * 3
    assert bench.export_w == pytest.approx(5_000.0)


def test_until_its_meter_is_read_first_a_battery_charges_on_and_no_further() -> None:
    bench = Bench(units={"battery": Unit(nameplate=STORAGE, power_w=-2_000.0)}, metered=False)
    wanted = plan(opModImpLimW=watts(4_000), opModStorageTargetW=watts(-5_000))
    powers_w = []
    for _ in range(4):
        bench.round(wanted)
        powers_w.append(bench.units["battery"].power_w)

    assert powers_w == [-2_000.0] * 2 + [0.0] * 2


def test_limits_that_need_no_meter_wait_for_none() -> None:
    units = {"pv": Unit(power_w=7_000.0), "battery": Unit(nameplate=STORAGE, power_w=-4_000.0)}
    bench = Bench(units=units, metered=False)
    bench.round(limited(opModGenLimW=3_000, opModLoadLimW=1_000))

    assert [unit.power_w for unit in units.values()] == [3_000.0, 0.0]
    assert units["battery"].told.setpoint.max_charge_w == 1_000.0
