"""The CSIP-AUS v1.2 extensions against the published extension schema."""

import shutil
from pathlib import Path

import pytest
from lxml import etree

import schemas
from schemas import (
    ActivePower,
    Codec,
    DateTimeInterval,
    DefaultDERControl,
    DERControl,
    EventStatus,
    Link,
    csip_aus,
)

CODEC = Codec(csip_aus.CSIP_AUS_V1_2)
SEP_XSD = Path(schemas.__file__).with_name("sep.xsd")
LIMITS = csip_aus.DERControlBaseV12(
    opModImpLimW=ActivePower(multiplier=0, value=5000),
    opModExpLimW=ActivePower(multiplier=0, value=1500),
    opModGenLimW=ActivePower(multiplier=1, value=500),
    opModLoadLimW=ActivePower(multiplier=0, value=0),
    rampTms=100,
)
CAPABILITY = csip_aus.DERCapabilityV12(
    modesSupported="00100000", rtgMaxW=ActivePower(multiplier=0, value=5000), type=4, doeModesSupported="0F"
)
DOCUMENTS = [
    DERControl(
        mRID="0A",
        creationTime=1,
        EventStatus_=EventStatus(currentStatus=0, dateTime=1, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=60, start=100),
        DERControlBase_=LIMITS,
    ),
    DefaultDERControl(mRID="0A", DERControlBase_=LIMITS, setGradW=27),
    CAPABILITY,
    csip_aus.DERSettingsV12(
        setGradW=27, setMaxW=ActivePower(multiplier=0, value=5000), updatedTime=1, doeModesEnabled="03"
    ),
    csip_aus.EndDeviceV12(sFDI=19, changedTime=1, ConnectionPointLink=Link(href="/edev/1/cp")),
    csip_aus.ConnectionPoint(connectionPointId="NMI0000001", href="/edev/1/cp"),
]


@pytest.fixture(scope="module")
def published(vectors: Path, tmp_path_factory: pytest.TempPathFactory) -> etree.XMLSchema:
    """The extension schema, compiled over the schema that our declarations write."""
    folder = tmp_path_factory.mktemp("csipaus")
    shutil.copy(SEP_XSD, folder)
    for path in (vectors / "xsd").glob("*.xsd"):
        shutil.copy(path, folder)
    return etree.XMLSchema(etree.parse(str(folder / "csipaus-core.xsd")))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: type(d).__name__)
def test_published_schema_accepts_what_we_write(published: etree.XMLSchema, document: object) -> None:
    data = CODEC.encode(document)
    assert published.validate(etree.fromstring(data)), published.error_log
    assert CODEC.decode_any(data) == document


def test_published_schema_and_ours_want_the_modes_of_a_capability(published: etree.XMLSchema) -> None:
    data = CODEC.encode(CAPABILITY).replace(b"<csipaus:doeModesSupported>0F</csipaus:doeModesSupported>", b"")
    assert not published.validate(etree.fromstring(data))
    with pytest.raises(schemas.Malformed, match="doeModesSupported is missing"):
        CODEC.decode_any(data)
