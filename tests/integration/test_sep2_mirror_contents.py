"""What mirrored readings hold, how long, and the flows of CSIP and CSIP-AUS. IEEE 2030.5-2018, 10.11.

"16" in a docstring is the section of the collected facts in which the sentence stands.
"""

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from certs import Pki
from schemas import (
    DateTimeInterval,
    Error,
    MirrorMeterReading,
    MirrorMeterReadingList,
    MirrorReadingSet,
    MirrorUsagePoint,
    Reading,
    ReadingType,
    UnitValueType,
)
from sep2_server.operator import enrolment, readings
from tests.integration.meters import Meters
from tests.integration.sep2_harness import START, running
from tests.integration.test_sep2_mirror import WATT, mirror, reading_of, reading_set

AUS = ("csip_aus_v1.2", "csip_aus_v1.3")
CSIP_POWER = ReadingType(
    accumulationBehaviour=12,
    commodity=1,
    dataQualifier=0,
    flowDirection=1,
    intervalLength=300,
    kind=37,
    phase=0,
    powerOfTenMultiplier=0,
    uom=38,
)
"""Real power as CSIP has it."""
CODES = {
    "accumulationBehaviour": (3, 4, 6, 9, 12),
    "dataQualifier": (0, 2, 8, 9, 12, 29, 30),
    "flowDirection": (1, 19),
    "kind": (3, 8, 12, 37),
    "phase": (0, 32, 33, 40, 64, 65, 66, 128, 129, 132, 224),
    "uom": (29, 33, 38, 61, 63, 72),
    "powerOfTenMultiplier": (-9, -1, 0, 9),
}
"""Values of ReadingType that the facts name; 33 (Hz) is none that the schema lists."""
EACH_CODE = [(name, value) for name, values in CODES.items() for value in values]
OTHERS_MRID = "ABCDEF0123456789ABCDEF0100028547"


@pytest_asyncio.fixture
async def meters(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Meters]:
    async with running(tmp_path, sep2_pki, reading_sets_kept=10) as bench:
        made = Meters(bench)
        await made.start()
        yield made


async def type_of(meters: Meters, name: str) -> ReadingType:
    (copy,) = (await meters.meter_readings(name)).MeterReading_
    assert copy.ReadingTypeLink_ is not None
    return await (await meters.bench.client(name)).read(copy.ReadingTypeLink_.href, ReadingType)


async def told(meters: Meters, name: str = "mirror-3") -> dict[str, object]:
    """The latest value of the first MeterReading of a device as operators read it."""
    answer = await meters.operate(readings.latest, device=name)
    found = answer["readings"]
    assert isinstance(found, list)
    assert isinstance(found[0], dict)
    return dict(found[0])


async def test_the_reading_type_of_csip_is_kept_in_all_its_fields(meters: Meters) -> None:
    await meters.mirror("mirror-3", reading_of(1, kind=CSIP_POWER))
    assert replace(await type_of(meters, "mirror-3"), href=None) == CSIP_POWER


async def test_fields_of_gas_and_water_are_kept_too(meters: Meters) -> None:
    gas = ReadingType(
        calorificValue=UnitValueType(multiplier=-1, unit=132, value=395),
        commodity=7,
        conversionFactor=UnitValueType(multiplier=-4, unit=0, value=10_226),
        maxNumberOfIntervals=96,
        numberOfConsumptionBlocks=3,
        numberOfTouTiers=4,
        subIntervalLength=900,
        supplyLimit=5_000,
        tieredConsumptionBlocks=True,
        uom=119,
    )
    await meters.mirror("mirror-3", reading_of(1, kind=gas))
    assert replace(await type_of(meters, "mirror-3"), href=None) == gas


@pytest.mark.parametrize(("field", "value"), EACH_CODE)
async def test_every_code_of_a_reading_type_is_taken(meters: Meters, field: str, value: int) -> None:
    kind = replace(CSIP_POWER)
    setattr(kind, field, value)
    await meters.mirror("mirror-3", reading_of(1, kind=kind))
    assert getattr(await type_of(meters, "mirror-3"), field) == value


