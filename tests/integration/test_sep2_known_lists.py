"""Another page of a list that was asked for before asks the database for nothing but what is not known."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from certs import parse_lfdi
from sep2_server import Environment, Store, settings_of
from sep2_server.bootstrap import prepare
from sep2_server.dispatch import Dispatcher
from sep2_server.end_devices import Enrolment, add_end_device
from sep2_server.feed import EVERYTHING
from sep2_server.kept import LARGE
from sep2_server.known_lists import KnownLists
from sep2_server.location import Target
from sep2_server.messages import Answer, Request
from sep2_server.reader import FEW
from sep2_server.rows import Change, Role, Row, Span
from sep2_server.shelf import Recall
from sep2_server.transaction import Transaction
from tests.integration.sep2_harness import DATABASES, START

ENVIRONMENT = Environment.of(settings_of({}))
AGGREGATOR = f"{1:040X}"


@pytest.fixture
def store(tmp_path: Path, each_database: str) -> Iterator[Store]:
    store = Store(DATABASES.of(tmp_path))
    store.write(lambda tx: prepare(tx, ENVIRONMENT))
    store.write(lambda tx: enrol(tx, 1))
    yield store
    store.close()


@pytest.fixture
def dispatcher(store: Store) -> Dispatcher:
    """One that hears of changes."""
    made = Dispatcher(ENVIRONMENT)
    store.feed.listen(made.changed)
    made.load(store.reader)
    return made


def enrol(tx: Transaction, number: int) -> Row:
    aggregator = tx.client(AGGREGATOR)
    enrolment = Enrolment(
        lfdi=parse_lfdi(f"{number:040X}"),
        name=f"known-{number}",
        aggregator_id=None if aggregator is None else aggregator.end_device_id,
        role=Role.AGGREGATOR if aggregator is None else Role.DEVICE,
    )
    return add_end_device(tx, ENVIRONMENT, enrolment, START)


def page(dispatcher: Dispatcher, store: Store, start: int, limit: int = 10) -> str:
    asked = Request(method="GET", path="/edev", lfdi=AGGREGATOR, now=START, query=f"s={start}&l={limit}")
    answer = dispatcher.answer(store.reader, asked)
    assert isinstance(answer, Answer)
    assert answer.status == 200
    return answer.body.decode()


@pytest.fixture
def asked(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Statements that the reader's connection executes."""
    statements: list[object] = []
    db: Any = store.reader._db
    plain = type(db).run

    def run(self: object, statement: object, **values: object) -> object:
        statements.append(statement)
        return plain(self, statement, **values)

    monkeypatch.setattr(type(db), "run", run)
    return statements


def test_a_page_of_items_that_are_all_known_asks_nothing(
    store: Store, dispatcher: Dispatcher, asked: list[object]
) -> None:
    for number in range(2, 7):
        store.write(lambda tx, number=number: enrol(tx, number))  # type: ignore[misc]
    whole = page(dispatcher, store, 0)
    asked.clear()
    part = page(dispatcher, store, 2, 2)
    assert asked == []
    assert 'all="6"' in part
    assert part.count("<EndDevice ") == 2
    items = whole.split("<EndDevice ")
    assert part.split("<EndDevice ")[1:] == [items[3], f"{items[4]}</EndDeviceList>"]


def test_another_item_is_counted_and_asked_for(
    store: Store, dispatcher: Dispatcher, asked: list[object]
) -> None:
    store.write(lambda tx: enrol(tx, 2))
    assert 'all="2" results="2"' in page(dispatcher, store, 0)
    store.write(lambda tx: enrol(tx, 3))
    asked.clear()
    assert 'all="3" results="2"' in page(dispatcher, store, 1)
    assert len(asked) > 0


def test_a_page_of_items_that_are_read_tells_their_number_at_the_same_moment(store: Store) -> None:
    """Also where a write is acknowledged and not heard of yet, as where another process has made it."""
    dispatcher = Dispatcher(ENVIRONMENT)
    heard: list[Sequence[Change]] = []
    store.feed.listen(heard.append)
    dispatcher.load(store.reader)
    (device,) = [row for row in store.reader.of_kind("EndDevice") if row.list_id is not None]
    log = store.reader.by_href(f"{device.href}/lel")
    assert log is not None

    def add(tx: Transaction) -> Row:
        number = tx.next_id()
        body = b'<LogEvent href="%s/%d"/>' % (log.href.encode(), number)
        row = Row(number, f"{log.href}/{number}", "LogEvent", list_id=log.id, sort_key=b"%d" % number)
        return tx.insert(row._replace(owner_id=log.owner_id, body=body))

    def found(query: str) -> list[str]:
        asked = Request(method="GET", path=log.href, lfdi=AGGREGATOR, now=START, query=query)
        answer = dispatcher.answer(store.reader, asked)
        assert isinstance(answer, Answer)
        return re.findall(r'(?:all|results)="(\d+)"', answer.body.decode())

    store.write(add)
    while heard:
        dispatcher.changed(heard.pop(0))
    assert found("s=0&l=5") == ["1", "1"]
    store.write(add)
    assert found("s=0&l=6") == ["2", "2"]
    assert found("s=1&l=7") == ["2", "1"]


def test_after_everything_may_have_changed_all_is_asked_anew(
    store: Store, dispatcher: Dispatcher, asked: list[object]
) -> None:
    page(dispatcher, store, 0)
    dispatcher.changed([EVERYTHING])
    assert dispatcher._listing.known._targets.get("/edev") is None
    asked.clear()
    page(dispatcher, store, 0, 5)
    assert len(asked) > 2


