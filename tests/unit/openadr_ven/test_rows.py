"""An object on disk by rows: what comes back, what is written again, what is damaged."""

import asyncio
import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openadr_ven.memory import KeptError
from openadr_ven.rows import Place, RowFile, RowMemory, Texts


class CountingFile(RowFile):
    """Counts the rows that are written and dropped."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.counts: list[tuple[int, int]] = []

    def write(self, part: str, put: Mapping[Place, Any], gone: Sequence[Place]) -> None:
        self.counts.append((len(put), len(gone)))
        super().write(part, put, gone)


class DiskLess(RowFile):
    """Rows in a table."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows: dict[Place, Any] = {}

    def read(self, part: str) -> dict[Place, Any]:
        return dict(self.rows)

    def write(self, part: str, put: Mapping[Place, Any], gone: Sequence[Place]) -> None:
        self.rows = {place: row for place, row in self.rows.items() if place not in gone} | dict(put)


@pytest.fixture
def file(tmp_path: Path) -> CountingFile:
    return CountingFile(tmp_path / "ven.db")


WHOLE = {
    "version": 1,
    "name": "'quoted'",
    "nothing": None,
    "events": {"": "head", "e1": "{}", "e2": [1, {"a": "b"}]},
    "owed": ["one", "two", {"three": 3}],
    "none": {},
    "empty": [],
}


async def test_what_is_saved_comes_back_and_is_for_its_owner_alone(file: CountingFile) -> None:
    assert await RowMemory(file, "a").load() is None
    await RowMemory(file, "a").save(WHOLE)
    await RowMemory(file, "b").save({"other": 1})
    assert await RowMemory(file, "a").load() == WHOLE
    assert await RowMemory(file, "b").load() == {"other": 1}
    assert file.path.stat().st_mode & 0o777 == 0o600


async def test_only_what_has_changed_is_written(file: CountingFile) -> None:
    memory = RowMemory(file, "a")
    many = {"events": {f"e{number}": f"{number}" for number in range(500)}, "owed": ["a", "b", "c"]}
    await memory.save(many)
    await memory.save(many)
    await memory.save({**many, "events": {**many["events"], "e7": "x"}})  # type: ignore[dict-item]
    await memory.save({**many, "owed": ["b", "c", "d"]})
    assert file.counts == [(505, 0), (1, 0), (2, 1)]
    fresh = RowMemory(file, "a")
    await fresh.save({**many, "owed": ["b", "c", "d"]})
    assert len(file.counts) == 3
    assert await fresh.load() == {**many, "owed": ["b", "c", "d"]}


QUEUES = st.lists(st.sampled_from("abcd"), max_size=6)


@settings(deadline=None)
@given(queues=st.lists(QUEUES, min_size=1, max_size=5))
def test_a_queue_keeps_its_order_whatever_comes_and_goes(queues: list[list[str]]) -> None:
    file = DiskLess(Path("ven.db"))
    memory = RowMemory(file, "a")

    async def scenario() -> None:
        for queue in queues:
            await memory.save({"owed": queue})
            assert RowMemory(file, "a").read() == {"owed": queue}

    asyncio.run(scenario())


async def test_a_save_that_fails_leaves_what_was_there(file: CountingFile) -> None:
    memory = RowMemory(file, "a")
    await memory.save({"a": 1})
    file.close()
    file.path.chmod(0o600)
    blocker = sqlite3.connect(file.path, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    blocker.execute("DROP TABLE kept")
    blocker.execute("COMMIT")
    blocker.execute("CREATE TABLE kept (part TEXT)")
    with pytest.raises(OSError, match=r"ven\.db"):
        await memory.save({"a": 2})
    blocker.execute("DROP TABLE kept")
    blocker.close()
    await memory.save({"a": 2})
    assert await RowMemory(file, "a").load() == {"a": 2}


@pytest.mark.parametrize("text", ["'", "{", "[1"])
async def test_what_is_damaged_is_said_so(file: CountingFile, text: str) -> None:
    await RowMemory(file, "a").save({"a": 1, "b": {"c": 2}})
    file.close()
    with sqlite3.connect(file.path) as db:
        db.execute("UPDATE kept SET text = ? WHERE key = 'c'", (text,))
        db.execute("DELETE FROM kept WHERE name = 'b' AND key = ''" if text == "'" else "SELECT 1")
    db.close()
    with pytest.raises(KeptError, match=r"ven\.db"):
        await RowMemory(file, "a").load()


async def test_a_file_that_is_no_database_is_said_so(file: CountingFile) -> None:
    await asyncio.to_thread(file.path.write_text, "no database at all")
    with pytest.raises(KeptError, match=r"ven\.db"):
        await RowMemory(file, "a").load()


def test_a_text_is_made_once_as_long_as_its_value_is_there() -> None:
    made: list[object] = []

    def make(value: object) -> str:
        made.append(value)
        return json.dumps(value)

    texts, value, other = Texts(), ["a"], ["b"]
    for _ in range(3):
        texts.begin()
        assert texts.of(value, make) == '["a"]'
    texts.begin()
    assert texts.of(other, make) == '["b"]'
    texts.begin()
    assert texts.of(value, make) == '["a"]'
    assert made == [["a"], ["b"], ["a"]]
