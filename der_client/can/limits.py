"""The current limits that the client obeys: never wider than the BMS says or the nameplate allows. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

LIMIT_IMPLAUSIBLE = "limit_implausible"
CVL_BELOW_VOLTAGE = "cvl_below_voltage"
_DOUBT_WINDOW_S = 10.0
_DOUBT_COUNT = 3
_CVL_TOLERANCE = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryLimits:
    """What the installer knows of the battery; `None` where nobody said.

    Nameplate currents in A and charge voltage range in V bound what a BMS may claim. `step_up_a_per_s` is the
    fastest rise of a limit for each of `modules`; falls are taken at once. `capacity_ah` is needed to see a
    frozen SoC where the BMS does not send it.
    """

    max_charge_a: float | None = None
    max_discharge_a: float | None = None
    min_cvl_v: float | None = None
    max_cvl_v: float | None = None
    step_up_a_per_s: float | None = None
    modules: int = 1
    capacity_ah: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The limits of one frame as the BMS wrote them (A, A, V) beside the voltage of the pack, V."""

    ccl_a: float
    dcl_a: float
    cvl_v: float
    voltage_v: float


class SteppedLimit:
    """A limit that starts at 0 A, falls at once and rises no faster than `rate_a_per_s` (`None`: at once)."""

    def __init__(self, rate_a_per_s: float | None) -> None:
        self._rate_a_per_s = rate_a_per_s
        self._value_a = 0.0
        self._at_s: float | None = None

    def step(self, target_a: float, now: float) -> float:
        """The limit in force at `now`, A."""
        elapsed_s = 0.0 if self._at_s is None else max(0.0, now - self._at_s)
        self._at_s = now if self._at_s is None else max(now, self._at_s)
        if self._rate_a_per_s is None:
            self._value_a = target_a
        else:
            self._value_a = min(target_a, self._value_a + self._rate_a_per_s * elapsed_s)
        return self._value_a


class LimitGuard:
    """Judges each claim once, then steps towards it. Three implausible claims in 10 s: 0 A both ways."""

    def __init__(self, limits: BatteryLimits) -> None:
        rate = None if limits.step_up_a_per_s is None else limits.step_up_a_per_s * limits.modules
        self._limits = limits
        self._charge = SteppedLimit(rate)
        self._discharge = SteppedLimit(rate)
        self._charge_target_a = 0.0
        self._discharge_target_a = 0.0
        self._last_valid: dict[str, float] = {}
        self._doubts: deque[float] = deque(maxlen=_DOUBT_COUNT)
        self.warnings: frozenset[str] = frozenset()

    def claim(self, claim: Claim, now: float) -> None:
        """Take the limits of one frame received at `now`."""
        charge_a = self._plausible("ccl", claim.ccl_a, self._limits.max_charge_a)
        discharge_a = self._plausible("dcl", claim.dcl_a, self._limits.max_discharge_a)
        is_doubtful = (
            charge_a != claim.ccl_a or discharge_a != claim.dcl_a or not self._is_cvl_plausible(claim.cvl_v)
        )
        if is_doubtful:
            self._doubts.append(now)
        is_above_cvl = claim.voltage_v > claim.cvl_v * (1 + _CVL_TOLERANCE)
        self._charge_target_a = 0.0 if is_above_cvl else charge_a
        self._discharge_target_a = discharge_a
        names = ((LIMIT_IMPLAUSIBLE, is_doubtful), (CVL_BELOW_VOLTAGE, is_above_cvl))
        self.warnings = frozenset(name for name, is_true in names if is_true)

    def hold(self, now: float) -> None:
        """Both limits are 0 A at `now` and rise from there."""
        self._charge.step(0.0, now)
        self._discharge.step(0.0, now)

    def in_force(self, now: float, *, is_charge_open: bool, is_discharge_open: bool) -> tuple[float, float]:
        """Charge and discharge limit at `now`, A; 0 in a direction that is not open."""
        is_distrusted = len(self._doubts) == _DOUBT_COUNT and now - self._doubts[0] <= _DOUBT_WINDOW_S
        charge_a = self._charge_target_a if is_charge_open and not is_distrusted else 0.0
        discharge_a = self._discharge_target_a if is_discharge_open and not is_distrusted else 0.0
        return self._charge.step(charge_a, now), self._discharge.step(discharge_a, now)

    def _plausible(self, name: str, value_a: float, nameplate_a: float | None) -> float:
        """The value, or the lowest valid one in its place: 0 if negative, else nameplate or the last good."""
        if value_a < 0:
            return 0.0
        if nameplate_a is not None and value_a > nameplate_a:
            return min(nameplate_a, self._last_valid.get(name, nameplate_a))
        self._last_valid[name] = value_a
        return value_a

    def _is_cvl_plausible(self, cvl_v: float) -> bool:
        low, high = self._limits.min_cvl_v, self._limits.max_cvl_v
        return (low is None or cvl_v >= low) and (high is None or cvl_v <= high)
