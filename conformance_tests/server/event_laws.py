"""What must be so of the status of any event at any time. IEEE 2030.5-2018, 10.2.3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas import RandomizableEvent
from schemas.codes import EventState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance_tests.trial import Trial
    from schemas import Event

CLAUSE: Final = "10.2.3"
WHOLE_S: Final = 1
"""Times are whole seconds: a start may be seen so late, s."""


def check_times(trial: Trial, event: Event, now: int, name: str) -> None:
    """Nothing that an event says of the past lies in the future; `now` is server time after it was read."""
    status = event.EventStatus_
    for what, time_s in (
        ("creationTime", event.creationTime),
        ("EventStatus.dateTime", status.dateTime),
        ("potentiallySupersededTime", status.potentiallySupersededTime),
    ):
        if time_s is not None:
            held = time_s <= now
            trial.check(held, f"{what} of {name} is not in the future", seen=f"{time_s}, now {now}")


def flaws_of(events: Sequence[Event], before: int, after: int, *, is_active_view: bool) -> Iterator[str]:
    """What is wrong in a list of events that was read between two server times, s.

    `is_active_view`: a list of the active ones alone.
    """
    for event in events:
        status, name = event.EventStatus_, f"{event.href or event.mRID}:"
        if event.creationTime > after:
            yield f"{name} creationTime {event.creationTime} is in the future, now {after}"
        if status.dateTime > after:
            yield f"{name} EventStatus.dateTime {status.dateTime} is in the future, now {after}"
        if status.currentStatus not in set(EventState):
            yield f"{name} currentStatus {status.currentStatus} is reserved"
        if status.currentStatus == EventState.SCHEDULED and earliest_start(event) < before - WHOLE_S:
            yield f"{name} is Scheduled (0) after its start {earliest_start(event)}, now {before}"
        if is_active_view and status.currentStatus != EventState.ACTIVE:
            yield f"{name} is in a list of active events with currentStatus {status.currentStatus}"
        alone = not any(other is not event and _meet(event, other) for other in events)
        if status.potentiallySuperseded and alone and not is_active_view:
            yield f"{name} is potentiallySuperseded, and no other event of its list overlaps it"


def earliest_start(event: Event) -> int:
    """The first second at which a device may act on an event, server time."""
    drawn = event.randomizeStart if isinstance(event, RandomizableEvent) else None
    return event.interval.start + min(0, drawn or 0)


def latest_end(event: Event) -> int:
    """The second at which the last device has ended an event, server time."""
    end_s = event.interval.start + event.interval.duration
    if not isinstance(event, RandomizableEvent):
        return end_s
    return end_s + max(0, event.randomizeStart or 0) + max(0, event.randomizeDuration or 0)


def _meet(one: Event, other: Event) -> bool:
    return earliest_start(one) < latest_end(other) and earliest_start(other) < latest_end(one)
