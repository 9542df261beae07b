"""The only path from what is wanted to what a device is told: `clamp`. Pure.

Nothing here ever widens a limit: nameplate and settings, the BMS, the state of charge, the connection point
and the interlocks each only take away. A DER with a BMS is always given a power, so that both limits of its
battery hold.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from der_client import reactive
from der_client.desired import Desired
from der_client.device import BatteryState, Fault, Nameplate, Setpoint, Telemetry
from der_client.eased import Easing, eased, narrowed
from der_client.entering import bounds_w, entering
from der_client.fallback import without
from der_client.interlocks import (
    STOPS,
    Action,
    Held,
    Interlock,
    SafetyRules,
    Situation,
    Surroundings,
    Table,
    Trends,
    grid_window_of,
    interlocks,
    may_reset,
)
from der_client.own_ramp import reactive_ramp
from der_client.plain import is_plain
from der_client.power_path import RESTART_GAP_S, gradient_w_per_s, powers, ramped
from der_client.power_window import Window, window_of
from der_client.protected import permitted
from der_client.safety_state import Derating, Reason, SafeSetpoint, SafetyState

__all__ = [
    "RESTART_GAP_S",
    "Derating",
    "Reason",
    "SafeSetpoint",
    "SafetyState",
    "Surroundings",
    "clamp",
    "is_plain",
    "unasked",
    "unheard",
]

NOBODY: Final = Nameplate(
    manufacturer="",
    model="",
    serial="",
    version="",
    der_type=0,
    modes=frozenset(),
    max_w=math.inf,
    max_va=0.0,
    max_var=0.0,
    max_var_neg=0.0,
    set_max_w=0.0,
    set_max_va=0.0,
    set_max_var=0.0,
    set_max_var_neg=0.0,
)
"""A device that nothing is known of: no limit of a BMS is too much for it."""
SILENCE: Final = Telemetry(power_w=float("nan"), reactive_var=float("nan"))
"""What is known of a device that does not answer."""


def clamp(
    desired: Desired,
    telemetry: Telemetry,
    nameplate: Nameplate,
    state: SafetyState,
    now: float,
    *,
    around: Surroundings,
    is_new: bool = True,
) -> SafeSetpoint:
    """The safe setpoint for one control period; `now` is monotonic, s. Battery state is in `telemetry`.

    A reading that is not new (`is_new`) counts once only. An invalid setpoint is rejected and the last valid
    one kept. Ramps hold for what is asked; reductions by limits and interlocks are immediate.
    """
    situation, tripped, base = _looked(desired, telemetry, nameplate, state, now, around, is_new=is_new)
    plain, _ = permitted(base.accepted.setpoint, is_allowed=around.allow_grid_code_writes)
    return _made(plain, situation, tripped, base, state.at_s)


def _looked(
    desired: Desired,
    telemetry: Telemetry,
    nameplate: Nameplate,
    state: SafetyState,
    now: float,
    around: Surroundings,
    *,
    is_new: bool = True,
) -> tuple[Situation, tuple[Interlock, ...], SafetyState]:
    """What the interlocks look at, those that hold then, and the state with what of the wish is accepted."""
    is_valid = is_plain(desired.setpoint) and (desired.cap_w is None or desired.cap_w >= 0.0)
    asked = desired if is_valid else state.accepted
    table = _table(state, around.rules)
    trends, ahead_s = state.trends, around.server_ahead_s
    if is_new:
        trends = trends.after(telemetry, nameplate, around.rules, now, server_ahead_s=ahead_s)
    plain, refused = permitted(asked.setpoint, is_allowed=around.allow_grid_code_writes)
    situation = Situation(
        telemetry=telemetry,
        nameplate=nameplate,
        battery=telemetry.battery,
        state=telemetry.battery if isinstance(telemetry.battery, BatteryState) else None,
        trends=trends,
        around=around,
        setpoint_is_valid=is_valid,
        refused=refused,
        grid_window=grid_window_of(plain.enter_service, around.rules.grid),
    )
    held = _reset(table, table.advanced(state.held, situation, now), situation, state.reset)
    tripped = table.tripped(held)
    asked, believed = _believed(asked, state, tripped)
    base = replace(state, held=held, table=table, trends=trends, reset=frozenset(), at_s=now)
    return situation, tripped, replace(base, accepted=asked, believed=believed)


def _believed(asked: Desired, state: SafetyState, tripped: tuple[Interlock, ...]) -> tuple[Desired, Desired]:
    """What is asked as far as events are not held, and what programs want by a clock that is believed."""
    if any(row.action is Action.HOLD_EVENTS for row in tripped):
        return asked.held(state.believed), state.believed
    return asked, asked.programs if is_plain(asked.programs.setpoint) else state.believed


def unheard(
    state: SafetyState,
    now: float,
    *,
    around: Surroundings,
    battery: BatteryState | Fault | None = None,
) -> tuple[tuple[Reason, ...], SafetyState]:
    """The interlocks that hold while the device gives no reading, and what to remember.

    Those that need a reading stay as they are, but for what a BMS says meanwhile: `battery`.
    """
    table, trends = _table(state, around.rules), state.trends.clock(around.server_ahead_s)
    telemetry = replace(SILENCE, battery=battery)
    if battery is not None:
        trends = trends.beside(telemetry, NOBODY, around.rules, now)
    situation = Situation(
        telemetry=telemetry,
        nameplate=NOBODY,
        battery=battery,
        state=battery if isinstance(battery, BatteryState) else None,
        trends=trends,
        around=around,
    )
    held = table.advanced(state.held, situation, now, with_reading=False)
    reasons = tuple(_reason(row) for row in table.tripped(held))
    return reasons, replace(state, held=held, table=table, trends=trends)


def unasked(
    telemetry: Telemetry, nameplate: Nameplate, state: SafetyState, now: float, *, around: Surroundings
) -> SafetyState | None:
    """What to remember of a device that is left as it is, for nobody knows yet what is wanted of it.

    None where an interlock must stop it: then it has to pass the gate.
    """
    _, tripped, seen = _looked(Desired(), telemetry, nameplate, state, now, around)
    if any(row.action in STOPS for row in tripped):
        return None
    return replace(state, held=seen.held, table=seen.table, trends=seen.trends.unwritten(), reset=frozenset())


def _made(
    plain: Setpoint,
    situation: Situation,
    tripped: tuple[Interlock, ...],
    state: SafetyState,
    former_s: float,
) -> SafeSetpoint:
    """What is left of the wish that was accepted by the interlocks that hold."""
    rules, table = situation.rules, state.table or interlocks(situation.rules)
    asked, now = state.accepted, state.at_s
    deratings = table.deratings(situation)
    moved = ramped(asked, situation, state, former_s)
    window, moved = _entering(window_of(situation, tripped, deratings), situation, tripped, moved)
    plain, easing = _eased(plain, situation, moved, now - former_s)
    window, moved = narrowed(window, easing), replace(moved, easing=easing)
    setpoint, moved = powers(plain, window, situation, moved)
    setpoint = reactive.bounded(setpoint, situation.nameplate)
    setpoint, ramp = reactive_ramp(
        setpoint, asked.reactive_ramp_s, state.reactive_ramp, situation.nameplate, now
    )
    must_stop = any(row.action in STOPS for row in tripped)
    service = moved.service.after(setpoint, rules, now, must_stop=must_stop)
    setpoint = service.of(setpoint)
    if must_stop or any(row.action is Action.OPEN for row in tripped):
        opens = any(row.action is Action.OPEN for row in tripped)
        setpoint = replace(setpoint, energize=False, open_contactor=opens)
    lost = situation.around.blocked | _lost(setpoint, window, situation)
    setpoint = without(setpoint, lost, situation.nameplate)
    may_write = not any(row.action is Action.NO_WRITE for row in tripped)
    trends = _watching(asked, setpoint, situation, now) if may_write else situation.trends.unwritten()
    return SafeSetpoint(
        setpoint=setpoint,
        reasons=tuple(_reason(row) for row in tripped),
        state=replace(moved, service=service, trends=trends, reactive_ramp=ramp),
        deratings=tuple(Derating(interlock=g.number, name=g.name, share=share) for g, share in deratings),
        refused=situation.refused,
        may_write=may_write,
        must_stop=must_stop,
        able_w=0.0 if must_stop else window.able_w,
    )


def _lost(setpoint: Setpoint, window: Window, situation: Situation) -> frozenset[str]:
    """Limits that an interlock needs, that storage said it has not, and for which no target stands in."""
    if setpoint.target_w is not None or not situation.nameplate.is_storage:
        return frozenset()
    needed = {"max_charge_w": window.is_charge_blocked, "max_w_pct": window.is_discharge_blocked}
    return frozenset(name for name in situation.around.lacking if needed.get(name))


def _eased(plain: Setpoint, situation: Situation, state: SafetyState, dt_s: float) -> tuple[Setpoint, Easing]:
    """What is no active power, on its ramp; after a gap a ramp begins anew at what is measured."""
    is_fresh = dt_s > RESTART_GAP_S
    easing = Easing() if is_fresh else state.easing
    telemetry, nameplate = situation.telemetry, situation.nameplate
    return eased(state.accepted, plain, easing, telemetry, nameplate, 0.0 if is_fresh else dt_s)


def _entering(
    window: Window, situation: Situation, tripped: tuple[Interlock, ...], state: SafetyState
) -> tuple[Window, SafetyState]:
    """The window while the grid is outside of its own, and while power comes back after that."""
    is_outside = any(row.action is Action.NO_RAISE for row in tripped)
    if state.entering is None and not is_outside:
        return window, state
    now_in = entering(state.entering, situation, state.at_s, is_outside=is_outside)
    if now_in is None:
        return window, replace(state, entering=None)
    give_w, take_w = bounds_w(now_in, situation, state.at_s)
    narrow = replace(
        window,
        low_w=max(window.low_w, -take_w),
        high_w=min(window.high_w, give_w),
        limit_w=min(window.limit_w, give_w),
    )
    return narrow, replace(state, entering=now_in)


def _table(state: SafetyState, rules: SafetyRules) -> Table:
    """The table of the rules; looked up by value only where the rules changed."""
    return state.table if state.table is not None and state.table.rules is rules else interlocks(rules)


def _reset(
    table: Table, held: Mapping[str, Held], situation: Situation, names: frozenset[str]
) -> Mapping[str, Held]:
    """States without the latched interlocks that an operator reset and whose cause is gone."""
    if not names:
        return held
    gone = {name for name in names & held.keys() if may_reset(table.by_name[name], situation)}
    return {name: one for name, one in held.items() if name not in gone}


def _reason(row: Interlock) -> Reason:
    return Reason(
        interlock=row.number,
        name=row.name,
        alarm_bit=row.alarm_bit,
        level=row.action.value,
        is_latched=row.is_latched,
    )


def _watching(asked: Desired, setpoint: Setpoint, situation: Situation, now: float) -> Trends:
    """The memory of what the device is told, to see whether it does it."""
    band_w = situation.rules.dead_band_pct / 100.0 * situation.nameplate.set_max_w
    expected = _expected(setpoint, situation)
    return situation.trends.sent(*expected, _ramp_s(asked, setpoint, situation), band_w, now)


def _expected(setpoint: Setpoint, situation: Situation) -> tuple[float | None, float | None]:
    """Power that the device is to reach, and not to exceed, W."""
    if setpoint.energize is False or setpoint.connect is False:
        return None, 0.0
    limit_pct = setpoint.max_w_pct
    limit_w = None if limit_pct is None else limit_pct / 100.0 * situation.nameplate.set_max_w
    return setpoint.target_w, limit_w


def _ramp_s(asked: Desired, setpoint: Setpoint, situation: Situation) -> float:
    """How long the device may take from nothing to all, s: by its own ramp, and by the one asked for."""
    grad = situation.nameplate.grad_w_pct_per_s
    own_s = 100.0 / grad if grad else 0.0
    rate = gradient_w_per_s(asked, situation)
    told_s = setpoint.limit_ramp_s or 0.0
    asked_s = situation.nameplate.set_max_w / rate if rate else 0.0
    return max(own_s, asked_s, told_s)
