"""Documents of 2.0b: octets to a tree that the schema allows. The only module of the VEN that parses XML.

No entities, no DTD, UTF-8 only, a bound on the size; the schema is the one that openleadr ships.
"""

from collections.abc import Iterator
from typing import Final

from lxml import etree
from openleadr.messaging import TEMPLATES, XML_SCHEMA

from openadr_ven.v2b.errors import Malformed

OADR: Final = "http://openadr.org/oadr-2.0b/2012/07"
EI: Final = "http://docs.oasis-open.org/ns/energyinterop/201110"
PYLD: Final = "http://docs.oasis-open.org/ns/energyinterop/201110/payloads"
EMIX: Final = "http://docs.oasis-open.org/ns/emix/2011/06"
POWER: Final = "http://docs.oasis-open.org/ns/emix/2011/06/power"
SCALE: Final = "http://docs.oasis-open.org/ns/emix/2011/06/siscale"
XCAL: Final = "urn:ietf:params:xml:ns:icalendar-2.0"
STRM: Final = "urn:ietf:params:xml:ns:icalendar-2.0:stream"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
DSP: Final = "http://openadr.org/oadr-2.0b/2012/07/xmldsig-properties"
MEDIA_TYPE: Final = "application/xml"
MOST_OCTETS: Final = 8 << 20
"""The largest message that is read."""
VERSION: Final = "2.0b"

Element = etree._Element  # noqa: SLF001 - the name of the type that lxml has for annotations
templates: Final = TEMPLATES
"""The templates of openleadr; they do not escape: see `templating`."""
_PARSER: Final = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)


def parsed(data: bytes, most: int = MOST_OCTETS) -> Element:
    """The oadrPayload of a document. Raises Malformed for what is none, or not as the schema wants it."""
    if len(data) > most:
        raise Malformed(f"{len(data)} octets, more than {most}")
    try:
        root = etree.fromstring(data, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Malformed(f"no XML: {error}") from error
    info = root.getroottree().docinfo
    if info.internalDTD is not None:
        raise Malformed("a document type declaration")
    if (info.encoding or "UTF-8").upper() not in {"UTF-8", "US-ASCII", "ASCII"}:
        raise Malformed(f"encoding {info.encoding}, not UTF-8")
    if root.tag != f"{{{OADR}}}oadrPayload":
        raise Malformed(f"root {root.tag!r:.120}, not oadrPayload")
    flaw = schema_flaw(root)
    if flaw is not None:
        raise Malformed(flaw)
    return root


def schema_flaw(root: Element) -> str | None:
    """The first thing that the schema has against a document; None if nothing."""
    if XML_SCHEMA.validate(root):
        return None
    first = XML_SCHEMA.error_log[0]
    return f"line {first.line}: {first.message}"[:400]


def message_of(root: Element) -> Element:
    """The one message in an oadrPayload or oadrSignedObject. OpenADR 2.0b, R509.

    A message without schemaVersion is read; one of another version is not.
    """
    signed = root if root.tag == f"{{{OADR}}}oadrSignedObject" else root.find(f"{{{OADR}}}oadrSignedObject")
    message = None if signed is None else next(iter(signed), None)
    if message is None:
        raise Malformed("no message")
    if message.get(f"{{{EI}}}schemaVersion", VERSION) != VERSION:
        raise Malformed(f"schemaVersion is not {VERSION}")
    return message


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def named(element: Element, name: str) -> Iterator[Element]:
    """Direct children of a name, whatever their namespace."""
    return (child for child in element if local(child) == name)


def child(element: Element | None, *names: str) -> Element | None:
    """The first child, grandchild and so on of these names."""
    for name in names:
        element = None if element is None else next(named(element, name), None)
    return element


def text(element: Element | None, *names: str) -> str | None:
    """The text of a descendant, without space around it; None where there is none."""
    found = child(element, *names)
    return None if found is None else (found.text or "").strip()


def needed(element: Element | None, *names: str) -> str:
    """The text of a descendant that must be there."""
    found = text(element, *names)
    if found is None:
        raise Malformed(f"{'/'.join(names)} is missing")
    return found


def octets(element: Element) -> bytes:
    """An element as a document."""
    return etree.tostring(element)


def canonical(element: Element) -> bytes:
    """An element in canonical XML 1.0 without comments, in the namespaces that hold where it stands.

    Raises Malformed where there is none: it is not defined for relative namespaces (section 1.3).
    """
    try:
        return etree.tostring(element, method="c14n", exclusive=False, with_comments=False)
    except etree.C14NError as error:
        raise Malformed("a namespace that is no absolute URI") from error


def element_of(data: bytes) -> Element:
    """An element that this program wrote."""
    return etree.fromstring(data, _PARSER)
