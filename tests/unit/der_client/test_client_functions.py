"""Functions that exclude each other, limits of CSIP-AUS, shares of a site, and unusable curves."""

from dataclasses import replace

import pytest

from der_client.desired import Desired, Share, desired_of
from der_client.desired_curves import curve_flaw
from der_client.device import EnterServiceSetpoint, Nameplate, PowerFactorSetpoint, Setpoint, VarSetpoint
from function_sets import ModeSource
from schemas import (
    ActivePower,
    CurveData,
    DefaultDERControl,
    DERControlBase,
    DERCurve,
    DERCurveLink,
    FixedVar,
    FreqDroopType,
    PowerFactorWithExcitation,
    ReactivePower,
    codes,
)

PV = Nameplate(
    manufacturer="Maker",
    model="One",
    serial="1",
    version="1",
    der_type=4,
    modes=frozenset(codes.DERControlType.__members__),
    max_w=10_000,
    max_va=10_000,
    max_var=4_000,
    max_var_neg=4_000,
    set_max_w=10_000,
    set_max_va=10_000,
    set_max_var=4_000,
    set_max_var_neg=4_000,
)
STORAGE = replace(PV, max_charge_w=5_000.0, max_discharge_w=8_000.0)
DROOP = FreqDroopType(dBOF=36, dBUF=36, kOF=50, kUF=50, openLoopTms=500)
INJECT = PowerFactorWithExcitation(displacement=90, excitation=False, multiplier=-2)
FACTOR = PowerFactorSetpoint(power_factor=0.9, absorbing=False)


def curve(mode: str, *points: tuple[int, int], y_ref: int = 2, **changes: object) -> DERCurve:
    found = DERCurve(
        href=f"/dc/{mode}",
        mRID="AA",
        creationTime=0,
        CurveData_=[CurveData(xvalue=x, yvalue=y) for x, y in points],
        curveType=codes.DERCurveType[mode],
        xMultiplier=0,
        yMultiplier=0,
        yRefType=y_ref,
    )
    for name, value in changes.items():
        setattr(found, name, value)
    return found


VOLT_VAR = curve("opModVoltVar", (92, 44), (98, 0), (102, 0), (108, -44))
WATT_VAR = curve("opModWattVar", (0, 0), (50, 0), (100, -10))
WATT_PF = curve("opModWattPF", (50, 1), (100, 1), y_ref=0)
FREQ_WATT = curve("opModFreqWatt", (60, 100), (62, 0), y_ref=1)
VOLT_WATT = curve("opModVoltWatt", (106, 100), (110, 20), y_ref=1)
CURVES = {one.href or "": one for one in (VOLT_VAR, WATT_VAR, WATT_PF, FREQ_WATT, VOLT_WATT)}


def source(mode: str, value: object, *, mrid: str | None = "AB", primacy: int = 1) -> ModeSource:
    return ModeSource(mode=mode, value=value, mRID=mrid, program_href="/derp/1", primacy=primacy)


def linked(mode: str, *, mrid: str | None = "AB") -> ModeSource:
    return source(mode, DERCurveLink(href=f"/dc/{mode}"), mrid=mrid)


def wish(*sources: ModeSource, plate: Nameplate = PV, share: Share | None = None) -> Desired:
    modes = {one.mode: one for one in sources}
    return desired_of(modes, plate, CURVES, share=share or Share())


def watts(value: int) -> ActivePower:
    return ActivePower(multiplier=0, value=value)


def modes_of(found: Desired) -> list[str]:
    return [one.mode for one in found.setpoint.curves]


def test_of_two_reactive_curves_that_with_the_least_vars_is_followed() -> None:
    found = wish(linked("opModVoltVar"), linked("opModWattVar"))

    assert modes_of(found) == ["opModWattVar"]
    assert found.unmet == {"opModVoltVar"}


def test_a_power_factor_of_one_brings_no_vars_at_all() -> None:
    found = wish(linked("opModWattPF"), linked("opModWattVar"))

    assert modes_of(found) == ["opModWattPF"]
    assert found.unmet == {"opModWattVar"}