@pytest.mark.parametrize("flags", ["03", "49", "00", "7F", "0049"])
async def test_role_flags_are_those_of_the_site_or_the_device(meters: Meters, flags: str) -> None:
    """16; CSIP-AUS 2.3: site 0x03, device 0x49."""
    posted = replace(mirror(meters.lfdi("mirror-3")), roleFlags=flags)
    await meters.post("mirror-3", "/mup", posted)
    assert int((await meters.points("mirror-3"))[0].roleFlags, 16) == int(flags, 16)


@pytest.mark.parametrize("bit", range(7))
async def test_quality_flags_go_with_the_reading_to_readers_and_operators(meters: Meters, bit: int) -> None:
    """16: qualityFlags bits 0 valid to 6 projected."""
    flags = f"{1 << bit:04X}"
    posted = reading_set("D1", START, 1, kind=WATT)
    posted.MirrorReadingSet_[0].Reading_[0].qualityFlags = flags
    await meters.mirror("mirror-3", posted)
    (shown,) = await meters.values("mirror-3")
    assert (shown.qualityFlags, (await told(meters))["quality"]) == (flags, flags)


@pytest.mark.parametrize("value", [-(2**47), -1, 0, 2**47])
async def test_values_are_signed_48_bit(meters: Meters, value: int) -> None:
    await meters.mirror("mirror-3", reading_of(value), reading_set("D1", START, value))
    assert (await meters.latest("mirror-3")).value == value
    assert [one.value for one in await meters.values("mirror-3")] == [value]


async def test_a_value_beyond_48_bit_is_400_and_not_stored(meters: Meters) -> None:
    made = await meters.mirror("mirror-3", reading_of(1))
    client = await meters.bench.client("mirror-3")
    body = (
        '<MirrorMeterReading xmlns="urn:ieee:std:2030.5:ns"><mRID>C1</mRID>'
        f"<Reading><value>{2**47 + 1}</value></Reading></MirrorMeterReading>"
    )
    reply = await client.send("POST", made.location, body.encode())
    assert (reply.status, (await meters.latest("mirror-3")).value) == (400, 1)


async def test_a_scaled_value_is_told_in_its_unit(meters: Meters) -> None:
    """CSIP-AUS ALL-24: any multiplier; 50 kW is 5 x 10^4 or 5000 x 10^1."""
    for value, power in ((5, 4), (5000, 1), (500_000, -1)):
        await meters.mirror("mirror-3", reading_of(value, kind=replace(WATT, powerOfTenMultiplier=power)))
        assert (await told(meters))["value"] == 50_000


async def test_update_times_tell_whether_a_reading_is_stale(meters: Meters) -> None:
    """16: lastUpdateTime and nextUpdateTime."""
    posted = replace(reading_of(1), lastUpdateTime=START, nextUpdateTime=START + 300)
    await meters.mirror("mirror-3", posted)
    held = await told(meters)
    assert (held["lastUpdateTime"], held["nextUpdateTime"], held["late"]) == (START, START + 300, False)
    meters.bench.clock.advance(301)
    assert (await told(meters))["late"] is True


async def test_an_update_time_that_is_left_out_stays(meters: Meters) -> None:
    """16: other elements overwrite; what a post leaves out stays, as the description does."""
    made = await meters.mirror(
        "mirror-3", replace(reading_of(1), lastUpdateTime=START, nextUpdateTime=START + 300)
    )
    await meters.post("mirror-3", made.location, replace(reading_of(2), lastUpdateTime=START + 60))
    held = await told(meters)
    assert (held["lastUpdateTime"], held["nextUpdateTime"]) == (START + 60, START + 300)


