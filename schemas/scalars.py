"""Text to value and value to text, for every primitive of the schema: strict, cached, without IO."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum
from typing import Final
from urllib.parse import urlsplit

from schemas.errors import Malformed
from schemas.fields import Scalar

Value = int | str | bool
Read = Callable[[str | None], Value]
Known = dict[str | None, Value]
"""Values read before, by their text: the numbers of a document repeat, and a look-up beats a parse."""

BOUNDS: Final[dict[str, tuple[int, int]]] = {
    "xs:byte": (-(2**7), 2**7 - 1),
    "xs:short": (-(2**15), 2**15 - 1),
    "xs:int": (-(2**31), 2**31 - 1),
    "xs:long": (-(2**63), 2**63 - 1),
    "xs:unsignedByte": (0, 2**8 - 1),
    "xs:unsignedShort": (0, 2**16 - 1),
    "xs:unsignedInt": (0, 2**32 - 1),
    "xs:unsignedLong": (0, 2**64 - 1),
}
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,32}\Z")
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})*\Z")
_PATH: Final = re.compile(r"[\w/.?=&-]*\Z", re.ASCII)
"""What is a URI without a closer look: a path, as most are."""
_URI: Final = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*:(?!:)|(?![^/?#]*:))"
    r"(?://(?:[^/?#@\[\]]*@)?(?:\[[0-9A-Fa-f:.]+\]|[^/?#:@\[\]]*)(?::[0-9]{1,5})?(?=[/?#]|\Z)|(?!//))"
    r"[^?#\[\]]*(?:\?[^#\[\]]*)?(?:#[^#]*)?\Z"
)
"""A reference as RFC 3986 has it; other signs than its own may stand in it, as XML Schema says of anyURI."""
_NO_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
LONGEST_URI: Final = 2048
"""Characters of a URI that strangers may send: the schema has no bound, and what is kept needs one."""
_SPACE: Final = " \t\r\n"
_MOST_KNOWN: Final = 8192
_LONGEST_KNOWN: Final = 40
"""Characters of a text that is kept: any number fits, and no client fills the memory with white space."""


def bounds_of(scalar: Scalar) -> tuple[int, int]:
    """Least and greatest number that a numeric scalar may hold."""
    low, high = BOUNDS[scalar.primitive]
    return (low if scalar.low is None else scalar.low, high if scalar.high is None else scalar.high)


def reader_of(scalar: Scalar, known: Known | None = None, *, judges_uris: bool = False) -> Read:
    """Function that turns the text of an element or attribute into a value, or raises Malformed.

    It keeps numbers and truth values in `known`, where the caller may look them up first. Any text is taken
    for a URI, unless it `judges_uris`.
    """
    if scalar.primitive in BOUNDS:
        return _remembering(_integer_reader(scalar), {} if known is None else known)
    if scalar.primitive == "xs:boolean":
        return _remembering(_read_boolean, {} if known is None else known)
    if scalar.primitive == "xs:hexBinary":
        return _hex_reader(scalar)
    if scalar.primitive == "xs:anyURI":
        return _judge_uri if judges_uris else _read_uri
    return _string_reader(scalar)


def _remembering(read: Callable[[str], Value], known: Known) -> Read:
    def remembering(text: str | None) -> Value:
        value = read((text or "").strip(_SPACE))
        if text is None or len(text) > _LONGEST_KNOWN:
            return value
        if len(known) >= _MOST_KNOWN:
            known.clear()
        known[text] = value
        return value

    return remembering


def _integer_reader(scalar: Scalar) -> Callable[[str], Value]:
    low, high = bounds_of(scalar)

    def read(text: str) -> Value:
        if not _INTEGER.match(text):
            raise Malformed("lexical", f"{text[:40]!r} is not a whole number")
        value = int(text)
        if not low <= value <= high:
            raise Malformed("range", f"{value} outside {scalar.name} ({low} to {high})")
        return value

    return read


def _read_boolean(text: str) -> Value:
    if text not in _BOOLEANS:
        raise Malformed("lexical", f"{text[:40]!r} is not true or false")
    return _BOOLEANS[text]


def _hex_reader(scalar: Scalar) -> Read:
    most = scalar.max_length

    def read(text: str | None) -> Value:
        value = (text or "").strip(_SPACE)
        if not _HEX.match(value):
            raise Malformed("lexical", f"{value[:48]!r} is not a whole number of hex octets")
        if most is not None and len(value) > 2 * most:
            raise Malformed("length", f"{len(value) // 2} octets, {scalar.name} holds {most}")
        return value

    return read


def _string_reader(scalar: Scalar) -> Read:
    most = scalar.max_length

    def read(text: str | None) -> Value:
        value = text or ""
        if most is not None and len(value) > most:
            raise Malformed("length", f"{len(value)} characters, {scalar.name} holds {most}")
        return value

    return read


def _read_uri(text: str | None) -> Value:
    return (text or "").strip(_SPACE)


def _judge_uri(text: str | None) -> Value:
    value = (text or "").strip(_SPACE)
    if len(value) > LONGEST_URI:
        raise Malformed("length", f"{len(value)} characters, a URI has {LONGEST_URI} at most")
    if not _PATH.match(value) and not _is_uri(value):
        raise Malformed("lexical", f"{value[:48]!r} is no URI")
    return value


def _is_uri(value: str) -> bool:
    if not _URI.match(value) or _NO_ESCAPE.search(value):
        return False
    try:
        port = urlsplit(value).port
    except ValueError:  # a port above 65535, or no address between brackets
        return False
    return port is None or port >= 0


def flaw_of(scalar: Scalar, value: object) -> str | None:
    """What is wrong with a value for this scalar, or None where it fits."""
    wanted = int if scalar.primitive in BOUNDS else bool if scalar.primitive == "xs:boolean" else str
    if type(value) is not wanted and not (wanted is int and isinstance(value, IntEnum)):
        return f"{value!r} is not {wanted.__name__}"
    if wanted is bool:
        return None
    try:
        reader_of(scalar, judges_uris=True)(format(value))
    except Malformed as flaw:
        return flaw.detail
    return None