def test_a_reactive_function_of_an_event_goes_before_that_of_a_default() -> None:
    found = wish(linked("opModWattVar", mrid=None), source("opModFixedPFInjectW", INJECT))

    assert found.setpoint == Setpoint(pf_inject=FACTOR)
    assert found.unmet == {"opModWattVar"}


def test_of_fixed_var_and_a_curve_the_least_var_magnitude_wins() -> None:
    found = wish(source("opModFixedVar", FixedVar(refType=2, value=500)), linked("opModVoltVar"))

    assert found.setpoint == Setpoint(var=VarSetpoint(value=5.0, ref=2))
    assert found.unmet == {"opModVoltVar"}


def test_at_equal_magnitude_the_better_primacy_wins() -> None:
    found = wish(
        source("opModFixedVar", FixedVar(refType=2, value=500), primacy=2),
        source("opModTargetVar", ReactivePower(multiplier=0, value=-200), primacy=3),
    )

    assert found.setpoint == Setpoint(var=VarSetpoint(value=5.0, ref=2))
    assert found.unmet == {"opModTargetVar"}


def test_power_factors_of_both_directions_are_one_function() -> None:
    absorb = PowerFactorWithExcitation(displacement=95, excitation=True, multiplier=-2)
    found = wish(source("opModFixedPFInjectW", INJECT), source("opModFixedPFAbsorbW", absorb, mrid=None))

    assert found.setpoint == Setpoint(
        pf_inject=FACTOR, pf_absorb=PowerFactorSetpoint(power_factor=0.95, absorbing=True)
    )
    assert found.unmet == frozenset()


def test_volt_watt_runs_beside_a_reactive_function() -> None:
    found = wish(linked("opModVoltWatt"), linked("opModVoltVar"))

    assert modes_of(found) == ["opModVoltVar", "opModVoltWatt"]
    assert found.unmet == frozenset()


@pytest.mark.parametrize(
    ("droop", "curve", "unmet"),
    [
        ("AB", "AB", "opModFreqWatt"),
        (None, None, "opModFreqWatt"),
        ("AB", None, "opModFreqWatt"),
        (None, "AB", "opModFreqDroop"),
    ],
)
def test_of_droop_and_freq_watt_one_is_followed(droop: str | None, curve: str | None, unmet: str) -> None:
    found = wish(source("opModFreqDroop", DROOP, mrid=droop), linked("opModFreqWatt", mrid=curve))

    assert found.unmet == {unmet}
    assert (found.setpoint.droop is None) == (unmet == "opModFreqDroop")
    assert modes_of(found) == ["opModFreqWatt"] * (unmet == "opModFreqDroop")


@pytest.mark.parametrize(
    ("mode", "changed", "flaw"),
    [
        ("opModVoltWatt", VOLT_VAR, "curveType 11 is not that of opModVoltWatt"),
        ("opModVoltVar", replace(VOLT_VAR, yRefType=6), "yRefType 6 is not for opModVoltVar"),
        ("opModVoltVar", replace(VOLT_VAR, CurveData_=[]), "0 points: 1 to 10 are wanted"),
        (
            "opModVoltVar",
            replace(VOLT_VAR, CurveData_=[CurveData(xvalue=2, yvalue=0), CurveData(xvalue=1, yvalue=0)]),
            "x goes back",
        ),
        ("opModVoltVar", VOLT_VAR, None),
    ],
)
def test_a_curve_is_looked_at_before_it_is_used(mode: str, changed: DERCurve, flaw: str | None) -> None:
    assert curve_flaw(mode, changed) == flaw


def test_only_curves_of_their_kind_have_reference_voltage_and_excitation() -> None:
    odd = curve("opModWattPF", (50, 1), y_ref=0, vRef=10_000, autonomousVRefEnable=True)
    odd.CurveData_[0].excitation = True
    found = desired_of({"opModWattPF": linked("opModWattPF")}, PV, {"/dc/opModWattPF": odd})
    one = found.setpoint.curves[0]

    assert (one.points[0].absorbing, one.v_ref_pct, one.autonomous_v_ref) == (True, None, None)


