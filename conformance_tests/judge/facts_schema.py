"""A schema rebuilt from a facts file: names, order, occurrence, bounds and code tables of each type.

The file is JSON: `_about.namespace`, and `types` by name, each with `kind` (simple or complex), `base`,
`facets`, `elements` and `attributes` of its own, `codes` of its values, `element_codes` of its elements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.sax.saxutils import quoteattr

XS: Final = "http://www.w3.org/2001/XMLSchema"
Facts = Mapping[str, Any]
Codes = dict[tuple[str, str], frozenset[int]]
OPEN: Final = frozenset({"CurrencyCode", "UomType"})
"""Types whose table names some of the numbers of another standard only."""


def schema_text(types: Facts, namespace: str) -> bytes:
    """The schema as an XSD document. Raises KeyError where a fact is missing."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<xs:schema xmlns:xs="{XS}" xmlns={quoteattr(namespace)} targetNamespace={quoteattr(namespace)}'
        ' elementFormDefault="qualified">',
    ]
    for name, fact in types.items():
        if fact["kind"] == "simple":
            lines.append(f"<xs:simpleType name={quoteattr(name)}>{_restriction(fact)}</xs:simpleType>")
        else:
            lines.append(f"<xs:element name={quoteattr(name)} type={quoteattr(name)}/>")
            lines += _complex(name, fact, has_text=_has_text(types, fact))
    return "\n".join([*lines, "</xs:schema>"]).encode()


def codes_of(types: Facts) -> Codes:
    """Numbers that a table has, by type and element: ("", type) for all of a type, (type, element) else."""
    found: Codes = {}
    for name, fact in types.items():
        if name not in OPEN:
            whole = ("", name) if not fact.get("elements") else (name, "value")
            _add(found, whole, fact.get("codes", {}))
        for element, table in fact.get("element_codes", {}).items():
            _add(found, (name, element), table)
    return found


def _add(found: Codes, key: tuple[str, str], table: Mapping[str, str]) -> None:
    numbers = {int(number) for number in table if number.isdigit()}
    for low, _, high in (text.partition("-") for text, label in table.items() if _is_span(text, label)):
        numbers |= set(range(int(low), int(high) + 1))
    if numbers:
        found[key] = frozenset(numbers)


def _is_span(text: str, label: str) -> bool:
    return not text.isdigit() and "reserved" not in label.lower()


def _has_text(types: Facts, fact: Facts) -> bool:
    """Whether a type holds a value and no elements: its bases end in a simple type."""
    base = fact.get("base")
    while base is not None and base in types and types[base]["kind"] == "complex":
        if fact.get("elements") or types[base].get("elements"):
            return False
        fact, base = types[base], types[base].get("base")
    return base is not None and not fact.get("elements")


def _restriction(fact: Facts) -> str:
    facets = "".join(
        f"<xs:{name} value={quoteattr(str(value))}/>" for name, value in fact.get("facets", {}).items()
    )
    return f"<xs:restriction base={quoteattr(fact['base'])}>{facets}</xs:restriction>"


def _complex(name: str, fact: Facts, *, has_text: bool) -> Iterator[str]:
    content = "simpleContent" if has_text else "complexContent"
    body = [*_sequence(fact), *_attributes(fact)]
    yield f"<xs:complexType name={quoteattr(name)}>"
    if fact.get("base") is None:
        yield from body
    else:
        yield f"<xs:{content}><xs:extension base={quoteattr(fact['base'])}>"
        yield from body
        yield f"</xs:extension></xs:{content}>"
    yield "</xs:complexType>"


def _sequence(fact: Facts) -> Iterator[str]:
    if not fact.get("elements"):
        return
    yield "<xs:sequence>"
    for one in fact["elements"]:
        yield (
            f"<xs:element name={quoteattr(one['name'])} type={quoteattr(one['type'])}"
            f" minOccurs={quoteattr(one['min'])} maxOccurs={quoteattr(one['max'])}/>"
        )
    yield "</xs:sequence>"


def _attributes(fact: Facts) -> Iterator[str]:
    for one in fact.get("attributes", ()):
        yield (
            f"<xs:attribute name={quoteattr(one['name'])} type={quoteattr(one['type'])}"
            f" use={quoteattr(one.get('use', 'optional'))}/>"
        )
