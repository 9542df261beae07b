"""The status of each event of a list, held against its own times and those beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance_tests.server.event_laws import flaws_of
from function_sets import ROUTES
from schemas import Event

if TYPE_CHECKING:
    from conformance_tests.server.generated.lists import Listed

VIEW: Final = "Active"
"""What the id of a list of the active events alone begins with."""
OF_EVENTS: Final = frozenset(
    route.id for route in ROUTES.values() if route.item is not None and issubclass(route.item, Event)
)
MOST_TOLD: Final = 3


async def statuses(listed: Listed) -> None:
    """No event of a list tells of the future, is Scheduled after its start, or superseded by nothing."""
    before = await listed.now()
    whole = listed.some(await listed.whole())
    events = [item for item in whole.items if isinstance(item, Event)]
    is_view = listed.route.id.startswith(VIEW)
    found = list(flaws_of(events, before, await listed.now(), is_active_view=is_view))
    what = "the status of every event fits its times, the time of the server and the other events"
    seen = "; ".join(found[:MOST_TOLD]) or f"{len(events)} events"
    listed.trial.check(not found, what, seen=seen)
