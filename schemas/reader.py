"""From a parsed tree to resources: one compiled reader per class, driven by the declarations.

The tree is flattened once in document order; a reader consumes exactly as many entries as its element has
children, so that every element is met once and every rule (names, order, occurrence, content) is checked on
the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.errors import Malformed
from schemas.fields import REGISTRY, Field, spec_of, wire_name
from schemas.scalars import Known, Read, reader_of

if TYPE_CHECKING:
    from lxml import etree

    from schemas.profile import Profile

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSI_TYPE = f"{{{XSI}}}type"


class Flat(NamedTuple):
    """A document in document order: its elements, their tags, and what readers met: [attributes, texts]."""

    elements: list[etree._Element]
    tags: list[object]
    met: list[int]


Values = dict[str, Any]
ReadResource = Callable[[Flat, int], tuple[object, int]]


class _Child(NamedTuple):
    """How to read one child: `inner` holds the reader of its class; `weight` is 1 if required."""

    position: int
    attr: str
    known: Known
    leaf: Read | None
    inner: list[ReadResource]
    many: bool
    weight: int


_STRANGER = _Child(-2, "", {}, None, [], many=False, weight=0)


class Readers:
    """The compiled readers of one profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._compiled: dict[type, list[ReadResource]] = {}

    def of(self, cls: type) -> ReadResource:
        """Reader of a class (or of the extension that stands in its place)."""
        return self._cell(cls)[0]

    def _cell(self, cls: type) -> list[ReadResource]:
        actual = self._profile.resolve(cls)
        cell = self._compiled.get(actual)
        if cell is None:
            cell = self._compiled[actual] = []
            cell.append(self._compile(actual))
        return cell

    def _compile(self, cls: type) -> ReadResource:
        fields = spec_of(cls)
        attributes = {f.name: (f.attr, reader_of(f.scalar)) for f in fields if f.is_attribute and f.scalar}
        required = frozenset(f.attr for f in fields if f.required)
        needed = sum(1 for f in fields if f.required and not f.is_attribute)
        checks_attributes = any(f.required and f.is_attribute for f in fields)
        limits = {f.attr: f.at_most for f in fields if f.at_most is not None}
        fill = self._filler(cls, dict(self._children(fields)))

        def read(flat: Flat, index: int) -> tuple[object, int]:
            element = flat.elements[index]
            values: Values = {}
            if attributes and element.attrib:
                other = self._read_attributes(flat, element, attributes, values, cls)
                if other is not None:
                    return other(flat, index)
            index, met = fill(flat, index, values)
            if (met < needed or checks_attributes) and not required <= values.keys():
                raise _missing(element, required - values.keys(), fields)
            if limits:
                _check_limits(element, limits, values)
            return cls(**values), index

        return read

    def _filler(
        self, cls: type, children: dict[object, _Child]
    ) -> Callable[[Flat, int, Values], tuple[int, int]]:
        """Function that reads the children of an element into values: next index, required ones met."""
        find = children.get

        def fill(flat: Flat, index: int, values: Values) -> tuple[int, int]:
            elements, tags, counts = flat
            element = elements[index]
            index += 1
            last = -1
            met = texts = 0
            for _ in range(len(element)):
                position, attr, known, leaf, inner, many, weight = find(tags[index], _STRANGER)
                if position <= last and (position < last or not many):
                    raise self._misplaced(cls, element, tags[index], values)
                if leaf is None:
                    value, index = inner[0](flat, index)
                else:
                    text = elements[index].text
                    value = known.get(text)
                    if value is None:
                        value = _leaf_value(leaf, text, elements[index])
                    texts += text is not None
                    index += 1
                if many and position == last:
                    values[attr].append(value)
                    continue
                values[attr] = [value] if many else value
                met += weight
                last = position
            counts[1] += texts
            if last < 0:
                _check_empty(element)
            return index, met

        return fill

    def _children(self, fields: tuple[Field, ...]) -> Iterator[tuple[str, _Child]]:
        for position, f in enumerate(f for f in fields if not f.is_attribute):
            known: Known = {}
            leaf = reader_of(f.scalar, known) if f.scalar else None
            inner = self._cell(f.target) if f.target else []
            child = _Child(position, f.attr, known, leaf, inner, f.is_list, int(f.required))
            yield self._profile.tag(f), child

    def _read_attributes(
        self,
        flat: Flat,
        element: etree._Element,
        known: dict[str, tuple[str, Read]],
        values: Values,
        cls: type,
    ) -> ReadResource | None:
        """Read all attributes into `values`; the reader of another class where xsi:type names one."""
        items = element.items()
        for name, text in items:
            if name in known:
                attr, read = known[name]
                try:
                    values[attr] = read(str(text))
                except Malformed as flaw:
                    raise Malformed(flaw.rule, f"@{name}: {flaw.detail}", path_of(element)) from None
            elif name == XSI_TYPE:
                actual = self._named_type(element, str(text), cls)
                if actual is not cls:
                    return self.of(actual)
            elif not str(name).startswith("{"):
                raise Malformed("attribute", f"{wire_name(cls)} has no attribute {name!r}", path_of(element))
        flat.met[0] += len(items)
        return None

    def _named_type(self, element: etree._Element, text: str, cls: type) -> type:
        name = text.strip().rpartition(":")[2]
        actual = REGISTRY.get(name)
        if actual is None:
            raise Malformed("type", f"xsi:type {text!r} is not a type of the schema", path_of(element))
        resolved = self._profile.resolve(actual)
        if not issubclass(resolved, REGISTRY.get(wire_name(cls), cls)):
            raise Malformed("type", f"{name} is not a {wire_name(cls)}", path_of(element))
        return resolved

    def _misplaced(self, cls: type, parent: etree._Element, tag: object, values: Values) -> Malformed:
        """Say which rule an element breaks that its parent's reader did not expect."""
        name = str(tag).rpartition("}")[2]
        places = {f.name: (n, f) for n, f in enumerate(spec_of(cls)) if not f.is_attribute}
        where = f"{path_of(parent)}/{name}"
        if name not in places:
            return Malformed("unknown", f"{wire_name(cls)} has no element {name}", where)
        if places[name][1].attr in values:
            return Malformed("occurrence", f"{name} stands more than once in {wire_name(cls)}", where)
        after = [f.name for n, f in places.values() if n > places[name][0] and f.attr in values]
        return Malformed("order", f"{name} must stand before {after[0] if after else 'its followers'}", where)


