"""Which documents leave something behind in the parser.

libxml2 keeps every name that it reads in one dictionary per thread, for as long as the thread lives, and
refuses documents once that is full. What holds other names than ours is for a thread that ends with it.
"""

import re
from dataclasses import dataclass
from typing import Final

PREFIXES: Final = frozenset(
    {b"", b"xsi", b"sep", b"ns", b"tns", b"csipaus", *(b"ns%d" % n for n in range(10))}
)
"""Prefixes of names and namespaces that clients use; another one is as good, and costs a thread."""
_DECLARATION: Final = re.compile(
    rb"""(?i)<\?xml version=["']1\.[01]["'](?: encoding=["'](?:utf-?8|us-ascii)["'])?"""
    rb"""(?: standalone=["'](?:yes|no)["'])? ?\?>"""
)
_TAG: Final = re.compile(rb"<([^>]*)")
_NAME: Final = re.compile(rb"/?([^\s/]*)")
_SPACE: Final = re.compile(rb"""xmlns[^=]*=\s*["']([^"']*)""")
_ENTITY: Final = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);|#)")
_ODD_BLANKS: Final = re.compile(rb">(?!\r?\n *<|\r?\n\t*<)[ \t\r\n]{16,59}<")
"""White space that the parser keeps like a name, but for lines that are indented."""
_BLANK: Final = bytes.maketrans(b"\t\r\n", b"   ")
_LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The names of a profile: elements and attributes without prefixes, and namespaces."""

    elements: frozenset[bytes]
    attributes: frozenset[bytes]
    spaces: frozenset[bytes]


def is_plain(data: bytes, words: Words) -> bool:
    """Whether a document that may hold anything holds nothing that is kept of it but `words`."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    declared = _DECLARATION.match(data)
    body = (data[declared.end() :] if declared else data).lstrip()
    if not body.startswith(b"<") or (b"&" in body and _ENTITY.search(body)):
        return False
    names = {next(_NAME.finditer(tag))[1] for tag in set(_TAG.findall(body))}
    if not all(_is_known(name, words.elements) for name in names):
        return False
    if b" " * 16 in body.translate(_BLANK) and _ODD_BLANKS.search(body):
        return False
    return _has_known_attributes(body, words)


def _is_known(name: bytes, names: frozenset[bytes]) -> bool:
    prefix, _, local = name.rpartition(b":")
    return local in names and prefix in PREFIXES


def _has_known_attributes(body: bytes, words: Words) -> bool:
    """Whether before each equals sign the name of an attribute of ours stands, and namespaces are ours."""
    pieces = body.split(b'="')
    if len(pieces) - 1 == body.count(b"="):
        names = {piece[piece.rfind(b" ") + 1 :] for piece in pieces[:-1]}
    else:
        names = {(piece[-_LONGEST_NAME:].split() or [b""])[-1] for piece in body.split(b"=")[:-1]}
    spaces = {name for name in names if name == b"xmlns" or name.startswith(b"xmlns:")}
    if spaces and not words.spaces.issuperset(_SPACE.findall(body)):
        return False
    is_known = all(_is_known(name, words.attributes) for name in names - spaces)
    return is_known and all(name[6:] in PREFIXES for name in spaces)