async def test_a_set_has_the_period_that_covers_its_readings(meters: Meters) -> None:
    """16: in MirrorReadingSet the timePeriod covers all its Readings."""
    await meters.mirror("mirror-3", reading_set("D1", START, 1, 2, 3, kind=WATT))
    (shown,) = (await meters.sets("mirror-3")).ReadingSet_
    values = await meters.values("mirror-3")
    spans = [one.timePeriod for one in values if one.timePeriod]
    assert (shown.timePeriod.start, shown.timePeriod.duration) == (START, 180)
    assert (spans[0].start, spans[-1].start + spans[-1].duration) == (START, START + 180)


async def test_readings_stand_by_local_id_whatever_their_order_of_coming(meters: Meters) -> None:
    """16: localID increases per interval."""
    posted = reading_set("D1", START, 1, 2, 3, kind=WATT)
    posted.MirrorReadingSet_[0].Reading_.reverse()
    await meters.mirror("mirror-3", posted)
    values = await meters.values("mirror-3")
    assert [(one.localID, one.value) for one in values] == [("00", 1), ("01", 2), ("02", 3)]


async def test_blocks_and_tiers_of_one_interval_are_readings_of_their_own(meters: Meters) -> None:
    period = DateTimeInterval(start=START, duration=900)
    given = [
        Reading(
            localID="01", consumptionBlock=block, touTier=tier, timePeriod=period, value=10 * block + tier
        )
        for block, tier in itertools.product((2, 1), (2, 1))
    ]
    one = MirrorReadingSet(mRID="D1", timePeriod=period, Reading_=given)
    await meters.mirror("mirror-3", MirrorMeterReading(mRID="C1", ReadingType_=WATT, MirrorReadingSet_=[one]))
    assert [reading.value for reading in await meters.values("mirror-3")] == [11, 12, 21, 22]


async def test_of_many_sets_the_newest_are_kept(meters: Meters) -> None:
    """`reading_sets_kept` is 10 here; what is forgotten is gone with its Readings."""
    made = await meters.mirror("mirror-3", reading_of(1))
    for number in range(14):
        await meters.post("mirror-3", made.location, reading_set(f"D{number:X}", START + 60 * number, number))
    starts = [one.timePeriod.start for one in (await meters.sets("mirror-3")).ReadingSet_]
    assert starts == [START + 60 * number for number in range(13, 3, -1)]


@pytest.mark.parametrize("ahead_s", [315_360_000, -86_400])
async def test_sets_are_kept_whatever_times_those_before_them_told(meters: Meters, ahead_s: int) -> None:
    """The clock of a device may be wrong: what it posts now is never what is forgotten."""
    made = await meters.mirror("mirror-3", reading_of(1))
    for number in range(10):
        early = reading_set(f"A{number}", START + ahead_s + 60 * number, number)
        await meters.post("mirror-3", made.location, early)
    for number in range(10):
        reply = await meters.post("mirror-3", made.location, reading_set(f"C{number}", START + number, 1))
        assert (await (await meters.bench.client("mirror-3")).get(reply.location)).status == 200
    starts = [one.timePeriod.start for one in (await meters.sets("mirror-3")).ReadingSet_]
    assert starts == [START + number for number in reversed(range(10))]


async def test_a_set_that_is_posted_again_keeps_its_place(meters: Meters) -> None:
    made = await meters.mirror("mirror-3", reading_of(1))
    for number in range(10):
        await meters.post("mirror-3", made.location, reading_set(f"A{number}", START + 60 * number, number))
    await meters.post("mirror-3", made.location, reading_set("A0", START, 99))
    await meters.post("mirror-3", made.location, reading_set("B0", START - 60, 1))
    starts = [one.timePeriod.start for one in (await meters.sets("mirror-3")).ReadingSet_]
    assert starts == [*(START + 60 * number for number in range(9, 0, -1)), START - 60]


async def test_the_end_of_a_device_is_that_of_all_it_mirrored(meters: Meters) -> None:
    """10: what hangs on an EndDevice goes with it."""
    made = await meters.mirror("mirror-agg", reading_of(1), of="mirror-1")
    await meters.operate(enrolment.remove, device="mirror-1")
    client = await meters.bench.client("mirror-agg")
    assert (await client.get(made.location)).status == 404
    assert await meters.points("mirror-agg") == []


