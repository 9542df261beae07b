"""What hangs below a resource, read from the declared paths: links to its lists, and its removal.

With a resource also goes what devices said of it elsewhere, which would be about nothing.
"""

from collections.abc import Iterator
from functools import cache
from typing import Final

from function_sets import ROUTES, Route
from schemas import Field, Link, ListLink, spec_of
from sep2_server.environment import Environment
from sep2_server.extra_routes import EXTRA_ROUTES, MEMBER_LISTS, PROGRAM_KINDS
from sep2_server.removal import remove_readings, remove_sets
from sep2_server.rows import Row
from sep2_server.transaction import Transaction
from sep2_server.uris import Uris, route_named

BATCH: Final = 1000
SETS: Final = "ReadingSetList"
READ_BELOW: Final = frozenset({"MeterReading", "ReadingSet"})
"""What has values in the table of readings."""
MOST_MEMBERS: Final = 2**31
"""More than a list shows of what is stored elsewhere; programs outlive a list that shows them."""
SAID_OF: Final = {"RateComponent": "PriceResponseCfg", "DemandResponseProgram": "LoadShedAvailability"}
"""What devices say of a resource that operators may remove. 10.3 and 10 (Configuration).

A price answer must have its link, and what can be shed without one is what can be shed in any program.
"""


@cache
def routes_below(kind: str) -> tuple[Route, ...]:
    """The resources one segment below a kind of resource, the items of a list apart."""
    head = route_named(kind).path + "/"
    routes = (*ROUTES.values(), *EXTRA_ROUTES.values())
    found = (route for route in routes if route.path.startswith(head) and route.view_of is None)
    return tuple(route for route in found if not {"/", "{"} & set(route.path[len(head) :]))


def link_lists(environment: Environment, kind: str, value: object, parts: tuple[object, ...]) -> None:
    """Make a resource link to every list below it, and to no other; `parts` are those of its URI."""
    cls: type = type(value)
    below = {route.id for route in routes_below(kind)} if _list_links(cls) else set()
    for f in _list_links(cls):
        name = (f.target or ListLink).__name__.removesuffix("Link")
        made = f.target(href=environment.uris.of(name, parts)) if f.target and name in below else None
        setattr(value, f.attr, made)
    for f in _structures(cls):
        held = getattr(value, f.attr)
        if held is not None:
            link_lists(environment, kind, held, parts)


def remove_tree(tx: Transaction, uris: Uris, row: Row) -> None:
    """Remove a resource, or a list with its items, and all that is below, the lowest first.

    What devices said of one that is removed goes too; many readings go later, see `removal`.
    """
    for below in _below(tx, uris, row):
        remove_tree(tx, uris, below)
    if row.kind in READ_BELOW:
        remove_readings(tx, row)
    if row.kind in SAID_OF:
        _remove_said(tx, row)
    tx.delete(row)


def _below(tx: Transaction, uris: Uris, row: Row) -> Iterator[Row]:
    """What goes with a resource, each when the one before it is gone."""
    if row.kind in MEMBER_LISTS:
        members = tx.members(row.id, limit=MOST_MEMBERS)
        yield from (item for item in members if item.kind not in PROGRAM_KINDS)
    if row.kind == SETS:
        remove_sets(tx, row)
    elif route_named(row.kind).is_list:
        while items := tx.items(row.id, limit=BATCH):
            yield from items
    routes = routes_below(row.kind)
    place = uris.find(row.href) if routes else None
    if place is not None:
        found = (tx.by_href(uris.of(route.id, place.parts)) for route in routes)
        yield from (below for below in found if below is not None)


def _remove_said(tx: Transaction, row: Row) -> None:
    """Remove what devices said of a resource that goes."""
    after = 0
    while page := tx.followers(row.href, after_id=after, limit=BATCH):
        for said in page:
            if said.kind == SAID_OF[row.kind]:
                tx.delete(said)
        after = page[-1].id


@cache
def _list_links(cls: type) -> tuple[Field, ...]:
    return tuple(f for f in spec_of(cls) if f.target is not None and issubclass(f.target, ListLink))


@cache
def _structures(cls: type) -> tuple[Field, ...]:
    """Parts of a resource that hold links to lists in their turn (`LLInterface.IEEE_802_15_4`)."""
    return tuple(f for f in spec_of(cls) if not f.is_list and _has_links(f.target))


def _has_links(cls: type | None) -> bool:
    return cls is not None and bool(_list_links(cls)) and not issubclass(cls, Link)
