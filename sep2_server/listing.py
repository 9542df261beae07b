"""What a list shows to whom: the page of a request and the number that a link to it tells.

Most lists are items in the order of the declaration. Derived ones are: the active events of a list, the
programs that a group or a client is assigned, the values of a ReadingSet, lists that show clients their own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Final

from function_sets import Route, after_bounds
from schemas import EndDevice, Event, File
from sep2_server.access import Viewer, assigned_to
from sep2_server.combined_tariffs import interval_lists
from sep2_server.environment import Environment
from sep2_server.extra_routes import (
    COMBINED_INTERVALS,
    DEVICE_PROGRAMS,
    GROUP_LIST,
    MEMBER_LISTS,
    group_list_of,
)
from sep2_server.files.fits import Wanted
from sep2_server.files.listing import FileShelf
from sep2_server.fleet_programs import FleetPrograms, tokens_of_fleet
from sep2_server.interval_times import INTERVAL_KINDS
from sep2_server.known_lists import KnownLists
from sep2_server.location import Target
from sep2_server.orders import ordered
from sep2_server.reader import Reader
from sep2_server.rows import EVERYBODY, HIGHEST, Place, Row, Span
from sep2_server.shelf import Recall, Shelf, Token
from sep2_server.shown_to import BILLING_SETS, POINT_LISTS, group_list_beside, shows_assigned, shows_own
from sep2_server.uris import Uris, route_named

MOST_FILES: Final = 65_535
MOST_BOOKMARKS: Final = 4096
RUN: Final = 128
"""Items whose row ids are remembered together, from a multiple of their number on."""
MOST_RUNS: Final = 4096
ALWAYS: Final = 1 << 62
"""A time that does not come."""


class RepairDue(Exception):
    """Time has changed items of a list and nobody has written it yet; `list_id` says where."""

    def __init__(self, list_id: int) -> None:
        super().__init__(list_id)
        self.list_id = list_id


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One list as one client sees it.

    `fetch(skip, limit)` reads fragments of items, `numbers` their row ids where that is cheaper, `total()`
    says how many there are; `tokens` are what it is made from, `until` is when time alone makes it wrong, s
    since 1970 UTC. `is_private`: others see another.
    """

    fetch: Callable[[int, int], list[bytes]]
    total: Callable[[], int]
    numbers: Callable[[int, int], list[int]] | None = None
    tokens: frozenset[Token] = frozenset()
    until: int = ALWAYS
    is_private: bool = False


EMPTY: Final = View(fetch=lambda _skip, _limit: [], total=lambda: 0)