@pytest.mark.parametrize("profile", AUS)
async def test_s_all_05_nobody_posts_readings_under_the_mrid_of_another_client(
    tmp_path: Path, sep2_pki: Pki, profile: str
) -> None:
    async with running(tmp_path, sep2_pki, profile=profile) as bench:
        meters = Meters(bench)
        await meters.start()
        await meters.mirror("mirror-3", reading_of(1), mrid="B3")
        await meters.mirror("mirror-1", reading_of(7, mrid=OTHERS_MRID), mrid="B4")
        refused = await meters.mirror("mirror-3", reading_of(2, mrid=OTHERS_MRID), mrid="B3")
        assert (refused.status, refused.decoded(Error).reasonCode) == (403, 1)
        assert [one.mRID for one in (await meters.meter_readings("mirror-3")).MeterReading_] == ["C1"]
        assert (await meters.latest("mirror-1")).value == 7


@pytest.mark.parametrize("profile", AUS)
async def test_s_all_06_a_site_and_a_device_with_four_kinds_of_readings(
    tmp_path: Path, sep2_pki: Pki, profile: str
) -> None:
    kinds = [
        ReadingType(commodity=1, dataQualifier=2, kind=37, uom=uom, powerOfTenMultiplier=power)
        for uom, power in ((38, 0), (63, 0), (33, -1), (29, -1))
    ]
    async with running(tmp_path, sep2_pki, profile=profile) as bench:
        meters = Meters(bench)
        await meters.start()
        for flags, point in (("03", "A0"), ("49", "B0")):
            mirrored = [
                MirrorMeterReading(mRID=f"{point}{number:02X}", ReadingType_=kind)
                for number, kind in enumerate(kinds)
            ]
            posted = replace(mirror(meters.lfdi("mirror-3"), *mirrored, mrid=point), roleFlags=flags)
            made = await meters.post("mirror-3", "/mup", posted)
            assert made.status == 201
            several = [
                replace(reading_set(f"{point}{number:02X}AA", START, 1, 2, 3, 4), mRID=one.mRID)
                for number, one in enumerate(mirrored)
            ]
            taken = MirrorMeterReadingList(all=4, results=4, MirrorMeterReading_=several)
            assert (await meters.post("mirror-3", made.location, taken)).status in {201, 204}
        points = await meters.points("mirror-3")
        assert [(one.mRID, one.roleFlags) for one in points] == [("B0", "49"), ("A0", "03")]
        counts = [one.MeterReadingListLink_.all for one in points if one.MeterReadingListLink_]
        assert counts == [4, 4]


@pytest.mark.parametrize("profile", AUS)
async def test_s_all_07_roles_values_and_types_of_a_mirror_change(
    tmp_path: Path, sep2_pki: Pki, profile: str
) -> None:
    async with running(tmp_path, sep2_pki, profile=profile) as bench:
        meters = Meters(bench)
        await meters.start()

        def point(flags: str, uom: int) -> MirrorUsagePoint:
            kind = replace(WATT, uom=uom)
            one = MirrorMeterReading(mRID="BB" * 16, ReadingType_=kind)
            return replace(mirror(meters.lfdi("mirror-3"), one, mrid="AA" * 16), roleFlags=flags)

        made = await meters.post("mirror-3", "/mup", point("03", 38))
        again = await meters.post("mirror-3", "/mup", point("49", 38))
        assert (made.status, again.status, again.location) == (201, 204, made.location)
        for value in (5000, 6000):
            await meters.post("mirror-3", made.location, reading_of(value, kind=None, mrid="BB" * 16))
        assert (await meters.latest("mirror-3")).value == 6000
        await meters.post("mirror-3", "/mup", point("49", 63))
        assert (await type_of(meters, "mirror-3")).uom == 63
        assert (await meters.points("mirror-3"))[0].roleFlags == "49"
