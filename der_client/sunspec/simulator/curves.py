"""Models 705 to 712 of a simulated inverter: IEEE 1547-2018 defaults, categories B and III, disabled.

Curve set 1 is the active, read-only one; a second set is there for a curve to come.
"""

from collections.abc import Callable, Mapping, Sequence

from der_client.sunspec.codec import Value

SETS = 2
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


def _header(extra: Values) -> Values:
    return {"Ena": 0, "AdptCrvReq": 0, "AdptCrvRslt": 1, "RvrtTms": 0, "RvrtRem": 0, "RvrtCrv": 1, **extra}


def _sets(own: Values, pairs: Pairs, axes: tuple[str, str], group: str = "Crv") -> Values:
    """Equal curve sets; only the first is read-only."""
    values: Values = {}
    for index in range(SETS):
        start = f"{group}[{index}]."
        values |= {start + name: value for name, value in own.items()}
        values[start + "ReadOnly"] = int(index == 0)
        for number, (x, y) in enumerate(pairs):
            values |= {f"{start}Pt[{number}].{axes[0]}": x, f"{start}Pt[{number}].{axes[1]}": y}
    return values


def _volt_var(_hz: float) -> Built:
    header = _header({"V_SF": -1, "DeptRef_SF": -1, "RspTms_SF": -1})
    own: Values = {
        "ActPt": len(VOLT_VAR),
        "DeptRef": 1,
        "Pri": 1,
        "VRef": 100.0,
        "VRefAuto": 100.0,
        "VRefAutoEna": 0,
        "VRefAutoTms": 300,
        "RspTms": 5.0,
    }
    return {"NPt": len(VOLT_VAR), "NCrv": SETS}, header | _sets(own, VOLT_VAR, ("V", "Var"))


def _volt_watt(_hz: float) -> Built:
    header = _header({"V_SF": -1, "DeptRef_SF": -1, "RspTms_SF": -1})
    own: Values = {"ActPt": len(VOLT_WATT), "DeptRef": 0, "RspTms": 10.0}
    return {"NPt": len(VOLT_WATT), "NCrv": SETS}, header | _sets(own, VOLT_WATT, ("V", "W"))


def _watt_var(_hz: float) -> Built:
    header = _header({"W_SF": -1, "DeptRef_SF": -1})
    own: Values = {"ActPt": len(WATT_VAR), "DeptRef": 1, "Pri": 1}
    return {"NPt": len(WATT_VAR), "NCrv": SETS}, header | _sets(own, WATT_VAR, ("W", "Var"))


def _droop(_hz: float) -> Built:
    header: Values = {
        "Ena": 0,
        "AdptCtlReq": 0,
        "AdptCtlRslt": 1,
        "RvrtTms": 0,
        "RvrtRem": 0,
        "RvrtCtl": 1,
        "Db_SF": -3,
        "K_SF": -3,
        "RspTms_SF": -1,
    }
    own: Values = {"DbOf": 0.036, "DbUf": 0.036, "KOf": 0.05, "KUf": 0.05, "RspTms": 5.0, "PMin": 0}
    return {"NCtl": SETS}, header | _sets(own, (), ("", ""), "Ctl")


def _trip(model_id: int) -> Callable[[float], Built]:
    """A builder for a trip model; frequencies keep their distance from nominal on other grids."""
    is_frequency = model_id in {709, 710}
    axis, scale = ("Hz", "Hz_SF") if is_frequency else ("V", "V_SF")

    def build(nominal_hz: float) -> Built:
        shift = nominal_hz - NOMINAL_60_HZ if is_frequency else 0.0
        values: Values = {
            "Ena": 0,
            "AdptCrvReq": 0,
            "AdptCrvRslt": 1,
            scale: -2 if is_frequency else -1,
            "Tms_SF": -2,
        }
        pairs = [(x + shift, seconds) for x, seconds in TRIPS[model_id]]
        for index in range(SETS):
            values[f"Crv[{index}].ReadOnly"] = int(index == 0)
            for curve in ("MustTrip", "MayTrip", "MomCess"):
                start = f"Crv[{index}].{curve}."
                values[start + "ActPt"] = len(pairs) if curve == "MustTrip" else 0
                for number, (x, seconds) in enumerate(pairs):
                    values |= {f"{start}Pt[{number}].{axis}": x, f"{start}Pt[{number}].Tms": seconds}
        return {"NPt": len(pairs), "NCrvSet": SETS}, values

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
