"""The audit log as a chain: every line has a number and the SHA-256 of the line before it. Pure.

A head (number, SHA-256 and place of the last line) is kept beside it, so that a shortened log is seen too.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

GENESIS: Final = "0" * 64
"""What the first line says of the line before it."""
FILTERS: Final = ("who", "action", "target", "outcome")
"""Fields of an entry that lines are looked for by."""
NOT_BEHIND: Final = "it does not follow on the line before it"
SPOIL: Final = b"~"
_HEAD: Final = re.compile(rb"([0-9]{20}) ([0-9a-f]{64}) ([0-9]{20})\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One action: when (server time, s since 1970 UTC), by which token, what, on what, and how it went.

    `body` is the SHA-256 of what was sent, without secrets; `address` says where from.
    """

    time: int
    who: str
    action: str
    target: str
    outcome: str
    body: str | None = None
    address: str = ""

    def line(self, seq: int, prev: str, torn: str | None = None) -> bytes:
        """The entry as line number `seq` behind the one with the SHA-256 `prev`; `torn` as in `Follower`."""
        record: dict[str, object] = {
            "seq": seq,
            "time": datetime.fromtimestamp(self.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "who": self.who,
            "action": self.action,
            "target": self.target,
            "outcome": self.outcome,
        }
        record |= {"body": self.body} if self.body else {}
        record |= {"address": self.address} if self.address else {}
        record |= {"torn": torn} if torn else {}
        return json.dumps({**record, "prev": prev}, ensure_ascii=False).encode() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Number and SHA-256 of the last line, and the size of its file in octets behind it."""

    seq: int = 0
    sha256: str = GENESIS
    size: int = 0

    def text(self) -> bytes:
        """The head as its file holds it; always of the same length."""
        return f"{self.seq:020d} {self.sha256} {self.size:020d}\n".encode()

    @classmethod
    def read(cls, text: bytes) -> Self | None:
        """The head that a file holds, None where it holds none."""
        found = _HEAD.fullmatch(text)
        if found is None:
            return None
        return cls(seq=int(found[1]), sha256=found[2].decode(), size=int(found[3]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """The first line that is not as it was written: its file, its place there from 1 on, and why."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check found: lines that hold, the first that does not. `is_torn`: the end was cut short."""

    lines: int
    flaw: Flaw | None = None
    is_torn: bool = False


def sha256_of(line: bytes) -> str:
    """SHA-256 of a line without its end."""
    return hashlib.sha256(line.removesuffix(b"\n")).hexdigest()


class Follower:
    """Goes along a chain line by line.

    A line that was cut short by a crash is no entry; the next line tells its SHA-256 as `torn`. `size` is
    that of the file up to the last entry.
    """

    def __init__(self, seq: int = 0, sha256: str = GENESIS, size: int = 0) -> None:
        self.seq = seq
        self.sha256 = sha256
        self.size = size
        self.torn: str | None = None
        self._seen = size

    def take(self, line: bytes) -> str | None:
        """Go on by a line; the reason why it does not follow, or None."""
        record = _record(line)
        self._seen += len(line)
        if record is None:
            cut = sha256_of(line + spoil_of(line))
            self.torn = cut if self.torn is None else sha256_of(f"{self.torn}{cut}".encode())
            return None
        if record.get("torn") != self.torn:
            return "it is no entry of the log" if self.torn else "it tells of a line that is not there"
        if record.get("seq") != self.seq + 1:
            return f"it has number {record.get('seq')!r:.30} where {self.seq + 1} is due"
        if record.get("prev") != self.sha256:
            return NOT_BEHIND
        self.seq, self.sha256, self.torn = self.seq + 1, sha256_of(line), None
        self.size = self._seen
        return None


def spoil_of(line: bytes) -> bytes:
    """What makes a line without its end no entry for good: nothing where it is none anyway."""
    return SPOIL if not line.endswith(b"\n") and _record(line + b"\n") is not None else b""


def check(files: Iterable[tuple[str, Iterable[bytes]]], head: Head | None) -> Verdict:
    """Whether lines (each with its end) are the whole chain up to its head, from the oldest file on."""
    follower = Follower()
    place, line = Flaw(file="the log", line=0, reason=""), b"\n"
    cut: Flaw | None = None
    lines = 0
    numbered = _numbered(files)
    for place, line in numbered:
        reason = follower.take(line)
        if reason is not None:
            at = cut or _culprit(place, reason, line, numbered, head)
            return Verdict(lines=lines, flaw=_at(at, at.reason or reason))
        cut = None if follower.torn is None else cut or place
        lines += follower.torn is None
        if head is not None and follower.seq > head.seq:
            return Verdict(lines=lines - 1, flaw=_at(place, "it is behind the head of the log"))
    if cut is not None and line.endswith(b"\n"):
        return Verdict(lines=lines, flaw=_at(cut, "it is no entry of the log"))
    return _at_end(lines, follower, place, head)


def _at_end(lines: int, follower: Follower, place: Flaw, head: Head | None) -> Verdict:
    flaw = None
    if head is None:
        flaw = _at(place, "the head of the log is missing") if lines else None
    elif follower.seq < head.seq:
        flaw = _at(place, f"lines up to number {head.seq} are missing behind it")
    elif follower.sha256 != head.sha256:
        flaw = _at(place, "it is not the line that the head of the log tells")
    return Verdict(lines=lines, flaw=flaw, is_torn=follower.torn is not None)


def _culprit(
    place: Flaw,
    reason: str,
    line: bytes,
    rest: Iterator[tuple[Flaw, bytes]],
    head: Head | None,
) -> Flaw:
    """The line that was changed: the one before, where the line that does not fit is itself as written."""
    if reason != NOT_BEHIND or place.line == 1:
        return _at(place, reason)
    following = next(rest, None)
    record = None if following is None else _record(following[1])
    told = record.get("prev") if record else head.sha256 if head else None
    if told == sha256_of(line):
        return Flaw(file=place.file, line=place.line - 1, reason="it is not as it was written")
    return _at(place, reason)


def _at(place: Flaw, reason: str) -> Flaw:
    return Flaw(file=place.file, line=place.line, reason=reason)


def _numbered(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[tuple[Flaw, bytes]]:
    for name, lines in files:
        for number, line in enumerate(lines, 1):
            yield Flaw(file=name, line=number, reason=""), line


def _record(line: bytes) -> dict[str, object] | None:
    """The entry in a line; None where it is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and line.endswith(b"\n") else None
