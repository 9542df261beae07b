"""CHARGE_STATE: an energy to hold at the end. There is no such mode, so that set points lead there."""

from collections.abc import Callable
from decimal import ROUND_UP, Decimal

from openadr_ven.events import Code, Refusal, Unit
from openadr_ven.to_sep2.amounts import whole
from openadr_ven.to_sep2.fleet import STORES, VEHICLES, Device
from openadr_ven.to_sep2.replies import note, refusal, refused
from openadr_ven.to_sep2.wishes import Action, Ask, Goal, Note, Reply, Target

HOUR_S = 3_600
Wanted = Callable[[Device, Decimal, Decimal], Decimal]
"""The energy to hold, from the device, what it holds, Wh, and the value of the signal."""


def setpoint(ask: Ask) -> Reply:
    """The energy to hold, Wh; in 3.x it may be a part of full."""
    if ask.signal.unit is Unit.SHARE:
        return multiplier(ask)
    if ask.signal.unit is not Unit.WH:
        return refused(ask, "without a unit of energy")
    return _led(ask, lambda _, __, value: value)


def delta(ask: Ask) -> Reply:
    """So much more energy to hold than now, Wh."""
    if ask.signal.unit is not Unit.WH:
        return refused(ask, "without a unit of energy")
    return _led(ask, lambda _, held, value: held + value)


def multiplier(ask: Ask) -> Reply:
    """The part of full to hold, 0 to 1."""
    return _led(ask, lambda device, _, value: value * (device.setMaxWh or 0))


def _led(ask: Ask, wanted: Wanted) -> Reply:
    actions: list[tuple[str, Action]] = []
    refusals: list[tuple[str, Refusal]] = []
    notes: list[Note] = []
    goals: list[Goal] = []
    for device in ask.devices:
        why = _missing(ask, device)
        if why is not None:
            refusals.append((device.name, why))
            continue
        goal = _goal(ask, device, wanted, notes)
        goals.append(goal)
        if device.kind not in VEHICLES:
            actions.append((device.name, _target(ask, device, goal, notes)))
    return Reply(actions=tuple(actions), refusals=tuple(refusals), notes=tuple(notes), goals=tuple(goals))


def _missing(ask: Ask, device: Device) -> Refusal | None:
    if device.kind not in STORES | VEHICLES:
        return refusal(ask, "for storage only")
    if device.soc is None:
        return refusal(ask, "the state of charge is not known")
    if not device.setMaxWh:
        return refusal(ask, "setMaxWh is not known")
    if device.most_in_w is None or device.most_out_w is None:
        return refusal(ask, "its rates are not known", Code.DEPLOYMENT_OTHER)
    return None


def _goal(ask: Ask, device: Device, wanted: Wanted, notes: list[Note]) -> Goal:
    full = Decimal(device.setMaxWh or 1)
    held = _held(ask, device, wanted)
    asked = wanted(device, held, ask.number)
    energy = min(max(asked, Decimal(0)), full)
    if energy != asked:
        notes.append(note(ask, device.name, f"clamped to what it can hold: {whole(energy)} Wh"))
    return Goal(
        eventID=ask.event.eventID,
        device=device.name,
        soc_at_end=energy / full,
        energy_wh=whole(energy - held),
        start=ask.start,
        end=ask.end,
    )


def _held(ask: Ask, device: Device, wanted: Wanted) -> Decimal:
    """What a device holds when the interval begins, Wh: as far as those before it lead, by its rates."""
    full = Decimal(device.setMaxWh or 1)
    held = (device.soc or Decimal(0)) * full
    for one in ask.ahead:
        value = one.values[0] if one.values else None
        if not isinstance(value, Decimal) or one.duration_s is None:
            continue
        energy = min(max(wanted(device, held, value), Decimal(0)), full)
        most_in = Decimal((device.most_in_w or 0) * one.duration_s) / HOUR_S
        most_out = Decimal((device.most_out_w or 0) * one.duration_s) / HOUR_S
        held += max(-most_out, min(energy - held, most_in))
    return held


def _target(ask: Ask, device: Device, goal: Goal, notes: list[Note]) -> Target:
    """A constant power for the whole interval; without an end the rate of the device until it is there."""
    most = (device.most_in_w if goal.energy_wh > 0 else device.most_out_w) or 0
    if not goal.energy_wh:
        return Target(output_w=0)
    sign, energy_ws = -1 if goal.energy_wh > 0 else 1, abs(goal.energy_wh) * HOUR_S
    if goal.end is None:
        return Target(output_w=sign * most, for_s=-(-energy_ws // most) if most else None)
    needed = Decimal(energy_ws) / (goal.end - goal.start)
    if needed > most:
        notes.append(note(ask, device.name, f"clamped to its rate: {most} W do not reach the goal"))
    return Target(output_w=sign * min(most, int(needed.to_integral_value(ROUND_UP))))
