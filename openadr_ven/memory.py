"""Where a VEN keeps one JSON value over SIGKILL: in a file that is replaced as a whole, or in a variable."""

import asyncio
import json
import os
from pathlib import Path
from typing import Protocol


class KeptError(Exception):
    """What was kept cannot be read."""


class Memory(Protocol):
    """Keeps the last value."""

    async def load(self) -> object:
        """What was saved last; None if nothing was. Raises KeptError for what is damaged."""
        ...

    async def save(self, value: object) -> None:
        """Keep a JSON value in place of the last; on return it survives SIGKILL."""
        ...


class InMemory:
    """Keeps a value as text, so that nothing is kept that a file could not keep."""

    def __init__(self, text: str | None = None) -> None:
        self.text = text

    async def load(self) -> object:
        """What was saved last."""
        return None if self.text is None else _parsed(self.text, "memory")

    async def save(self, value: object) -> None:
        """Keep a value in place of the last."""
        self.text = json.dumps(value)


class FileMemory:
    """Keeps a value in a file that its owner alone may read. What blocks is done in a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def load(self) -> object:
        """What was saved last; None without a file."""
        text = await asyncio.to_thread(self._read)
        return None if text is None else _parsed(text, str(self._path))

    async def save(self, value: object) -> None:
        """Write it beside, sync it, and put it in its place."""
        await asyncio.to_thread(self._write, json.dumps(value))

    def _read(self) -> str | None:
        return self._path.read_text() if self._path.exists() else None

    def _write(self, text: str) -> None:
        beside = self._path.with_name(f"{self._path.name}.new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _parsed(text: str, place: str) -> object:
    try:
        found: object = json.loads(text)
    except ValueError as error:
        raise KeptError(f"{place}: {error}") from error
    return found
