"""Laws that no schema holds, in resources with and without a flaw."""

from typing import Any
from urllib.parse import urljoin

import pytest

from conformance_tests.server.generated.access import leaks
from conformance_tests.server.generated.laws import broken, links
from schemas import (
    DERListLink,
    EndDevice,
    EndDeviceList,
    LogEventListLink,
    Registration,
    Resource,
)

RIGHT = EndDevice(changedTime=1, sFDI=167261211391, DERListLink_=DERListLink(href="/der", all=1))


@pytest.mark.parametrize(
    "resource",
    [
        RIGHT,
        Registration(dateTimeRegistered=1, pIN=111115),
        EndDevice(changedTime=1, sFDI=0, DERListLink_=DERListLink(href="https://elsewhere/der")),
    ],
    ids=["EndDevice", "Registration", "list of another server"],
)
def test_what_is_right_breaks_no_law(resource: Resource) -> None:
    assert list(broken(resource)) == []


@pytest.mark.parametrize(
    ("resource", "flaw"),
    [
        (Registration(dateTimeRegistered=1, pIN=111116), "pIN 111116"),
        (EndDevice(changedTime=1, sFDI=167261211392), "sFDI 167261211392"),
        (EndDeviceList(all=1, results=1, EndDevice_=[EndDevice(changedTime=1, sFDI=1)]), "sFDI 1"),
        (EndDevice(changedTime=1, sFDI=0, DERListLink_=DERListLink(href="/der")), "/der has no `all`"),
    ],
    ids=["PIN", "SFDI", "in a list", "link"],
)
def test_what_breaks_a_law_is_told(resource: Resource, flaw: str) -> None:
    assert [flaw in told for told in broken(resource)] == [True]


def test_links_to_lists_are_found_below_a_list() -> None:
    logged = EndDevice(changedTime=1, sFDI=0, LogEventListLink_=LogEventListLink(href="/lel", all=0))
    listed = EndDeviceList(all=2, results=2, EndDevice_=[RIGHT, logged])
    assert [link.href for link in links(listed, "https://server/edev")] == ["/der", "/lel"]


def test_links_are_of_the_server_by_their_whole_uri() -> None:
    hrefs = ["https://server/der", "https://elsewhere/der", "der", "//server/der"]
    listed = EndDeviceList(
        all=4,
        results=4,
        EndDevice_=[
            EndDevice(changedTime=1, sFDI=0, DERListLink_=DERListLink(href=one, all=1)) for one in hrefs
        ],
    )
    found = [link.href for link in links(listed, "https://server/edev")]
    assert found == ["https://server/der", "der", "//server/der"]


class Owner:
    """The device whose things are private."""

    lfdi = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"

    def uri(self, href: str) -> str:
        return urljoin("https://server:8443/dcap", href)


OWNER: Any = Owner()
PRIVATE = "/edev/7/der/1/ders"


@pytest.mark.parametrize(
    "body",
    [
        b'<A href="/edev/7/der/1/ders"/>',
        b"<A href='/edev/7/der/1/ders'/>",
        b'<A><B href = "https://server:8443/edev/7/der/1/ders"/></A>',
        b'<A href="/edev/7/der/1/d&#101;rs"/>',
        b"<p>no XML: <a href = '/edev/7/der/1/ders'>",
        b"<A>" + Owner.lfdi.lower().encode() + b"</A>",
    ],
)
def test_what_is_told_of_another_device_is_seen_however_it_is_written(body: bytes) -> None:
    assert leaks(OWNER, frozenset({PRIVATE}), body)


@pytest.mark.parametrize(
    "body",
    [b'<A href="/edev/7/der/1"/>', b'<A href="https://elsewhere/edev/7/der/1/ders"/>', b"", b"<p>Not found"],
)
def test_what_is_of_nobody_else_is_no_leak(body: bytes) -> None:
    assert leaks(OWNER, frozenset({PRIVATE}), body) == ""
