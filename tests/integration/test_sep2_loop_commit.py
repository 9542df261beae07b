"""A commit that cannot even be tried fails those who wait for it, and keeps nobody after it waiting."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sep2_server import Store
from sep2_server.errors import StoreError
from tests.postgres import Postgres


@pytest.fixture
async def store(postgres: Postgres) -> AsyncIterator[Store]:
    """A store on PostgreSQL."""
    with postgres.databases() as of:
        made = Store(of(postgres.folder / "loop-commit"))
        yield made
        await made.let_loop_go()
        made.close()


async def absent(*_: object) -> object:
    raise ImportError("a library is missing")


async def test_what_cannot_be_tried_is_told_and_the_next_write_is_done(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("sep2_server.loop_writer.greenlet_spawn", absent)
        with pytest.raises(StoreError, match="a library is missing"):
            await asyncio.wait_for(store.do_short(lambda tx: tx.next_id()), 10)
    assert "The store cannot write" in caplog.messages
    first = await asyncio.wait_for(store.do_short(lambda tx: tx.next_id()), 10)
    assert await store.do_short(lambda tx: tx.next_id()) == first + 1
