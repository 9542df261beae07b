"""What a control and a curve must be before they are published."""

import pytest

from schemas import (
    CurveData,
    DateTimeInterval,
    DERControl,
    DERControlBase,
    DERCurve,
    DERCurveLink,
    EventStatus,
    FixedVar,
    PowerFactorWithExcitation,
    spec_of,
)
from schemas.codes import DERCurveType
from sep2_server.operator.errors import BadRequest, Conflict
from sep2_server.operator.rules import check_curve, check_event, check_modes, curve_fields, modes_present

NOW = 1_700_000_000
CURVE_MODES = [f.name for f in spec_of(DERControlBase) if f.type_name == "DERCurveLink"]


def curve(
    curve_type: int,
    *,
    y_ref: int = 0,
    excitation: bool | None = None,
    v_ref: int | None = None,
    y: int = 1,
    y_multiplier: int = 0,
) -> DERCurve:
    return DERCurve(
        mRID="01",
        creationTime=NOW,
        CurveData_=[CurveData(excitation=excitation, xvalue=1, yvalue=y)],
        curveType=curve_type,
        vRef=v_ref,
        xMultiplier=0,
        yMultiplier=y_multiplier,
        yRefType=y_ref,
    )


def control(
    *, start: int = NOW, duration: int = 60, randomize_duration: int | None = None, responses: str = "03"
) -> DERControl:
    return DERControl(
        mRID="01",
        responseRequired=responses,
        creationTime=NOW,
        EventStatus_=EventStatus(currentStatus=0, dateTime=NOW, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=duration, start=start),
        randomizeDuration=randomize_duration,
        DERControlBase_=DERControlBase(opModMaxLimW=5000),
    )


def factor(displacement: int, multiplier: int = -3) -> PowerFactorWithExcitation:
    return PowerFactorWithExcitation(displacement=displacement, excitation=True, multiplier=multiplier)


@pytest.mark.parametrize(
    "base",
    [
        DERControlBase(opModFixedPFInjectW=factor(1000)),
        DERControlBase(opModFixedPFAbsorbW=factor(0)),
        DERControlBase(opModFixedPFAbsorbW=factor(1, 0)),
        *(DERControlBase(opModFixedVar=FixedVar(refType=n, value=-10_000)) for n in (1, 2, 3)),
    ],
)
def test_a_power_factor_of_1_and_var_of_something_are_fine(base: DERControlBase) -> None:
    check_modes(base, lambda _: None, at_least_one=True)


@pytest.mark.parametrize(
    ("base", "told"),
    [
        (DERControlBase(opModFixedPFInjectW=factor(1001)), "opModFixedPFInjectW: 1001 x 10\\^-3 is above 1"),
        (DERControlBase(opModFixedPFAbsorbW=factor(1, 1)), "opModFixedPFAbsorbW: 1 x 10\\^1 is above 1"),
        (DERControlBase(opModFixedVar=FixedVar(refType=0, value=1)), "opModFixedVar.refType: 0"),
        (DERControlBase(opModFixedVar=FixedVar(refType=4, value=1)), "opModFixedVar.refType: 4"),
    ],
)
def test_a_power_factor_above_1_and_var_of_nothing_are_refused(base: DERControlBase, told: str) -> None:
    with pytest.raises(BadRequest, match=told):
        check_modes(base, lambda _: None, at_least_one=True)


def test_every_curve_mode_is_known_by_its_curve_type() -> None:
    assert set(CURVE_MODES) == set(DERCurveType.__members__)


@pytest.mark.parametrize("mode", CURVE_MODES)
def test_a_mode_takes_a_curve_of_its_own_type(mode: str) -> None:
    base = DERControlBase()
    setattr(base, mode, DERCurveLink(href="/derp/1/dc/2"))
    check_modes(base, {"/derp/1/dc/2": curve(DERCurveType[mode])}.get, at_least_one=True)
    assert curve_fields(base) == {mode: "/derp/1/dc/2"}


