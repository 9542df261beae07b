"""Marks of commits, in memory that the processes of one server share.

To ask SQLite whether another process has committed costs a tenth of a GET. Each writer counts here instead:
once before it commits and once after, so that an odd count is a commit that nobody knows the outcome of.
"""

import mmap
from struct import pack_into, unpack_from
from typing import Final

_MARK: Final = "<Q"
_OCTETS: Final = 8
WRITERS: Final = 2
"""Writers of a process: its event loop and its thread."""


class Mark:
    """The count of one writer, which alone writes it."""

    __slots__ = ("_count", "_memory", "_place")

    def __init__(self, memory: mmap.mmap, place: int) -> None:
        self._memory = memory
        self._place = place * _OCTETS
        before: int = unpack_from(_MARK, memory, self._place)[0]
        self._count = before + before % 2  # one that was killed as it committed has left it odd
        pack_into(_MARK, memory, self._place, self._count)

    def __enter__(self) -> None:
        """A commit begins."""
        self._count += 1
        pack_into(_MARK, self._memory, self._place, self._count)

    def __exit__(self, *_: object) -> None:
        """It has ended, well or not."""
        self._count += 1
        pack_into(_MARK, self._memory, self._place, self._count)


class CommitMarks:
    """The counts of all writers of a server of `processes`; made before they fork."""

    def __init__(self, processes: int) -> None:
        self._memory = mmap.mmap(-1, processes * WRITERS * _OCTETS)

    def mark(self, process: int, writer: int) -> Mark:
        """The count of one writer of a process, for as long as it lives."""
        return Mark(self._memory, process * WRITERS + writer)

    def seen(self) -> bytes:
        """All counts: others than before once anybody may have committed."""
        return self._memory[:]


def is_quiet(seen: bytes) -> bool:
    """Whether nobody was committing."""
    return not any(octet % 2 for octet in seen[::_OCTETS])
