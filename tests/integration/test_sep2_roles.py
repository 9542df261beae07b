"""Direct devices, a facility EMS, aggregators and strangers, over real TLS. CSIP 1.1, 1.4 and 1.5."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from certs import Pki
from schemas import (
    DERList,
    DERStatus,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignmentsList,
    MirrorUsagePoint,
)
from sep2_server.end_devices import add_der, remove_end_device
from sep2_server.operator import network
from sep2_server.operator.device_changes import change
from sep2_server.operator.rights import block, unblock
from sep2_server.operator.router import Call
from sep2_server.rows import Role
from tests.integration.sep2_harness import START, Bench, running

PLACE = "GRID/ST1/SS3/FD7/SG2/TF5/SP9"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture
async def bench(tmp_path: Path, pki: Pki) -> AsyncIterator[Bench]:
    async with running(tmp_path, pki) as made:
        yield made


async def test_a_direct_device_finds_exactly_its_own_entry(bench: Bench) -> None:
    north, client = await bench.device("north")
    await bench.device("south")
    listed = await client.read("/edev?l=9", EndDeviceList)
    assert [edev.href for edev in listed.EndDevice_] == [north.href]


async def test_a_facility_ems_has_one_entry_and_several_ders(bench: Bench) -> None:
    north, client = await bench.device("north")
    await bench.do(lambda desk: add_der(desk.transaction, desk.environment, north.id))
    listed = await client.read("/edev?l=9", EndDeviceList)
    ders = await client.read(f"{north.href}/der?l=9", DERList)
    assert (listed.all, ders.all) == (1, 2)
    for number, der in enumerate(ders.DER_):
        reply = await client.put(f"{der.href}/ders", DERStatus(readingTime=START + number))
        assert reply.status in {201, 204}
    times = [(await client.read(f"{der.href}/ders", DERStatus)).readingTime for der in ders.DER_]
    assert times == [START, START + 1]


async def test_an_aggregator_has_its_own_entry_and_those_that_it_speaks_for(bench: Bench) -> None:
    own = await bench.enrol("aggregator", role=Role.AGGREGATOR)
    first = await bench.enrol("EDA1", aggregator=own)
    second = await bench.enrol("EDA2", aggregator=own)
    foreign = await bench.enrol("EDB1")
    client = await bench.client("aggregator")
    listed = await client.read("/edev?l=9", EndDeviceList)
    assert {edev.href for edev in listed.EndDevice_} == {own.href, first.href, second.href}
    assert (await client.get(f"{first.href}/der")).status == 200
    assert (await client.get(f"{foreign.href}/der")).status == 404


@pytest.mark.parametrize("path", ["/dcap", "/tm", "/edev", "/derp", "/mup", "/nothing"])
async def test_a_stranger_with_a_good_certificate_is_refused(bench: Bench, path: str) -> None:
    client = await bench.client("stranger")
    assert (await client.get(path)).status == 403


async def test_a_stranger_may_not_register_where_registration_is_out_of_band(bench: Bench) -> None:
    client = await bench.client("stranger")
    posted = EndDevice(sFDI=167_261_211_391, changedTime=0)
    assert (await client.post("/edev", posted)).status == 403


async def test_a_placed_device_has_seven_assignments_and_a_move_changes_them(bench: Bench) -> None:
    north, client = await bench.device("north")
    for path in (PLACE, "GRID/ST1/SS3/FD8"):
        call = Call(names={"device": "north"}, body={"path": path}, now=START)
        await bench.do(partial(network.place, call=call))
        listed = await client.read(f"{north.href}/fsa?l=99", FunctionSetAssignmentsList)
        assert listed.all == len(path.split("/"))
    edev = await client.read(north.href, EndDevice)
    assert edev.changedTime == START


async def test_a_blocked_client_is_refused_on_its_open_connection(bench: Bench) -> None:
    _, client = await bench.device("north")
    assert (await client.get("/dcap")).status == 200
    lfdi = str(bench.credentials("north").lfdi)
    await bench.do(partial(block, call=Call(body={"lFDI": lfdi}, now=START)))
    replies = [await client.send(method, "/dcap") for method in ("GET", "HEAD", "PUT", "DELETE")]
    assert {reply.status for reply in replies} == {403}
    await bench.do(partial(unblock, call=Call(names={"lfdi": lfdi}, now=START)))
    assert (await client.get("/dcap")).status == 200


async def test_a_blocked_aggregator_does_not_take_its_devices_with_it(bench: Bench) -> None:
    own = await bench.enrol("aggregator", role=Role.AGGREGATOR)
    await bench.enrol("EDA1", aggregator=own)
    lfdi = str(bench.credentials("aggregator").lfdi)
    await bench.do(partial(block, call=Call(body={"lFDI": lfdi}, now=START)))
    client = await bench.client("EDA1")
    assert (await client.get("/dcap")).status == 200


async def test_a_disabled_device_reads_that_it_is_not_registered(bench: Bench) -> None:
    north, client = await bench.device("north")
    call = Call(names={"device": "north"}, body={"enabled": False}, now=START)
    await bench.do(partial(change, call=call))
    assert (await client.read(north.href, EndDevice)).enabled is False
    assert [(await client.get(f"{north.href}/{below}")).status for below in ("fsa", "der", "rg")] == [404] * 3
    mirror = MirrorUsagePoint(
        mRID="AA",
        deviceLFDI=str(bench.credentials("north").lfdi),
        roleFlags="00",
        serviceCategoryKind=0,
        status=1,
    )
    assert (await client.post("/mup", mirror)).status == 403


async def test_with_a_device_goes_all_that_hangs_on_it(bench: Bench) -> None:
    north, client = await bench.device("north")
    await bench.group("g", "north")
    mirror = MirrorUsagePoint(
        mRID="AA",
        deviceLFDI=str(bench.credentials("north").lfdi),
        roleFlags="00",
        serviceCategoryKind=0,
        status=1,
    )
    assert (await client.post("/mup", mirror)).status == 201
    owned = await bench.do(lambda desk: [row.href for row in desk.reader.of_owner(north.id)])
    await bench.do(lambda desk: remove_end_device(desk.transaction, north))
    left = await bench.do(lambda desk: [href for href in owned if desk.reader.by_href(href)])
    members = await bench.do(lambda desk: desk.reader.count_members(desk.group("g").id))
    assert (len(owned) > 8, left, members) == (True, [], 0)
    assert (await client.get("/dcap")).status == 403
