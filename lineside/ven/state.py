"""The state folder of a VEN: what it knows, published and heard, in one file that takes what changes."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openadr_ven.back import Heard, RepliesError, heard_of, heard_table
from openadr_ven.memory import KeptError
from openadr_ven.rows import RowFile, RowMemory, Texts
from openadr_ven.to_sep2 import (
    Basis,
    BasisError,
    Held,
    HeldError,
    bases_of,
    bases_table,
    held_of,
    held_table,
)

FILE: Final = "ven.db"
VEN_20B, VEN_3, PUBLISHED, HEARD, BASES = "ven 2.0b", "ven 3", "published", "heard", "bases"
"""Parts of the file."""
LOCK: Final = "lock"
CHANNEL: Final = "ven.sock"


class BusyError(Exception):
    """Another VEN has the state folder."""


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The files of one VEN."""

    path: Path

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Make the folder, and keep every other VEN out of it. Raises BusyError."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self.path / LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as flaw:
                raise BusyError(f"{self.path}: another VEN runs with this state folder") from flaw
            yield
        finally:
            os.close(lock)

    @property
    def channel(self) -> Path:
        """Where a running VEN takes orders."""
        return self.path / CHANNEL

    @property
    def file(self) -> "StateFile":
        """All that is kept in it, for its owner or for one who looks."""
        return StateFile(RowFile(self.path / FILE))


class StateFile:
    """What one VEN keeps, each part as an object whose rows are written where they change."""

    def __init__(self, file: RowFile) -> None:
        self._file = file
        self._published, self._heard, self._bases = (
            (RowMemory(file, part), Texts()) for part in (PUBLISHED, HEARD, BASES)
        )

    def memory(self, *, is_20b: bool) -> RowMemory:
        """Registration, events, and what is owed to the VTN."""
        return RowMemory(self._file, VEN_20B if is_20b else VEN_3)

    def held(self) -> Held:
        """What exists on the server by our doing. Raises KeptError."""
        try:
            return held_of(self._published[0].read())
        except HeldError as flaw:
            raise KeptError(f"{self._file.path}: {flaw}") from flaw

    async def keep_held(self, held: Held) -> None:
        """Keep what exists; on return it is on disk."""
        memory, texts = self._published
        await memory.save(held_table(held, texts))

    def heard(self) -> Heard:
        """What devices answered, and what the VTN was told of it. Raises KeptError."""
        try:
            return heard_of(self._heard[0].read())
        except RepliesError as flaw:
            raise KeptError(f"{self._file.path}: {flaw}") from flaw

    async def keep_heard(self, heard: Heard) -> None:
        """Keep what was heard; on return it is on disk."""
        memory, texts = self._heard
        await memory.save(heard_table(heard, texts))

    def bases(self) -> dict[str, Basis]:
        """What devices told for the events that are carried out. Raises KeptError."""
        try:
            return bases_of(self._bases[0].read())
        except BasisError as flaw:
            raise KeptError(f"{self._file.path}: {flaw}") from flaw

    async def keep_bases(self, bases: Mapping[str, Basis]) -> None:
        """Keep what devices told; on return it is on disk."""
        memory, texts = self._bases
        await memory.save(bases_table(bases, texts))

    def close(self) -> None:
        """Give the file back."""
        self._file.close()
