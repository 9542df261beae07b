"""The register map of a simulated inverter of the older series at its start: 101 to 103, 120 to 134, 160."""

from collections.abc import Iterator, Mapping

from der_client.sunspec.codec import Value
from der_client.sunspec.model import Model
from der_client.sunspec.scan import MARKER
from der_client.sunspec.simulator.bank import FIRST_ADDRESS, RegisterBank, build_model
from der_client.sunspec.simulator.curves import VOLT_VAR, VOLT_WATT, Pairs
from der_client.sunspec.simulator.image import bank_of, common_values, scale_for
from der_client.sunspec.simulator.measurements import current_a
from der_client.sunspec.simulator.settings import InverterSettings

CURVES = 3
POINTS = 20
PV_TYPE, PV_STORAGE_TYPE = 4, 82
FOREVER_S = 0xFFFE
FROM_GRID = 1
AXES: Mapping[int, tuple[str, str]] = {
    126: ("V", "VAr"),
    131: ("W", "PF"),
    132: ("V", "W"),
    134: ("Hz", "W"),
}
CURVE_LENGTH = {126: 54, 131: 54, 132: 54, 134: 58}
CURVE_HEADER = 10
MODULE_HEADER, MODULE_LENGTH = 8, 20

Values = dict[str, Value]


def ac_model_of(settings: InverterSettings) -> int:
    """The model of measurements for the wiring: 101 single, 102 split, 103 three phase."""
    return 101 + settings.ac_type


def _measurements(settings: InverterSettings) -> Values:
    power = scale_for(max(settings.max_va, settings.max_w))
    amperes = max(settings.max_va, settings.max_w) / settings.v_nom_v
    return {
        "A_SF": scale_for(amperes * 10) - 1,
        "V_SF": -1,
        "W_SF": power,
        "Hz_SF": -2,
        "VA_SF": power,
        "VAr_SF": power,
        "PF_SF": -1,
        "WH_SF": 0,
        "DCA_SF": scale_for(10 * max(settings.max_w, settings.charge_w) / settings.dc_voltage_v) - 1,
        "DCV_SF": -1,
        "DCW_SF": scale_for(max(settings.max_w, settings.charge_w, settings.pv_w)),
        "Tmp_SF": -1,
        "TmpCab": 25.0,
        "Evt1": 0,
        "Evt2": 0,
    }


def _ratings(settings: InverterSettings) -> Values:
    power, var = scale_for(max(settings.max_w, settings.max_va)), scale_for(settings.max_var)
    values: Values = {
        "DERTyp": PV_STORAGE_TYPE if settings.is_storage else PV_TYPE,
        "WRtg": settings.max_w,
        "WRtg_SF": power,
        "VARtg": settings.max_va,
        "VARtg_SF": power,
        "VArRtgQ1": settings.max_var,
        "VArRtgQ2": settings.max_var,
        "VArRtgQ3": -settings.max_var,
        "VArRtgQ4": -settings.max_var,
        "VArRtg_SF": var,
        "ARtg": round(current_a(settings.ac_type, settings.v_nom_v, settings.max_va), 1),
        "ARtg_SF": -1,
        "PFRtgQ1": -0.9,
        "PFRtgQ2": 0.9,
        "PFRtgQ3": -0.9,
        "PFRtgQ4": 0.9,
        "PFRtg_SF": -2,
    }
    if settings.is_storage:
        charge = scale_for(max(settings.charge_w, settings.discharge_w))
        values |= {"WHRtg": settings.capacity_wh, "WHRtg_SF": scale_for(settings.capacity_wh)}
        values |= {"MaxChaRte": settings.charge_w, "MaxChaRte_SF": charge}
        values |= {"MaxDisChaRte": settings.discharge_w, "MaxDisChaRte_SF": charge}
    return values


