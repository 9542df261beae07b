"""The only path from what the server wants to what a device is told: `clamp`. Pure.

Nothing here ever widens a limit: nameplate and settings, the BMS, the state of charge and the interlocks
each only take away. A DER with a BMS is always given a power, so that both limits of its battery hold.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from der_client.desired import IN_VAR, Desired
from der_client.device import (
    Nameplate,
    PowerFactorSetpoint,
    Setpoint,
    Telemetry,
    VarSetpoint,
)
from der_client.fallback import without
from der_client.interlock_table import interlocks
from der_client.interlocks import Action, Held, Interlock, SafetyRules, Situation, advanced
from der_client.power_window import Window, window_of
from der_client.ramp import Ramp, stepped

RESTART_GAP_S: Final = 10.0
"""A state older than this is not a base for a ramp any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why the device may not do all that was asked: the interlock that holds, and its DERStatus alarm bit."""

    interlock: int
    name: str
    alarm_bit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What holds around a device: the rules, how lost the server is (1: lost), and which fields fail.

    `blocked` names fields of the Setpoint that the device takes and does not hold.
    """

    rules: SafetyRules = field(default_factory=SafetyRules)
    server_silent_share: float = 0.0
    blocked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyState:
    """What `clamp` remembers between two calls; owned by the task that owns the device."""

    held: Mapping[tuple[int, str], Held] = field(default_factory=dict)
    limit: Ramp | None = None
    target: Ramp | None = None
    accepted: Desired = field(default_factory=Desired)
    sent_w: float | None = None
    moved_w: float = 0.0
    still_since_s: float = -math.inf
    at_s: float = -math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeSetpoint:
    """What the device may do now, why it is less than asked, and what to remember."""

    setpoint: Setpoint
    reasons: tuple[Reason, ...]
    state: SafetyState


def clamp(
    desired: Desired,
    telemetry: Telemetry,
    nameplate: Nameplate,
    state: SafetyState,
    now: float,
    *,
    around: Surroundings,
) -> SafeSetpoint:
    """The safe setpoint for one control period; `now` is monotonic, s. Battery state is in `telemetry`.

    An invalid setpoint is rejected and the last valid one kept. Ramps hold for what is asked; reductions
    by limits and interlocks are immediate.
    """
    is_valid = is_plain(desired.setpoint)
    asked = desired if is_valid else state.accepted
    situation = Situation(
        telemetry=telemetry,
        nameplate=nameplate,
        battery=telemetry.battery,
        rules=around.rules,
        server_silent_share=around.server_silent_share,
        setpoint_is_valid=is_valid,
    )
    table = interlocks(around.rules)
    held = {_key(row): advanced(row, state.held.get(_key(row), Held()), situation, now) for row in table}
    tripped = tuple(row for row in table if held[_key(row)].is_tripped)
    window = window_of(situation, tripped)
    moved = replace(_ramped(asked, situation, state, now), held=held, accepted=asked, at_s=now)
    setpoint, moved = _powers(asked.setpoint, window, situation, moved)
    setpoint = _reactive(setpoint, nameplate)
    if any(row.action is Action.STANDBY for row in tripped):
        setpoint = replace(setpoint, energize=False)
    setpoint = without(setpoint, around.blocked, nameplate)
    reasons = tuple(Reason(interlock=row.number, name=row.name, alarm_bit=row.alarm_bit) for row in tripped)
    return SafeSetpoint(setpoint=setpoint, reasons=reasons, state=moved)


def is_plain(setpoint: Setpoint) -> bool:
    """True if every number of a setpoint is finite and in its range."""
    numbers = (setpoint.max_w_pct, setpoint.target_w, setpoint.grad_w_pct_per_s)
    factors = [f.power_factor for f in (setpoint.pf_inject, setpoint.pf_absorb) if f]
    var = setpoint.var.value if setpoint.var else 0.0
    is_finite = all(math.isfinite(n) for n in (*numbers, *factors, var) if n is not None)
    if not is_finite or any(not 0.0 <= factor <= 1.0 for factor in factors):
        return False
    return 0.0 <= (setpoint.max_w_pct or 0.0) <= 100.0 and (setpoint.grad_w_pct_per_s or 0.0) >= 0.0


def _key(row: Interlock) -> tuple[int, str]:
    return row.number, row.name


