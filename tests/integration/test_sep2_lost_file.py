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


async def test_a_file_that_nobody_can_look_at_is_taken_to_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the right to look into its folder is taken away for a while: the file is open."""
    store = Store(tmp_path / NAME)

    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr("sep2_server.disk.os.stat", refuse)
        for write in (store.do, store.do_short):
            await write(lambda tx: tx.put_option("kept", "yes"))
        store.require_durable()
    assert store.reader.option("kept") == "yes"
    store.close()


def test_what_was_lost_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(tmp_path / NAME)
    (tmp_path / NAME).unlink()
    for _ in range(2):
        with pytest.raises(StoreError, match="is not there any more"):
            store.require_durable()
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    assert "is not there any more" in caplog.text
    store.close()
