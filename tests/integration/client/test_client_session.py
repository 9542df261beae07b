"""Exchanges with a server: statuses, redirections, certificates, one look."""

import asyncio
from pathlib import Path

import pytest

from der_client import (
    ExchangeError,
)
from der_client.errors import MissingError, RefusedError
from der_client.looking import look
from der_client.server_check import ServerCheck
from der_client.session import Session
from der_client.tree import tree_of
from schemas import (
    EndDevice,
    EndDeviceList,
    Registration,
    Resource,
    Time,
)
from tests.integration.client.harness import (
    CODEC,
    Lab,
    Script,
    Site,
    control,
    controls,
    offered,
    served,
    settings_for,
)


async def test_a_server_of_another_pki_is_refused(lab: Lab, tmp_path: Path) -> None:
    script = Script(resources=offered(lab.device.lfdi))
    async with served(script, lab.stranger) as port:
        settings = settings_for(lab, port, tmp_path / "spool.sqlite")
        with pytest.raises(ExchangeError):
            await look(settings.server)

    assert script.asked == []


async def test_a_look_at_a_server_says_what_it_offers(site: Site) -> None:
    site.script.resources["/a/controls"] = controls(control("C1", 100, 60, 5_000))
    lines = list(tree_of(await look(site.settings.server)))

    assert "  DERProgram /a/program primacy 3" in lines
    assert "    default: opModMaxLimW 90 %" in lines
    assert "    DERControl C1 scheduled from 100 for 60 s: opModMaxLimW 50 %" in lines
    assert "  MirrorUsagePointList /a/mirror" in lines


@pytest.mark.parametrize(
    ("status", "kind"), [(500, "UnreachableError"), (403, "RefusedError"), (404, "MissingError")]
)
async def test_a_status_is_an_error_of_its_own_kind(site: Site, status: int, kind: str) -> None:
    site.script.status["/a/time"] = status
    async with Session(site.settings.server) as session:
        with pytest.raises(ExchangeError) as caught:
            await session.get("/a/time", Time)

    assert type(caught.value).__name__ == kind


async def test_an_answer_of_another_type_cannot_be_used(site: Site) -> None:
    async with Session(site.settings.server) as session:
        with pytest.raises(ExchangeError, match="cannot be used"):
            await session.get("/a/time", Registration)


async def test_a_redirection_without_end_is_given_up(site: Site) -> None:
    site.script.moved["/a/time"] = "/a/time"
    async with Session(site.settings.server) as session:
        with pytest.raises(ExchangeError, match="too often"):
            await session.get("/a/time", Time)


@pytest.mark.parametrize("status", [None, 403, 404, 503])
@pytest.mark.parametrize(("place", "cls"), [("/a/time", Time), ("/a/devices", EndDeviceList)])
async def test_a_move_to_what_is_no_such_resource_is_forgotten(
    site: Site, place: str, cls: type[Resource], status: int | None
) -> None:
    """A page of maintenance, say: the resource is found where it was once that is over."""
    site.script.moved[place] = "/maintenance"
    site.script.resources["/maintenance"] = Registration(dateTimeRegistered=1, pIN=111_115)
    site.script.status.update({} if status is None else {"/maintenance": status})
    async with Session(site.settings.server) as session:
        for _ in range(2):
            with pytest.raises(ExchangeError):
                await session.get(place, cls)
        site.script.moved.clear()
        assert isinstance(await session.get(place, cls), cls)


@pytest.mark.parametrize("status", [400, 403, 405, 410])
async def test_what_is_refused_where_a_redirection_leads_is_no_refusal_of_the_server(
    site: Site, status: int
) -> None:
    """A page of maintenance, say: it is sent where it was before once that is over."""
    site.script.moved["/a/log"] = "/maintenance"
    site.script.status["/maintenance"] = status
    body = CODEC.encode(Time(currentTime=1, dstEndTime=0, dstOffset=0, dstStartTime=0, quality=7, tzOffset=0))
    async with Session(site.settings.server) as session:
        for _ in range(2):
            with pytest.raises(MissingError, match=f"HTTP status {status}"):
                await session.post("/a/log", body)
        site.script.moved.clear()
        await session.post("/a/log", body)

    assert [path for path, _ in site.script.posted] == ["/a/log"]


@pytest.mark.parametrize("location", ["http://127.0.0.1/maintenance", "/a/log"])
async def test_what_cannot_be_sent_where_a_redirection_leads_is_missing(site: Site, location: str) -> None:
    site.script.moved["/a/log"] = location
    async with Session(site.settings.server) as session:
        with pytest.raises(MissingError, match="moved to where"):
            await session.post("/a/log", b"x")


async def test_what_the_server_itself_refuses_is_refused(site: Site) -> None:
    site.script.status["/a/log"] = 403
    async with Session(site.settings.server) as session:
        with pytest.raises(RefusedError):
            await session.post("/a/log", b"x")


