"""Notices a state of charge that stands still while current flows. Pure."""

from __future__ import annotations

SOC_FROZEN = "soc_frozen"
_FROZEN_S = 600.0
_MIN_C_RATE = 0.05
_STEPS = 2.0
_MAX_GAP_S = 10.0


class SocWatch:
    """Warns when SoC is bit-identical for 10 min at more than 5 % C.

    The charge that flowed meanwhile must also be worth two steps of the SoC signal: at 5 % C a signal of
    1 % moves only each 12 min. A gap between samples counts for 10 s at most.
    """

    def __init__(self, step_pct: float) -> None:
        self._step_pct = step_pct
        self._soc_pct: float | None = None
        self._still_s = 0.0
        self._moved_ah = 0.0
        self._at_s = 0.0
        self._capacity_ah = 0.0

    def take(self, soc_pct: float, current_a: float, capacity_ah: float, now: float) -> None:
        """One sample of SoC and current at `now`, s."""
        elapsed_s, self._at_s = min(now - self._at_s, _MAX_GAP_S), now
        self._capacity_ah = capacity_ah
        if soc_pct != self._soc_pct or abs(current_a) <= _MIN_C_RATE * capacity_ah:
            self._soc_pct, self._still_s, self._moved_ah = soc_pct, 0.0, 0.0
            return
        self._still_s += elapsed_s
        self._moved_ah += abs(current_a) * elapsed_s / 3600.0

    @property
    def is_frozen(self) -> bool:
        """True if the SoC should have moved and did not."""
        expected_ah = _STEPS * self._step_pct / 100.0 * self._capacity_ah
        return self._still_s >= _FROZEN_S and self._moved_ah >= expected_ah
