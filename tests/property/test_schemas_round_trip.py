"""decode(encode(x)) == x for every resource of the standard, and the schema accepts what we write."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

import schemas
from schemas import REGISTRY, Codec, validate
from tests.inputs import inputs
from tests.resource_strategies import resources

CODEC = Codec()
XSD = etree.XMLSchema(etree.parse(str(Path(schemas.__file__).with_name("sep.xsd"))))


@pytest.mark.parametrize("name", sorted(REGISTRY))
@settings(max_examples=inputs(5), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_resource_survives_its_xml(name: str, data: st.DataObject) -> None:
    cls: type[object] = REGISTRY[name]
    resource = data.draw(resources(cls))
    validate(resource)
    document = CODEC.encode(resource)
    assert XSD.validate(etree.fromstring(document)), XSD.error_log
    assert CODEC.decode(document, cls) == resource
    assert CODEC.decode_fragment(CODEC.fragment(resource), cls) == resource


@settings(max_examples=inputs(300), deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_malformed(data: bytes) -> None:
    with pytest.raises(schemas.Malformed):
        CODEC.decode_any(data)