def _ramped(asked: Desired, situation: Situation, state: SafetyState, now: float) -> SafetyState:
    """The state with both ramps one step further. A ramp begins at the power that is measured."""
    fresh = now - state.at_s > RESTART_GAP_S
    dt_s = 0.0 if fresh else now - state.at_s
    most_w, measured_w = situation.nameplate.set_max_w, _measured_w(situation.telemetry)
    grad = asked.setpoint.grad_w_pct_per_s
    grad_w_per_s = None if grad is None else grad / 100.0 * most_w
    limit_pct, target_w = asked.setpoint.max_w_pct, asked.setpoint.target_w
    limit_goal_w = most_w if limit_pct is None else limit_pct / 100.0 * most_w
    limit = None if fresh else state.limit
    if limit is None or (limit.value_w >= most_w and limit_goal_w < most_w):
        start_w = min(most_w, max(limit_goal_w, measured_w))
        limit = Ramp(value_w=start_w, goal_w=most_w)
    target = None if fresh else state.target
    if target is None and target_w is not None:
        target = Ramp(value_w=measured_w, goal_w=measured_w)
    target_goal_w = _released_w(situation.nameplate) if target_w is None else target_w
    limit = stepped(limit, limit_goal_w, dt_s, ramp_s=asked.limit_ramp_s, grad_w_per_s=grad_w_per_s)
    if target is not None:
        target = stepped(target, target_goal_w, dt_s, ramp_s=asked.target_ramp_s, grad_w_per_s=grad_w_per_s)
    if target_w is None and target is not None and target.value_w == target_goal_w:
        target = None
    return replace(state, limit=limit, target=target)


def _measured_w(telemetry: Telemetry) -> float:
    return telemetry.power_w if math.isfinite(telemetry.power_w) else 0.0


def _released_w(nameplate: Nameplate) -> float:
    """Power towards which a released target ramps: rest for storage, all there is for a generator."""
    return 0.0 if nameplate.is_storage else nameplate.set_max_w


def _powers(
    asked: Setpoint, window: Window, situation: Situation, state: SafetyState
) -> tuple[Setpoint, SafetyState]:
    """Limit and target inside the window, and what was sent."""
    most_w = situation.nameplate.set_max_w
    ceiling_w = min(state.limit.value_w if state.limit else most_w, window.limit_w)
    limit_pct = (
        None if ceiling_w >= most_w and asked.max_w_pct is None else situation.nameplate.share_pct(ceiling_w)
    )
    target_w = state.target.value_w if state.target else None
    if target_w is None and situation.battery is not None:
        target_w = 0.0
    if target_w is None:
        return replace(asked, max_w_pct=limit_pct, target_w=None), replace(state, sent_w=None)
    high_w = min(window.high_w, ceiling_w)
    target_w = min(max(target_w, window.low_w), high_w)
    target_w, state = _reversed_slowly(target_w, situation.rules, state)
    target_w = _held_still(target_w, situation, state, window.low_w, high_w)
    return replace(asked, max_w_pct=limit_pct, target_w=target_w), replace(state, sent_w=target_w)


def _reversed_slowly(target_w: float, rules: SafetyRules, state: SafetyState) -> tuple[float, SafetyState]:
    """A target of the other direction only after `reversal_s` at 0 W."""
    if target_w == 0.0:
        since_s = state.at_s if state.sent_w != 0.0 else state.still_since_s
        return 0.0, replace(state, still_since_s=since_s)
    if target_w * state.moved_w >= 0.0:
        return target_w, replace(state, moved_w=target_w)
    since_s = state.still_since_s if state.sent_w == 0.0 else state.at_s
    if state.at_s - since_s >= rules.reversal_s:
        return target_w, replace(state, moved_w=target_w)
    return 0.0, replace(state, still_since_s=since_s)


def _held_still(
    target_w: float, situation: Situation, state: SafetyState, low_w: float, high_w: float
) -> float:
    """The target sent last where the new one is not worth a write and the old one is still allowed."""
    last_w = state.sent_w
    band_w = situation.rules.dead_band_pct / 100.0 * situation.nameplate.set_max_w
    is_goal = state.target is not None and target_w == state.target.goal_w
    if last_w is None or target_w == 0.0 or is_goal or not low_w <= last_w <= high_w:
        return target_w
    return last_w if abs(target_w - last_w) < band_w else target_w


def _reactive(setpoint: Setpoint, nameplate: Nameplate) -> Setpoint:
    """Power factor and vars inside of what the device is set for."""
    return replace(
        setpoint,
        pf_inject=_factor(setpoint.pf_inject, nameplate),
        pf_absorb=_factor(setpoint.pf_absorb, nameplate),
        var=_var(setpoint.var, nameplate),
    )


def _factor(wanted: PowerFactorSetpoint | None, nameplate: Nameplate) -> PowerFactorSetpoint | None:
    if wanted is None:
        return None
    least = nameplate.min_pf_under_excited if wanted.absorbing else nameplate.min_pf_over_excited
    return replace(wanted, power_factor=max(wanted.power_factor, least or 0.0))


def _var(wanted: VarSetpoint | None, nameplate: Nameplate) -> VarSetpoint | None:
    if wanted is None:
        return None
    most, least = nameplate.set_max_var, -nameplate.set_max_var_neg
    if wanted.ref != IN_VAR:
        most, least = 100.0, -100.0
    return replace(wanted, value=min(max(wanted.value, least), most))
