"""The audit log: one JSON line per action of an operator, appended and synced before it is done."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from sep2_server.operator.errors import AuditFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One action: when (server time, s since 1970 UTC), by which token, what, on what, and how it went."""

    time: int
    who: str
    action: str
    target: str
    outcome: str

    def line(self) -> bytes:
        """The entry as one line of JSON."""
        moment = datetime.fromtimestamp(self.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        record = {
            "time": moment,
            "who": self.who,
            "action": self.action,
            "target": self.target,
            "outcome": self.outcome,
        }
        return json.dumps(record, ensure_ascii=False).encode() + b"\n"


class AuditLog:
    """An append-only file of entries; it is never read back, rewritten or shortened here."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = -1
        self._is_torn = False

    @classmethod
    def open(cls, path: Path) -> Self:
        """The log in this file, made with mode 0600 if absent. AuditFailed where it cannot be written."""
        log = cls(path)
        log._reopen()
        return log

    def append(self, entry: Entry) -> None:
        """Write one entry and wait until it is on the disk. AuditFailed means: do not do the action."""
        line = (b"\n" if self._is_torn else b"") + entry.line()
        try:
            self._is_torn = os.write(self._file, line) != len(line)
            os.fsync(self._file)
        except OSError as flaw:
            raise self._failed(flaw) from flaw
        if self._is_torn:
            raise self._failed(OSError("only a part of the line was written"))

    def close(self) -> None:
        """Give the file back."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _reopen(self) -> None:
        try:
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with self.path.open("rb") as written:
                size = written.seek(0, os.SEEK_END)
                written.seek(max(size - 1, 0))
                self._is_torn = written.read(1) not in {b"", b"\n"}
        except OSError as flaw:
            raise self._failed(flaw) from flaw

    def _failed(self, flaw: OSError) -> AuditFailed:
        return AuditFailed(
            f"audit log {self.path}: {flaw.strerror or flaw}",
            "nothing was done; make the file writable or free disk space, then repeat the request",
        )
