"""Text for people: what a target sent may be anything, and must not break a report or a terminal."""

from __future__ import annotations

import re
from typing import Final

_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: str) -> str:
    """The text with a question mark in the place of what XML and terminals do not take."""
    return _UNPRINTABLE.sub("?", text)


def one_line(text: str, width: int) -> str:
    """The text on one line of at most so many characters."""
    flat = " ".join(printable(text).split())
    return flat if len(flat) <= width else f"{flat[: max(0, width - 3)]}..."


def duration(seconds: float) -> str:
    """A duration as a person says it: 4 s, 3 min 20 s, 2 h 5 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
