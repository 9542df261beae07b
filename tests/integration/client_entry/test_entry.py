"""How clients find a server and get in: versions, in-band registration, connection points, DNS-SD."""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from certs import Pki
from der_client import Plant, What
from schemas import (
    BASE,
    ActivePower,
    DERCapability,
    DERControlBase,
    DERList,
    DERSettings,
    EndDevice,
    Link,
    MirrorUsagePoint,
    Profile,
    csip_aus,
)
from sep2_server.operator.tree import insert_in
from sep2_server.rows import Role
from tests.integration.aggregator.harness import FAST, ticking
from tests.integration.client_entry.harness import QUICK, by_dns_sd, comer
from tests.integration.sep2_harness import Bench, Client, make_control, running

CHANGES: dict[str, Any] = QUICK
MRID = "0123456789ABCDEF0123456700000001"
V1_2, V1_3 = csip_aus.CSIP_AUS_V1_2, csip_aus.CSIP_AUS_V1_3


async def entry_of(bench: Bench, name: str, profile: Profile) -> tuple[EndDevice, Client]:
    """The EndDevice with this certificate, and a client that speaks a profile."""
    found = bench.store.reader.client(bench.credentials(name).lfdi)
    assert found is not None
    row = bench.store.reader.by_id(found.end_device_id)
    assert row is not None
    client = Client((await bench.client(name))._session, profile)
    return await client.read(row.href, EndDevice), client


async def der_of(client: Client, entry: EndDevice) -> tuple[DERCapability, DERSettings]:
    """What stands at the first DER of an EndDevice."""
    assert entry.DERListLink_ is not None
    der = (await client.read(entry.DERListLink_.href, DERList)).DER_[0]
    assert der.DERCapabilityLink_ is not None
    assert der.DERSettingsLink_ is not None
    capability = await client.read(der.DERCapabilityLink_.href, DERCapability)
    return capability, await client.read(der.DERSettingsLink_.href, DERSettings)