def test_a_large_answer_is_kept_once_it_is_asked_for_again(store: Store, dispatcher: Dispatcher) -> None:
    for number in range(2, 45):
        store.write(lambda tx, number=number: enrol(tx, number))  # type: ignore[misc]
    first = page(dispatcher, store, 0, 40)
    assert len(first) > LARGE
    assert [page(dispatcher, store, 0, 40) for _ in range(3)] == [first] * 3
    assert (dispatcher.misses, dispatcher.hits) == (2, 2)
    page(dispatcher, store, 0, 3)
    page(dispatcher, store, 0, 3)
    assert (dispatcher.misses, dispatcher.hits) == (3, 3)
    store.write(lambda tx: enrol(tx, 45))
    page(dispatcher, store, 0, 40)
    page(dispatcher, store, 0, 40)
    assert (dispatcher.misses, dispatcher.hits) == (4, 4), "it was asked for before: kept at once"


@pytest.mark.parametrize("number", [0, 1, FEW, FEW + 1, 3 * FEW])
def test_few_lists_are_found_as_many_are(store: Store, number: int) -> None:
    made = [store.write(lambda tx, n=n: enrol(tx, n)) for n in range(2, number + 2)]  # type: ignore[misc]
    hrefs = [f"{row.href}/lel" for row in made]
    found = store.reader.lists_at([*hrefs[:-1], "/none"] if number > 1 else hrefs)
    wanted = hrefs[:-1] if number > 1 else hrefs
    assert sorted((href, kind, amount) for href, _, kind, amount in found) == sorted(
        (href, "LogEventList", 0) for href in wanted
    )


def test_a_moment_is_that_of_its_first_question(store: Store) -> None:
    def add(href: str) -> None:
        store.write(lambda tx: tx.insert(Row(tx.next_id(), href, "Time")))

    with store.reader.snapshot():
        add("/early")
        assert store.reader.by_href("/early") is not None
        add("/late")
        assert store.reader.by_href("/late") is None
    assert store.reader.by_href("/late") is not None
    with store.reader.snapshot():
        pass
    assert store.reader.by_href("/later") is None
    add("/later")
    assert store.reader.by_href("/later") is not None


def test_a_moment_that_ends_badly_ends(store: Store) -> None:
    def fail() -> None:
        with store.reader.snapshot():
            store.reader.by_href("/tm")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    store.write(lambda tx: tx.insert(Row(tx.next_id(), "/after", "Time")))
    assert store.reader.by_href("/after") is not None


class Answering:
    """A reader of one list that has `amount` items."""

    since: int | None = 0
    row: Row | None = Row(7, "/edev", "EndDeviceList")
    amount = 3
    questions = 0

    def by_href(self, _: str) -> Row | None:
        self.questions += 1
        return self.row

    def count(self, _: Span) -> int:
        self.questions += 1
        return self.amount


def target(known: KnownLists, reader: Any, href: str = "/edev") -> Target | None:  # noqa: ANN401
    return known.target(reader, ENVIRONMENT.uris, href)


def test_a_list_is_remembered_until_its_row_changes() -> None:
    known, reader = KnownLists(), Answering()
    assert target(known, reader) == target(known, reader)
    assert reader.questions == 1
    known.drop({8, (7, 0)})
    target(known, reader)
    assert reader.questions == 1
    known.drop({7})
    target(known, reader)
    assert reader.questions == 2
    known.clear()
    target(known, reader)
    assert reader.questions == 3


def test_what_is_no_list_or_not_there_is_not_remembered() -> None:
    known, reader = KnownLists(), Answering()
    reader.row = Row(9, "/edev/9", "EndDevice")
    target(known, reader, "/edev/9")
    target(known, reader, "/edev/9")
    reader.row = None
    target(known, reader)
    target(known, reader)
    assert reader.questions >= 4


def test_a_number_of_items_is_remembered_until_the_list_changes() -> None:
    known, reader = KnownLists(), Answering()
    whole = Span(list_id=7, scope=2)
    assert [known.total(reader, whole) for _ in range(3)] == [3, 3, 3]  # type: ignore[arg-type]
    assert reader.questions == 1
    reader.amount = 4
    known.drop({(7, 1), 7})
    assert known.total(reader, whole) == 3  # type: ignore[arg-type]
    known.drop({(7, 2)})
    assert known.total(reader, whole) == 4  # type: ignore[arg-type]


def test_who_hears_of_no_changes_remembers_nothing_and_is_told_nothing_old() -> None:
    known, reader = KnownLists(), Answering()
    target(known, reader)
    known.total(reader, Span(list_id=7))  # type: ignore[arg-type]
    reader.since, reader.amount, reader.row = None, 9, Row(7, "/edev", "EndDeviceList", version=2)
    found = target(known, reader)
    assert found is not None
    assert found.row == reader.row
    assert known.total(reader, Span(list_id=7)) == 9  # type: ignore[arg-type]
    reader.since = 0
    assert known.total(reader, Span(list_id=7)) == 3  # type: ignore[arg-type]


def test_what_changed_while_it_was_read_is_not_remembered() -> None:
    recall = Recall()
    known, reader = KnownLists(recall), Answering()
    recall.hear({7, (7, 0)})
    target(known, reader)
    known.total(reader, Span(list_id=7))  # type: ignore[arg-type]
    target(known, reader)
    known.total(reader, Span(list_id=7))  # type: ignore[arg-type]
    assert reader.questions == 4


def test_changes_are_heard_by_the_dispatcher(store: Store, dispatcher: Dispatcher) -> None:
    page(dispatcher, store, 0)
    known = dispatcher._listing.known
    row = store.reader.by_href("/edev")
    assert row is not None
    assert known._targets.get("/edev") is not None
    dispatcher.changed([Change(9, row.id, "EndDeviceList", None, 0, None, 2)])
    assert known._targets.get("/edev") is None
