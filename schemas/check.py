"""Holds the declarations against facts of the schema: a facts file, or a schema file read by `xmlschema`.

`python -m schemas.check FILE` prints the differences; FILE is `.json` (facts) or `.xsd`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas import codes, codes_metering
from schemas.fields import REGISTRY, Field, Scalar, spec_of
from schemas.xsd import scalars

if TYPE_CHECKING:
    from xmlschema import XsdElement, XsdType

Facts = Mapping[str, Any]


def differences(facts: Facts) -> list[str]:
    """What the declarations and `facts` do not share; facts map type names to what they hold."""
    ours = declared_facts()
    found = [f"{name}: not declared" for name in facts if name not in ours]
    found += [f"{name}: not in the schema" for name in ours if name not in facts]
    for name in facts:
        if name in ours:
            found += _compare(name, ours[name], facts[name])
    return found


def declared_facts() -> dict[str, dict[str, Any]]:
    """The declarations in the form of a facts file."""
    described = {name: _of_scalar(scalar) for name, scalar in scalars().items()}
    described |= {name: _of_class(cls) for name, cls in REGISTRY.items()}
    return described


def code_differences(facts: Facts) -> list[str]:
    """Numbers of code tables that the enumerations and `facts` do not share."""
    found = []
    tables = {**vars(codes), **vars(codes_metering)}
    for name, fact in facts.items():
        numbers = {int(n) for n in fact.get("codes", {}) if n.isdigit()}
        if numbers and name in tables and numbers != {int(member) for member in tables[name]}:
            found.append(f"{name}: codes {sorted(numbers)}")
    return found


def facts_of_xsd(path: Path) -> dict[str, dict[str, Any]]:
    """Facts of a schema file, read by the library `xmlschema`."""
    import xmlschema  # noqa: PLC0415 - only this check needs it, and only where it is installed

    schema = xmlschema.XMLSchema(str(path))
    return {str(name).rpartition("}")[2]: _of_xsd_type(t) for name, t in schema.types.items()}


def _of_scalar(scalar: Scalar) -> dict[str, Any]:
    facets = {"minInclusive": scalar.low, "maxInclusive": scalar.high, "maxLength": scalar.max_length}
    kind = "complex" if scalar.wrapped else "simple"
    held = {name: str(value) for name, value in facets.items() if value is not None}
    return {"kind": kind, "base": scalar.base, "facets": held, "elements": [], "attributes": []}


def _of_class(cls: type) -> dict[str, Any]:
    base = cls.__mro__[1]
    own = [f for f in spec_of(cls) if f.owner is cls]
    return {
        "kind": "complex",
        "base": None if base is object else base.__name__,
        "facets": {},
        "elements": [_of_element(f) for f in own if not f.is_attribute],
        "attributes": [_of_attribute(f) for f in own if f.is_attribute],
    }


def _of_element(f: Field) -> dict[str, str]:
    most = "1" if not f.is_list else "unbounded" if f.at_most is None else str(f.at_most)
    return {"name": f.name, "type": f.type_name, "min": str(int(f.required)), "max": most}


def _of_attribute(f: Field) -> dict[str, str]:
    fact = {"name": f.name, "type": f.type_name, "use": "required" if f.required else "optional"}
    return fact if f.default is None else {**fact, "default": str(f.default)}


def _compare(name: str, ours: Facts, theirs: Facts) -> Iterator[str]:
    for key in ("kind", "base", "facets", "elements", "attributes"):
        held, wanted = ours.get(key), theirs.get(key)
        if held != wanted and (held or wanted):
            yield f"{name}.{key}: declared {held}, schema has {wanted}"


def _of_xsd_type(xsd_type: XsdType) -> dict[str, Any]:
    complex_ = xsd_type.is_complex()
    base = None if xsd_type.base_type is None else _local(xsd_type.base_type)
    inherited = _names(xsd_type.base_type) if complex_ and xsd_type.base_type is not None else set()
    elements = [] if not complex_ or xsd_type.has_simple_content() else list(xsd_type.content.iter_elements())
    return {
        "kind": "complex" if complex_ else "simple",
        "base": None if base == "xs:anyType" else base,
        "facets": {} if complex_ else _facets(xsd_type),
        "elements": [_xsd_element(e) for e in elements if e.local_name not in inherited],
        "attributes": [] if not complex_ else _xsd_attributes(xsd_type, inherited),
    }


def _names(xsd_type: XsdType) -> set[str]:
    if not xsd_type.is_complex() or xsd_type.name is None or xsd_type.local_name == "anyType":
        return set()
    elements = (
        set() if xsd_type.has_simple_content() else {e.local_name for e in xsd_type.content.iter_elements()}
    )
    return elements | {f"@{name}" for name in xsd_type.attributes}


def _xsd_element(element: XsdElement) -> dict[str, str]:
    most = "unbounded" if element.max_occurs is None else str(element.max_occurs)
    return {
        "name": element.local_name,
        "type": _local(element.type),
        "min": str(element.min_occurs),
        "max": most,
    }


def _xsd_attributes(xsd_type: XsdType, inherited: set[str]) -> list[dict[str, str]]:
    found = []
    for name, attribute in xsd_type.attributes.items():
        if name is not None and f"@{name}" not in inherited:
            fact = {"name": name, "type": _local(attribute.type), "use": attribute.use}
            found.append(fact if attribute.default is None else {**fact, "default": attribute.default})
    return found


def _facets(xsd_type: XsdType) -> dict[str, str]:
    wanted = ("minInclusive", "maxInclusive", "maxLength")
    own = {str(name).rpartition("}")[2]: facet for name, facet in xsd_type.facets.items() if name is not None}
    return {name: str(own[name].value) for name in wanted if name in own and own[name].parent is xsd_type}


def _local(xsd_type: XsdType) -> str:
    space, _, name = str(xsd_type.name).rpartition("}")
    return f"xs:{name}" if "XMLSchema" in space else name


def main(arguments: list[str]) -> int:
    """Print the differences to a facts file or a schema file; 0 if there are none."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m schemas.check FACTS.json|SCHEMA.xsd\n")
        return 2
    path = Path(arguments[0])
    facts = facts_of_xsd(path) if path.suffix == ".xsd" else json.loads(path.read_text())["types"]
    found = differences(facts) + code_differences(facts)
    sys.stdout.writelines(f"{line}\n" for line in found)
    sys.stdout.write(f"{len(found)} differences in {len(facts)} types\n")
    return 1 if found else 0


if __name__ == "__main__":
    import schemas  # noqa: F401 - all declarations must be loaded

    sys.exit(main(sys.argv[1:]))
