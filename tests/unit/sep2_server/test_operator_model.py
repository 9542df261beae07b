"""Resources as JSON and back."""

import pytest

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
    json_of,
)
from schemas.csip_aus import DERControlBaseV12
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.model import natural_of, resource_of

NATURAL = {
    "opModEnergize": True,
    "opModFixedPFInjectW": "0.95 under-excited",
    "opModFixedVar": "-30 % setMaxVar",
    "opModFixedW": "-12.5 %",
    "opModFreqDroop": {
        "dBOF": "0.036 Hz",
        "dBUF": "0.036 Hz",
        "kOF": "0.05",
        "kUF": "0.05",
        "openLoopTms": "5 s",
    },
    "opModMaxLimW": "50 %",
    "opModTargetVar": "-2500 var",
    "opModTargetW": "50000 W",
    "opModVoltVar": "/dc/1",
    "rampTms": "2.5 s",
}
WIRE = {
    "opModEnergize": True,
    "opModFixedPFInjectW": {"displacement": 95, "excitation": True, "multiplier": -2},
    "opModFixedVar": {"refType": 2, "value": -3000},
    "opModFixedW": -1250,
    "opModFreqDroop": {"dBOF": 36, "dBUF": 36, "kOF": 50, "kUF": 50, "openLoopTms": 500},
    "opModMaxLimW": 5000,
    "opModTargetVar": {"multiplier": 0, "value": -2500},
    "opModTargetW": {"multiplier": 1, "value": 5000},
    "opModVoltVar": {"href": "/dc/1"},
    "rampTms": 250,
}
BASE = DERControlBase(
    opModEnergize=True,
    opModFixedPFInjectW=PowerFactorWithExcitation(displacement=95, excitation=True, multiplier=-2),
    opModFixedVar=FixedVar(refType=2, value=-3000),
    opModFixedW=-1250,
    opModFreqDroop=FreqDroopType(dBOF=36, dBUF=36, kOF=50, kUF=50, openLoopTms=500),
    opModMaxLimW=5000,
    opModTargetVar=ReactivePower(multiplier=0, value=-2500),
    opModTargetW=ActivePower(multiplier=1, value=5000),
    opModVoltVar=DERCurveLink(href="/dc/1"),
    rampTms=250,
)


@pytest.mark.parametrize("given", [NATURAL, WIRE], ids=["natural units", "wire form"])
def test_modes_are_read_in_natural_units_and_in_wire_form(given: dict[str, object]) -> None:
    assert resource_of(DERControlBase, given, "DERControlBase") == BASE


def test_modes_are_written_in_wire_form() -> None:
    assert json_of(BASE) == WIRE


def test_modes_are_written_in_natural_units() -> None:
    assert natural_of(BASE) == NATURAL


def test_the_word_for_excitation_may_say_what_the_vars_do() -> None:
    made = resource_of(DERControlBase, {"opModFixedPFAbsorbW": "1 injecting"}, "b")
    assert made.opModFixedPFAbsorbW == PowerFactorWithExcitation(
        displacement=1, excitation=False, multiplier=0
    )


def test_extensions_of_a_profile_are_read_like_the_standard() -> None:
    made = resource_of(DERControlBaseV12, {"opModExpLimW": "1.5 kW"}, "b")
    assert made.opModExpLimW == ActivePower(multiplier=0, value=1500)


def test_a_code_may_be_given_by_name() -> None:
    made = resource_of(
        DERCurve,
        {
            "mRID": "01",
            "creationTime": 7,
            "CurveData": [{"xvalue": 1, "yvalue": 2}],
            "curveType": "opModVoltVar",
            "xMultiplier": 0,
            "yMultiplier": 0,
            "yRefType": "SET_MAX_VAR",
        },
        "curve",
    )
    assert (made.curveType, made.yRefType, made.CurveData_) == (11, 2, [CurveData(xvalue=1, yvalue=2)])


