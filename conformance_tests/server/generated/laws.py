"""Laws of values that no schema holds: check digits, and what a link to a list tells of it."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from certs import is_valid_pin, is_valid_sfdi
from schemas import ListLink

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIGITS: Final = {"sFDI": is_valid_sfdi, "pIN": is_valid_pin}


def broken(value: object) -> Iterator[str]:
    """Places in a resource with a wrong check digit, or a relative link to a list without `all`.

    IEEE 2030.5-2018, 6.3.3 and the annotation of ListLink in its schema.
    """
    for name, inner in _inner(value):
        law = _DIGITS.get(name)
        if law is not None and isinstance(inner, int) and not law(inner):
            yield f"the check digit of {name} {inner} is wrong"
        yield from broken(inner)
    for link in _links(value):
        if link.all is None and not urlsplit(link.href).netloc:
            yield f"the link to {link.href} has no `all`"


def links(value: object, at: str) -> list[ListLink]:
    """All links of a resource, which is at the URI `at`, to lists of the same server. RFC 3986, 5."""
    below = [link for _, inner in _inner(value) for link in links(inner, at)]
    here = urlsplit(at)[:2]
    return [*(link for link in _links(value) if urlsplit(urljoin(at, link.href))[:2] == here), *below]


def _links(value: object) -> list[ListLink]:
    return [inner for _, inner in _inner(value) if isinstance(inner, ListLink)]


def _inner(value: object) -> Iterator[tuple[str, object]]:
    """What is one level below a resource, by the names of its attributes."""
    if isinstance(value, list):
        yield from (("", one) for one in value)
    elif is_dataclass(value):
        yield from ((one.name, getattr(value, one.name)) for one in fields(value))
