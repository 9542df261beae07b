"""Elements of other namespaces: which ones CSIP-AUS has, where they may stand, and how they are judged.

The standard lets a type be extended at its end. Elements of CSIP-AUS are judged by their types; of those of
other namespaces nothing is known but that they stand last.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

from conformance_tests.judge.facts_schema import XS
from conformance_tests.judge.flaws import Flaw, Kind
from conformance_tests.judge.walk import (
    MOST_FLAWS,
    XSI,
    child_types,
    line_of,
    local,
    path_of,
    space_of,
    type_in,
)

if TYPE_CHECKING:
    from lxml import etree

    from conformance_tests.judge.grammar import Grammar, Particle

V1_2: Final = "https://csipaus.org/ns"
V1_3_STORAGE: Final = "https://csipaus.org/ns/v1.3-beta/storage"
V1_3: Final = "https://csipaus.org/ns/v1.3"
ENVELOPE: Final = (
    ("DERControlBase", "opModImpLimW", "ActivePower"),
    ("DERControlBase", "opModExpLimW", "ActivePower"),
    ("DERControlBase", "opModGenLimW", "ActivePower"),
    ("DERControlBase", "opModLoadLimW", "ActivePower"),
    ("DERCapability", "doeModesSupported", "HexBinary8"),
    ("DERSettings", "doeModesEnabled", "HexBinary8"),
    ("EndDevice", "ConnectionPointLink", "Link"),
)
STORAGE: Final = (
    ("DERControlBase", "opModStorageTargetW", "ActivePower"),
    ("DERCapability", "vppModesSupported", "HexBinary8"),
    ("DERSettings", "vppModesEnabled", "HexBinary8"),
    ("DERSettings", "setMinWh", "WattHour"),
)
PRICES: Final = (
    ("TariffProfile", "CombinedTimeTariffIntervalListLink", "ListLink"),
    ("TimeTariffInterval", "ConsumptionTariffIntervalListSummary", "ConsumptionTariffIntervalList"),
    ("TimeTariffInterval", "RateComponentLink", "Link"),
)
EXTENSIONS: Final = {
    V1_2: ENVELOPE,
    V1_3_STORAGE: (*ENVELOPE, *STORAGE),
    V1_3: (*ENVELOPE, *STORAGE, *PRICES),
}
"""Type of the standard, element that stands last in it, and its type, in their order, by namespace."""


def extension_schema(namespace: str, base: str) -> bytes:
    """The schema of one extension namespace; its types are those of the schema `base`."""
    lines = [
        f'<xs:schema xmlns:xs="{XS}" xmlns:bs={quoteattr(base)} xmlns={quoteattr(namespace)}'
        f' targetNamespace={quoteattr(namespace)} elementFormDefault="qualified">',
        f'<xs:import namespace={quoteattr(base)} schemaLocation="sep.xsd"/>',
        *(f'<xs:element name="{name}" type="bs:{type_}"/>' for _, name, type_ in EXTENSIONS[namespace]),
        '<xs:element name="ConnectionPoint" type="ConnectionPointType"/>',
        '<xs:complexType name="ConnectionPointType"><xs:complexContent><xs:extension base="bs:Resource">',
        "<xs:sequence>" if namespace != V1_2 else "<xs:sequence><xs:choice>",
        '<xs:element name="connectionPointId" type="bs:String32"/>',
        '<xs:element name="id" type="bs:String32"/></xs:choice>' if namespace == V1_2 else "",
        "</xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:schema>",
    ]
    return "\n".join(lines).encode()


@cache
def places(namespace: str) -> dict[str, tuple[str, int]]:
    """The type in which each extension element stands, and its number in the order there."""
    rows = EXTENSIONS.get(namespace, ())
    return {name: (owner, number) for number, (owner, name, _) in enumerate(rows)}


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension element that was taken out of a body, with its path there."""

    element: etree._Element
    path: str


