"""Where notifications may go: the operator's list against every way of writing an address."""

import ipaddress

import pytest

from sep2_server.notifications.hosts import (
    PlaceError,
    is_name,
    place_of,
    refusal_of_address,
    refusal_of_host,
)

NAMED = (place_of("listener.example"),)
LAB = (place_of("10.1.0.0/16"), place_of("[fd00::5]:443"))
NOWHERE = str(ipaddress.IPv4Address(0))
PUBLIC = "93.184.216.34"


def to_address(places: tuple[object, ...], host: str, address: str, port: int = 443) -> str | None:
    known = list(map(place_of, map(str, places)))
    return refusal_of_address(known, host, ipaddress.ip_address(address), port, frozenset())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Listener.Example", "listener.example"),
        ("listener.example.", "listener.example"),
        ("listener.example:8443", "listener.example:8443"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.3:443", "10.1.2.3:443"),
        ("10.1.0.0/16", "10.1.0.0/16"),
        ("10.1.0.0/16:443", "10.1.0.0/16:443"),
        ("fd00::5", "fd00::5"),
        ("[fd00::5]:443", "[fd00::5]:443"),
        ("fd00::/64", "fd00::/64"),
    ],
)
def test_a_place_is_read_and_written(text: str, told: str) -> None:
    assert str(place_of(text)) == told


@pytest.mark.parametrize(
    "text",
    ["", "a b", "https://there", "there/path", "10.1.2.3/16", "10.1.2", "2130706433", "0x7f000001",
     "there:0", "there:70000", "-there", "me@there", "*.example"],
)  # fmt: skip
def test_what_names_no_place_is_refused(text: str) -> None:
    with pytest.raises(PlaceError):
        place_of(text)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1", "1.2.3.4.5"])
def test_an_address_in_disguise_is_no_name(host: str) -> None:
    assert not is_name(host)
    assert refusal_of_host((place_of("0.0.0.0/0"), *NAMED), host, 443) is not None


@pytest.mark.parametrize("host", ["listener.example", "LISTENER.example", "listener.example."])
def test_a_host_on_the_list_may_be_named(host: str) -> None:
    assert refusal_of_host(NAMED, host, 443) is None


@pytest.mark.parametrize(
    "host", ["localhost", "example", "xlistener.example", "listener.example.evil", "127.0.0.1", "::1"]
)
def test_a_host_off_the_list_may_not(host: str) -> None:
    assert refusal_of_host(NAMED, host, 443) is not None


def test_a_port_on_the_list_is_the_only_one() -> None:
    places = (place_of("listener.example:8443"),)
    assert refusal_of_host(places, "listener.example", 8443) is None
    assert refusal_of_host(places, "listener.example", 443) is not None
    assert to_address(("10.1.0.0/16:443",), "x.example", "10.1.2.3", 8443) is not None


def test_a_name_may_be_anything_where_a_network_is_allowed() -> None:
    assert refusal_of_host(LAB, "whatever.lab", 443) is None
    assert to_address(LAB, "whatever.lab", "10.1.9.9") is None
    assert to_address(LAB, "whatever.lab", PUBLIC) is not None


def test_a_named_host_may_be_reached_at_a_public_address() -> None:
    assert to_address(NAMED, "listener.example", PUBLIC) is None
    assert to_address(NAMED, "other.example", PUBLIC) is not None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        NOWHERE,
        "255.255.255.255",
        "224.0.0.1",
        "::",
        "::1",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
    ],
)
def test_a_named_host_that_resolves_into_a_network_of_the_server_is_refused(address: str) -> None:
    assert to_address(NAMED, "listener.example", address) is not None


def test_a_public_address_of_the_server_itself_is_refused() -> None:
    own = ipaddress.ip_address(PUBLIC)
    assert refusal_of_address(NAMED, "listener.example", own, 443, frozenset({own})) is not None


def test_what_the_operator_allowed_by_its_address_may_be_reached() -> None:
    assert to_address(("127.0.0.1",), "127.0.0.1", "127.0.0.1") is None
    assert to_address(("::1",), "::1", "::1") is None


def test_a_mapped_address_needs_both_to_be_allowed() -> None:
    assert to_address(("127.0.0.1",), "x.example", "::ffff:127.0.0.1") is not None
    assert to_address(("127.0.0.1", "::ffff:0:0/96"), "x.example", "::ffff:127.0.0.1") is None


@pytest.mark.parametrize("address", [NOWHERE, "::", "224.0.0.1", "ff02::1"])
def test_what_is_no_host_is_never_reached(address: str) -> None:
    assert to_address(("0.0.0.0/0", "::/0"), "x.example", address) is not None
