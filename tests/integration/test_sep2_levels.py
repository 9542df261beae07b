"""A client that understands the base schema alone is sent no foreign elements. IEEE 2030.5-2018, 4.5."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from certs import Pki
from schemas import (
    ActivePower,
    Codec,
    DERCapability,
    DERControlBase,
    DERControlList,
    DERList,
    EndDevice,
    EndDeviceList,
    Error,
    csip_aus,
)
from tests.integration.sep2_harness import SEP_XML, START, Bench, Client, make_control, running

BASE_ALONE = f"{SEP_XML};level=-S1"
FOREIGN = b"<csipaus:"


@pytest.fixture
async def australian(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    """A server of profile CSIP-AUS v1.2."""
    async with running(tmp_path, sep2_pki, profile="csip_aus_v1.2") as bench:
        yield bench


async def bodies(client: Client, path: str) -> list[bytes]:
    """The same resource for a client of extensions, one of no level, and one of the base schema alone."""
    levels = (f"{SEP_XML};level=+S1", SEP_XML, BASE_ALONE)
    replies = [await client.get(path, Accept=level) for level in levels]
    assert [reply.status for reply in replies] == [200, 200, 200]
    assert [reply.headers["Content-Length"] for reply in replies] == [str(len(r.body)) for r in replies]
    return [reply.body for reply in replies]


@pytest.mark.parametrize("is_list", [False, True])
async def test_an_end_device_has_its_connection_point_for_those_who_know_it(
    australian: Bench, is_list: bool
) -> None:
    row, client = await australian.device("level-1")
    plus, plain, base = await bodies(client, "/edev?l=1" if is_list else row.href)
    assert [FOREIGN in body for body in (plus, plain, base)] == [True, True, False]
    shown = await client.get(row.href, Accept=BASE_ALONE)
    assert shown.decoded(EndDevice).lFDI == australian.credentials("level-1").lfdi
    if is_list:
        reply = await client.get("/edev?l=1", Accept=BASE_ALONE)
        assert reply.decoded(EndDeviceList).EndDevice_ == [shown.decoded(EndDevice)]


async def test_a_control_keeps_its_base_modes(australian: Bench) -> None:
    _, client = await australian.device("level-1")
    _, program = await australian.group("all", "level-1")
    limits = csip_aus.DERControlBaseV12(opModMaxLimW=4000, opModExpLimW=ActivePower(multiplier=0, value=5))
    await australian.control(program, make_control("0A", START + 10, 60, base=limits))
    plus, _, base = await bodies(client, f"{program.href}/derc")
    assert (b"opModExpLimW" in plus, b"opModExpLimW" in base) == (True, False)
    reply = await client.get(f"{program.href}/derc", Accept=BASE_ALONE)
    page = reply.decoded(DERControlList)
    assert page.DERControl_[0].DERControlBase_ == DERControlBase(opModMaxLimW=4000)


async def test_an_extension_as_a_whole_is_406_for_the_base_schema(australian: Bench) -> None:
    row, client = await australian.device("level-1")
    href = f"{row.href}/cp"
    assert (await client.post(href, csip_aus.ConnectionPoint(connectionPointId="6"))).status == 201
    reply = await client.get(href, Accept=BASE_ALONE)
    assert (reply.status, reply.decoded(Error).reasonCode) == (406, 0)


async def test_what_lacks_an_extension_is_read_all_the_same(tmp_path: Path, sep2_pki: Pki) -> None:
    mounts = {"/base": "csip"}
    async with running(tmp_path, sep2_pki, profile="csip_aus_v1.2", mounts=mounts) as bench:
        row, client = await bench.device("level-1")
        ders = await client.read(f"{row.href}/der", DERList)
        href = f"{ders.DER_[0].href}/dercap"
        watt = ActivePower(multiplier=0, value=5)
        capability = DERCapability(modesSupported="00", rtgMaxW=watt, type=4)
        body = Codec().encode(capability)
        assert (await client.send("PUT", f"/base{href}", body)).status == 204
        reply = await client.get(href, Accept=BASE_ALONE)
        assert reply.status == 200
        assert reply.decoded(DERCapability).rtgMaxW == watt


async def test_what_the_base_schema_is_sent_is_as_fresh_as_the_rest(australian: Bench) -> None:
    row, client = await australian.device("level-1")
    before = (await client.get(row.href, Accept=BASE_ALONE)).decoded(EndDevice)
    australian.clock.advance(5)
    await australian.group("all", "level-1")
    after = (await client.get(row.href, Accept=BASE_ALONE)).decoded(EndDevice)
    assert (before.changedTime, after.changedTime) == (START, START + 5)
