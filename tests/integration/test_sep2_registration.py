"""Registration: out of band by default, in band by a setting, and what an LFDI may claim. CSIP 1.5."""

from pathlib import Path
from typing import Any

import pytest

from certs import LFDI, Pki, sfdi_of
from schemas import (
    DERProgramList,
    DeviceCapability,
    DeviceInformation,
    EndDevice,
    EndDeviceList,
    Error,
    FunctionSetAssignmentsList,
    Time,
    csip_aus,
)
from sep2_server.connection import Connection
from sep2_server.end_devices import Enrolment, add_end_device
from sep2_server.operator import device_changes
from sep2_server.operator.desk import Desk
from sep2_server.operator.router import Call
from sep2_server.rows import Role
from tests.integration.sep2_harness import START, Bench, Client, Reply, running
from tests.integration.test_sep2_mirror import mirror

pytestmark = pytest.mark.usefixtures("each_database")
IN_BAND = {"in_band_registration": True}


def end_device(lfdi: str, sfdi: int | None = None) -> EndDevice:
    return EndDevice(lFDI=lfdi, sFDI=sfdi_of(LFDI(lfdi)) if sfdi is None else sfdi, changedTime=0)


async def post(client: Client, value: EndDevice) -> Reply:
    return await client.post("/edev", value)


async def test_a_device_cannot_register_itself_by_default(bench: Bench) -> None:
    stranger = await bench.client("reg-1")
    _, known = await bench.device("reg-2")
    for client in (stranger, known):
        reply = await post(client, end_device(bench.credentials("reg-1").lfdi))
        assert (reply.status, reply.decoded(Error).reasonCode) == (403, 1)
    assert bench.store.reader.client(bench.credentials("reg-1").lfdi) is None


async def test_an_end_device_is_not_changed_or_deleted_by_default(bench: Bench) -> None:
    row, client = await bench.device("reg-1")
    assert (await client.put(row.href, end_device(bench.credentials("reg-1").lfdi))).status == 403
    assert (await client.send("DELETE", row.href)).status == 403
    assert (await client.get(row.href)).status == 200


async def test_a_device_may_register_itself_where_the_settings_say_so(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, **IN_BAND) as bench:
        client = await bench.client("reg-1")
        capability = await client.read("/dcap", DeviceCapability)
        assert capability.DERProgramListLink_ is None
        assert (await client.read("/tm", Time)).currentTime == START
        assert (await client.read("/edev", EndDeviceList)).all == 0
        assert (await client.get("/derp")).status == 403
        assert (await client.get("/no/such")).status == 403
        assert (await client.read("/tm", Time)).currentTime == START
        reply = await post(client, end_device(bench.credentials("reg-1").lfdi))
        assert reply.status == 201
        shown = await client.read(reply.location, EndDevice)
        assert (shown.lFDI, shown.enabled, shown.changedTime) == (
            bench.credentials("reg-1").lfdi,
            True,
            START,
        )
        assert (await client.read("/edev", EndDeviceList)).all == 1
        assert (await client.read("/dcap", DeviceCapability)).DERProgramListLink_ is not None


async def test_an_lfdi_that_lies_is_refused_and_nothing_is_stored(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, **IN_BAND) as bench:
        client = await bench.client("reg-1")
        own, other = bench.credentials("reg-1").lfdi, bench.credentials("reg-2").lfdi
        assert (await post(client, end_device(other))).status == 403
        assert (await post(client, end_device(own, sfdi_of(other)))).status == 400
        assert (await post(client, end_device("AB" * 8, sfdi_of(own)))).status == 400
        assert bench.store.reader.clients() == []


async def test_an_lfdi_in_device_information_is_held_against_the_device(bench: Bench) -> None:
    row, client = await bench.device("reg-1")
    lie = DeviceInformation(
        lFDI=bench.credentials("reg-2").lfdi,
        mfDate=0,
        mfHwVer="1",
        mfID=1,
        mfModel="m",
        mfSerNum="s",
        primaryPower=1,
        secondaryPower=0,
        swActTime=0,
        swVer="1",
    )
    assert (await client.put(f"{row.href}/di", lie)).status == 403
    assert (await client.get(f"{row.href}/di")).status == 404


async def test_an_end_device_without_lfdi_is_that_of_the_certificate(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, **IN_BAND) as bench:
        client = await bench.client("reg-1")
        sfdi = bench.credentials("reg-1").sfdi
        assert (await post(client, EndDevice(sFDI=sfdi, changedTime=0))).status == 201


@pytest.mark.parametrize(("profile", "status"), [("csip", 204), ("csip_aus", 409)])
async def test_a_second_registration_is_what_the_profile_says(
    tmp_path: Path, sep2_pki: Pki, profile: str, status: int
) -> None:
    async with running(tmp_path, sep2_pki, profile=profile, **IN_BAND) as bench:
        client = await bench.client("reg-1")
        value = end_device(bench.credentials("reg-1").lfdi)
        first = await post(client, value)
        again = await post(client, value)
        assert (first.status, again.status) == (201, status)
        assert again.headers.get("Location") == (first.location if status == 204 else None)
        assert status == 204 or again.decoded(Error).reasonCode == 1
        assert (await client.read("/edev", EndDeviceList)).all == 1


