"""Many EndDevices behind one certificate: each with its own programs, Responses and reports. CSIP AGG."""

import pytest

from certs import sfdi_of
from der_client import Plant, What
from schemas import (
    DERCapability,
    DERList,
    DERSettings,
    DERStatus,
    DeviceCapability,
    EndDevice,
    MirrorUsagePointList,
)
from tests.integration.aggregator.harness import INVERTERS, Fleet

MRID = "0123456789ABCDEF0123456700000001"
OTHER = "0123456789ABCDEF0123456700000002"
ALL = ["1", "2", "3"]


async def test_only_the_inverters_below_the_node_act_and_answer(fleet: Fleet) -> None:
    """AGG-003, AGG-006: TFA is above EDA1 and EDA2, SY above all."""
    _, tfa = await fleet.bench.group("TFA", "EDA1", "EDA2", primacy=5)
    _, sy = await fleet.bench.group("SY", "EDA1", "EDA2", "EDB1", "EDB2", primacy=10)
    async with fleet.client():
        await fleet.until_registered()
        await fleet.put_out(tfa, MRID, 2, 4, 5_000)
        await fleet.put_out(sy, OTHER, 7, 4, 4_000)
        await fleet.news.until(lambda: fleet.inverters["EDA2"].holds(50.0))
        assert fleet.inverters["EDB1"].holds(None)
        await fleet.until_responses(MRID, {"EDA1": ALL, "EDA2": ALL})
        await fleet.until_responses(OTHER, dict.fromkeys(fleet.inverters, ALL))

    assert {name: one.held[-1].max_w_pct for name, one in fleet.inverters.items()} == dict.fromkeys(
        fleet.inverters
    )
    assert fleet.responses(MRID) == {"EDA1": ALL, "EDA2": ALL}


async def test_an_event_that_another_program_kept_from_starting_is_answered_with_14(fleet: Fleet) -> None:
    """AGG-007: SY +2/2, TFA +3/1; of CSIP v1.3, erratum 5."""
    _, tfa = await fleet.bench.group("TFA", "EDA1", "EDA2", primacy=5)
    _, sy = await fleet.bench.group("SY", "EDA1", "EDA2", "EDB1", "EDB2", primacy=10)
    async with fleet.client():
        await fleet.until_registered()
        await fleet.put_out(tfa, OTHER, 4, 2, 5_000)
        await fleet.put_out(sy, MRID, 3, 4, 4_000)
        await fleet.until_responses(OTHER, {"EDA1": ALL, "EDA2": ALL})
        kept_back = ["1", "14"]
        await fleet.until_responses(MRID, {"EDA1": kept_back, "EDA2": kept_back, "EDB1": ALL, "EDB2": ALL})


async def test_each_inverter_reports_to_its_own_ders_and_mirrors_its_own_usage_point(fleet: Fleet) -> None:
    client = await fleet.bench.client("aggregator")
    async with fleet.client():
        await fleet.until_registered()
        await fleet.news.until(lambda: len(fleet.tellers(What.READINGS)) == 4)
        await fleet.news.until(lambda: len(fleet.tellers(What.REPORT, "DERStatus")) == 4)
        dcap = await client.read("/dcap", DeviceCapability)
        entry = await client.read(fleet.rows["EDA2"].href, EndDevice)
        assert dcap.MirrorUsagePointListLink_ is not None
        assert entry.DERListLink_ is not None
        points = await client.read(dcap.MirrorUsagePointListLink_.href + "?l=20", MirrorUsagePointList)
        der = (await client.read(entry.DERListLink_.href, DERList)).DER_[0]
        assert der.DERCapabilityLink_ is not None
        assert der.DERSettingsLink_ is not None
        assert der.DERStatusLink_ is not None
        capability = await client.read(der.DERCapabilityLink_.href, DERCapability)
        settings = await client.read(der.DERSettingsLink_.href, DERSettings)
        status = await client.read(der.DERStatusLink_.href, DERStatus)

    assert (capability.rtgMaxW.value, capability.rtgMaxW.multiplier) == (10_000, 0)
    assert settings.setMaxW == capability.rtgMaxW
    assert status.genConnectStatus is not None
    assert status.genConnectStatus.value == "07"
    assert {one.deviceLFDI for one in points.MirrorUsagePoint_} == set(map(fleet.lfdi, INVERTERS))


async def test_an_inverter_that_is_added_is_taken_in_and_one_that_is_removed_is_let_go(fleet: Fleet) -> None:
    """AGG-001, MAINT-001."""
    await fleet.bench.group("TFA", "EDA1", "EDA2")
    async with fleet.client(fleet.plants([*INVERTERS, "EDA1X"])):
        late = fleet.inverters["EDA1X"]
        await fleet.news.until(lambda: len(fleet.registered()) >= 4)
        await fleet.enrol("EDA1X")
        _, program = await fleet.bench.group("SPA1X", "EDA1X")
        await fleet.put_out(program, MRID, 1, 60, 3_000)
        await fleet.news.until(lambda: late.holds(30.0))
        await fleet.remove("EDA1X")
        gone = f"{fleet.lfdi('EDA1X')} not registered"
        await fleet.news.until(lambda: any(t.startswith(gone) for t in fleet.news.heard(What.DISCOVERED)))
        await fleet.news.until(lambda: late.holds(None))


async def test_an_end_device_may_be_named_by_its_sfdi(fleet: Fleet) -> None:
    _, program = await fleet.bench.group("TFA", "EDA1")
    sfdi = str(sfdi_of(fleet.bench.credentials("EDA1").lfdi))
    plant = Plant(devices=(fleet.inverters["EDA1"],), end_device=sfdi)
    async with fleet.client([plant]):
        await fleet.put_out(program, MRID, 1, 12, 5_000)
        await fleet.until_responses(MRID, {"EDA1": ALL})


@pytest.mark.parametrize("pin", [111115, None])
async def test_an_end_device_with_the_wrong_pin_is_not_used_and_the_others_are(
    fleet: Fleet, pin: int | None
) -> None:
    _, program = await fleet.bench.group("TFA", "EDA1", "EDA2")
    good = Plant(devices=(fleet.inverters["EDA1"],), end_device=fleet.lfdi("EDA1"), pin=pin)
    bad = Plant(devices=(fleet.inverters["EDA2"],), end_device=fleet.lfdi("EDA2"), pin=123455)
    async with fleet.client([good, bad]):
        await fleet.put_out(program, MRID, 1, 12, 5_000)
        await fleet.until_responses(MRID, {"EDA1": ALL})

    assert len(fleet.news.heard(What.WRONG_PIN)) >= 1
    assert fleet.lfdi("EDA2") not in fleet.registered()
