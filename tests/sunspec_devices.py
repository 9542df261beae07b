"""Devices of the older SunSpec series for tests, register by register, and what a plan writes to a device."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from der_client.sunspec.codec import Value, absent_words
from der_client.sunspec.definitions import HEADER_SIZE, fixed_size, layout_of
from der_client.sunspec.mapping import Plan
from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.simulator.bank import build_model, put
from der_client.sunspec.simulator.image import build_bank
from der_client.sunspec.simulator.settings import InverterSettings

COMMON: Mapping[str, Value] = {"Mn": "Acme", "Md": "Old", "SN": "S1", "Vr": "1.0"}
AC: Mapping[str, Value] = {
    "A": 14.5,
    "AphA": 4.8,
    "AphB": 4.8,
    "AphC": 4.8,
    "A_SF": -1,
    "PhVphA": 230.0,
    "PhVphB": 231.0,
    "PhVphC": 229.0,
    "V_SF": -1,
    "W": 9_800,
    "W_SF": 0,
    "Hz": 50.01,
    "Hz_SF": -2,
    "VA": 10_000,
    "VA_SF": 0,
    "VAr": 1_990,
    "VAr_SF": 0,
    "PF": -0.98,
    "PF_SF": -3,
    "WH": 123_456,
    "WH_SF": 0,
    "TmpCab": 41,
    "Tmp_SF": 0,
    "St": 4,
    "Evt1": 0,
}
RATINGS: Mapping[str, Value] = {
    "DERTyp": 4,
    "WRtg": 10_000,
    "WRtg_SF": 1,
    "VARtg": 11_000,
    "VARtg_SF": 1,
    "VArRtgQ1": 6_000,
    "VArRtgQ4": -5_000,
    "VArRtg_SF": 1,
    "ARtg": 16,
    "ARtg_SF": 0,
    "PFRtgQ1": -0.8,
    "PFRtgQ4": 0.85,
    "PFRtg_SF": -2,
}
BASIC: Mapping[str, Value] = {
    "WMax": 10_000,
    "VRef": 230,
    "VRefOfs": 0,
    "WGra": 20,
    "ECPNomHz": 50,
    "WMax_SF": 1,
    "VRef_SF": 0,
    "VRefOfs_SF": 0,
    "WGra_SF": -1,
    "ECPNomHz_SF": 0,
}
STATUS: Mapping[str, Value] = {
    "PVConn": 7,
    "StorConn": 0,
    "ECPConn": 1,
    "VArAval": 4_000,
    "VArAval_SF": 0,
    "WAval": 9_900,
    "WAval_SF": 0,
}
CONTROLS: Mapping[str, Value] = {
    "Conn_WinTms": 0,
    "Conn_RvrtTms": 0,
    "Conn": 1,
    "WMaxLimPct": 100,
    "WMaxLimPct_WinTms": 0,
    "WMaxLimPct_RvrtTms": 0,
    "WMaxLimPct_RmpTms": 0,
    "WMaxLim_Ena": 0,
    "OutPFSet": 1,
    "OutPFSet_WinTms": 0,
    "OutPFSet_RvrtTms": 0,
    "OutPFSet_RmpTms": 0,
    "OutPFSet_Ena": 0,
    "VArWMaxPct": 0,
    "VArMaxPct": 0,
    "VArAvalPct": 0,
    "VArPct_WinTms": 0,
    "VArPct_RvrtTms": 0,
    "VArPct_RmpTms": 0,
    "VArPct_Mod": 0,
    "VArPct_Ena": 0,
    "WMaxLimPct_SF": -2,
    "OutPFSet_SF": -3,
    "VArPct_SF": -1,
}
STORAGE: Mapping[str, Value] = {
    "WChaMax": 5_000,
    "WChaGra": 100,
    "WDisChaGra": 100,
    "StorCtl_Mod": 0,
    "MinRsvPct": 10,
    "ChaState": 62.5,
    "ChaSt": 4,
    "OutWRte": 100,
    "InWRte": 100,
    "InOutWRte_WinTms": 0,
    "InOutWRte_RvrtTms": 0,
    "InOutWRte_RmpTms": 0,
    "ChaGriSet": 0,
    "WChaMax_SF": 0,
    "WChaDisChaGra_SF": 0,
    "MinRsvPct_SF": 0,
    "ChaState_SF": -1,
    "InOutWRte_SF": -2,
}
INVERTER: Mapping[int, Mapping[str, Value]] = {
    1: COMMON,
    103: AC,
    120: RATINGS,
    121: BASIC,
    122: STATUS,
    123: CONTROLS,
}
HYBRID = {**INVERTER, 124: STORAGE}
CURVE_SCALES: Mapping[int, Mapping[str, Value]] = {
    126: {"V_SF": -1, "DeptRef_SF": -1},
    129: {"Tms_SF": -2, "V_SF": -1},
    131: {"W_SF": -1, "PF_SF": -3},
    132: {"V_SF": -1, "DeptRef_SF": -1},
    134: {"Hz_SF": -2, "W_SF": -1},
    135: {"Tms_SF": -2, "Hz_SF": -2},
}
AXES: Mapping[int, tuple[str, str]] = {
    126: ("V", "VAr"),
    129: ("Tms", "V"),
    131: ("W", "PF"),
    132: ("V", "W"),
    134: ("Hz", "W"),
    135: ("Tms", "Hz"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """A curve model of the older series with `curves` of four points each; the first is read-only if told."""

    model_id: int
    curves: int = 2
    first_read_only: bool = True


def older_map(
    models: Mapping[int, Mapping[str, Value]],
    *curves: Older,
    values: Mapping[str, Value | None] | None = None,
) -> DeviceMap:
    """A device with these models; `values` (`123.Conn`) are changed, `None` is not implemented."""
    built: list[Model] = []
    address = 40002
    for model_id, points in models.items():
        own = {
            name: value
            for name, value in points.items()
            if (values or {}).get(f"{model_id}.{name}", 0) is not None
        }
        changes = {
            name.partition(".")[2]: value
            for name, value in (values or {}).items()
            if value is not None and name.startswith(f"{model_id}.")
        }
        built.append(build_model(model_id, address, {}, {**own, **changes}))
        address = built[-1].end
    for curve in curves:
        built.append(_curves(curve, address))
        address = built[-1].end
    return DeviceMap(base=40000, models=tuple(built))


def _curves(of: Older, address: int) -> Model:
    x, y = AXES[of.model_id]
    header: dict[str, Value] = {"ActCrv": 1, "ModEna": 0, "WinTms": 0, "RvrtTms": 0, "RmpTms": 0, "NPt": 4}
    points: dict[str, Value] = {}
    for index in range(of.curves):
        own: dict[str, Value] = {"ActPt": 1, "ReadOnly": int(index == 0 and of.first_read_only)}
        if of.model_id in {126, 132}:
            own["DeptRef"] = 1
        if of.model_id == 134:
            own["SnptW"] = 0
        own |= {f"{axis}{number}": 0 for axis in (x, y) for number in range(1, 5)}
        points |= {f"curve[{index}].{name}": value for name, value in own.items()}
    return build_repeated(of.model_id, address, of.curves, {**header, **CURVE_SCALES[of.model_id], **points})


@cache
def _length_for(model_id: int, repeats: int) -> int:
    """L of a model whose group comes so often: it grows by the group alone."""
    once = fixed_size(model_id) - HEADER_SIZE
    layouts = ((length, layout_of(model_id, length)) for length in range(once, once + 100))
    group = next(length - once for length, found in layouts if found and "curve[0].ReadOnly" in found.by_name)
    while (layout := layout_of(model_id, once + repeats * group)) is None or layout.warnings:
        group += 1
    return once + repeats * group


def build_repeated(model_id: int, address: int, repeats: int, values: Mapping[str, Value]) -> Model:
    """A model whose repeating group comes as often as its length says."""
    probe = _length_for(model_id, repeats)
    layout = layout_of(model_id, probe)
    assert layout is not None
    model = Model(model_id=model_id, address=address, length=probe, layout=layout)
    model.words = [word for point in layout.points for word in absent_words(point.type, point.size)]
    everything = {"ID": model_id, "L": probe, "NCrv": repeats, **values}
    for name in sorted(everything, key=lambda name: layout.by_name[name].type != "sunssf"):
        put(model, name, everything[name])
    return model


def requests(made: Plan) -> list[tuple[str, tuple[int, ...]]]:
    """Each write request that would change a register: first point and registers."""
    return [
        (f"{block.model.model_id}.{block.points[0].name}", block.words)
        for step in made.steps
        for block in step.due_blocks
        if not step.is_held
    ]


def writes(made: Plan, field: str) -> list[tuple[str, tuple[int, ...]]]:
    """Everything that is written for a field, be it held already or not: first point and registers."""
    return [
        (f"{block.model.model_id}.{block.points[0].name}", block.words)
        for step in made.steps
        if step.field == field
        for block in step.to_write
    ]


SETS = 2
_HEADER: Mapping[str, Value] = {
    "Ena": 0,
    "AdptCrvReq": 0,
    "AdptCrvRslt": 1,
    "RvrtTms": 0,
    "RvrtRem": 0,
    "RvrtCrv": 1,
}
_PERCENT: Mapping[str, Value] = {"V_SF": -1, "DeptRef_SF": -1, "RspTms_SF": -1}
_DROOP: Mapping[str, Value] = {
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
ADOPTED: Mapping[int, tuple[Mapping[str, int], Mapping[str, Value], Mapping[str, Value]]] = {
    705: (
        {"NPt": 4, "NCrv": SETS},
        {**_HEADER, **_PERCENT},
        {
            "ActPt": 4,
            "DeptRef": 1,
            "Pri": 1,
            "VRef": 100.0,
            "VRefAuto": 100.0,
            "VRefAutoEna": 0,
            "VRefAutoTms": 300,
            "RspTms": 5.0,
            **{f"Pt[{n}].V": v for n, v in enumerate((92.0, 98.0, 102.0, 108.0))},
            **{f"Pt[{n}].Var": v for n, v in enumerate((44.0, 0.0, 0.0, -44.0))},
        },
    ),
    706: (
        {"NPt": 2, "NCrv": SETS},
        {**_HEADER, **_PERCENT},
        {
            "ActPt": 2,
            "DeptRef": 0,
            "RspTms": 10.0,
            **{f"Pt[{n}].V": v for n, v in enumerate((106.0, 110.0))},
            **{f"Pt[{n}].W": v for n, v in enumerate((100.0, 20.0))},
        },
    ),
    711: (
        {"NCtl": SETS},
        _DROOP,
        {"DbOf": 0.036, "DbUf": 0.036, "KOf": 0.05, "KUf": 0.05, "RspTms": 5.0, "PMin": 0},
    ),
    712: (
        {"NPt": 6, "NCrv": SETS},
        {**_HEADER, "W_SF": -1, "DeptRef_SF": -1},
        {
            "ActPt": 6,
            "DeptRef": 1,
            "Pri": 1,
            **{f"Pt[{n}].W": v for n, v in enumerate((-100.0, -50.0, -20.0, 20.0, 50.0, 100.0))},
            **{f"Pt[{n}].Var": v for n, v in enumerate((44.0, 0.0, 0.0, 0.0, 0.0, -44.0))},
        },
    ),
}
TRIPS: Mapping[int, tuple[str, tuple[tuple[float, float], ...]]] = {
    707: ("V", ((50.0, 2.0), (88.0, 21.0))),
    708: ("V", ((120.0, 0.16), (110.0, 13.0))),
    709: ("Hz", ((56.5, 0.16), (58.5, 300.0))),
    710: ("Hz", ((62.0, 0.16), (61.2, 300.0))),
}


def newer_map(values: Mapping[str, Value | None] | None = None) -> DeviceMap:
    """A PV inverter whose models 705 to 712 keep two curves each, the first one in force, all disabled."""
    bank = build_bank(InverterSettings()).models
    built: list[Model] = []
    address = 40002
    for model_id, found in bank.items():
        if model_id in ADOPTED or model_id in TRIPS:
            model = _stored(model_id, address) if model_id in ADOPTED else _tripping(model_id, address)
        else:
            model = Model(model_id=model_id, address=address, length=found.length, layout=found.layout)
            model.words = list(found.words)
        built.append(model)
        address = model.end
    device_map = DeviceMap(base=40000, models=tuple(built))
    for name, value in (values or {}).items():
        number, _, point = name.partition(".")
        target = device_map.first(int(number))
        assert target is not None
        put(target, point, value)
    return device_map


def _stored(model_id: int, address: int) -> Model:
    counts, header, own = ADOPTED[model_id]
    group = "Ctl" if model_id == 711 else "Crv"
    values = dict(header)
    for index in range(SETS):
        values |= {f"{group}[{index}].{name}": value for name, value in own.items()}
        values[f"{group}[{index}].ReadOnly"] = int(index == 0)
    return build_model(model_id, address, counts, values)


def _tripping(model_id: int, address: int) -> Model:
    axis, pairs = TRIPS[model_id]
    scale = -1 if axis == "V" else -2
    values: dict[str, Value] = {
        "Ena": 0,
        "AdptCrvReq": 0,
        "AdptCrvRslt": 1,
        f"{axis}_SF": scale,
        "Tms_SF": -2,
    }
    for index in range(SETS):
        values[f"Crv[{index}].ReadOnly"] = int(index == 0)
        for part in ("MustTrip", "MayTrip", "MomCess"):
            start = f"Crv[{index}].{part}."
            values[start + "ActPt"] = len(pairs) if part == "MustTrip" else 0
            for number, (level, seconds) in enumerate(pairs):
                values |= {f"{start}Pt[{number}].{axis}": level, f"{start}Pt[{number}].Tms": seconds}
    return build_model(model_id, address, {"NPt": len(pairs), "NCrvSet": SETS}, values)
