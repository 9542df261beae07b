"""The way of active power from a wish to a setpoint: ramps, bounds, pauses, dead band. Pure.

Interlocks 24 and 25. Ramps hold for what is asked; reductions by limits and interlocks are immediate, and
what was cut comes back by the ramp.
"""

import math
from dataclasses import replace
from typing import Final

from der_client.desired import TARGETS, Desired
from der_client.device import Nameplate, Setpoint, Telemetry
from der_client.interlocks import SafetyRules, Situation
from der_client.own_ramp import OwnRamp, going
from der_client.power_window import Window
from der_client.ramp import Ramp, stepped
from der_client.safety_state import SafetyState

RESTART_GAP_S: Final = 10.0
"""A state older than this is not a base for a ramp any more."""


def ramped(asked: Desired, situation: Situation, state: SafetyState, former_s: float) -> SafetyState:
    """The state with both ramps one step further than at `former_s`. A ramp begins at the measured power."""
    is_fresh = state.at_s - former_s > RESTART_GAP_S
    dt_s = 0.0 if is_fresh else state.at_s - former_s
    most_w, measured_w = situation.nameplate.set_max_w, measured(situation.telemetry)
    grad_w_per_s = gradient_w_per_s(asked, situation)
    limit_pct, target_w = asked.setpoint.max_w_pct, asked.setpoint.target_w
    limit_goal_w = most_w if limit_pct is None else limit_pct / 100.0 * most_w
    limit = None if is_fresh else state.limit
    if limit is None or (limit.value_w >= most_w and limit_goal_w < most_w):
        start_w = min(most_w, max(limit_goal_w, measured_w))
        limit = Ramp(value_w=start_w, goal_w=most_w)
    target = None if is_fresh else state.target
    if target is None and target_w is not None:
        target = Ramp(value_w=measured_w, goal_w=measured_w)
    target_goal_w = _released_w(situation.nameplate) if target_w is None else target_w
    most_step_w = _most_step_w(situation.rules, dt_s)
    before_w = limit.value_w
    limit = stepped(limit, limit_goal_w, dt_s, ramp_s=asked.limit_ramp_s, grad_w_per_s=grad_w_per_s)
    limit = _not_faster(limit, before_w, most_step_w)
    if target is not None:
        before_w = target.value_w
        target = stepped(target, target_goal_w, dt_s, ramp_s=asked.target_ramp_s, grad_w_per_s=grad_w_per_s)
        target = _not_faster(target, before_w, most_step_w)
    if target_w is None and target is not None and target.value_w == target_goal_w:
        target = None
    return replace(state, limit=limit, target=target)


def gradient_w_per_s(asked: Desired, situation: Situation) -> float | None:
    """How fast power may change: setGradW or the rule of the site, whichever is slower, W/s."""
    grad_pct, rule = asked.setpoint.grad_w_pct_per_s, situation.rules.ramp_w_per_min
    given = None if not grad_pct else grad_pct / 100.0 * situation.nameplate.set_max_w
    found = [value for value in (given, None if rule is None else rule / 60.0) if value is not None]
    return min(found, default=None)


def measured(telemetry: Telemetry) -> float:
    """Power that is measured, W; 0 where it is no number."""
    return telemetry.power_w if math.isfinite(telemetry.power_w) else 0.0


