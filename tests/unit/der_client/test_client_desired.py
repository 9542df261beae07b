from dataclasses import replace

import pytest

from der_client.desired import Desired, desired_of
from der_client.device import Nameplate, PowerFactorSetpoint, Setpoint, VarSetpoint
from der_client.wording import mode_text, modes_text
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

ALL = frozenset(codes.DERControlType.__members__)
PV = Nameplate(
    manufacturer="Maker",
    model="One",
    serial="1",
    version="1",
    der_type=4,
    modes=ALL,
    max_w=10_000,
    max_va=10_000,
    max_var=4_000,
    max_var_neg=4_000,
    set_max_w=9_000,
    set_max_va=10_000,
    set_max_var=4_000,
    set_max_var_neg=4_000,
)
STORAGE = replace(PV, max_charge_w=5_000.0, max_discharge_w=8_000.0)
CURVE = DERCurve(
    href="/dc/1",
    mRID="AA",
    creationTime=0,
    CurveData_=[CurveData(xvalue=1, yvalue=2)],
    curveType=11,
    xMultiplier=0,
    yMultiplier=0,
    yRefType=2,
)


def source(mode: str, value: object, *, primacy: int = 1, ramp_tms: int | None = None) -> ModeSource:
    return ModeSource(
        mode=mode, value=value, mRID="AB", program_href="/derp/1", primacy=primacy, ramp_tms=ramp_tms
    )


def wish(nameplate: Nameplate = PV, **modes: object) -> Desired:
    return desired_of({mode: source(mode, value) for mode, value in modes.items()}, nameplate)


def test_a_limit_is_in_hundredths_of_a_percent() -> None:
    assert wish(opModMaxLimW=5_000).setpoint == Setpoint(max_w_pct=50.0)


def test_a_limit_is_never_above_the_whole() -> None:
    assert wish(opModMaxLimW=10_500).setpoint == Setpoint(max_w_pct=100.0)


def test_connect_and_energize_pass_as_they_are() -> None:
    assert wish(opModConnect=False, opModEnergize=True).setpoint == Setpoint(connect=False, energize=True)


@pytest.mark.parametrize(
    ("nameplate", "value", "expected_w"),
    [
        (PV, 5_000, 4_500.0),
        (PV, -5_000, 0.0),
        (STORAGE, 5_000, 4_000.0),
        (STORAGE, -5_000, -2_500.0),
        (replace(STORAGE, max_discharge_w=None), 10_000, 9_000.0),
    ],
)
def test_fixed_power_refers_to_the_rating_of_its_own_direction(
    nameplate: Nameplate, value: int, expected_w: float
) -> None:
    assert wish(nameplate, opModFixedW=value).setpoint.target_w == expected_w


@pytest.mark.parametrize(("multiplier", "value"), [(4, 5), (1, 5_000), (3, 50), (0, 5_000), (-1, 30_000)])
def test_a_target_counts_in_every_power_of_ten(multiplier: int, value: int) -> None:
    power = ActivePower(multiplier=multiplier, value=value)
    expected_w = min(value * 10.0**multiplier, 9_000.0 * 1e9)

    assert wish(opModTargetW=power).setpoint.target_w == pytest.approx(expected_w)


def test_a_target_is_cut_by_the_limit() -> None:
    found = wish(opModMaxLimW=2_000, opModTargetW=ActivePower(multiplier=3, value=5))

    assert found.setpoint == Setpoint(max_w_pct=20.0, target_w=1_800.0)


def test_of_two_power_setpoints_the_better_primacy_wins() -> None:
    modes = {
        "opModFixedW": source("opModFixedW", 10_000, primacy=1),
        "opModTargetW": source("opModTargetW", ActivePower(multiplier=0, value=100), primacy=2),
    }

    assert desired_of(modes, PV).setpoint.target_w == 9_000.0


def test_of_two_power_setpoints_of_one_primacy_the_smaller_wins() -> None:
    found = wish(opModFixedW=10_000, opModTargetW=ActivePower(multiplier=0, value=100))

    assert found.setpoint.target_w == 100.0


def test_a_mode_that_the_device_has_not_is_left_out() -> None:
    assert wish(replace(PV, modes=frozenset()), opModMaxLimW=5_000).setpoint == Setpoint()


def test_ramp_times_are_in_hundredths_of_a_second() -> None:
    modes = {
        "opModMaxLimW": source("opModMaxLimW", 5_000, ramp_tms=1_000),
        "opModFixedW": source("opModFixedW", 5_000, ramp_tms=250),
    }

    found = desired_of(modes, PV)

    assert (found.limit_ramp_s, found.target_ramp_s) == (10.0, 2.5)


def test_setgradw_is_in_hundredths_of_a_percent_per_second() -> None:
    default = DefaultDERControl(mRID="DD", DERControlBase_=DERControlBase(), setGradW=27, setSoftGradW=200)

    assert desired_of({}, PV, default=default).setpoint == Setpoint(
        grad_w_pct_per_s=0.27, soft_grad_w_pct_per_s=2.0
    )


