"""A SQLite file that is removed, moved or replaced while it is open: nothing more is acknowledged."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from sep2_server import Store
from sep2_server.errors import StoreError
from sep2_server.transaction import Transaction

NAME = "server.db"


def replaced(path: Path) -> None:
    """Another database in the place, as a copy that somebody puts back."""
    path.unlink()
    sqlite3.connect(path).close()


HARM: dict[str, Callable[[Path], object]] = {
    "removed": Path.unlink,
    "moved": lambda path: path.rename(path.with_name("elsewhere.db")),
    "replaced": replaced,
    "its-folder-moved": lambda path: path.parent.rename(path.parent.with_name("other")),
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM.keys())
async def test_nothing_is_acknowledged_that_would_be_gone_at_the_next_start(
    tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    store = Store(folder / NAME)

    def job(tx: Transaction) -> None:
        tx.put_option("kept", "yes")

    try:
        await store.do(job)
        await store.do_short(job)
        store.require_durable()
        harm(folder / NAME)
        for write in (store.do, store.do_short):
            with pytest.raises(StoreError, match="is not there any more, or another one"):
                await write(job)
        with pytest.raises(StoreError, match=r"copy .*/fd"):
            store.require_durable()
    finally:
        store.close()
