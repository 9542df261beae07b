"""How much power a DER may give and take now, whatever is asked of it. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from der_client.device import BatteryState, Nameplate
from der_client.interlocks import Action, Direction, Interlock, SafetyRules, Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Allowed power, W: from `low_w` (0 or negative: charging) to `high_w`; `limit_w` bounds generation."""

    low_w: float
    high_w: float
    limit_w: float


def window_of(situation: Situation, tripped: Sequence[Interlock]) -> Window:
    """The window by nameplate and settings, BMS, state of charge and the interlocks that hold."""
    charge_w, discharge_w = rated_w(situation.nameplate)
    battery = situation.state
    if battery is not None:
        charge_w = min(charge_w, battery_w(battery, Direction.CHARGE))
        discharge_w = min(discharge_w, battery_w(battery, Direction.DISCHARGE))
    if situation.soc_pct is not None and situation.nameplate.is_storage:
        charge_w *= charge_share(situation.soc_pct, situation.rules)
        discharge_w *= discharge_share(situation.soc_pct, situation.rules)
    applying = [row for row in tripped if _applies(row, situation)]
    charge_w *= _allowed_share(applying, Direction.CHARGE)
    discharge_w *= _allowed_share(applying, Direction.DISCHARGE)
    return Window(low_w=-charge_w, high_w=discharge_w, limit_w=_limit_w(situation, applying))


def rated_w(nameplate: Nameplate) -> tuple[float, float]:
    """Most power that a DER takes and gives by its nameplate and settings, W, as magnitudes."""
    give_w = nameplate.set_max_w
    if nameplate.is_storage and nameplate.discharge_w is not None:
        give_w = min(give_w, nameplate.discharge_w)
    return nameplate.charge_w, give_w


def battery_w(battery: BatteryState, direction: Direction) -> float:
    """Limit of the BMS in one direction, W; 0 where it is no plain positive number."""
    limit_w = battery.charge_limit_w if direction is Direction.CHARGE else battery.discharge_limit_w
    parts = (battery.voltage_v, battery.charge_limit_a, battery.discharge_limit_a)
    is_plain = math.isfinite(limit_w) and limit_w > 0 and all(part >= 0 for part in parts)
    return limit_w if is_plain else 0.0


def charge_share(soc_pct: float, rules: SafetyRules) -> float:
    """Share of the charging power that is left near a full battery, 1 to 0."""
    return _share(rules.full_pct - soc_pct, rules.derate_band_pct)


def discharge_share(soc_pct: float, rules: SafetyRules) -> float:
    """Share of the discharging power that is left near the reserve, 1 to 0."""
    return _share(soc_pct - rules.reserve_pct, rules.derate_band_pct)


def _share(distance_pct: float, band_pct: float) -> float:
    if not distance_pct > 0:
        return 0.0
    return min(1.0, distance_pct / band_pct) if band_pct > 0 else 1.0


def _applies(row: Interlock, situation: Situation) -> bool:
    """Battery interlocks act on storage only; a warning acts on nothing."""
    return row.action is not Action.WARN and (situation.battery is not None or situation.nameplate.is_storage)


def _allowed_share(tripped: Sequence[Interlock], direction: Direction) -> float:
    acting = [row for row in tripped if row.direction in {direction, Direction.BOTH}]
    if any(row.action in {Action.ZERO, Action.STANDBY} for row in acting):
        return 0.0
    return 0.5 if acting else 1.0


def _limit_w(situation: Situation, tripped: Sequence[Interlock]) -> float:
    """Bound of generation: setMaxW, 0 while a battery interlock holds both ways, less with a lost server."""
    limit_w = situation.nameplate.set_max_w
    lost_w = situation.rules.server_lost_max_w
    if situation.server_silent_share >= 1.0 and lost_w is not None:
        limit_w = min(limit_w, lost_w)
    is_stopped = any(row.direction is Direction.BOTH and row.action is not Action.HALVE for row in tripped)
    return 0.0 if is_stopped else limit_w
