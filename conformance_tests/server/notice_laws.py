"""What must be so of any Notification, whatever it tells. IEEE 2030.5-2018, subscription and notification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from schemas import spec_of
from schemas.codes import NotificationStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas import Notification

STATUSES: Final = frozenset(int(one) for one in NotificationStatus)


def flaws_of(told: Notification) -> Iterator[str]:
    """What is wrong in a Notification: its status, the counts of a list in it, where it says things are."""
    if told.status not in STATUSES:
        yield f"status {told.status} is reserved"
    if told.status == NotificationStatus.MOVED and not told.newResourceURI:
        yield f"status {told.status} (moved) comes without newResourceURI"
    for name in ("subscriptionURI", "newResourceURI"):
        uri = getattr(told, name)
        if uri and not urlsplit(uri).scheme:
            yield f"{name} {uri} is not absolute"
    if told.Resource_ is not None:
        yield from miscounts(told.Resource_)


def miscounts(resource: object) -> Iterator[str]:
    """What a list says wrongly of the number of its items."""
    place = next((field.attr for field in spec_of(type(resource)) if field.is_list), None)
    listed: Any = resource
    if place is None or not hasattr(resource, "results"):
        return
    amount, name = len(getattr(listed, place)), type(resource).__name__
    if listed.results != amount:
        yield f"results of the {name} is {listed.results}, and {amount} items are in it"
    if listed.all < amount:
        yield f"all of the {name} is {listed.all}, and {amount} items are in it"
