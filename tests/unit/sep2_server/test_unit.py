"""A unit of work: what waits is seen by every question, and written once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from sep2_server import Store
from sep2_server.commits import Commits
from sep2_server.errors import NotFound, StoreError
from sep2_server.feed import Feed
from sep2_server.rows import EVERYBODY, Report, Row, Span, StoredReading
from sep2_server.sqlite import SqliteConnection
from sep2_server.transaction import Transaction
from sep2_server.unit import Unit
from sep2_server.want import Want
from tests.promises import Promise

MRID = "0A" * 16
COUNT = text("SELECT count(*) FROM resource")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[SqliteConnection]:
    Store(tmp_path / "server.db").close()
    connection = SqliteConnection(tmp_path / "server.db")
    connection.begin()
    yield connection
    connection.roll_back()
    connection.close()


def row(number: int, **values: object) -> Row:
    base = Row(number, f"/x/{number}", "LogEvent", list_id=1, owner_id=9, mrid=MRID, body=b"<a/>")
    return Row._make(values.get(name, held) for name, held in zip(Row._fields, base, strict=True))


def test_what_waits_is_seen_by_every_question(db: SqliteConnection) -> None:
    tx = Transaction(db)
    tx.insert(row(5))
    assert tx.by_href("/x/5") == row(5)
    assert tx.by_mrid(MRID, kind="LogEvent", owner_id=9) == row(5)
    assert tx.all_by_mrid(MRID) == [row(5)]
    assert tx.count(Span(list_id=1)) == 1
    assert db.number(COUNT) == 1, "all_by_mrid had it written, since it may be any row"
    assert tx.by_id(5) == row(5)
    assert tx.page(Span(list_id=1)) == [row(5)]
    tx.replace(row(5), row(5, body=b"<b/>"))
    assert tx.of_kind("LogEvent") == [row(5, body=b"<b/>", version=2)]


def test_a_resource_that_was_changed_twice_is_written_once_as_it_is_last(db: SqliteConnection) -> None:
    tx = Transaction(db)
    tx.insert(row(5))
    tx.unit.finish()
    first = tx.replace(row(5), row(5, body=b"<b/>"))
    tx.replace(first, first._replace(body=b"<c/>", mrid=None))
    assert tx.by_mrid(MRID, owner_id=9) is None
    tx.unit.finish()
    assert Transaction(db).by_href("/x/5") == row(5, body=b"<c/>", mrid=None, version=3)


def test_a_resource_that_was_removed_is_not_there_any_more(db: SqliteConnection) -> None:
    tx = Transaction(db)
    tx.insert(row(5))
    assert tx.by_mrid(MRID, owner_id=9) is not None
    tx.delete(row(5))
    assert (tx.by_href("/x/5"), tx.by_mrid(MRID, owner_id=9), tx.all_by_mrid(MRID)) == (None, None, [])
    assert tx.count(Span(list_id=1)) == 0


def test_what_is_wanted_is_read_in_one_statement_of_each_kind(db: SqliteConnection) -> None:
    tx = Transaction(db)
    for number in range(1, 71):
        tx.insert(row(number, mrid=f"{number:032X}"))
    tx.unit.finish()
    unit = Counted(db)
    tx = Transaction(unit)
    unit.fetch([f"/x/{number}" for number in range(1, 80)])
    unit.fetch_named([(f"{number:X}", 9) for number in range(1, 80)])
    unit.fetch_anywhere([f"{number:X}" for number in range(1, 80)])
    assert unit.statements == 6
    for number in (1, 64, 70):
        mrid = f"{number:032X}"
        assert tx.by_href(f"/x/{number}") == tx.by_mrid(mrid, owner_id=9) == tx.all_by_mrid(mrid)[0]
    assert tx.by_href("/x/75") is None
    assert tx.by_mrid("4B", owner_id=9) is None
    assert unit.statements == 6


def test_row_ids_are_never_given_twice(db: SqliteConnection) -> None:
    tx = Transaction(Unit(db, jobs=4))
    given = [number for count in (1, 3, 30, 1, 2) for number in range(tx.next_id(count), 0, -1)[:count]]
    firsts = [tx.next_id(count) for count in (1, 3, 30, 1)]
    assert firsts == sorted(set(firsts))
    assert max(given) < min(firsts) + 1
    other = Transaction(Unit(db))
    assert other.next_id() > max(firsts)


def test_a_list_that_has_become_too_long_is_trimmed_at_the_end_once(db: SqliteConnection) -> None:
    tx = Transaction(db)
    called: list[int] = []

    def trim(amount: int) -> None:
        called.append(amount)
        tx.delete_items(tx.page(Span(list_id=1), skip=2, limit=amount))

    for number in range(1, 6):
        tx.insert(row(number, sort_key=bytes([number])))
        tx.keep_at_most(1, EVERYBODY, 3, trim)
    assert tx.count(Span(list_id=1)) == 5
    tx.unit.finish()
    assert called == [5]
    assert [item.id for item in tx.page(Span(list_id=1), limit=9)] == [1, 2]
    assert tx.count(Span(list_id=1)) == 2


def test_a_resource_that_was_changed_is_known_by_its_mrid_as_it_is_now_alone(db: SqliteConnection) -> None:
    tx = Transaction(db)
    tx.insert(row(5))
    tx.unit.finish()
    assert tx.by_mrid(MRID, owner_id=9) == tx.all_by_mrid(MRID)[0] == row(5)
    new = tx.replace(row(5), row(5, body=b"<b/>"))
    assert tx.by_mrid(MRID, owner_id=9) == new
    assert tx.all_by_mrid(MRID) == [new]


def test_items_that_wait_to_be_written_are_removed_too(db: SqliteConnection) -> None:
    tx = Transaction(db)
    tx.insert(row(5))
    tx.delete_items([row(5)])
    tx.unit.finish()
    assert (db.number(COUNT), tx.count(Span(list_id=1))) == (0, 0)


def test_reports_of_an_event_go_with_the_last_one_of_its_mrid(db: SqliteConnection) -> None:
    tx = Transaction(db)
    events = [tx.insert(row(number, starts=10, ends=20)) for number in (1, 2)]
    tx.put_report(Report(7, MRID, 9, 1, 100, 0))
    left = []
    for event in events:
        tx.delete(event)
        left.append(len(tx.reports(MRID, limit=9)))
    assert left == [1, 0]


def test_a_list_that_is_as_long_as_it_may_be_is_not_trimmed(db: SqliteConnection) -> None:
    tx = Transaction(db)
    called: list[int] = []
    for number in (1, 2):
        tx.insert(row(number))
        tx.keep_at_most(1, EVERYBODY, 2, called.append)
    tx.unit.finish()
    assert called == []


def test_a_trim_is_not_lost_where_a_question_comes_first(db: SqliteConnection) -> None:
    tx = Transaction(db)
    called: list[int] = []
    tx.insert(row(1))
    tx.keep_at_most(1, EVERYBODY, 0, called.append)
    assert tx.page(Span(list_id=1), limit=9) == [row(1)]
    tx.unit.finish()
    assert called == [1]


def test_readings_of_a_new_set_and_of_a_known_one(db: SqliteConnection) -> None:
    tx = Transaction(db)
    fresh = tx.insert(row(5, kind="ReadingSet"))
    values = [StoredReading(5, b"k", 0, 10, 60, 7, None, b"<r/>", 0)]
    tx.put_readings(values, fresh)
    tx.unit.finish()
    again = Transaction(db)
    assert again.readings(5, limit=9) == values
    again.put_readings([values[0]._replace(value=8)], fresh)
    assert [reading.value for reading in again.readings(5, limit=9)] == [8]


def test_a_status_that_is_said_again_is_said_once_and_lately(db: SqliteConnection) -> None:
    tx = Transaction(db)
    for number in (1, 2):
        tx.put_report(Report(number, MRID, 9, 1, 100 * number, 0))
    tx.unit.finish()
    tx.put_report(Report(3, MRID, 9, 1, 300, 0))
    assert [report.response_id for report in tx.reports(MRID, limit=9)] == [3]


class Job:
    """A job that can be repeated: inserts a row, and fails before or after that where it is told to."""

    is_repeatable = True

    def __init__(self, number: int, *, fails: str = "") -> None:
        self.number = number
        self.fails = fails
        self.runs = 0

    def wants(self, unit: Unit) -> Iterator[Want]:
        yield Want(hrefs=(f"/x/{self.number}",))
        assert unit.row_at(f"/x/{self.number}") is None

    def __call__(self, tx: Transaction) -> int:
        self.runs += 1
        if self.fails == "before":
            raise NotFound("before")
        tx.insert(row(self.number, href=f"/x/{self.number if self.fails != 'clash' else 1}"))
        if self.fails == "after":
            raise NotFound("after")
        return self.number


@pytest.mark.parametrize(("fails", "runs"), [("before", 1), ("after", 2), ("clash", 2)])
def test_a_job_that_fails_takes_nobody_with_it(tmp_path: Path, fails: str, runs: int) -> None:
    store = Store(tmp_path / "server.db")
    connection = SqliteConnection(tmp_path / "server.db")
    jobs = [Job(1), Job(2), Job(3, fails=fails), Job(4)]
    promises = [Promise() for _ in jobs]
    heard: list[int] = []
    feed = Feed()
    feed.listen(lambda changes: heard.extend(change.resource_id for change in changes))
    done = Commits(connection, feed, is_shared=False).commit(list(zip(jobs, promises, strict=True)))
    assert [result for _, result in done] == [1, 2, 4]
    assert [promise.flaw is None for promise in promises] == [True, True, False, True]
    assert jobs[0].runs == runs
    assert heard == [1, 2, 4]
    assert store.reader.count(Span(list_id=1)) == 3
    connection.close()
    store.close()


def test_a_job_that_has_failed_is_told_that_alone_where_the_commit_fails_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(tmp_path / "server.db").close()
    connection = SqliteConnection(tmp_path / "server.db")

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(connection, "commit", broken)
    promises = [Promise(), Promise()]
    jobs = [Job(1, fails="before"), Job(2)]
    assert Commits(connection, Feed(), is_shared=False).commit(list(zip(jobs, promises, strict=True))) == []
    assert isinstance(promises[0].flaw, NotFound)
    assert isinstance(promises[1].flaw, StoreError)
    assert db_is_as_before(connection)
    connection.close()


def db_is_as_before(connection: SqliteConnection) -> bool:
    """Whether nothing was stored, and nothing is begun."""
    return connection.number(COUNT) == 0 and connection.try_begin()


class Counted(Unit):
    """Counts statements."""

    def __init__(self, connection: SqliteConnection) -> None:
        super().__init__(connection)
        self.statements = 0
        run = self._run

        def counted(statement: object, **values: object) -> object:
            self.statements += 1
            return run(statement, **values)  # type: ignore[arg-type]

        self._run = counted  # type: ignore[assignment]


def test_nothing_of_a_job_that_fails_alone_is_even_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(tmp_path / "server.db").close()
    connection = SqliteConnection(tmp_path / "server.db")
    written: list[object] = []
    monkeypatch.setattr(connection, "insert_many", lambda *what: written.append(what))
    promise = Promise()
    done = Commits(connection, Feed(), is_shared=False).commit([(Job(3, fails="after"), promise)])
    assert (done, written) == ([], [])
    assert isinstance(promise.flaw, NotFound)
    connection.close()


@pytest.mark.parametrize(
    ("wants", "statements"),
    [
        ([], 0),
        ([Want(hrefs=["/x/1"])], 0),
        ([Want(hrefs=["/x/1"]), Want(hrefs=["/x/2"])], 1),
        ([Want(hrefs=["/x/1", "/x/2"])], 1),
        ([Want(hrefs=["/x/1"], names=[(MRID, 9)])], 2),
        ([Want(hrefs=["/x/1"], mrids=[MRID])], 2),
        ([Want(hrefs=["/x/1"], ids=1)], 2),
        ([Want(names=[(MRID, 9)]), Want(mrids=[MRID]), Want(ids=3)], 3),
        ([Want()], 0),
    ],
)
def test_one_uri_of_one_job_alone_is_read_when_it_is_asked_for(
    db: SqliteConnection, wants: list[Want], statements: int
) -> None:
    unit = Counted(db)
    unit.fetch_all(wants)
    assert unit.statements == statements
