"""What is remembered of a battery: how fast it warms, how its state of charge moves. Pure."""

import math
from dataclasses import dataclass
from typing import Final, Self

from der_client.device import BatteryState, Nameplate, Telemetry
from der_client.interlocks.rules import SafetyRules

RATE_S: Final = 30.0
"""Time over which the rise of temperature is taken, s."""
JUMP_S: Final = 10.0
"""Time within which state of charge must not jump, s. Interlock 11."""
DOUBT_S: Final = 10.0
DOUBTS: Final = 3
"""So many implausible limits in so long a time are not believed. Interlock 9."""
C_RATE: Final = 0.05
"""Current, as a share of the capacity in an hour, at which state of charge must move. Interlock 11."""
STEPS_PCT: Final = 2.0
"""Charge that must have flowed before a state of charge counts as frozen: two steps of a coarse signal."""

Samples = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryTrend:
    """`limits_a` are the limits in force, charge and discharge, that rise slowly; None before the first.

    `warm` and `soc` are samples of time and value; `still_s` and `still_wh` the time and energy for which the
    state of charge has not moved.
    """

    at_s: float = -math.inf
    warm: Samples = ()
    soc: Samples = ()
    still_s: float = 0.0
    still_wh: float = 0.0
    doubts: tuple[float, ...] = ()
    knows_contactor: bool = False
    limits_a: tuple[float, float] | None = None

    def after(
        self,
        telemetry: Telemetry,
        state: BatteryState | None,
        nameplate: Nameplate,
        rules: SafetyRules,
        now: float,
    ) -> Self:
        """The memory with one more reading of the battery."""
        soc_pct = state.soc_pct if state else telemetry.soc_pct
        still_s, still_wh = self._still(soc_pct, telemetry, state, nameplate, now)
        soc = _kept(self.soc, soc_pct, now, JUMP_S)
        warm = _kept(self.warm, _hottest_c(telemetry, state), now, RATE_S)
        if state is None:
            return type(self)(at_s=now, warm=warm, soc=soc, still_s=still_s, still_wh=still_wh)
        doubts = tuple(at_s for at_s in self.doubts if now - at_s <= DOUBT_S)
        return type(self)(
            at_s=now,
            warm=warm,
            soc=soc,
            still_s=still_s,
            still_wh=still_wh,
            doubts=(*doubts, now)[-DOUBTS:] if is_doubtful(state, rules) else doubts,
            knows_contactor=self.knows_contactor or state.contactor_closed is not None,
            limits_a=self._limits_a(state, rules, now),
        )

    def silent(self, now: float) -> Self:
        """The memory while the BMS says nothing: limits that had been in force begin again at 0 A."""
        held = None if self.limits_a is None else (0.0, 0.0)
        return type(self)(at_s=now, limits_a=held, knows_contactor=self.knows_contactor)

    @property
    def rate_k_per_min(self) -> float | None:
        """Rise of the highest temperature, K/min; None before 30 s are full."""
        if not self.warm:
            return None
        (from_s, from_c), (to_s, to_c) = self.warm[0], self.warm[-1]
        return None if to_s - from_s < RATE_S else (to_c - from_c) / (to_s - from_s) * 60.0

    @property
    def jump_pct(self) -> float | None:
        """Largest step of the state of charge from its value within the last 10 s, %."""
        if not self.soc:
            return None
        last_pct = self.soc[-1][1]
        return max(abs(last_pct - pct) for _, pct in self.soc)

    def _still(
        self,
        soc_pct: float | None,
        telemetry: Telemetry,
        state: BatteryState | None,
        nameplate: Nameplate,
        now: float,
    ) -> tuple[float, float]:
        """For how long, and with how much energy, the state of charge has stood still under load."""
        capacity_wh = nameplate.capacity_wh
        power_w = abs(state.current_a * state.voltage_v if state else telemetry.power_w)
        if not self.soc or soc_pct != self.soc[-1][1] or not capacity_wh:
            return 0.0, 0.0
        if not power_w > C_RATE * capacity_wh:
            return 0.0, 0.0
        elapsed_s = min(now - self.at_s, JUMP_S)
        return self.still_s + elapsed_s, self.still_wh + power_w * elapsed_s / 3600.0

    def _limits_a(self, state: BatteryState, rules: SafetyRules, now: float) -> tuple[float, float]:
        """Limits of the BMS, falling at once and rising no faster than the rules say. Interlock 8."""
        charge_a = _plain(state.charge_limit_a) if state.charge_allowed else 0.0
        discharge_a = _plain(state.discharge_limit_a) if state.discharge_allowed else 0.0
        rate = rules.current.step_up_a_per_s
        if self.limits_a is None or rate is None:
            return charge_a, discharge_a
        step_a = rate * rules.current.modules * max(0.0, now - self.at_s)
        return min(charge_a, self.limits_a[0] + step_a), min(discharge_a, self.limits_a[1] + step_a)


def _hottest_c(telemetry: Telemetry, state: BatteryState | None) -> float | None:
    """The highest temperature of a cell, of the battery where no cell is told, degC."""
    told = telemetry.cells.cell_c_max if telemetry.cells else None
    if state is None:
        return told
    own = told if state.cell_c_max is None else state.cell_c_max
    return state.temperature_c if own is None else own


def is_doubtful(state: BatteryState, rules: SafetyRules) -> bool:
    """True where a limit of the BMS is no number, negative, or outside of what is configured. Interlock 9."""
    current = rules.current
    numbers = (state.charge_limit_a, state.discharge_limit_a, state.charge_voltage_v, state.voltage_v)
    return (
        not all(math.isfinite(n) and n >= 0 for n in numbers)
        or _above(state.charge_limit_a, current.max_charge_a)
        or _above(state.discharge_limit_a, current.max_discharge_a)
        or _above(state.charge_voltage_v, current.max_charge_v)
        or (current.min_charge_v is not None and state.charge_voltage_v < current.min_charge_v)
    )


def _above(value: float, most: float | None) -> bool:
    return most is not None and value > most


def _plain(limit_a: float) -> float:
    return limit_a if math.isfinite(limit_a) and limit_a > 0 else 0.0


def _kept(samples: Samples, value: float | None, now: float, span_s: float) -> Samples:
    """Samples of the last `span_s`, one each second, and one that is just older, to cover the span."""
    if value is None or not math.isfinite(value):
        return ()
    if samples and now - samples[-1][0] < 1.0:
        return (*samples[:-1], (samples[-1][0], value))
    first = 0
    while first + 1 < len(samples) and now - samples[first + 1][0] >= span_s:
        first += 1
    return (*samples[first:], (now, value))