class Parting:
    """Takes extensions out of a body, and puts elements of a wrong namespace in the one where they belong."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self.flaws: list[Flaw] = []
        self.taken: list[Extension] = []

    def part(self, root: etree._Element) -> None:
        """Leave what the schema judges."""
        self._document(root)
        left = [(root, self._grammar.elements.get(str(root.tag)))]
        while left:
            element, declared = left.pop()
            for attribute in [a for a in element.attrib if str(a).startswith("{") and a != f"{XSI}type"]:
                del element.attrib[attribute]
            name = type_in(self._grammar, element, declared)
            particles = (self._grammar.particles(name) if name else None) or []
            self._children(element, particles, name or "")
            types = child_types(self._grammar, particles)
            left += [(child, types.get(str(child.tag))) for child in reversed(element)]

    def _document(self, root: etree._Element) -> None:
        space, name = space_of(root.tag), local(root.tag)
        wanted = next((one for one in self._grammar.elements if local(one) == name), None)
        if wanted is not None and space not in self._grammar.namespaces:
            self._wrong_space(root, wanted)

    def _wrong_space(self, element: etree._Element, wanted: str) -> None:
        space, right = space_of(element.tag), space_of(wanted)
        text = f"{local(element.tag)} has {_named(space)}, it belongs in {right}"
        self._tell(Kind.NAMESPACE, element, text)
        for one in list(element.iter("*")):
            if space_of(one.tag) == space:
                one.tag = f"{{{right}}}{local(one.tag)}"

    def _children(self, element: etree._Element, particles: list[Particle], type_name: str) -> None:
        if not type_name or self._grammar.holds_text(type_name):
            return
        own = {local(one.tag): one.tag for one in particles}
        children = list(element)
        strange = [number for number, child in enumerate(children) if self._is_extension(child, own)]
        last = max((n for n in range(len(children)) if n not in set(strange)), default=-1)
        before = -1
        for number in strange:
            child = children[number]
            if number < last:
                behind = local(children[last].tag)
                self._tell(Kind.EXTENSION, child, f"extensions stand last, {behind} comes after this one")
            before = self._in_its_place(child, type_name, before)
        for number in strange:
            self._take(element, children[number])

    def _is_extension(self, child: etree._Element, own: dict[str, str]) -> bool:
        """Whether a child is an extension; one of the standard in a wrong namespace is put right."""
        space, name = space_of(child.tag), local(child.tag)
        if space in self._grammar.namespaces:
            return False
        if space and (name not in own or name in places(space)):
            return True
        self._wrong_space(child, own.get(name) or f"{{{min(self._grammar.namespaces)}}}{name}")
        return False

    def _in_its_place(self, child: etree._Element, type_name: str, before: int) -> int:
        """The number of a known extension in the order of its type; it must be known, there and in order."""
        space, name = space_of(child.tag), local(child.tag)
        if space not in EXTENSIONS:
            return before
        owner, number = places(space).get(name, ("", before))
        if not owner:
            self._tell(Kind.UNKNOWN, child, f"{name} is no extension of {space}")
        elif owner != local(type_name) and not self._grammar.derives(
            type_name, f"{{{space_of(type_name)}}}{owner}"
        ):
            self._tell(Kind.EXTENSION, child, f"{name} extends {owner}, here is {local(type_name)}")
        elif number < before:
            self._tell(Kind.ORDER, child, f"{name} stands behind an extension that it must stand before")
        return max(number, before)

    def _take(self, element: etree._Element, child: etree._Element) -> None:
        """Take an extension out; a text behind it stays where it was read."""
        path = path_of(child)
        if child.tail and child.tail.strip():
            self._tell(Kind.CONTENT, element, "text stands between its elements")
        element.remove(child)
        child.tail = None
        self.taken.append(Extension(child, path))

    def _tell(self, kind: Kind, element: etree._Element, text: str) -> None:
        if len(self.flaws) < MOST_FLAWS:
            self.flaws.append(Flaw(kind=kind, path=path_of(element), text=text, line=line_of(element)))


def _named(space: str) -> str:
    return f"namespace {space}" if space else "no namespace"