def powers(
    asked: Setpoint, window: Window, situation: Situation, state: SafetyState
) -> tuple[Setpoint, SafetyState]:
    """Limit and target inside the window, and what was sent."""
    cap_w = math.inf if state.accepted.cap_w is None else state.accepted.cap_w
    state = _scaled(state, window.scale, situation.rules)
    whole_w = min(state.limit.value_w if state.limit else math.inf, window.limit_w, cap_w)
    ceiling_w = window.scale * whole_w
    charge_w = _charge_w(asked, window, situation)
    low_w = max(window.low_w, -math.inf if charge_w is None else -charge_w)
    state = _after_cut(state, whole_w, low_w, window.high_w, situation.rules)
    limit_w = _limit_w(asked, ceiling_w, situation, state)
    limit_pct = None if limit_w is None else situation.nameplate.share_pct(limit_w)
    target_w = state.target.value_w if state.target else None
    if target_w is None and situation.battery is not None:
        target_w = 0.0
    if target_w is None and _is_held(window, limit_w, charge_w, low_w, situation, state):
        target_w = measured(situation.telemetry) if state.sent_w is None else state.sent_w
    if target_w is None:
        ramp = _by_device(window, cap_w, situation, state)
        if ramp is not None and state.limit is not None:
            limit_pct = situation.nameplate.share_pct(state.limit.goal_w)
        sent = replace(
            asked,
            max_w_pct=limit_pct,
            target_w=None,
            max_charge_w=charge_w,
            limit_ramp_s=ramp.left_s if ramp else None,
        )
        return sent, replace(state, sent_w=None, sent_limit_w=limit_w, limit_ramp=ramp)
    high_w = min(window.high_w, ceiling_w if limit_w is None else limit_w)
    target_w = window.scale * min(max(target_w, low_w), high_w)
    target_w, state = _reversed_slowly(target_w, situation.rules, state)
    target_w = _held_still(target_w, situation, state, low_w, high_w)
    sent = replace(asked, max_w_pct=limit_pct, target_w=target_w, max_charge_w=charge_w)
    return sent, replace(state, sent_w=target_w, sent_limit_w=limit_w, limit_ramp=None)


def _is_held(
    window: Window,
    limit_w: float | None,
    charge_w: float | None,
    low_w: float,
    situation: Situation,
    state: SafetyState,
) -> bool:
    """True for storage that nobody gives a target, and that can be kept inside of its window by one alone.

    It has no limit for what has to be limited. Where it may take or give something it is left alone until it
    goes beyond that; then it is held until the limit is over.
    """
    around, nameplate = situation.around, situation.nameplate
    if not nameplate.is_storage or nameplate.modes.isdisjoint(TARGETS) or "target_w" in around.blocked:
        return False
    lacks = around.blocked | around.lacking
    takes, gives = (
        charge_w is not None and "max_charge_w" in lacks,
        limit_w is not None and "max_w_pct" in lacks,
    )
    power_w = measured(situation.telemetry)
    is_beyond = (takes and power_w < low_w) or (gives and limit_w is not None and power_w > limit_w)
    return is_beyond or ((takes or gives) and (window.is_charge_blocked or state.sent_w is not None))


def _by_device(window: Window, cap_w: float, situation: Situation, state: SafetyState) -> OwnRamp | None:
    """The ramp of the limit where the device makes it itself; None where it is stepped, or none is wanted.

    It is stepped where anything else bounds it on the way, and where it ends in no limit at all.
    """
    ramp, nameplate = state.limit, situation.nameplate
    is_able = "max_w_pct" in nameplate.ramps and situation.rules.ramp_w_per_min is None
    if not is_able or ramp is None or not ramp.rate_w_per_s or ramp.value_w == ramp.goal_w:
        return None
    bound_w = window.scale * min(window.limit_w, cap_w)
    if ramp.goal_w >= nameplate.set_max_w or bound_w < max(ramp.goal_w, ramp.value_w):
        return None
    left_s = abs(ramp.goal_w - ramp.value_w) / ramp.rate_w_per_s
    return going(state.limit_ramp, ramp.goal_w, left_s, state.at_s)


def _most_step_w(rules: SafetyRules, dt_s: float) -> float:
    """Largest change of a setpoint in one step by the rule of the site, W."""
    return math.inf if rules.ramp_w_per_min is None else rules.ramp_w_per_min / 60.0 * max(0.0, dt_s)


def _not_faster(ramp: Ramp, before_w: float, most_step_w: float) -> Ramp:
    """The ramp with its last step no larger than the site allows, whatever ramp a control brings."""
    if abs(ramp.value_w - before_w) <= most_step_w:
        return ramp
    return replace(ramp, value_w=before_w + math.copysign(most_step_w, ramp.value_w - before_w))


