"""JSON of strangers, with exact numbers and within bounds."""

import json
from decimal import InvalidOperation
from typing import Final

from openadr_ven.bounds import MOST_POWER, bounded_number
from openadr_ven.v3.errors import UnreadableError

MOST_BYTES: Final = 4_000_000
"""Of one answer: a page has 50 objects at most."""
MOST_DEPTH: Final = 32
"""The deepest object of the standard has 8."""


def parsed(body: bytes, *, most_bytes: int = MOST_BYTES) -> object:
    """What a JSON text says, numbers as int or Decimal. Raises UnreadableError beyond bounds or for no JSON.

    NaN and Infinity are no JSON. Of a key that comes twice the last counts.
    """
    if len(body) > most_bytes:
        raise UnreadableError(f"{len(body)} octets are too many")
    try:
        found: object = json.loads(
            body, parse_float=bounded_number, parse_int=_whole, parse_constant=_no_number
        )
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise UnreadableError(f"no JSON that can be read: {_short(error)}") from error
    _require_shallow(found)
    return found


def _whole(text: str) -> int:
    if len(text) > MOST_POWER:
        raise ValueError("a number is too long")
    return int(text)


def _no_number(text: str) -> object:
    raise ValueError(f"{text} is no number of JSON")


def _require_shallow(found: object) -> None:
    """Walk level by level: what was parsed is finite."""
    level: list[object] = [found]
    for _ in range(MOST_DEPTH + 1):
        inner: list[object] = []
        for one in level:
            if isinstance(one, dict):
                inner.extend(one.values())
            elif isinstance(one, list):
                inner.extend(one)
        if not inner:
            return
        level = inner
    raise UnreadableError(f"deeper than {MOST_DEPTH} levels")


def _short(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text[:200]
