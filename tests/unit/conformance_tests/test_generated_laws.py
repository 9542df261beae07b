"""Laws that no schema holds, in resources with and without a flaw."""

import pytest

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
    assert [link.href for link in links(listed)] == ["/der", "/lel"]
