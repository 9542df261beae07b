"""The XML codec: the only parser of the project, and the writer.

Documents are UTF-8, have no DTD, no entities of their own, and a size limit; elements of foreign namespaces
are skipped, with all that they hold.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Final, TypeVar, cast

from lxml import etree

from schemas.diagnosis import nested_values, path_of
from schemas.errors import Malformed, Unwritable
from schemas.fields import REGISTRY, spec_of, wire_name
from schemas.profile import BASE, Profile
from schemas.reader import MOST_ATTRIBUTES, XSI_TYPE, Flat, Readers
from schemas.scalars import flaw_of
from schemas.words import Words, is_plain
from schemas.writer import Writers

T = TypeVar("T")

MEDIA_TYPE: Final = "application/sep+xml"
MOST_OCTETS: Final = 1 << 20
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_TEXTS = etree.XPath("count(//text())")
_ATTRIBUTES = etree.XPath("count(//@*)")
_UTF_8: Final = frozenset({"UTF-8", "UTF8", "US-ASCII", "ASCII"})


class Codec:
    """Reads and writes the documents of one profile."""

    def __init__(self, profile: Profile = BASE, *, judges_uris: bool = False) -> None:
        """`judges_uris`: reading refuses what is no URI; a client goes on with what else a document says."""
        self.profile = profile
        self._judges_uris = judges_uris
        self._parser = _PARSER
        self._readers, self._writers, self._known, self._words = _compiled_for(profile, judges_uris)
        self.spaces = f' xmlns="{profile.namespace}"'
        """The declarations of namespaces in every document, with a space before each."""
        if profile.extension_namespace:
            self.spaces += f' xmlns:{profile.prefix}="{profile.extension_namespace}"'

    @cached_property
    def judge(self) -> Codec:
        """The codec of the same profile that refuses what is no URI: for what strangers send to be stored."""
        return Codec(self.profile, judges_uris=True)

    def decode(self, data: bytes, expected: type[T] | tuple[type[T], ...], *, most: int = MOST_OCTETS) -> T:
        """The resource in a document, checked against the schema.

        `expected` is the class (or classes) that the document may hold, subclasses included; `most` bounds
        its size in octets. Raises Malformed.
        """
        root = _parsed(data, most, self._parser)
        cls = self.profile.class_of(str(root.tag))
        wanted = expected if isinstance(expected, tuple) else (expected,)
        if cls is None or not issubclass(cls, _standing_for(wanted)):
            names = " or ".join(wire_name(w) for w in wanted)
            raise Malformed("root", f"{str(root.tag)[:120]} where {names} belongs")
        return cast("T", self._read(root, cls))

    def decode_any(self, data: bytes, *, most: int = MOST_OCTETS) -> object:
        """The resource in a document of any type that the profile knows. Raises Malformed."""
        root = _parsed(data, most, self._parser)
        cls = self.profile.class_of(str(root.tag))
        if cls is None:
            raise Malformed("root", f"{str(root.tag)[:120]} is not a resource of {self.profile.name}")
        return self._read(root, cls)

    def decode_fragment(self, fragment: bytes, expected: type[T]) -> T:
        """The resource in a fragment that this codec wrote, whatever its size: escapes make it grow."""
        document = self.document(fragment)
        return self.decode(document, expected, most=len(document))

    def is_plain(self, data: bytes) -> bool:
        """Whether reading a document leaves nothing behind; what is not is for a codec that is `alone`."""
        return is_plain(data, self._words)

    def alone(self) -> Codec:
        """The same codec with a parser of its own, for a thread of its own: what it keeps ends with them."""
        codec = Codec(self.profile, judges_uris=self._judges_uris)
        codec._parser = _new_parser()
        return codec

    def encode(self, value: object) -> bytes:
        """The document of a resource."""
        return self._text(value, self.spaces).encode()

    def fragment(self, value: object, tag: str | None = None) -> bytes:
        """The element of a resource without namespace declarations, as it stands inside a list."""
        return self._text(value, "", tag).encode()

    def document(self, fragment: bytes) -> bytes:
        """A document made of a fragment."""
        end = min(i for i in (fragment.find(b" "), fragment.find(b">"), fragment.find(b"/>")) if i >= 0)
        return fragment[:end] + self.spaces.encode() + fragment[end:]

    def ends(self, head: object) -> tuple[bytes, bytes]:
        """What stands before and behind fragments of the items of a list; `head` is the list without them."""
        text = self._text(head, self.spaces)
        name = self._tag_of(type(head))
        opening = text[:-2] + ">" if text.endswith("/>") else text[: -len(f"</{name}>")]
        return opening.encode(), f"</{name}>".encode()

    def _text(self, value: object, first: str, tag: str | None = None) -> str:
        parts: list[str] = []
        cls = type(value)
        self._writers.of(cls)(parts.append, value, tag or self._tag_of(cls), first)
        return "".join(parts)

    def _tag_of(self, cls: type) -> str:
        name = wire_name(cls)
        for element, added in self.profile.additions.items():
            if added is cls:
                return f"{self.profile.prefix}:{element}"
        return name

    def _read(self, root: etree._Element, cls: type) -> object:
        read = self._readers.of(cls)
        flat = Flat.of(root)
        try:
            value, end = read(flat, 0)
        except Malformed:
            strange = set(flat.tags) - self._known
            if not strange:
                raise
            root = self._own(root, strange)
            flat = Flat.of(root)
            value, end = read(flat, 0)
        if end != len(flat.elements):
            raise nested_values(root)
        if flat.met[0] != _ATTRIBUTES(root):
            _refuse_attributes(root, self.profile)
        if len(flat.texts) - flat.texts.count(None) != _TEXTS(root):
            _refuse_tails(root)
        return value

    def _own(self, root: etree._Element, strange: set[object]) -> etree._Element:
        """A copy of a tree without elements of foreign namespaces; Malformed for unknown ones of our own.

        A foreign element is left out with all that it holds, elements of our own namespace too: what they
        mean there is for that schema to say. It is copied and not taken out, because lxml looks up each
        namespace of what is taken out among all that it has met.
        """
        copy = etree.Element(root.tag, _unforeign(root))
        waiting = [(root, copy)]
        while waiting:
            element, copied = waiting.pop()
            copied.text = element.text
            for child in element:
                if child.tag in strange:
                    self._require_foreign(child)
                    continue
                twin = etree.SubElement(copied, child.tag, _unforeign(child))
                twin.tail = child.tail
                waiting.append((child, twin))
        return copy

    def _require_foreign(self, element: etree._Element) -> None:
        tag = str(element.tag)
        space = tag[1:].partition("}")[0] if tag.startswith("{") else ""
        if space in {"", self.profile.namespace, self.profile.extension_namespace}:
            raise Malformed("unknown", f"{tag[:120]} is not an element of the schema", path_of(element))


@lru_cache(maxsize=32)
def _compiled_for(profile: Profile, judges_uris: bool) -> tuple[Readers, Writers, frozenset[object], Words]:
    """What the codecs of a profile share: its readers and writers, compiled once, tags and words it knows."""
    classes = [*REGISTRY.values(), *profile.extensions, *profile.additions.values()]
    tags: set[object] = {profile.element_of(cls) for cls in classes}
    tags |= {profile.tag(f) for cls in classes for f in spec_of(cls) if not f.is_attribute}
    attributes = {f.name for cls in classes for f in spec_of(cls) if f.is_attribute}
    words = Words(
        elements=frozenset(str(tag).rpartition("}")[2].encode() for tag in tags),
        attributes=frozenset(name.encode() for name in attributes | {"type", "schemaLocation"}),
        spaces=frozenset(
            space.encode() for space in (profile.namespace, profile.extension_namespace, XSI) if space
        ),
    )
    return Readers(profile, judges_uris=judges_uris), Writers(profile), frozenset(tags), words


def validate(value: object) -> None:
    """Hold a resource against its own declaration: types, bounds, required fields. Raises Unwritable."""
    cls = type(value)
    for f in spec_of(cls):
        held = getattr(value, f.attr)
        items = held if f.is_list else [held]
        if f.is_list and f.at_most is not None and not 1 <= len(items) <= f.at_most:
            raise Unwritable(f"{cls.__name__}.{f.name}: {len(items)} items, 1 to {f.at_most} allowed")
        for item in items:
            _check_item(value, f.name, item, required=f.required)
            flaw = flaw_of(f.scalar, item) if f.scalar and item is not None else None
            if flaw:
                raise Unwritable(f"{cls.__name__}.{f.name}: {flaw}")
            if f.target and item is not None:
                validate(item)


def _check_item(value: object, name: str, item: object, *, required: bool) -> None:
    if item is None and required:
        raise Unwritable(f"{type(value).__name__}.{name}: missing")


def _new_parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


_PARSER: Final = _new_parser()


def _parsed(data: bytes, most: int, parser: etree.XMLParser) -> etree._Element:
    if len(data) > most:
        raise Malformed("size", f"{len(data)} octets, at most {most} are read")
    if b"\0" in data:
        raise Malformed("encoding", "a zero octet: the document is not UTF-8")
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as flaw:
        raise Malformed("well-formed", str(flaw)[:200] or "empty document") from None
    info = root.getroottree().docinfo
    if info.internalDTD is not None:
        raise Malformed("doctype", "a document type declaration is not allowed")
    if (info.encoding or "UTF-8").upper() not in _UTF_8:
        raise Malformed("encoding", f"{info.encoding} where UTF-8 belongs")
    return root


def _unforeign(element: etree._Element) -> dict[str, str]:
    """The attributes of an element but those of foreign namespaces."""
    kept = [str(name) for name in element.attrib if not str(name).startswith("{") or name == XSI_TYPE]
    if len(kept) > MOST_ATTRIBUTES:
        raise Malformed("attribute", f"more than {MOST_ATTRIBUTES} attributes", path_of(element))
    return {name: str(element.get(name)) for name in kept}


def _refuse_tails(root: etree._Element) -> None:
    """Refuse text behind an element; white space may stand there."""
    for element in root.iter():
        if element.tail and element.tail.strip():
            raise Malformed(
                "content", f"text {element.tail.strip()[:20]!r} between elements", path_of(element)
            )


def _refuse_attributes(root: etree._Element, profile: Profile) -> None:
    """Refuse attributes without a namespace on elements that declare none; foreign ones are skipped."""
    for element in root.iter():
        cls = profile.class_of(str(element.tag))
        known = {f.name for f in spec_of(cls) if f.is_attribute} if cls else set()
        for name in element.attrib:
            if not str(name).startswith("{") and str(name) not in known and _is_bare(element, cls):
                raise Malformed("attribute", f"no attribute {name!r} here", path_of(element))


def _is_bare(element: etree._Element, cls: type | None) -> bool:
    return cls is None or not any(f.is_attribute for f in spec_of(cls))


@lru_cache(256)
def _standing_for(classes: tuple[type, ...]) -> tuple[type, ...]:
    """The standard's classes of which these are, or which these extend."""
    return tuple(REGISTRY.get(wire_name(cls), cls) for cls in classes)
