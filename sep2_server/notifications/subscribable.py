"""Which resources this server tells changes of, and the attribute for it. IEEE 2030.5-2018, 7 and 14.

Every resource whose type can carry `subscribable` and that is stored (so that its changes stand in the feed)
can be subscribed to; readings also on a condition.
"""

import re
from functools import cache
from typing import Final

from function_sets import Access, Route
from schemas import spec_of
from schemas.codes import SubscribableType
from sep2_server.extra_routes import LATEST_READING
from sep2_server.uris import route_named

BUILT: Final = frozenset({"SelfDevice"})
"""Made at read and the same for the life of a server."""
IN_A_SET: Final = frozenset({"Reading"})
"""Readings of a ReadingSet: the set is replaced as a whole, their ReadingList tells of it."""
CONDITIONAL: Final = frozenset({LATEST_READING, "ReadingList"})
"""Resources that have a value of their own, so that a Condition can be held against it."""
_HEAD: Final = re.compile(rb"<[\w:]+")
_RATE: Final = b' pollRate="'
_SENT: Final = re.compile(rb' (?:subscribable|pollRate)="[^"]*"')
"""Attributes that are the server's to say."""


@cache
def subscribable(kind: str) -> SubscribableType:
    """How the resources of a route may be subscribed to."""
    route = route_named(kind)
    if kind in BUILT | IN_A_SET or route.access is Access.OPERATOR or not _can_carry(route):
        return SubscribableType.NONE
    return SubscribableType.BOTH if kind in CONDITIONAL else SubscribableType.UNCONDITIONAL


def marked(kind: str, fragment: bytes) -> bytes:
    """The fragment of a stored resource with the `subscribable` attribute that its kind has.

    A pollRate that somebody sent is not kept: the server puts in its own as it answers.
    """
    mark, head = _mark_of(kind), _HEAD.match(fragment)
    if head is None:
        return fragment
    opening, closing, rest = fragment[head.end() :].partition(b">")
    if not mark and _RATE not in opening:
        return fragment
    return head[0] + mark + _SENT.sub(b"", opening) + closing + rest


@cache
def _mark_of(kind: str) -> bytes:
    """The attribute of a kind; empty where its type has none."""
    return b' subscribable="%d"' % subscribable(kind) if _can_carry(route_named(kind)) else b""


def _can_carry(route: Route) -> bool:
    return any(f.name == "subscribable" for f in spec_of(route.type))
