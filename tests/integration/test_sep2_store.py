"""The store: rows, lists, counts, rights, the change feed, and what it does when it cannot."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from sep2_server import Store
from sep2_server.access import Viewers
from sep2_server.errors import StoreError
from sep2_server.rows import ACCESS, EVERYBODY, OPTION, Assignment, Change, Client, Group, Role, Row, Span
from sep2_server.sqlite import SqliteConnection
from sep2_server.transaction import Transaction
from tests.integration.sep2_harness import DATABASES


@pytest.fixture
def store(tmp_path: Path, each_database: str) -> Iterator[Store]:
    store = Store(DATABASES.of(tmp_path))
    yield store
    store.close()


def add(store: Store, *rows: Row) -> list[Row]:
    """Store rows under new ids."""

    def job(tx: Transaction) -> list[Row]:
        return [tx.insert(row._replace(id=tx.next_id())) for row in rows]

    return store.write(job)


def listed(store: Store, *keys: bytes, scope: int = 0) -> Row:
    """A list of items with these sort keys."""
    head = add(store, Row(0, "/list", "DERControlList"))[0]
    add(
        store,
        *(
            Row(0, f"/list/{n}", "DERControl", list_id=head.id, scope=scope, sort_key=key)
            for n, key in enumerate(keys)
        ),
    )
    return head


def client(lfdi: str, name: str, end_device_id: int, aggregator_id: int | None = None) -> Client:
    return Client(lfdi, 1, name, Role.DEVICE, end_device_id, aggregator_id, None, 0)


def do(store: Store, *jobs: Callable[[Transaction], object]) -> None:
    for job in jobs:
        store.write(job)


def keys_of(rows: list[Row]) -> list[bytes]:
    return [row.sort_key for row in rows]


def test_ids_are_given_once(store: Store) -> None:
    assert store.write(lambda tx: [tx.next_id(), tx.next_id(3), tx.next_id()]) == [1, 2, 5]


def test_a_list_is_read_in_the_order_of_its_keys(store: Store) -> None:
    head = listed(store, b"c", b"a", b"b", b"d")
    span = Span(list_id=head.id)
    reader = store.reader
    assert keys_of(reader.page(span, limit=9)) == [b"a", b"b", b"c", b"d"]
    assert keys_of(reader.page(span, skip=1, limit=2)) == [b"b", b"c"]
    first = reader.page(span, limit=1)[0]
    assert keys_of(reader.page(span, limit=2, after=(first.sort_key, first.id))) == [b"b", b"c"]
    part = Span(list_id=head.id, low=b"b", high=b"d")
    assert (keys_of(reader.page(part, limit=9)), reader.count(part)) == ([b"b", b"c"], 2)
    assert (reader.count(span), reader.count(Span(list_id=head.id, scope=5))) == (4, 0)
    assert keys_of(reader.items(head.id, skip=3)) == [b"d"]


def test_many_rows_are_stored_counted_and_told_as_single_ones_are(store: Store) -> None:
    head = listed(store, b"a")
    start = store.reader.last_change()

    def job(tx: Transaction) -> list[Row]:
        first = tx.next_id(150)
        rows = [
            Row(first + n, f"/many/{n}", "DERControl", list_id=head.id, sort_key=bytes([n]), mrid=f"{n:x}")
            for n in range(150)
        ]
        tx.insert_many(rows)
        return rows

    rows = store.write(job)
    assert store.reader.count(Span(list_id=head.id)) == 151
    assert store.reader.by_mrid("95", list_id=head.id) == rows[149]._replace(mrid=f"{149:032X}")
    assert [change.resource_id for change in store.reader.changes(start)] == [row.id for row in rows]


def test_a_row_that_moves_is_counted_where_it_is(store: Store) -> None:
    head = listed(store, b"a", b"b")
    row = store.reader.items(head.id)[0]
    store.write(lambda tx: tx.replace(row, row._replace(scope=3)))
    counts = [store.reader.count(Span(list_id=head.id, scope=scope)) for scope in (0, 3)]
    assert counts == [1, 1]
    moved = store.reader.by_id(row.id)
    assert moved is not None
    assert (moved.scope, moved.version) == (3, 2)
    store.write(lambda tx: tx.replace(moved, moved._replace(list_id=None)))
    assert store.reader.count(Span(list_id=head.id, scope=3)) == 0


def test_an_mrid_is_found_whatever_its_form(store: Store) -> None:
    head = listed(store)
    row = add(store, Row(0, "/x", "DERControl", list_id=head.id, owner_id=9, mrid="00ab"))[0]
    reader = store.reader
    assert reader.by_mrid("AB") == row
    assert reader.by_mrid("ab", kind="DERControl") == row
    assert reader.by_mrid("ab", kind="DERControl", owner_id=9) == row
    assert reader.by_mrid("ab", kind="DERControl", owner_id=8) is None
    assert reader.by_mrid("ab", list_id=head.id) == row
    assert reader.by_mrid("ab", kind="DERCurve") is None


def test_active_events_and_due_ones_are_found(store: Store) -> None:
    head = listed(store)
    add(
        store,
        Row(0, "/a", "DERControl", list_id=head.id, sort_key=b"a", status=1, starts=5, ends=9, next_at=9),
        Row(0, "/b", "DERControl", list_id=head.id, sort_key=b"b", status=0, starts=7, ends=8, next_at=7),
    )
    reader, span = store.reader, Span(list_id=head.id)
    assert ([r.href for r in reader.active(span, limit=9)], reader.count_active(span)) == (["/a"], 1)
    assert [r.href for r in reader.overlapping(head.id, 8, 20)] == ["/a"]
    assert (reader.next_in_list(head.id), reader.next_due()) == (7, 7)
    assert [r.href for r in reader.due(9)] == ["/b", "/a"]
    assert [r.href for r in reader.due_in_list(head.id, 7)] == ["/b"]


def test_a_resource_may_be_shown_in_further_lists(store: Store) -> None:
    row, other = add(store, Row(0, "/derp/1", "DERProgram", sort_key=b"b"), Row(0, "/derp/2", "DERProgram"))
    head = listed(store)
    do(store, lambda tx: tx.add_member(head.id, row), lambda tx: tx.add_member(head.id, other))
    assert [r.href for r in store.reader.members(head.id)] == ["/derp/2", "/derp/1"]
    assert store.reader.count(Span(list_id=head.id)) == 2
    program = store.write(lambda tx: tx.replace(row, row._replace(owner_id=row.id)))
    start = store.reader.last_change()
    store.write(lambda tx: tx.replace(program, program))
    assert [change.list_id for change in store.reader.changes(start)] == [None, head.id]
    assert store.write(lambda tx: tx.remove_member(head.id, other)) is True
    assert store.write(lambda tx: tx.remove_member(head.id, other)) is False
    store.write(lambda tx: tx.delete(row))
    assert (store.reader.members(head.id), store.reader.count(Span(list_id=head.id))) == ([], 0)


def test_clients_are_found_by_lfdi_name_and_end_device(store: Store) -> None:
    aggregator, managed = client("A" * 40, "agg", 1), client("B" * 40, "dev", 2, 1)
    do(store, lambda tx: tx.put_client(aggregator), lambda tx: tx.put_client(managed))
    reader = store.reader
    assert reader.client("A" * 40) == reader.client_named("agg") == reader.client_of(1) == aggregator
    assert reader.clients() == [aggregator, managed]
    assert reader.clients(after="agg", limit=1) == [managed]
    assert reader.managed(1) == [2]
    store.write(lambda tx: tx.put_client(managed._replace(name="new")))
    assert (reader.client_named("dev"), reader.client_named("new")) == (None, managed._replace(name="new"))
    store.write(lambda tx: tx.delete_client(2))
    assert reader.managed(1) == []


def test_programs_are_those_of_the_groups_of_a_client_and_its_devices(store: Store) -> None:
    head = listed(store)
    program = add(store, Row(0, "/derp/1", "DERProgram"))[0]
    group, kind = Group(70, "g"), "GroupDERProgramList"

    def job(tx: Transaction) -> None:
        tx.put_client(client("A" * 40, "agg", 1))
        tx.put_client(client("B" * 40, "dev", 2, 1))
        tx.put_group(group)
        tx.put_group_list(70, kind, head.id)
        tx.add_member(head.id, program)
        tx.put_assignment(Assignment(70, 2, 99))

    store.write(job)
    reader = store.reader
    assert [reader.programs_of_viewer(n) for n in (1, 2, 3)] == [{kind: {program.id}}] * 2 + [{}]
    assert reader.lists_of_viewer(1) == {head.id}
    assert (reader.group(70), reader.group_named("g"), reader.groups()) == (group, group, [group])
    assert reader.assignments_of_group(70) == reader.assignments_of_device(2) == [Assignment(70, 2, 99)]
    do(store, lambda tx: tx.delete_assignment(Assignment(70, 2, 99)), lambda tx: tx.delete_group(70))
    assert (reader.programs_of_viewer(2), reader.programs_of_viewer(1), reader.groups()) == ({}, {}, [])


def test_a_client_that_is_stored_anew_is_counted_once_and_its_aggregator_is_told(store: Store) -> None:
    def job(tx: Transaction) -> None:
        tx.put_client(client("A" * 40, "agg", 1))
        tx.put_client(client("B" * 40, "dev", 2, 1))
        tx.put_assignment(Assignment(70, 2, 99))
        tx.put_group_list(70, "GroupDERProgramList", 5)

    store.write(job)
    before = store.reader.last_change()
    store.write(lambda tx: tx.put_client(client("C" * 40, "dev", 2, 1)))
    told = {change.resource_id for change in store.reader.changes(before) if change.kind == ACCESS}
    assert told == {1, 2}
    assert [store.reader.lists_of_viewer(viewer) for viewer in (1, 2)] == [{5}, {5}]
    store.write(lambda tx: tx.delete_assignment(Assignment(70, 2, 99)))
    assert [store.reader.lists_of_viewer(viewer) for viewer in (1, 2)] == [set(), set()]


def test_a_resource_that_moves_in_its_own_list_moves_in_those_that_show_it_too(store: Store) -> None:
    head = listed(store)
    rows = add(
        store, *(Row(0, f"/derp/{n}", "DERProgram", sort_key=key) for n, key in enumerate((b"1", b"2")))
    )
    store.write(lambda tx: [tx.add_member(head.id, row) for row in rows])
    assert [row.href for row in store.reader.members(head.id)] == ["/derp/0", "/derp/1"]
    store.write(lambda tx: tx.replace(rows[0], rows[0]._replace(sort_key=b"3")))
    assert [row.href for row in store.reader.members(head.id)] == ["/derp/1", "/derp/0"]


def test_what_was_attempted_and_failed_is_neither_there_nor_told(store: Store) -> None:
    def job(tx: Transaction) -> None:
        tx.insert(Row(tx.next_id(), "/before", "Time"))
        with contextlib.suppress(LookupError), tx.attempt():
            tx.insert(Row(tx.next_id(), "/failed", "Time"))
            raise LookupError("no")
        assert tx.by_href("/failed") is None
        tx.insert(Row(tx.next_id(), "/after", "Time"))

    before = store.reader.last_change()
    store.write(job)
    rows = [store.reader.by_href(href) for href in ("/before", "/failed", "/after")]
    assert [change.resource_id for change in store.reader.changes(before)] == [row.id for row in rows if row]
    assert rows[1] is None


@pytest.mark.parametrize("members", [100, 101])
def test_of_a_large_group_all_clients_are_told_that_rights_have_changed(store: Store, members: int) -> None:
    def join(tx: Transaction) -> None:
        for number in range(1, members + 1):
            tx.put_assignment(Assignment(70, number, 1000 + number))

    store.write(join)
    head = listed(store)
    before = store.reader.last_change()
    store.write(lambda tx: tx.put_group_list(70, "GroupDERProgramList", head.id))
    told = {change.resource_id for change in store.reader.changes(before) if change.kind == ACCESS}
    assert told == (set(range(1, 101)) if members == 100 else {EVERYBODY})


def test_the_change_feed_tells_every_write_in_order(store: Store) -> None:
    heard: list[Change] = []
    store.listen(heard.extend)
    start = store.reader.last_change()
    row = add(store, Row(0, "/x", "Time"))[0]
    changed = store.write(lambda tx: tx.replace(row, row._replace(body=b"<a/>")))
    store.write(lambda tx: tx.delete(changed))
    feed = store.reader.changes(start)
    assert [(c.resource_id, c.kind, c.version) for c in feed] == [(row.id, "Time", n) for n in (1, 2, 0)]
    assert feed == heard
    store.write(lambda tx: tx.forget_changes(feed[1].seq))
    assert store.reader.first_change() == feed[2].seq


def test_options_are_told_too(store: Store) -> None:
    heard: list[Change] = []
    store.listen(heard.extend)
    store.write(lambda tx: tx.put_option("a", "1"))
    assert (store.reader.option("a"), store.reader.options()["a"]) == ("1", "1")
    store.write(lambda tx: tx.delete_option("a"))
    assert store.reader.option("a") is None
    assert {change.kind for change in heard} == {OPTION}


def test_rights_are_read_again_after_a_change(store: Store) -> None:
    viewers = Viewers(most=2)
    store.listen(viewers.forget)
    known = [client(c * 40, c, n) for n, c in enumerate("ABC", start=1)]
    do(store, *(partial(Transaction.put_client, client=one) for one in known))
    before = [viewers.of(store.reader, c * 40) for c in "ABC"]
    assert [viewer.scope for viewer in before] == [1, 2, 3]
    assert viewers.of(store.reader, "C" * 40) is before[2]
    assert viewers.of(store.reader, "A" * 40) is not before[0]
    store.write(lambda tx: tx.tell_access(3))
    assert viewers.of(store.reader, "C" * 40) is not before[2]
    assert viewers.of(store.reader, "X" * 40).scope == -1


def test_a_job_that_fails_leaves_nothing_and_the_others_their_own(store: Store) -> None:
    gate = threading.Event()

    def bad(tx: Transaction) -> None:
        tx.insert(Row(tx.next_id(), "/bad", "Time"))
        raise LookupError("no")

    store.submit(lambda _: gate.wait())
    good_before = store.submit(lambda tx: tx.insert(Row(tx.next_id(), "/1", "Time")))
    failed = store.submit(bad)
    good_after = store.submit(lambda tx: tx.insert(Row(tx.next_id(), "/2", "Time")))
    gate.set()
    with pytest.raises(LookupError):
        failed.result()
    assert {good_before.result().href, good_after.result().href} == {"/1", "/2"}
    assert [store.reader.by_href(href) is None for href in ("/1", "/bad", "/2")] == [False, True, False]


def test_a_snapshot_does_not_move(store: Store) -> None:
    with store.reader.snapshot():
        before = store.reader.by_href("/x")
        add(store, Row(0, "/x", "Time"))
        assert store.reader.by_href("/x") == before
    assert store.reader.by_href("/x") is not None


def test_another_thread_has_its_own_reader(store: Store) -> None:
    reader = store.new_reader()
    found: list[Row | None] = []
    add(store, Row(0, "/x", "Time"))
    thread = threading.Thread(target=lambda: found.append(reader.by_href("/x")))
    thread.start()
    thread.join()
    assert [row.href for row in found if row] == ["/x"]


def test_the_file_is_in_wal_mode_and_every_commit_is_on_the_disk(tmp_path: Path) -> None:
    connection = SqliteConnection(tmp_path / "store.db")
    settings = [connection._execute(f"PRAGMA {n}").fetchone() for n in ("journal_mode", "synchronous")]
    connection.close()
    assert settings == [("wal",), (2,)]


def test_a_closed_store_takes_no_more_and_finishes_what_it_has(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    gate = threading.Event()
    store.submit(lambda _: gate.wait())
    waiting = store.submit(lambda tx: tx.insert(Row(tx.next_id(), "/x", "Time")))
    gate.set()
    store.close()
    assert waiting.result().href == "/x"
    with pytest.raises(StoreError, match="closed"):
        store.submit(lambda tx: tx.next_id())


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"nonsense" * 1000)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path / "store.db")


def test_a_database_of_another_format_is_refused(tmp_path: Path) -> None:
    Store(tmp_path / "store.db").close()
    with sqlite3.connect(tmp_path / "store.db") as raw:
        raw.execute("UPDATE option SET value = '99' WHERE name = 'format'")
    raw.close()
    with pytest.raises(StoreError, match="format 99"):
        Store(tmp_path / "store.db")


@pytest.mark.parametrize("count", [1, 2, 8, 9, 20])
def test_changes_have_the_places_that_the_feed_has_for_them(store: Store, count: int) -> None:
    heard: list[Change] = []
    store.listen(heard.extend)
    rows = add(store, *(Row(0, f"/{count}/{n}", "Time", body=b"%d" % n) for n in range(count)))
    assert [change.resource_id for change in heard] == [row.id for row in rows]
    assert heard == store.reader.changes(0)
    assert [store.reader.by_href(row.href) for row in rows] == rows


def test_row_ids_come_with_what_is_read_and_are_given_once(store: Store) -> None:
    first, second = add(store, Row(0, "/first", "Time"), Row(0, "/second", "Time"))

    def job(tx: Transaction) -> list[int]:
        asked = [0]
        plain = tx.unit._run

        def counted(*arguments: object, **values: object) -> object:
            asked[0] += 1
            return plain(*arguments, **values)  # type: ignore[arg-type]

        tx.unit._run = counted  # type: ignore[assignment]
        tx.unit.fetch(["/first", "/gone", "/second"], 3)
        trips = asked[0]
        assert [tx.by_href(href) for href in ("/first", "/gone", "/second")] == [first, None, second]
        given = [tx.next_id() for _ in range(3)]
        assert asked[0] == trips == (1 if tx.unit.dialect == "postgresql" else 2)
        tx.unit.fetch(["/none", "/at", "/all"], 2)
        tx.unit.fetch(["/first"], 2)
        assert tx.by_href("/all") is None
        given += [tx.next_id(), tx.next_id()]
        tx.unit.fetch(["/second"], 1)
        return [*given, tx.next_id()]

    given = store.write(job) + [row.id for row in add(store, Row(0, "/later", "Time"))]
    assert given == list(range(second.id + 1, second.id + 8))


def test_what_is_there_is_read_where_the_sequence_is_lost(store: Store) -> None:
    row = add(store, Row(0, "/row", "Time"))[0]

    def job(tx: Transaction) -> Row | None:
        tx._db.control("DELETE FROM sequence")
        tx.unit.fetch(["/row"], 2)
        return tx.by_href("/row")

    assert store.write(job) == row


def test_a_database_without_its_sequence_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="sequence"):
        store.write(lambda tx: [tx._db.control("DELETE FROM sequence"), tx.next_id()])
