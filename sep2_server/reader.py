"""What can be asked of the store. Every answer is a value; nothing here writes."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, cast

from sep2_server import statements as q
from sep2_server import statements_ahead as ahead
from sep2_server import statements_events as e
from sep2_server import statements_operators as o
from sep2_server.connection import Connection
from sep2_server.notifications.ledger import LedgerReader
from sep2_server.reader_groups import GroupReader
from sep2_server.rows import (
    Change,
    Lease,
    Linking,
    Place,
    Report,
    Row,
    Span,
    StoredReading,
    full_mrid,
    row_of,
)

FEW: Final = 16
"""URIs that are looked up by a statement of their own number."""


class _Moment(AbstractContextManager[None]):
    """As long as it is entered, a connection reads one moment."""

    __slots__ = ("_db",)

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def __enter__(self) -> None:
        self._db.hold_still()

    def __exit__(self, *_: object) -> None:
        self._db.let_go()


class Reader(GroupReader):
    """Questions to the store over one connection, for use by one thread at a time."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self.since: int | None = None
        """What `Recall.now` was before the reading began; None where nobody hears of changes meanwhile."""

    @property
    def ledger(self) -> LedgerReader:
        """Questions about subscriptions and notifications."""
        return LedgerReader(self._db)

    def snapshot(self) -> AbstractContextManager[None]:
        """All questions inside see the same moment of the store."""
        return _Moment(self._db)

    def by_href(self, href: str) -> Row | None:
        """The resource at a URI."""
        return self._db.one(row_of, q.BY_HREF, href=href)

    def by_id(self, resource_id: int) -> Row | None:
        """The resource with a row id."""
        return self._db.one(row_of, q.BY_ID, id=resource_id)

    def by_mrid(
        self, mrid: str, *, kind: str | None = None, owner_id: int | None = None, list_id: int | None = None
    ) -> Row | None:
        """A resource with an mRID: of one kind, of one owner, in one list, or any."""
        values = {"mrid": full_mrid(mrid)}
        if list_id is not None:
            return self._db.one(row_of, q.BY_MRID_IN_LIST, list_id=list_id, **values)
        if kind is None:
            return self._db.one(row_of, q.BY_MRID_ANY, **values)
        if owner_id is None:
            return self._db.one(row_of, q.BY_MRID, kind=kind, **values)
        found = self._db.all(row_of, q.rows_named(1), m0=values["mrid"], o0=owner_id)
        return next((row for row in found if row.kind == kind), None)

    def all_by_mrid(self, mrid: str) -> list[Row]:
        """All resources with an mRID."""
        return self._db.all(row_of, q.BY_MRID_ANY, mrid=full_mrid(mrid))

    def items_of_owner(self, list_id: int, scope: int, owner_id: int | None) -> list[Row]:
        """Items of a list that are reached through one EndDevice, the oldest first."""
        return self._db.all(row_of, q.ITEMS_OF_OWNER, list_id=list_id, scope=scope, owner_id=owner_id)

    def of_owner(self, owner_id: int) -> list[Row]:
        """Everything that is reached through one EndDevice or program."""
        return self._db.all(row_of, q.OF_OWNER, owner_id=owner_id)

    def points_of(self, owner_id: int, list_id: int) -> list[Row]:
        """The usage points, or mirrors, of one EndDevice in their list at the root, the oldest first."""
        found = self._db.all(row_of, q.POINTS_OF_OWNER, owner_id=owner_id)
        return [row for row in found if row.list_id == list_id]

    def scoped_of(self, owner_id: int) -> list[Row]:
        """What one EndDevice has in lists that show each client its own."""
        return self._db.all(row_of, q.SCOPED_OF_OWNER, owner_id=owner_id)

    def first_of_owner(self, owner_id: int, limit: int) -> list[Row]:
        """The oldest of it."""
        return self._db.all(row_of, q.OF_OWNER_FIRST, owner_id=owner_id, limit=limit)

    def owned(self, owner_id: int, kind: str) -> list[Row]:
        """What is reached through one EndDevice or program and is of one kind, the oldest first."""
        return self._db.all(row_of, q.OF_OWNER_OF_KIND, owner_id=owner_id, kind=kind)

    def left(self, owner_id: int, kind: str, *, skip: int = 0, limit: int = 100) -> list[Row]:
        """Events of one owner and kind that have left their list, those that came last first."""
        return self._db.all(row_of, e.LEFT, owner_id=owner_id, kind=kind, skip=skip, limit=limit)

    def of_kind(self, kind: str, *, after_id: int = 0, limit: int = 100) -> list[Row]:
        """Resources of one kind by row id, from the one behind `after_id` on."""
        return self._db.all(row_of, q.OF_KIND, kind=kind, after_id=after_id, limit=limit)

    def followers(self, href: str, *, after_id: int = 0, limit: int = 100) -> list[Row]:
        """What hangs on a resource, as `sep2_server.followers` has it: by row id, behind `after_id`."""
        return self._db.all(row_of, o.FOLLOWERS, href=href, after_id=after_id, limit=limit)

    def page(self, span: Span, *, skip: int = 0, limit: int = 1, after: Place | None = None) -> list[Row]:
        """Items of a list in its order.

        `after` is sort key and id of an item: the page starts behind it, and `skip` counts from there.
        """
        if not span.is_whole:
            return self._db.all(row_of, q.PAGE_BOUNDED, skip=skip, limit=limit, **_bounds(span))
        asked = {"skip": skip, "limit": limit, **_place(span), **_behind(after)}
        return self._db.all(row_of, q.PAGE if after is None else q.PAGE_AFTER, **asked)

    def places(self, span: Span, *, skip: int = 0, limit: int = 1, after: Place | None = None) -> list[Place]:
        """Where the items of a page of a whole list are; it costs a fraction of reading them."""
        asked = {"skip": skip, "limit": limit, **_place(span), **_behind(after)}
        statement = q.PLACES if after is None else q.PLACES_AFTER
        return cast("list[Place]", self._db.run(statement, **asked).fetchall())

    def bodies(self, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
        """Row ids and fragments of the resources with these row ids, in any order."""
        if len(numbers) == 1:  # as on a page of items that are known but one: an array costs more
            row = self.by_id(numbers[0])
            return [] if row is None else [(row.id, row.body)]
        array = json.dumps(numbers) if self._db.dialect == "sqlite" else numbers
        return self._db.all(_bodied, q.bodies(self._db.dialect), numbers=array)

    def count(self, span: Span) -> int:
        """How many items a part of a list has; kept, not counted, for a whole scope."""
        if span.is_whole:
            return self._db.number(q.TALLY, **_place(span)) or 0
        return self._db.number(q.COUNT_BOUNDED, **_bounds(span)) or 0

    def lists_at(self, hrefs: Sequence[str]) -> list[tuple[str, int, str, int]]:
        """URI, row id, kind and number of items in the scope of everybody of the lists at URIs."""
        if len(hrefs) <= FEW:  # as those of one item; an array costs more
            asked = {f"h{n}": href for n, href in enumerate(hrefs)}
            return self._db.all(_listed, q.few_lists_at(len(hrefs)), **asked) if hrefs else []
        array = json.dumps(hrefs) if self._db.dialect == "sqlite" else hrefs
        return self._db.all(_listed, q.lists_at(self._db.dialect), hrefs=array)

    def active(self, span: Span, *, skip: int = 0, limit: int = 1) -> list[Row]:
        """The active events of a list in its order."""
        return self._db.all(row_of, q.PAGE_ACTIVE, skip=skip, limit=limit, **_bounds(span))

    def count_active(self, span: Span) -> int:
        """How many events of a list are active."""
        return self._db.number(q.COUNT_ACTIVE, **_bounds(span)) or 0

    def items(self, list_id: int, *, skip: int = 0, limit: int = 100) -> list[Row]:
        """Items of a list whatever client sees them, in the list's order. For operators."""
        return self._db.all(row_of, q.ITEMS_OF_LIST, list_id=list_id, skip=skip, limit=limit)

    def items_with(self, list_id: int, octets: bytes, limit: int, *, is_there: bool = True) -> list[Row]:
        """Those of them whose fragments have some octets in them, or have not."""
        asked = {"list_id": list_id, "octets": octets, "skip": 0, "limit": limit}
        return self._db.all(row_of, q.items_with(self._db.dialect, is_there=is_there), **asked)

    def active_items(self, list_id: int, *, skip: int = 0, limit: int = 100) -> list[Row]:
        """Those of them that are active."""
        return self.active(Span(list_id=list_id), skip=skip, limit=limit)

    def overlapping(self, list_id: int, starts: int, ends: int) -> list[Row]:
        """Events of a list, not over yet, that may be in force between two times."""
        return self._db.all(row_of, e.OVERLAPPING, list_id=list_id, starts=starts, ends=ends)

    def last_open(self, list_id: int) -> Row | None:
        """The scheduled or active event of a list that starts last."""
        return self._db.one(row_of, e.LAST_OPEN, list_id=list_id)

    def count_open(self, list_id: int) -> int:
        """How many events of a list are scheduled or active."""
        return self._db.number(e.COUNT_OPEN, list_id=list_id) or 0

    def with_siblings(self, ids: Sequence[int]) -> set[int]:
        """Which of some events overlap with another event of their list that is not over."""
        if not ids:
            return set()
        size = next(size for size in (1, 10, 100, len(ids)) if size >= len(ids))
        asked = {f"i{n}": ids[min(n, len(ids) - 1)] for n in range(size)}
        return set(self._db.all(_first, e.with_siblings(size), **asked))

    def next_in_list(self, list_id: int) -> int | None:
        """When time alone next changes an item of a list."""
        return self._db.number(e.NEXT_IN_LIST, list_id=list_id)

    def due(self, now: int, limit: int = 1000) -> list[Row]:
        """Rows that time has changed and nobody has written yet, the oldest first."""
        return self._db.all(row_of, e.DUE, now=now, limit=limit)

    def ahead(self, now: int, limit: int) -> list[Row]:
        """Rows that are active and begin later: the clock went back since. All active ones are looked at."""
        return self._db.all(row_of, ahead.AHEAD, now=now, limit=limit)

    def not_over(self) -> list[int]:
        """Row ids of all events that are not over."""
        return self._db.all(_first, ahead.NOT_OVER)

    def over_ahead(self, now: int, until: int, after: int, limit: int) -> list[Row]:
        """Events that are over and end later: the clock went back since. By row id, those behind `after`.

        `until`: when an event that ends at `now` would next be looked at.
        """
        return self._db.all(row_of, ahead.OVER_AHEAD, now=now, until=until, after=after, limit=limit)

    def spans_ahead(self, now: int, limit: int) -> list[Row]:
        """What is listed for good and over, and ends later: the clock went back since."""
        return self._db.all(row_of, ahead.SPANS_AHEAD, now=now, limit=limit)

    def due_in_list(self, list_id: int, now: int, limit: int = 1000) -> list[Row]:
        """Items of a list that time has changed and nobody has written yet, the oldest first."""
        return self._db.all(row_of, e.DUE_IN_LIST, list_id=list_id, now=now, limit=limit)

    def next_due(self) -> int | None:
        """When time alone next changes any row."""
        return self._db.number(e.NEXT_DUE)

    def members(self, list_id: int, *, skip: int = 0, limit: int = 100) -> list[Row]:
        """Items of a list that are stored in another one (the programs of a group), in order."""
        return self.members_of(Span(list_id=list_id), skip=skip, limit=limit)

    def members_of(self, span: Span, *, skip: int = 0, limit: int = 100) -> list[Row]:
        """Items of a part of such a list, in order."""
        return self._db.all(row_of, q.MEMBERS, skip=skip, limit=limit, **_part(span))

    def count_members_of(self, span: Span) -> int:
        """How many items a part of such a list has."""
        return self.count(span) if span.is_whole else self._db.number(q.COUNT_IN_PART, **_part(span)) or 0

    def is_member(self, list_id: int, row: Row) -> bool:
        """Whether a list shows a resource that is stored in another one."""
        place = {"list_id": list_id, "sort_key": row.sort_key, "resource_id": row.id}
        return self._db.number(q.IS_MEMBER, **place) is not None

    def lists_of_member(self, resource_id: int) -> list[int]:
        """The lists that show a resource beside the one that it is stored in."""
        return self._db.all(_first, q.LISTS_OF_MEMBER, resource_id=resource_id)

    def managed(self, aggregator_id: int) -> list[int]:
        """EndDevices that an aggregator speaks for, without its own."""
        return self._db.all(_first, q.MANAGED, aggregator_id=aggregator_id)

    def next_linking(self) -> Linking | None:
        """A group whose members have yet to be given its links, and how far that has come."""
        return self._db.one(Linking._make, o.NEXT_LINKING)

    def next_removal(self) -> int | None:
        """What is gone, and of which something has yet to be removed, by its row id."""
        return self._db.number(o.NEXT_REMOVAL)

    def is_gone(self, resource_id: int) -> bool:
        """Whether something is gone of which what was below may still be there."""
        return self._db.number(o.REMOVAL, id=resource_id) is not None

    def lists_of_viewer(self, end_device_id: int) -> frozenset[int]:
        """The group lists that a client, or a device it speaks for, is assigned."""
        return frozenset(self._db.all(_first, q.LISTS_OF_VIEWER, end_device_id=end_device_id))

    def programs_of_viewer(self, end_device_id: int) -> dict[str, frozenset[int]]:
        """The programs that a client, or a device it speaks for, is assigned, by the lists of groups."""
        found: dict[str, set[int]] = {}
        for kind, program in self._db.all(_named, q.PROGRAMS_OF_VIEWER, end_device_id=end_device_id):
            found.setdefault(kind, set()).add(program)
        return {kind: frozenset(programs) for kind, programs in found.items()}

    def programs_of_device(self, end_device_id: int) -> frozenset[int]:
        """The programs that one device is assigned, whoever speaks for it."""
        return frozenset(self._db.all(_first, q.PROGRAMS_OF_DEVICE, end_device_id=end_device_id))

    def programs_shown(self, end_device_id: int, kind: str) -> list[Row]:
        """The programs in the group lists of a kind that one device is assigned, in their order."""
        return self._db.all(row_of, q.PROGRAMS_SHOWN, end_device_id=end_device_id, kind=kind)

    def readings(
        self, reading_set_id: int, *, after: int | None = None, skip: int = 0, limit: int = 100
    ) -> list[StoredReading]:
        """Values of a ReadingSet in the order of a ReadingList, those behind `after` where one is given."""
        return self._db.all(
            StoredReading._make,
            q.READINGS,
            reading_set_id=reading_set_id,
            after=after,
            skip=skip,
            limit=limit,
        )

    def count_readings(self, reading_set_id: int, *, after: int | None = None) -> int:
        """How many values a ReadingSet has."""
        return self._db.number(q.READINGS_COUNT, reading_set_id=reading_set_id, after=after) or 0

    def reading(self, reading_set_id: int, position: int) -> StoredReading | None:
        """One value of a ReadingSet."""
        return self._db.one(StoredReading._make, q.READING, reading_set_id=reading_set_id, position=position)

    def latest_value(self, reading_set_id: int) -> int | None:
        """The value of the latest Reading of a ReadingSet that has one."""
        return self._db.number(q.LATEST_VALUE, reading_set_id=reading_set_id)

    def reports(self, subject: str, *, after_id: int = 0, limit: int = 1000) -> list[Report]:
        """Responses to the event with an mRID, in the order of their arrival."""
        return self._db.all(
            Report._make, q.REPORTS, subject=full_mrid(subject), after_id=after_id, limit=limit
        )

    def has_reported(self, end_device_id: int, subject: str) -> bool:
        """Whether a device has sent a Response to the event with an mRID."""
        values = {"end_device_id": end_device_id, "subject": full_mrid(subject)}
        return self._db.number(q.HAS_REPORTED, **values) is not None

    def changes(self, after: int, limit: int = 1000) -> list[Change]:
        """Writes behind a place of the change feed, in their order."""
        return self._db.all(Change._make, q.CHANGES, after=after, limit=limit)

    def last_change(self) -> int:
        """Place of the last write in the change feed."""
        return self._db.number(q.LAST_CHANGE) or 0

    def first_change(self) -> int:
        """Place of the oldest write in the change feed."""
        return self._db.number(q.FIRST_CHANGE) or 0

    def consumers(self) -> dict[str, int]:
        """By name of the consumers of the change feed, the last place that each has dealt with."""
        return dict(self._db.all(lambda found: (str(found[0]), int(found[1])), q.CONSUMERS))

    def is_lease_free(self, name: str, holder: str) -> bool:
        """Whether a lease is held by this holder, or by nobody any more."""
        found = self._db.one(Lease._make, q.LEASE, name=name)
        return found is None or found.is_free_for(holder, self._db.clock_ms())

    def option(self, name: str) -> str | None:
        """A value that was set at run time."""
        return self._db.one(lambda found: str(found[0]), q.OPTION, name=name)

    def options(self) -> dict[str, str]:
        """All values that were set at run time."""
        return dict(self._db.all(lambda found: (str(found[0]), str(found[1])), q.OPTIONS))


def _place(span: Span) -> dict[str, object]:
    return {"list_id": span.list_id, "scope": span.scope}


def _bounds(span: Span) -> dict[str, object]:
    return {"scope": span.scope, **_part(span)}


def _part(span: Span) -> dict[str, object]:
    return {"list_id": span.list_id, "low": span.low, "high": span.high}


def _named(found: tuple[Any, ...]) -> tuple[str, int]:
    return str(found[0]), int(found[1])


def _behind(place: Place | None) -> dict[str, object]:
    return {} if place is None else {"after_key": place[0], "after_id": place[1]}


def _bodied(found: tuple[Any, ...]) -> tuple[int, bytes]:
    number, body = found
    return number, body


def _listed(found: tuple[Any, ...]) -> tuple[str, int, str, int]:
    href, list_id, kind, amount = found
    return href, list_id, kind, amount or 0


def _first(found: tuple[Any, ...]) -> int:
    return int(found[0])
