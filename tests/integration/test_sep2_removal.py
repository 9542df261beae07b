"""What goes with an EndDevice, who may remove or change one. IEEE 2030.5-2018, 10; CSIP MAINT-002.

The proof of removal is the database itself: table by table it is what it was before the device came.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from certs import LFDI, Pki, sfdi_of
from schemas import (
    DERControlResponse,
    DERList,
    DERProgramList,
    EndDevice,
    EndDeviceList,
    Error,
    LogEvent,
    ResponseSetList,
    SubscriptionList,
)
from schemas.codes import ErrorReason
from sep2_server import tables
from sep2_server.end_devices import remove_end_device
from sep2_server.files.stored import contents_of
from sep2_server.operator import files, programs
from sep2_server.operator.device_changes import change
from sep2_server.operator.router import Call
from sep2_server.rows import Role, Row
from sep2_server.transaction import Transaction
from tests.integration.full_house import fill, fill_device
from tests.integration.notifications.listening import listening, settled, subscribe
from tests.integration.sep2_harness import START, Bench, Client, make_control, running
from tests.integration.test_sep2_flow_reservations import CANCELLED, REQUEST
from tests.integration.test_sep2_mirror import mirror, reading_of, reading_set
from tests.integration.test_sep2_registration import end_device

pytestmark = pytest.mark.usefixtures("each_database")
SETTINGS: dict[str, Any] = {
    "profile": "base",
    "function_sets": "all",
    "in_band_registration": True,
    "notification_hosts": "127.0.0.1",
    "notification_gap_ms": 0,
    "flow_reservations": "grant",
}
GROWING = {"change", "sequence", "consumer", "lease", "option"}
"""Tables that tell of what happened, and of what is to be done: they are no place of the device's."""
EVENT = "A1"

Held = dict[str, set[str]]


