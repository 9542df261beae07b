"""What is owed for an event, by its responseRequired bits, its modes, its category and its time."""

import time
from dataclasses import replace

import pytest

from schemas import DERControl, DERControlBase, DERControlResponse, FixedVar
from tests.integration.client.harness import Site, control, controls

PV_BIT, STORAGE_BIT = "00200000", "02000000"


async def answered(site: Site, tested: DERControl) -> list[int | None]:
    """Responses to one control until another, that ends later, was answered in full.

    Both come when the client is at work: its start may take longer than they last.
    """
    began, interval = int(time.time()), tested.interval
    site.script.resources["/a/controls"] = controls()
    async with site.client():
        await site.script.until(lambda: "GET /a/controls" in site.script.asked)
        now = int(time.time())
        moved = replace(tested, interval=replace(interval, start=interval.start + now - began))
        site.script.resources["/a/controls"] = controls(moved, control("FF", now, 5, 8_000, status=1))
        await site.script.until(lambda: 3 in site.script.statuses("FF"))
    return site.script.statuses(tested.mRID)


def event(**changes: object) -> DERControl:
    now = int(time.time())
    base = DERControlBase(opModFixedW=3_000)
    found = replace(control("C1", now, 4, 5_000, status=1), DERControlBase_=base)
    for name, value in changes.items():
        setattr(found, name, value)
    return found


@pytest.mark.parametrize(
    ("bits", "statuses"),
    [("00", []), ("01", [1]), ("02", [2, 3]), ("03", [1, 2, 3]), ("07", [1, 2, 3]), (None, [])],
)
async def test_response_required_says_what_is_answered(
    site: Site, bits: str | None, statuses: list[int]
) -> None:
    assert await answered(site, event(responseRequired=bits)) == statuses


async def test_without_a_reply_to_nothing_is_answered(site: Site) -> None:
    assert await answered(site, event(replyTo=None)) == []


async def test_another_device_category_is_neither_followed_nor_answered(site: Site) -> None:
    assert await answered(site, event(deviceCategory=STORAGE_BIT)) == []
    assert targets_of(site) == set()


async def test_the_own_device_category_is_followed(site: Site) -> None:
    assert await answered(site, event(deviceCategory=PV_BIT)) == [1, 2, 3]
    assert 3_000.0 in targets_of(site)


def targets_of(site: Site) -> set[float]:
    return {one.target_w for one, _ in site.inverter.applied if one.target_w is not None}


async def test_a_mode_that_the_device_has_not_is_answered_with_252(site: Site) -> None:
    base = DERControlBase(opModFixedVar=FixedVar(refType=1, value=1_000))
    statuses = await answered(site, event(DERControlBase_=base))

    assert 252 in statuses
    assert 2 not in statuses


async def test_an_event_that_comes_after_its_end_is_answered_with_254(site: Site) -> None:
    late = control("C1", int(time.time()) - 100, 10, 5_000, status=1)

    assert await answered(site, late) == [254]


async def test_a_response_names_the_client_the_event_and_the_time_of_the_server(site: Site) -> None:
    site.script.time_offset_s = -86_400
    now = int(time.time()) - 86_400
    site.script.resources["/a/controls"] = controls(control("C1", now, 60, 5_000, status=1))
    async with site.client():
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2])
    found = [one for _, one in site.script.posted if isinstance(one, DERControlResponse)]

    assert {one.endDeviceLFDI.upper() for one in found} == {site.lfdi.upper()}
    assert all(0 <= (one.createdDateTime or 0) - now < 30 for one in found)
