"""`lineside ven run` in process: an event at a VTN becomes a control on a live server, and goes again."""

import asyncio
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from certs import openadr_server_context
from lineside.demo.ports import free_port
from lineside.ven.looking import server_of, status_of, vtn_of
from lineside.ven.service import Service
from lineside.ven.state import BusyError, StateFolder
from openadr_ven.memory import KeptError
from openadr_ven.rows import RowFile, RowMemory
from openadr_ven.to_sep2 import drafting
from openadr_ven.to_sep2.wishes import Wish
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.replay import ReplayGuard
from openadr_ven.v2b.signature import Verifier
from openadr_ven.v3.version import ObjectType, Version
from openadr_ven.vtn.v2b import Fault, Vtn
from openadr_ven.vtn.v2b_http import VtnServer
from owner import ask
from tests.integration.openadr.ven_bench import (
    SECRET,
    TARGET,
    Bench,
    answers,
    codes_of,
    dispatch_3,
    has_device,
    opts_of,
    polls,
    programme_3,
    soon,
    vtn_of_3,
)
from tests.unit.openadr_ven.house import CONTEXT, HOUR, T0, dispatch, event
from tests.unit.openadr_ven.v2b.keys import identity
from tests.unit.openadr_ven.v2b.test_v2b_tls import files

OTHER_LFDI = "4F4F45AB31EDFE5B67E343E5E4562E31984E23E5"


async def test_event_of_2_0b_becomes_a_control_and_is_cancelled_with_it(bench: Bench, vtn: Vtn) -> None:
    async with bench.running():
        await soon(lambda: vtn.vens)
        vtn.publish(event(dispatch(3000)))
        await bench.until_status("scheduled")
        assert await bench.controls() == [(0, HOUR, "scheduled", TARGET)]
        vtn.cancel("e1")
        await bench.until_status("cancelled")
    assert codes_of(vtn) == {200}
    assert len(vtn.of(m.RegisterReport)) == 1


