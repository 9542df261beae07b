"""Reversion timers: a controller that falls silent loses its setpoint. SunSpec model 704, Rvrt points."""

import math

from der_client.sunspec.model import Model
from der_client.sunspec.simulator.bank import put

REVERTED: dict[str, tuple[tuple[str, str], ...]] = {
    "WMaxLimPct": (("WMaxLimPct", "WMaxLimPctRvrt"),),
    "WSet": (("WSet", "WSetRvrt"), ("WSetPct", "WSetPctRvrt")),
    "VarSet": (("VarSet", "VarSetRvrt"), ("VarSetPct", "VarSetPctRvrt")),
    "PFWInj": (("PFWInj.PF", "PFWInjRvrt.PF"), ("PFWInj.Ext", "PFWInjRvrt.Ext")),
    "PFWAbs": (("PFWAbs.PF", "PFWAbsRvrt.PF"), ("PFWAbs.Ext", "PFWAbsRvrt.Ext")),
}


class ReversionTimers:
    """One timer per function. A write to any point of an enabled function restarts its timer.

    On expiry the reversion values become the setpoints and the enable takes EnaRvrt.
    """

    def __init__(self, controls: Model) -> None:
        self._controls = controls
        self._deadlines: dict[str, float] = {}

    def written(self, names: tuple[str, ...], now: float) -> None:
        """Points (`704.WSet`) were written at `now`: restart or stop the timers of their functions."""
        for prefix in REVERTED:
            if any(name.startswith(f"704.{prefix}") for name in names):
                self._restart(prefix, now)

    def next_at(self) -> float:
        """When the next function reverts."""
        return min(self._deadlines.values(), default=math.inf)

    def step(self, now: float) -> bool:
        """Count down, and revert the functions whose time is up; true if one was."""
        reverted = False
        for prefix, deadline in list(self._deadlines.items()):
            remaining_s = math.ceil(deadline - now)
            if remaining_s <= 0:
                self._revert(prefix)
                reverted = True
            put(self._controls, f"{prefix}RvrtRem", max(remaining_s, 0))
        return reverted

    def _restart(self, prefix: str, now: float) -> None:
        after_s = self._controls.integer(f"{prefix}RvrtTms") or 0
        if self._controls.integer(f"{prefix}Ena") == 1 and after_s:
            self._deadlines[prefix] = now + after_s
        else:
            self._deadlines.pop(prefix, None)
            after_s = 0
        put(self._controls, f"{prefix}RvrtRem", after_s)

    def _revert(self, prefix: str) -> None:
        for target, source in REVERTED[prefix]:
            put(self._controls, target, self._controls.value(source))
        put(self._controls, f"{prefix}Ena", self._controls.integer(f"{prefix}EnaRvrt"))
        del self._deadlines[prefix]
