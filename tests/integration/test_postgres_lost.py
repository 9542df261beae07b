"""A connection to PostgreSQL that is lost: what was begun goes on nowhere else, and nobody is forgotten."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from sep2_server import Store
from sep2_server.address import PostgresAddress
from sep2_server.commits import Commits
from sep2_server.errors import StoreError, UndecidedError
from sep2_server.feed import Feed
from sep2_server.postgres import PostgresConnection
from sep2_server.rows import Row
from sep2_server.transaction import Transaction
from tests.postgres import Postgres
from tests.promises import Promise


@pytest.fixture
def db(postgres: Postgres) -> Iterator[PostgresConnection]:
    name = postgres.make()
    connection = PostgresConnection(PostgresAddress.of(postgres.url(name)))
    yield connection
    connection.close()
    postgres.drop(name)


def test_who_begins_to_listen_looks_at_once_at_what_came_before(db: PostgresConnection) -> None:
    begun = time.monotonic()
    db.wait_for_commit(10)
    assert time.monotonic() - begun < 5


def test_what_was_begun_does_not_go_on_on_another_connection(db: PostgresConnection) -> None:
    db.begin()
    assert db._session is not None
    db._session.terminate()
    with pytest.raises(StoreError, match="lost in a transaction"):
        db.control("SELECT 1")
    db.roll_back()
    db.control("SELECT 1")


class Job:
    """Adds a resource; the first time it runs, it may lose the connection before it reads."""

    is_repeatable = True

    def __init__(self, number: int, postgres: Postgres | None = None) -> None:
        self.number = number
        self.postgres = postgres
        self.was_in_transaction: list[bool] = []

    def __call__(self, tx: Transaction) -> int:
        if self.postgres is not None:
            postgres, self.postgres = self.postgres, None
            postgres.admin(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname LIKE 'test_%' AND pid <> pg_backend_pid()"
            )
            tx.option("colour")
        tx.insert(Row(tx.next_id(), f"/x/{self.number}", "Time"))
        tx.option("colour")
        session = tx.unit.below._session  # type: ignore[attr-defined]
        self.was_in_transaction.append(session.is_in_transaction())
        return self.number


def test_no_job_goes_on_outside_of_the_transaction_that_was_lost(
    postgres: Postgres, db: PostgresConnection
) -> None:
    jobs, promises = [Job(1, postgres), Job(2)], [Promise(), Promise()]
    done = Commits(db, Feed(), is_shared=False).commit(list(zip(jobs, promises, strict=True)))
    assert all(all(job.was_in_transaction) for job in jobs)
    assert {promise for promise, _ in done} | {one for one in promises if one.done()} == set(promises)


class Silent:
    """A session that does what it is told and goes away before it has said so."""

    def __init__(self, session: Any) -> None:  # noqa: ANN401
        self._session = session

    async def execute(self, command: str) -> str:
        await self._session.execute(command)
        self._session.terminate()
        raise ConnectionResetError("gone")

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._session, name)


def test_of_a_commit_without_an_answer_nobody_knows(db: PostgresConnection) -> None:
    db.begin()
    db._session = Silent(db._session)
    with pytest.raises(UndecidedError, match="nobody knows whether it was stored"):
        db.commit()
    db.roll_back()
    db.control("SELECT 1")


def test_a_commit_that_the_database_refuses_is_not_stored(
    db: PostgresConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_: object, command: str) -> str:
        raise db._asyncpg.DiskFullError(command)

    db.begin()
    with monkeypatch.context() as patched:
        patched.setattr(Silent, "execute", full)
        db._session = Silent(db._session)
        with pytest.raises(StoreError, match="failed: COMMIT") as caught:
            db.commit()
    assert not isinstance(caught.value, UndecidedError)
    db.roll_back()
    db.control("SELECT 1")


def test_what_was_lost_before_the_commit_is_not_stored(db: PostgresConnection) -> None:
    db.begin()
    assert db._session is not None
    db._session.terminate()
    with pytest.raises(StoreError, match="lost in a transaction") as caught:
        db.commit()
    assert not isinstance(caught.value, UndecidedError)
    db.roll_back()
    db.control("SELECT 1")


def test_who_waits_for_such_a_commit_hears_that_nobody_knows(db: PostgresConnection) -> None:
    class Deaf(Job):
        def __call__(self, tx: Transaction) -> int:
            below = tx.unit.below
            assert isinstance(below, PostgresConnection)
            number = super().__call__(tx)
            tx.unit.flush()
            below._session = Silent(below._session)
            return number

    promise = Promise()
    assert Commits(db, Feed(), is_shared=False).commit([(Deaf(1), promise)]) == []
    assert isinstance(promise.flaw, UndecidedError)
    assert db.number(text("SELECT count(*) FROM resource WHERE href = '/x/1'")) == 1


def put(href: str) -> Callable[[Transaction], Row]:
    return lambda tx: tx.insert(Row(tx.next_id(), href, "Time"))


@pytest.fixture
def store(postgres: Postgres) -> Iterator[Store]:
    name = postgres.make()
    store = Store(postgres.url(name))
    yield store
    store.close()
    postgres.drop(name)


async def test_a_loop_is_let_go_once_what_it_has_begun_is_written(store: Store) -> None:
    written = store.begin_short(put("/1"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await store.let_loop_go()
    assert (await asyncio.wait_for(written, 5)).href == "/1"


async def test_a_commit_that_cannot_even_be_tried_is_told_to_who_waits(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("no")

    with monkeypatch.context() as patched:
        patched.setattr(Commits, "commit", broken)
        with pytest.raises(StoreError, match="cannot write"):
            await asyncio.wait_for(store.do_short(put("/1")), 5)
    assert (await asyncio.wait_for(store.do_short(put("/2")), 5)).href == "/2"
    await store.let_loop_go()
