"""Discovery, polling, moved and missing resources, the clock."""

import asyncio
import time
from dataclasses import replace

import pytest
from aiohttp import web

from der_client import AggregatorClient, Plant, What
from der_client.discovery import Identity
from der_client.outbox import MOST_TRIES
from der_client.poller import Poller
from der_client.protocol_settings import RegistrationSettings
from der_client.session import Session
from der_client.shelf import Party
from der_client.watched import Watched
from schemas import (
    DefaultDERControl,
    DefaultDERControlLink,
    DERControlBase,
    DERProgramList,
    DeviceCapability,
    EndDeviceList,
    Registration,
    RegistrationLink,
    Resource,
    Time,
    TimeLink,
)
from tests.integration.client.harness import CODEC, Inverter, Site, control, controls, decoded
from tests.integration.client.stepped import tell_nobody


async def asked_again(site: Site, href: str, times: int) -> None:
    """Wait until a resource was read some more times."""
    asked = site.script.asked.count(f"GET {href}")
    await site.script.until(lambda: site.script.asked.count(f"GET {href}") >= asked + times)


async def test_the_wrong_pin_means_that_the_server_is_not_used(site: Site) -> None:
    site.script.resources["/a/pin"] = Registration(dateTimeRegistered=0, pIN=123455)
    async with site.client():
        await site.script.until(lambda: site.script.asked.count("GET /a/pin") > 1)

    assert site.heard(What.WRONG_PIN)
    assert "GET /a/fsas" not in site.script.asked
    assert site.script.put == {}
    assert site.script.posted == []


async def test_a_pin_that_turns_out_to_be_wrong_ends_all_that_is_sent(site: Site) -> None:
    script = site.script
    script.resources["/a/pin"] = Registration(dateTimeRegistered=0, pIN=111115, pollRate=0)

    async with site.client():
        await script.until(lambda: len(site.heard(What.READINGS)) > 1)
        script.resources["/a/pin"] = Registration(dateTimeRegistered=0, pIN=123455, pollRate=0)
        await asked_again(site, "/a/pin", 2)
        posted = len(script.posted)
        await asked_again(site, "/a/pin", 11)

    assert len(script.posted) == posted
    assert len(site.heard(What.WRONG_PIN)) == 1


async def test_a_wrong_pin_is_told_again_where_it_was_right_meanwhile_or_is_another(site: Site) -> None:
    script, told = site.script, []
    wrong = Registration(dateTimeRegistered=0, pIN=123455, pollRate=0)
    right = Registration(dateTimeRegistered=0, pIN=111115, pollRate=0)
    async with site.client():
        for registration in (wrong, right, wrong, Registration(dateTimeRegistered=0, pIN=123464, pollRate=0)):
            script.resources["/a/pin"] = registration
            await asked_again(site, "/a/pin", 3)
            told.append(len(site.heard(What.WRONG_PIN)))

    assert told == [1, 1, 2, 3]


async def test_an_end_device_whose_pin_is_wrong_is_not_registered_again(site: Site) -> None:
    script = site.script
    listed = script.resources["/a/devices"]
    assert isinstance(listed, EndDeviceList)
    managed = listed.EndDevice_[0]
    managed.RegistrationLink_ = RegistrationLink(href="/b/pin")
    script.resources["/b/pin"] = Registration(dateTimeRegistered=0, pIN=111115, pollRate=0)
    plant = Plant(devices=(site.inverter,), end_device=managed.lFDI, pin=123455)
    settings = replace(site.settings, registration=RegistrationSettings(in_band=True))
    client = AggregatorClient(settings, [plant], on_event=site.hear)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(client.run())
        await script.until(lambda: script.asked.count("GET /b/pin") > 5)
        task.cancel()

    assert len(site.heard(What.WRONG_PIN)) == 1
    assert script.posted == []


async def test_an_end_device_that_moves_between_two_pages_is_not_missed(site: Site) -> None:
    script = site.script
    listed = script.resources["/a/devices"]
    assert isinstance(listed, EndDeviceList)
    first, second, third, own = listed.EndDevice_
    listed.EndDevice_ = [first, second, own, third]
    shown = script.page

    def page(path: str, start: int) -> Resource:
        if path == "/a/devices" and start and first in listed.EndDevice_:
            listed.EndDevice_.remove(first)
        return shown(path, start)

    script.page = page  # type: ignore[method-assign]
    async with site.client():
        await script.until(lambda: site.heard(What.DISCOVERED))

    assert site.heard(What.DISCOVERED)[0].startswith("registered")


async def test_a_uri_that_is_gone_makes_the_client_begin_again_at_dcap(site: Site) -> None:
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(90.0))
        program = site.script.resources["/a/programs"]
        assert isinstance(program, DERProgramList)
        program.DERProgram_[0].DefaultDERControlLink_ = DefaultDERControlLink(href="/z/default")
        del site.script.resources["/a/default"]
        base = DERControlBase(opModMaxLimW=7_000)
        site.script.resources["/z/default"] = DefaultDERControl(mRID="DD", DERControlBase_=base)
        await site.script.until(lambda: site.inverter.holds(70.0))


