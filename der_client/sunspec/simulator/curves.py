"""Models 705 to 712 of a simulated inverter at its start: IEEE 1547-2018 defaults, categories B and III.

Set 1 is the active, read-only one; the others are there for curves to come. Trips and frequency-droop are
enabled, as the standard has them; volt-var, volt-watt and watt-var are not.
"""

from collections.abc import Callable, Mapping, Sequence

from der_client.sunspec.codec import Value

SETS = 3
NOMINAL_60_HZ = 60.0

Values = dict[str, Value]
Built = tuple[dict[str, int], Values]
Pairs = Sequence[tuple[float, float]]

VOLT_VAR: Pairs = ((92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0))
VOLT_WATT: Pairs = ((106.0, 100.0), (110.0, 20.0))
WATT_VAR: Pairs = ((-100.0, 44.0), (-50.0, 0.0), (-20.0, 0.0), (20.0, 0.0), (50.0, 0.0), (100.0, -44.0))
TRIPS: Mapping[int, Pairs] = {
    707: ((50.0, 2.0), (88.0, 21.0)),
    708: ((120.0, 0.16), (110.0, 13.0)),
    709: ((56.5, 0.16), (58.5, 300.0)),
    710: ((62.0, 0.16), (61.2, 300.0)),
}
CESSATIONS: Mapping[int, Pairs] = {707: ((50.0, 0.0), (50.0, 2.0)), 708: ((110.0, 0.0), (110.0, 13.0))}
"""Regions of momentary cessation of category III. IEEE 1547-2018, table 16."""
POINTS = {705: 10, 706: 10, 707: 10, 708: 10, 709: 10, 710: 10, 712: 10}
"""NPt: room for every curve that IEEE 2030.5-2018 can carry (10 points)."""
OF_VA = 3


def _header(extra: Values) -> Values:
    return {"Ena": 0, "AdptCrvReq": 0, "AdptCrvRslt": 1, "RvrtTms": 0, "RvrtRem": 0, "RvrtCrv": 2, **extra}


def _points(start: str, pairs: Pairs, room: int, axes: tuple[str, str]) -> Values:
    """The points of one curve; those behind the last are 0."""
    values: Values = {}
    for number in range(room):
        x, y = pairs[number] if number < len(pairs) else (0.0, 0.0)
        values |= {f"{start}Pt[{number}].{axes[0]}": x, f"{start}Pt[{number}].{axes[1]}": y}
    return values


def _sets(own: Values, pairs: Pairs, room: int, axes: tuple[str, str]) -> Values:
    """Equal curve sets; only the first is read-only."""
    values: Values = {}
    for index in range(SETS):
        start = f"Crv[{index}]."
        values |= {start + name: value for name, value in own.items()}
        values |= {start + "ReadOnly": int(index == 0), start + "ActPt": len(pairs)}
        values |= _points(start, pairs, room, axes)
    return values


def _volt_var(_hz: float) -> Built:
    header = _header({"V_SF": -2, "DeptRef_SF": -2, "RspTms_SF": -2})
    own: Values = {
        "DeptRef": OF_VA,
        "Pri": 1,
        "VRef": 100.0,
        "VRefAuto": 100.0,
        "VRefAutoEna": 0,
        "VRefAutoTms": 300,
        "RspTms": 5.0,
    }
    counts = {"NPt": POINTS[705], "NCrv": SETS}
    return counts, header | _sets(own, VOLT_VAR, POINTS[705], ("V", "Var"))


def _volt_watt(_hz: float) -> Built:
    header = _header({"V_SF": -2, "DeptRef_SF": -2, "RspTms_SF": -2})
    counts = {"NPt": POINTS[706], "NCrv": SETS}
    return counts, header | _sets({"DeptRef": 0, "RspTms": 10.0}, VOLT_WATT, POINTS[706], ("V", "W"))


def _watt_var(_hz: float) -> Built:
    header = _header({"W_SF": -2, "DeptRef_SF": -2})
    counts = {"NPt": POINTS[712], "NCrv": SETS}
    return counts, header | _sets({"DeptRef": OF_VA, "Pri": 1}, WATT_VAR, POINTS[712], ("W", "Var"))


def _droop(_hz: float) -> Built:
    values: Values = {
        "Ena": 1,
        "AdptCtlReq": 0,
        "AdptCtlRslt": 1,
        "RvrtTms": 0,
        "RvrtRem": 0,
        "RvrtCtl": 2,
        "Db_SF": -3,
        "K_SF": -3,
        "RspTms_SF": -2,
    }
    own: Values = {"DbOf": 0.036, "DbUf": 0.036, "KOf": 0.05, "KUf": 0.05, "RspTms": 5.0}
    for index in range(SETS):
        values |= {f"Ctl[{index}].{name}": value for name, value in own.items()}
        values[f"Ctl[{index}].ReadOnly"] = int(index == 0)
    return {"NCtl": SETS}, values


def _trip(model_id: int) -> Callable[[float], Built]:
    """A builder for a trip model; frequencies keep their distance from nominal on other grids."""
    is_frequency = model_id in {709, 710}
    axis, scale = ("Hz", "Hz_SF") if is_frequency else ("V", "V_SF")
    room = POINTS[model_id]

    def build(nominal_hz: float) -> Built:
        shift = nominal_hz - NOMINAL_60_HZ if is_frequency else 0.0
        values: Values = {"Ena": 1, "AdptCrvReq": 0, "AdptCrvRslt": 1, scale: -2, "Tms_SF": -2}
        curves = {
            "MustTrip": [(x + shift, seconds) for x, seconds in TRIPS[model_id]],
            "MayTrip": [],
            "MomCess": list(CESSATIONS.get(model_id, ())),
        }
        for index in range(SETS):
            values[f"Crv[{index}].ReadOnly"] = int(index == 0)
            for curve, pairs in curves.items():
                start = f"Crv[{index}].{curve}."
                values[start + "ActPt"] = len(pairs)
                values |= _points(start, pairs, room, (axis, "Tms"))
        return {"NPt": room, "NCrvSet": SETS}, values

    return build


CURVE_MODELS: Mapping[int, Callable[[float], Built]] = {
    705: _volt_var,
    706: _volt_watt,
    707: _trip(707),
    708: _trip(708),
    709: _trip(709),
    710: _trip(710),
    711: _droop,
    712: _watt_var,
}