def _basic(settings: InverterSettings) -> Values:
    return {
        "WMax": settings.max_w,
        "VRef": settings.v_nom_v,
        "VRefOfs": 0,
        "VMax": round(1.2 * settings.v_nom_v, 1),
        "VMin": round(0.5 * settings.v_nom_v, 1),
        "VAMax": settings.max_va,
        "VArMaxQ1": settings.max_var,
        "VArMaxQ4": -settings.max_var,
        "WGra": settings.ramp_pct_per_s,
        "ECPNomHz": settings.nominal_hz,
        "WMax_SF": scale_for(settings.max_w),
        "VRef_SF": -1,
        "VRefOfs_SF": -1,
        "VMinMax_SF": -1,
        "VAMax_SF": scale_for(settings.max_va),
        "VArMax_SF": scale_for(settings.max_var),
        "WGra_SF": 0,
        "ECPNomHz_SF": -2,
    }


def _status(settings: InverterSettings) -> Values:
    return {
        "PVConn": 0,
        "StorConn": 0,
        "ECPConn": 1,
        "VArAval": 0,
        "VArAval_SF": scale_for(settings.max_var),
        "WAval": 0,
        "WAval_SF": scale_for(settings.max_w),
    }


def _controls(_settings: InverterSettings) -> Values:
    values: Values = {
        "Conn_WinTms": 0,
        "Conn_RvrtTms": 0,
        "Conn": 1,
        "WMaxLimPct": 100,
        "WMaxLim_Ena": 0,
        "OutPFSet": 1.0,
        "OutPFSet_Ena": 0,
        "VArWMaxPct": 0,
        "VArMaxPct": 0,
        "VArAvalPct": 0,
        "VArPct_Mod": 2,
        "VArPct_Ena": 0,
        "WMaxLimPct_SF": -2,
        "OutPFSet_SF": -3,
        "VArPct_SF": -2,
    }
    for prefix in ("WMaxLimPct", "OutPFSet", "VArPct"):
        values |= {f"{prefix}_WinTms": 0, f"{prefix}_RvrtTms": 0, f"{prefix}_RmpTms": 0}
    return values


def _storage(settings: InverterSettings) -> Values:
    return {
        "WChaMax": settings.charge_w,
        "WChaGra": 100,
        "WDisChaGra": 100,
        "StorCtl_Mod": 0,
        "MinRsvPct": 5,
        "ChaState": 0,
        "InBatV": settings.dc_voltage_v,
        "ChaSt": 6,
        "OutWRte": 100,
        "InWRte": 100,
        "InOutWRte_WinTms": 0,
        "InOutWRte_RvrtTms": 0,
        "InOutWRte_RmpTms": 0,
        "ChaGriSet": FROM_GRID,
        "WChaMax_SF": scale_for(settings.charge_w),
        "WChaDisChaGra_SF": 0,
        "MinRsvPct_SF": 0,
        "ChaState_SF": -1,
        "InBatV_SF": -1,
        "InOutWRte_SF": -2,
    }


def _droop(_settings: InverterSettings) -> Values:
    """Model 127: over-frequency only, HzStr as an offset from nominal; disabled."""
    return {
        "WGra": 33.33,
        "HzStr": 0.04,
        "HzStop": 0.04,
        "HysEna": 0,
        "ModEna": 0,
        "WGra_SF": -2,
        "HzStrStop_SF": -2,
    }


