"""Rules of events that server and client share. IEEE 2030.5-2018, 10.2.3.

Pure: time and random numbers are arguments; times are s since 1970 UTC on the clock of the server.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeVar

from function_sets.modes import modes_of
from schemas import (
    DERControl,
    EndDeviceControl,
    Event,
    EventStatus,
    FlowReservationResponse,
    RandomizableEvent,
    TextMessage,
    spec_of,
)
from schemas.codes import EventState

E = TypeVar("E", bound=Event)
Scope = tuple[frozenset[str], int]
"""What an event governs and the bitmap of the device categories that it is for."""

FINAL_STATES: Final = frozenset(
    {EventState.CANCELLED, EventState.CANCELLED_WITH_RANDOMIZATION, EventState.SUPERSEDED}
)
"""States that an event does not leave."""
OPEN_STATES: Final = frozenset({EventState.SCHEDULED, EventState.ACTIVE})
"""States in which an event runs, or is going to."""
_LOAD_CONTROLS: Final = ("ApplianceLoadReduction", "DutyCycle", "Offset", "SetPoint", "TargetReduction")
_WHOLE: Final = frozenset({"whole"})
_CHANGED: Final = "changed: "

IN_PLACE: Final = frozenset({"description"})
"""What may change of an event that keeps its mRID: the version counts it. All else takes a new event."""


class EventRuleError(ValueError):
    """An event may not be changed or cancelled like this; the text says which rule stands against it."""


class Pressure(NamedTuple):
    """What the newer events of its program do to an event, those that are in force and overlap with it."""

    shared: int | None = None
    """The earliest creationTime of one that shares some of it and does not cover it."""
    taken_over: int | None = None
    """When the first one that covers it takes over."""
    takes_over: int | None = None
    """When the first one takes over that has not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """The random parts of one event at one device, s; drawn once and kept."""

    start_s: int = 0
    duration_s: int = 0


def draw_for(event: Event, random: Callable[[], float]) -> Draw:
    """A draw, uniform between 0 and each limit of the event, both included; `random` gives [0, 1)."""
    start_s, duration_s = randomization_of(event)
    return Draw(start_s=_part(start_s, random), duration_s=_part(duration_s, random))


def randomization_of(event: Event) -> tuple[int, int]:
    """Limits of the random parts of start and duration, s; 0 where the event has none."""
    if not isinstance(event, RandomizableEvent):
        return 0, 0
    return event.randomizeStart or 0, event.randomizeDuration or 0


def specified_end(event: Event) -> int:
    """Start plus duration, without any random part."""
    return event.interval.start + event.interval.duration


def earliest_start(event: Event) -> int:
    """The first second at which any device may act on the event."""
    return event.interval.start + min(0, randomization_of(event)[0])


def latest_end(event: Event) -> int:
    """The second at which the last device has stopped."""
    start_s, duration_s = randomization_of(event)
    return specified_end(event) + max(0, start_s) + max(0, duration_s)


def effective_interval(event: Event, draw: Draw) -> tuple[int, int]:
    """Start and end of the event at the device that drew; an end is never before its start."""
    start = event.interval.start + draw.start_s
    return start, max(start, start + event.interval.duration + draw.duration_s)


def overlaps(one: Event, other: Event) -> bool:
    """True if the specified intervals of the two overlap: random parts alone let no event supersede another.

    IEEE 2030.5-2018, 10.2.3: randomization opens no gap between successive events.
    """
    return one.interval.start < specified_end(other) and other.interval.start < specified_end(one)


def controls_of(event: Event) -> frozenset[str]:
    """What an event governs: the modes of a DERControl, the controls of an EndDeviceControl.

    A TextMessage governs nothing (it is never superseded), nor does a FlowReservationResponse of no energy
    and no power, which declines; any other event is governed as a whole.
    """
    if isinstance(event, DERControl):
        return frozenset(modes_of(event.DERControlBase_))
    if isinstance(event, EndDeviceControl):
        fields = {f.name: f.attr for f in spec_of(type(event))}
        return frozenset(name for name in _LOAD_CONTROLS if getattr(event, fields[name]) is not None)
    if isinstance(event, FlowReservationResponse):
        return _WHOLE if event.energyAvailable.value or event.powerAvailable.value else frozenset()
    return frozenset() if isinstance(event, TextMessage) else _WHOLE


def categories_of(event: Event) -> int:
    """Bitmap of the device categories that the event is for; 0 means all."""
    held = event.deviceCategory if isinstance(event, DERControl | EndDeviceControl) else None
    return int(held or "0", 16)


