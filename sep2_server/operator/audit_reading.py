"""Reading the audit log: the newest entries that fit a filter, and the check of the whole chain."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

from schemas import Json
from sep2_server.operator.audit import files_of, head_of
from sep2_server.operator.audit_chain import Flaw, Head, Verdict, check

BLOCK: Final = 1 << 16


def verify(path: Path) -> Verdict:
    """Check every line of a log against the next and the last against the head. OSError where unreadable."""
    if not head_of(path).exists():
        reason = "the head of the log is missing" if files_of(path) else "there is no audit log"
        return Verdict(lines=0, flaw=Flaw(file=path.name, line=0, reason=reason))
    with ExitStack() as opened:
        files, head = _opened(path, opened)
        return check(((name, _up_to(file, size)) for name, file, size in files), head)


def newest(path: Path, *, before: int | None, limit: int, wanted: Mapping[str, str]) -> list[dict[str, Json]]:
    """Entries before a number whose fields hold the wanted texts, the newest first."""
    found: list[dict[str, Json]] = []
    for entry in _backwards(path):
        seq = entry.get("seq")
        is_before = before is None or (isinstance(seq, int) and seq < before)
        if is_before and all(text in str(entry.get(name, "")) for name, text in wanted.items()):
            found.append(entry)
            if len(found) == limit:
                break
    return found


def _opened(path: Path, opened: ExitStack) -> tuple[list[tuple[str, BinaryIO, int]], Head | None]:
    """The files with their sizes and the head at one moment: nobody appends meanwhile."""
    head_file = opened.enter_context(head_of(path).open("rb"))
    fcntl.flock(head_file, fcntl.LOCK_SH)
    files: list[tuple[str, BinaryIO]] = [
        (file.name, opened.enter_context(file.open("rb"))) for file in files_of(path)
    ]
    sized = [(name, file, os.fstat(file.fileno()).st_size) for name, file in files]
    head = Head.read(head_file.read(256))
    fcntl.flock(head_file, fcntl.LOCK_UN)
    return sized, head


def _up_to(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The lines of a file up to a size: what is appended later is of another moment."""
    place = 0
    for line in file:
        place += len(line)
        if place > size:
            return
        yield line


def _backwards(path: Path) -> Iterator[dict[str, Json]]:
    """All entries, the newest first; what is no entry is passed over."""
    for file in reversed(files_of(path)):
        with file.open("rb") as opened:
            for line in _lines_backwards(opened):
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                if isinstance(entry, dict):
                    yield entry


def _lines_backwards(file: BinaryIO) -> Iterator[bytes]:
    place = file.seek(0, os.SEEK_END)
    rest = b""
    while place:
        step = min(BLOCK, place)
        place -= step
        file.seek(place)
        rest, *lines = (file.read(step) + rest).split(b"\n")
        yield from reversed(lines)
    yield rest
