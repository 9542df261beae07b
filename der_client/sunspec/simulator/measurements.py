"""The measured state of a simulated inverter, and how it shows in models 701, 713 and 714."""

import math
from dataclasses import dataclass

from der_client.sunspec.model import Model
from der_client.sunspec.simulator.bank import put
from der_client.sunspec.simulator.sources import DcLimits

SINGLE_PHASE, SPLIT_PHASE, THREE_PHASE = 0, 1, 2
ROOT_3 = math.sqrt(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One phase at the terminals: line to neutral voltage and line current."""

    voltage_v: float
    current_a: float


@dataclass(slots=True, kw_only=True)
class AcState:
    """Voltages and power at the terminals; energies count up in Wh and varh. `voltage_v` is as 702.VNom.

    `shares` are the voltages of the phases as parts of their mean, where they differ. `is_dead`: there is no
    voltage, because an island was left.
    """

    voltage_v: float
    frequency_hz: float
    power_w: float = 0.0
    reactive_var: float = 0.0
    injected_wh: float = 0.0
    absorbed_wh: float = 0.0
    injected_varh: float = 0.0
    absorbed_varh: float = 0.0
    shares: tuple[float, ...] = ()
    is_dead: bool = False

    @property
    def terminal_v(self) -> float:
        """Mean voltage at the terminals, as 702.VNom."""
        return 0.0 if self.is_dead else self.voltage_v

    @property
    def terminal_hz(self) -> float:
        """Frequency at the terminals; 0 without a voltage."""
        return 0.0 if self.is_dead else self.frequency_hz

    def phases(self, ac_type: int) -> tuple[Phase, ...]:
        """The phases: line to neutral voltage, current, and the part of the power that each has."""
        count = phase_count(ac_type)
        neutral_v = line_to_neutral(ac_type, self.terminal_v)
        part_va = math.hypot(self.power_w, self.reactive_var) / count
        shares = self.shares if len(self.shares) == count else (1.0,) * count
        volts = [share * neutral_v for share in shares]
        return tuple(Phase(voltage_v=v, current_a=part_va / v if v else 0.0) for v in volts)

    def count(self, dt_s: float) -> None:
        """Add the energy of `dt_s` at the present power to the counters."""
        hours = dt_s / 3600
        self.injected_wh += max(0.0, self.power_w) * hours
        self.absorbed_wh += max(0.0, -self.power_w) * hours
        self.injected_varh += max(0.0, self.reactive_var) * hours
        self.absorbed_varh += max(0.0, -self.reactive_var) * hours


def line_to_neutral(ac_type: int, voltage_v: float) -> float:
    """Line to neutral voltage from the voltage that the ratings of model 702 use."""
    return voltage_v / {SINGLE_PHASE: 1.0, SPLIT_PHASE: 2.0, THREE_PHASE: ROOT_3}[ac_type]


def current_a(ac_type: int, voltage_v: float, apparent_va: float) -> float:
    """Line current of a balanced load."""
    return apparent_va / voltage_v / (ROOT_3 if ac_type == THREE_PHASE else 1.0)


def phase_count(ac_type: int) -> int:
    """How many phases the wiring has."""
    return {SINGLE_PHASE: 1, SPLIT_PHASE: 2, THREE_PHASE: 3}[ac_type]


def between(first: Phase, second: Phase, ac_type: int) -> float:
    """Line to line voltage of two phases, V: a third of a turn apart, or half of one where there are two."""
    a, b = first.voltage_v, second.voltage_v
    return math.sqrt(a * a + b * b + a * b) if ac_type == THREE_PHASE else a + b


def show_ac(model: Model, state: AcState, ac_type: int) -> None:
    """Write the AC measurements of model 701, totals and phases."""
    apparent_va = math.hypot(state.power_w, state.reactive_var)
    phases = state.phases(ac_type)
    factor = state.power_w / apparent_va if apparent_va else 1.0
    values: dict[str, float | None] = {
        "W": state.power_w,
        "VA": apparent_va,
        "Var": state.reactive_var,
        "PF": factor,
        "A": sum(phase.current_a for phase in phases) / len(phases),
        "LLV": state.terminal_v if ac_type != SINGLE_PHASE else None,
        "LNV": line_to_neutral(ac_type, state.terminal_v),
        "Hz": state.terminal_hz,
        "TotWhInj": state.injected_wh,
        "TotWhAbs": state.absorbed_wh,
        "TotVarhInj": state.injected_varh,
        "TotVarhAbs": state.absorbed_varh,
    }
    for number, phase in enumerate(phases, 1):
        values |= {f"WL{number}": state.power_w / len(phases)}
        values |= {f"VarL{number}": state.reactive_var / len(phases)}
        values |= {f"VAL{number}": apparent_va / len(phases)}
        values |= {f"AL{number}": phase.current_a, f"VL{number}": phase.voltage_v}
    for name, value in values.items():
        put(model, name, value)


def show_battery(model: Model, limits: DcLimits) -> None:
    """Write state of charge and energy of model 713."""
    capacity_wh = float(model.number("WHRtg") or 0.0)
    is_known = not math.isnan(limits.soc_pct)
    put(model, "SoC", limits.soc_pct if is_known else None)
    put(model, "SoH", limits.soh_pct if is_known else None)
    put(model, "WHAvail", capacity_wh * limits.soc_pct * limits.soh_pct / 1e4 if is_known else None)


def show_dc(model: Model, power_w: float, voltage_v: float) -> None:
    """Write DC power and current of model 714, positive towards the inverter."""
    for name, value in (("DCW", power_w), ("DCA", power_w / voltage_v)):
        put(model, name, value)
        put(model, f"Prt[0].{name}", value)