def newness(event: Event, *, is_higher: bool = True) -> tuple[int, int]:
    """What is greater of the event that wins in one program: creationTime, then the higher or lower mRID."""
    number = int(event.mRID or "0", 16)
    return event.creationTime, number if is_higher else -number


def is_newer(one: Event, other: Event) -> bool:
    """True if `one` wins over `other` in the same program: later creationTime, then the higher mRID."""
    return newness(one) > newness(other)


def is_newer_or_lower(one: Event, other: Event) -> bool:
    """Like `is_newer`, but of two events of one creationTime that with the lower mRID wins."""
    return newness(one, is_higher=False) > newness(other, is_higher=False)


def scope_of(event: Event) -> Scope:
    """What an event governs, and for which device categories."""
    return controls_of(event), categories_of(event)


def covers(newer: Event, older: Event) -> bool:
    """True if the newer event governs all that the older one does, for all of its device categories."""
    return covers_scope(scope_of(newer), scope_of(older))


def covers_scope(newer: Scope, older: Scope) -> bool:
    """As `covers`."""
    (newer_controls, newer_for), (controls, older_for) = newer, older
    for_all = newer_for == 0 or (older_for != 0 and older_for & ~newer_for == 0)
    return bool(controls) and controls <= newer_controls and for_all


def shares(one: Event, other: Event) -> bool:
    """True if both govern the same thing for at least one device category."""
    return shares_scope(scope_of(one), scope_of(other))


def shares_scope(one: Scope, other: Scope) -> bool:
    """As `shares`."""
    (one_controls, one_for), (controls, other_for) = one, other
    same_devices = not one_for or not other_for or bool(one_for & other_for)
    return same_devices and bool(one_controls & controls)


def pressure_on(
    event: Event, siblings: Iterable[Event], now: int, wins: Callable[[Event, Event], bool] = is_newer
) -> Pressure:
    """What the other events of its program (`siblings`) do to an event; `wins`: as in `status_at`."""
    rivals = [s for s in siblings if wins(s, event) and is_in_force(s) and overlaps(s, event)]
    partial = [s.creationTime for s in rivals if shares(s, event) and not covers(s, event)]
    taken_over = [takes_over(s) for s in rivals if covers(s, event)]
    return Pressure(
        min(partial, default=None),
        min(taken_over, default=None),
        min((time for time in taken_over if time > now), default=None),
    )


def status_at(
    event: Event, siblings: Iterable[Event], now: int, wins: Callable[[Event, Event], bool] = is_newer
) -> EventStatus:
    """The status of an event at `now`; `siblings` are the other events of its program.

    `wins` says which of two supersedes the other.

    Scheduled only while the earliest start is ahead; superseded from the earliest start of a newer event that
    covers it; potentiallySuperseded while a newer one shares some of it. `dateTime` is never in the future.
    """
    return status_under(event, pressure_on(event, siblings, now, wins), now)


def status_under(event: Event, pressure: Pressure, now: int) -> EventStatus:
    """The status of an event at `now`, as `status_at` tells it; the one that it holds where that is right."""
    held, shared = event.EventStatus_, pressure.shared
    since = None if shared is None else min(now, shared)
    state, time = held.currentStatus, held.dateTime
    if state in OPEN_STATES:
        state, time = _open_state(event, pressure.taken_over, now)
    told = (held.currentStatus, held.dateTime, held.potentiallySuperseded, held.potentiallySupersededTime)
    if told == (state, time, shared is not None, since):
        return held
    return replace(
        held,
        currentStatus=state,
        dateTime=time,
        potentiallySuperseded=shared is not None,
        potentiallySupersededTime=since,
    )


def _open_state(event: Event, taken_over: int | None, now: int) -> tuple[int, int]:
    """The state at `now` of an event that was open, and since when it has it."""
    if taken_over is not None and taken_over <= now:
        return int(EventState.SUPERSEDED), taken_over
    starts = earliest_start(event)
    if starts <= now:
        return int(EventState.ACTIVE), min(now, max(starts, event.creationTime))
    return int(EventState.SCHEDULED), min(now, event.creationTime)


def next_change(
    event: Event, siblings: Iterable[Event], now: int, wins: Callable[[Event, Event], bool] = is_newer
) -> int | None:
    """When time alone next changes the status, None where it does not any more."""
    return next_under(event, event.EventStatus_, pressure_on(event, siblings, now, wins), now)


def next_under(event: Event, status: EventStatus, pressure: Pressure, now: int) -> int | None:
    """When time alone next changes this status of an event, as `next_change` tells it."""
    if status.currentStatus in FINAL_STATES:
        return None
    times = (earliest_start(event), pressure.takes_over)
    return min((time for time in times if time is not None and time > now), default=None)