def many_devices(count: int) -> EndDeviceList:
    items = [EndDevice(href=f"/b/{n}", lFDI=f"{n:040X}", sFDI=n, changedTime=0) for n in range(count)]
    return EndDeviceList(all=count, results=count, EndDevice_=items)


async def test_a_list_of_many_short_pages_is_read_whole(site: Site) -> None:
    site.script.resources["/a/many"] = many_devices(211)
    async with Session(site.settings.server) as session:
        found = await session.get("/a/many", EndDeviceList)
    assert [one.sFDI for one in found.EndDevice_] == list(range(211))


async def test_a_list_that_has_no_end_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read before stays: a part of a list would end the events that are not in it."""
    monkeypatch.setattr("der_client.session.MOST_PAGES", 3)
    site.script.resources["/a/many"] = many_devices(8)
    async with Session(site.settings.server) as session:
        with pytest.raises(RefusedError, match="not whole after 3 pages"):
            await session.get("/a/many", EndDeviceList)


async def test_a_list_that_changes_in_each_reading_is_all_that_was_seen_in_any(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while a fleet is enrolled: after each first page another item of the last one goes to the front."""
    listed, shown = many_devices(6), site.script.page
    site.script.resources["/a/many"] = listed

    def page(path: str, start: int) -> Resource:
        found = shown(path, start)
        if start == 0:
            listed.EndDevice_.insert(0, listed.EndDevice_.pop())
        return found

    monkeypatch.setattr(site.script, "page", page)
    async with Session(site.settings.server) as session:
        found = await session.get("/a/many", EndDeviceList)
    assert {one.sFDI for one in found.EndDevice_} == set(range(6))
    assert site.script.asked.count("GET /a/many") == 9


async def test_an_item_that_is_gone_is_not_in_a_list_that_is_read_whole(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, shown = many_devices(6), site.script.page
    site.script.resources["/a/many"] = listed

    def page(path: str, start: int) -> Resource:
        found = shown(path, start)
        if len(listed.EndDevice_) == 6:
            listed.EndDevice_.pop(0)
        return found

    monkeypatch.setattr(site.script, "page", page)
    async with Session(site.settings.server) as session:
        found = await session.get("/a/many", EndDeviceList)
    assert [one.sFDI for one in found.EndDevice_] == [1, 2, 3, 4, 5]


async def test_items_that_are_not_read_are_told(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("der_client.list_pages.MOST_ITEMS", 4)
    site.script.resources["/a/many"] = many_devices(7)
    async with Session(site.settings.server) as session:
        assert len((await session.get("/a/many", EndDeviceList)).EndDevice_) == 4
    assert "/a/many: more than" in caplog.text


async def test_a_redirection_away_from_tls_is_refused(site: Site) -> None:
    site.script.moved["/a/time"] = "http://127.0.0.1/time"
    async with Session(site.settings.server) as session:
        with pytest.raises(ExchangeError, match="without TLS"):
            await session.get("/a/time", Time)


async def test_an_answer_without_end_is_refused(site: Site) -> None:
    items = [EndDevice(href=f"/b/{n:0600000d}", sFDI=n, changedTime=0) for n in (1, 2)]
    site.script.resources["/a/big"] = EndDeviceList(all=2, results=2, EndDevice_=items)
    async with Session(site.settings.server) as session:
        with pytest.raises(ExchangeError, match="longer than"):
            await session.get("/a/big", EndDeviceList)


async def test_a_session_that_is_not_open_cannot_ask(site: Site) -> None:
    with pytest.raises(RuntimeError, match="not open"):
        await Session(site.settings.server).get("/a/time", Time)


async def test_a_look_goes_on_where_a_link_leads_nowhere(site: Site) -> None:
    del site.script.resources["/a/default"]
    view = await look(site.settings.server)

    assert view.programs[0].default is None


async def test_a_look_needs_device_capability(site: Site) -> None:
    del site.script.resources["/dcap"]
    with pytest.raises(ExchangeError):
        await look(site.settings.server)


class StrangeSession:
    """A TLS session whose peer shows something that is no certificate."""

    def getpeercert(self, binary_form: bool) -> bytes:
        return b"no certificate"


class StrangeTransport(asyncio.Transport):
    """A transport of such a session."""

    def get_extra_info(self, name: str, default: object = None) -> object:
        return {"ssl_object": StrangeSession(), "peername": ("127.0.0.1", 1)}.get(name, default)


def test_a_peer_that_shows_no_certificate_is_refused(lab: Lab) -> None:
    check = ServerCheck(lab.device.root_path)

    assert "certificate" in (check.refusal(StrangeTransport()) or "")
    assert check.lfdis == set()