def test_power_factor_keeps_its_side_and_the_least_that_is_set() -> None:
    plate = replace(PV, min_pf_over_excited=0.9, min_pf_under_excited=0.95)
    inject = PowerFactorWithExcitation(displacement=850, excitation=False, multiplier=-3)
    absorb = PowerFactorWithExcitation(displacement=80, excitation=True, multiplier=-2)

    found = wish(plate, opModFixedPFInjectW=inject, opModFixedPFAbsorbW=absorb)

    assert found.setpoint.pf_inject == PowerFactorSetpoint(power_factor=0.9, absorbing=False)
    assert found.setpoint.pf_absorb == PowerFactorSetpoint(power_factor=0.95, absorbing=True)


def test_without_an_under_excited_limit_the_over_excited_one_holds() -> None:
    plate = replace(PV, min_pf_over_excited=0.9)
    asked = PowerFactorWithExcitation(displacement=5, excitation=True, multiplier=-1)

    assert wish(plate, opModFixedPFInjectW=asked).setpoint.pf_inject == PowerFactorSetpoint(
        power_factor=0.9, absorbing=True
    )


def test_vars_come_as_a_share_or_as_they_are() -> None:
    assert wish(opModFixedVar=FixedVar(refType=2, value=-2_550)).setpoint.var == VarSetpoint(
        value=-25.5, ref=2
    )
    assert wish(opModTargetVar=ReactivePower(multiplier=2, value=-5)).setpoint.var == VarSetpoint(
        value=-500.0, ref=0
    )


def test_of_two_var_modes_the_other_is_unmet() -> None:
    found = wish(
        opModFixedVar=FixedVar(refType=2, value=100), opModTargetVar=ReactivePower(multiplier=0, value=7)
    )

    assert found.setpoint.var == VarSetpoint(value=7.0, ref=0)
    assert found.unmet == {"opModFixedVar"}


@pytest.mark.parametrize(
    ("var", "expected", "unmet"),
    [
        (FixedVar(refType=1, value=5_000), "pf_inject", {"opModFixedVar"}),
        (FixedVar(refType=2, value=100), "var", {"opModFixedPFInjectW"}),
    ],
)
def test_of_power_factor_and_vars_the_least_reactive_power_wins(
    var: FixedVar, expected: str, unmet: set[str]
) -> None:
    factor = PowerFactorWithExcitation(displacement=95, excitation=False, multiplier=-2)

    found = wish(opModFixedPFInjectW=factor, opModFixedVar=var)

    assert getattr(found.setpoint, expected) is not None
    assert (found.setpoint.pf_inject is None) == (expected == "var")
    assert found.unmet == unmet


def test_a_curve_is_found_by_its_link() -> None:
    modes = {"opModVoltVar": source("opModVoltVar", DERCurveLink(href="/dc/1"))}

    found = desired_of(modes, PV, {"/dc/1": CURVE})

    assert [curve.mode for curve in found.setpoint.curves] == ["opModVoltVar"]
    assert found.unmet == frozenset()


@pytest.mark.parametrize(("mode", "href"), [("opModVoltWatt", "/dc/1"), ("opModVoltVar", "/dc/2")])
def test_a_curve_of_the_wrong_type_or_that_is_not_there_is_unmet(mode: str, href: str) -> None:
    found = desired_of({mode: source(mode, DERCurveLink(href=href))}, PV, {"/dc/1": CURVE})

    assert found.unmet == {mode}


def test_values_of_another_type_than_declared_ask_for_nothing() -> None:
    found = wish(opModMaxLimW="x", opModFixedPFInjectW="x", opModFixedVar="x", opModConnect="x")

    assert found.setpoint == Setpoint()


@pytest.mark.parametrize(
    ("mode", "value", "text"),
    [
        ("opModMaxLimW", 5_000, "opModMaxLimW 50 %"),
        ("opModConnect", True, "opModConnect true"),
        ("opModEnergize", False, "opModEnergize false"),
        ("opModTargetW", ActivePower(multiplier=1, value=500), "opModTargetW 5000 W"),
        ("opModTargetVar", ReactivePower(multiplier=0, value=-5), "opModTargetVar -5 var"),
        (
            "opModFixedPFInjectW",
            PowerFactorWithExcitation(displacement=95, excitation=True, multiplier=-2),
            "opModFixedPFInjectW 0.95 absorbing",
        ),
        ("opModFixedVar", FixedVar(refType=2, value=1_000), "opModFixedVar 10 % of reference 2"),
        ("opModVoltVar", DERCurveLink(href="/dc/1"), "opModVoltVar /dc/1"),
        (
            "opModFreqDroop",
            FreqDroopType(dBOF=1, dBUF=1, kOF=1, kUF=1, openLoopTms=1),
            "opModFreqDroop set",
        ),
    ],
)
def test_a_mode_reads_as_a_person_would_say_it(mode: str, value: object, text: str) -> None:
    assert mode_text(mode, value) == text


def test_modes_read_in_order_and_none_is_said() -> None:
    modes = {"opModMaxLimW": source("opModMaxLimW", 100), "opModConnect": source("opModConnect", True)}

    assert modes_text(modes) == "opModConnect true, opModMaxLimW 1 %"
    assert modes_text({}) == "no mode"