def _curves(model_id: int, settings: InverterSettings) -> tuple[Values, int]:
    """A curve model and its L: equal curves, all of them writable, disabled."""
    nominal = settings.nominal_hz
    pairs: Pairs = {
        126: VOLT_VAR,
        131: ((0.0, 1.0), (50.0, 1.0), (100.0, 0.95)),
        132: VOLT_WATT,
        134: ((nominal + 0.04, 100.0), (nominal + 2.0, 0.0)),
    }[model_id]
    x, y = AXES[model_id]
    scales: Mapping[str, Value] = {
        126: {"V_SF": -2, "DeptRef_SF": -2},
        131: {"W_SF": -2, "PF_SF": -3},
        132: {"V_SF": -2, "DeptRef_SF": -2},
        134: {"Hz_SF": -2, "W_SF": -2},
    }[model_id]
    values: Values = {"ActCrv": 1, "ModEna": 0, "WinTms": 0, "RvrtTms": 0, "RmpTms": 0}
    values |= {"NCrv": CURVES, "NPt": POINTS, **scales}
    for index in range(CURVES):
        start = f"curve[{index}]."
        values |= {f"{start}ActPt": len(pairs), f"{start}ReadOnly": 0}
        values |= {f"{start}DeptRef": 1} if model_id in {126, 132} else {}
        for number in range(POINTS):
            at = pairs[number] if number < len(pairs) else (0.0, 0.0)
            values |= {f"{start}{x}{number + 1}": at[0], f"{start}{y}{number + 1}": at[1]}
    return values, CURVE_HEADER + CURVE_LENGTH[model_id] * CURVES


def _modules(settings: InverterSettings) -> tuple[Values, int]:
    """Model 160 and its L: one module, the PV field or the battery."""
    power = scale_for(max(settings.max_w, settings.charge_w, settings.pv_w))
    values: Values = {
        "DCA_SF": scale_for(10 * max(settings.max_w, settings.charge_w) / settings.dc_voltage_v) - 1,
        "DCV_SF": -1,
        "DCW_SF": power,
        "DCWH_SF": 0,
        "Evt": 0,
        "N": 1,
        "module[0].ID": 1,
        "module[0].IDStr": "Battery" if settings.is_storage else "PV",
        "module[0].DCV": settings.dc_voltage_v,
        "module[0].DCSt": 4,
    }
    return values, MODULE_HEADER + MODULE_LENGTH


def build_bank_100(settings: InverterSettings) -> RegisterBank:
    """The map of an inverter of the older series at base 40000.

    Raises ValueError for ratings that no register can hold.
    """
    return bank_of(_models, settings, _limits(settings))


def _limits(settings: InverterSettings) -> dict[str, tuple[float, float]]:
    """Valid ranges of writable points."""
    signed = (-100.0, 100.0)
    limits = {
        "121.WMax": (1.0, settings.max_w),
        "121.VAMax": (1.0, settings.max_va),
        "121.VArMaxQ1": (0.0, settings.max_var),
        "121.VArMaxQ4": (-settings.max_var, 0.0),
        "121.WGra": (1.0, 100.0),
        "123.WMaxLimPct": (0.0, 100.0),
        "123.OutPFSet": (-1.0, 1.0),
        "124.WChaMax": (0.0, settings.charge_w),
        "124.OutWRte": signed,
        "124.InWRte": signed,
        "124.MinRsvPct": (0.0, 100.0),
    }
    limits |= {f"123.{name}": signed for name in ("VArWMaxPct", "VArMaxPct", "VArAvalPct")}
    return limits | {f"{model}.ActCrv": (1.0, float(CURVES)) for model in AXES}


def _models(settings: InverterSettings) -> Iterator[Model]:
    plain = {
        1: common_values(settings),
        ac_model_of(settings): _measurements(settings),
        120: _ratings(settings),
        121: _basic(settings),
        122: _status(settings),
        123: _controls(settings),
    }
    plain |= {124: _storage(settings)} if settings.is_storage else {}
    address = FIRST_ADDRESS + len(MARKER)
    for model_id, values in plain.items():
        yield (model := build_model(model_id, address, {}, values))
        address = model.end
    for model_id in (126, 127, 131, 132, 134, 160):
        yield (model := _long_model(model_id, address, settings))
        address = model.end


def _long_model(model_id: int, address: int, settings: InverterSettings) -> Model:
    if model_id == 127:
        return build_model(127, address, {}, _droop(settings))
    if model_id == 160:
        values, length = _modules(settings)
        return build_model(160, address, {"N": 1}, values, length=length)
    values, length = _curves(model_id, settings)
    return build_model(model_id, address, {}, values, length=length)
