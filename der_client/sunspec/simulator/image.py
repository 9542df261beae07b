"""The register map of a simulated inverter at its start: models 1 and 701 to 715."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from der_client.sunspec.codec import Value
from der_client.sunspec.model import Model
from der_client.sunspec.scan import MARKER
from der_client.sunspec.simulator.bank import FIRST_ADDRESS, RegisterBank, build_model, put
from der_client.sunspec.simulator.curves import CURVE_MODELS, SETS
from der_client.sunspec.simulator.measurements import current_a
from der_client.sunspec.simulator.settings import InverterSettings

INT16_MAX = 32767
HEADROOM = 1.25
CTRL_MODES = 0b11_0111_1011_1111
"""All modes but dynamic reactive current (6) and scheduled (11): the bits of 702.CtrlModes."""
CATEGORY_B, CATEGORY_III = 1, 2
PORT_PV, PORT_ESS, PORT_EV = 0, 1, 2
PORT_NAMES = {PORT_PV: "PV", PORT_ESS: "Battery", PORT_EV: "EV"}
FOREVER_S = 0xFFFFFFFE
LITHIUM_ION = 4

Values = dict[str, Value]


def scale_for(largest: float) -> int:
    """The smallest scale factor from 0 on with which `largest` and some headroom fit a signed register."""
    scale = 0
    while largest * HEADROOM > INT16_MAX * 10**scale:
        scale += 1
    return scale


def common_values(settings: InverterSettings) -> Values:
    """Model 1."""
    return {
        "Mn": settings.manufacturer,
        "Md": settings.model,
        "Vr": settings.version,
        "SN": settings.serial,
        "DA": settings.unit,
    }


def _measurements(settings: InverterSettings) -> Values:
    power = scale_for(max(settings.max_va, settings.max_w))
    amperes = max(settings.max_va, settings.max_w) / settings.v_nom_v
    return {
        "ACType": settings.ac_type,
        "Alrm": 0,
        "DERMode": 1,
        "ThrotPct": 0,
        "ThrotSrc": 0,
        "A_SF": scale_for(amperes * 10) - 1,
        "V_SF": -1,
        "Hz_SF": -3,
        "W_SF": power,
        "PF_SF": -3,
        "VA_SF": power,
        "Var_SF": power,
        "TotWh_SF": 0,
        "TotVarh_SF": 0,
        "Tmp_SF": -1,
        "TmpCab": 25.0,
        "MnAlrmInfo": "none",
    }


def _capacity(settings: InverterSettings) -> Values:
    power = scale_for(max(settings.max_w, settings.max_va, settings.charge_w))
    max_a = current_a(settings.ac_type, settings.v_nom_v, settings.max_va)
    ratings: Values = {
        "WMaxRtg": settings.max_w,
        "WOvrExtRtg": settings.max_w,
        "WOvrExtRtgPF": 0.9,
        "WUndExtRtg": settings.max_w,
        "WUndExtRtgPF": 0.9,
        "VAMaxRtg": settings.max_va,
        "VarMaxInjRtg": settings.max_var,
        "VarMaxAbsRtg": settings.max_var,
        "VNomRtg": settings.v_nom_v,
        "VMaxRtg": round(1.2 * settings.v_nom_v, 1),
        "VMinRtg": round(0.5 * settings.v_nom_v, 1),
        "AMaxRtg": round(max_a, 1),
        "NorOpCatRtg": CATEGORY_B,
        "AbnOpCatRtg": CATEGORY_III,
        "CtrlModes": CTRL_MODES,
        "WMax": settings.max_w,
        "VAMax": settings.max_va,
        "VarMaxInj": settings.max_var,
        "VarMaxAbs": settings.max_var,
        "W_SF": power,
        "PF_SF": -3,
        "VA_SF": power,
        "Var_SF": power,
        "V_SF": -1,
        "A_SF": scale_for(max_a * 10) - 1,
    }
    return ratings | (_storage_capacity(settings) if settings.is_storage else {})


def _storage_capacity(settings: InverterSettings) -> Values:
    return {
        "WChaRteMaxRtg": settings.charge_w,
        "WDisChaRteMaxRtg": settings.discharge_w,
        "VAChaRteMaxRtg": settings.charge_w,
        "VADisChaRteMaxRtg": settings.discharge_w,
        "WChaRteMax": settings.charge_w,
        "WDisChaRteMax": settings.discharge_w,
    }


def _enter_service(settings: InverterSettings) -> Values:
    return {
        "ES": 1,
        "ESVHi": 105.0,
        "ESVLo": 91.7,
        "ESHzHi": settings.nominal_hz + 0.1,
        "ESHzLo": settings.nominal_hz - 0.5,
        "ESDlyTms": settings.enter_service_delay_s,
        "ESRndTms": 0,
        "ESRmpTms": settings.enter_service_ramp_s,
        "ESDlyRemTms": 0,
        "V_SF": -1,
        "Hz_SF": -2,
    }


def _controls(settings: InverterSettings) -> Values:
    values: Values = {
        "WMaxLimPct": 100,
        "WMaxLimPctRvrt": 100,
        "WSetMod": 1,
        "WSet": 0,
        "WSetRvrt": 0,
        "WSetPct": 0,
        "WSetPctRvrt": 0,
        "VarSetMod": 1,
        "VarSetPri": 0,
        "VarSet": 0,
        "VarSetRvrt": 0,
        "VarSetPct": 0,
        "VarSetPctRvrt": 0,
        "WRmp": settings.ramp_pct_per_s,
        "WRmpRef": 1,
        "AntiIslEna": 1,
        "PF_SF": -3,
        "WMaxLimPct_SF": -2,
        "WSet_SF": 0,
        "WSetPct_SF": -2,
        "VarSet_SF": 0,
        "VarSetPct_SF": -2,
    }
    for prefix in ("PFWInj", "PFWAbs", "WMaxLimPct", "WSet", "VarSet"):
        values |= {f"{prefix}Ena": 0, f"{prefix}EnaRvrt": 0, f"{prefix}RvrtTms": 0, f"{prefix}RvrtRem": 0}
    for group in ("PFWInj", "PFWInjRvrt", "PFWAbs", "PFWAbsRvrt"):
        values |= {f"{group}.PF": 1.0, f"{group}.Ext": 0}
    return values


def _storage(settings: InverterSettings) -> Values:
    return {
        "WHRtg": settings.capacity_wh,
        "WHAvail": 0,
        "SoC": 0,
        "SoH": 100,
        "Sta": 0,
        "WH_SF": scale_for(settings.capacity_wh),
        "Pct_SF": -1,
    }


def _dc(settings: InverterSettings) -> Values:
    power = scale_for(max(settings.max_w, settings.charge_w, settings.pv_w))
    own = PORT_ESS if settings.is_storage else PORT_PV
    port = own if settings.port_type is None else settings.port_type
    return {
        "PrtAlrms": 0,
        "DCA_SF": scale_for(10 * max(settings.max_w, settings.charge_w) / settings.dc_voltage_v) - 1,
        "DCV_SF": -1,
        "DCW_SF": power,
        "DCWH_SF": 0,
        "Prt[0].PrtTyp": port,
        "Prt[0].ID": 1,
        "Prt[0].IDStr": PORT_NAMES[port],
        "Prt[0].DCV": settings.dc_voltage_v,
        "Prt[0].DCSta": 1,
        "Prt[0].DCAlrm": 0,
    }


def _control(_settings: InverterSettings) -> Values:
    return {"LocRemCtl": 0, "DERHb": 0, "ControllerHb": 0, "AlarmReset": 0, "OpCtl": 1}


def _lab(settings: InverterSettings) -> Values:
    """Model 64414: what a test bench sets, as floats."""
    return {
        "Temperature": 25.0,
        "Irradiance": 1000.0,
        **dict.fromkeys(("GridVoltageA", "GridVoltageB", "GridVoltageC"), settings.v_nom_v),
        "GridFrequency": settings.nominal_hz,
    }


def _battery_bank(settings: InverterSettings) -> Values:
    """Model 802 at its start; what is measured is set later."""
    power = scale_for(max(settings.charge_w, settings.discharge_w))
    return {
        "WHRtg": settings.capacity_wh,
        "WChaRteMax": settings.charge_w,
        "WDisChaRteMax": settings.discharge_w,
        "SoCMax": 100,
        "SoCMin": 0,
        "SocRsvMax": 100,
        "SoCRsvMin": 0,
        "NCyc": 0,
        "LocRemCtl": 0,
        "Hb": 0,
        "CtrlHb": 0,
        "AlmRst": 0,
        "Typ": LITHIUM_ION,
        "Evt2": 0,
        "EvtVnd1": 0,
        "EvtVnd2": 0,
        "ReqInvState": 0,
        "SetOp": 1,
        "SetInvState": 3,
        "AHRtg_SF": -1,
        "WHRtg_SF": scale_for(settings.capacity_wh),
        "WChaDisChaMax_SF": power,
        "SoC_SF": -1,
        "SoH_SF": -1,
        "V_SF": -1,
        "CellV_SF": -3,
        "A_SF": -1,
        "AMax_SF": -1,
        "W_SF": power,
    }


BUILDERS: Mapping[int, Callable[[InverterSettings], Values]] = {
    1: common_values,
    701: _measurements,
    702: _capacity,
    703: _enter_service,
    704: _controls,
    713: _storage,
    714: _dc,
    715: _control,
    802: _battery_bank,
    64414: _lab,
}


def _limits(settings: InverterSettings) -> dict[str, tuple[float, float]]:
    """Valid ranges of writable points."""
    percent, signed = (0.0, 100.0), (-100.0, 100.0)
    watts, factor = (-settings.charge_w, settings.max_w), (0.01, 1.0)
    var = (-settings.max_var, settings.max_var)
    limits = {f"704.{group}.PF": factor for group in ("PFWInj", "PFWInjRvrt", "PFWAbs", "PFWAbsRvrt")}
    limits |= {f"704.{prefix}RvrtTms": (0.0, FOREVER_S) for prefix in ("PFWInj", "PFWAbs")}
    return limits | {
        "702.WMax": (1.0, settings.max_w),
        "702.VAMax": (1.0, settings.max_va),
        "702.VarMaxInj": (0.0, settings.max_var),
        "702.VarMaxAbs": (0.0, settings.max_var),
        "702.WChaRteMax": (0.0, settings.charge_w),
        "702.WDisChaRteMax": (0.0, settings.discharge_w),
        "703.ESVHi": (100.0, 120.0),
        "703.ESVLo": (50.0, 100.0),
        "703.ESDlyTms": (0.0, 1000.0),
        "703.ESRmpTms": (0.0, 1000.0),
        "704.WMaxLimPct": percent,
        "704.WMaxLimPctRvrt": percent,
        "704.WSet": watts,
        "704.WSetRvrt": watts,
        "704.WSetPct": signed,
        "704.WSetPctRvrt": signed,
        "704.VarSet": var,
        "704.VarSetRvrt": var,
        "704.VarSetPct": signed,
        "704.VarSetPctRvrt": signed,
        **_adoptable(),
        "703.ESRndTms": (0.0, 1000.0),
        "704.WRmp": (1.0, 100.0),
        "704.AntiIslEna": (1.0, 1.0),
    }


def _adoptable() -> dict[str, tuple[float, float]]:
    """The numbers of curve sets that can be asked for."""
    sets = (0.0, float(SETS))
    found = {f"{model}.AdptCrvReq": sets for model in CURVE_MODELS if model != 711}
    found |= {f"{model}.RvrtCrv": sets for model in (705, 706, 712)}
    return found | {"711.AdptCtlReq": sets, "711.RvrtCtl": sets}


def build_bank(settings: InverterSettings) -> RegisterBank:
    """The map of an inverter at base 40000; models 705 to 712 begin with the defaults of IEEE 1547-2018.

    Raises ValueError for ratings that no register can hold.
    """
    return bank_of(_models, settings, _limits(settings))


def bank_of(
    build: Callable[[InverterSettings], Iterable[Model]],
    settings: InverterSettings,
    limits: dict[str, tuple[float, float]],
) -> RegisterBank:
    """The map of the models that `build` makes; they are made once for all inverters with these settings."""
    prototype = _prototype(build, replace(settings, serial="", unit=1))
    return RegisterBank(named(prototype, settings), limits=limits)


@lru_cache(maxsize=64)
def _prototype(
    build: Callable[[InverterSettings], Iterable[Model]], settings: InverterSettings
) -> tuple[Model, ...]:
    """The models of all inverters with these settings; nobody changes them."""
    return tuple(build(settings))


def named(models: Iterable[Model], settings: InverterSettings) -> tuple[Model, ...]:
    """Models of one device: those of a prototype with its own serial number and unit."""
    own = tuple(replace(model, words=list(model.words)) for model in models)
    for name in ("SN", "DA"):
        put(own[0], name, common_values(settings)[name])
    return own


def _least_power(settings: InverterSettings) -> Values:
    """711.PMin: a battery may take where a PV field can only give nothing."""
    return {f"Ctl[{index}].PMin": -100 if settings.is_storage else 0 for index in range(SETS)}


def _models(settings: InverterSettings) -> Iterator[Model]:
    address = FIRST_ADDRESS + len(MARKER)
    extra = (802,) * settings.has_battery_model + (64414,) * settings.has_lab_hooks
    for model_id in (1, *range(701, 716), *extra):
        if model_id == 713 and not settings.is_storage:
            continue
        if model_id in CURVE_MODELS:
            counts, values = CURVE_MODELS[model_id](settings.nominal_hz)
            values |= _least_power(settings) if model_id == 711 else {}
        else:
            counts, values = ({"NPrt": 1} if model_id == 714 else {}), BUILDERS[model_id](settings)
        model = build_model(model_id, address, counts, values)
        yield model
        address = model.end
