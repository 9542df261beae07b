"""Hypothesis strategies made of the declarations: resources that the schema allows, and bodies near them."""

import re
import string

from hypothesis import strategies as st

from schemas import Field, Scalar, spec_of
from schemas.scalars import BOUNDS, bounds_of

CHARACTERS = string.printable.translate({ord(c): None for c in "\x0b\x0c\r"}) + "\u00e9\u20ac\U0001f50c"
HEX = "0123456789abcdefABCDEF"
URIS = ("/edev/1", "https://a.example:8443/derp/2?x=1&y=2", "")
EXTREMES: tuple[bytes, ...] = (
    b"-1",
    b"0",
    b"1",
    b"255",
    b"256",
    b"65536",
    b"4294967296",
    b"-9223372036854775808",
    b"9" * 40,
)
EXTREMES += (b"", b" ", b"NaN", b"1e9", b"true", b"\xc3\x28", b"&#0;", b"&amp;", b"<x/>", b"0" * 5000)
_ELEMENT = re.compile(rb"<(\w+)[^<>]*>[^<]*</\1>|<\w+[^<>]*/>")
_TEXT = re.compile(rb">([^<>]+)<")


def values_of(scalar: Scalar) -> st.SearchStrategy[object]:
    """Any value of a type without children."""
    if scalar.primitive in BOUNDS:
        return st.integers(*bounds_of(scalar))
    if scalar.primitive == "xs:boolean":
        return st.booleans()
    if scalar.primitive == "xs:hexBinary":
        most = scalar.max_length or 0
        return st.integers(0, most).flatmap(lambda n: st.text(HEX, min_size=2 * n, max_size=2 * n))
    if scalar.primitive == "xs:anyURI":
        return st.sampled_from(URIS)
    return st.text(CHARACTERS, max_size=min(scalar.max_length or 40, 40))


def field_values(f: Field, depth: int) -> st.SearchStrategy[object]:
    """Any value of a field; at depth 0 only what must be there."""
    one = values_of(f.scalar) if f.scalar else resources(f.target, depth - 1) if f.target else st.none()
    if f.is_list:
        return st.lists(one, min_size=int(f.required), max_size=2 if depth > 0 else int(f.required))
    if f.required:
        return one
    return st.none() | one if depth > 0 or f.scalar else st.none()


def resources(cls: type, depth: int = 2) -> st.SearchStrategy[object]:
    """Any resource of a class that the schema allows."""
    return st.fixed_dictionaries({f.attr: field_values(f, depth) for f in spec_of(cls)}).map(
        lambda values: cls(**values)
    )


@st.composite
def mutated(draw: st.DrawFn, document: bytes) -> bytes:
    """A document with one to three things done to it that a broken or hostile client might do."""
    for _ in range(draw(st.integers(1, 3))):
        change = draw(st.sampled_from([_without, _twice, _swapped, _other_text, _other_octet, _cut]))
        document = change(draw, document)
    return document


def _places(document: bytes, pattern: re.Pattern[bytes]) -> list[tuple[int, int]]:
    return [found.span() for found in pattern.finditer(document)] or [(0, len(document))]


def _without(draw: st.DrawFn, document: bytes) -> bytes:
    start, end = draw(st.sampled_from(_places(document, _ELEMENT)))
    return document[:start] + document[end:]


def _twice(draw: st.DrawFn, document: bytes) -> bytes:
    start, end = draw(st.sampled_from(_places(document, _ELEMENT)))
    return document[:end] + document[start:]


def _swapped(draw: st.DrawFn, document: bytes) -> bytes:
    places = _places(document, _ELEMENT)
    (start, end), (other, last) = sorted(draw(st.tuples(st.sampled_from(places), st.sampled_from(places))))
    if end > other:
        return document
    return (
        document[:start] + document[other:last] + document[end:other] + document[start:end] + document[last:]
    )


def _other_text(draw: st.DrawFn, document: bytes) -> bytes:
    start, end = draw(st.sampled_from(_places(document, _TEXT)))
    return document[: start + 1] + draw(st.sampled_from(EXTREMES)) + document[max(end - 1, start + 1) :]


def _other_octet(draw: st.DrawFn, document: bytes) -> bytes:
    place = draw(st.integers(0, max(len(document) - 1, 0)))
    return document[:place] + bytes([draw(st.integers(0, 255))]) + document[place + 1 :]


def _cut(draw: st.DrawFn, document: bytes) -> bytes:
    return document[: draw(st.integers(0, len(document)))]
