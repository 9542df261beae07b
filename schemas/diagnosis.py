"""Why an element does not fit its class: the rule that it breaks, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from schemas.errors import Malformed
from schemas.fields import REGISTRY, Field, spec_of, wire_name

if TYPE_CHECKING:
    from lxml import etree

    from schemas.profile import Profile


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


def explain(cls: type, profile: Profile, element: etree._Element) -> NoReturn:
    """Raise Malformed for the first rule that an element breaks."""
    fields = spec_of(cls)
    places = {profile.tag(f): (n, f) for n, f in enumerate(f for f in fields if not f.is_attribute)}
    met: list[Field] = []
    last = -1
    for child in element:
        if child.tag not in places:
            name = str(child.tag).rpartition("}")[2]
            raise Malformed("unknown", f"{wire_name(cls)} has no element {name}", path_of(child))
        position, field = places[str(child.tag)]
        if field in met and not field.is_list:
            raise Malformed("occurrence", f"{field.name} stands more than once", _place(element, field))
        if position < last:
            after = next(f.name for n, f in places.values() if n > position and f in met)
            raise Malformed("order", f"{field.name} must stand before {after}", _place(element, field))
        last = position
        met.append(field)
    _explain_counts(element, fields, met)
    raise nested_values(element)


def nested_values(element: etree._Element) -> Malformed:
    """A value that should be text holds elements."""
    leaves = {f.name for cls in REGISTRY.values() for f in spec_of(cls) if f.scalar and not f.is_attribute}
    holders = [e for e in element.iter() if len(e) and str(e.tag).rpartition("}")[2] in leaves]
    return Malformed("content", "elements inside of a value", path_of((holders or [element])[0]))


def _explain_counts(element: etree._Element, fields: tuple[Field, ...], met: list[Field]) -> None:
    for field in fields:
        is_there = element.get(field.name) is not None if field.is_attribute else field in met
        if field.required and not is_there:
            mark = "@" if field.is_attribute else ""
            raise Malformed("missing", f"{mark}{field.name} is missing", path_of(element))
        if field.at_most is not None and met.count(field) > field.at_most:
            flaw = f"{met.count(field)} of {field.name}, at most {field.at_most}"
            raise Malformed("occurrence", flaw, path_of(element))


def _place(parent: etree._Element, field: Field) -> str:
    return f"{path_of(parent)}/{field.name}"
