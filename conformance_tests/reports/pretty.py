"""XML laid out for reading, by its tags alone: nothing is parsed, so whatever a target sends can be shown."""

from __future__ import annotations

import re
from typing import Final

from conformance_tests.reports.plain import printable

_PIECE: Final = re.compile(r"<[^>]*>|[^<]+|<")
MOST_LINES: Final = 600


def pretty(body: bytes) -> str:
    """The body for people: XML indented, other text as it is, else hex; at most MOST_LINES lines."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return f"{len(body)} octets: {body[:256].hex(' ')}"
    text = printable(text)
    lines = _laid_out(text) if text.lstrip().startswith("<") else text.splitlines()
    cut = (
        [*lines[:MOST_LINES], f"... {len(lines) - MOST_LINES} more lines"]
        if len(lines) > MOST_LINES
        else lines
    )
    return "\n".join(cut)


def _laid_out(text: str) -> list[str]:
    pieces = [piece.strip() for piece in _PIECE.findall(text)]
    pieces = [piece for piece in pieces if piece]
    lines: list[str] = []
    depth, at = 0, 0
    while at < len(pieces):
        taken = _leaf(pieces, at)
        piece = "".join(pieces[at : at + taken])
        depth -= _closes(pieces[at])
        lines.append("  " * max(0, depth) + piece)
        depth += taken == 1 and _opens(pieces[at])
        at += taken
    return lines


def _leaf(pieces: list[str], at: int) -> int:
    """How many pieces stand on one line: an element with text alone, an empty one, or one piece."""
    if not _opens(pieces[at]):
        return 1
    if at + 1 < len(pieces) and _closes(pieces[at + 1]):
        return 2
    if at + 2 < len(pieces) and not pieces[at + 1].startswith("<") and _closes(pieces[at + 2]):
        return 3
    return 1


def _opens(piece: str) -> bool:
    return piece.startswith("<") and not piece.startswith(("</", "<?", "<!")) and not piece.endswith("/>")


def _closes(piece: str) -> bool:
    return piece.startswith("</")
