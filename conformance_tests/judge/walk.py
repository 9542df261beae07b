"""Walks a body along the schema and tells what is wrong with each element, by path and in words."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from typing import TYPE_CHECKING, Final, cast

from conformance_tests.judge.flaws import Flaw, Kind
from conformance_tests.judge.values import shown, why_not

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lxml import etree

    from conformance_tests.judge.grammar import Grammar, Particle

MOST_FLAWS: Final = 50
XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_SPACE: Final = " \t\r\n"


def local(tag: object) -> str:
    """The name of an element without its namespace."""
    return str(tag).rpartition("}")[2]


def space_of(tag: object) -> str:
    """The namespace of a qualified name, empty where it has none."""
    text = str(tag)
    return text[1:].partition("}")[0] if text.startswith("{") else ""


def path_of(element: etree._Element, prefix: str = "") -> str:
    """Where an element stands: `/DERControlList/DERControl[2]/interval`, behind a prefix."""
    steps = []
    at: etree._Element | None = element
    while at is not None:
        above = at.getparent()
        name = local(at.tag)
        if above is not None:
            before = sum(1 for _ in at.itersiblings(str(at.tag), preceding=True))
            is_alone = not before and next(at.itersiblings(str(at.tag)), None) is None
            name += "" if is_alone else f"[{before + 1}]"
        steps.append(name)
        at = above
    return prefix + "/" + "/".join(reversed(steps))


def line_of(element: etree._Element) -> int:
    """The line of an element, 0 where it has none."""
    return cast("int | None", element.sourceline) or 0


def type_in(grammar: Grammar, element: etree._Element, declared: str | None) -> str | None:
    """The type of an element: by `xsi:type` where it has one that fits, else as declared."""
    named = element.get(f"{XSI}type")
    if named is None:
        return declared
    prefix, _, name = named.strip(_SPACE).rpartition(":")
    found = f"{{{element.nsmap.get(prefix or None, '')}}}{name}"
    fits = declared is None or grammar.derives(found, declared)
    return found if found in grammar.forms and fits else None


def child_types(grammar: Grammar, particles: Sequence[Particle]) -> dict[str, str | None]:
    """The declared type of each child by its qualified name."""
    return {one.tag: one.type or grammar.elements.get(one.tag) for one in particles}


class Walk:
    """One walk over one tree; `flaws` are at most MOST_FLAWS."""

    def __init__(self, grammar: Grammar, prefix: str = "") -> None:
        self._grammar = grammar
        self._prefix = prefix
        self.flaws: list[Flaw] = []

    def explain(self, root: etree._Element) -> list[Flaw]:
        """What is wrong below and at a document element."""
        declared = self._grammar.elements.get(str(root.tag))
        if str(root.tag) not in self._grammar.elements:
            self._tell(Kind.UNKNOWN, root, f"{local(root.tag)} is no document of the schema")
            return self.flaws
        left: list[tuple[etree._Element, str | None]] = [(root, declared)]
        while left and len(self.flaws) < MOST_FLAWS:
            element, name = left.pop()
            left += reversed(list(self._look(element, name)))
        return self.flaws[:MOST_FLAWS]

    def _look(
        self, element: etree._Element, declared: str | None
    ) -> Iterator[tuple[etree._Element, str | None]]:
        """Judge one element alone; its children with their types are to be looked at next."""
        name = type_in(self._grammar, element, declared)
        if name is None:
            if declared is not None:
                wrong = shown(element.get(f"{XSI}type", ""))
                self._tell(Kind.UNKNOWN, element, f"xsi:type {wrong} is no {local(declared)} of the schema")
            return
        self._attributes(element, name)
        if self._grammar.holds_text(name):
            self._value(element, name)
            return
        self._no_text(element)
        particles = self._grammar.particles(name)
        if particles is None:
            return
        self._children(element, particles)
        types = child_types(self._grammar, particles)
        for child in element:
            if child.tag in types:
                yield child, types[str(child.tag)]

    def _attributes(self, element: etree._Element, name: str) -> None:
        known = self._grammar.attributes(name)
        for attribute, text in element.attrib.items():
            own = str(attribute)
            if own.startswith("{"):
                continue
            if own not in known:
                self._tell(Kind.UNKNOWN, element, f"no attribute {own} belongs here", f"/@{own}")
                continue
            type_name = known[own][0]
            why = None if type_name is None else why_not(self._grammar, type_name, str(text))
            if why:
                self._tell(why[0], element, why[1], f"/@{own}")
        for attribute, (_, is_required) in known.items():
            if is_required and element.get(attribute) is None:
                self._tell(Kind.MISSING, element, f"attribute {attribute} must be there", f"/@{attribute}")

    def _value(self, element: etree._Element, name: str) -> None:
        if len(element):
            inner = local(element[0].tag)
            self._tell(Kind.CONTENT, element, f"holds a value and no elements, {inner} stands in it")
            return
        why = why_not(self._grammar, name, element.text or "")
        if why:
            self._tell(why[0], element, why[1])

    def _no_text(self, element: etree._Element) -> None:
        texts = [element.text, *(child.tail for child in element)]
        strange = next((text.strip(_SPACE) for text in texts if text and text.strip(_SPACE)), None)
        if strange:
            self._tell(Kind.CONTENT, element, f"text {shown(strange)} stands between its elements")

    def _children(self, element: etree._Element, particles: Sequence[Particle]) -> None:
        place = {one.tag: number for number, one in enumerate(particles)}
        known = [child for child in element if child.tag in place]
        for child in element:
            if child.tag not in place:
                self._tell(Kind.UNKNOWN, child, f"{local(element.tag)} has no element {local(child.tag)}")
        in_order = _in_order([place[str(child.tag)] for child in known])
        for number, child in enumerate(known):
            if number not in in_order:
                self._tell(Kind.ORDER, child, _misplaced(known, in_order, number, place))
        counts = Counter(str(child.tag) for child in known)
        for one in particles:
            self._occurrence(element, one, counts[one.tag])

    def _occurrence(self, element: etree._Element, one: Particle, count: int) -> None:
        name = local(one.tag)
        if count == 0 and one.least:
            self._tell(Kind.MISSING, element, f"{name} must be there", f"/{name}")
        elif count < one.least:
            self._tell(
                Kind.MISSING, element, f"{count} {name}, at least {one.least} must be there", f"/{name}"
            )
        elif one.most is not None and count > one.most:
            self._tell(Kind.REPEATED, element, f"{count} {name}, at most {one.most} may be there", f"/{name}")

    def _tell(self, kind: Kind, element: etree._Element, text: str, below: str = "") -> None:
        if len(self.flaws) < MOST_FLAWS:
            path = path_of(element, self._prefix) + below
            self.flaws.append(Flaw(kind=kind, path=path, text=text, line=line_of(element)))


def _in_order(places: Sequence[int]) -> frozenset[int]:
    """Numbers of the most items that stand in order: those that are left are out of it."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, place in enumerate(places):
        at = bisect_right(tails, place)
        before.append(ends[at - 1] if at else -1)
        tails[at : at + 1] = [place]
        ends[at : at + 1] = [number]
    found = []
    at = ends[-1] if ends else -1
    while at >= 0:
        found.append(at)
        at = before[at]
    return frozenset(found)


def _misplaced(
    known: Sequence[etree._Element], in_order: frozenset[int], number: int, place: dict[str, int]
) -> str:
    """Before or behind what an element must stand."""
    mine = place[str(known[number].tag)]
    name = local(known[number].tag)
    for other in sorted(in_order):
        tag = str(known[other].tag)
        if other < number and place[tag] > mine:
            return f"{name} stands behind {local(tag)}, it must stand before it"
        if other > number and place[tag] < mine:
            later = [o for o in sorted(in_order) if o > number and place[str(known[o].tag)] < mine]
            last = local(known[later[-1]].tag)
            return f"{name} stands before {last}, it must stand behind it"
    return f"{name} is out of order"
