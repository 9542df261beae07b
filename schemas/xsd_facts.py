"""Facts of a schema file, read by the library `xmlschema` (a development dependency)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xmlschema import XMLSchema, XsdElement
from xmlschema.validators import XsdComplexType, XsdFacet, XsdGroup, XsdSimpleType, XsdType

FACETS = ("minInclusive", "maxInclusive", "maxLength")


def facts_of_xsd(path: Path) -> dict[str, dict[str, Any]]:
    """Every type of a schema file: kind, base, facets, own elements and attributes, in order."""
    schema = XMLSchema(str(path))
    return {str(name).rpartition("}")[2]: _facts_of(t) for name, t in schema.types.items()}


def _facts_of(xsd_type: XsdType) -> dict[str, Any]:
    if isinstance(xsd_type, XsdComplexType):
        return _of_complex(xsd_type)
    facets = _facets(xsd_type) if isinstance(xsd_type, XsdSimpleType) else {}
    return {"kind": "simple", "base": _base(xsd_type), "facets": facets, "elements": [], "attributes": []}


def _of_complex(xsd_type: XsdComplexType) -> dict[str, Any]:
    base = xsd_type.base_type
    inherited = base if isinstance(base, XsdComplexType) and base.local_name != "anyType" else None
    above = set() if inherited is None else {e.local_name for e in _elements(inherited)}
    attributes_above = set() if inherited is None else set(inherited.attributes)
    return {
        "kind": "complex",
        "base": _base(xsd_type),
        "facets": {},
        "elements": [_of_element(e) for e in _elements(xsd_type) if e.local_name not in above],
        "attributes": [
            _of_attribute(str(name), attribute)
            for name, attribute in xsd_type.attributes.items()
            if name is not None and name not in attributes_above
        ],
    }


def _base(xsd_type: XsdType) -> str | None:
    base = None if xsd_type.base_type is None else _local(xsd_type.base_type)
    return None if base == "xs:anyType" else base


def _elements(xsd_type: XsdComplexType) -> list[XsdElement]:
    if not isinstance(xsd_type.content, XsdGroup):
        return []
    return [e for e in xsd_type.content.iter_elements() if isinstance(e, XsdElement)]


def _of_element(element: XsdElement) -> dict[str, str]:
    most = "unbounded" if element.max_occurs is None else str(element.max_occurs)
    least = str(element.min_occurs)
    return {"name": element.local_name, "type": _local(element.type), "min": least, "max": most}


def _of_attribute(name: str, attribute: Any) -> dict[str, str]:  # noqa: ANN401 - the library has several classes
    fact = {"name": name, "type": _local(attribute.type), "use": attribute.use}
    return fact if attribute.default is None else {**fact, "default": attribute.default}


def _facets(xsd_type: XsdSimpleType) -> dict[str, str]:
    found = {}
    for name, facet in xsd_type.facets.items():
        local = str(name).rpartition("}")[2]
        if local in FACETS and isinstance(facet, XsdFacet) and facet.parent is xsd_type:
            found[local] = str(facet.value)
    return dict(sorted(found.items(), key=lambda item: FACETS.index(item[0])))


def _local(xsd_type: XsdType) -> str:
    space, _, name = str(xsd_type.name).rpartition("}")
    return f"xs:{name}" if "XMLSchema" in space else name