async def test_a_client_of_csip_aus_begins_at_the_best_version_that_the_server_lists(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    """SDVN-01: the version's DeviceCapability, and never that of another version."""
    mounts = {"/a12": "csip_aus_v1.2", "/a13": "csip_aus_v1.3"}
    async with running(tmp_path, sep2_pki, now=int(time.time()), mounts=mounts, **CHANGES) as bench:
        await bench.enrol("versions")
        one = comer(bench, tmp_path, "versions", profile="csip_aus")
        async with one.running():
            await one.news.until(lambda: one.news.heard(What.REPORT).count("DERCapabilityV13"))
        found = [event.href or "" for event in one.news.events if event.what is What.REPORT]

    assert {href.split("/")[1] for href in found} == {"a13"}


async def test_a_server_of_v1_2_has_no_versions_and_is_entered_where_it_is_configured(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    """ALL-09: doeModesSupported and doeModesEnabled."""
    async with running(tmp_path, sep2_pki, profile="csip_aus_v1.2", **CHANGES) as bench:
        await bench.enrol("aus-12")
        one = comer(bench, tmp_path, "aus-12", profile="csip_aus")
        async with one.running():
            await one.news.until(lambda: one.news.heard(What.REPORT).count("DERSettingsV12"))
        capability, settings = await der_of(*reversed_pair(await entry_of(bench, "aus-12", V1_2)))

    assert isinstance(capability, csip_aus.DERCapabilityV12)
    assert isinstance(settings, csip_aus.DERSettingsV12)
    assert (capability.doeModesSupported, settings.doeModesEnabled) == ("05", "05")


def reversed_pair(found: tuple[EndDevice, Client]) -> tuple[Client, EndDevice]:
    return found[1], found[0]


async def test_a_client_of_csip_aus_learns_post_rates_from_the_list_of_usage_points(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    """ALL-06, ALL-10: the MirrorUsagePointList is polled, and its postRate adopted."""
    rates = {**FAST, "MirrorUsagePointList": 1}
    changes: dict[str, Any] = {**CHANGES, "profile": "csip_aus_v1.2", "poll_rate": rates}
    async with running(tmp_path, sep2_pki, **changes) as bench:
        await bench.enrol("aus-mup")
        one = comer(bench, tmp_path, "aus-mup", profile="csip_aus_v1.2")
        async with one.running() as client:

            def listed() -> list[MirrorUsagePoint]:
                views = [member._upstream.view.value for member in client._members]
                lists = [view.mirrors for view in views if view is not None and view.mirrors is not None]
                return [point for found in lists for point in found.MirrorUsagePoint_]

            await one.news.until(listed)
            points = listed()

    assert [point.deviceLFDI for point in points] == [str(one.own.lfdi)]
    assert points[0].postRate == 1


async def test_a_client_registers_in_band_and_tells_its_connection_point(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    """ALL-02, ALL-03."""
    changes = {**CHANGES, "profile": "csip_aus_v1.2", "in_band_registration": True}
    async with running(tmp_path, sep2_pki, **changes) as bench:
        one = comer(bench, tmp_path, "in-band", profile="csip_aus", in_band=True)
        plant = Plant(devices=(one.inverter,), connection_point="NMI0123456")
        async with one.running([plant]):
            await one.news.until(lambda: one.news.heard(What.CONNECTION_POINT))
            await one.news.until(lambda: one.news.heard(What.REPORT))
        entry, client = await entry_of(bench, "in-band", V1_2)
        link = getattr(entry, "ConnectionPointLink", None)
        assert isinstance(link, Link)
        point = await client.read(link.href, csip_aus.ConnectionPoint)

    assert one.news.heard(What.REGISTERED) == [str(one.own.lfdi)]
    assert point.connectionPointId == "NMI0123456"


async def test_where_registration_is_out_of_band_the_client_waits_until_it_is_enrolled(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, unknown_client="empty_list", **CHANGES) as bench:
        one = comer(bench, tmp_path, "late", profile="csip", in_band=True)
        async with one.running():
            await one.news.until(lambda: one.news.heard(What.DISCOVERED))
            await bench.enrol("late")
            await one.news.until(lambda: one.news.heard(What.REPORT))

    assert one.news.heard(What.REGISTERED) == []


async def test_an_aggregator_registers_its_inverters_in_band(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, in_band_registration=True, **CHANGES) as bench:
        await bench.enrol("in-band-aggregator", role=Role.AGGREGATOR)
        one = comer(bench, tmp_path, "in-band-aggregator", profile="csip", in_band=True)
        lfdi = f"3E4F45AB31EDFE5B67E343E5E4562E31{int(bench.server.settings.pen):08d}"
        async with one.running([Plant(devices=(one.inverter,), end_device=lfdi)]):
            await one.news.until(lambda: one.news.heard(What.REPORT))

    assert one.news.heard(What.REGISTERED) == [lfdi]


async def test_a_server_is_found_by_dns_sd(tmp_path: Path, sep2_pki: Pki) -> None:
    """COMM-001."""
    async with running(tmp_path, sep2_pki, discovery=True, discovery_name="Entry", **CHANGES) as bench:
        await bench.enrol("seeker")
        one = by_dns_sd(comer(bench, tmp_path, "seeker", profile="csip"))
        async with one.running():
            await one.news.until(lambda: one.news.heard(What.REPORT))


async def test_a_configured_uri_that_does_not_answer_is_replaced_by_dns_sd(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, discovery=True, discovery_name="Moved", **CHANGES) as bench:
        await bench.enrol("mover")
        one = by_dns_sd(comer(bench, tmp_path, "mover", profile="csip"))
        server = replace(one.settings.server, uri="https://127.0.0.1:9/dcap")
        one = replace(one, settings=replace(one.settings, server=server))
        async with one.running():
            await one.news.until(lambda: one.news.heard(What.REPORT))

    assert one.news.heard(What.SERVER_LOST)
    assert one.news.heard(What.SERVER_BACK)


async def test_a_storage_target_of_v1_3_reaches_the_battery(tmp_path: Path, sep2_pki: Pki) -> None:
    """STO-03: opModStorageTargetW, positive is discharge."""
    changes = {**CHANGES, "profile": "csip_aus_v1.3"}
    now = int(time.time())
    async with running(tmp_path, sep2_pki, now=now, **changes) as bench, ticking(bench):
        await bench.enrol("storage")
        _, program = await bench.group("storage", "storage")
        one = comer(bench, tmp_path, "storage", profile="csip_aus")
        one.inverter.charge_w = 5_000.0
        target = ActivePower(multiplier=2, value=-30)
        base = csip_aus.DERControlBaseV13(opModStorageTargetW=target)
        control = make_control(MRID, now + 1, 60, created=now, base=base)
        async with one.running():
            await one.news.until(lambda: one.news.heard(What.REPORT).count("DERCapabilityV13"))
            await bench.do(lambda desk: insert_in(desk, program, "DERControlList", control))
            await one.news.until(lambda: one.inverter.held and one.inverter.held[-1].target_w == -3_000.0)
        _, settings = await der_of(*reversed_pair(await entry_of(bench, "storage", V1_3)))

    assert isinstance(settings, csip_aus.DERSettingsV13)
    assert settings.vppModesEnabled == "01"
    assert settings.setMinWh is not None


async def test_devices_behind_one_der_are_reported_together(tmp_path: Path, sep2_pki: Pki) -> None:
    """CSIP GFEMS, MUL-03: the server has one DER for two inverters, and both keep the limit."""
    now = int(time.time())
    async with running(tmp_path, sep2_pki, now=now, **CHANGES) as bench, ticking(bench):
        await bench.enrol("facility")
        _, program = await bench.group("facility", "facility")
        one = comer(bench, tmp_path, "facility", profile="csip")
        other = replace(one.inverter, name="second", held=[], max_w=5_000.0)
        control = make_control(MRID, now + 1, 60, created=now, base=DERControlBase(opModMaxLimW=4_000))
        async with one.running([Plant(devices=(one.inverter, other))]):
            await one.news.until(lambda: one.news.heard(What.REPORT).count("DERCapability"))
            await bench.do(lambda desk: insert_in(desk, program, "DERControlList", control))
            await one.news.until(lambda: one.inverter.holds(40.0) and other.holds(40.0))
        capability, settings = await der_of(*reversed_pair(await entry_of(bench, "facility", BASE)))

    assert capability.rtgMaxW.value * 10**capability.rtgMaxW.multiplier == 15_000
    assert settings.setMaxW == capability.rtgMaxW


async def test_a_client_follows_fifteen_assignments_at_the_same_time(tmp_path: Path, sep2_pki: Pki) -> None:
    """CORE-011: all FSAs and their programs; BASIC-002: the best primacy wins where several want a mode."""
    now = int(time.time())
    async with running(tmp_path, sep2_pki, now=now, **CHANGES) as bench, ticking(bench):
        await bench.enrol("many")
        rows = [await bench.group(f"level {n}", "many", primacy=n) for n in range(1, 16)]
        one = comer(bench, tmp_path, "many", profile="csip")
        async with one.running():
            await one.news.until(lambda: one.news.heard(What.DISCOVERED))
            for n, (_, program) in enumerate(rows[::-1], 1):
                base = DERControlBase(opModMaxLimW=10_000 - 500 * n)
                mrid = f"{n:024X}00007ED9"
                control = make_control(mrid, now + 2, 60, created=now, base=base)
                await bench.do(partial(insert_in, above=program, kind="DERControlList", value=control))
            await one.news.until(lambda: one.inverter.holds(25.0))

    assert "registered at the server, 15 DERPrograms" in one.news.heard(What.DISCOVERED)
