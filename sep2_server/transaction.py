"""What can be written, inside one transaction of the writer. Nothing is durable before its commit.

The writer appends what is `written` to the change feed when all jobs of the commit have been run.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from sep2_server import statements as q
from sep2_server import statements_readings as r
from sep2_server import statements_rights as rights
from sep2_server import tables
from sep2_server.bookkeeping import Bookkeeping
from sep2_server.connection import Connection
from sep2_server.errors import StoreError
from sep2_server.extra_routes import FILE_CONTENT, MEMBER_KINDS, MEMBER_LISTS, UPDATE_TIMES
from sep2_server.followers import FOLLOWING
from sep2_server.notifications.ledger import Ledger
from sep2_server.notifications.subscribable import marked
from sep2_server.rows import (
    ACCESS,
    DELETED,
    EVERYBODY,
    MEMBERS,
    Assignment,
    Change,
    Client,
    Group,
    Report,
    Row,
    Span,
    StoredReading,
    full_mrid,
)
from sep2_server.unit import Trim, Unit

READING_SET: Final = "ReadingSet"
READING_LIST: Final = "ReadingList"
READING: Final = "Reading"
UNTOLD: Final = frozenset({UPDATE_TIMES})
"""What operators alone read, from the store: nothing is kept of it and nobody can subscribe to it."""
_FEW: Final = 100
"""Members of a group that are told one by one that their rights have changed."""


class Transaction(Bookkeeping):
    """Questions and writes that become durable together, or not at all; `written` tells what."""

    def __init__(self, connection: Connection) -> None:
        self.unit = connection if isinstance(connection, Unit) else Unit(connection)
        super().__init__(self.unit)
        self.written: list[Change] = []
        self.rights: int | None = None
        """Place in the change feed of the last change of rights; None where it is not known."""

    def by_href(self, href: str) -> Row | None:
        """The resource at a URI."""
        return self.unit.row_at(href)

    def by_mrid(
        self, mrid: str, *, kind: str | None = None, owner_id: int | None = None, list_id: int | None = None
    ) -> Row | None:
        """A resource with an mRID: of one kind, of one owner, in one list, or any."""
        if owner_id is None:
            return super().by_mrid(mrid, kind=kind, list_id=list_id)
        for row in self.unit.rows_named(mrid, owner_id):
            if kind in {None, row.kind} and list_id in {None, row.list_id}:
                return row
        return None

    def all_by_mrid(self, mrid: str) -> list[Row]:
        """All resources with an mRID."""
        return self.unit.rows_with(mrid)

    def expect(self, mrids: Iterable[str], hrefs: Iterable[str] = ()) -> None:
        """Read together what will be asked for by mRID or URI."""
        self.unit.fetch_anywhere(mrids)
        self.unit.fetch(hrefs)

    def count(self, span: Span) -> int:
        """How many items a part of a list has; kept, not counted, for a whole scope."""
        return self.unit.count(span.list_id, span.scope) if span.is_whole else super().count(span)

    @property
    def ledger(self) -> Ledger:
        """Questions and writes about subscriptions and notifications."""
        return Ledger(self._db)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What raises inside leaves nothing of what was written inside."""
        written = len(self.written)
        self._db.control("SAVEPOINT attempt")
        try:
            yield
            self.unit.flush()
        except BaseException:
            self.unit.undo("attempt")
            del self.written[written:]
            raise
        self._db.control("RELEASE SAVEPOINT attempt")

    def next_id(self, count: int = 1) -> int:
        """The first of `count` row ids that nothing else has or will get."""
        last = self.unit.next_id(count)
        if last is None:
            raise StoreError("the database has lost its sequence of ids")
        return last - count + 1

    def insert(self, row: Row) -> Row:
        """Store a new resource under an id from `next_id`; a list is stored with an empty body."""
        stored = _stored(row)
        self.unit.insert(stored)
        if stored.kind in FOLLOWING:
            self.follow(stored.id, None, stored)
        self._move(stored.list_id, stored.scope, 1)
        self.tell(stored, stored.version)
        return stored

    def insert_many(self, rows: Sequence[Row]) -> None:
        """Store many new resources in few statements, under ids from `next_id`; for enrolment in bulk."""
        for row in rows:
            self.insert(row)

    def replace(self, old: Row, new: Row) -> Row:
        """Store `new` in the place of `old` with the version after it; id, href and kind stay."""
        return self._put(old, new, marked(old.kind, new.body))

    def renew(self, old: Row, new: Row) -> Row:
        """As `replace`, where `new` says anything else than `old`; if not, nothing is written or told."""
        body = marked(old.kind, new.body)
        is_same = body == old.body and new[:-1] == old[:-1]
        return old if is_same else self._put(old, new, body)

    def _put(self, old: Row, new: Row, body: bytes) -> Row:
        row = new._replace(version=old.version + 1, body=body)
        self.unit.update(old, row)
        if row.kind in FOLLOWING:
            self.follow(row.id, old, row)
        if (old.list_id, old.scope) != (row.list_id, row.scope):
            self._move(old.list_id, old.scope, -1)
            self._move(row.list_id, row.scope, 1)
            self.tell(old, row.version)
        self.tell(row, row.version)
        if row.kind in MEMBER_KINDS:
            if row.sort_key != old.sort_key:
                self._db.run(q.MOVE_MEMBER, of_resource=row.id, new_key=row.sort_key)
            for list_id in self.lists_of_member(row.id):
                self.tell(row._replace(list_id=list_id, scope=EVERYBODY), row.version)
        return row

    def delete(self, row: Row) -> None:
        """Remove one resource; what is below it is the caller's to remove.

        The reports of an event go with the last one of its mRID.
        """
        self._db.run(q.DELETE_RESOURCE, id=row.id)
        self._db.run(q.DELETE_TALLIES, list_id=row.id)
        if row.kind in MEMBER_LISTS:
            self._db.run(q.DELETE_MEMBERS, list_id=row.id)
        self.unit.removed(row)
        if row.kind in FOLLOWING:
            self.follow(row.id, row, None)
        if row.kind == FILE_CONTENT:
            self.let_go(row.body.split()[0].decode())
        self._move(row.list_id, row.scope, -1)
        for list_id in self.lists_of_member(row.id):
            self.remove_member(list_id, row)
        if row.starts is not None and row.mrid and not self.all_by_mrid(row.mrid):
            self._db.run(q.DELETE_REPORTS, subject=row.mrid)
        self.tell(row, DELETED)

    def delete_items(self, rows: Sequence[Row]) -> None:
        """Remove items that nothing hangs below but readings: sets of readings, log events, Responses."""
        if not rows:
            return
        self._db.run_many(q.DELETE_READINGS, [{"reading_set_id": row.id} for row in rows])
        self._db.run_many(q.DELETE_RESOURCE, [{"id": row.id} for row in rows])
        for row in rows:
            self.unit.removed(row)
            self._move(row.list_id, row.scope, -1)
            self.tell(row, DELETED)

    def keep_at_most(self, list_id: int, scope: int, most: int, trim: Trim) -> None:
        """Have `trim` remove items at the end of the commit where a list has more than `most` then."""
        self.unit.keep_at_most(list_id, scope, most, trim)

    def add_member(self, list_id: int, row: Row) -> bool:
        """Show a resource in a list beside the one that it is stored in; False where it was there."""
        if self.is_member(list_id, row):
            return False
        self._db.run(q.INSERT_MEMBER, list_id=list_id, sort_key=row.sort_key, resource_id=row.id)
        self._show(list_id, 1)
        self.tell(row._replace(list_id=list_id, scope=EVERYBODY), row.version)
        return True

    def remove_member(self, list_id: int, row: Row) -> bool:
        """No longer show a resource in a list; False where it was not there."""
        if not self._db.run(q.DELETE_MEMBER, list_id=list_id, resource_id=row.id).rowcount:
            return False
        self._show(list_id, -1)
        self.tell(row._replace(list_id=list_id, scope=EVERYBODY), row.version)
        return True

    def put_client(self, client: Client) -> None:
        """Store a client in the place of the one with the same EndDevice."""
        self.tell_access(client.end_device_id)
        self._count_groups(client.end_device_id, -1)
        self._db.run(q.DELETE_CLIENT, end_device_id=client.end_device_id)
        self._db.run(q.INSERT_CLIENT, **client._asdict())
        self._count_groups(client.end_device_id, 1)
        self.tell_access(client.end_device_id)

    def delete_client(self, end_device_id: int) -> None:
        """Forget a client; its EndDevice is the caller's to remove."""
        self.tell_access(end_device_id)
        self._count_groups(end_device_id, -1)
        self._db.run(q.DELETE_CLIENT, end_device_id=end_device_id)

    def put_group(self, group: Group) -> None:
        """Store a group in the place of the one with the same id."""
        self._db.run(q.DELETE_GROUP, id=group.id)
        self._db.run(q.INSERT_GROUP, **group._asdict())

    def delete_group(self, group_id: int) -> None:
        """Forget a group; its assignments are the caller's to remove."""
        self.tell_access(EVERYBODY)
        self._db.run(q.DELETE_GROUP, id=group_id)

    def put_group_list(self, group_id: int, kind: str, list_id: int) -> None:
        """Let a group have programs of a kind in a list; the list itself is the caller's to store."""
        self._db.run(q.INSERT_GROUP_LIST, group_id=group_id, kind=kind, list_id=list_id)
        self._tell_group(group_id)

    def delete_group_list(self, group_id: int, list_id: int) -> None:
        """Forget that a list holds programs of a group; the list itself is the caller's to remove."""
        self._tell_group(group_id)
        self._db.run(q.DELETE_GROUP_LIST, list_id=list_id)

    def put_assignment(self, assignment: Assignment) -> None:
        """Assign the programs of a group to a device."""
        self._db.run(q.INSERT_ASSIGNMENT, **assignment._asdict())
        self._move(assignment.group_id, MEMBERS, 1)
        self._count_group(assignment.end_device_id, assignment.group_id, 1)
        self.tell_access(assignment.end_device_id)

    def delete_assignment(self, assignment: Assignment) -> None:
        """Take the programs of a group from a device."""
        self._count_group(assignment.end_device_id, assignment.group_id, -1)
        gone = self._db.run(
            q.DELETE_ASSIGNMENT, group_id=assignment.group_id, end_device_id=assignment.end_device_id
        )
        self._move(assignment.group_id, MEMBERS, -gone.rowcount)
        self.tell_access(assignment.end_device_id)

    def put_readings(self, readings: list[StoredReading], reading_set: Row) -> None:
        """Store all values of a ReadingSet in the place of those that it had.

        Those of a set that is told as new in the same commit are not told beside it: nobody has seen them.
        """
        if reading_set.version == 1 and self.unit.add_readings(readings, reading_set):
            return
        known = self.readings(reading_set.id, limit=len(readings) + 1)
        if [reading[:-1] for reading in known] == sorted(reading[:-1] for reading in readings):
            return
        if known:
            self._db.run(q.DELETE_READINGS, reading_set_id=reading_set.id)
        self._db.insert_many(tables.reading, StoredReading._fields, readings)
        self._tell_readings(reading_set)

    def put_reading(self, reading: StoredReading, meter_reading: Row) -> None:
        """Store a value that belongs to no set, in the place of one with the same time and duration."""
        place = {"sort_key": reading.sort_key, "position": reading.position}
        known = self._db.one(StoredReading._make, r.READING_AT, reading_set_id=meter_reading.id, **place)
        if known is not None and known[:-1] == reading[:-1]:
            return
        if known is not None:
            self._db.run(r.REMOVE_AT, reading_set_id=meter_reading.id, **place)
        self._db.run(q.INSERT_READING, **reading._asdict())
        self._tell_readings(meter_reading)

    def forget_readings(
        self, day: int, sets: int, is_kept: Callable[[int], bool] = lambda reading_set_id: False
    ) -> int:
        """Forget values from before a day, of some sets at most, and sets that are empty then; how many.

        `is_kept` says of a set by its id that it is kept for ever; it is not asked of that set again.
        """
        found = {int(row[0]) for row in self._db.run(r.OLD_SETS, day=day, limit=sets).fetchall()}
        for reading_set_id in found:
            if is_kept(reading_set_id):
                self._db.run(r.KEEP, of_set=reading_set_id)
                continue
            self._db.run(r.DELETE_OLD, day=day, reading_set_id=reading_set_id)
            row = self.by_id(reading_set_id)
            if row is not None and row.kind == READING_SET and not self.readings(row.id, limit=1):
                self.delete(row)
            elif row is not None:
                self._tell_readings(row)
        return len(found)

    def _tell_readings(self, above: Row) -> None:
        """Tell that the values below a ReadingSet, or of a MeterReading, have changed."""
        kind = READING_LIST if above.kind == READING_SET else READING
        change = Change(0, above.id, kind, None, EVERYBODY, above.owner_id, above.version)
        self.written.append(change)

    def delete_readings(self, reading_set_id: int) -> None:
        """Forget the values of a ReadingSet."""
        self._db.run(q.DELETE_READINGS, reading_set_id=reading_set_id)

    def put_report(self, report: Report) -> None:
        """Store the numbers of a Response; a device that repeats a status has said it once, and lately."""
        self.unit.put_report(report)

    def put_disabled(self, end_device_id: int, *, is_disabled: bool) -> None:
        """Say whether an EndDevice is not registered any more."""
        self._db.run(rights.DELETE_DISABLED, end_device_id=end_device_id)
        if is_disabled:
            self._db.run(rights.INSERT_DISABLED, end_device_id=end_device_id)
        self.tell_access(end_device_id)

    def delete_reports_of(self, end_device_id: int) -> None:
        """Forget what a device has said of events."""
        self._db.run(rights.DELETE_REPORTS_OF_DEVICE, end_device_id=end_device_id)

    def tell_access(self, end_device_id: int) -> None:
        """Tell that what a client may see has changed; EVERYBODY stands for all clients.

        The aggregator that speaks for the client is told too.
        """
        self.rights = None
        client = self.client_of(end_device_id)
        touched = {end_device_id, client.aggregator_id if client else None}
        for who in touched - {None}:
            self.written.append(Change(0, who or EVERYBODY, ACCESS, None, EVERYBODY, None, DELETED))

    def _count_groups(self, end_device_id: int, by: int) -> None:
        """Count a client in, or out, of all groups that its EndDevice is in."""
        for assignment in self.assignments_of_device(end_device_id):
            self._count_group(end_device_id, assignment.group_id, by)

    def _count_group(self, end_device_id: int, group_id: int, by: int) -> None:
        """Count a member of a group for the client that it is, and for the aggregator that speaks for it."""
        client = self.client_of(end_device_id)
        for viewer in {end_device_id, client.aggregator_id if client else None} - {None}:
            if not self._db.run(q.MOVE_VIEWER, of_viewer=viewer, of_group=group_id, by=by).rowcount:
                self._db.run(q.INSERT_VIEWER, viewer_id=viewer, group_id=group_id, devices=by)
            if by < 0:
                self._db.run(q.DELETE_VIEWER, of_viewer=viewer, of_group=group_id)

    def _show(self, list_id: int, by: int) -> None:
        """Count an item that a list shows; where it is that of a group, its members' rights have changed."""
        self._move(list_id, EVERYBODY, by)
        group = self.group_of_list(list_id)
        if group is not None:
            self._tell_group(group.id)

    def _tell_group(self, group_id: int) -> None:
        """Tell that what the members of a group may see has changed: each, or all clients where many are."""
        members = self.assignments_of_group(group_id, limit=_FEW + 1)
        for end_device_id in [EVERYBODY] if len(members) > _FEW else [m.end_device_id for m in members]:
            self.tell_access(end_device_id)

    def _move(self, list_id: int | None, scope: int, by: int) -> None:
        if list_id is not None:
            self.unit.move(list_id, scope, by)

    def tell(self, row: Row, version: int | None = None) -> None:
        """Tell of a resource in the change feed, at its own version unless said."""
        if row.kind in UNTOLD:
            return
        told = row.version if version is None else version
        self.written.append(Change(0, row.id, row.kind, row.list_id, row.scope, row.owner_id, told))


def _stored(row: Row) -> Row:
    """A new row as the table has it."""
    mrid = full_mrid(row.mrid) if row.mrid else row.mrid
    body = marked(row.kind, row.body)
    is_same = mrid == row.mrid and body == row.body
    return row if is_same else row._replace(mrid=mrid, body=body)
