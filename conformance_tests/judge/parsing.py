"""Hostile XML in, a tree out: bounded in octets, elements and depth; no entities, no DTD, no network."""

from __future__ import annotations

import re
from typing import Final, cast

from lxml import etree

from conformance_tests.judge.flaws import Flaw, Kind

MOST_OCTETS: Final = 8 << 20
"""Octets of a body that is judged; larger ones are refused unread."""
MOST_ELEMENTS: Final = 100_000
"""Elements of a body that is judged."""
_HREF: Final = re.compile(rb"""\bhref\s*=\s*(["'])(.*?)\1""")
_UTF_8: Final = frozenset({"UTF-8", "UTF8", "US-ASCII", "ASCII"})


class UnreadableError(Exception):
    """There is no tree to judge; `flaw` says why."""

    def __init__(self, kind: Kind, text: str, line: int = 0) -> None:
        super().__init__(text)
        self.flaw = Flaw(kind=kind, path="", text=text, line=line)


def parsed(data: bytes) -> etree._Element:
    """The document element. Raises UnreadableError."""
    if not data.strip():
        raise UnreadableError(Kind.NOT_XML, "the body is empty")
    if len(data) > MOST_OCTETS:
        raise UnreadableError(Kind.SIZE, f"{len(data)} octets, at most {MOST_OCTETS} are judged")
    if data.count(b"<") > 2 * MOST_ELEMENTS:
        raise UnreadableError(Kind.SIZE, f"more than {MOST_ELEMENTS} elements")
    if b"\0" in data:
        raise UnreadableError(Kind.FORBIDDEN, "a zero octet; the body must be UTF-8")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise UnreadableError(Kind.FORBIDDEN, "a document type declaration; no entities are allowed")
    try:
        root = etree.fromstring(data, _parser())
    except (etree.XMLSyntaxError, ValueError, LookupError) as flaw:
        position = getattr(flaw, "position", (0, 0))
        raise UnreadableError(Kind.NOT_XML, str(flaw)[:200] or "no document", position[0] or 0) from None
    return _checked(root)


def hrefs_of(data: bytes) -> frozenset[str]:
    """The attributes `href` of a body, as written; of one that cannot be read, what looks like them."""
    try:
        root = parsed(data)
    except UnreadableError:
        return frozenset(found.decode(errors="replace") for _, found in _HREF.findall(data))
    return frozenset(str(one.get("href")) for one in root.iter() if one.get("href") is not None)


def _checked(root: etree._Element) -> etree._Element:
    info = root.getroottree().docinfo
    if cast("object | None", info.internalDTD) is not None:
        raise UnreadableError(Kind.FORBIDDEN, "a document type declaration; no entities are allowed")
    if (info.encoding or "UTF-8").upper() not in _UTF_8:
        raise UnreadableError(Kind.FORBIDDEN, f"encoding {info.encoding} where UTF-8 belongs")
    return root


def _parser() -> etree.XMLParser:
    """A parser of its own for each document, so that no error of one shows in another's."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
