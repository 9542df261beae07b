"""decode(encode(x)) == x for every resource of the standard, and the schema accepts what we write."""

import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

import schemas
from schemas import REGISTRY, Codec, Field, Scalar, spec_of, validate
from schemas.scalars import BOUNDS, bounds_of

CODEC = Codec()
XSD = etree.XMLSchema(etree.parse(str(Path(schemas.__file__).with_name("sep.xsd"))))
CHARACTERS = string.printable.translate({ord(c): None for c in "\x0b\x0c\r"}) + "\u00e9\u20ac\U0001f50c"
HEX = "0123456789abcdefABCDEF"


def values_of(scalar: Scalar) -> st.SearchStrategy[object]:
    if scalar.primitive in BOUNDS:
        return st.integers(*bounds_of(scalar))
    if scalar.primitive == "xs:boolean":
        return st.booleans()
    if scalar.primitive == "xs:hexBinary":
        most = scalar.max_length or 0
        return st.integers(0, most).flatmap(lambda n: st.text(HEX, min_size=2 * n, max_size=2 * n))
    if scalar.primitive == "xs:anyURI":
        return st.sampled_from(["/edev/1", "https://a.example:8443/derp/2?x=1&y=2", ""])
    return st.text(CHARACTERS, max_size=min(scalar.max_length or 40, 40))


def field_values(f: Field, depth: int) -> st.SearchStrategy[object]:
    one = values_of(f.scalar) if f.scalar else resources(f.target, depth - 1) if f.target else st.none()
    if f.is_list:
        return st.lists(one, min_size=int(f.required), max_size=2 if depth > 0 else int(f.required))
    if f.required:
        return one
    return st.none() | one if depth > 0 or f.scalar else st.none()


def resources(cls: type, depth: int = 2) -> st.SearchStrategy[object]:
    return st.fixed_dictionaries({f.attr: field_values(f, depth) for f in spec_of(cls)}).map(
        lambda values: cls(**values)
    )


@pytest.mark.parametrize("name", sorted(REGISTRY))
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_resource_survives_its_xml(name: str, data: st.DataObject) -> None:
    cls: type[object] = REGISTRY[name]
    resource = data.draw(resources(cls))
    validate(resource)
    document = CODEC.encode(resource)
    assert XSD.validate(etree.fromstring(document)), XSD.error_log
    assert CODEC.decode(document, cls) == resource
    assert CODEC.decode_fragment(CODEC.fragment(resource), cls) == resource


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_malformed(data: bytes) -> None:
    with pytest.raises(schemas.Malformed):
        CODEC.decode_any(data)
