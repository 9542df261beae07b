"""What newer events of a program do to older ones, found for many in one pass. IEEE 2030.5-2018, 10.2.3."""

from collections.abc import Collection, Mapping
from itertools import groupby
from typing import NamedTuple

from function_sets.events import (
    Pressure,
    Scope,
    covers_scope,
    is_in_force,
    newness,
    scope_of,
    shares_scope,
    specified_end,
    takes_over,
)
from schemas import Event


class Standing(NamedTuple):
    """An event with what the others of its program ask of it."""

    newness: tuple[int, int]
    """The greater one of two wins."""
    event: Event
    starts: int
    """As specified, without random parts; so is `ends`."""
    ends: int
    takes_over: int
    scope: Scope
    is_in_force: bool


class _Window(NamedTuple):
    """The events of one scope and the same times: the least that they do to an older one."""

    starts: int
    ends: int
    created: int
    taken_over: int
    takes_over: int | None


_Windows = dict[tuple[int, int], _Window]


def standing_of(event: Event, *, is_higher: bool) -> Standing:
    """What the others of its program ask of an event; of one second the higher mRID wins, or the lower."""
    return Standing(
        newness(event, is_higher=is_higher),
        event,
        event.interval.start,
        specified_end(event),
        takes_over(event),
        scope_of(event),
        is_in_force(event),
    )


def pressures(standings: Mapping[int, Standing], wanted: Collection[int], now: int) -> dict[int, Pressure]:
    """What the other events do to each that is wanted, by the keys of `standings`; as `pressure_on` tells it.

    From the newest to the oldest, events that govern the same at the same times are looked at as one.
    """

    def newness_of(number: int) -> tuple[int, int]:
        return standings[number].newness

    newer: dict[Scope, _Windows] = {}
    found: dict[int, Pressure] = {}
    for _, same in groupby(sorted(standings, key=newness_of, reverse=True), newness_of):
        numbers = list(same)
        found |= {number: _pressure(standings[number], newer, now) for number in numbers if number in wanted}
        for number in numbers:
            _add(newer, standings[number], now)
    return found


def _pressure(one: Standing, newer: Mapping[Scope, _Windows], now: int) -> Pressure:
    """What windows of newer events do to one; while none that covers it has taken over, the first will."""
    shared: list[int] = []
    taken_over: list[int] = []
    covering: list[_Windows] = []
    starts, ends = one.starts, one.ends
    for scope, windows in newer.items():
        if covers_scope(scope, one.scope):
            covering.append(windows)
            taken_over += [w.taken_over for w in windows.values() if w.starts < ends and w.ends > starts]
        elif shares_scope(scope, one.scope):
            shared += [w.created for w in windows.values() if w.starts < ends and w.ends > starts]
    since, first = min(shared, default=None), min(taken_over, default=None)
    if first is None or first > now:
        return Pressure(since, first, first)
    beside = (w for windows in covering for w in windows.values() if w.starts < ends and w.ends > starts)
    later = (w.takes_over for w in beside if w.takes_over is not None)
    return Pressure(since, first, min(later, default=None))


def _add(newer: dict[Scope, _Windows], one: Standing, now: int) -> None:
    """Count an event among the newer ones, unless it was cancelled; none of them was made before it."""
    if not one.is_in_force:
        return
    windows = newer.setdefault(one.scope, {})
    times = one.starts, one.ends
    held = windows.get(times)
    first, later = one.takes_over, one.takes_over if one.takes_over > now else None
    if held is not None:  # a newer one may take over sooner, by its random part
        first = min(first, held.taken_over)
        later = min((at for at in (later, held.takes_over) if at is not None), default=None)
    windows[times] = _Window(*times, one.event.creationTime, first, later)
