"""Names and TXT records of DNS-SD by the facts."""

import pytest

from sep2_server.discovery.announcer import offered
from sep2_server.discovery.records import Service, label_of, services, txt_of
from sep2_server.environment import Environment
from sep2_server.settings import settings_of

PATHS = {"EndDeviceList": "/edev", "Time": "/tm"}


def test_the_server_has_one_instance_and_one_for_each_function_set() -> None:
    found = services("Lineside", 8443, "-S1", PATHS)
    assert [(s.type_in("local"), s.name_in("local")) for s in found] == [
        ("_smartenergy._tcp.local.", "Lineside._smartenergy._tcp.local."),
        ("_edev._sub._smartenergy._tcp.local.", "Lineside edev._smartenergy._tcp.local."),
        ("_tm._sub._smartenergy._tcp.local.", "Lineside tm._smartenergy._tcp.local."),
    ]
    assert [s.txt.get("path") for s in found] == [None, "/edev", "/tm"]


def test_a_device_is_told_by_twelve_digits_of_its_sfdi() -> None:
    found = services("L", 443, "+S1", PATHS, [16726121139])
    assert found[-1].type_in("site") == "_edev-016726121139._sub._smartenergy._tcp.site."
    assert found[-1].txt["path"] == "/edev"


@pytest.mark.parametrize(("port", "https"), [(443, ""), (8443, "8443")])
def test_txt_begins_with_its_version_and_has_all_that_must_be(port: int, https: str) -> None:
    assert list(txt_of(port, "-S1").items()) == [
        ("txtvers", "1"),
        ("dcap", "/dcap"),
        ("https", https),
        ("level", "-S1"),
    ]


@pytest.mark.parametrize(
    ("name", "behind", "label"),
    [
        ("a" * 70, " tm", "a" * 60 + " tm"),
        ("\u00e4" * 40, "", "\u00e4" * 31),
        ("utility.example", "", "utility-example"),
    ],
)
def test_a_label_has_at_most_63_octets_and_no_dot(name: str, behind: str, label: str) -> None:
    assert label_of(name, behind) == label
    assert len(label.encode()) <= 63


def test_what_is_announced_is_what_the_profile_offers() -> None:
    environment = Environment.of(settings_of({"profile": "csip", "discovery_sfdis": ["167261211391"]}))
    found = offered(environment, 8443, [167261211391])
    told = {one.subtype for one in found}
    assert {"", "derp", "edev", "mup", "rsps", "tm", "upt", "edev-167261211391"} <= told
    assert {one.subtype for one in offered(environment, 8443)} == told - {"edev-167261211391"}
    assert told.isdisjoint({"dr", "tp", "msg", "bill", "ppy"})
    assert {one.txt["level"] for one in found} == {"-S1"}
    assert isinstance(found[0], Service)
