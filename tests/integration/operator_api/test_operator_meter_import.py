"""`lineside op meter import`: what a file stores, what a device then reads, what is refused with its line."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from schemas import (
    Codec,
    MeterReading,
    MeterReadingList,
    MirrorMeterReading,
    MirrorUsagePoint,
    Reading,
    ReadingList,
    ReadingSetList,
    ReadingType,
    UsagePointList,
)
from sep2_server.messages import Answer
from sep2_server.operator import ApiError, OperatorClient, Site
from sep2_server.operator.commands import rows_of

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
OTHER = "AB" * 20
DAY = 1_699_920_000
"""Midnight, UTC."""
HEAD = "device,usage_point,meter_reading,start,duration,value,uom,power_of_ten,flow,kind\n"
Op = Callable[..., int]
Capture = pytest.CaptureFixture[str]
DeviceRequest = Callable[..., Answer]


@pytest.fixture(autouse=True)
def _devices(api: OperatorClient) -> None:
    api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI, "pIN": 111_115})
    api.call("POST", ("devices",), {"name": "south", "lFDI": OTHER})


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], str]:
    def made(text: str) -> str:
        path = tmp_path / "june.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return made


def quarters(count: int, *, start: int = DAY, mrid: str = "CC01", point: str = "BB01") -> str:
    """Lines of quarter hours, the first of which says the type."""
    lines = [f"north,{point},{mrid},{start + 900 * n},900,{n},,,," for n in range(count)]
    lines[0] = lines[0].removesuffix(",,,,") + ",72,0,1,12"
    return "\n".join(lines) + "\n"


class Reader:
    """A device that reads its meters by links."""

    def __init__(self, request: DeviceRequest, lfdi: str = LFDI) -> None:
        self._request = request
        self._lfdi = lfdi

    def read(self, href: str, cls: type) -> object:
        return Codec().decode(self._request("GET", href, lfdi=self._lfdi).body, cls)

    def meter_readings(self) -> list[MeterReading]:
        points = self.read("/upt?l=9", UsagePointList)
        assert isinstance(points, UsagePointList)
        found: list[MeterReading] = []
        for point in points.UsagePoint_:
            assert point.MeterReadingListLink_ is not None
            page = self.read(f"{point.MeterReadingListLink_.href}?l=9", MeterReadingList)
            assert isinstance(page, MeterReadingList)
            found += page.MeterReading_
        return found

    def days(self, number: int = 0) -> list[list[Reading]]:
        """The values of a MeterReading, day by day, the latest day first."""
        link = self.meter_readings()[number].ReadingSetListLink_
        assert link is not None
        page = self.read(f"{link.href}?l=99", ReadingSetList)
        assert isinstance(page, ReadingSetList)
        found = []
        for one in page.ReadingSet_:
            assert one.ReadingListLink_ is not None
            values = self.read(f"{one.ReadingListLink_.href}?l=255", ReadingList)
            assert isinstance(values, ReadingList)
            spans = [value.timePeriod for value in values.Reading_ if value.timePeriod]
            end = max(span.start + span.duration for span in spans)
            assert (one.timePeriod.start, one.timePeriod.start + one.timePeriod.duration) == (
                spans[0].start,
                end,
            )
            found.append(values.Reading_)
        return found


def test_a_day_of_quarter_hours_is_what_the_device_reads(
    op: Op, capsys: Capture, device_request: DeviceRequest, file: Callable[[str], str]
) -> None:
    assert op("meter", "import", file(HEAD + quarters(96))) == 0
    assert capsys.readouterr().out == ("96 values are stored; 1 usage points and 1 meter readings are new\n")
    reader = Reader(device_request)
    (meter,) = reader.meter_readings()
    kind = reader.read(meter.ReadingTypeLink_.href, ReadingType)
    assert isinstance(kind, ReadingType)
    assert (kind.uom, kind.powerOfTenMultiplier, kind.flowDirection, kind.kind) == (72, 0, 1, 12)
    (values,) = reader.days()
    assert [one.localID for one in values] == [f"{n:04X}" for n in range(96)]
    assert [(one.value, one.timePeriod.start) for one in values if one.timePeriod][95] == (95, DAY + 95 * 900)
    assert Reader(device_request, OTHER).meter_readings() == []


def test_values_are_in_the_unit_of_the_reading(
    op: Op, device_request: DeviceRequest, file: Callable[[str], str]
) -> None:
    lines = "".join(
        f"north,BB01,CC01,{DAY + 900 * n},15m,{text},72,-3,1,12\n"
        for n, text in enumerate(("1.5", "-0.001", "7"))
    )
    assert op("meter", "import", file(HEAD + lines)) == 0
    assert [one.value for one in Reader(device_request).days()[0]] == [1500, -1, 7000]


def test_days_are_sets_and_files_add_to_them(
    op: Op, device_request: DeviceRequest, file: Callable[[str], str]
) -> None:
    assert op("meter", "import", file(HEAD + quarters(4, start=DAY + 86_400 - 1800))) == 0
    assert op("meter", "import", file(HEAD + quarters(2, start=DAY))) == 0
    days = Reader(device_request).days()
    assert [[one.value for one in day] for day in days] == [[2, 3], [0, 1, 0, 1]]
    assert [one.localID for one in days[1]] == ["0000", "0001", "0002", "0003"]


def test_a_file_that_is_imported_again_changes_nothing(
    op: Op, capsys: Capture, site: Site, file: Callable[[str], str]
) -> None:
    path = file(HEAD + quarters(96 * 3))
    assert op("meter", "import", path) == 0
    seen = last_change(site)
    capsys.readouterr()
    assert op("meter", "import", path) == 0
    assert "0 usage points and 0 meter readings are new" in capsys.readouterr().out
    assert last_change(site) == seen


def last_change(site: Site) -> int:
    """The place of the last write in the change feed, by a connection of its own."""
    with closing(sqlite3.connect(f"file:{site.server.database}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT max(seq) FROM change").fetchone()[0])


def test_a_corrected_value_takes_the_place_of_the_old_one(
    op: Op, device_request: DeviceRequest, file: Callable[[str], str]
) -> None:
    assert op("meter", "import", file(HEAD + quarters(4))) == 0
    one = f"north,BB01,CC01,{DAY + 900},900,77,,,,\n"
    assert op("meter", "import", file(HEAD + one)) == 0
    assert [value.value for value in Reader(device_request).days()[0]] == [0, 77, 2, 3]


def test_blocks_tiers_and_quality_are_kept(
    op: Op, device_request: DeviceRequest, file: Callable[[str], str]
) -> None:
    head = "device,usage_point,meter_reading,start,duration,value,quality,tier,block,uom\n"
    lines = [
        f"north,BB01,CC01,{DAY},900,{10 * block + tier},0001,{tier},{block},72"
        for block in (2, 1)
        for tier in (2, 1)
    ]
    assert op("meter", "import", file(head + "\n".join(lines))) == 0
    values = Reader(device_request).days()[0]
    assert [one.value for one in values] == [11, 12, 21, 22]
    assert {(one.localID, one.qualityFlags) for one in values} == {("0000", "0001")}


def test_several_meters_of_several_devices_go_in_one_file(
    op: Op, device_request: DeviceRequest, file: Callable[[str], str]
) -> None:
    text = HEAD + quarters(3) + quarters(3, mrid="CC02") + quarters(3, mrid="CC03", point="BB02")
    text += f"{OTHER},BB03,CC04,2023-11-14T00:00:00Z,1h,5,38,0,1,37\n"
    assert op("meter", "import", file(text)) == 0
    assert [m.mRID for m in Reader(device_request).meter_readings()] == ["CC03", "CC02", "CC01"]
    ((value,),) = Reader(device_request, OTHER).days()
    assert value.timePeriod is not None
    assert (value.value, value.timePeriod.start, value.timePeriod.duration) == (5, DAY, 3600)


def test_a_file_of_many_batches_is_stored_whole(
    op: Op, capsys: Capture, device_request: DeviceRequest, file: Callable[[str], str]
) -> None:
    assert op("meter", "import", file(HEAD + quarters(1300))) == 0
    assert capsys.readouterr().err.endswith("1300 of 1300 stored\n")
    assert sum(map(len, Reader(device_request).days())) == 1300


def test_a_dry_run_stores_nothing(
    op: Op, capsys: Capture, device_request: DeviceRequest, file: Callable[[str], str]
) -> None:
    assert op("meter", "import", file(HEAD + quarters(4)), "--dry-run") == 0
    assert capsys.readouterr().out == "0 of 4 values are refused; nothing was stored\n"
    assert Reader(device_request).meter_readings() == []


GOOD = f"north,BB01,CC01,{DAY},900,1,72,0,1,12\n"
BAD = [
    (f"north,BB01,CC01,{DAY + 900},900,x,,,,", "value: 'x' cannot be read"),
    (f"north,BB01,CC01,{DAY + 900},900,1.5,,,,", "value: 1.5 cannot stand on the wire"),
    (f"north,BB01,CC01,{DAY + 900},900,{2**47 + 1},,,,", "cannot stand on the wire"),
    (f"north,BB01,CC01,{DAY + 900},900,,,,,", "value: it is empty"),
    (f",BB01,CC01,{DAY + 900},900,1,,,,", "device: it is empty"),
    (f"west,BB02,CC02,{DAY},900,1,72,0,1,12", "no device is named 'west'"),
    (f"north,BB01,CC01,{DAY},900,2,,,,", "start: line 2 has this time, block and tier already"),
    (f"north,BB01,CC01,{DAY + 900},900,1,38,0,1,12", "the type of reading is another than in line 2"),
    (f"north,BB01,CC02,{DAY},900,1,,,,", "CC02 is new and has no uom"),
    (f"north,BB01,CC02,{DAY},900,1,many,,,", "uom: 'many' is no whole number"),
    (f"north,BB01,CC02,{DAY},900,1,300,,,", "ReadingType"),
    (f"north,BB0,CC01,{DAY},900,1,,,,", "UsagePoint"),
    (f"south,BB01,CC02,{DAY},900,1,72,,,", "UsagePoint: BB01 is of another device"),
    (f"north,BB02,CC01,{DAY},900,1,72,,,", "MeterReading: CC01 is of another UsagePoint"),
    ("north,BB01,CC01,yesterday,900,1,,,,", "start: 'yesterday'"),
    ("north,BB01,CC01,2023-11-14T00:15:00,900,1,,,,", "has no offset from UTC"),
    (f"north,BB01,CC01,{DAY + 900},soon,1,,,,", "duration: 'soon'"),
    (f"north,BB01,CC01,{DAY + 900},0,1,,,,", "duration: 0 s is outside"),
    (f"north,BB01,CC01,{DAY + 900},900,1,,,,,9", "more cells than columns"),
]


@pytest.mark.parametrize(("line", "why"), BAD)
def test_a_bad_line_is_told_and_nothing_is_stored(
    op: Op, capsys: Capture, device_request: DeviceRequest, file: Callable[[str], str], line: str, why: str
) -> None:
    path = file(HEAD + GOOD + line + "\n")
    assert op("meter", "import", path) == 1
    out = capsys.readouterr().out
    assert f"{path}, line 3: " in out
    assert why in out
    assert out.endswith("nothing was stored\n")
    assert Reader(device_request).meter_readings() == []


def test_all_bad_lines_are_told_at_once(op: Op, capsys: Capture, file: Callable[[str], str]) -> None:
    lines = [
        line for line, why in BAD if "it is empty" in why or "is no whole number" in why or "offset" in why
    ]
    path = file(HEAD + GOOD + "\n".join(lines) + "\n")
    assert op("meter", "import", path) == 1
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith(path)]
    assert [int(line.split("line ")[1].split(":")[0]) for line in told] == list(range(3, 3 + len(lines)))


def test_a_bad_line_far_behind_keeps_the_whole_file_out(
    op: Op, capsys: Capture, device_request: DeviceRequest, file: Callable[[str], str]
) -> None:
    path = file(HEAD + quarters(1200) + f"west,BB09,CC09,{DAY},900,1,72,0,1,12\n")
    assert op("meter", "import", path) == 1
    assert f"{path}, line 1202: no device is named 'west'" in capsys.readouterr().out
    assert Reader(device_request).meter_readings() == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "column missing: device"),
        (HEAD, "nothing is in it"),
        ("device,usage_point,start,duration,value\n", "column missing: meter_reading"),
        (HEAD.replace("kind", "sort") + GOOD, "no such column: sort"),
        (HEAD.replace("kind", "value") + GOOD, "column value twice"),
    ],
)
def test_a_file_that_is_no_meter_data_is_wrong_usage(
    op: Op, capsys: Capture, file: Callable[[str], str], text: str, why: str
) -> None:
    assert op("meter", "import", file(text)) == 2
    assert why in capsys.readouterr().err


def test_a_file_that_is_not_there_is_wrong_usage(op: Op, capsys: Capture, tmp_path: Path) -> None:
    assert op("meter", "import", str(tmp_path / "none.csv")) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_stored_type_is_not_changed_by_an_import(
    op: Op, capsys: Capture, file: Callable[[str], str]
) -> None:
    assert op("meter", "import", file(HEAD + GOOD)) == 0
    other = f"north,BB01,CC01,{DAY + 900},900,1,72,3,1,12\n"
    assert op("meter", "import", file(HEAD + other)) == 1
    assert "ReadingType.powerOfTenMultiplier: 3 is given, 0 is stored" in capsys.readouterr().out


def test_no_import_goes_into_what_a_device_mirrors(
    op: Op, capsys: Capture, device_request: DeviceRequest, file: Callable[[str], str]
) -> None:
    mirror = MirrorUsagePoint(mRID="BB01", deviceLFDI=LFDI, roleFlags="49", serviceCategoryKind=0, status=1)
    assert device_request("POST", "/mup", mirror).status == 201
    assert op("meter", "import", file(HEAD + GOOD)) == 1
    assert "UsagePoint: into BB01 the device mirrors" in capsys.readouterr().out


def test_no_mrid_of_a_device_keeps_the_meter_data_of_another_out(
    op: Op, device_request: DeviceRequest, file: Callable[[str], str]
) -> None:
    squatted = MirrorUsagePoint(
        mRID="BB01",
        deviceLFDI=OTHER,
        roleFlags="49",
        serviceCategoryKind=0,
        status=1,
        MirrorMeterReading_=[MirrorMeterReading(mRID="CC01", ReadingType_=ReadingType(uom=38))],
    )
    assert device_request("POST", "/mup", squatted, lfdi=OTHER).status == 201
    assert op("meter", "import", file(HEAD + GOOD)) == 0
    assert [m.mRID for m in Reader(device_request).meter_readings()] == ["CC01"]
    assert [m.mRID for m in Reader(device_request, OTHER).meter_readings()] == ["CC01"]


def test_the_api_takes_a_thousand_at_most_and_names_the_items(api: OperatorClient) -> None:
    good = {
        "device": "north",
        "UsagePoint": "BB01",
        "MeterReading": "CC01",
        "start": DAY,
        "duration": 900,
        "value": 1,
        "ReadingType": {"uom": 72},
    }
    for body in ([], [good] * 1001):
        with pytest.raises(ApiError):
            api.call("POST", ("meters", "readings"), body)
    with pytest.raises(ApiError) as caught:
        api.call("POST", ("meters", "readings"), [good, {**good, "start": -1}, {"device": "north"}, good])
    assert [problem["item"] for problem in caught.value.problems] == [2, 3, 4]
    told = api.call("POST", ("meters", "readings"), [good])
    assert (told["points"], told["meterReadings"], told["values"]) == (1, 1, 1)
    assert rows_of(api.get("devices", "north", "readings"), "readings")[0]["value"] == 1