@pytest.fixture
async def bench(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    async with running(tmp_path, sep2_pki, **SETTINGS) as made:
        yield made


def held(tx: Transaction) -> Held:
    """Every line of every table; tallies of nothing, and versions of what was touched, are left out."""
    found: Held = {}
    for table in tables.metadata.sorted_tables:
        if table.name not in GROWING:
            columns = [column for column in table.c if column.name not in {"version", "body", "sort_key"}]
            lines = tx._db.all(tuple, select(*columns))
            found[table.name] = {repr(line) for line in lines if table.name != "tally" or line[-1]}
    return found


async def furnished(bench: Bench) -> Row:
    """A house with one of everything and a program with a control, which belong to nobody who goes."""
    keeper = await bench.enrol("keeper")
    await bench.do(partial(fill, device=keeper))
    _, program = await bench.group("feeder", "keeper")
    await bench.control(program, make_control(EVENT, START + 60, 60))
    return program


async def live(bench: Bench, row: Row, client: Client, uri: str, name: str) -> None:
    """All that a device does and is done for it: what `name` is called has one of everything of its own."""
    lfdi = bench.credentials(name).lfdi
    await bench.do(lambda desk: programs.assign(desk, desk.group("feeder"), desk.client(name)))
    await bench.do(lambda desk: programs.assign(desk, desk.group("house"), desk.client(name)))
    await bench.do(partial(fill_device, device=row))
    for path, status in ((f"{row.href}/fsa", 201), (row.href, 201)):
        assert (await subscribe(client, row, path, uri)).status == status
    mup = await client.post("/mup", mirror(lfdi, reading_of(5), reading_set("D1", START - 300, 1, 2)))
    assert mup.status == 201
    response = DERControlResponse(createdDateTime=START, endDeviceLFDI=lfdi, status=1, subject=EVENT)
    sets = await client.read("/rsps", ResponseSetList)
    link = sets.ResponseSet_[0].ResponseListLink_
    assert link is not None
    assert (await client.post(link.href, response)).status == 201
    event = LogEvent(
        createdDateTime=START, functionSet=11, logEventCode=0, logEventID=1, logEventPEN=37250, profileID=2
    )
    assert (await client.post(f"{row.href}/lel", event)).status == 201
    assert (await client.post(f"{row.href}/frq", REQUEST)).status == 201
    await bench.store.do(lambda tx: tx.ledger.allow(row.id, "listener.example"))
    await bench.store.do(lambda tx: tx.put_disabled(row.id, is_disabled=True))
    await bench.store.do(lambda tx: tx.put_disabled(row.id, is_disabled=False))
    await settled(bench)


async def octets(sent: bytes) -> AsyncIterator[bytes]:
    yield sent


async def removed_by(bench: Bench, sender: Client, row: Row) -> None:
    assert (await sender.send("DELETE", row.href)).status == 204
    await settled(bench)


@pytest.mark.parametrize("by", ["itself", "its aggregator"])
async def test_after_a_removal_the_database_is_what_it_was_before_the_device_came(
    bench: Bench, by: str
) -> None:
    await furnished(bench)
    boss = await bench.enrol("boss", role=Role.AGGREGATOR)
    sender = await bench.client("boss" if by == "its aggregator" else "goer")
    async with listening(bench.credentials("goer")) as listener:
        before = await bench.store.do(held)
        row = await bench.enrol("goer", aggregator=boss if by == "its aggregator" else None)
        await live(bench, row, await bench.client("goer"), listener.uri, "goer")
        full = await bench.store.do(held)
        assert {name for name in before if len(full[name]) > len(before[name])} >= {
            "assignment", "client", "notification_host", "reading", "report", "resource", "subscription",
            "viewer_group", "watch"
        }  # fmt: skip
        await removed_by(bench, sender, row)
        after = await bench.store.do(held)
    assert {name: after[name] ^ before[name] for name in before if after[name] != before[name]} == {}


async def test_what_was_for_the_device_alone_goes_too(bench: Bench) -> None:
    await furnished(bench)
    before = await bench.store.do(held)
    goer = await bench.enrol("goer")
    await bench.do(lambda desk: programs.assign(desk, desk.group("house"), desk.client("goer")))
    content = await contents_of(bench.server.environment).take(octets(b"firmware"), 100)
    asked = {"sha256": content.digest, "device": "goer", "type": "00", "mfID": 1}
    body = {**asked, "mfModel": "m", "mfVer": "1", "activateTime": START}
    added = await bench.do(partial(files.add, call=Call(names={"group": "house"}, body=body, now=START)))
    assert added["groups"] == ["house"]
    await bench.do(lambda desk: remove_end_device(desk.transaction, goer))
    after = await bench.store.do(held)
    assert {name: after[name] - before[name] for name in before if after[name] - before[name]} == {}


async def test_a_list_that_came_after_its_first_item_keeps_no_count_of_it(bench: Bench) -> None:
    """Items go first, whichever has the lower number."""
    before = await bench.store.do(held)
    row = await bench.enrol("goer")

    def late_list(tx: Transaction) -> None:
        item, listed = tx.next_id(), tx.next_id()
        href = f"{row.href}/frp"
        tx.insert(Row(listed, href, "FlowReservationResponseList", owner_id=row.id))
        kind = "FlowReservationResponse"
        tx.insert(Row(item, f"{href}/{item}", kind, list_id=listed, owner_id=row.id))

    await bench.store.do(late_list)
    await bench.do(lambda desk: remove_end_device(desk.transaction, row))
    assert await bench.store.do(held) == before


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_the_first_grant_of_a_device_goes_with_it(bench: Bench, method: str) -> None:
    before = await bench.store.do(held)
    row, client = await bench.device("goer")
    href = (await client.post(f"{row.href}/frq", REQUEST)).location
    if method == "PUT":
        assert (await client.put(href, CANCELLED)).status == 204
    else:
        assert (await client.send("DELETE", href)).status == 204
    await removed_by(bench, client, row)
    assert await bench.store.do(held) == before


async def test_each_der_of_a_new_device_links_to_what_it_reports_and_to_its_programs(bench: Bench) -> None:
    """IEEE 2030.5-2018, 10.10: the links are there before the device has put anything."""
    row, client = await bench.device("goer")
    _, program = await bench.group("feeder", "goer")
    call = Call(names={"device": "goer"}, body={"DER": 2}, now=START)
    await bench.do(partial(change, call=call))
    listed = (await client.read(f"{row.href}/der?l=9", DERList)).DER_
    assert len({der.href for der in listed}) == 2
    for der in listed:
        links = {
            "derp": der.AssociatedDERProgramListLink_,
            "dera": der.DERAvailabilityLink_,
            "dercap": der.DERCapabilityLink_,
            "derg": der.DERSettingsLink_,
            "ders": der.DERStatusLink_,
        }
        assert {name: link and link.href for name, link in links.items()} == {
            name: f"{der.href}/{name}" for name in links
        }
        shown = await client.read(f"{der.href}/derp", DERProgramList)
        assert [one.href for one in shown.DERProgram_] == [program.href]


async def test_a_disabled_device_that_is_removed_leaves_no_mark(bench: Bench) -> None:
    before = await bench.store.do(held)
    row = await bench.enrol("goer")
    call = Call(names={"device": "goer"}, body={"enabled": False}, now=START)
    await bench.do(partial(change, call=call))
    await bench.do(lambda desk: remove_end_device(desk.transaction, row))
    assert await bench.store.do(held) == before


async def test_who_subscribed_to_what_is_gone_is_told(bench: Bench) -> None:
    boss = await bench.enrol("boss", role=Role.AGGREGATOR)
    row = await bench.enrol("goer", aggregator=boss)
    client = await bench.client("boss")
    async with listening(bench.credentials("boss")) as listener:
        await subscribe(client, boss, row.href, listener.uri)
        await subscribe(client, boss, f"{row.href}/fsa", listener.uri)
        await removed_by(bench, client, row)
        notes = [posted.decoded() for posted in listener.posted]
    assert {(note.subscribedResource, note.status, note.Resource_) for note in notes} == {
        (row.href, 4, None),
        (f"{row.href}/fsa", 4, None),
    }
    assert (await client.read(f"{boss.href}/sub", SubscriptionList)).all == 0


async def test_a_removed_client_is_a_stranger_on_its_open_connection_and_may_come_back(bench: Bench) -> None:
    row, client = await bench.device("goer")
    assert (await client.get(f"{row.href}/der")).status == 200
    assert (await client.send("DELETE", row.href)).status == 204
    below = ("", "/der", "/fsa", "/rg", "/sub", "/log")
    assert {(await client.get(row.href + path)).status for path in below} == {403}
    assert (await client.send("DELETE", row.href)).status == 403
    again = await client.post("/edev", end_device(bench.credentials("goer").lfdi))
    assert again.status == 201
    assert again.location != row.href


async def test_of_another_aggregator_or_device_nothing_is_removed_or_changed(bench: Bench) -> None:
    own = await bench.enrol("boss", role=Role.AGGREGATOR)
    other = await bench.enrol("boss-2", role=Role.AGGREGATOR)
    mine = await bench.enrol("goer", aggregator=own)
    await bench.enrol("near", aggregator=own)
    lone = await bench.enrol("lone")
    before = await bench.store.do(held)
    for name, targets in {
        "boss-2": (mine, lone, own),
        "near": (mine, own),
        "lone": (mine, own, other),
    }.items():
        client = await bench.client(name)
        for target in targets:
            assert (await client.send("DELETE", target.href)).status == 404
            assert (await client.put(target.href, end_device(bench.credentials(name).lfdi))).status == 404
    stranger = await bench.client("stranger")
    assert (await stranger.send("DELETE", mine.href)).status == 403
    assert await bench.store.do(held) == before


async def test_an_aggregator_stays_while_it_speaks_for_devices(bench: Bench) -> None:
    own = await bench.enrol("boss", role=Role.AGGREGATOR)
    mine = await bench.enrol("goer", aggregator=own)
    client = await bench.client("boss")
    assert (await client.send("DELETE", own.href)).status == 400
    await removed_by(bench, client, mine)
    assert (await client.read("/edev?l=9", EndDeviceList)).all == 1
    await removed_by(bench, client, own)
    assert bench.store.reader.clients() == []


PROFILES = ["base", "csip", "csip_aus_v1.2", "csip_aus_v1.3"]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("by", ["itself", "its aggregator"])
async def test_a_put_changes_category_and_post_rate_and_nothing_else(
    tmp_path: Path, sep2_pki: Pki, profile: str, by: str
) -> None:
    async with running(tmp_path, sep2_pki, **{**SETTINGS, "profile": profile}) as bench:
        boss = await bench.enrol("boss", role=Role.AGGREGATOR) if by == "its aggregator" else None
        row = await bench.enrol("goer", aggregator=boss)
        client = await bench.client("goer" if boss is None else "boss")
        lfdi = bench.credentials("goer").lfdi
        before = await client.read(row.href, EndDevice)
        bench.clock.advance(9)
        asked = end_device(lfdi.lower())
        asked.deviceCategory, asked.postRate, asked.enabled, asked.changedTime = "00200000", 42, False, 1
        assert (await client.put(row.href, asked)).status == 204
        after = await client.read(row.href, EndDevice)
        expected = replace(before, deviceCategory="00200000", postRate=42, changedTime=START + 9)
        assert after == expected
        assert (after.lFDI, after.sFDI, after.enabled) == (lfdi, sfdi_of(lfdi), True)
        without = EndDevice(sFDI=sfdi_of(lfdi), changedTime=0)
        assert (await client.put(row.href, without)).status == 204
        assert (await client.read(row.href, EndDevice)).postRate == 42


@pytest.mark.parametrize(
    ("profile", "statuses"),
    [
        ("base", (403, 400)),
        ("csip", (403, 400)),
        ("csip_aus_v1.2", (403, 403)),
        ("csip_aus_v1.3", (403, 403)),
    ],
)
async def test_lfdi_and_sfdi_are_fixed(
    tmp_path: Path, sep2_pki: Pki, profile: str, statuses: tuple[int, int]
) -> None:
    async with running(tmp_path, sep2_pki, **{**SETTINGS, "profile": profile}) as bench:
        row, client = await bench.device("goer")
        lfdi, other = bench.credentials("goer").lfdi, LFDI("AB" * 20)
        before = (await client.get(row.href)).body
        lies = (end_device(other), end_device(lfdi, sfdi_of(other)))
        replies = [await client.put(row.href, lie) for lie in lies]
        assert tuple(reply.status for reply in replies) == statuses
        assert {reply.decoded(Error).reasonCode for reply in replies} == {ErrorReason.INVALID_VALUES}
        assert (await client.get(row.href)).body == before


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "body", [b"<EndDevice", b"<EndDevice xmlns='urn:ieee:std:2030.5:ns'/>", b"<DER/>", b""]
)
async def test_a_put_that_is_no_end_device_is_400(
    tmp_path: Path, sep2_pki: Pki, profile: str, body: bytes
) -> None:
    async with running(tmp_path, sep2_pki, **{**SETTINGS, "profile": profile}) as bench:
        row, client = await bench.device("goer")
        assert (await client.send("PUT", row.href, body)).status == 400


@pytest.mark.parametrize("profile", PROFILES)
async def test_where_devices_are_registered_out_of_band_none_is_changed_or_removed(
    tmp_path: Path, sep2_pki: Pki, profile: str
) -> None:
    changes = {**SETTINGS, "profile": profile, "in_band_registration": False}
    async with running(tmp_path, sep2_pki, **changes) as bench:
        boss = await bench.enrol("boss", role=Role.AGGREGATOR)
        mine = await bench.enrol("goer", aggregator=boss)
        for name in ("goer", "boss"):
            client = await bench.client(name)
            assert (await client.send("DELETE", mine.href)).status == 403
            assert (await client.put(mine.href, end_device(bench.credentials("goer").lfdi))).status == 403
            assert (await client.get(mine.href)).status == 200
