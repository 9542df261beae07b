"""Why a value is none of its type, in words."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from lxml import etree

from conformance_tests.judge.flaws import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance_tests.judge.grammar import Grammar

Why = tuple[Kind, str]
_SPANS: Final = {
    "byte": (-(1 << 7), (1 << 7) - 1),
    "short": (-(1 << 15), (1 << 15) - 1),
    "int": (-(1 << 31), (1 << 31) - 1),
    "long": (-(1 << 63), (1 << 63) - 1),
    "unsignedByte": (0, (1 << 8) - 1),
    "unsignedShort": (0, (1 << 16) - 1),
    "unsignedInt": (0, (1 << 32) - 1),
    "unsignedLong": (0, (1 << 64) - 1),
}
_WHOLE: Final = re.compile(r"([+-]?)0*([0-9]{1,40})")
_HEX: Final = re.compile(r"[0-9a-fA-F]*")
_PLAIN_URI: Final = re.compile(r"[\w/.?=&-]*", re.ASCII)
"""What is a URI without a closer look: a path, as most are."""
_SPACE: Final = " \t\r\n"


def why_not(grammar: Grammar, type_name: str, text: str) -> Why | None:
    """What keeps a text from being a value of a type, None where nothing is seen."""
    primitive = grammar.primitive(type_name) or ""
    why = _of_primitive(primitive, text)
    for form in grammar.value_forms(type_name):
        why = why or _of_bounds(primitive, form.bounds, text) or _of_table(form.allowed, text)
    return why


def number_of(primitive: str, text: str) -> int | None:
    """The number that a text stands for, None where it is none."""
    bare = text.strip(_SPACE)
    if primitive in _SPANS:
        return _whole(bare)
    if primitive == "hexBinary":
        return int(bare, 16) if bare and _HEX.fullmatch(bare) else None
    return None


def shown(text: str) -> str:
    """A value as it is told: quoted and short."""
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def _of_primitive(primitive: str, text: str) -> Why | None:
    bare = text.strip(_SPACE)
    if primitive in _SPANS:
        return _of_whole(primitive, bare)
    if primitive == "boolean" and bare not in {"true", "false", "0", "1"}:
        return Kind.VALUE, f"{shown(text)} is neither true nor false"
    if primitive == "hexBinary" and not _HEX.fullmatch(bare):
        return Kind.VALUE, f"{shown(text)} has other signs than hex digits"
    if primitive == "hexBinary" and len(bare) % 2:
        return Kind.VALUE, f"{shown(text)} has an odd number of hex digits ({len(bare)})"
    if primitive == "anyURI" and not _is_uri(bare):
        return Kind.VALUE, f"{shown(text)} is no URI"
    return None


def _is_uri(bare: str) -> bool:
    """Whether libxml2 takes a text as a URI: strict with ports, lax with spaces."""
    if _PLAIN_URI.fullmatch(bare):
        return True
    held = etree.Element("uri")
    held.text = bare
    return bool(_uri_schema().validate(held))


@cache
def _uri_schema() -> etree.XMLSchema:
    text = '<xs:schema xmlns:xs="{}"><xs:element name="uri" type="xs:anyURI"/></xs:schema>'
    return etree.XMLSchema(etree.fromstring(text.format("http://www.w3.org/2001/XMLSchema")))


def _whole(bare: str) -> int | None:
    """A whole number, whatever zeros it begins with; None where it is none, or has more than 40 digits."""
    found = _WHOLE.fullmatch(bare)
    return None if found is None else int(found[1] + found[2])


def _of_whole(primitive: str, bare: str) -> Why | None:
    number = _whole(bare)
    if number is None:
        return Kind.VALUE, f"{shown(bare)} is no whole number"
    low, high = _SPANS[primitive]
    return None if low <= number <= high else (Kind.RANGE, f"{shown(bare)} is not in {low} to {high}")


def _of_bounds(primitive: str, bounds: Mapping[str, str], text: str) -> Why | None:
    bare = text.strip(_SPACE)
    for name, bound in bounds.items():
        if name.endswith("ngth"):
            size = len(bare) // 2 if primitive == "hexBinary" else len(text)
            unit = "octets" if primitive == "hexBinary" else "characters"
            if not _fits(name, size, int(bound)):
                return Kind.RANGE, f"{shown(text)} has {size} {unit}, {_WORDS[name]} {bound}"
        elif primitive in _SPANS and not _fits(name, _whole(bare) or 0, int(bound)):
            return Kind.RANGE, f"{shown(text)} is out of range, {_WORDS[name]} {bound}"
    return None


_WORDS: Final = {
    "minInclusive": "at least",
    "maxInclusive": "at most",
    "minExclusive": "more than",
    "maxExclusive": "less than",
    "minLength": "at least",
    "maxLength": "at most",
    "length": "exactly",
}


def _fits(name: str, value: int, bound: int) -> bool:
    if name == "length":
        return value == bound
    if name.endswith("Exclusive"):
        return value > bound if name.startswith("min") else value < bound
    return value >= bound if name.startswith("min") else value <= bound


def _of_table(allowed: list[str], text: str) -> Why | None:
    if not allowed or text.strip(_SPACE) in allowed:
        return None
    return Kind.ENUMERATION, f"{shown(text)} is none of {', '.join(allowed[:12])}"
