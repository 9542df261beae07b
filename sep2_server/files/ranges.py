"""Which octets a request asks for. RFC 9110, 13 and 14; pure."""

import re
from dataclasses import dataclass
from typing import Final

from sep2_server.errors import NotSatisfiable

_SINGLE: Final = re.compile(r"\s*bytes\s*=\s*([0-9]{0,19})-([0-9]{0,19})\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Piece:
    """Octets of a file from `start` up to, without, `stop`; `is_part`: as asked for by a Range header."""

    start: int
    stop: int
    is_part: bool

    @property
    def length(self) -> int:
        """How many octets."""
        return self.stop - self.start

    def content_range(self, size: int) -> str:
        """Content-Range header for a file of this size."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def piece_of(size: int, etag: str, range_: str | None, if_range: str | None) -> Piece:
    """The octets that the headers Range and If-Range ask for; NotSatisfiable where there are none such.

    A range in other units, one of several parts, or one for another version of the file (If-Range) is
    ignored: the answer is the whole file.
    """
    whole = Piece(0, size, is_part=False)
    if range_ is None or (if_range is not None and if_range.strip() != etag):
        return whole
    found = _SINGLE.fullmatch(range_)
    if found is None or not (found[1] or found[2]):
        return whole
    first, last = found[1], found[2]
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start = int(first)
        stop = min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return whole
    if start >= stop:
        raise NotSatisfiable(f"{range_[:80]} of {size} octets", size)
    return Piece(start, stop, is_part=True)


def is_unchanged(etag: str, if_none_match: str | None) -> bool:
    """Whether a client that has a version of the file need not be sent it again."""
    if if_none_match is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in tags or etag in tags
