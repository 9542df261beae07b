"""Plans of events as wishes: every interval asked of the table, for the devices behind its resources.

Here it is decided, once, who applies the random shift of a start: the devices, or this gateway.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from openadr_ven.events import (
    Code,
    Dispatch,
    Event,
    Interval,
    Plan,
    Profile,
    Randomization,
    Rank,
    Refusal,
    Signal,
)
from openadr_ven.events.layout import ordered
from openadr_ven.to_sep2.basis import Basis
from openadr_ven.to_sep2.fleet import Device, Fleet, class_bits
from openadr_ven.to_sep2.programme import Programme
from openadr_ven.to_sep2.replies import refused
from openadr_ven.to_sep2.table import row_of
from openadr_ven.to_sep2.wishes import (
    Action,
    Ask,
    Goal,
    Limit,
    Message,
    Note,
    Price,
    Reply,
    Standing,
    Target,
    Wish,
)

MOST_RANDOM_S: Final = 3_600
"""OneHourRangeType: what randomizeStart holds."""
Devices = Mapping[str, Iterable[Device]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """All that the plans ask for; `unable` are by event the devices that refuse, and do nothing of it."""

    wishes: tuple[Wish, ...] = ()
    goals: tuple[Goal, ...] = ()
    notes: tuple[Note, ...] = ()
    unable: Mapping[str, frozenset[str]] = field(default_factory=dict)


def asked(
    plans: Iterable[Plan],
    fleet: Fleet,
    programmes: Mapping[str, Programme],
    bases: Mapping[str, Basis],
) -> Asked:
    """What the plans ask for. Test events ask nothing, nor do events that devices end at random now."""
    plain = fleet.by_resource()
    wishes: list[Wish] = []
    goals: list[Goal] = []
    notes: list[Note] = []
    replies: list[tuple[str, Reply]] = []
    for plan in plans:
        programme = programmes.get(plan.event.marketContext)
        if plan.event.is_test:
            continue
        if programme is None:
            text = f"unknown programme {plan.event.marketContext!r}"
            notes.append(Note(eventID=plan.event.eventID, device="", text=text))
            continue
        basis = bases.get(plan.event.eventID)
        behind = plain if basis is None else fleet.with_live(basis.devices).by_resource()
        for one in plan.dispatches:
            devices = devices_of(one.signal, one.resources, behind)
            timing = timing_of(plan, one, devices)
            if plan.stop_at is not None and timing.randomize_s:
                continue
            reply = _reply(plan, one, devices, programme, timing)
            wishes += _wishes(plan, one, devices, programme, timing, reply)
            replies.append((plan.event.eventID, reply))
            goals += reply.goals
            notes += (*reply.notes, *_said(plan.event, reply.refusals))
    return Asked(
        wishes=tuple(wishes),
        goals=tuple(goals),
        notes=tuple(dict.fromkeys(notes)),
        unable=_unable(replies),
    )


def answer(ask: Ask) -> Reply:
    """What the table says to one interval of a signal."""
    row = row_of(ask.signal)
    if row is None:
        return refused(ask, "nobody knows it")
    if row.rule is not None:
        return row.rule(ask)
    if row.is_ignored:
        text = f"{ask.signal.signalName} left out: {row.reason}"
        return Reply(notes=(Note(eventID=ask.event.eventID, device="", text=text),))
    return refused(ask, row.reason)


def devices_of(signal: Signal, resources: Iterable[str], behind: Devices) -> tuple[Device, ...]:
    """The devices behind resources, of the classes that the signal is for."""
    held = (device for name in resources for device in behind.get(name, ()))
    bits = class_bits(signal.device_classes)
    return tuple(device for device in held if not signal.device_classes or device.category & bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When devices keep an interval: `randomize_s` is left to them, then the gateway adds nothing."""

    start: int
    end: int | None
    randomize_s: int = 0


def timing_of(plan: Plan, one: Dispatch, devices: tuple[Device, ...]) -> Timing:
    """The times of an interval, shifted by the gateway or by the devices, never by both.

    Devices do it where there are several, and the window fits into their hour. They only delay: a window
    that begins before the start (3.x) is told to them as one that begins there.
    """
    window = window_of(plan.event, one)
    width_s = window.early_s + window.late_s
    is_fleet = len(devices) > 1 or any(not device.lFDI for device in devices)
    if not width_s or width_s > MOST_RANDOM_S or not is_fleet:
        return Timing(start=one.own_start, end=one.own_end)
    end = None if one.end is None else one.end - window.early_s
    return Timing(start=one.start - window.early_s, end=end, randomize_s=width_s)