class Listing:
    """Reads lists; remembers where pages ended, so that the next page is found by its key.

    Of lists that are read by row ids, it remembers those.
    """

    def __init__(self, environment: Environment, recall: Recall | None = None) -> None:
        self._uris = environment.uris
        self._environment = environment
        self._bookmarks: Shelf[tuple[int, int, int], Place] = Shelf(MOST_BOOKMARKS, 0, recall)
        self._runs: Shelf[tuple[int, int, int], list[int]] = Shelf(MOST_RUNS, 0, recall)
        self._fleets = FleetPrograms(recall)
        self.known = KnownLists(recall)

    def drop(self, tokens: set[Token]) -> None:
        """Forget the places in lists that have changed."""
        self._bookmarks.drop(tokens)
        self._runs.drop(tokens)
        self._fleets.drop(tokens)
        self.known.drop(tokens)

    def clear(self) -> None:
        """Forget all places."""
        self._bookmarks.clear()
        self._runs.clear()
        self._fleets.clear()
        self.known.clear()

    def view(
        self,
        reader: Reader,
        target: Target,
        viewer: Viewer,
        now: int,
        after: int | None = None,
        wanted: Wanted = MappingProxyType({}),
    ) -> View:
        """A list as a client sees it at `now`; `after` leaves out what starts by then or before.

        `wanted` are attributes that files must have.

        RepairDue where time has changed the list and nobody has written it yet.
        """
        route = target.route
        if route.id == "ReadingList":
            return EMPTY if target.above is None else _readings(reader, target.above, after)
        source = self._source(reader, target)
        if source is None:
            return replace(EMPTY, tokens=frozenset({target.above.id} if target.above else ()))
        if route.id == COMBINED_INTERVALS:
            return _combined(reader, self._uris, source, now, after)
        return self._of_source(reader, route, source, viewer, now, after, wanted)

    def _of_source(
        self,
        reader: Reader,
        route: Route,
        source: Row,
        viewer: Viewer,
        now: int,
        after: int | None,
        wanted: Wanted,
    ) -> View:
        """A list that is stored, or is a view of a stored one."""
        if route.item is File:
            return self._files(reader, source, viewer, wanted)
        if source.kind == DEVICE_PROGRAMS:
            return _of_device(reader, source)
        if source.kind in MEMBER_LISTS or shows_assigned(route):
            return self._through_groups(reader, source, viewer, after)
        if shows_own(route) and viewer.aggregator_id is not None:
            return _managed(reader, source, viewer.aggregator_id, viewer.scope)
        scope = viewer.scope if shows_own(route) else EVERYBODY
        later = after if route.after else None
        span = _span(ordered(self._environment, source.kind), Span(list_id=source.id, scope=scope), later)
        until = _until(reader, source, now)
        if route.view_of:
            return _active(reader, span, until)
        return self._plain(reader, span, until, by_number=route.item is EndDevice and span.is_whole)

    def _files(self, reader: Reader, source: Row, viewer: Viewer, wanted: Wanted) -> View:
        """The files of a group, or of all groups of a client, that fit it; few, whatever the list holds."""
        rows = reader.members(source.id, limit=MOST_FILES)
        tokens = frozenset[Token]({source.id, (source.id, EVERYBODY)})
        if source.kind not in MEMBER_LISTS:
            numbers = assigned_to(reader, viewer, group_list_beside(source.kind))
            rows = sorted(filter(None, map(reader.by_id, numbers)), key=lambda row: (row.sort_key, row.id))
            tokens = frozenset({viewer.scope, EVERYBODY, *numbers})
        shelf = FileShelf(reader, self._environment.codec, self._uris, viewer)
        shown = shelf.shown(rows, wanted)
        return View(
            fetch=lambda skip, limit: shown[skip : skip + limit],
            total=lambda: len(shown),
            tokens=tokens | shelf.tokens,
            is_private=True,
        )

    def _through_groups(self, reader: Reader, source: Row, viewer: Viewer, after: int | None) -> View:
        """What a client sees because it is assigned."""
        if source.kind in MEMBER_LISTS:
            return _members(reader, source, after)
        if source.kind == BILLING_SETS:
            return _of_accounts(reader, source, viewer, after)
        if viewer.is_aggregator:
            numbers = self._fleets.of(reader, source, group_list_beside(source.kind), viewer)
            return _of_fleet(reader, numbers, tokens_of_fleet(source, viewer))
        return _assigned(reader, source, viewer)

    def _source(self, reader: Reader, target: Target) -> Row | None:
        """The stored list that a list is, or is a view of."""
        view_of = target.route.view_of
        if view_of is None:
            return target.row
        return reader.by_href(self._uris.beside(target.place, view_of))

    def _plain(self, reader: Reader, span: Span, until: int, *, by_number: bool) -> View:
        """A list that is stored; where items are not known `by_number`, all is read at one moment."""

        def fetch(skip: int, limit: int) -> list[bytes]:
            mark = self._mark(span, skip)
            rows = reader.page(span, skip=0 if mark else skip, limit=limit, after=mark)
            if rows:
                self._note(reader, span, skip + len(rows), (rows[-1].sort_key, rows[-1].id))
            return [row.body for row in rows]

        def numbers(skip: int, limit: int) -> list[int]:
            found: list[int] = []
            first = skip // RUN
            for at in range(first, (skip + limit - 1) // RUN + 1):
                found += self._run(reader, span, at)
                if len(found) < (at + 1 - first) * RUN:
                    break
            return found[skip - first * RUN :][:limit]

        return View(
            fetch=fetch,
            numbers=numbers if by_number else None,
            total=lambda: self.known.total(reader, span) if by_number else reader.count(span),
            tokens=_tokens(span),
            until=until,
            is_private=span.scope != EVERYBODY,
        )

    def _run(self, reader: Reader, span: Span, at: int) -> list[int]:
        """The row ids of the items of a whole list in one of its runs, fewer where it ends."""
        key = span.list_id, span.scope, at
        found = self._runs.get(key)
        if found is None:
            skip = at * RUN
            mark = self._mark(span, skip)
            places = reader.places(span, skip=0 if mark else skip, limit=RUN, after=mark)
            if len(places) == RUN:
                self._note(reader, span, skip + RUN, places[-1])
            found = [number for _, number in places]
            self._runs.put(key, found, {(span.list_id, span.scope)}, since=reader.since)
        return found

    def _mark(self, span: Span, skip: int) -> Place | None:
        """Where the page before the one that starts at `skip` has ended."""
        return self._bookmarks.get((span.list_id, span.scope, skip)) if span.is_whole else None

    def _note(self, reader: Reader, span: Span, skip: int, place: Place) -> None:
        if span.is_whole:
            tokens = {(span.list_id, span.scope)}
            self._bookmarks.put((span.list_id, span.scope, skip), place, tokens, since=reader.since)


def _active(reader: Reader, span: Span, until: int) -> View:
    return View(
        fetch=lambda skip, limit: [row.body for row in reader.active(span, skip=skip, limit=limit)],
        total=lambda: reader.count_active(span),
        tokens=_tokens(span),
        until=until,
    )


def _members(reader: Reader, source: Row, after: int | None) -> View:
    span = _span(route_named(source.kind), Span(list_id=source.id), after)
    return View(
        fetch=lambda skip, limit: [row.body for row in reader.members_of(span, skip=skip, limit=limit)],
        total=lambda: reader.count_members_of(span),
        tokens=frozenset({source.id, (source.id, EVERYBODY)}),
    )


def _assigned(reader: Reader, source: Row, viewer: Viewer) -> View:
    """The programs of a client in one list: few, whatever the list holds."""
    programs = viewer.assigned.get(group_list_beside(source.kind), frozenset())

    def fetch(skip: int, limit: int) -> list[bytes]:
        rows = [row for row in map(reader.by_id, programs) if row]
        rows.sort(key=lambda row: (row.sort_key, row.id))
        return [row.body for row in rows[skip : skip + limit]]

    return View(
        fetch=fetch,
        total=lambda: len(programs),
        tokens=frozenset({viewer.scope, EVERYBODY, *programs}),
        is_private=True,
    )


def _of_fleet(reader: Reader, numbers: Sequence[int], tokens: frozenset[Token]) -> View:
    """The programs of an aggregator in one list; their row ids are known, in order."""

    def fetch(skip: int, limit: int) -> list[bytes]:
        wanted = list(numbers[skip : skip + limit])
        bodies = dict(reader.bodies(wanted)) if wanted else {}
        return [bodies[number] for number in wanted if number in bodies]

    return View(fetch=fetch, total=lambda: len(numbers), tokens=tokens, is_private=True)


def _of_device(reader: Reader, source: Row) -> View:
    """The programs of the device that a DER belongs to, whoever asks. IEEE 2030.5-2018, 10.10."""
    device = source.owner_id or EVERYBODY
    rows = reader.programs_shown(device, GROUP_LIST)
    return View(
        fetch=lambda skip, limit: [row.body for row in rows[skip : skip + limit]],
        total=lambda: len(rows),
        tokens=frozenset({source.id, device, EVERYBODY, *(row.id for row in rows)}),
    )


def _of_accounts(reader: Reader, source: Row, viewer: Viewer, after: int | None) -> View:
    """The BillingReadingSets of the CustomerAccounts that a client is assigned: each account is a scope."""
    accounts = sorted(assigned_to(reader, viewer, group_list_of("CustomerAccount")))
    route = route_named(source.kind)
    spans = [_span(route, Span(list_id=source.id, scope=account), after) for account in accounts]
    return View(
        fetch=lambda skip, limit: _merged(reader, spans, skip, limit),
        total=lambda: sum(map(reader.count, spans)),
        tokens=frozenset({viewer.scope, EVERYBODY, *((source.id, account) for account in accounts)}),
        is_private=True,
    )


def _combined(reader: Reader, uris: Uris, components: Row, now: int, after: int | None) -> View:
    """The intervals of all RateComponents of a tariff. CSIP-AUS v1.3."""
    lists = list(interval_lists(reader, uris, components))
    route = route_named(COMBINED_INTERVALS)
    spans = [_span(route, Span(list_id=listed.id), after) for listed in lists]
    return View(
        fetch=lambda skip, limit: _merged(reader, spans, skip, limit),
        total=lambda: sum(map(reader.count, spans)),
        tokens=_tokens(Span(list_id=components.id)).union(*map(_tokens, spans)),
        until=min([_until(reader, listed, now) for listed in lists], default=ALWAYS),
    )


def _merged(reader: Reader, spans: list[Span], skip: int, limit: int) -> list[bytes]:
    """A page of several lists of one order that are shown as one."""
    if skip >= sum(map(reader.count, spans)):
        return []
    rows = [row for span in spans for row in reader.page(span, limit=skip + limit)]
    rows.sort(key=lambda row: (row.sort_key, row.id))
    return [row.body for row in rows[skip : skip + limit]]


def _managed(reader: Reader, source: Row, aggregator_id: int, end_device_id: int) -> View:
    """The items of a managed device that connects itself, out of those of its aggregator."""
    if source.kind in POINT_LISTS:
        rows = reader.points_of(end_device_id, source.id)
    elif source.kind == "EndDeviceList":
        rows = [row for row in [reader.by_id(end_device_id)] if row is not None]
    else:
        rows = reader.items_of_owner(source.id, aggregator_id, end_device_id)
    rows.sort(key=lambda row: (row.sort_key, row.id))
    return View(
        fetch=lambda skip, limit: [row.body for row in rows[skip : skip + limit]],
        total=lambda: len(rows),
        tokens=frozenset({source.id, (source.id, aggregator_id)}),
        is_private=True,
    )


def _readings(reader: Reader, reading_set: Row, after: int | None) -> View:
    def fetch(skip: int, limit: int) -> list[bytes]:
        found = reader.readings(reading_set.id, after=after, skip=skip, limit=limit)
        return [reading.body for reading in found]

    return View(
        fetch=fetch,
        total=lambda: reader.count_readings(reading_set.id, after=after),
        tokens=frozenset({reading_set.id}),
    )


def _tokens(span: Span) -> frozenset[Token]:
    return frozenset({span.list_id, (span.list_id, span.scope)})


def _span(route: Route, span: Span, after: int | None) -> Span:
    bounds = None if after is None else after_bounds(route, after)
    if bounds is None:
        return span
    low, high = bounds
    return replace(span, low=low or b"", high=high or HIGHEST)


@cache
def is_plain(kind: str) -> bool:
    """True for a kind of list that shows all its items to everybody who sees the list, at any time."""
    route = route_named(kind)
    apart = MEMBER_LISTS | {"ReadingList", BILLING_SETS, DEVICE_PROGRAMS}
    derived = route.view_of or route.item is File or kind in apart
    return not (derived or shows_assigned(route) or shows_own(route) or _is_timed(kind))


@cache
def _is_timed(kind: str) -> bool:
    item = route_named(kind).item
    return item is not None and (issubclass(item, Event) or item.__name__ in INTERVAL_KINDS)


def _until(reader: Reader, source: Row, now: int) -> int:
    if not _is_timed(source.kind):
        return ALWAYS
    next_at = reader.next_in_list(source.id)
    if next_at is None:
        return ALWAYS
    if next_at <= now:
        raise RepairDue(source.id)
    return next_at
