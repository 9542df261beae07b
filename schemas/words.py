"""Which documents leave something behind in the parser.

libxml2 keeps every name that it reads in one dictionary per thread, for as long as the thread lives, and
refuses documents once that is full. What holds other names than ours is for a thread that ends with it.
"""

import re
from dataclasses import dataclass, field
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
_WHOLE: Final = re.compile(
    rb"""/?([^\s/<>="']+)((?:[ \t\r\n]+[^\s/<>="']+[ \t\r\n]*=[ \t\r\n]*(?:"[^"<]*"|'[^'<]*'))*)"""
    rb"""[ \t\r\n]*/?"""
)
"""A tag from its first to its last letter: its name, and its attributes with their values.

Each step back fails at once. (Possessive quantifiers, which take none, match wrongly in Python 3.11.2.)
"""
_ATTRIBUTE: Final = re.compile(rb"""([^\s=]+)[ \t\r\n]*=[ \t\r\n]*("[^"]*"|'[^']*')""")
_ENTITY: Final = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);|#)")
_ODD_BLANKS: Final = re.compile(rb">(?!\r?\n *<|\r?\n\t*<)[ \t\r\n]{16,59}<")
"""White space that the parser keeps like a name, but for lines that are indented."""
_BLANK: Final = bytes.maketrans(b"\t\r\n", b"   ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The names of a profile: elements and attributes without prefixes, and namespaces."""

    elements: frozenset[bytes]
    attributes: frozenset[bytes]
    spaces: frozenset[bytes]
    bare: frozenset[bytes] = field(init=False)
    """What stands in tags of ours that have neither prefix nor attribute."""

    def __post_init__(self) -> None:
        bare = self.elements | {b"/" + name for name in self.elements}
        object.__setattr__(self, "bare", bare)


def is_plain(data: bytes, words: Words) -> bool:
    """Whether a document that may hold anything holds nothing that is kept of it but `words`.

    It takes time by the length of the document, whatever it holds.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    declared = _DECLARATION.match(data)
    body = (data[declared.end() :] if declared else data).lstrip()
    if not body.startswith(b"<") or (b"&" in body and _ENTITY.search(body)):
        return False
    if b" " * 16 in body.translate(_BLANK) and _ODD_BLANKS.search(body):
        return False
    return all(_is_ours(tag, words) for tag in set(_TAG.findall(body)) - words.bare)


def _is_ours(tag: bytes, words: Words) -> bool:
    """Whether a tag is whole, and all names in it are ours."""
    found = _WHOLE.fullmatch(tag)
    if found is None or not _is_known(found[1], words.elements):
        return False
    return all(_is_known_attribute(name, value[1:-1], words) for name, value in _ATTRIBUTE.findall(found[2]))


def _is_known_attribute(name: bytes, value: bytes, words: Words) -> bool:
    if name == b"xmlns" or name.startswith(b"xmlns:"):
        return value in words.spaces and name[6:] in PREFIXES
    return _is_known(name, words.attributes)


def _is_known(name: bytes, names: frozenset[bytes]) -> bool:
    prefix, _, local = name.rpartition(b":")
    return local in names and prefix in PREFIXES
