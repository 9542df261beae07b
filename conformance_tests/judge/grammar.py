"""What a schema file says of each type, read for explanations: children in order, attributes, bounds.

libxml2 decides whether a body keeps the schema; this tells a person why not. What is not read here (choices,
wildcards, types without a name) is left to the words of libxml2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lxml import etree

XS: Final = "{http://www.w3.org/2001/XMLSchema}"
_BOUNDS: Final = frozenset(
    f"{XS}{name}"
    for name in (
        "minInclusive",
        "maxInclusive",
        "minExclusive",
        "maxExclusive",
        "minLength",
        "maxLength",
        "length",
    )
)
_DERIVED: Final = frozenset(f"{XS}{name}" for name in ("extension", "restriction"))
_UNREAD: Final = frozenset(
    f"{XS}{name}" for name in ("choice", "any", "all", "group", "anyAttribute", "attributeGroup")
)


@dataclass(frozen=True, slots=True)
class Particle:
    """One child in a sequence: its name and type, qualified (None: one without a name), and how often."""

    tag: str
    type: str | None
    least: int
    most: int | None


@dataclass(slots=True)
class Form:
    """One type: what it adds to its base. `whole` is False where some of it was not read."""

    name: str
    base: str | None = None
    particles: list[Particle] = field(default_factory=list)
    attributes: dict[str, tuple[str | None, bool]] = field(default_factory=dict)
    bounds: dict[str, str] = field(default_factory=dict)
    allowed: list[str] = field(default_factory=list)
    whole: bool = True


class Grammar:
    """All types and document elements of some schema documents, by qualified name (`{namespace}name`)."""

    def __init__(self) -> None:
        self.forms: dict[str, Form] = {}
        self.elements: dict[str, str | None] = {}
        self.namespaces: set[str] = set()

    def read(self, schema: etree._Element) -> None:
        """Add what one schema document declares; a type that it redefines keeps what it had."""
        target = schema.get("targetNamespace", "")
        self.namespaces.add(target)
        for child in schema:
            if child.tag == f"{XS}redefine":
                for one in child:
                    self._type(one, target, again=True)
            self._type(child, target)
            if child.tag == f"{XS}element":
                self.elements[f"{{{target}}}{child.get('name')}"] = _qualified(child, child.get("type"))

    def particles(self, name: str) -> list[Particle] | None:
        """The children of a type in their order, those of its bases first; None where not all are known."""
        found: list[Particle] = []
        for form in self._line(name):
            if not form.whole:
                return None
            found += form.particles
        return found

    def attributes(self, name: str) -> dict[str, tuple[str | None, bool]]:
        """The attributes of a type: qualified type, and whether it must be there."""
        found: dict[str, tuple[str | None, bool]] = {}
        for form in self._line(name):
            found |= form.attributes
        return found

    def holds_text(self, name: str) -> bool:
        """True for a type whose content is a value."""
        return self.primitive(name) is not None

    def primitive(self, name: str) -> str | None:
        """The built-in type (`unsignedShort`) of a type of values; None for one with children."""
        if name.startswith(XS):
            return name[len(XS) :]
        line = self._line(name)
        base = line[0].base if line else None
        return (
            base[len(XS) :] if base is not None and base.startswith(XS) and base != f"{XS}anyType" else None
        )

    def value_forms(self, name: str) -> list[Form]:
        """The types whose bounds hold for a value, the last one derived first."""
        return list(reversed(self._line(name)))

    def derives(self, name: str, base: str) -> bool:
        """True where a type is another, or made of it."""
        return any(form.name == base for form in self._line(name))

    def _line(self, name: str) -> list[Form]:
        """The forms of a type, the first of its bases first."""
        found: list[Form] = []
        at: str | None = name
        while at is not None and at in self.forms and len(found) < 64:
            found.append(self.forms[at])
            at = self.forms[at].base
        return found[::-1]

    def _type(self, node: etree._Element, target: str, *, again: bool = False) -> None:
        if node.tag not in {f"{XS}complexType", f"{XS}simpleType"}:
            return
        name = f"{{{target}}}{node.get('name')}"
        form = _form_of(node, name, target)
        if again and name in self.forms:
            former = self.forms[name]
            former.name = f"{name}#former"
            self.forms[former.name] = former
            form.base = former.name
        self.forms[name] = form


def _form_of(node: etree._Element, name: str, target: str) -> Form:
    form = Form(name)
    body = node
    for inner in node.iter(*_DERIVED):
        form.base, body = _qualified(inner, inner.get("base")), inner
    for child in body:
        _add(form, child, target)
    return form


def _add(form: Form, node: etree._Element, target: str) -> None:
    if node.tag == f"{XS}sequence":
        own = [child for child in node if child.tag != f"{XS}annotation"]
        form.particles += [_particle(child, target) for child in own if child.tag == f"{XS}element"]
        form.whole = form.whole and len(form.particles) == len(own)
    elif node.tag == f"{XS}attribute":
        is_required = node.get("use") == "required"
        form.attributes[node.get("name", "")] = (_qualified(node, node.get("type")), is_required)
    elif node.tag in _BOUNDS:
        form.bounds[str(node.tag)[len(XS) :]] = node.get("value", "")
    elif node.tag == f"{XS}enumeration":
        form.allowed.append(node.get("value", ""))
    elif node.tag in _UNREAD:
        form.whole = False


def _particle(node: etree._Element, target: str) -> Particle:
    most = node.get("maxOccurs", "1")
    reference = _qualified(node, node.get("ref"))
    return Particle(
        tag=reference or f"{{{target}}}{node.get('name')}",
        type=None if reference else _qualified(node, node.get("type")),
        least=int(node.get("minOccurs", "1")),
        most=None if most == "unbounded" else int(most),
    )


def _qualified(node: etree._Element, name: str | None) -> str | None:
    if name is None:
        return None
    prefix, _, local = name.rpartition(":")
    return f"{{{node.nsmap.get(prefix or None, '')}}}{local}"
