"""Mounts: what is stored, as the clients of one profile at one path get it; and back."""

import pytest

from schemas import (
    BASE,
    ActivePower,
    Codec,
    DateTimeInterval,
    DemandResponseProgramLink,
    DERCapability,
    DERControl,
    DERProgram,
    EventStatus,
    LoadShedAvailability,
    Subscription,
    csip_aus,
)
from sep2_server.messages import created
from sep2_server.mounts import Mount
from sep2_server.profiles import PROFILES

STORE = Codec(csip_aus.CSIP_AUS_ALL)
LINK_LIKE = 'a <b href="/x" /> c'


def mount(name: str, prefix: str = "") -> Mount:
    return Mount(STORE, prefix, PROFILES[name])


def control() -> DERControl:
    value = DERControl(
        mRID="AB" * 16,
        creationTime=0,
        EventStatus_=EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False),
        interval=DateTimeInterval(start=100, duration=60),
        DERControlBase_=csip_aus.DERControlBaseV13(
            opModMaxLimW=1,
            opModExpLimW=ActivePower(multiplier=0, value=5),
            opModStorageTargetW=ActivePower(multiplier=0, value=-6),
        ),
    )
    value.href, value.replyTo, value.description = "/derp/1/derc/2", "/rsps/3/rsp", LINK_LIKE[:32]
    return value


@pytest.mark.parametrize(
    ("name", "elements", "space"),
    [
        ("base", set(), b"urn:ieee:std:2030.5:ns"),
        ("csip_aus_v1.2", {"opModExpLimW"}, b"https://csipaus.org/ns"),
        (
            "csip_aus_v1.3_storage",
            {"opModExpLimW", "opModStorageTargetW"},
            b"https://csipaus.org/ns/v1.3-beta",
        ),
        ("csip_aus_v1.3", {"opModExpLimW", "opModStorageTargetW"}, b"https://csipaus.org/ns/v1.3"),
    ],
)
def test_a_profile_gets_its_own_elements_in_its_own_namespace(
    name: str, elements: set[str], space: bytes
) -> None:
    shown = mount(name).rendered(STORE.encode(control()))
    value = Codec(PROFILES[name].xml).decode(shown, DERControl)
    names = {n for n in ("opModExpLimW", "opModStorageTargetW") if getattr(value.DERControlBase_, n, None)}
    assert names == elements
    assert space in shown
    assert value.DERControlBase_.opModMaxLimW == 1


def test_a_path_is_put_before_uris_in_tags_and_nowhere_else() -> None:
    shown = mount("csip_aus_v1.3", "/aus13").rendered(STORE.encode(control()))
    value = Codec(csip_aus.CSIP_AUS_V1_3).decode(shown, DERControl)
    assert (value.href, value.replyTo) == ("/aus13/derp/1/derc/2", "/aus13/rsps/3/rsp")
    assert value.description == LINK_LIKE[:32]


def test_absolute_uris_stay_as_they_are() -> None:
    document = STORE.encode(DERProgram(href="https://other/derp/1", mRID="01", primacy=1))
    assert b'href="https://other/derp/1"' in mount("base", "/b").rendered(document)


def test_a_mount_of_what_is_stored_changes_nothing() -> None:
    plain = Mount(Codec(BASE), rules=PROFILES["base"])
    assert plain.is_plain
    assert plain.codec is plain.store
    assert not mount("base").is_plain


def test_v1_1a_has_another_name_for_the_id_of_a_connection_point() -> None:
    document = STORE.encode(csip_aus.ConnectionPoint(href="/edev/1/cp", connectionPointId="NMI<1"))
    old = mount("csip_aus_v1.1a")
    shown = Codec(csip_aus.CSIP_AUS_V1_1A).decode(old.rendered(document), csip_aus.ConnectionPointV11)
    assert shown.id == "NMI<1"
    sent = Codec(csip_aus.CSIP_AUS_V1_1A).encode(csip_aus.ConnectionPointV11(id="NMI2"))
    got = old.decode(sent, (csip_aus.ConnectionPoint,), most=1000)
    assert got == csip_aus.ConnectionPoint(connectionPointId="NMI2")


def test_links_and_uris_in_a_body_lose_the_path() -> None:
    aus = mount("csip_aus_v1.3", "/aus13")
    codec = Codec(csip_aus.CSIP_AUS_V1_3)
    body = codec.encode(
        Subscription(
            subscribedResource="/aus13/derp/1/derc",
            encoding=0,
            level="+S1",
            limit=1,
            notificationURI="https://client/aus13/x",
        )
    )
    got = aus.decode(body, (Subscription,), most=1000)
    assert isinstance(got, Subscription)
    assert (got.subscribedResource, got.notificationURI) == ("/derp/1/derc", "https://client/aus13/x")
    link = codec.encode(
        LoadShedAvailability(DemandResponseProgramLink_=DemandResponseProgramLink(href="/aus13/dr/1"))
    )
    shed = aus.decode(link, (LoadShedAvailability,), most=1000)
    assert isinstance(shed, LoadShedAvailability)
    assert shed.DemandResponseProgramLink_ is not None
    assert shed.DemandResponseProgramLink_.href == "/dr/1"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("/aus13/edev", "/edev"),
        ("https://h:1/aus13/edev", "https://h:1/edev"),
        ("/edev", "/edev"),
        ("/aus130/edev", "/aus130/edev"),
    ],
)
def test_a_uri_of_a_client_is_known_to_the_store(sent: str, stored: str) -> None:
    assert mount("csip_aus_v1.3", "/aus13").stored_uri(sent) == stored


def test_what_a_client_of_the_standard_gives_can_be_read_by_the_store() -> None:
    body = Codec(BASE).encode(
        DERCapability(modesSupported="01", rtgMaxW=ActivePower(multiplier=0, value=1), type=4)
    )
    got = mount("base").decode(body, (DERCapability,), most=1000)
    assert STORE.decode_fragment(STORE.fragment(got), DERCapability).type == 4


def test_a_location_is_one_of_the_mount() -> None:
    answer = created("/edev/1")
    assert mount("base", "/b").answered(answer).location == "/b/edev/1"
    assert mount("base").answered(answer) is answer