def test_reference_voltage_and_ramps_of_a_curve_are_in_percent_and_seconds() -> None:
    odd = replace(VOLT_VAR, vRef=9_950, rampIncTms=150, rampDecTms=250, rampPT1Tms=300, openLoopTms=500)
    one = desired_of({"opModVoltVar": linked("opModVoltVar")}, PV, {"/dc/opModVoltVar": odd}).setpoint.curves[
        0
    ]

    assert (one.v_ref_pct, one.ramp_up_pct_per_s, one.ramp_down_pct_per_s) == (99.5, 1.5, 2.5)
    assert (one.ramp_pt1_s, one.open_loop_s) == (3.0, 5.0)


def test_enter_service_settings_of_the_default_hold_in_engineering_units() -> None:
    default = DefaultDERControl(
        mRID="DD",
        DERControlBase_=DERControlBase(),
        setESDelay=30_000,
        setESHighFreq=6_010,
        setESHighVolt=10_500,
        setESLowFreq=5_950,
        setESLowVolt=9_170,
        setESRampTms=30_050,
        setESRandomDelay=0,
    )
    found = desired_of({}, PV, default=default).setpoint.enter_service

    assert found == EnterServiceSetpoint(
        high_v_pct=105.0,
        low_v_pct=91.7,
        high_hz=60.1,
        low_hz=59.5,
        delay_s=300.0,
        random_delay_s=0.0,
        ramp_s=300.5,
    )


@pytest.mark.parametrize("mode", ["opModGenLimW", "opModExpLimW"])
def test_a_limit_of_generation_or_export_limits_the_only_device(mode: str) -> None:
    assert wish(source(mode, watts(2_500))).setpoint == Setpoint(max_w_pct=25.0)


def test_of_all_limits_of_generation_the_least_holds() -> None:
    found = wish(
        source("opModMaxLimW", 5_000), source("opModGenLimW", watts(3_000)), source("opModExpLimW", watts(0))
    )

    assert found.setpoint == Setpoint(max_w_pct=0.0)


@pytest.mark.parametrize("mode", ["opModLoadLimW", "opModImpLimW"])
def test_a_limit_of_load_or_import_limits_charging(mode: str) -> None:
    found = wish(source(mode, watts(1_500)), source("opModFixedW", -10_000), plate=STORAGE)

    assert found.setpoint == Setpoint(target_w=-1_500.0, max_charge_w=1_500.0)


def test_a_storage_target_is_for_storage_alone() -> None:
    target = source("opModStorageTargetW", watts(-3_000))

    assert wish(target, plate=STORAGE).setpoint == Setpoint(target_w=-3_000.0)
    assert wish(target).setpoint == Setpoint()


def test_a_target_of_an_event_goes_before_that_of_a_default() -> None:
    found = wish(
        source("opModFixedW", 1_000, mrid=None, primacy=0), source("opModTargetW", watts(4_000), primacy=9)
    )

    assert found.setpoint == Setpoint(target_w=4_000.0)
    assert found.unmet == {"opModFixedW"}


def test_a_share_is_of_what_is_asked_in_watts_and_vars_and_not_of_percentages() -> None:
    share = Share(give=0.5, take=0.25, storage=1.0, var=0.1)
    asked = (
        source("opModMaxLimW", 8_000),
        source("opModGenLimW", watts(9_000)),
        source("opModTargetW", watts(4_000)),
        source("opModTargetVar", ReactivePower(multiplier=0, value=1_000)),
        source("opModLoadLimW", watts(4_000)),
    )

    assert wish(*asked, plate=STORAGE, share=share).setpoint == Setpoint(
        max_w_pct=45.0, target_w=2_000.0, var=VarSetpoint(value=100.0, ref=0), max_charge_w=1_000.0
    )
    charging = source("opModTargetW", watts(-4_000))
    assert wish(charging, plate=STORAGE, share=share).setpoint == Setpoint(target_w=-1_000.0)
    stored = source("opModStorageTargetW", watts(4_000))
    assert wish(stored, plate=STORAGE, share=share).setpoint == Setpoint(target_w=4_000.0)