def _released_w(nameplate: Nameplate) -> float:
    """Power towards which a released target ramps: rest for storage, all there is for a generator."""
    return 0.0 if nameplate.is_storage else nameplate.set_max_w


def _is_bounded(ramp: Ramp, rules: SafetyRules) -> bool:
    """Whether anything says how fast a value may change: its control, or the rule of the site."""
    return ramp.rate_w_per_s is not None or rules.ramp_w_per_min is not None


def _scaled(state: SafetyState, scale: float, rules: SafetyRules) -> SafetyState:
    """Ramps that go on from what an interlock left of them, once it leaves more: no sooner."""
    if scale <= state.scale:
        return state if scale == state.scale else replace(state, scale=scale)
    limit, target = state.limit, state.target
    if limit is not None and _is_bounded(limit, rules):
        limit = replace(limit, value_w=limit.value_w * state.scale / scale)
    if target is not None and _is_bounded(target, rules):
        target = replace(target, value_w=target.value_w * state.scale / scale)
    return replace(state, limit=limit, target=target, scale=scale)


def _after_cut(
    state: SafetyState, ceiling_w: float, low_w: float, high_w: float, rules: SafetyRules
) -> SafetyState:
    """Ramps that go on from where a limit or an interlock cut them: power comes back as slowly as it must."""
    limit, target = state.limit, state.target
    if limit is not None and _is_bounded(limit, rules) and limit.value_w > ceiling_w:
        limit = replace(limit, value_w=ceiling_w)
    if target is not None and _is_bounded(target, rules):
        value_w = min(max(target.value_w, low_w), high_w, ceiling_w)
        target = replace(target, value_w=value_w)
    return (
        state
        if limit is state.limit and target is state.target
        else replace(state, limit=limit, target=target)
    )


def _limit_w(asked: Setpoint, ceiling_w: float, situation: Situation, state: SafetyState) -> float | None:
    """The limit to send, W: the one sent last where the new one is not worth a write; None: no limit."""
    most_w = situation.nameplate.set_max_w
    if ceiling_w >= most_w and asked.max_w_pct is None:
        return None
    ceiling_w, last_w = min(ceiling_w, most_w), state.sent_limit_w
    is_goal = state.limit is not None and ceiling_w == state.limit.goal_w
    if last_w is None or is_goal or ceiling_w == 0.0 or not last_w <= ceiling_w:
        return ceiling_w
    return last_w if ceiling_w - last_w < situation.rules.dead_band_pct / 100.0 * most_w else ceiling_w


def _charge_w(asked: Setpoint, window: Window, situation: Situation) -> float | None:
    """The limit of charging to send, W; also where nobody asked and an interlock bounds it without a BMS.

    One that goes up and down with a derating is rounded down, to be written less often.
    """
    is_own = window.is_charge_cut and situation.battery is None and situation.nameplate.is_storage
    if asked.max_charge_w is None:
        step_w = situation.rules.dead_band_pct / 100.0 * situation.nameplate.set_max_w
        own_w = -window.low_w // step_w * step_w if step_w else -window.low_w
        return own_w if is_own else None
    return min(asked.max_charge_w, situation.nameplate.charge_w, -window.low_w)


def _reversed_slowly(target_w: float, rules: SafetyRules, state: SafetyState) -> tuple[float, SafetyState]:
    """A target of the other direction only after `reversal_s` at 0 W."""
    if target_w == 0.0:
        since_s = state.at_s if state.sent_w != 0.0 else state.still_since_s
        return 0.0, replace(state, still_since_s=since_s)
    if target_w * state.moved_w > 0.0:
        return target_w, state
    if state.moved_w == 0.0:
        return target_w, replace(state, moved_w=target_w)
    since_s = state.still_since_s if state.sent_w == 0.0 else state.at_s
    if state.at_s - since_s >= rules.reversal_s:
        return target_w, replace(state, moved_w=target_w)
    target = state.target
    if target is not None and _is_bounded(target, rules):
        target = replace(target, value_w=0.0)
    return 0.0, replace(state, still_since_s=since_s, target=target)


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
