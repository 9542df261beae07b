"""The audit log on the disk: one JSON line per action, appended and synced before the action is done.

Several processes may append: a lock on the file of the head keeps their lines apart.
"""

import errno
import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

from sep2_server.folders import open_private
from sep2_server.operator.audit_chain import Entry, Follower, Head, sha256_of, spoil_of
from sep2_server.operator.errors import AuditFailed

__all__ = ["AUDIT_FILE", "AuditLog", "Entry", "files_of"]

AUDIT_FILE: Final = "audit.jsonl"
"""Name of the log in the folder of the operators."""
MOST_OCTETS: Final = 1 << 26
"""Size at which a file of the log gets a number and a new one begins."""
DONE: Final = "done"
NOT_DONE: Final = "failed: not stored"
"""Outcome that takes back what the line before says was done."""
UNCHAINED: Final = ".unchained.jsonl"
IS_CHAINED: Final = b'"prev": "'
HEADLESS: Final = "its head is missing; restore it, or put the log aside, and start the server again"
_SHUT: Final = -1


class AuditLog:
    """An append-only file of entries; nothing here rewrites or shortens it."""

    def __init__(self, path: Path, most_octets: int = MOST_OCTETS) -> None:
        self.path = path
        self._most_octets = most_octets
        self._lock = threading.Lock()
        self._file = _SHUT
        self._head_file = _SHUT

    @classmethod
    def open(cls, path: Path, most_octets: int = MOST_OCTETS) -> Self:
        """The log in this file, made with mode 0600 if absent. AuditFailed where it cannot be written."""
        log = cls(path, most_octets)
        try:
            log._head_file = open_private(head_of(path), os.O_RDWR)
            log._file = _opened(path)
            with log._locked():
                log._begin()
        except OSError as flaw:
            log.close()
            raise log._failed(flaw) from flaw
        return log

    def append(self, entry: Entry, *, is_over: bool = False) -> None:
        """Write one entry and wait until it is on the disk. AuditFailed means: do not do the action.

        A line that says it is done is taken back by one more, should it be on the disk all the same; not
        where the action `is_over` already.
        """
        try:
            with self._locked():
                self._append(entry, self._caught_up(), is_before=entry.outcome == DONE and not is_over)
        except OSError as flaw:
            raise self._failed(flaw) from flaw

    def close(self) -> None:
        """Give the files back."""
        for file in (self._file, self._head_file):
            if file != _SHUT:
                os.close(file)
        self._file = self._head_file = _SHUT

    def _append(self, entry: Entry, at: Follower, *, is_before: bool) -> None:
        size = os.fstat(self._file).st_size
        if size >= self._most_octets and at.torn is None:
            size = self._rotate()
        line = entry.line(at.seq + 1, at.sha256, at.torn)
        octets = self._end_of_torn(at) + line
        if os.write(self._file, octets) != len(octets):
            raise OSError("only a part of the line was written")
        head = Head(seq=at.seq + 1, sha256=sha256_of(line), size=size + len(octets))
        try:
            self._settle(head)
        except OSError:
            if is_before:
                with suppress(OSError):
                    self._take_back(entry, head)
            raise

    def _settle(self, head: Head) -> None:
        """Wait until what is written is on the disk, and then the head."""
        os.fsync(self._file)
        self._put_head(head)

    def _take_back(self, entry: Entry, head: Head) -> None:
        """Say behind a line that may be on the disk that nothing was done; the disk may refuse that too."""
        line = replace(entry, outcome=NOT_DONE).line(head.seq + 1, head.sha256)
        if os.write(self._file, line) == len(line):
            self._settle(Head(seq=head.seq + 1, sha256=sha256_of(line), size=head.size + len(line)))

    def _end_of_torn(self, at: Follower) -> bytes:
        """What ends a line that was cut short."""
        if at.torn is None:
            return b""
        *_, cut = self.path.read_bytes().splitlines(keepends=True)
        return spoil_of(cut) + b"\n"

    def _caught_up(self) -> Follower:
        """The end of the chain, whoever wrote it; what a crash left behind the head is taken in."""
        if os.fstat(self._file).st_ino != _inode(self.path):
            os.close(self._file)
            self._file = _opened(self.path)
        head = Head.read(os.pread(self._head_file, 256, 0))
        if head is None or os.fstat(self._head_file).st_ino != _inode(head_of(self.path)):
            raise OSError(HEADLESS)
        size = os.fstat(self._file).st_size
        if size < head.size:
            if not self._was_rotated(head):
                raise OSError(f"the log is shorter than its head says ({size} octets, not {head.size})")
            head = Head(seq=head.seq, sha256=head.sha256, size=0)
        return self._followed(head)

    def _followed(self, head: Head) -> Follower:
        follower = Follower(head.seq, head.sha256, head.size)
        with self.path.open("rb") as written:
            written.seek(head.size)
            for line in written:
                reason = follower.take(line)
                if reason is not None:
                    raise OSError(f"a line behind the head is not of the chain: {reason}")
        return follower

    def _begin(self) -> None:
        """Begin a chain, or bring the head up to what a crash left behind it.

        A log of an older form is put aside. OSError for a chain that has lost its head.
        """
        head = Head.read(os.pread(self._head_file, 256, 0))
        if head is not None:
            at = self._caught_up()
            reached = Head(seq=at.seq, sha256=at.sha256, size=at.size)
            if reached != head:
                self._settle(reached)
            return
        written = self.path.read_bytes()
        if IS_CHAINED in written or _numbered(self.path):
            raise OSError(HEADLESS)
        if b"\n" in written:
            self.path.rename(self.path.with_suffix(UNCHAINED))
            os.close(self._file)
            self._file = _opened(self.path)
        self._put_head(Head())

    def _rotate(self) -> int:
        """Give the file a number and begin a new one; its size."""
        numbers = [number for number, _ in _numbered(self.path)]
        self.path.rename(self.path.with_suffix(f".{max(numbers, default=0) + 1:06d}.jsonl"))
        os.close(self._file)
        self._file = _opened(self.path)
        return 0

    def _was_rotated(self, head: Head) -> bool:
        """Whether the file that the head tells of has just got its number."""
        found = _numbered(self.path)
        if not found or found[-1][1].stat().st_size != head.size:
            return False
        *_, last = found[-1][1].read_bytes().splitlines(keepends=True)
        return sha256_of(last) == head.sha256

    def _put_head(self, head: Head) -> None:
        os.pwrite(self._head_file, head.text(), 0)
        os.fsync(self._head_file)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else appends meanwhile, in this process or in another."""
        with self._lock:
            if self._head_file == _SHUT:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            fcntl.flock(self._head_file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._head_file, fcntl.LOCK_UN)

    def _failed(self, flaw: OSError) -> AuditFailed:
        return AuditFailed(
            f"audit log {self.path}: {flaw.strerror or flaw}",
            "nothing was done; make the file writable or free disk space, then repeat the request; "
            "where the log was changed, see: lineside server audit verify",
        )


def head_of(path: Path) -> Path:
    """The file with the head of a log."""
    return path.with_suffix(".head")


def files_of(path: Path) -> list[Path]:
    """The files of a log, the oldest first."""
    return [*(found for _, found in _numbered(path)), *([path] if path.exists() else [])]


def _numbered(path: Path) -> list[tuple[int, Path]]:
    stem = path.stem
    found = [(file.suffixes[0][1:], file) for file in path.parent.glob(f"{stem}.*.jsonl")]
    return sorted((int(number), file) for number, file in found if number.isdigit())


def _opened(path: Path) -> int:
    return open_private(path, os.O_WRONLY | os.O_APPEND)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0