def test_default_settings_have_natural_units() -> None:
    made = resource_of(
        DefaultDERControl,
        {
            "mRID": "01",
            "DERControlBase": {},
            "setGradW": "1.67 %/s",
            "setESHighFreq": "60.1 Hz",
            "setESHighVolt": "105 %",
            "setESDelay": "300 s",
        },
        "default",
    )
    assert (made.setGradW, made.setESHighFreq, made.setESHighVolt, made.setESDelay) == (
        167,
        6010,
        10500,
        30000,
    )


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        ({"opModMaxLimW": 10001}, "b.opModMaxLimW: 10001 outside 0 to 10000"),
        ({"opModMaxLimW": "101 %"}, "b.opModMaxLimW: 10100 outside 0 to 10000"),
        ({"opModMaxLimW": 70000}, "b.opModMaxLimW: 70000 outside PerCent (0 to 65535)"),
        ({"opModMaxLimW": "50"}, "b.opModMaxLimW: '50' cannot be read"),
        ({"opModMaxLimW": "0.005 %"}, "b.opModMaxLimW: 0.005 % is finer than the wire"),
        ({"opModMaxLimW": 50.5}, "b.opModMaxLimW: 50.5 is not int"),
        ({"opModMaxLimW": True}, "b.opModMaxLimW: True is not int"),
        ({"opModFixedW": -10001}, "b.opModFixedW: -10001 outside -10000 to 10000"),
        ({"opModConnect": 1}, "b.opModConnect: 1 is not bool"),
        ({"opModTargetW": 5}, "b.opModTargetW: 5 is not an object"),
        ({"opModTargetW": "123456 W"}, "b.opModTargetW: '123456 W' cannot be read"),
        ({"opModTargetW": {"value": 1}}, "b.opModTargetW.multiplier: missing"),
        (
            {"opModTargetW": {"value": 1, "multiplier": 10}},
            "b.opModTargetW.multiplier: 10 outside -9 to 9",
        ),
        ({"opModTargetW": {"value": 1, "multiplier": 0, "unit": 1}}, "b.opModTargetW.unit: ActivePower has"),
        ({"opModFixedPFInjectW": "0.95"}, "b.opModFixedPFInjectW: '0.95' cannot be read"),
        ({"opModFixedPFInjectW": "1.1 injecting"}, "b.opModFixedPFInjectW: '1.1 injecting' cannot be read"),
        ({"opModFixedVar": "30 %"}, "b.opModFixedVar: '30 %' cannot be read"),
        ({"opModFixedVar": "0.005 % setMaxW"}, "b.opModFixedVar: '0.005 % setMaxW' cannot be read"),
        ({"opModFixedVar": "101 % setMaxW"}, "b.opModFixedVar.value: 10100 outside -10000 to 10000"),
        ({"opModVoltVar": "no such"}, "b.opModVoltVar: 'no such' cannot be read"),
        ({"opModMaxLimWatt": 1}, "b.opModMaxLimWatt: DERControlBase has no such field"),
    ],
)
def test_a_bad_mode_is_refused_by_its_name(given: dict[str, object], detail: str) -> None:
    with pytest.raises(BadRequest) as caught:
        resource_of(DERControlBase, given, "b")
    assert caught.value.detail.startswith(detail)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("CurveData", [], "c.CurveData: 0 items, 1 to 10 allowed"),
        ("CurveData", {}, "c.CurveData: {} is not a list"),
        ("CurveData", [{"xvalue": 1}], "c.CurveData[0].yvalue: missing"),
        ("curveType", "opModNothing", "c.curveType: 'opModNothing' is not known"),
        ("mRID", 7, "c.mRID: 7 is not str"),
        ("mRID", "0", "c.mRID: '0' is not a whole number of hex octets"),
    ],
)
def test_a_bad_curve_is_refused_by_its_field(field: str, value: object, detail: str) -> None:
    given = {
        "mRID": "01",
        "creationTime": 7,
        "CurveData": [{"xvalue": 1, "yvalue": 2}],
        "curveType": 11,
        "xMultiplier": 0,
        "yMultiplier": 0,
        "yRefType": 2,
    }
    with pytest.raises(BadRequest) as caught:
        resource_of(DERCurve, given | {field: value}, "c")
    assert caught.value.detail.startswith(detail)
    assert caught.value.hint


def test_a_hint_lists_what_a_field_may_hold() -> None:
    with pytest.raises(BadRequest) as caught:
        resource_of(DERControlBase, {"opModTargetW": 5}, "b")
    assert caught.value.hint == "give {multiplier, value} or a text such as '5 kW'"


@pytest.mark.parametrize(
    ("cls", "given", "detail", "hint"),
    [
        (DefaultDERControl, {"mRID": "01"}, "d.DERControlBase: missing", "allowed: {opModConnect?, "),
        (DefaultDERControl, {"DERControlBase": {}}, "d.mRID: missing", "allowed: hex octets"),
        (FixedVar, {"refType": 1}, "d.value: missing", "allowed: -10000 to 10000 in steps of 0.01 %"),
    ],
)
def test_a_missing_field_is_named_with_what_it_may_hold(
    cls: type, given: dict[str, object], detail: str, hint: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        resource_of(cls, given, "d")
    assert caught.value.detail == detail
    assert caught.value.hint.startswith(hint)
