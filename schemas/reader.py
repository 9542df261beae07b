"""From a parsed tree to resources: one compiled reader per class, driven by the declarations.

The tree is flattened once in document order; a reader consumes exactly as many entries as its element has
children, so that every element is met once and every rule (names, order, occurrence, content) is checked on
the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.errors import Malformed
from schemas.fields import REGISTRY, Field, Scalar, spec_of, wire_name
from schemas.scalars import Known, Read, reader_of

if TYPE_CHECKING:
    from lxml import etree

    from schemas.profile import Profile

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSI_TYPE = f"{{{XSI}}}type"


class Flat(NamedTuple):
    """A document in document order: elements, tags, texts; `met` counts the attributes that readers meet."""

    elements: list[etree._Element]
    tags: list[object]
    texts: list[str | None]
    met: list[int]

    @classmethod
    def of(cls, root: etree._Element) -> Flat:
        """The elements of a tree."""
        elements = list(root.iter())
        return cls(elements, [e.tag for e in elements], [e.text for e in elements], [0])


Values = dict[str, Any]
ReadResource = Callable[[Flat, int], tuple[object, int]]


class _Child(NamedTuple):
    """How to read one child.

    It may follow a child at `floor` or before; `weight` is 1 if it is required. A value has `known` and its
    reader; a structure has no `known`, a cell that holds the reader of its class, and whether it may repeat.
    """

    floor: int
    attr: str
    known: Known | None
    leaf: Read
    inner: tuple[list[ReadResource], bool]
    weight: int


class _Attribute(NamedTuple):
    """How to read one attribute."""

    attr: str
    known: Known
    read: Read

    @classmethod
    def of(cls, attr: str, scalar: Scalar) -> _Attribute:
        known: Known = {}
        return cls(attr, known, reader_of(scalar, known))


_STRANGER = _Child(-2, "", None, str, ([], False), 0)


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
        attributes = {f.name: _Attribute.of(f.attr, f.scalar) for f in fields if f.is_attribute and f.scalar}
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
            elements, tags, texts, _ = flat
            element = elements[index]
            if texts[index] is not None:
                _check_no_text(element)
            index += 1
            last = -1
            met = 0
            for _ in range(len(element)):
                floor, attr, known, leaf, inner, weight = find(tags[index], _STRANGER)
                if last > floor:
                    raise self._misplaced(cls, element, tags[index], values)
                if known is not None:
                    text = texts[index]
                    value = known.get(text)
                    values[attr] = _leaf_value(leaf, text, elements[index]) if value is None else value
                    index += 1
                    last = floor + 1
                    met += weight
                    continue
                cell, many = inner
                found, index = cell[0](flat, index)
                if many and last == floor:
                    values[attr].append(found)
                    continue
                values[attr] = [found] if many else found
                last = floor if many else floor + 1
                met += weight
            return index, met

        return fill

    def _children(self, fields: tuple[Field, ...]) -> Iterator[tuple[str, _Child]]:
        for position, f in enumerate(f for f in fields if not f.is_attribute):
            floor = position if f.is_list else position - 1
            known: Known | None = {} if f.scalar else None
            leaf = reader_of(f.scalar, known) if f.scalar else str
            inner = self._cell(f.target) if f.target else []
            yield (
                self._profile.tag(f),
                _Child(floor, f.attr, known, leaf, (inner, f.is_list), int(f.required)),
            )

    def _read_attributes(
        self,
        flat: Flat,
        element: etree._Element,
        known: dict[str, _Attribute],
        values: Values,
        cls: type,
    ) -> ReadResource | None:
        """Read all attributes into `values`; the reader of another class where xsi:type names one."""
        items = element.items()
        for name, raw in items:
            text = str(raw)
            if name in known:
                attr, before, read = known[name]
                value = before.get(text)
                values[attr] = _attribute_value(read, str(name), text, element) if value is None else value
            elif name == XSI_TYPE:
                actual = self._named_type(element, text, cls)
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


def _attribute_value(read: Read, name: str, text: str, element: etree._Element) -> object:
    try:
        return read(text)
    except Malformed as flaw:
        raise Malformed(flaw.rule, f"@{name}: {flaw.detail}", path_of(element)) from None


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


def _check_no_text(element: etree._Element) -> None:
    if element.text and element.text.strip():
        raise Malformed(
            "content", f"text {element.text.strip()[:20]!r} where elements belong", path_of(element)
        )
