"""Every example document: what is valid round-trips, what is not is refused naming the rule."""

import io
from pathlib import Path

import pytest
from lxml import etree

from schemas import Codec, Malformed, csip_aus

OWN = [
    "dercapability",
    "devicecapability",
    "subscription_post",
    "dercurve_wattpf",
    "enddevicelist",
    "textmessage",
    "dercontrolresponse",
    "enddevicecontrol",
    "derprogramlist",
    "mirrormeterreading_set_post",
    "mirrorusagepoint_post",
    "deravailability",
    "defaultdercontrol",
    "mirrormeterreading_post",
    "flowreservationrequest_post",
    "derstatus_storage",
    "functionsetassignmentslist",
    "notification_cancel",
    "enddevice_post",
    "logevent_post",
    "dercontrollist",
    "time",
    "registration",
    "notification_list",
    "dercurve_voltvar",
    "subscription_conditional_post",
    "error",
    "emptylist",
    "dersettings",
]
INVALID = {
    "bad_curve_11_points": ("occurrence", "/DERCurve"),
    "bad_element_order": ("order", "/Time/quality"),
    "bad_missing_required": ("missing", "/DERCapability"),
    "bad_mrid_too_long": ("length", "/DERControlResponse/subject"),
    "bad_odd_hex_mrid": ("lexical", "/DERControlResponse/subject"),
    "bad_value_range": ("range", "/"),
}


def canonical(data: bytes) -> bytes:
    """Canonical XML without white space between elements and without comments."""
    tree = etree.parse(io.BytesIO(data), etree.XMLParser(remove_blank_text=True, remove_comments=True))
    for element in tree.iter():
        element.text = element.text if element.text and element.text.strip() else None
    return etree.tostring(tree, method="c14n", exclusive=True)


def round_trip(data: bytes, codec: Codec) -> bytes:
    return codec.encode(codec.decode_any(data))


@pytest.mark.parametrize("name", OWN)
def test_own_example_round_trips_to_the_same_canonical_xml(vectors: Path, name: str) -> None:
    data = (vectors / "xml" / "own" / f"{name}.xml").read_bytes()
    assert canonical(round_trip(data, Codec())) == canonical(data)


def test_every_own_example_is_named_here(vectors: Path) -> None:
    assert {p.stem for p in (vectors / "xml" / "own").glob("*.xml")} == set(OWN)


def test_every_envoy_example_round_trips_to_the_same_canonical_xml(vectors: Path) -> None:
    files = sorted((vectors / "xml" / "envoy").glob("*.xml"))
    broken = [
        p.name for p in files if canonical(round_trip(p.read_bytes(), Codec())) != canonical(p.read_bytes())
    ]
    assert (len(files), broken) == (19, [])


@pytest.mark.parametrize(
    "name", ["dcap", "edev-list-completely-empty", "edev-list-empty", "error", "mup-list-empty"]
)
def test_client_example_round_trips_to_the_same_canonical_xml(vectors: Path, name: str) -> None:
    data = (vectors / "xml" / "cactus-client" / f"{name}.xml").read_bytes()
    assert canonical(round_trip(data, Codec())) == canonical(data)


@pytest.mark.parametrize("name", ["edev-list-1", "edev-list-2"])
def test_connection_point_link_round_trips_under_the_csip_aus_profile(vectors: Path, name: str) -> None:
    data = (vectors / "xml" / "cactus-client" / f"{name}.xml").read_bytes()
    assert canonical(round_trip(data, Codec(csip_aus.CSIP_AUS_V1_2))) == canonical(data)


def test_connection_point_link_is_skipped_under_the_base_profile(vectors: Path) -> None:
    data = (vectors / "xml" / "cactus-client" / "edev-list-1.xml").read_bytes()
    assert b"ConnectionPointLink" not in round_trip(data, Codec())


@pytest.mark.parametrize(("name", "rule"), [(name, rule) for name, (rule, _) in INVALID.items()])
def test_invalid_example_is_refused_naming_the_rule(vectors: Path, name: str, rule: str) -> None:
    data = (vectors / "xml" / "own" / "invalid" / f"{name}.xml").read_bytes()
    with pytest.raises(Malformed) as refusal:
        Codec().decode_any(data)
    assert refusal.value.rule == rule
    assert refusal.value.path.startswith(INVALID[name][1])


def test_every_invalid_example_is_named_here(vectors: Path) -> None:
    assert {p.stem for p in (vectors / "xml" / "own" / "invalid").glob("*.xml")} == set(INVALID)


@pytest.mark.parametrize("name", ["DERAvailability", "DERCapability", "DERSettings", "DERStatus"])
def test_document_of_the_2013_namespace_is_refused_by_its_root(vectors: Path, name: str) -> None:
    data = (vectors / "xml" / "epri-2013-ns" / f"{name}.xml").read_bytes()
    with pytest.raises(Malformed) as refusal:
        Codec().decode_any(data)
    assert refusal.value.rule == "root"
