"""Marks of commits, in memory that the processes of one server share.

To ask SQLite whether another process has committed costs a tenth of a GET. Each writer counts here instead:
once before it commits and once after, so that an odd count is a commit that nobody knows the outcome of.
"""

import mmap
from typing import Final

_COUNT: Final = "Q"
_OCTETS: Final = 8
WRITERS: Final = 2
"""Writers of a process: its event loop and its thread."""


class Mark:
    """The count of one writer, which alone writes it."""

    __slots__ = ("_count", "_counts", "_place")

    def __init__(self, counts: "memoryview[int]", place: int) -> None:
        self._counts = counts
        self._place = place
        before = counts[place]
        self._count = before + before % 2  # one that was killed as it committed has left it odd
        counts[place] = self._count

    def __enter__(self) -> None:
        """A commit begins."""
        self._count += 1
        self._counts[self._place] = self._count

    def __exit__(self, *_: object) -> None:
        """It has ended, well or not."""
        self._count += 1
        self._counts[self._place] = self._count


class CommitMarks:
    """The counts of all writers of a server of `processes`; made before they fork.

    An item of a view is written in one piece: `struct.pack_into` clears the octets first, and a count of 0
    may be the one that another process has seen.
    """

    def __init__(self, processes: int) -> None:
        self._memory = mmap.mmap(-1, processes * WRITERS * _OCTETS)
        self._counts: memoryview[int] = memoryview(self._memory).cast(_COUNT)

    def mark(self, process: int, writer: int) -> Mark:
        """The count of one writer of a process, for as long as it lives."""
        return Mark(self._counts, process * WRITERS + writer)

    def seen(self) -> bytes:
        """All counts: others than before once anybody may have committed."""
        return self._memory[:]


def is_quiet(seen: bytes) -> bool:
    """Whether nobody was committing."""
    return not any(count % 2 for count in memoryview(seen).cast(_COUNT))
