"""Servers that break the rules: the client stays bounded, goes on with what it knows, and never crashes."""

import asyncio
import time
from dataclasses import replace

import pytest

from der_client import ExchangeError, What
from der_client.errors import RefusedError, UnreachableError
from der_client.session import Session
from schemas import DERProgram, DERProgramList, DERStatus, DeviceCapability, EndDeviceList, Time
from tests.integration.client.harness import CODEC, Site, control, controls

BAD_URIS = ["https://[", "https://host:port/x", "http://127.0.0.1:9/x", "ftp://127.0.0.1/x", "https://a b/"]


async def test_a_post_whose_answer_was_lost_at_a_moved_place_is_not_repeated_blindly(site: Site) -> None:
    site.script.moved["/a/log"] = "/n/log"
    body = CODEC.encode(Time(currentTime=1, dstEndTime=0, dstOffset=0, dstStartTime=0, quality=7, tzOffset=0))
    async with Session(site.settings.server) as session:
        await session.post("/a/log", body)
        site.script.swallow.add("/n/log")
        with pytest.raises(UnreachableError):
            await session.post("/a/log", body)
        assert site.script.swallow == set()

    assert [path for path, _ in site.script.posted] == ["/n/log", "/n/log"]


@pytest.mark.parametrize("location", BAD_URIS)
async def test_a_redirection_to_no_usable_uri_is_an_error_of_the_exchange(site: Site, location: str) -> None:
    site.script.moved["/a/time"] = location
    async with Session(site.settings.server) as session:
        with pytest.raises(ExchangeError):
            await session.get("/a/time", Time)


@pytest.mark.parametrize("href", BAD_URIS)
async def test_a_link_to_no_usable_uri_is_refused_before_anything_is_sent(site: Site, href: str) -> None:
    async with Session(site.settings.server) as session:
        with pytest.raises(ExchangeError):
            await session.get(href, EndDeviceList)


async def test_a_link_away_from_tls_is_refused(site: Site) -> None:
    async with Session(site.settings.server) as session:
        with pytest.raises(RefusedError, match="without TLS"):
            await session.get("http://127.0.0.1:9/x", Time)


@pytest.mark.parametrize("status", [408, 429])
async def test_a_server_that_has_no_time_now_is_asked_again(site: Site, status: int) -> None:
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(control("C1", now + 60, 60, 5_000))
    site.script.status["/a/replies"] = status
    async with site.client():
        await site.script.until(lambda: sum("/a/replies" in one for one in site.script.asked) > 2)
        del site.script.status["/a/replies"]
        await site.script.until(lambda: site.script.statuses("C1") == [1])


@pytest.mark.parametrize("status", [404, 405, 500])
async def test_a_report_that_the_server_does_not_take_holds_up_no_other(site: Site, status: int) -> None:
    site.script.status["/a/capability"] = status
    async with site.client():
        await site.script.until(lambda: "/a/availability" in site.script.put)
        await site.script.until(lambda: isinstance(site.script.put.get("/a/status"), DERStatus))


@pytest.mark.parametrize("href", BAD_URIS)
async def test_a_program_list_behind_a_bad_link_leaves_the_rest_of_the_server(site: Site, href: str) -> None:
    programs = site.script.resources["/a/programs"]
    assert isinstance(programs, DERProgramList)
    bad = replace(programs.DERProgram_[0], href="/a/bad", mRID="BB")
    link = bad.DERControlListLink_
    assert link is not None
    bad = replace(bad, DERControlListLink_=replace(link, href=href))
    found: list[DERProgram] = [*programs.DERProgram_, bad]
    site.script.resources["/a/programs"] = replace(programs, all=2, results=2, DERProgram_=found)
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(90.0))


async def test_a_running_event_goes_on_while_the_server_answers_with_garbage(site: Site) -> None:
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(control("C1", now, 4, 5_000, status=1))
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(50.0))
        site.script.garbage = b"<\xff" * 1000
        asked = len(site.script.asked)
        await site.script.until(lambda: site.inverter.holds(90.0))
        took = len(site.script.asked) - asked
        site.script.garbage = None
        await site.script.until(lambda: 3 in site.script.statuses("C1"))

    assert site.script.statuses("C1") == [1, 2, 3]
    assert took < 400


async def test_a_running_event_goes_on_and_ends_while_the_server_hangs(site: Site) -> None:
    now = int(time.time())
    site.settings = replace(site.settings, server=replace(site.settings.server, timeout_s=0.3))
    site.script.resources["/a/controls"] = controls(control("C1", now, 3, 5_000, status=1))
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(50.0))
        site.script.hangs = asyncio.Event()
        await site.script.until(lambda: site.heard(What.SERVER_LOST))
        await site.script.until(lambda: site.inverter.holds(90.0))
        site.script.hangs.set()
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2, 3])
    assert [setpoint.max_w_pct for setpoint, _ in site.inverter.applied if setpoint.max_w_pct is None] == []


def capability(site: Site) -> DeviceCapability:
    found = site.script.resources["/dcap"]
    assert isinstance(found, DeviceCapability)
    return found


async def test_redirections_in_a_circle_leave_the_rest_of_the_server(site: Site) -> None:
    site.script.resources["/dcap"] = replace(capability(site), pollRate=0)
    site.script.moved["/a/devices"] = "/b/devices"
    site.script.moved["/b/devices"] = "/a/devices"
    async with site.client():
        await site.script.until(lambda: site.script.asked.count("GET /a/devices") > 6)
        site.script.moved.clear()
        await site.script.until(lambda: site.inverter.holds(90.0))


async def test_garbage_during_a_rediscovery_ends_no_event(site: Site) -> None:
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(control("C1", now, 60, 5_000, status=1))
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(50.0))
        programs = site.script.resources["/a/programs"]
        site.script.resources["/a/programs"] = site.script.resources["/a/pin"]
        site.script.status["/a/default"] = 404
        await site.script.until(lambda: site.heard(What.REDISCOVERY))
        asked = site.script.asked.count("GET /a/programs")
        await site.script.until(lambda: site.script.asked.count("GET /a/programs") > asked + 3)
        assert site.inverter.holds(50.0)
        site.script.resources["/a/programs"] = programs
        del site.script.status["/a/default"]
        await site.script.until(lambda: site.heard(What.SERVER_BACK))

    assert site.script.statuses("C1") == [1, 2]
    assert site.inverter.holds(50.0)