async def test_all_uris_may_change_at_once(site: Site) -> None:
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(90.0))
        text = {path: CODEC.encode(one) for path, one in site.script.resources.items()}
        salted = {p.replace("/a/", "/q/"): t.replace(b"/a/", b"/q/") for p, t in text.items()}
        site.script.resources = {path: decoded(body) for path, body in salted.items()}
        base = DERControlBase(opModMaxLimW=6_000)
        site.script.resources["/q/default"] = DefaultDERControl(mRID="DD", DERControlBase_=base)
        await site.script.until(lambda: site.inverter.holds(60.0))
        await site.script.until(lambda: "/q/status" in site.script.put)

    assert site.heard(What.REDISCOVERY)


async def test_a_moved_uri_is_followed_and_remembered(site: Site) -> None:
    site.script.moved["/a/default"] = "/n/default"
    site.script.resources["/n/default"] = site.script.resources["/a/default"]
    async with site.client():
        await site.script.until(lambda: site.script.asked.count("GET /n/default") > 2)
        await site.script.until(lambda: site.inverter.holds(90.0))

    assert site.script.asked.count("GET /a/default") == 1


@pytest.mark.parametrize(("told_s", "lost_s"), [(None, 900.0), (1_800.0, 5_400.0)])
async def test_a_server_is_lost_after_three_polls_of_what_is_polled_fastest(
    site: Site, told_s: float | None, lost_s: float
) -> None:
    """Not of what is polled once a day, nor by the rate of what the server tells of itself."""
    script, settings, now = site.script, replace(site.settings.server, lost_after_s=900.0), 0.0
    devices = script.resources["/a/devices"]
    assert isinstance(devices, EndDeviceList)
    devices.pollRate = 86_400
    async with Session(settings, CODEC) as session:
        party = Party(identity=Identity(lfdi=site.lfdi, sfdi=0))
        poller = Poller(
            session, [party], Watched(None), tell=tell_nobody, spread=lambda: 0.0, local_s=lambda: now
        )
        while (want := poller.shelf.next(now)) is not None:
            await poller._poll(want)
        for href in poller.shelf._wants:
            poller.shelf.slow_down(href, told_s)
        script.down, now = True, 90_000.0
        poller._heard_s = now
        assert poller.silent_share() == 0.0
        root = poller.shelf.wanted(poller.shelf.root)
        assert root is not None
        await poller._poll(root)
        now += lost_s

    assert poller.silent_share() == 1.0


async def test_one_resource_that_the_server_cannot_give_does_not_stop_the_others(site: Site) -> None:
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(90.0))
        site.script.status["/a/controls"] = 500
        base = DERControlBase(opModMaxLimW=7_000)
        site.script.resources["/a/default"] = DefaultDERControl(mRID="DD", DERControlBase_=base)
        await site.script.until(lambda: site.inverter.holds(70.0))


async def test_a_new_poll_rate_is_adopted(site: Site) -> None:
    programs = site.script.resources["/a/programs"]
    assert isinstance(programs, DERProgramList)
    async with site.client():
        await site.script.until(lambda: site.script.asked.count("GET /a/controls") > 2)
        programs.pollRate = 900
        seen = site.script.asked.count("GET /a/programs")
        await site.script.until(lambda: site.script.asked.count("GET /a/programs") > seen)
        polled = site.script.asked.count("GET /a/controls")
        statuses = site.script.asked.count("PUT /a/status")
        await site.script.until(lambda: site.script.asked.count("PUT /a/status") > statuses + 1)

    assert site.script.asked.count("GET /a/controls") - polled <= 1