def window_of(event: Event, one: Dispatch) -> Randomization:
    """The window of an interval: its own in 3.x, else that of the event."""
    held = next((interval for interval in one.signal.intervals if interval.uid == one.uid), None)
    if held is None or held.randomization is None or event.profile is Profile.V20B:
        return event.randomization
    return held.randomization


def ahead_of(event: Event, one: Dispatch) -> tuple[Interval, ...]:
    """The intervals of its signal that go before an interval, in order."""
    held = ordered(event.profile, one.signal)
    return held[: next((i for i, interval in enumerate(held) if interval.uid == one.uid), 0)]


def baseline_of(event: Event, start: int, at: int) -> Decimal | None:
    """The baseline that the event itself gives for a second, load positive; None where it gives none."""
    begins = start
    for one in event.baseline.intervals if event.baseline is not None else ():
        begins = one.start if one.start is not None else begins
        ends = None if one.duration_s is None else begins + one.duration_s
        if begins <= at and (ends is None or at < ends):
            value = one.values[0] if one.values else None
            return value if isinstance(value, Decimal) else None
        begins = ends if ends is not None else begins
    return None


def _reply(
    plan: Plan, one: Dispatch, devices: tuple[Device, ...], programme: Programme, timing: Timing
) -> Reply:
    ask = Ask(
        event=plan.event,
        signal=one.signal,
        values=one.values,
        devices=devices,
        programme=programme,
        start=timing.start,
        end=timing.end,
        baseline_w=baseline_of(plan.event, plan.start, one.start),
        ahead=ahead_of(plan.event, one),
    )
    try:
        return answer(ask)
    except (ValueError, ArithmeticError) as error:
        return refused(ask, str(error), Code.INVALID_DATA)


def _wishes(
    plan: Plan,
    one: Dispatch,
    devices: tuple[Device, ...],
    programme: Programme,
    timing: Timing,
    reply: Reply,
) -> Iterator[Wish]:
    by_name = {device.name: device for device in devices}
    cause = (plan.event.eventID, one.signal.signalID, str(one.uid), str(one.part), str(one.round))
    classes = class_bits(one.signal.device_classes)
    for name, action in reply.actions:
        start, ramp_s = _ramped(plan, one, action, timing.start)
        is_shown = isinstance(action, Price | Message | Standing)
        wish = Wish(
            device=by_name[name],
            action=action,
            start=one.start if is_shown else start,
            end=one.end if is_shown else timing.end,
            rank=rank_of(one, action),
            cause=cause,
            event=plan.event,
            programme=programme,
            randomize_s=0 if is_shown else timing.randomize_s,
            ramp_s=ramp_s,
            classes=classes,
        )
        yield from _until_done(wish, timing.start)


def _until_done(wish: Wish, start: int) -> Iterator[Wish]:
    """A wish; of a set point that leads somewhere the way, and then that nothing flows any more."""
    action = wish.action
    if not isinstance(action, Target) or action.for_s is None:
        yield wish
        return
    done = start + action.for_s
    yield replace(wish, end=done)
    yield replace(wish, action=Target(output_w=0), start=done, randomize_s=0, ramp_s=0)


def rank_of(one: Dispatch, action: Action) -> Rank:
    """The rank of an action: what it became decides whether it is a limit."""
    return Rank(
        is_set_point=not isinstance(action, Limit | Standing),
        priority=one.rank.priority,
        older_s=one.rank.older_s,
        eventID=one.rank.eventID,
    )


def _ramped(plan: Plan, one: Dispatch, action: Action, start: int) -> tuple[int, int]:
    """Start and ramp of an action: x-eiRampUp leads to the start, or with a minus begins there."""
    ramp_s = plan.event.ramp_up_s
    if not ramp_s or one.start != plan.start or one.round or not isinstance(action, Target | Limit):
        return start, 0
    return start - max(0, ramp_s), abs(ramp_s)


def _unable(replies: Iterable[tuple[str, Reply]]) -> dict[str, frozenset[str]]:
    """By event, the devices that refuse something of it and do nothing else."""
    able: dict[str, set[str]] = {}
    refusing: dict[str, set[str]] = {}
    for event, reply in replies:
        doing = {name for name, _ in reply.actions} | {goal.device for goal in reply.goals}
        able.setdefault(event, set()).update(doing)
        refusing.setdefault(event, set()).update(name for name, _ in reply.refusals)
    found = {event: frozenset(names - able[event]) for event, names in refusing.items()}
    return {event: names for event, names in found.items() if names}


def _said(event: Event, refusals: Iterable[tuple[str, Refusal]]) -> Iterator[Note]:
    for name, refusal in refusals:
        yield Note(eventID=event.eventID, device=name, text=f"{refusal.text} ({refusal.code})")
