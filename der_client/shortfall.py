"""What a device was not allowed to take, or does not do, of what is asked of it. Pure.

An event whose value was not held must not be reported as completed. IEEE 2030.5-2018, 10.2.3; interlock 21.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Final

from der_client.desired import Desired
from der_client.device import Nameplate, Setpoint
from der_client.interlocks.inverter import STAYS_ABOVE, STAYS_OFF
from der_client.interlocks.rules_device import ResponseRules
from der_client.plan import Plan
from der_client.safety_state import SafeSetpoint

KEPT_AT_REST: Final = frozenset({"max_w_pct", "max_charge_w", "grad_w_pct_per_s", "soft_grad_w_pct_per_s"})
"""Fields that a device which stands still does not break: limits of power, and ramps."""
ASKED: Final = tuple(one.name for one in fields(Setpoint) if one.name not in {"curves", "open_contactor"})
NOT_FOLLOWED: Final[Mapping[str, str]] = {STAYS_OFF: "target_w", STAYS_ABOVE: "max_w_pct"}
"""Field of the setpoint that is not followed while an interlock of this name holds."""
LATE_S: Final = 10.0
"""How long a new plan may wait for a device that nothing may be written to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """Since when fields of the Setpoint, of curves the modes, are not taken as asked, monotonic, s."""

    since_s: Mapping[str, float] = field(default_factory=dict)
    lasting: frozenset[str] = frozenset()

    def after(
        self, desired: Desired, safe: SafeSetpoint, nameplate: Nameplate, rules: ResponseRules, now: float
    ) -> "Shortfall":
        """What falls short of `desired` now; `lasting` is what does for `settle_s`, or is not followed.

        A limit that is tighter than asked is kept. A target counts once its ramp is over.
        """
        short = not_taken(desired, safe, nameplate, rules)
        since_s = {name: self.since_s.get(name, now) for name in short}
        lasting = {name for name, at_s in since_s.items() if now - at_s >= rules.settle_s}
        lasting |= {NOT_FOLLOWED[reason.name] for reason in safe.reasons if reason.name in NOT_FOLLOWED}
        return Shortfall(since_s=since_s, lasting=desired.unmet | lasting)


def not_taken(
    desired: Desired, safe: SafeSetpoint, nameplate: Nameplate, rules: ResponseRules
) -> frozenset[str]:
    """Fields of the Setpoint, of curves the modes, that the device is told otherwise than `desired`."""
    asked, accepted = desired.setpoint, safe.state.accepted.setpoint
    found = _differing(accepted, asked) if accepted != asked else set()
    if _is_out(safe.setpoint) and not _is_out(asked):
        found |= _asked(asked) - KEPT_AT_REST
    elif asked.target_w is not None and _is_bounded(asked.target_w, safe, nameplate, rules):
        found.add("target_w")
    return frozenset(found)


def _is_bounded(target_w: float, safe: SafeSetpoint, nameplate: Nameplate, rules: ResponseRules) -> bool:
    """True if the device is told another power than the one asked for, though the ramp to that is over."""
    ramp, sent_w = safe.state.target, safe.setpoint.target_w
    if sent_w is None or ramp is None or ramp.value_w != ramp.goal_w:
        return False
    tolerance_w = max(rules.tolerance_pct / 100.0 * nameplate.set_max_w, rules.tolerance_w)
    return abs(sent_w - target_w) > tolerance_w


def _is_out(setpoint: Setpoint) -> bool:
    """True for a setpoint that takes the device out of service."""
    return setpoint.energize is False or setpoint.connect is False


def _asked(setpoint: Setpoint) -> set[str]:
    """Fields, of curves the modes, that a setpoint asks for."""
    named = {name for name in ASKED if getattr(setpoint, name) is not None}
    return named | {curve.mode for curve in setpoint.curves}


def _differing(held: Setpoint, asked: Setpoint) -> set[str]:
    """Fields, of curves the modes, that are asked for and held otherwise."""
    named = {name for name in ASKED if getattr(held, name) != getattr(asked, name)}
    return named | {curve.mode for curve in asked.curves if curve not in held.curves}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Until when a device holds which plan, and since when another waits. Times are monotonic, s."""

    plan: Plan | None = None
    until_s: float = 0.0
    waiting: Plan | None = None
    since_s: float = 0.0

    def written(self, plan: Plan, until_s: float) -> "Holding":
        """The plan was written: the device holds it until its reversion timer ends."""
        return Holding(plan=plan, until_s=until_s)

    def unwritten(self, plan: Plan, now: float) -> "Holding":
        """Nothing may be written: a plan that the device does not hold waits."""
        return self if self.waiting is plan else replace(self, waiting=plan, since_s=now)

    def lost_s(self, plan: Plan) -> float:
        """When the device holds nothing of a plan that cannot be written."""
        return self.until_s if plan is self.plan else self.since_s + LATE_S
