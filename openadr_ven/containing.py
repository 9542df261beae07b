"""The translation of all that can be translated: an event that fails takes no other with it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from openadr_ven.events import Plan
from openadr_ven.to_sep2 import Basis, Fleet, Note, Programme, Publications, translate

log = logging.getLogger(__name__)


def translated(
    plans: Sequence[Plan],
    fleet: Fleet,
    programmes: Mapping[str, Programme],
    now: int,
    bases: Mapping[str, Basis] | None = None,
) -> Publications:
    """What `translate` says, without the events at which it fails, which are found by halves.

    Each of these is a note, and all of its devices are `unable`. What fails without any event is raised.
    """
    found, good = None, list[Plan]()
    failed: dict[str, Exception] = {}
    waiting = [list(plans)]
    while waiting:
        some = waiting.pop()
        try:
            found = translate([*good, *some], fleet, programmes, now, bases)
        except Exception as flaw:
            half = len(some) // 2
            if half:
                waiting += [some[half:], some[:half]]
            for plan in () if half else some:
                log.exception("event %s cannot be carried out", plan.event.eventID)
                failed[plan.event.eventID] = flaw
        else:
            good += some
    held = found or translate([], fleet, programmes, now, bases)
    behind = fleet.by_resource()
    unable = {
        plan.event.eventID: frozenset(one.name for name in plan.resources for one in behind.get(name, ()))
        for plan in plans
        if plan.event.eventID in failed
    }
    notes = [Note(eventID=name, device="", text=f"left out: {flaw!r}") for name, flaw in failed.items()]
    return replace(held, notes=(*notes, *held.notes), unable={**held.unable, **unable})
