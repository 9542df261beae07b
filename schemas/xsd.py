"""The XML schema, written from the declarations: `python -m schemas.xsd > schemas/sep.xsd`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from schemas import types
from schemas.fields import REGISTRY, Field, Scalar, spec_of
from schemas.profile import SEP_NAMESPACE

VERSION = "2.1.0"


def scalars() -> dict[str, Scalar]:
    """All types without children that the schema names, each with the bounds that it adds to its base."""
    found = {}
    for alias in vars(types).values():
        marks = [m for m in getattr(alias, "__metadata__", ()) if isinstance(m, Scalar)]
        if marks and not marks[-1].name.startswith("xs:"):
            found[marks[-1].name] = own_bounds(marks)
    return found


def own_bounds(chain: list[Scalar]) -> Scalar:
    """The last scalar of a chain as it is declared, with the name of its base."""
    last = chain[-1]
    base = chain[-2].name if len(chain) > 1 else last.primitive
    return Scalar(last.name, last.primitive, last.low, last.high, last.max_length, last.wrapped, base)


def xsd_text() -> str:
    """The schema of the standard as an XSD document."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{SEP_NAMESPACE}"'
        f' targetNamespace="{SEP_NAMESPACE}" elementFormDefault="qualified"'
        f' attributeFormDefault="unqualified" version="{VERSION}">',
    ]
    for name, scalar in scalars().items():
        lines += _scalar_lines(scalar)
        if scalar.wrapped:
            lines.append(f'  <xs:element name="{name}" type="{name}"/>')
    for name, cls in REGISTRY.items():
        lines.append(f'  <xs:element name="{name}" type="{name}"/>')
        lines += _class_lines(name, cls)
    return "\n".join([*lines, "</xs:schema>", ""])


def _scalar_lines(scalar: Scalar) -> Iterator[str]:
    if scalar.wrapped:
        yield f'  <xs:complexType name="{scalar.name}">'
        yield f'    <xs:simpleContent><xs:extension base="{scalar.base}"/></xs:simpleContent>'
        yield "  </xs:complexType>"
        return
    facets = {"minInclusive": scalar.low, "maxInclusive": scalar.high, "maxLength": scalar.max_length}
    held = "".join(f'<xs:{name} value="{value}"/>' for name, value in facets.items() if value is not None)
    yield f'  <xs:simpleType name="{scalar.name}">'
    yield f'    <xs:restriction base="{scalar.base}">{held}</xs:restriction>'
    yield "  </xs:simpleType>"


def _class_lines(name: str, cls: type) -> Iterator[str]:
    base = cls.__mro__[1]
    own = [f for f in spec_of(cls) if f.owner is cls]
    body = [*_sequence(own), *_attributes(own)]
    yield f'  <xs:complexType name="{name}">'
    if base is object:
        yield from ("  " + line for line in body)
    else:
        yield "    <xs:complexContent>"
        yield f'      <xs:extension base="{base.__name__}">'
        yield from ("      " + line for line in body)
        yield "      </xs:extension>"
        yield "    </xs:complexContent>"
    yield "  </xs:complexType>"


def _sequence(own: list[Field]) -> Iterator[str]:
    children = [f for f in own if not f.is_attribute]
    if not children:
        return
    yield "  <xs:sequence>"
    for f in children:
        most = "1" if not f.is_list else "unbounded" if f.at_most is None else str(f.at_most)
        yield (
            f'    <xs:element name="{f.name}" type="{f.type_name}"'
            f' minOccurs="{int(f.required)}" maxOccurs="{most}"/>'
        )
    yield "  </xs:sequence>"


def _attributes(own: list[Field]) -> Iterator[str]:
    for f in own:
        if f.is_attribute:
            use = "required" if f.required else "optional"
            default = "" if f.default is None else f" default={quoteattr(str(f.default))}"
            yield f'  <xs:attribute name="{f.name}" type="{f.type_name}" use="{use}"{default}/>'


if __name__ == "__main__":
    sys.stdout.write(xsd_text())