async def test_events_run_on_the_clock_of_their_assignments(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DeviceCapability links to another one, two hours ahead. IEEE 2030.5-2018, 10.3."""
    script, page = site.script, site.script.page

    def paged(path: str, start: int) -> Resource:
        found = page(path, start)
        if path == "/b/time" and isinstance(found, Time):
            return replace(found, currentTime=found.currentTime + 7200)
        return found

    monkeypatch.setattr(script, "page", paged)
    root, clock = script.resources["/dcap"], script.resources["/a/time"]
    assert isinstance(root, DeviceCapability)
    assert isinstance(clock, Time)
    script.resources["/dcap"] = replace(root, TimeLink_=TimeLink(href="/b/time"))
    script.resources |= {"/b/time": replace(clock, pollRate=1), "/a/time": replace(clock, pollRate=1)}
    async with site.client() as client:
        await script.until(lambda: site.inverter.holds(90.0))
        for _ in range(3):
            await asked_again(site, "/b/time", 1)
            assert abs(client.now_s() - time.time()) < 60
        await asked_again(site, "/a/time", 1)
        assert abs(client.now_s() - time.time()) < 60


async def test_a_clock_far_from_ours_is_followed(site: Site) -> None:
    site.script.time_offset_s = 5_000_000
    start = int(time.time()) + 5_000_000
    site.script.resources["/a/controls"] = controls(control("C1", start, 60, 5_000, 1))
    async with site.client() as client:
        await site.script.until(lambda: site.inverter.holds(50.0))
        assert abs(client.now_s() - time.time() - 5_000_000) < 2.0


async def test_what_is_owed_outlasts_a_server_that_has_nothing_for_a_while(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """404 to all, as from a proxy whose server is being started: no rediscovery can come to its end."""
    script, trouble = site.script, site.script.trouble
    site.settings = replace(
        site.settings, server=replace(site.settings.server, retry_first_s=0.05, retry_most_s=0.05)
    )
    now = int(time.time())
    script.resources["/a/controls"] = controls(control("C1", now + 2, 2, 5_000))
    is_gone = asyncio.Event()
    monkeypatch.setattr(
        script,
        "trouble",
        lambda method, path: web.Response(status=404) if is_gone.is_set() else trouble(method, path),
    )
    async with site.client():
        await script.until(lambda: script.statuses("C1") == [1])
        is_gone.set()
        await script.until(lambda: script.asked.count("POST /a/replies") > 8)
        is_gone.clear()
        await script.until(lambda: script.statuses("C1") == [1, 2, 3])

    assert site.heard(What.SERVER_BACK)


@pytest.mark.parametrize("status", [403, 404])
async def test_what_is_owed_outlasts_a_maintenance_to_which_all_is_redirected(
    site: Site, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    script, trouble = site.script, site.script.trouble
    site.settings = replace(
        site.settings, server=replace(site.settings.server, retry_first_s=0.02, retry_most_s=0.02)
    )
    now = int(time.time())
    script.resources["/a/controls"] = controls(control("C1", now + 2, 2, 5_000))
    script.status["/maintenance"] = status
    is_shut = asyncio.Event()

    def shut(method: str, path: str) -> web.Response | None:
        if is_shut.is_set() and path != "/maintenance":
            return web.Response(status=302, headers={"Location": "/maintenance"})
        return trouble(method, path)

    monkeypatch.setattr(script, "trouble", shut)
    async with site.client():
        await script.until(lambda: script.statuses("C1") == [1])
        is_shut.set()
        await script.until(lambda: script.asked.count("POST /a/replies") > MOST_TRIES + 4)
        is_shut.clear()
        await script.until(lambda: script.statuses("C1") == [1, 2, 3])


async def test_one_resource_that_is_never_answered_for_does_not_stop_the_others(site: Site) -> None:
    site.settings = replace(site.settings, server=replace(site.settings.server, timeout_s=0.2))
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(90.0))
        site.script.stuck, site.script.hangs = "/a/default", asyncio.Event()
        now = int(time.time())
        site.script.resources["/a/controls"] = controls(control("C1", now, 60, 5_000, status=1))
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2])
        site.script.hangs.set()


async def test_the_list_of_ders_is_done_without_from_the_start(site: Site) -> None:
    site.script.status["/a/ders"] = 500
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(control("C1", now, 60, 5_000, status=1))
    async with site.client():
        await site.script.until(lambda: site.script.statuses("C1") == [1, 2])


async def test_a_link_that_leads_nowhere_is_done_without(site: Site) -> None:
    del site.script.resources["/a/default"]
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(None))

    assert not site.heard(What.REDISCOVERY)


async def test_a_refused_resource_is_done_without(site: Site) -> None:
    site.script.status["/a/default"] = 403
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(None))
        del site.script.status["/a/default"]
        await site.script.until(lambda: site.inverter.holds(90.0))


@pytest.mark.parametrize("status", [403, 404])
async def test_a_server_without_device_capability_is_asked_again(site: Site, status: int) -> None:
    site.script.status["/dcap"] = status
    async with site.client():
        await site.script.until(lambda: site.script.asked.count("GET /dcap") > 3)
        del site.script.status["/dcap"]
        await site.script.until(lambda: site.inverter.holds(90.0))

    assert len(site.heard(What.SERVER_LOST)) == 1


async def test_a_program_that_many_end_devices_share_is_polled_once(site: Site) -> None:
    devices = site.script.resources["/a/devices"]
    assert isinstance(devices, EndDeviceList)
    own = devices.EndDevice_.pop()
    managed = [replace(own, href=f"/m/{n}", lFDI=f"{n:040X}", sFDI=n) for n in range(20, 40)]
    devices.EndDevice_ += managed
    plants = [
        Plant(devices=(Inverter(site.script, name=f"{n}"),), end_device=one.lFDI)
        for n, one in enumerate(managed)
    ]
    inverters = [plant.devices[0] for plant in plants]
    client = AggregatorClient(site.settings, plants, on_event=site.hear)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(client.run())
        await site.script.until(lambda: all(i.holds(90.0) for i in inverters if isinstance(i, Inverter)))
        asked = list(site.script.asked)
        task.cancel()

    polls = asked.count("GET /a/programs")
    assert asked.count("GET /a/controls") <= polls + 1
    assert asked.count("GET /a/default") <= polls + 1
    assert asked.count("GET /a/devices") == 12