async def test_an_event_that_cannot_be_translated_ends_no_other(
    bench: Bench, vtn: Vtn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it fails at: its resources are opted out, and what else the VTN asks is carried out."""
    drafts = drafting._drafts

    def failing(wish: Wish, now: int) -> Iterator[drafting.Draft]:
        if wish.event.eventID == "bad":
            raise ArithmeticError("nobody has thought of it")
        return drafts(wish, now)

    monkeypatch.setattr(drafting, "_drafts", failing)
    async with bench.running():
        await soon(lambda: vtn.vens)
        vtn.publish(event(dispatch(1000), eventID="bad"))
        await soon(lambda: opts_of(vtn))
        vtn.publish(event(dispatch(3000)))
        await bench.until_status("scheduled")
        assert await bench.controls() == [(0, HOUR, "scheduled", TARGET)]
    (opt,) = [one.opt for one in vtn.heard if isinstance(one, m.CreateOptMessage)]
    assert (opt.optType, opt.eventID, opt.resources) == ("optOut", "bad", ("battery",))


async def test_programs_of_the_fleet_are_there_before_an_event_comes(bench: Bench, vtn: Vtn) -> None:
    """A device finds a new program when it next looks: for an event that starts soon that is too late."""
    async with bench.running():
        await bench.until_programs("Demand response", None)
        vtn.publish(event(dispatch(3000)))
        await bench.until_status("scheduled")
        await bench.until_programs("Demand response", None)


@pytest.mark.parametrize("is_named", [True, False])
async def test_tls_fingerprint_and_signatures_of_2_0b_are_those_of_the_settings(
    bench: Bench, is_named: bool
) -> None:
    """Whoever signs is named, or is who is connected; another fingerprint is not spoken to."""
    theirs, ours, folder = identity("vtn"), identity("ven"), bench.folder
    roots = folder / "roots.pem"
    roots.write_bytes(theirs.pem + ours.pem)
    vtn = Vtn(poll_s=None, signer=theirs.signer(), verifier=Verifier(ReplayGuard(), {ours.fingerprint}))
    server = VtnServer(vtn, openadr_server_context([files(folder, theirs)], roots), bench.now)
    await server.start()
    certificate, key = files(folder, ours)
    bench.vtn_url = f"https://127.0.0.1:{server.port}"
    bench.vtn = {
        "certificate": f'"{certificate}"',
        "key": f'"{key}"',
        "roots": f'"{roots}"',
        "fingerprint": f'"{theirs.fingerprint}"',
        "is_signed": "true",
        "signers": f'["{theirs.fingerprint}"]' if is_named else "[]",
    }
    async with bench.running():
        await soon(lambda: vtn.vens)
        vtn.publish(event(dispatch(3000)))
        await bench.until_status("scheduled")
    bench.vtn["fingerprint"] = f'"{ours.fingerprint}"'
    ((is_good, text),) = await vtn_of(bench.settings)
    assert (is_good, "fingerprint of the server" in text) == (False, True)
    await server.stop()


@pytest.mark.parametrize(("version", "with_webhook"), [(Version.V310, True), (Version.V301, False)])
async def test_event_of_3_becomes_a_control_and_is_cancelled_with_it(
    bench: Bench, version: Version, with_webhook: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with vtn_of_3(bench, version, with_webhook=with_webhook) as vtn:
        await programme_3(bench, vtn)
        async with bench.running():
            if with_webhook:
                await soon(lambda: vtn.of(ObjectType.SUBSCRIPTION))
            made = await dispatch_3(bench, vtn)
            await bench.until_status("scheduled")
            assert await bench.controls() == [(0, HOUR, "scheduled", TARGET)]
            assert [one.is_good for one in await vtn_of(bench.settings)] == [True, True]
            await vtn.delete(ObjectType.EVENT, made)
            await bench.until_status("cancelled")
    assert SECRET not in caplog.text
    assert (bench.utility.site.operator.folder / "operator.token").read_text().strip() not in caplog.text


async def test_what_is_published_outlives_a_stop_and_a_vtn_that_is_away(bench: Bench, vtn: Vtn) -> None:
    async with bench.running():
        await soon(lambda: vtn.vens)
        vtn.publish(event(dispatch(3000)))
        await bench.until_status("scheduled")
    vtn.faults.add(Fault.BUSY)
    vtn.drop("e1")
    async with bench.running() as service:
        await soon(lambda: service.held.items)
        await asyncio.sleep(0.2)
        assert [one[2] for one in await bench.controls()] == ["scheduled"]
        vtn.faults.clear()
        await bench.until_status("cancelled")


async def test_server_that_is_down_has_the_control_once_it_is_back(bench: Bench, vtn: Vtn) -> None:
    port = int(bench.utility.url.rpartition(":")[2])
    site = bench.utility.site
    bench.utility.site = replace(site, operator=replace(site.operator, port=port))
    await bench.utility.stop()
    async with bench.running() as service:
        await soon(lambda: vtn.vens)
        vtn.publish(event(dispatch(3000)))
        await soon(lambda: vtn.of(m.CreatedEvent))
        bench.clock.set(T0 + 300)
        await bench.utility.start()
        await soon(lambda: service.held.items)
        ((start, duration, _, base),) = await bench.controls()
        assert (start >= 300, start + duration, base) == (True, HOUR, TARGET)


async def test_group_that_is_made_later_has_the_control_then(
    bench: Bench, vtn: Vtn, caplog: pytest.LogCaptureFixture
) -> None:
    bench.group = "late"
    async with bench.running():
        await soon(lambda: vtn.vens)
        vtn.publish(event(dispatch(3000)))
        await soon(lambda: "the 2030.5 server refuses" in caplog.text)
        await bench.ven.post("/groups", {"name": "late", "primacy": 89})
        await bench.until_status("scheduled")


async def opted_out(bench: Bench, vtn: Vtn) -> None:
    """An event is published, the user at its device opts out, and the VTN is told."""
    await soon(lambda: vtn.vens)
    vtn.publish(event(dispatch(3000)))
    await bench.until_status("scheduled")
    await answers(bench, 4)
    await soon(lambda: opts_of(vtn))


async def test_vtn_is_told_once_that_the_user_at_a_device_opted_out(bench: Bench, vtn: Vtn) -> None:
    await has_device(bench)
    async with bench.running():
        await opted_out(bench, vtn)
        await soon(lambda: StateFolder(bench.settings.state).file.heard().told)
        await polls(vtn)
    async with bench.running():
        await polls(vtn)
    assert opts_of(vtn) == [("optOut", "overrideStatus", ("battery",))]


async def test_person_opts_out_and_in_while_the_ven_runs(bench: Bench, vtn: Vtn) -> None:
    async with bench.running():
        channel = bench.settings.state / "ven.sock"
        await soon(lambda: vtn.vens)
        vtn.publish(event(dispatch(3000)))
        await bench.until_status("scheduled")
        await soon(channel.exists)
        out: dict[str, object] = {"event": "e1", "opt": "optOut", "resources": []}
        assert channel.stat().st_mode & 0o777 == 0o600
        assert await ask(channel, out) == {"ok": True}
        await bench.until_status("cancelled")
        assert await ask(channel, {**out, "opt": "optIn"}) == {"ok": True}
        await soon(lambda: len(vtn.of(m.CreatedEvent)) >= 3)
        assert await ask(channel, {**out, "resources": ["battery"]}) == {"ok": True}
        await soon(lambda: opts_of(vtn))
        for wrong in ({**out, "event": "e2"}, {**out, "opt": "maybe"}, {**out, "resources": "all"}, {}):
            assert "error" in await ask(channel, wrong)
    assert opts_of(vtn) == [("optOut", "overrideStatus", ("battery",))]
    with pytest.raises(OSError, match=r"ven\.sock|No such file"):
        await ask(channel, out)


async def test_person_schedules_absence_and_takes_it_back(bench: Bench, vtn: Vtn) -> None:
    async with bench.running():
        channel = bench.settings.state / "ven.sock"
        await soon(lambda: vtn.vens)
        vtn.publish(event(dispatch(3000)))
        await bench.until_status("scheduled")
        await soon(channel.exists)
        window = f"{datetime.fromtimestamp(T0, UTC).isoformat()}/PT30M"
        order: dict[str, object] = {
            "schedule": [window],
            "opt": "optOut",
            "resources": ["battery"],
            "marketContext": CONTEXT,
        }
        assert "no resource car" in str(await ask(channel, {**order, "resources": ["car"]}))
        told = await ask(channel, order)
        await bench.until_status("cancelled")
        await soon(lambda: vtn.of(m.CreateOptMessage))
        assert (await ask(channel, {"unschedule": told["optID"]})) == {"ok": True}
        assert "error" in await ask(channel, {"unschedule": told["optID"]})
        await bench.until_status("cancelled", "scheduled")
        await soon(lambda: vtn.of(m.CancelOpt))
    (opt,) = [one.opt for one in vtn.heard if isinstance(one, m.CreateOptMessage)]
    assert (opt.windows[0].start, opt.windows[0].duration_s, opt.reason) == (T0, 1800, "x-schedule")
    assert (opt.eventID, opt.resources, opt.marketContext) == ("", ("battery",), CONTEXT)


async def test_vtn_that_forgot_this_ven_is_told_again_who_opted_out(bench: Bench, vtn: Vtn) -> None:
    await has_device(bench)
    async with bench.running():
        await opted_out(bench, vtn)
        await polls(vtn)
        vtn.vens.clear()
        await soon(lambda: vtn.vens)
        await soon(lambda: len(opts_of(vtn)) > 1)
    first, again = vtn.of(m.CreateOptMessage)
    assert isinstance(first, m.CreateOptMessage)
    assert isinstance(again, m.CreateOptMessage)
    assert (again.opt.optID, again.opt.resources) == (first.opt.optID, ("battery",))
    assert list(vtn.vens) == [again.venID] != [first.venID]


async def test_vtn_of_3_is_told_unasked_that_the_user_at_a_device_opted_out(bench: Bench) -> None:
    await has_device(bench)
    async with vtn_of_3(bench, Version.V310, with_webhook=False) as vtn:
        await programme_3(bench, vtn)
        async with bench.running():
            await dispatch_3(bench, vtn)
            await bench.until_status("scheduled")
            await answers(bench, 4)
            await soon(lambda: vtn.of(ObjectType.REPORT))
    (report,) = vtn.of(ObjectType.REPORT)
    assert "RUNNING_OPTED_OUT" in json.dumps(report)


async def test_event_that_cannot_be_carried_out_is_refused_and_nothing_is_published(
    bench: Bench, vtn: Vtn
) -> None:
    async with bench.running():
        await soon(lambda: vtn.vens)
        vtn.publish(event(dispatch(3000), marketContext="http://another"))
        await soon(lambda: vtn.of(m.CreatedEvent))
    assert codes_of(vtn) == {462}
    assert await bench.controls() == []


async def test_status_tells_what_was_kept(bench: Bench, vtn: Vtn) -> None:
    async with bench.running():
        await soon(lambda: vtn.vens)
        vtn.publish(event(dispatch(3000)))
        await soon(lambda: StateFolder(bench.settings.state).file.held().items)
    text = "\n".join(await status_of(bench.settings))
    assert "venID ven-1" in text
    assert f"e1 (0) of {CONTEXT} from 2023-11-14T22:13:20Z: pending, optIn" in text
    assert "    for battery; devices: 1 asked, 1 silent\n" in text
    assert "DERProgram 'Demand response' for group g-battery, 2023-11-14T22:13:20Z to" in text


async def test_check_names_what_is_missing_on_the_server_and_changes_nothing(bench: Bench, vtn: Vtn) -> None:
    found = await server_of(bench.settings)
    assert [one.is_good for one in found] == [True, False, False]
    assert "device battery" in found[1].text
    assert found[2].text.endswith("group g-battery: battery is not in it, add it")
    await has_device(bench)
    assert [one.is_good for one in await server_of(bench.settings)] == [True, True, True]
    await bench.ven.post("/devices", {"name": "other", "lFDI": OTHER_LFDI, "groups": ["g-battery"]})
    found = await server_of(bench.settings)
    assert found[2].text.endswith("group g-battery: other is in it, take it out")
    assert [one.is_good for one in await vtn_of(bench.settings)] == [True]
    assert vtn.vens == {}
    bench.vtn_url = f"http://127.0.0.1:{free_port()}"
    assert [one.is_good for one in await vtn_of(bench.settings)] == [False]


async def test_two_vens_do_not_share_a_state_folder(bench: Bench, vtn: Vtn) -> None:
    async with bench.running():
        await soon(lambda: vtn.vens)
        with pytest.raises(BusyError):
            await Service(bench.settings).run()


@pytest.mark.parametrize("part", ["ven 2.0b", "published", "heard", "bases", ""])
async def test_damaged_state_ends_the_start_before_anything_is_sent(
    bench: Bench, vtn: Vtn, part: str
) -> None:
    file = bench.settings.state / "ven.db"
    file.parent.mkdir()
    if part:
        await RowMemory(RowFile(file), part).save({"version": 99})
    else:
        file.write_text("no database")
    with pytest.raises(KeptError):
        await Service(bench.settings).run()
    assert vtn.heard == []
