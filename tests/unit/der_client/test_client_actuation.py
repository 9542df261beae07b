from dataclasses import replace

import pytest

from der_client.actuation import Actuation
from der_client.device import (
    Applied,
    BatteryState,
    CurvePoint,
    CurveSetpoint,
    DroopSetpoint,
    Fault,
    FaultKind,
    PowerFactorSetpoint,
    Reversion,
    Setpoint,
    Telemetry,
    VarSetpoint,
)
from der_client.fallback import field_of, without
from der_client.plan import Plan, reversion_of, setpoint_text
from der_client.settings import ControlSettings
from function_sets import ModeSource
from schemas import ActivePower
from tests.unit.der_client.plates import plate

SETTINGS = ControlSettings(readback_limit=3, retry_s=60.0)
FAULT = Fault(kind=FaultKind.READBACK, detail="reads 0", point="704.WMaxLimPct")
MODES = frozenset({"opModMaxLimW", "opModTargetW"})
PV = replace(plate(10_000, 10_000, 4_000), modes=MODES)
STORAGE = replace(PV, max_charge_w=5_000.0, max_discharge_w=8_000.0)
READING = Telemetry(power_w=0.0, reactive_var=0.0)
BATTERY = BatteryState(
    voltage_v=50.0,
    current_a=0.0,
    soc_pct=50.0,
    soh_pct=100.0,
    temperature_c=20.0,
    charge_limit_a=100.0,
    discharge_limit_a=100.0,
    charge_voltage_v=56.0,
)


def after(*results: Applied | Fault) -> Actuation:
    actuation = Actuation()
    for now, result in enumerate(results):
        actuation = actuation.after(result, float(now), SETTINGS)
    return actuation


def test_three_read_backs_that_differ_give_a_control_up() -> None:
    actuation = after(FAULT, FAULT, FAULT)

    assert actuation.blocked(3.0) == {"max_w_pct"}
    assert actuation.failed == {"max_w_pct": FAULT}


def test_a_success_in_between_starts_the_count_anew() -> None:
    assert after(FAULT, FAULT, Applied(), FAULT).failed == {}


def test_a_control_that_was_given_up_is_tried_again_after_its_time() -> None:
    actuation = after(FAULT, FAULT, FAULT)

    assert actuation.blocked(61.9) == {"max_w_pct"}
    assert actuation.blocked(62.0) == frozenset()


def test_a_success_without_the_control_does_not_heal_it() -> None:
    actuation = after(FAULT, FAULT, FAULT, Applied())

    assert actuation.failed == {"max_w_pct": FAULT}


def test_a_success_when_tried_again_heals_it() -> None:
    actuation = after(FAULT, FAULT, FAULT).after(Applied(), 70.0, SETTINGS)

    assert actuation.failed == {}


def test_a_failure_when_tried_again_gives_it_up_at_once() -> None:
    actuation = after(FAULT, FAULT, FAULT).after(FAULT, 70.0, SETTINGS)

    assert actuation.blocked(71.0) == {"max_w_pct"}


def test_a_device_that_does_not_answer_has_not_refused() -> None:
    silent = Fault(kind=FaultKind.NO_ANSWER, detail="timeout")

    assert after(silent, silent, silent) == Actuation()


@pytest.mark.parametrize(
    ("point", "field"),
    [
        ("704.WMaxLimPctEna", "max_w_pct"),
        ("704.WSet", "target_w"),
        ("704.PFWInj.PF", "pf_inject"),
        ("704.PFWInjEna", "pf_inject"),
        ("704.VarSetPct", "var"),
        ("703.ES", "energize"),
        ("704.WRmp", "grad_w_pct_per_s"),
        (None, "target_w"),
    ],
)
def test_the_field_is_known_by_the_point_that_failed(point: str | None, field: str) -> None:
    assert field_of(Fault(kind=FaultKind.REFUSED, detail="", point=point)) == field


def test_a_target_that_is_not_held_becomes_a_limit() -> None:
    wish = Setpoint(target_w=4_000.0, max_w_pct=50.0)

    assert without(wish, frozenset({"target_w"}), PV) == Setpoint(max_w_pct=40.0)


def test_a_battery_whose_target_is_not_held_leaves_service() -> None:
    found = without(Setpoint(target_w=-4_000.0), frozenset({"target_w"}), STORAGE)

    assert found == Setpoint(max_w_pct=0.0, energize=False)


def test_a_limit_that_is_not_held_takes_the_device_out_of_service() -> None:
    assert without(Setpoint(max_w_pct=50.0), frozenset({"max_w_pct"}), PV) == Setpoint(energize=False)


def test_a_limit_that_is_not_held_matters_less_where_a_target_holds() -> None:
    wish = Setpoint(max_w_pct=50.0, target_w=5_000.0)

    assert without(wish, frozenset({"max_w_pct"}), PV) == Setpoint(target_w=5_000.0)