async def test_a_device_that_registers_joins_no_more_groups_than_it_takes(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    names = ["first", "second", "third"]
    changes: dict[str, Any] = {
        **IN_BAND,
        "registration_groups": names,
        "function_set_assignments_per_device": 2,
    }
    async with running(tmp_path, sep2_pki, **changes) as bench:
        for name in names:
            await bench.group(name)
        client = await bench.client("reg-1")
        reply = await post(client, end_device(bench.credentials("reg-1").lfdi))
        assert reply.status == 201
        listed = await client.read(f"{reply.location}/fsa?l=9", FunctionSetAssignmentsList)
        described = {one.description for one in listed.FunctionSetAssignments_}
        assert (listed.all, described) == (2, {"first", "second"})
        assert (await client.read("/derp?l=9", DERProgramList)).all == 2


async def test_groups_that_a_registered_device_cannot_join_are_in_the_log(
    tmp_path: Path, sep2_pki: Pki, caplog: pytest.LogCaptureFixture
) -> None:
    changes: dict[str, Any] = {
        **IN_BAND,
        "registration_groups": ["first", "gone", "second"],
        "function_set_assignments_per_device": 1,
    }
    async with running(tmp_path, sep2_pki, **changes) as bench:
        for name in ("first", "second"):
            await bench.group(name)
        client = await bench.client("reg-1")
        assert (await post(client, end_device(bench.credentials("reg-1").lfdi))).status == 201
    assert [one.message for one in caplog.records if one.name == "sep2_server.registration"] == [
        "registration_groups: there is no group gone",
        "registration_groups: a device takes no more than those before second",
    ]


async def test_an_aggregator_registers_nobody_where_that_is_done_out_of_band(bench: Bench) -> None:
    await bench.enrol("reg-agg", role=Role.AGGREGATOR)
    client = await bench.client("reg-agg")
    assert (await post(client, end_device("AB" * 20))).status == 403
    assert bench.store.reader.client("AB" * 20) is None


async def test_an_aggregator_without_a_pen_registers_any_lfdi(tmp_path: Path, sep2_pki: Pki) -> None:
    profile = {"name": "csip_aus", "pen_suffix": True}
    pens = {"CD" * 20: 12_345}
    async with running(tmp_path, sep2_pki, profile=profile, aggregator_pens=pens, **IN_BAND) as bench:
        await bench.enrol("reg-agg", role=Role.AGGREGATOR)
        client = await bench.client("reg-agg")
        assert (await post(client, end_device("AB" * 20))).status == 201


async def test_an_aggregator_registers_devices_and_removes_them(tmp_path: Path, sep2_pki: Pki) -> None:
    settings = {**IN_BAND, "end_devices_per_aggregator": 1}
    async with running(tmp_path, sep2_pki, **settings) as bench:
        await bench.enrol("reg-agg", role=Role.AGGREGATOR)
        await bench.enrol("reg-2")
        client = await bench.client("reg-agg")
        reply = await post(client, end_device("AB" * 20))
        assert reply.status == 201
        assert (await client.read("/edev?l=9", EndDeviceList)).all == 2
        assert (await post(client, end_device(bench.credentials("reg-2").lfdi))).status == 403
        full = await post(client, end_device("CD" * 20))
        assert (full.status, full.decoded(Error).reasonCode) == (400, 2)
        for lfdi in (LFDI("AB" * 20), bench.credentials("reg-agg").lfdi):
            assert (await post(client, EndDevice(sFDI=sfdi_of(lfdi), changedTime=0))).status == 400
        itself = bench.store.reader.client_named("reg-agg")
        assert itself is not None
        assert (await client.send("DELETE", f"/edev/{itself.end_device_id}")).status == 400
        assert (await client.send("DELETE", reply.location)).status == 204
        assert (await client.get(reply.location)).status == 404
        assert (await client.read("/edev?l=9", EndDeviceList)).all == 1


async def test_a_device_that_gets_another_aggregator_makes_room_for_one(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    """Also for its mirrors: both follow who speaks for it."""
    settings = {**IN_BAND, "end_devices_per_aggregator": 1, "mirror_usage_points_per_device": 1}
    async with running(tmp_path, sep2_pki, **settings) as bench:
        for name in ("reg-agg", "reg-agg-2"):
            await bench.enrol(name, role=Role.AGGREGATOR)
        client, other = [await bench.client(name) for name in ("reg-agg", "reg-agg-2")]
        for number, lfdi in enumerate((bench.credentials("reg-agg").lfdi, "AB" * 20)):
            assert (await post(client, end_device(lfdi))).status in {200, 201, 204}
            assert (await client.post("/mup", mirror(lfdi, mrid=f"B{number}"))).status == 201
        assert (await client.post("/mup", mirror("AB" * 20, mrid="B9"))).status == 400
        assert (await post(client, end_device("CD" * 20))).status == 400
        call = Call(names={"device": "AB" * 20}, body={"aggregator": "reg-agg-2"}, now=START)
        await bench.do(lambda desk: device_changes.change(desk, call))
        own = mirror(bench.credentials("reg-agg").lfdi, mrid="B8")
        assert (await client.post("/mup", own)).status == 400, "one for itself"
        assert (await post(client, end_device("CD" * 20))).status == 201
        assert (await client.post("/mup", own)).status == 201
        assert (await post(other, end_device("EF" * 20))).status == 400
        assert (await other.post("/mup", mirror("AB" * 20, mrid="B7"))).status == 201


async def test_what_an_aggregator_adds_costs_the_same_whatever_its_fleet(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, sep2_pki, **IN_BAND) as bench:
        row = await bench.enrol("reg-agg", role=Role.AGGREGATOR)
        client = await bench.client("reg-agg")
        await bench.server.keeper.stop()
        count, plain = 0, Connection.all

        def reading(self: Connection, *args: Any, **more: Any) -> list[Any]:  # noqa: ANN401
            nonlocal count
            found = plain(self, *args, **more)
            count += len(found)
            return found

        def manage(desk: Desk) -> None:
            for other in range(30):
                lfdi = LFDI(f"{100 * number + other + 1:040X}")
                enrolment = Enrolment(lfdi=lfdi, name=lfdi, aggregator_id=row.id, ders=0)
                add_end_device(desk.transaction, desk.environment, enrolment, desk.now)

        monkeypatch.setattr(Connection, "all", reading)
        counts: list[int] = []
        for number in range(4):
            lfdi, count = f"{number:02}" * 20, 0
            assert (await post(client, end_device(lfdi))).status == 201
            assert (await client.post("/mup", mirror(lfdi, mrid=f"B{number}"))).status == 201
            counts.append(count)
            await bench.do(manage)
        assert max(counts[1:]) <= counts[0] + 3


async def test_a_managed_device_is_registered_again_by_its_aggregator_and_by_itself_alone(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, **IN_BAND) as bench:
        for name in ("reg-agg", "reg-agg-2"):
            await bench.enrol(name, role=Role.AGGREGATOR)
        boss, other = await bench.client("reg-agg"), await bench.client("reg-agg-2")
        device = await bench.client("reg-3")
        value = end_device(bench.credentials("reg-3").lfdi)
        first = await post(boss, value)
        assert first.status == 201
        for client in (boss, device):
            again = await post(client, value)
            assert (again.status, again.location) == (204, first.location)
        assert (await post(other, value)).status == 403
        assert (await post(boss, end_device(bench.credentials("reg-agg-2").lfdi))).status == 403
        assert (await other.read("/edev?l=9", EndDeviceList)).all == 1


async def test_an_lfdi_in_small_letters_is_the_same_and_a_post_rate_that_is_left_out_stays(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, **IN_BAND) as bench:
        row, client = await bench.device("reg-1")
        lfdi = bench.credentials("reg-1").lfdi
        value = end_device(lfdi)
        value.postRate = 42
        assert (await client.put(row.href, value)).status == 204
        value.lFDI, value.deviceCategory, value.postRate = lfdi.lower(), "01", None
        assert (await client.put(row.href, value)).status == 204
        held = await client.read(row.href, EndDevice)
        assert (held.lFDI, held.deviceCategory, held.postRate) == (lfdi, "01", 42)


async def test_a_client_may_propose_a_post_rate_and_keeps_its_links(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, **IN_BAND) as bench:
        row, client = await bench.device("reg-1")
        before = await client.read(row.href, EndDevice)
        bench.clock.advance(9)
        value = end_device(bench.credentials("reg-1").lfdi)
        value.postRate, value.deviceCategory = 42, "00200000"
        assert (await client.put(row.href, value)).status == 204
        after = await client.read(row.href, EndDevice)
        assert (after.postRate, after.deviceCategory, after.changedTime) == (42, "00200000", START + 9)
        assert after.DERListLink_ == before.DERListLink_
        value.sFDI = 1
        assert (await client.put(row.href, value)).status == 400
        value.lFDI = "AB" * 20
        assert (await client.put(row.href, value)).status == 403


async def test_csip_aus_has_connection_points(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, profile="csip_aus_v1.3") as bench:
        row, client = await bench.device("reg-1")
        shown = await client.read(row.href, csip_aus.EndDeviceV12)
        assert shown.ConnectionPointLink is not None
        href = shown.ConnectionPointLink.href
        assert (await client.get(href)).status == 404
        created = await client.post(href, csip_aus.ConnectionPoint(connectionPointId="61234567890"))
        assert (created.status, created.location) == (201, href)
        updated = await client.put(href, csip_aus.ConnectionPoint(connectionPointId="6"))
        assert (updated.status, updated.location) == (204, href)
        assert (await client.read(href, csip_aus.ConnectionPoint)).connectionPointId == "6"


async def test_the_standard_has_no_connection_points(bench: Bench) -> None:
    row, client = await bench.device("reg-1")
    assert (await client.get(f"{row.href}/cp")).status == 404
    reply = await client.send("PUT", f"{row.href}/cp", b"<ConnectionPoint/>")
    assert reply.status == 404
