"""Judges bodies: what libxml2 says of them by the schema, explained element by element."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol, cast

from lxml import etree

from conformance_tests.case import Level
from conformance_tests.judge.extensions import Parting
from conformance_tests.judge.flaws import Flaw, Judgement, Kind
from conformance_tests.judge.parsing import UnreadableError, parsed
from conformance_tests.judge.sources import Schema, packaged
from conformance_tests.judge.values import number_of, shown
from conformance_tests.judge.walk import (
    MOST_FLAWS,
    Walk,
    child_types,
    line_of,
    local,
    path_of,
    space_of,
    type_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MEDIA_TYPE: Final = "application/sep+xml"
MANY: Final = 2_000
"""Elements of a body from which it is walked first: libxml2 takes long to name the flaws of large bodies."""
_STRANGE: Final = etree.XPath("//*[namespace-uri() != $space]")
_ATTRIBUTES: Final = etree.XPath("//@*[namespace-uri() != '']")
_COUNT: Final = etree.XPath("count(//*)")


class _Said(Protocol):
    """One thing that libxml2 says."""

    message: str
    line: int


class Judge:
    """Judges bodies by one schema; without one, by that of this distribution."""

    def __init__(self, schema: Schema | None = None) -> None:
        self.schema = schema or packaged()

    def judge(self, body: bytes, content_type: str | None = None) -> Judgement:
        """The judgement on a body; its content type is judged where it is given (`""`: there was none)."""
        flaws = list(_of_media_type(content_type))
        try:
            root = parsed(body)
        except UnreadableError as why:
            return Judgement(flaws=(*flaws, why.flaw))
        name, space = local(root.tag), space_of(root.tag)
        elements = int(_number(_COUNT(root)))
        if space in self.schema.extensions:
            flaws += _flaws_of(root, self.schema.extensions[space], elements)
            return Judgement(root=name, namespace=space, elements=elements, flaws=tuple(flaws))
        parting = Parting(self.schema.grammar)
        if self._is_mixed(root):
            parting.part(root)
        flaws += parting.flaws
        flaws += _flaws_of(root, self.schema, elements)
        flaws += self._reserved(root)
        for one in parting.taken:
            known = self.schema.extensions.get(space_of(one.element.tag))
            if known is not None and str(one.element.tag) in known.grammar.elements:
                above = one.path.rpartition("/")[0]
                flaws += _flaws_of(_alone(one.element), known, elements, prefix=above)
        extensions = tuple(str(one.element.tag) for one in parting.taken)
        return Judgement(
            root=name,
            namespace=space,
            elements=elements,
            extensions=extensions,
            flaws=tuple(flaws[: 2 * MOST_FLAWS]),
        )

    def _is_mixed(self, root: etree._Element) -> bool:
        """Whether there is anything of another namespace than the schema's."""
        return bool(_STRANGE(root, space=self.schema.namespace) or _ATTRIBUTES(root))

    def _reserved(self, root: etree._Element) -> Iterator[Flaw]:
        """Numbers that the tables of the standard do not have."""
        if not self.schema.codes:
            return
        grammar = self.schema.grammar
        left = [(root, grammar.elements.get(str(root.tag)))]
        told = 0
        while left and told < MOST_FLAWS:
            element, declared = left.pop()
            name = type_in(grammar, element, declared)
            types = child_types(grammar, (grammar.particles(name) if name else None) or [])
            for child in reversed(element):
                below = types.get(str(child.tag))
                text = self._reserved_number(name, child, below) if name and below else ""
                if text:
                    told += 1
                    yield Flaw(
                        kind=Kind.ENUMERATION,
                        path=path_of(child),
                        text=text,
                        line=line_of(child),
                        level=Level.SHOULD,
                    )
                left.append((child, below))

    def _reserved_number(self, owner: str, child: etree._Element, type_name: str) -> str:
        keys = [(local(form.name), local(child.tag)) for form in self.schema.grammar.value_forms(owner)]
        table = next((self.schema.codes[key] for key in keys if key in self.schema.codes), None)
        table = table or self.schema.codes.get(("", local(type_name)))
        primitive = self.schema.grammar.primitive(type_name) or ""
        number = number_of(primitive, child.text or "")
        if table is None or number is None:
            return ""
        if primitive == "hexBinary":
            bits = [bit for bit in range(number.bit_length()) if number >> bit & 1 and bit not in table]
            return f"{shown(child.text or '')} sets bit {bits[0]}, which is reserved" if bits else ""
        return "" if number in table else f"{number} is reserved"


def _of_media_type(content_type: str | None) -> Iterator[Flaw]:
    if content_type is None:
        return
    bare = content_type.partition(";")[0].strip().lower()
    if bare != MEDIA_TYPE:
        seen = shown(content_type) if content_type else "there is no Content-Type"
        yield Flaw(kind=Kind.MEDIA_TYPE, path="", text=f"{seen} where {MEDIA_TYPE} belongs")


def _flaws_of(root: etree._Element, schema: Schema, elements: int, prefix: str = "") -> list[Flaw]:
    """What breaks a schema: libxml2 decides, the walk explains."""
    if elements > MANY:
        found = Walk(schema.grammar, prefix).explain(root)
        if found:
            return found
    if schema.compiled.validate(root):
        return []
    found = Walk(schema.grammar, prefix).explain(root)
    return found or [
        Flaw(kind=Kind.CONTENT, path=prefix + path_of(root), text=str(one.message)[:300], line=one.line)
        for one in islice(_errors(schema), MOST_FLAWS)
    ]


def _errors(schema: Schema) -> Iterator[_Said]:
    """What libxml2 said last; the stubs of its log do not tell that it can be gone through."""
    yield from cast("Iterable[_Said]", schema.compiled.error_log)


def _alone(element: etree._Element) -> etree._Element:
    """An element as the root of a document of its own."""
    return etree.ElementTree(element).getroot()


def _number(value: object) -> float:
    return value if isinstance(value, float) else 0.0
