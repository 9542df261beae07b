"""The octets of files, each kept once under its SHA-256. Disk work runs in threads (`asyncio.to_thread`)."""

import asyncio
import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from sep2_server.errors import LimitReached
from sep2_server.folders import sync_folder

_DIGEST: Final = re.compile("[0-9a-f]{64}")
_COMING: Final = "coming-"
STALLED_S: Final = 3600
"""How long an upload that is under way would not stand still, s."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds: SHA-256 as 64 lower-case hex digits, and how many octets."""

    digest: str
    size: int


class Contents:
    """A folder of octets by digest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Where the octets with a digest are, or would be. ValueError for what is no digest."""
        if not _DIGEST.fullmatch(digest):
            raise ValueError(digest[:80])
        return self._folder / digest[:2] / digest

    def find(self, digest: str) -> Content | None:
        """What is kept with a digest, None where nothing is."""
        if not _DIGEST.fullmatch(digest):
            return None
        path = self.path(digest)
        return Content(digest, path.stat().st_size) if path.is_file() else None

    async def take(self, octets: AsyncIterator[bytes], most: int) -> Content:
        """Keep what comes in, on the disk when this returns; LimitReached for more than `most` octets."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=_COMING, dir=self._folder)
        coming = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                content = await _written(file, octets, most)
            await asyncio.to_thread(self._settle, coming, self.path(content.digest))
        finally:
            await asyncio.to_thread(coming.unlink, missing_ok=True)
        return content

    def remove(self, digest: str, before: float) -> bool:
        """Remove octets that came before a time of the disk, s; whether they are gone by that."""
        return _removed(self.path(digest), before)

    def clear(self, now: float) -> None:
        """Remove what a server that was killed has left of uploads; those under way grow all the time."""
        for path in self._folder.glob(f"{_COMING}*"):
            _removed(path, now - STALLED_S)

    def _settle(self, coming: Path, place: Path) -> None:
        """Give what came its name; the folders are written too, so that it survives a loss of power."""
        place.parent.mkdir(exist_ok=True)
        coming.replace(place)
        place.chmod(0o640)
        for folder in (place.parent, self._folder, self._folder.parent):
            sync_folder(folder)
        self.clear(place.stat().st_mtime)


def _removed(path: Path, before: float) -> bool:
    """Remove what was written before a time and nobody is writing, as clocks jump; whether that was so."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mtime >= before:
                return False
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
            return True
    except (BlockingIOError, FileNotFoundError):
        return False


async def _written(file: BinaryIO, octets: AsyncIterator[bytes], most: int) -> Content:
    digest = hashlib.sha256()
    size = 0
    async for part in octets:
        size += len(part)
        if size > most:
            raise LimitReached(f"more than {most} octets")
        digest.update(part)
        await asyncio.to_thread(file.write, part)
    await asyncio.to_thread(_flush, file)
    return Content(digest.hexdigest(), size)


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
