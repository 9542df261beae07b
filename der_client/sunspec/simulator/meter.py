"""A simulated meter: models 201 to 203 in integers, or 211 to 213 in floats. No clock inside.

Its W is positive where its settings say: meters in the field do it either way.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from der_client.sunspec.codec import Value
from der_client.sunspec.model import Model
from der_client.sunspec.scan import MARKER
from der_client.sunspec.simulator.bank import (
    FIRST_ADDRESS,
    ILLEGAL_ADDRESS,
    IllegalRequestError,
    RegisterBank,
    build_model,
    put,
)
from der_client.sunspec.simulator.faults import FaultSwitches
from der_client.sunspec.simulator.image import scale_for
from der_client.sunspec.simulator.measurements import (
    ROOT_3,
    SINGLE_PHASE,
    SPLIT_PHASE,
    THREE_PHASE,
    line_to_neutral,
)

PHASES = {SINGLE_PHASE: "A", SPLIT_PHASE: "AB", THREE_PHASE: "ABC"}
INTEGER_MODEL, FLOAT_MODEL = 201, 211


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSettings:
    """One meter: wiring and nominal voltage as those of an inverter (701.ACType, 702.VNom), most W expected.

    `is_float` chooses models 211 to 213; with `export_positive` W is positive out of the site.
    """

    manufacturer: str = "Lineside"
    model: str = "Simulated meter"
    serial: str = "METER-0001"
    unit: int = 1
    ac_type: int = SINGLE_PHASE
    v_nom_v: float = 240.0
    nominal_hz: float = 60.0
    most_w: float = 20_000.0
    is_float: bool = False
    export_positive: bool = False


@dataclass(slots=True, kw_only=True)
class Flow:
    """What passes the meter, positive out of the site: power now (W, var), energy so far (Wh), the grid."""

    voltage_v: float
    frequency_hz: float
    power_w: float = 0.0
    reactive_var: float = 0.0
    exported_wh: float = 0.0
    imported_wh: float = 0.0

    def count(self, energy_wh: float) -> None:
        """Energy has passed, positive out of the site."""
        self.exported_wh += max(0.0, energy_wh)
        self.imported_wh += max(0.0, -energy_wh)


class Meter:
    """The registers of a meter; `show` sets what they read."""

    def __init__(self, settings: MeterSettings) -> None:
        self.settings = settings
        self.faults = FaultSwitches()
        first = FLOAT_MODEL if settings.is_float else INTEGER_MODEL
        number = first + settings.ac_type
        address = FIRST_ADDRESS + len(MARKER)
        identity: dict[str, Value] = {
            "Mn": settings.manufacturer,
            "Md": settings.model,
            "SN": settings.serial,
            "DA": settings.unit,
        }
        common = build_model(1, address, {}, identity)
        self._model = build_model(number, common.end, {}, {} if settings.is_float else _scales(settings))
        self.bank = RegisterBank((common, self._model), limits={})

    def show(self, flow: Flow) -> None:
        """Set the registers to what passes now."""
        for name, value in _readings(self.settings, flow).items():
            if self._model.point(name) is not None:
                put(self._model, name, value)

    def read(self, address: int, count: int) -> Sequence[int]:
        """Registers as last shown. Raises IllegalRequestError outside the map."""
        return self.bank.read(address, count)

    @property
    def model(self) -> Model:
        """The model of measurements."""
        return self._model


def refuse_write(address: int) -> None:
    """Raise what a meter answers to a write: nothing of it is writable."""
    raise IllegalRequestError(ILLEGAL_ADDRESS, f"{address} is read-only")


def _scales(settings: MeterSettings) -> dict[str, Value]:
    power = scale_for(settings.most_w)
    amperes = settings.most_w / settings.v_nom_v
    return {
        "A_SF": scale_for(amperes * 10) - 1,
        "V_SF": -1,
        "Hz_SF": -2,
        "W_SF": power,
        "VA_SF": power,
        "VAR_SF": power,
        "PF_SF": -1,
        "TotWh_SF": 0,
    }


def _readings(settings: MeterSettings, flow: Flow) -> dict[str, float | None]:
    sign = 1.0 if settings.export_positive else -1.0
    power_w, reactive_var = sign * flow.power_w, sign * flow.reactive_var
    apparent_va = math.hypot(power_w, reactive_var)
    neutral_v = line_to_neutral(settings.ac_type, flow.voltage_v)
    letters = PHASES[settings.ac_type]
    share = 1.0 / len(letters)
    amperes = apparent_va * share / neutral_v
    factor = 1.0 if apparent_va == 0 else power_w / apparent_va
    readings: dict[str, float | None] = {
        "A": amperes * len(letters),
        "PhV": neutral_v,
        "PPV": flow.voltage_v if settings.ac_type == SPLIT_PHASE else neutral_v * ROOT_3,
        "Hz": flow.frequency_hz,
        "W": power_w,
        "VA": apparent_va,
        "VAR": reactive_var,
        "PF": factor if settings.is_float else 100.0 * factor,
        "TotWhExp": _counted(settings, flow.exported_wh),
        "TotWhImp": _counted(settings, flow.imported_wh),
        "Evt": 0,
    }
    for letter in letters:
        readings |= {f"Aph{letter}": amperes, f"PhVph{letter}": neutral_v, f"Wph{letter}": power_w * share}
        readings |= {f"VAph{letter}": apparent_va * share, f"VARph{letter}": reactive_var * share}
        readings |= {f"PFph{letter}": readings["PF"]}
    return readings


def _counted(settings: MeterSettings, energy_wh: float) -> float | None:
    """A counter; in an integer model 0 says "not accumulated"."""
    return energy_wh if settings.is_float or round(energy_wh) else None