def path_of(element: etree._Element) -> str:
    """Place of an element in its document, without namespaces: `/DERCurve/CurveData[2]/xvalue`."""
    path = ""
    node: etree._Element | None = element
    while node is not None:
        parent = node.getparent()
        name = str(node.tag).rpartition("}")[2]
        twins = [] if parent is None else [n for n in parent if n.tag == node.tag]
        path = f"/{name}[{twins.index(node) + 1}]{path}" if len(twins) > 1 else f"/{name}{path}"
        node = parent
    return path


def _leaf_value(leaf: Read, text: str | None, element: etree._Element) -> object:
    try:
        return leaf(text)
    except Malformed as flaw:
        raise Malformed(flaw.rule, flaw.detail, path_of(element)) from None


def _missing(element: etree._Element, missing: frozenset[str], fields: tuple[Field, ...]) -> Malformed:
    field = next(f for f in fields if f.attr in missing)
    what = f"@{field.name}" if field.is_attribute else field.name
    return Malformed("missing", f"{what} is missing", path_of(element))


def _check_limits(element: etree._Element, limits: dict[str, int], values: Values) -> None:
    for attr, most in limits.items():
        items = values[attr]
        if isinstance(items, list) and len(items) > most:
            raise Malformed(
                "occurrence", f"{len(items)} of {attr.rstrip('_')}, at most {most}", path_of(element)
            )


def _check_empty(element: etree._Element) -> None:
    if element.text and element.text.strip():
        raise Malformed(
            "content", f"text {element.text.strip()[:20]!r} where elements belong", path_of(element)
        )
