"""One transaction as a unit of work: what its jobs have read of resources, and what they will write.

A statement is a trip to another process on PostgreSQL, and a good part of the cost of a job on SQLite. So
resources, their counts and readings are written together at the end of a commit, those that jobs are known to
need are read together before the first, and nothing is read twice. Every other statement first writes what is
waiting, so that it sees what the jobs have done.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Table
from sqlalchemy.sql.expression import ClauseElement

from sep2_server import statements as q
from sep2_server import tables
from sep2_server.batches import by_columns, padded
from sep2_server.connection import Connection, Result, Writes
from sep2_server.errors import StoreError
from sep2_server.one_by_one import one_by_one
from sep2_server.rows import Change, Report, Row, StoredReading, change_of, full_mrid, row_of
from sep2_server.waiting import needs_rows
from sep2_server.want import Want, together

Trim = Callable[[int], None]
"""Told how many items a list has; it removes what is too much."""
Place = tuple[int, int]
"""Row id of a list and a scope in it."""

_IDS_A_JOB: Final = 4
"""Row ids that are taken in advance for each job that follows in the same commit."""
_ID, _HREF = attrgetter("id"), attrgetter("href")


class Unit(Connection):
    """A connection on which writes of resources wait until they are needed, or until `flush`."""

    def __init__(self, connection: Connection, jobs: int = 1) -> None:
        self.below = connection
        self.jobs = jobs
        self.dialect = connection.dialect
        self._run = connection.run
        self.writes = 0
        """How many writes there have been, waiting ones among them."""
        self._forget()

    def _forget(self) -> None:
        """Forget what is waiting, and what was read: the transaction, or a part of it, was rolled back."""
        self._at: dict[str, Row | None] = {}
        self._named: dict[tuple[str, int | None], list[Row]] = {}
        self._inserts: dict[int, Row] = {}
        self._updates: dict[int, tuple[Row, Row]] = {}
        self._moves: defaultdict[Place, int] = defaultdict(int)
        self._readings: dict[int, Sequence[StoredReading]] = {}
        self._reports: dict[tuple[int, str, int | None], Report] = {}
        self._trims: dict[Place, tuple[int, Trim]] = {}
        self._too_long: dict[Place, tuple[int, Trim]] = {}
        self._ids = range(0)
        self._anywhere: dict[str, list[Row]] = {}
        self._changes: Sequence[Change] = ()
        self._places: list[int] = []
        self._is_waiting = False
        self.is_broken = False
        """Whether what waited could not be written: it is not there, whoever it came from."""

    def undo(self, savepoint: str) -> None:
        """Undo all since a savepoint, before which nothing was waiting, and let go of it."""
        self.is_broken = True
        self.below.control(f"ROLLBACK TO SAVEPOINT {savepoint}")
        self.below.control(f"RELEASE SAVEPOINT {savepoint}")
        self._forget()

    # What is read.

    def foresee(self, jobs: Iterable[object]) -> None:
        """Read together what the jobs know that they will ask for, in the rounds that they need.

        Such a job has `wants`, which takes the unit and gives one Want after the other; when it goes on, what
        it wanted before is in the unit.
        """
        asking: list[Iterator[Want]] = []
        for job in jobs:
            wants = getattr(job, "wants", None)
            if wants is not None:
                asking.append(wants(self))
        while asking:
            asked, asking, wanted = asking, [], list[Want]()
            for asker in asked:
                want = next(asker, None)
                if want is not None:
                    asking.append(asker)
                    wanted.append(want)
            if wanted:
                self.fetch_all(wanted)

    def fetch_all(self, wants: Sequence[Want]) -> None:
        """Read together what jobs want; one URI of one job alone is as well read once that is asked for."""
        want = together(wants)
        if not want.is_one_href and (want.hrefs or want.ids):
            self.fetch(want.hrefs, want.ids)
        if want.names:
            self.fetch_named(want.names)
        if want.mrids:
            self.fetch_anywhere(want.mrids)

    def fetch(self, hrefs: Iterable[str], ids: int = 0) -> None:
        """Read the resources at URIs together, those that are not known yet, and reserve so many row ids."""
        unknown = [href for href in dict.fromkeys(hrefs) if href not in self._at]
        for asked in padded(unknown):
            values: dict[str, object] = {f"h{n}": href for n, href in enumerate(asked)}
            if ids > len(self._ids) and self.dialect == "postgresql":
                found = self._rows_and_ids(len(asked), values, ids)
            else:
                found = self._all(q.rows_at(len(asked)), values)
            self._at.update(dict.fromkeys(asked))
            rows = map(self._updated, found) if self._updates else found
            self._at.update(zip(map(_HREF, found), rows, strict=True))
        self._reserve(ids)

    def fetch_named(self, names: Iterable[tuple[str, int | None]]) -> None:
        """Read the resources with mRIDs of owners together, those that are not known yet."""
        wanted = [(full_mrid(mrid), owner_id) for mrid, owner_id in names]
        unknown = [key for key in dict.fromkeys(wanted) if key not in self._named and key[1] is not None]
        for asked in padded(unknown):
            values: dict[str, object] = {f"m{n}": mrid for n, (mrid, _) in enumerate(asked)}
            values |= {f"o{n}": owner_id for n, (_, owner_id) in enumerate(asked)}
            found = self._all(q.rows_named(len(asked)), values)
            for key in asked:
                self._named[key] = []
            for row in (*found, *self._inserts.values(), *(new for _, new in self._updates.values())):
                now = self._updated(row)
                held = self._named.get((now.mrid or "", now.owner_id))
                if held is not None and now.id not in map(_ID, held):
                    held.append(now)

    def row_at(self, href: str) -> Row | None:
        """The resource at a URI."""
        if href not in self._at:
            found = self._run(q.BY_HREF, href=href).fetchone()
            self._at[href] = None if found is None else self._updated(row_of(found))
        return self._at[href]

    def rows_named(self, mrid: str, owner_id: int | None) -> list[Row]:
        """The resources of an owner with an mRID."""
        held = self._named.get((mrid, owner_id))
        if held is None:
            key = full_mrid(mrid), owner_id
            if key not in self._named:
                self.fetch_named([key])
            held = self._named.get(key, [])
        return held

    def fetch_anywhere(self, mrids: Iterable[str]) -> None:
        """Read the resources with mRIDs together, whoever owns them."""
        unknown = [mrid for mrid in dict.fromkeys(map(full_mrid, mrids)) if mrid not in self._anywhere]
        for asked in padded(unknown):
            found = self._all(q.rows_with(len(asked)), {f"m{n}": mrid for n, mrid in enumerate(asked)})
            self._anywhere.update((mrid, []) for mrid in asked)
            for row in found:
                self._anywhere[row.mrid or ""].append(row)

    def rows_with(self, mrid: str) -> list[Row]:
        """The resources with an mRID."""
        mrid = full_mrid(mrid)
        if mrid not in self._anywhere:
            if any(row.mrid == mrid for row in self._inserts.values()) or self._updates:
                self.flush()
            self.fetch_anywhere([mrid])
        return self._anywhere[mrid]

    def count(self, list_id: int, scope: int) -> int:
        """How many items a list has in a scope."""
        found = self._run(q.TALLY, list_id=list_id, scope=scope).fetchone()
        return (0 if found is None else int(found[0])) + self._moves.get((list_id, scope), 0)

    def next_id(self, count: int) -> int | None:
        """The last of so many new row ids, with those of later jobs; None where the sequence is lost."""
        if len(self._ids) < count and not self._take_ids(count + (max(count, _IDS_A_JOB) * (self.jobs - 1))):
            return None
        given, self._ids = self._ids[count - 1], self._ids[count:]
        return given

    def _reserve(self, count: int) -> None:
        """Take so many new row ids together, before they are asked for one by one."""
        if count > len(self._ids):
            self._take_ids(count)

    def _rows_and_ids(self, number: int, values: dict[str, object], count: int) -> list[Row]:
        """Rows at URIs, and so many new row ids, in one trip."""
        found = self._run(q.rows_at_and_ids(number), by=count, **values).fetchall()
        if not found:  # the sequence is lost
            return self._all(q.rows_at(number), values)
        self._given(found[0][0], count)
        return [row_of(row[1:]) for row in found if row[1] is not None]

    def _take_ids(self, count: int) -> bool:
        found = self._run(q.NEXT_IDS, by=count).fetchone()
        return self._given(None if found is None else found[0], count)

    def _given(self, last: int | None, count: int) -> bool:
        """Have so many row ids up to the last one; False where the sequence is lost."""
        if last is not None:
            self._ids = range(int(last) - count + 1, int(last) + 1)
        return last is not None

    def _all(self, statement: ClauseElement, values: dict[str, Any]) -> list[Row]:
        return list(map(row_of, self._run(statement, **values).fetchall()))

    def _updated(self, row: Row) -> Row:
        """A row of the database as the jobs have left it."""
        waiting = self._updates.get(row.id)
        return row if waiting is None else waiting[1]

    # What is written.

    def insert(self, row: Row) -> None:
        """Add a resource."""
        self._inserts[row.id] = row
        self._wait()
        self._know(row)

    def update(self, old: Row, row: Row) -> None:
        """Put a new value in the place of a resource; id, href and kind stay."""
        if row.id in self._inserts:
            self._inserts[row.id] = row
        else:
            self._updates[row.id] = (self._updates.get(row.id, (old,))[0], row)
        self._wait()
        self._unknow(old)
        self._know(row)

    def removed(self, row: Row) -> None:
        """A resource was removed by a statement."""
        self._unknow(row)
        self._at[row.href] = None

    def move(self, list_id: int, scope: int, by: int) -> None:
        """Count items in, or out, of a list."""
        self._moves[list_id, scope] += by
        self._wait()

    def add_readings(self, readings: Sequence[StoredReading], of: Row) -> bool:
        """Add the first values of a set that waits to be written itself; False where that is not so."""
        if of.id not in self._inserts or of.id in self._readings:
            return False
        self._readings[of.id] = readings
        self._wait()
        return True

    def put_report(self, report: Report) -> None:
        """Put the numbers of a Response in the place of those with its device, subject and status."""
        self._reports[report.end_device_id, report.subject, report.status] = report
        self._wait()

    def append_to_feed(self, changes: Sequence[Change]) -> list[Change]:
        """Append changes to the feed with what is waiting, in their order; the changes with their places."""
        self._changes = changes
        self._wait()
        self.flush()
        places, self._places = sorted(self._places), []
        return [change_of((seq, *change[1:])) for change, seq in zip(changes, places, strict=True)]

    def keep_at_most(self, list_id: int, scope: int, most: int, trim: Trim) -> None:
        """Have `trim` called at the end where a list that has been added to has more items than `most`."""
        self._trims[list_id, scope] = most, trim

    def finish(self) -> None:
        """Write all that is waiting, and shorten the lists that have become too long."""
        self.flush()
        while self._too_long:
            _, (amount, trim) = self._too_long.popitem()
            trim(amount)
            self.flush()

    def require_whole(self) -> None:
        """Raise StoreError where something that waited could not be written: no job may go on from there."""
        if self.is_broken:
            raise StoreError("the store cannot write: what waited to be written could not be")

    def flush(self) -> None:
        """Write all that is waiting; where that fails, the unit is broken until that is undone."""
        self.require_whole()
        if self._is_waiting:
            self.is_broken = True
            amounts = self._flush()
            self.is_broken = False
            for place, amount in amounts.items():
                most, trim = self._trims.pop(place, (amount, None))
                if trim is not None and amount > most:
                    self._too_long[place] = amount, trim

    def _wait(self) -> None:
        self.writes += 1
        self._is_waiting = True

    def _know(self, row: Row) -> None:
        self._at[row.href] = row
        if row.mrid:
            for held in (self._named.get((row.mrid, row.owner_id)), self._anywhere.get(row.mrid)):
                if held is not None:
                    held.append(row)

    def _unknow(self, row: Row) -> None:
        if row.mrid:
            for held in (self._named.get((row.mrid, row.owner_id)), self._anywhere.get(row.mrid)):
                if held is not None:
                    held[:] = [other for other in held if other.id != row.id]

    def _flush(self) -> dict[Place, int]:
        """Write what is waiting; how many items the lists now have whose number has changed."""
        self._is_waiting = False
        inserts, self._inserts = self._inserts, {}
        updates, self._updates = self._updates, {}
        moves, self._moves = self._moves, defaultdict(int)
        readings, self._readings = [*chain.from_iterable(self._readings.values())], {}
        reports, self._reports = self._reports, {}
        changes, self._changes = self._changes, ()
        put: list[tuple[Table, tuple[str, ...], Sequence[Sequence[object]]]] = [
            (tables.resource, Row._fields, list(inserts.values())),
            (tables.reading, StoredReading._fields, readings),
            (tables.report, Report._fields, list(reports.values())),
        ]
        said: list[dict[str, object]] = [
            {"end_device_id": device_id, "subject": subject, "status": status}
            for device_id, subject, status in reports
        ]
        inserted = [one for one in put if one[2]]
        writes = Writes(inserted, by_columns(updates.values()), said, list(moves.items()), changes)
        amounts, places = self.below.together(writes) or one_by_one(self.below, writes)
        self._places += places
        return {(int(list_id), int(scope)): int(amount) for list_id, scope, amount in amounts}

    # Every other statement sees what was written.

    def run(self, statement: ClauseElement, **parameters: object) -> Result:
        """Execute a statement with named parameters."""
        if self._is_waiting and needs_rows(statement):
            self.flush()
        if not getattr(statement, "is_select", False):
            self.writes += 1
        return self._run(statement, **parameters)

    def run_many(self, statement: ClauseElement, rows: Sequence[dict[str, object]]) -> None:
        """Execute a statement once for each of many sets of parameters."""
        self.flush()
        self.writes += 1
        self.below.run_many(statement, rows)

    def insert_many(self, table: Table, names: Sequence[str], rows: Sequence[Sequence[object]]) -> list[int]:
        """Insert rows of values."""
        self.flush()
        self.writes += 1
        return self.below.insert_many(table, names, rows)

    def control(self, command: str) -> None:
        """Execute a command without parameters or result."""
        self.flush()
        self.below.control(command)

    def begin(self, question: str = "") -> bool:
        """Begin to write; whether a SELECT then finds a row."""
        return self.below.begin(question)

    def finds(self, question: str) -> bool:
        """Whether a SELECT finds a row."""
        return self.below.finds(question)

    def commit(self, last_change: int | None = None) -> None:
        """Make what was written durable."""
        self.finish()
        self.below.commit(last_change)

    def roll_back(self) -> None:
        """Undo what has not been committed."""
        self._forget()
        self.below.roll_back()

    def hold_still(self) -> None:
        """A transaction sees one moment as it is."""

    def let_go(self) -> None:
        """It goes on to do so."""

    def clock_ms(self) -> int:
        """The time by which leases are kept."""
        return self.below.clock_ms()

    def has_table(self, name: str) -> bool:
        """Whether the database has a table."""
        return self.below.has_table(name)

    def ddl(self, operation: ClauseElement) -> str:
        """The text of a definition."""
        return self.below.ddl(operation)

    def close(self) -> None:
        """The connection below is not the unit's to close."""