def test_a_mode_refuses_a_curve_of_another_type() -> None:
    base = DERControlBase(opModVoltVar=DERCurveLink(href="/dc"))
    with pytest.raises(BadRequest, match="opModVoltVar: the curve at /dc is for opModVoltWatt") as caught:
        check_modes(base, {"/dc": curve(12)}.get, at_least_one=True)
    assert caught.value.hint == "link a curve of curveType 11 (opModVoltVar)"


def test_a_mode_refuses_a_curve_that_is_not_there() -> None:
    base = DERControlBase(opModVoltVar=DERCurveLink(href="/dc"))
    with pytest.raises(BadRequest, match="opModVoltVar: no curve is at /dc"):
        check_modes(base, lambda href: None, at_least_one=True)


@pytest.mark.parametrize("base", [DERControlBase(), DERControlBase(rampTms=5)])
def test_a_control_has_at_least_one_mode(base: DERControlBase) -> None:
    with pytest.raises(BadRequest, match="no control mode is given"):
        check_modes(base, lambda href: None, at_least_one=True)


def test_a_default_may_have_no_mode() -> None:
    check_modes(DERControlBase(), lambda href: None, at_least_one=False)


def test_the_ramp_is_no_mode() -> None:
    assert modes_present(DERControlBase(opModMaxLimW=0, rampTms=5)) == ("opModMaxLimW",)


@pytest.mark.parametrize(
    "sound",
    [
        control(),
        control(start=NOW - 59),
        control(start=2**63 - 61),
        control(randomize_duration=-59),
        control(randomize_duration=3600),
        control(responses="07"),
    ],
)
def test_a_sound_control_passes(sound: DERControl) -> None:
    check_event(sound, NOW)


def test_a_control_that_would_be_over_is_refused() -> None:
    with pytest.raises(Conflict, match="start: the event would be over since 0 s"):
        check_event(control(start=NOW - 60), NOW)


@pytest.mark.parametrize(
    ("unsound", "detail"),
    [
        (control(start=2**63 - 60), "start: the end is beyond 64 bits"),
        (control(start=2**63 - 61, randomize_duration=1), "start: the end is beyond 64 bits"),
        (control(randomize_duration=-60), "randomizeDuration: -60 s would leave nothing of 60 s"),
        (control(responses="0F"), "responseRequired: 0F has unknown bits"),
    ],
)
def test_an_unsound_control_is_refused_by_its_field(unsound: DERControl, detail: str) -> None:
    with pytest.raises(BadRequest) as caught:
        check_event(unsound, NOW)
    assert caught.value.detail == detail


@pytest.mark.parametrize(
    "sound",
    [
        curve(11, y_ref=2, v_ref=10000, y=-44),
        curve(13, excitation=True),
        curve(13, excitation=False, y=950, y_multiplier=-3),
        curve(0, y_ref=7, y=100),
        curve(5, y_ref=4, y=88),
    ],
)
def test_a_sound_curve_passes(sound: DERCurve) -> None:
    check_curve(sound)


@pytest.mark.parametrize(
    ("unsound", "detail"),
    [
        (curve(12, y_ref=1, v_ref=10000), "vRef: only a volt-var curve has it"),
        (curve(11, y_ref=2, excitation=True), "CurveData.excitation: only a watt-PF curve has it"),
        (curve(11, y_ref=7), "yRefType: 7 does not fit opModVoltVar"),
        (curve(13, y=2), "CurveData.yvalue: 2 x 10^0 is no power factor"),
        (curve(13, y=1001, y_multiplier=-3), "CurveData.yvalue: 1001 x 10^-3 is no power factor"),
        (curve(13, y=-95, y_multiplier=-2), "CurveData.yvalue: -95 x 10^-2 is no power factor"),
        (curve(15), "curveType: 15 is not known"),
    ],
)
def test_an_unsound_curve_is_refused_by_its_field(unsound: DERCurve, detail: str) -> None:
    with pytest.raises(BadRequest) as caught:
        check_curve(unsound)
    assert caught.value.detail == detail
