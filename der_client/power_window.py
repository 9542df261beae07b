"""How much power a DER may give and take now, whatever is asked of it. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from der_client.device import BatteryState, Nameplate
from der_client.interlocks import BLOCKS, Action, Direction, Gradual, Interlock, Situation
from der_client.site_window import site_bounds
from schemas import codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Allowed power, W: from `low_w` (0 or negative: charging) to `high_w`; `limit_w` bounds generation.

    `scale` shrinks what is sent, where a device gives more than it was told. `is_charge_cut` tells that an
    interlock or a derating, and not a rating, bounds charging; `is_charge_blocked` and `is_discharge_blocked`
    that an interlock forbids that way. `able_w` is what the DER could give, whatever programs or the
    connection point limit.
    """

    low_w: float
    high_w: float
    limit_w: float
    scale: float = 1.0
    is_charge_cut: bool = False
    is_charge_blocked: bool = False
    is_discharge_blocked: bool = False
    able_w: float = 0.0


KINDS: Final = codes.DERType
BATTERIES: Final = frozenset({KINDS.OTHER_STORAGE_SYSTEM, KINDS.ELECTRIC_VEHICLE, KINDS.EVSE})
Deratings = Sequence[tuple[Gradual, float]]


def window_of(situation: Situation, tripped: Sequence[Interlock], deratings: Deratings = ()) -> Window:
    """The window by nameplate and settings, BMS, connection point and the interlocks that hold."""
    charge_w, discharge_w = rated_w(situation.nameplate)
    state = situation.state
    if state is not None:
        limits_a = situation.trends.battery.limits_a or (state.charge_limit_a, state.discharge_limit_a)
        charge_w = min(charge_w, battery_w(state, limits_a[0]))
        discharge_w = min(discharge_w, battery_w(state, limits_a[1]))
    is_storage = situation.battery is not None or situation.nameplate.is_storage
    rows = [row for row in tripped if row.action is not Action.WARN and (is_storage or not row.of_battery)]
    grads = [(row, share) for row, share in deratings if is_storage or not row.of_battery]
    high_w = _left_w(discharge_w, Direction.DISCHARGE, situation, rows, grads)
    low_w = -_left_w(charge_w, Direction.CHARGE, situation, rows, grads)
    limit_w = min(_limit_w(situation, rows, grads), _discharge_limit_w(situation, rows, high_w, discharge_w))
    charge_blocked = _is_blocked(rows, Direction.CHARGE)
    window = Window(
        low_w=low_w,
        high_w=high_w,
        limit_w=limit_w,
        able_w=min(high_w, limit_w) if is_battery_alone(situation) else limit_w,
        scale=0.5 if any(row.action is Action.HALVE and not row.of_battery for row in rows) else 1.0,
        is_charge_cut=charge_blocked or -low_w < charge_w,
        is_charge_blocked=charge_blocked,
        is_discharge_blocked=_is_blocked(rows, Direction.DISCHARGE),
    )
    site = situation.around.site
    if site is None:
        return window
    own_w = situation.telemetry.power_w if site.own_w is None else site.own_w
    bounds = site_bounds(site, own_w, situation.rules.site)
    return replace(
        window,
        low_w=max(window.low_w, -bounds.take_w),
        high_w=min(window.high_w, bounds.give_w),
        limit_w=min(window.limit_w, bounds.give_w),
    )


def rated_w(nameplate: Nameplate) -> tuple[float, float]:
    """Most power that a DER takes and gives by its nameplate and settings, W, as magnitudes."""
    give_w = nameplate.set_max_w
    if nameplate.is_storage and nameplate.discharge_w is not None:
        give_w = min(give_w, nameplate.discharge_w)
    return nameplate.charge_w, give_w


def is_battery_alone(situation: Situation) -> bool:
    """True for a DER that gives what its battery gives: with a BMS, or nothing but storage."""
    return situation.battery is not None or situation.nameplate.der_type in BATTERIES


def battery_w(battery: BatteryState, limit_a: float) -> float:
    """Power of a limit of the BMS, W; 0 where it is no plain positive number."""
    limit_w = limit_a * battery.voltage_v
    parts = (battery.voltage_v, battery.charge_limit_a, battery.discharge_limit_a)
    is_plain = math.isfinite(limit_w) and limit_w > 0 and all(part >= 0 for part in parts)
    return limit_w if is_plain else 0.0


def _is_blocked(rows: Sequence[Interlock], direction: Direction) -> bool:
    return any(row.action in BLOCKS and row.direction in {direction, Direction.BOTH} for row in rows)


def _discharge_limit_w(
    situation: Situation, rows: Sequence[Interlock], left_w: float, rated_w: float
) -> float:
    """Bound of generation for storage without a BMS: what is left of its discharge where that is cut."""
    if situation.battery is not None or not situation.nameplate.is_storage:
        return math.inf
    is_cut = is_battery_alone(situation) and left_w < rated_w
    return left_w if is_cut or _is_blocked(rows, Direction.DISCHARGE) else math.inf


def _left_w(
    base_w: float, direction: Direction, situation: Situation, rows: Sequence[Interlock], grads: Deratings
) -> float:
    """What interlocks leave of the power in one direction, W, a magnitude."""
    if any(row.action in BLOCKS and not row.of_battery for row in rows):
        return 0.0
    ways = {direction, Direction.BOTH}
    left_w = base_w
    for gradual, share in grads:
        if gradual.direction in ways:
            floor_w = gradual.left_w(situation) if gradual.left_w else None
            left_w = min(left_w, max(share * base_w, floor_w or 0.0))
    for row in rows:
        if row.direction in ways and row.of_battery:
            left_w = _kept_w(row, left_w, situation)
    return left_w


def _kept_w(row: Interlock, left_w: float, situation: Situation) -> float:
    if row.action is Action.HALVE:
        return left_w * 0.5
    if row.action in BLOCKS:
        floor_w = row.left_w(situation) if row.left_w else None
        return min(left_w, floor_w or 0.0)
    return left_w


def _limit_w(situation: Situation, rows: Sequence[Interlock], grads: Deratings) -> float:
    """Bound of generation: setMaxW, 0 while an interlock holds both ways, less when hot or without server."""
    if any(row.action in BLOCKS and row.direction is Direction.BOTH for row in rows):
        return 0.0
    most_w = situation.nameplate.set_max_w
    lost_w = situation.rules.server_lost_max_w
    limit_w = most_w * min((share for gradual, share in grads if not gradual.of_battery), default=1.0)
    if situation.around.server_silent_share >= 1.0 and lost_w is not None:
        limit_w = min(limit_w, lost_w)
    return limit_w
