"""From a parsed tree to resources: one compiled reader per class, driven by the declarations.

The tree is flattened once in document order; a reader is straight-line code that goes through the children of
its element in the order of the schema and consumes exactly as many as there are, so that every element is met
once. What does not fit is explained by `diagnosis`, off the fast path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from schemas.diagnosis import explain, path_of
from schemas.errors import Malformed
from schemas.fields import REGISTRY, Field, Scalar, spec_of, wire_name
from schemas.scalars import Known, Read, reader_of

if TYPE_CHECKING:
    from lxml import etree

    from schemas.profile import Profile

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSI_TYPE = f"{{{XSI}}}type"
MOST_ATTRIBUTES = 64
"""Most attributes of one element: no resource has ten, and lxml takes the square of their number."""


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
ReadAttributes = Callable[[Flat, Any], tuple[Values, ReadResource | None]]


class _Attribute(NamedTuple):
    """How to read one attribute."""

    attr: str
    known: Known
    read: Read

    @classmethod
    def of(cls, attr: str, scalar: Scalar, *, judges_uris: bool) -> _Attribute:
        known: Known = {}
        return cls(attr, known, reader_of(scalar, known, judges_uris=judges_uris))


class Readers:
    """The compiled readers of one profile; several threads may ask for them at the same time."""

    def __init__(
        self,
        profile: Profile,
        compiled: dict[type, list[ReadResource]] | None = None,
        *,
        judges_uris: bool = False,
    ) -> None:
        """`judges_uris`: what is no URI is refused where one belongs."""
        self._profile = profile
        self._judges_uris = judges_uris
        self._compiled = {} if compiled is None else compiled

    def of(self, cls: type) -> ReadResource:
        """Reader of a class (or of the extension that stands in its place)."""
        cell = self._compiled.get(cls)
        if cell is None:
            compiled = dict(self._compiled)
            cell = Readers(self._profile, compiled, judges_uris=self._judges_uris).fill(cls)
            self._compiled = compiled
        return cell[0]

    def fill(self, cls: type) -> list[ReadResource]:
        """Compile a class and all below it; nobody else may look meanwhile: cells are empty at first."""
        cell = self._compiled[cls] = self._cell(cls)
        return cell

    def _cell(self, cls: type) -> list[ReadResource]:
        actual = self._profile.resolve(cls)
        cell = self._compiled.get(actual)
        if cell is None:
            cell = self._compiled[actual] = []
            cell.append(self._compile(actual))
        return cell

    def _compile(self, cls: type) -> ReadResource:
        fields = spec_of(cls)
        names: dict[str, object] = {
            "cls": cls,
            "no_text": _check_no_text,
            "attributes_of": self._attribute_reader(cls, fields),
            "leaf_value": _leaf_value,
            "explain": partial(explain, cls, self._profile),
        }
        lines = list(self._lines(fields, names))
        exec("\n".join(lines), names)  # noqa: S102 - made of declared names only, as in the writer
        return cast("ReadResource", names["read"])

    def _lines(self, fields: tuple[Field, ...], names: dict[str, object]) -> Iterator[str]:
        """Source of a reader: straight through the children in their order, no look-ups."""
        children = [f for f in fields if not f.is_attribute]
        has_attributes = len(children) < len(fields)
        yield "def read(flat, index):"
        yield "    elements, tags, texts, _ = flat"
        yield "    element = elements[index]"
        yield "    if texts[index] is not None: no_text(element)"
        if has_attributes:
            yield "    attributes, other = attributes_of(flat, element)"
            yield "    if other is not None: return other(flat, index)"
        yield "    left = len(element)"
        yield "    index += 1"
        yield "    tag = tags[index] if left else None"
        for number, f in enumerate(children):
            names[f"T{number}"] = self._profile.tag(f)
            yield from (
                self._list_lines(number, f, names) if f.is_list else self._child_lines(number, f, names)
            )
        yield "    if left: explain(element)"
        if has_attributes:
            given = [f"{f.attr}=v{number}" for number, f in enumerate(children)]
            yield f"    if attributes: return cls({', '.join(['**attributes', *given])}), index"
        yield from self._made_lines(fields, children, names)

    def _made_lines(
        self, fields: tuple[Field, ...], children: list[Field], names: dict[str, object]
    ) -> Iterator[str]:
        """Source that makes a resource without attributes, slot by slot: cheaper than a call with names."""
        names["new"] = object.__new__
        yield "    made = new(cls)"
        for f in fields:
            if f.is_attribute:
                yield f"    made.{f.attr} = None"
        for number, f in enumerate(children):
            yield f"    made.{f.attr} = v{number}"
        yield "    return made, index"

    def _child_lines(self, number: int, f: Field, names: dict[str, object]) -> Iterator[str]:
        yield f"    if tag == T{number}:"
        if f.scalar:
            known: Known = {}
            names[f"K{number}"] = known.get
            names[f"L{number}"] = reader_of(f.scalar, known, judges_uris=self._judges_uris)
            yield f"        v{number} = K{number}(texts[index])"
            yield f"        if v{number} is None:"
            yield f"            v{number} = leaf_value(L{number}, texts[index], elements[index])"
            yield "        index += 1"
        else:
            names[f"R{number}"] = self._cell(cast("type", f.target))
            yield f"        v{number}, index = R{number}[0](flat, index)"
        yield "        left -= 1"
        yield "        tag = tags[index] if left else None"
        yield f"    else: {'explain(element)' if f.required else f'v{number} = None'}"

    def _list_lines(self, number: int, f: Field, names: dict[str, object]) -> Iterator[str]:
        names[f"R{number}"] = self._cell(cast("type", f.target))
        yield f"    v{number} = []"
        yield f"    while tag == T{number}:"
        yield f"        item, index = R{number}[0](flat, index)"
        yield f"        v{number}.append(item)"
        yield "        left -= 1"
        yield "        tag = tags[index] if left else None"
        if f.at_most is not None:
            yield f"    if not 1 <= len(v{number}) <= {f.at_most}: explain(element)"

    def _attribute_reader(self, cls: type, fields: tuple[Field, ...]) -> ReadAttributes:
        known = {
            f.name: _Attribute.of(f.attr, f.scalar, judges_uris=self._judges_uris)
            for f in fields
            if f.is_attribute and f.scalar
        }
        required = frozenset(f.attr for f in fields if f.is_attribute and f.required)

        def read(flat: Flat, element: etree._Element) -> tuple[Values, ReadResource | None]:
            values: Values = {}
            other = None
            if element.attrib:
                other = self._read_attributes(flat, element, known, values, cls)
            if required and other is None and not required <= values.keys():
                explain(cls, self._profile, element)
            return values, other

        return read

    def _read_attributes(
        self,
        flat: Flat,
        element: etree._Element,
        known: dict[str, _Attribute],
        values: Values,
        cls: type,
    ) -> ReadResource | None:
        """Read all attributes into `values`; the reader of another class where xsi:type names one."""
        if len(element.attrib) > MOST_ATTRIBUTES:
            raise Malformed("attribute", f"more than {MOST_ATTRIBUTES} attributes", path_of(element))
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


def _check_no_text(element: etree._Element) -> None:
    if element.text and element.text.strip():
        raise Malformed(
            "content", f"text {element.text.strip()[:20]!r} where elements belong", path_of(element)
        )
