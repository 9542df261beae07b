"""Whether this VEN takes an event, checked before anything of it is done: all or nothing in 2.0b.

In 3.x nobody waits for an answer: payload types that we do not take are left out, the others hold.
"""

from dataclasses import dataclass, replace
from typing import Final

from openadr_ven.events.answer import Code, Refusal
from openadr_ven.events.enrolment import Enrolment
from openadr_ven.events.event import Event, Profile, Signal
from openadr_ven.events.signals import CUSTOM, Shape, name_of, shape_of, takes_unit, takes_value
from openadr_ven.events.targets import resolved, shared

MOST_RAMP_S: Final = 86_400
"""A ramp is made in steps of minutes: one of years would be thousands of controls for each device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An event as it is carried out: with default units, without what we do not take; who is to do it.

    `resources` has the resources of each signal. `left_out` says what of an event of 3.x is not done.
    """

    event: Event
    resources: tuple[tuple[str, ...], ...]
    left_out: tuple[str, ...] = ()


def checked(event: Event, enrolment: Enrolment) -> Accepted | Refusal:
    """An event with our part of it, or why it is refused. OpenADR 2.0b, R48, R100, R109, R111, R112, R116."""
    if event.flaw is not None:
        return Refusal(code=Code.INVALID_DATA, text=event.flaw)
    contexts = enrolment.market_contexts
    if contexts is not None and event.marketContext not in contexts:
        return Refusal(code=Code.TARGET_MISMATCH, text=f"unknown market context {event.marketContext!r}")
    resources = resolved(event, enrolment)
    if isinstance(resources, Refusal):
        return resources
    flaw = _flaw(event)
    if flaw is not None:
        return Refusal(code=Code.INVALID_DATA, text=flaw)
    return _taken(event, resources, enrolment)


def _taken(event: Event, resources: tuple[str, ...], enrolment: Enrolment) -> Accepted | Refusal:
    """Signal by signal: one that cannot be taken refuses the event of 2.0b, and is left out in 3.x."""
    signals, parts, refusals = [], [], []
    for signal in event.signals:
        done = _with_unit(event, signal, enrolment)
        part = shared(done, resources, enrolment)
        refusal = _refusal(event.profile, done, part, enrolment)
        if refusal is None:
            signals.append(done)
            parts.append(part)
        elif event.profile is Profile.V20B:
            return refusal
        else:
            refusals.append(refusal)
    if refusals and not signals:
        return refusals[0]
    taken = replace(event, signals=tuple(signals))
    return Accepted(event=taken, resources=tuple(parts), left_out=tuple(one.text for one in refusals))


def _with_unit(event: Event, signal: Signal, enrolment: Enrolment) -> Signal:
    """A signal with the unit that its programme gives it, where it came without one."""
    if signal.unit is not None:
        return signal
    return replace(signal, unit=enrolment.default_units.get((event.marketContext, name_of(signal)[0])))


def _refusal(profile: Profile, signal: Signal, part: tuple[str, ...], enrolment: Enrolment) -> Refusal | None:
    key, shape = name_of(signal), shape_of(profile, signal)
    if key in enrolment.custom_signals:
        shape = CUSTOM
    elif shape is None or (enrolment.signals is not None and key not in enrolment.signals):
        return Refusal(code=Code.SIGNAL_NOT_SUPPORTED, text=f"signal {_text(key)} is not supported")
    if not takes_unit(shape, signal.unit):
        unit = signal.unit or "none"
        return Refusal(code=Code.SIGNAL_NOT_SUPPORTED, text=f"signal {_text(key)}: unit {unit} does not fit")
    wrong = _wrong_value(profile, signal, shape)
    if wrong is not None:
        return Refusal(code=Code.INVALID_DATA, text=f"signal {_text(key)}: {wrong}")
    if not part:
        return Refusal(code=Code.TARGET_MISMATCH, text=f"signal {_text(key)}: no such device class here")
    return None


def _wrong_value(profile: Profile, signal: Signal, shape: Shape) -> str | None:
    for interval in signal.intervals:
        if profile is Profile.V20B and len(interval.values) != 1:
            return f"interval {interval.uid} has {len(interval.values)} payloads"
        if not interval.values:
            return f"interval {interval.uid} has no value"
        wrong = next((value for value in interval.values if not takes_value(shape, value)), None)
        if wrong is not None:
            return f"interval {interval.uid}: value {wrong} is out of range"
    return None


def _flaw(event: Event) -> str | None:
    """What makes no sense in the times of an event; None if nothing does. OpenADR 2.0b, R2, R8, R102."""
    window = event.randomization
    if min(event.modification, event.recovery_s, window.early_s, window.late_s, event.duration_s or 0) < 0:
        return "a number is negative that may not be"
    if abs(event.ramp_up_s) > MOST_RAMP_S:
        return "x-eiRampUp is longer than a day"
    if event.profile is not Profile.V20B:
        durations = [one.duration_s for signal in event.signals for one in signal.intervals]
        return "an interval is negative" if any(d is not None and d < 0 for d in durations) else None
    if not event.signals:
        return "the event has no signal"
    flaws = (_flaw_of_intervals(event.duration_s, signal) for signal in event.signals)
    return next((flaw for flaw in flaws if flaw is not None), None)


def _flaw_of_intervals(duration_s: int | None, signal: Signal) -> str | None:
    """2.0b: the uids count from 0, and the durations are together the active period."""
    ordered = sorted(signal.intervals, key=lambda one: one.uid)
    if not ordered or [one.uid for one in ordered] != list(range(len(ordered))):
        return f"the intervals of signal {signal.signalID} do not count from 0"
    lengths = [one.duration_s for one in ordered]
    if any(length is not None and length < 0 for length in lengths):
        return f"an interval of signal {signal.signalID} is negative"
    finite = [length for length in lengths if length is not None]
    if len(finite) < len(lengths):
        is_last_alone = lengths[-1] is None and len(finite) == len(lengths) - 1
        fits = duration_s is None and is_last_alone
    else:
        fits = duration_s is None or sum(finite) == duration_s
    return None if fits else f"the intervals of signal {signal.signalID} are not the active period"


def _text(key: tuple[str, str]) -> str:
    return "/".join(part for part in key if part)
