"""A write while it is carried out: what was asked, by whom, in which transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Protocol

from function_sets import ROUTES, Access, Route, sort_key
from schemas import DER, AbstractDevice, Link, ListLink, Resource, spec_of, wire_name
from sep2_server.access import Viewer, scope_of
from sep2_server.environment import Environment
from sep2_server.errors import LimitReached, NotFound
from sep2_server.location import Target
from sep2_server.messages import Answer, updated
from sep2_server.orders import ordered
from sep2_server.rows import EVERYBODY, Client, Row, Span
from sep2_server.transaction import Transaction
from sep2_server.tree import link_lists

SLACK_SHARE: Final = 20
"""One part in so many that a list with a bound may be longer than it."""


class Clients(Protocol):
    """Who knows which client an EndDevice is: a transaction, or an action in one."""

    def client_of(self, end_device_id: int) -> Client | None:
        """The client that is an EndDevice."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One PUT, POST or DELETE; `value` is the decoded body, None for DELETE; `now` is server time.

    `authority` is the host and port that the client knows the server by.
    """

    tx: Transaction
    environment: Environment
    viewer: Viewer
    target: Target
    value: Any
    now: int
    authority: str = ""

    @property
    def row(self) -> Row:
        """The stored resource that a PUT or DELETE is about; NotFound where there is none."""
        if self.target.row is None:
            raise NotFound(self.target.href)
        return self.target.row

    def client(self, lfdi: str) -> Client | None:
        """The enrolled client with an LFDI."""
        own = self.viewer.client
        return own if own is not None and own.lfdi == lfdi else self.tx.client(lfdi)

    def client_of(self, end_device_id: int) -> Client | None:
        """The client that is an EndDevice."""
        own = self.viewer.client
        is_own = own is not None and own.end_device_id == end_device_id
        return own if is_own else self.tx.client_of(end_device_id)

    def programs_of(self, end_device_id: int) -> Collection[int]:
        """The programs of all kinds that a device is assigned."""
        if self.viewer.scope == end_device_id and not self.viewer.is_aggregator:
            return self.viewer.programs
        return self.tx.programs_of_device(end_device_id)

    def list_row(self) -> Row:
        """The stored list that a POST is about, made where it does not exist yet.

        What is above it is told of, since its link shows the number of items from now on.
        """
        target = self.target
        if target.row is not None:
            return target.row
        row = Row(self.tx.next_id(), target.href, target.route.id, owner_id=target.owner_id)
        if target.above is not None:
            self.tx.tell(target.above)
        return self.tx.insert(row)


def item_kind(route: Route, value: object) -> str:
    """Id of the route of a list's items; several types share the items of a ResponseList."""
    kinds = _kinds_below(route.path + "/")
    name = wire_name(type(value))
    return name if name in kinds else kinds[0]


@cache
def _kinds_below(path: str) -> tuple[str, ...]:
    """Ids of the routes one segment below a path, which ends with a slash."""
    return tuple(r.id for r in ROUTES.values() if r.path.startswith(path) and "/" not in r.path[len(path) :])


def add_item(action: Action, list_row: Row, value: Resource, *, owner_id: int | None = None) -> Row:
    """Store a new item of a list; its href is given here, its owner is the list's unless said."""
    route = ordered(action.environment, list_row.kind)
    kind = item_kind(route, value)
    number = action.tx.next_id()
    owner = list_row.owner_id if owner_id is None else owner_id
    parts = (*action.target.place.parts, number)
    href = value.href = action.environment.uris.of(kind, parts)
    link_lists(action.environment, kind, value, parts)
    return action.tx.insert(
        Row(
            number,
            href,
            kind,
            list_id=list_row.id,
            scope=item_scope(action, route, owner),
            sort_key=sort_key(route, value),
            owner_id=owner,
            mrid=getattr(value, "mRID", None),
            body=action.environment.codec.fragment(value),
        )
    )


def put_value(action: Action, row: Row, value: Resource) -> Row:
    """Store a new value of a resource; its place in a list follows."""
    value.href = row.href
    key = row.sort_key
    if row.list_id is not None:
        list_row = action.tx.by_id(row.list_id)
        key = sort_key(ordered(action.environment, list_row.kind), value) if list_row else key
    return action.tx.replace(
        row,
        row._replace(sort_key=key, mrid=_mrid(value, row), body=action.environment.codec.fragment(value)),
    )


def updated_by_post(action: Action, row: Row) -> Answer:
    """The answer to a POST that has updated what was there, with the status that the profile says."""
    return Answer(action.environment.rules.update_status, updated(row.href).headers)


def require_room(action: Action, list_row: Row, scope: int, most: int) -> None:
    """Raise LimitReached where a list has as many items as it may have."""
    if action.tx.count(Span(list_id=list_row.id, scope=scope)) >= most:
        raise LimitReached(f"{list_row.href} has {most} items")


def keep_newest(action: Action, list_row: Row, scope: int, most: int) -> None:
    """Delete the items of a list of what happened that came before the last `most`, whatever times they tell.

    The clock of a device may be wrong: what it says now is never what is forgotten. To find the first takes a
    walk over those that stay: a list may grow by `SLACK_SHARE` before that.
    """
    most_kept = most + most // SLACK_SHARE

    def trim(amount: int) -> None:
        places = action.tx.places(Span(list_id=list_row.id, scope=scope), limit=amount)
        first = sorted(number for _, number in places)[: min(amount - most, 1000)]
        action.tx.delete_items([row for row in map(action.tx.by_id, first) if row is not None])

    action.tx.keep_at_most(list_row.id, scope, most_kept, trim)


def item_scope(clients: Clients, route: Route, owner_id: int | None) -> int:
    """Scope of the items of a list: whose lists they stand in, or everybody's."""
    if route.access is not Access.SELF or owner_id is None:
        return EVERYBODY
    client = clients.client_of(owner_id)
    return EVERYBODY if client is None else scope_of(client)


def keep_links(value: Resource, stored: object | None) -> None:
    """Give a value from a client the links that the server made: those of a client to lists do not count.

    Of a device and a DER all links are the server's.
    """
    cls: type = type(value)
    for attr in _kept_links(cls):
        setattr(value, attr, getattr(stored, attr, None))


def has_links(cls: type) -> bool:
    """Whether values of a class have links that `keep_links` keeps."""
    return bool(_kept_links(cls))


@cache
def _kept_links(cls: type) -> tuple[str, ...]:
    kinds = Link if issubclass(cls, DER | AbstractDevice) else ListLink
    return tuple(
        f.attr
        for f in spec_of(cls)
        if f.target is not None and issubclass(f.target, kinds) and not f.required
    )


def _mrid(value: object, row: Row) -> str | None:
    mrid = getattr(value, "mRID", None)
    return row.mrid if mrid is None else str(mrid).upper().rjust(32, "0")