def test_where_even_leaving_service_fails_it_is_not_asked_for() -> None:
    wish = Setpoint(max_w_pct=50.0, energize=False)

    assert without(wish, frozenset({"max_w_pct", "energize"}), PV) == Setpoint()


@pytest.mark.parametrize(
    ("name", "wish"),
    [
        ("pf_inject", Setpoint(pf_inject=PowerFactorSetpoint(power_factor=0.9, absorbing=True))),
        ("pf_absorb", Setpoint(pf_absorb=PowerFactorSetpoint(power_factor=0.9, absorbing=True))),
        ("var", Setpoint(var=VarSetpoint(value=1.0, ref=0))),
        ("connect", Setpoint(connect=True)),
        ("grad_w_pct_per_s", Setpoint(grad_w_pct_per_s=1.0)),
    ],
)
def test_other_fields_that_fail_are_released(name: str, wish: Setpoint) -> None:
    assert without(wish, frozenset({name}), PV) == Setpoint()


def defaults(**modes: object) -> Plan:
    sources = {
        mode: ModeSource(mode=mode, value=value, mRID=None, program_href="/derp/1", primacy=1, ramp_tms=None)
        for mode, value in modes.items()
    }
    return Plan(defaults=sources)


def test_the_dead_man_switch_goes_to_the_default_control() -> None:
    found = reversion_of(defaults(opModMaxLimW=6_000), PV, READING, ControlSettings(reversion_s=60))

    assert found == Reversion(after_s=60, to=Setpoint(max_w_pct=60.0))


def test_the_dead_man_switch_keeps_a_default_target_within_the_rating() -> None:
    power = ActivePower(multiplier=4, value=-9)
    found = reversion_of(defaults(opModTargetW=power), STORAGE, READING, ControlSettings())

    assert found.to == Setpoint(target_w=-5_000.0)


def test_the_dead_man_switch_brings_a_battery_to_rest() -> None:
    reading = replace(READING, battery=BATTERY)
    found = reversion_of(defaults(opModMaxLimW=6_000), STORAGE, reading, ControlSettings())

    assert found.to == Setpoint(max_w_pct=60.0, target_w=0.0)


def test_a_setpoint_reads_as_a_person_would_say_it() -> None:
    wish = Setpoint(
        connect=True,
        energize=False,
        max_w_pct=50.0,
        target_w=-1_000.0,
        pf_inject=PowerFactorSetpoint(power_factor=0.95, absorbing=False),
        var=VarSetpoint(value=100.0, ref=0),
    )

    assert setpoint_text(wish) == (
        "connect 1, energize 0, limit 50 %, target -1000 W, power factor 0.95, reactive 100 var"
    )
    assert setpoint_text(Setpoint(var=VarSetpoint(value=10.0, ref=2))) == "reactive 10 %"
    assert setpoint_text(Setpoint()) == "released"


def test_a_write_that_is_never_answered_counts_as_not_held() -> None:
    lost = Fault(kind=FaultKind.NO_ANSWER, detail="timeout", point="704.WMaxLimPctEna")

    assert after(lost, lost, lost).failed == {"max_w_pct": lost}


CURVE = CurveSetpoint(mode="opModVoltVar", points=(CurvePoint(x=92.0, y=44.0), CurvePoint(x=108.0, y=-44.0)))
DROOP = DroopSetpoint(
    dead_band_over_hz=0.036, dead_band_under_hz=0.036, slope_over=0.05, slope_under=0.05, open_loop_s=5.0
)


def test_a_fault_that_names_its_field_is_a_fault_of_that_field() -> None:
    fault = Fault(kind=FaultKind.REFUSED, detail="not adopted", point="705.AdptCrvRslt", field="opModVoltVar")
    assert field_of(fault) == "opModVoltVar"


@pytest.mark.parametrize("mode", ["opModVoltVar", "opModVoltWatt"])
def test_a_curve_that_fails_is_given_up_alone(mode: str) -> None:
    setpoint = Setpoint(
        max_w_pct=50.0, curves=(replace(CURVE, mode=mode), replace(CURVE, mode="opModWattVar"))
    )
    left = without(setpoint, frozenset({mode}), STORAGE)
    assert left == replace(setpoint, curves=(replace(CURVE, mode="opModWattVar"),))


def test_a_droop_that_fails_is_given_up_alone() -> None:
    assert without(Setpoint(droop=DROOP, curves=(CURVE,)), frozenset({"droop"}), PV) == Setpoint(
        curves=(CURVE,)
    )


def test_storage_whose_charge_limit_fails_goes_out_of_service() -> None:
    left = without(Setpoint(max_charge_w=1_000.0), frozenset({"max_charge_w"}), STORAGE)
    assert left == Setpoint(energize=False)


def test_storage_whose_charge_limit_fails_is_held_by_a_target_where_it_has_one() -> None:
    wish = Setpoint(max_charge_w=1_000.0, target_w=-900.0)
    assert without(wish, frozenset({"max_charge_w"}), STORAGE) == Setpoint(target_w=-900.0)