def is_active(event: Event, now: int) -> bool:
    """True if the event is in force for some device at `now`, by its own times and stored status."""
    in_force = event.EventStatus_.currentStatus not in FINAL_STATES
    return in_force and earliest_start(event) <= now < latest_end(event)


def is_over(event: Event, now: int) -> bool:
    """True if the last device has stopped; a cancelled event stays for its original time."""
    return now >= latest_end(event)


def cancelled(event: Event, now: int, *, randomized: bool = False, reason: str | None = None) -> EventStatus:
    """The status of an event that its operator cancels at `now`.

    `randomized` lets each device end within the random window of the event. Raises EventRuleError for an
    event that has ended, was cancelled or superseded, or has no random part.
    """
    _must_be_open(event, now)
    if randomized and randomization_of(event) == (0, 0):
        raise EventRuleError("the event has no random part: cancel it without randomization")
    state = EventState.CANCELLED_WITH_RANDOMIZATION if randomized else EventState.CANCELLED
    return replace(event.EventStatus_, currentStatus=int(state), dateTime=now, reason=reason)


def cancel_window_s(event: Event) -> int:
    """Longest time after a cancellation with randomization until a device has stopped, s."""
    return max(map(abs, randomization_of(event)))


def changed(event: E, successor: E, now: int) -> E:
    """The event that takes the place of `event`: `successor`, made newer than it and scheduled afresh.

    Events are not edited, but superseded: the successor has an mRID of its own and a later creationTime.
    Raises EventRuleError where the event is no longer open or was changed before, or the successor has its
    mRID or is over before it starts.
    """
    _must_be_open(event, now)
    if (mrid := replaced_by(event)) is not None:
        raise EventRuleError(f"the event was changed already: {mrid} is in its place")
    if successor.mRID.upper() == event.mRID.upper():
        raise EventRuleError("a changed event needs an mRID of its own: events are superseded, not edited")
    if is_over(successor, now):
        raise EventRuleError("the changed event would be over already")
    created = max(now, event.creationTime + 1)
    fresh = EventStatus(currentStatus=int(EventState.SCHEDULED), dateTime=now, potentiallySuperseded=False)
    made = replace(successor, creationTime=created, EventStatus_=fresh)
    made.EventStatus_ = status_at(made, (), now)
    return made


def giving_way(event: Event, successor: Event) -> EventStatus:
    """The status of an event until its successor supersedes it; the reason tells which that is."""
    return replace(event.EventStatus_, reason=f"{_CHANGED}{successor.mRID}")


def replaced_by(event: Event) -> str | None:
    """The mRID of the event that took the place of this one by a change, None where none did."""
    reason = event.EventStatus_.reason or ""
    return reason.removeprefix(_CHANGED) if reason.startswith(_CHANGED) else None


def changes_in_place(event: Event, names: Iterable[str], now: int) -> bool:
    """Whether a change of these fields keeps the event; False where another event has to take its place.

    Devices act on what they have taken up, so that interval, modes and the like are never edited. Raises
    EventRuleError for an event that has ended, was cancelled or superseded. IEEE 2030.5-2018, 10.2.3.
    """
    _must_be_open(event, now)
    return frozenset(names) <= IN_PLACE


def replaces(newer: Event, older: Event, now: int) -> bool:
    """True if `newer` governs all that `older` does, from now or its start on; else cancel `older` too."""
    return (
        covers(newer, older)
        and overlaps(newer, older)
        and takes_over(newer) <= max(now, earliest_start(older))
    )


def _part(limit_s: int, random: Callable[[], float]) -> int:
    size = min(int(random() * (abs(limit_s) + 1)), abs(limit_s)) if limit_s else 0
    return size if limit_s > 0 else -size


def is_in_force(event: Event) -> bool:
    """True unless the event was cancelled."""
    return event.EventStatus_.currentStatus not in {
        EventState.CANCELLED,
        EventState.CANCELLED_WITH_RANDOMIZATION,
    }


def takes_over(event: Event) -> int:
    """When an event takes over from those that it covers: at its earliest start, not before its creation."""
    return max(earliest_start(event), event.creationTime)


def _must_be_open(event: Event, now: int) -> None:
    state = event.EventStatus_.currentStatus
    if state in FINAL_STATES:
        raise EventRuleError(f"the event is {EventState(state).name.lower().replace('_', ' ')} already")
    if is_over(event, now):
        raise EventRuleError("the event is over already")
