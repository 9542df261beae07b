"""What jobs want is read together with row ids: none is given twice, no row is missed; rows are inserted."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import literal_column, select

from sep2_server import Store, tables
from sep2_server import statements as q
from sep2_server.postgres import _text_of, driver
from sep2_server.rows import Change, Row
from sep2_server.transaction import Transaction
from sep2_server.unit import Unit
from sep2_server.want import Want
from tests.integration.sep2_harness import DATABASES
from tests.postgres import Postgres

JOBS = 60
MANY = 20_000


@pytest.fixture
def stores(tmp_path: Path, each_database: str) -> Iterator[list[Store]]:
    """Two processes, as it were, on one database."""
    opened = [Store(DATABASES.of(tmp_path), is_shared=True) for _ in range(2)]
    yield opened
    for store in opened:
        store.close()


def add(store: Store, hrefs: list[str]) -> list[Row]:
    return store.write(lambda tx: [tx.insert(Row(tx.next_id(), href, "Time")) for href in hrefs])


@pytest.mark.parametrize("ids", [0, 1, 7, 200])
@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 130])
def test_rows_at_however_many_uris_are_those_that_are_there(
    stores: list[Store], count: int, ids: int
) -> None:
    """Every third is not, some are asked for twice, some are known, and one was changed by the job before."""
    hrefs = [f"/{number}" for number in range(count)]
    there = {row.href: row for row in add(stores[0], [href for href in hrefs if int(href[1:]) % 3])}

    def job(tx: Transaction) -> tuple[list[Row | None], list[int]]:
        known = hrefs[1]
        tx.unit.fetch([known])
        there[known] = tx.replace(there[known], there[known]._replace(body=b"changed"))
        made = tx.insert(Row(tx.next_id(), "/made", "Time"))
        tx.unit.fetch([*hrefs, *hrefs[::2], known, "/made"], ids)
        assert tx.by_href("/made") == made
        return [tx.by_href(href) for href in hrefs], [made.id, *(tx.next_id() for _ in range(ids))]

    if count == 1:
        hrefs.append("/1")
        there |= {row.href: row for row in add(stores[0], ["/1"])}
    found, given = stores[0].write(job)
    assert found == [there.get(href) for href in hrefs]
    later = add(stores[1], ["/later"])[0]
    numbers = [*(row.id for row in there.values()), *given, later.id]
    assert len(set(numbers)) == len(numbers)
    assert sorted(numbers) == numbers


@dataclass(frozen=True)
class Put:
    """Adds a resource where there is none, after or before it fails, if it does."""

    number: int
    is_repeatable: bool = True

    @property
    def href(self) -> str:
        return f"/{self.number}"

    def wants(self, _: Unit) -> Iterator[Want]:
        yield Want(hrefs=["/shared", self.href], ids=self.number % 3)
        yield Want(hrefs=[f"/{self.number - 1}"], ids=1)

    def __call__(self, tx: Transaction) -> Row:
        if self.number % 7 == 0:
            raise ValueError("before")
        assert tx.by_href("/shared") is not None
        assert tx.by_href(self.href) is None
        row = tx.insert(Row(tx.next_id(), self.href, "Time", body=b"%d" % tx.next_id()))
        if self.number % 5 == 0:
            raise ValueError("after")
        return row


async def test_jobs_that_fail_and_are_undone_have_no_id_given_twice(stores: list[Store]) -> None:
    """From the loop and the thread of two processes at once."""
    shared = add(stores[0], ["/shared"])[0]
    promises = [
        asyncio.ensure_future((store.do_short if number % 2 else store.do)(Put(number)))
        for number in range(JOBS)
        for store in [stores[number // 2 % 2]]
    ]
    await asyncio.wait(promises)
    failed = [number for number, promise in enumerate(promises) if promise.exception() is not None]
    assert failed == [number for number in range(JOBS) if not (number % 7 and number % 5)]
    rows = [promise.result() for promise in promises if promise.exception() is None]
    given = [number for row in rows for number in (row.id, int(row.body))]
    assert len(set(given)) == len(given)
    assert min(given) > shared.id
    later = await stores[1].do(Put(JOBS + 1))
    assert later.id > max(given)
    for store in stores:
        await store.let_loop_go()
    found = await stores[0].ask(lambda reader: [reader.by_href(row.href) for row in rows])
    assert found == rows


async def test_rows_that_come_with_ids_are_found_by_their_uri(postgres: Postgres) -> None:
    """Whether the planner knows of the table or not."""
    name = postgres.make()
    await asyncio.to_thread(lambda: Store(postgres.url(name)).close())
    session = await driver().connect(postgres.url(name))
    await session.execute(
        "INSERT INTO resource (id, href, kind, scope, sort_key, version, body)"
        " SELECT g + 1000, '/' || g, 'Time', 0, '', 0, '' FROM generate_series(1, $1::int) g",
        MANY,
    )
    await session.execute("SET plan_cache_mode = force_generic_plan")
    for round_ in range(2):
        for count in (1, 2, 8, 64):
            text, names = _text_of(q.rows_at_and_ids(count))
            statement = f"s{round_}_{count}"
            await session.execute(f"PREPARE {statement} AS {text}")
            values = ", ".join("1" if one == "by" else f"'/{one[1:]}'" for one in names)
            told = await session.fetch(f"EXPLAIN EXECUTE {statement}({values})")
            plan = "\n".join(row[0] for row in told)
            assert "resource_href_key" in plan
            assert "Seq Scan on resource" not in plan
            assert "$" in plan.partition("resource_href_key")[2], "the plan is one for all values"
        await session.execute("ANALYZE")
    await session.close()
    postgres.drop(name)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 17])
def test_rows_are_inserted_by_their_names_and_numbered_in_their_order(
    stores: list[Store], count: int
) -> None:
    """Whatever was inserted before into another table, or in another order, by the same connection."""
    names = Change._fields[1:]
    options, sequences = tables.option, tables.sequence

    def job(tx: Transaction) -> None:
        tx.unit.insert_many(options, ("name", "value"), [("a", "1")])
        tx.unit.insert_many(options, ("value", "name"), [("2", "b")])
        tx.unit.insert_many(sequences, ("name", "value"), [("c", 3)])
        assert tx.unit.insert_many(options, ("name", "value"), [(f"n{n}", "v") for n in range(count)]) == []
        changes = [Change(0, n, "Time", None, 0, None, 1) for n in range(count)]
        numbers = tx.unit.insert_many(tables.change, names, [change[1:] for change in changes])
        assert numbers == [tx.last_change() - n for n in reversed(range(count))]
        turned = tx.unit.insert_many(tables.change, names[::-1], [change[:0:-1] for change in changes])
        told = [change._replace(seq=seq) for change, seq in zip(changes * 2, numbers + turned, strict=True)]
        assert tx.changes(0) == told
        put = ["a", "b", *(f"n{n}" for n in range(count))]
        assert [tx.option(name) for name in put] == ["1", "2", *"v" * count]
        found = tx.unit.run(
            select(sequences.c.value).where(sequences.c.name == literal_column("'c'"))
        ).fetchone()
        assert found is not None
        assert tuple(found) == (3,)

    stores[0].write(job)
