"""Metering Mirror, sentence by sentence, each test named after one. IEEE 2030.5-2018, 10.11; CSIP-AUS.

"16" in a docstring is the section of the collected facts in which the sentence stands.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from certs import Pki
from schemas import (
    Codec,
    DateTimeInterval,
    DeviceCapability,
    Error,
    MirrorMeterReadingList,
    MirrorUsagePoint,
    MirrorUsagePointList,
    ReadingType,
)
from sep2_server.operator import rates
from tests.integration.meters import Meters
from tests.integration.sep2_harness import START, Bench, running
from tests.integration.test_sep2_mirror import WATT, mirror, reading_of, reading_set

pytestmark = pytest.mark.usefixtures("each_database")
REQUIRED = ("mRID", "roleFlags", "serviceCategoryKind", "status", "deviceLFDI")


@pytest.fixture
async def meters(bench: Bench) -> Meters:
    made = Meters(bench)
    await made.start()
    return made


async def test_usage_points_are_read_only_for_clients(meters: Meters) -> None:
    """16: UsagePoint, MeterReading, ReadingType, ReadingSet, Reading."""
    await meters.mirror("mirror-3", reading_set("D1", START, 1, 2, kind=WATT))
    client = await meters.bench.client("mirror-3")
    (point,), readings_ = await meters.points("mirror-3"), await meters.meter_readings("mirror-3")
    sets, values = await meters.sets("mirror-3"), await meters.values("mirror-3")
    below = str(readings_.MeterReading_[0].href)
    lists = ["/upt", f"{point.href}/mr", f"{below}/rs", str(values[0].href).rpartition("/")[0]]
    items = [point.href, below, f"{below}/rt", sets.ReadingSet_[0].href, values[0].href]
    for path in (*lists, *map(str, items)):
        body = (await client.get(path)).body
        for method in ("PUT", "POST", "DELETE"):
            sent = None if method == "DELETE" else body
            assert (await client.send(method, path, sent)).status == 405


async def test_the_link_to_mirrors_is_there_only_with_room_for_one_more(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    """16: no MirrorUsagePointListLink, and an Error 2, unless there is room for one more."""
    async with running(tmp_path, sep2_pki, mirror_usage_points_per_device=1) as bench:
        meters = Meters(bench)
        await meters.start()
        client = await bench.client("mirror-3")
        assert (await client.read("/dcap", DeviceCapability)).MirrorUsagePointListLink_ is not None
        made = await meters.mirror("mirror-3")
        assert (await client.read("/dcap", DeviceCapability)).MirrorUsagePointListLink_ is None
        refused = await meters.mirror("mirror-3", mrid="B2")
        assert (refused.status, refused.decoded(Error).reasonCode) == (400, 2)
        assert (await meters.mirror("mirror-3")).status == 204
        await client.send("DELETE", made.location)
        assert (await client.read("/dcap", DeviceCapability)).MirrorUsagePointListLink_ is not None
        assert (await meters.mirror("mirror-3", mrid="B2")).status == 201


@pytest.mark.parametrize("field", REQUIRED)
async def test_a_mirror_needs_its_five_fields(meters: Meters, field: str) -> None:
    """16: mRID, deviceLFDI, roleFlags, serviceCategoryKind, status."""
    whole = Codec().encode(mirror(meters.lfdi("mirror-3"))).decode()
    start, end = whole.index(f"<{field}>"), whole.index(f"</{field}>") + len(f"</{field}>")
    client = await meters.bench.client("mirror-3")
    reply = await client.send("POST", "/mup", (whole[:start] + whole[end:]).encode())
    assert (reply.status, reply.decoded(Error).reasonCode) == (400, 0)
    assert await meters.points("mirror-3") == []


async def test_each_reading_of_a_new_mirror_needs_its_reading_type(meters: Meters) -> None:
    """16: MirrorMeterReading each with mRID and ReadingType."""
    reply = await meters.mirror("mirror-3", reading_of(1), reading_of(2, kind=None, mrid="C2"))
    assert (reply.status, reply.decoded(Error).reasonCode) == (400, 1)
    assert await meters.points("mirror-3") == []
    client = await meters.bench.client("mirror-3")
    assert (await client.read("/mup", MirrorUsagePointList)).all == 0


async def test_a_new_mrid_is_201_with_the_location_of_the_mirror(meters: Meters) -> None:
    reply = await meters.mirror("mirror-3", reading_of(1))
    client = await meters.bench.client("mirror-3")
    assert reply.status == 201
    assert (await client.read(reply.location, MirrorUsagePoint)).mRID == "B1"
    assert reply.body == b""


async def test_a_known_mrid_of_the_same_device_is_overwritten_with_204_and_location(meters: Meters) -> None:
    made = await meters.mirror("mirror-3", reading_of(1))
    other = replace(mirror(meters.lfdi("mirror-3")), roleFlags="03", status=0, description="site", version=4)
    reply = await meters.post("mirror-3", "/mup", other)
    assert (reply.status, reply.location) == (204, made.location)
    client = await meters.bench.client("mirror-3")
    shown = await client.read(made.location, MirrorUsagePoint)
    (copy,) = await meters.points("mirror-3")
    for one in (shown, copy):
        held = (one.roleFlags, one.status, one.description, one.version)
        assert held == ("03", 0, "site", 4)
    assert (await meters.latest("mirror-3")).value == 1


async def test_a_mirror_that_is_overwritten_without_texts_has_none(meters: Meters) -> None:
    """16: overwritten, not merged."""
    first = replace(mirror(meters.lfdi("mirror-3")), description="site", version=4)
    made = await meters.post("mirror-3", "/mup", first)
    await meters.mirror("mirror-3")
    client = await meters.bench.client("mirror-3")
    shown = await client.read(made.location, MirrorUsagePoint)
    assert (shown.description, shown.version) == (None, None)


async def test_the_same_mrid_of_another_device_is_another_mirror(meters: Meters) -> None:
    """16: known mRID (same device)."""
    one = await meters.mirror("mirror-1", reading_of(1))
    other = await meters.mirror("mirror-2", reading_of(2, mrid="C2"))
    assert (one.status, other.status) == (201, 201)
    assert one.location != other.location
    assert [(await meters.latest(name)).value for name in ("mirror-1", "mirror-2")] == [1, 2]


@pytest.mark.parametrize(
    ("who", "of", "status"),
    [
        ("mirror-3", "mirror-3", 201),
        ("mirror-1", "mirror-1", 201),
        ("mirror-agg", "mirror-agg", 201),
        ("mirror-agg", "mirror-1", 201),
        ("mirror-agg", "mirror-3", 403),
        ("mirror-1", "mirror-2", 403),
        ("mirror-1", "mirror-agg", 403),
        ("mirror-3", "mirror-1", 403),
    ],
)
async def test_device_lfdi_is_one_that_the_client_may_speak_for(
    meters: Meters, who: str, of: str, status: int
) -> None:
    reply = await meters.mirror(who, reading_of(1), of=of)
    assert reply.status == status
    assert len(await meters.points(of)) == (status == 201)


@pytest.mark.parametrize(
    ("who", "status"), [("mirror-1", 201), ("mirror-agg", 201), ("mirror-2", 404), ("mirror-3", 404)]
)
async def test_readings_are_taken_from_who_speaks_for_the_device(
    meters: Meters, who: str, status: int
) -> None:
    made = await meters.mirror("mirror-agg", reading_of(1), of="mirror-1")
    reply = await meters.post(who, made.location, reading_of(5, kind=None))
    assert reply.status == status
    assert (await meters.latest("mirror-1")).value == (5 if status == 201 else 1)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_only_who_speaks_for_the_device_changes_and_ends_its_mirror(
    meters: Meters, method: str
) -> None:
    made = await meters.mirror("mirror-1")
    body = Codec().encode(mirror(meters.lfdi("mirror-1"), status=0)) if method == "PUT" else None
    for who in ("mirror-2", "mirror-3"):
        assert (await (await meters.bench.client(who)).send(method, made.location, body)).status == 404
    for who in ("mirror-agg",):
        assert (await (await meters.bench.client(who)).send(method, made.location, body)).status == 204


async def test_who_is_not_enrolled_posts_nothing(meters: Meters) -> None:
    assert (await meters.mirror("mirror-unknown", of="mirror-3")).status == 403
    assert (await meters.mirror("mirror-unknown")).status == 403


async def test_a_meter_reading_is_201_with_the_location_of_its_copy(meters: Meters) -> None:
    """16: 201 with Location of the UsagePoint copy (/upt/x/mr/y)."""
    made = await meters.mirror("mirror-3")
    reply = await meters.post("mirror-3", made.location, reading_of(1))
    copies = await meters.meter_readings("mirror-3")
    assert (reply.status, reply.location) == (201, copies.MeterReading_[0].href)
    assert reply.body == b""


async def test_a_list_of_meter_readings_is_201_with_the_location_of_the_usage_point(meters: Meters) -> None:
    made = await meters.mirror("mirror-3")
    several = MirrorMeterReadingList(
        all=2, results=2, MirrorMeterReading_=[reading_of(1), reading_of(2, mrid="C2")]
    )
    reply = await meters.post("mirror-3", made.location, several)
    (point,) = await meters.points("mirror-3")
    assert (reply.status, reply.location) == (201, point.href)
    assert [r.mRID for r in (await meters.meter_readings("mirror-3")).MeterReading_] == ["C2", "C1"]


async def test_the_reading_sets_of_a_known_meter_reading_are_added(meters: Meters) -> None:
    made = await meters.mirror("mirror-3", reading_set("D1", START, 1, 2, kind=WATT))
    await meters.post("mirror-3", made.location, reading_set("D2", START + 300, 3))
    sets = await meters.sets("mirror-3")
    assert [one.mRID for one in sets.ReadingSet_] == ["D2", "D1"]
    assert [[r.value for r in await meters.values("mirror-3", n)] for n in (0, 1)] == [[3], [1, 2]]


async def test_a_bare_reading_replaces_the_former_and_leaves_the_sets(meters: Meters) -> None:
    made = await meters.mirror("mirror-3", reading_set("D1", START, 1, 2, kind=WATT))
    for value in (7, 8):
        await meters.post("mirror-3", made.location, reading_of(value, kind=None))
    assert (await meters.latest("mirror-3")).value == 8
    assert [r.value for r in await meters.values("mirror-3")] == [1, 2]


async def test_other_elements_of_a_known_meter_reading_overwrite(meters: Meters) -> None:
    """16 and S-ALL-07, step 3: description, version, ReadingType."""
    made = await meters.mirror("mirror-3", replace(reading_of(1), description="W", version=0))
    var = replace(WATT, uom=63)
    told = replace(reading_of(2), description="var", version=1, ReadingType_=var)
    await meters.post("mirror-3", made.location, told)
    (copy,) = (await meters.meter_readings("mirror-3")).MeterReading_
    assert copy.ReadingTypeLink_ is not None
    held = await (await meters.bench.client("mirror-3")).read(copy.ReadingTypeLink_.href, ReadingType)
    assert (copy.description, copy.version, held.uom) == ("var", 1, 63)


async def test_an_unknown_meter_reading_with_a_type_is_created(meters: Meters) -> None:
    made = await meters.mirror("mirror-3", reading_of(1))
    assert (await meters.post("mirror-3", made.location, reading_of(2, mrid="C2"))).status == 201
    assert (await meters.meter_readings("mirror-3")).all == 2


async def test_an_unknown_meter_reading_without_a_type_is_400(meters: Meters) -> None:
    made = await meters.mirror("mirror-3", reading_of(1))
    reply = await meters.post("mirror-3", made.location, reading_of(2, kind=None, mrid="C2"))
    assert (reply.status, reply.decoded(Error).reasonCode) == (400, 1)
    assert (await meters.meter_readings("mirror-3")).all == 1


async def test_a_reading_set_with_a_known_mrid_replaces_that_set(meters: Meters) -> None:
    """All of it: period, texts and Readings."""
    made = await meters.mirror("mirror-3", reading_set("D1", START, 1, 2, 3, kind=WATT))
    before = (await meters.sets("mirror-3")).ReadingSet_[0]
    again = reading_set("00d1", START + 600, 9)
    again.MirrorReadingSet_[0].description = "late"
    await meters.post("mirror-3", made.location, again)
    (after,) = (await meters.sets("mirror-3")).ReadingSet_
    assert (after.href, after.description) == (before.href, "late")
    assert after.timePeriod == DateTimeInterval(start=START + 600, duration=60)
    assert [r.value for r in await meters.values("mirror-3")] == [9]


async def test_a_reading_set_belongs_to_its_meter_reading(meters: Meters) -> None:
    """The same mRID of a set below another MeterReading is another set: nothing is taken from the first."""
    made = await meters.mirror("mirror-3", reading_set("D1", START, 1, kind=WATT))
    other = replace(reading_set("D1", START, 2, kind=WATT), mRID="C0")
    assert (await meters.post("mirror-3", made.location, other)).status == 201
    assert [r.value for r in await meters.values("mirror-3")] == [1]


async def test_a_mirror_shows_its_first_level_alone(meters: Meters) -> None:
    """16: GET of a MirrorUsagePoint returns no readings, and no more does its list."""
    made = await meters.mirror("mirror-3", reading_of(1), reading_set("D1", START, 1, kind=None))
    client = await meters.bench.client("mirror-3")
    for path in (made.location, "/mup"):
        assert b"MirrorMeterReading" not in (await client.get(path)).body


async def test_the_server_sets_post_rate_whatever_the_client_proposes(meters: Meters) -> None:
    """6 and 16: the client reads postRate of the mirror before it posts, and obeys its changes."""
    proposed = replace(mirror(meters.lfdi("mirror-3")), postRate=5)
    made = await meters.post("mirror-3", "/mup", proposed)
    client = await meters.bench.client("mirror-3")
    assert (await client.read(made.location, MirrorUsagePoint)).postRate == 300
    await meters.operate(rates.change, {"postRate": {"MirrorUsagePoint": 60}})
    assert (await client.read(made.location, MirrorUsagePoint)).postRate == 60
    await client.put(made.location, proposed)
    assert (await client.read(made.location, MirrorUsagePoint)).postRate == 60


async def test_put_of_a_mirror_keeps_its_identity(meters: Meters) -> None:
    """16: PUT M; 7: an mRID is for life; the device stays."""
    made = await meters.mirror("mirror-agg", of="mirror-1")
    client = await meters.bench.client("mirror-agg")
    assert (await client.put(made.location, mirror(meters.lfdi("mirror-1"), status=0))).status == 204
    assert (await client.put(made.location, mirror(meters.lfdi("mirror-1"), mrid="B2"))).status == 400
    assert (await client.put(made.location, mirror(meters.lfdi("mirror-2")))).status == 403
    shown = await client.read(made.location, MirrorUsagePoint)
    assert (shown.mRID, shown.status, shown.deviceLFDI) == ("B1", 0, meters.lfdi("mirror-1"))


async def test_delete_ends_the_posting_and_what_was_mirrored_stays(meters: Meters) -> None:
    """16: DELETE M."""
    made = await meters.mirror("mirror-3", reading_of(1))
    client = await meters.bench.client("mirror-3")
    assert (await client.send("DELETE", made.location)).status == 204
    for method, value in (
        ("GET", None),
        ("DELETE", None),
        ("POST", reading_of(2)),
        ("PUT", mirror("00" * 20)),
    ):
        body = None if value is None else Codec().encode(value)
        assert (await client.send(method, made.location, body)).status == 404
    assert (await meters.latest("mirror-3")).value == 1


async def test_a_mirror_that_comes_again_goes_on_with_its_usage_point(meters: Meters) -> None:
    """7: an mRID is for life."""
    made = await meters.mirror("mirror-3", reading_of(1))
    client = await meters.bench.client("mirror-3")
    (before,) = await meters.points("mirror-3")
    await client.send("DELETE", made.location)
    again = await meters.mirror("mirror-3", reading_of(2, kind=None))
    assert again.status == 201
    assert (await meters.points("mirror-3"))[0].href == before.href
    assert (await meters.latest("mirror-3")).value == 2


async def test_data_appears_under_usage_points_for_who_may_read_them(meters: Meters) -> None:
    """16: under UsagePointList for other clients: here for the aggregator of the device, for nobody else."""
    await meters.mirror("mirror-1", reading_of(4))
    assert [len(await meters.points(name)) for name in ("mirror-1", "mirror-2", "mirror-3")] == [1, 0, 0]
    (point,) = await meters.points("mirror-agg")
    assert point.deviceLFDI == meters.lfdi("mirror-1")
    assert (await meters.latest("mirror-agg")).value == 4
