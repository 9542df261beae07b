"""What should be in force and is not on the server: it gave no answer, or refused. Pure."""

from collections.abc import Iterator, Mapping

from openadr_ven.to_sep2.publication import Held, Publication, Publications
from schemas import Event


def late(
    wanted: Publications, held: Held, now: int, before: Mapping[str, frozenset[str]]
) -> dict[str, frozenset[str]]:
    """By event, the devices for which something has begun and is not published.

    Those that were late `before` stay so until something of the event is published for them: where it has
    ended meanwhile, they have missed it.
    """
    found = {event: set(names) for event, names in before.items()}
    for one in _events(wanted, now):
        if one.identity in held.items:
            found.get(one.eventID, set()).difference_update(one.devices)
    for one in _events(wanted, now):
        if one.identity not in held.items and one.start <= now:
            found.setdefault(one.eventID, set()).update(one.devices)
    return {event: frozenset(names) for event, names in found.items() if names}


def next_late(wanted: Publications, held: Held, now: int) -> int | None:
    """When the next of what is not published begins."""
    waiting = (one.start for one in _events(wanted, now) if one.identity not in held.items)
    return min((start for start in waiting if start > now), default=None)


def _events(wanted: Publications, now: int) -> Iterator[Publication]:
    for one in wanted.items.values():
        if isinstance(one.value, Event) and one.end is not None and one.end > now:
            yield one
