"""Meter data of the utility through the operator API, and what devices then read of it."""

from collections.abc import Callable

import pytest

from schemas import (
    DER,
    Codec,
    MeterReadingList,
    MirrorUsagePoint,
    Reading,
    ReadingList,
    ReadingSetList,
    ReadingType,
    UsagePoint,
    UsagePointList,
)
from sep2_server.messages import Answer
from sep2_server.operator import ApiError, OperatorClient, Site
from sep2_server.operator.commands import rows_of
from tests.integration.operator_api.test_operator_meter_import import last_change
from tests.integration.operator_api.test_operator_reports import mirror

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
OTHER = "AB" * 20
DAY = 1_699_920_000
DeviceRequest = Callable[..., Answer]
Made = dict[str, object]
POINT: Made = {
    "deviceLFDI": LFDI.lower(),
    "roleFlags": "13",
    "serviceCategoryKind": 0,
    "status": 1,
    "MeterReading": [
        {
            "ReadingType": {"kind": 12, "uom": 72, "powerOfTenMultiplier": 0, "flowDirection": 1},
            "ReadingSet": [
                {
                    "timePeriod": {"start": DAY, "duration": 1800},
                    "Reading": [
                        {"value": 7, "localID": "00", "timePeriod": {"start": DAY, "duration": 900}},
                        {"value": 8, "localID": "01", "timePeriod": {"start": DAY + 900, "duration": 900}},
                    ],
                }
            ],
        }
    ],
}


@pytest.fixture(autouse=True)
def _devices(api: OperatorClient) -> None:
    api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI, "pIN": 111_115})
    api.call("POST", ("devices",), {"name": "south", "lFDI": OTHER})


def add(api: OperatorClient, href: str, body: Made) -> str:
    return str(api.call("POST", ("resources",), body, query={"href": href})["href"])


def set_of(api: OperatorClient, point: str) -> str:
    reading = rows_of(api.get("resources", href=f"{point}/mr"), "items")[0]["href"]
    return str(rows_of(api.get("resources", href=f"{reading}/rs"), "items")[0]["href"])


def test_a_device_reads_its_meter_data_by_the_links(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    href = add(api, "/upt", POINT)
    codec = Codec()
    points = codec.decode(device_request("GET", "/upt?l=9").body, UsagePointList)
    assert [(p.href, p.deviceLFDI, p.roleFlags) for p in points.UsagePoint_] == [(href, LFDI, "13")]
    link = points.UsagePoint_[0].MeterReadingListLink_
    assert link is not None
    meter = codec.decode(device_request("GET", f"{link.href}?l=9").body, MeterReadingList).MeterReading_[0]
    assert meter.ReadingTypeLink_ is not None
    assert meter.ReadingSetListLink_ is not None
    assert codec.decode(device_request("GET", meter.ReadingTypeLink_.href).body, ReadingType).uom == 72
    sets = codec.decode(device_request("GET", f"{meter.ReadingSetListLink_.href}?l=9").body, ReadingSetList)
    values = sets.ReadingSet_[0].ReadingListLink_
    assert values is not None
    page = codec.decode(device_request("GET", f"{values.href}?l=9").body, ReadingList)
    assert (values.all, [reading.value for reading in page.Reading_]) == (2, [7, 8])
    one = codec.decode(device_request("GET", str(page.Reading_[1].href)).body, Reading)
    assert one.value == 8


def test_no_other_device_sees_meter_data(api: OperatorClient, device_request: DeviceRequest) -> None:
    point = add(api, "/upt", POINT)
    reading_set = set_of(api, point)
    paths = (point, f"{point}/mr", reading_set, f"{reading_set}/r", f"{reading_set}/r/0", f"{point}/utility")
    assert {device_request("GET", path, lfdi=OTHER).status for path in paths} <= {403, 404}
    assert b'all="0"' in device_request("GET", "/upt?l=9", lfdi=OTHER).body
    assert device_request("GET", f"{point}/utility").status in {403, 404}


@pytest.mark.parametrize("lfdi", [None, "CD" * 20])
def test_a_usage_point_is_of_a_device_that_is_enrolled(api: OperatorClient, lfdi: str | None) -> None:
    body = {name: value for name, value in {**POINT, "deviceLFDI": lfdi}.items() if value is not None}
    with pytest.raises(ApiError) as caught:
        add(api, "/upt", body)
    assert caught.value.status in {400, 404}


def test_a_meter_reading_needs_its_type(api: OperatorClient) -> None:
    point = add(api, "/upt", POINT)
    with pytest.raises(ApiError, match="ReadingType: missing"):
        add(api, f"{point}/mr", {"description": "power"})


def test_a_reading_is_added_replaced_and_removed(
    api: OperatorClient, device_request: DeviceRequest, site: Site
) -> None:
    reading_set = set_of(api, add(api, "/upt", POINT))
    body: Made = {"value": 9, "localID": "02", "timePeriod": {"start": DAY + 1800, "duration": 900}}
    href = add(api, f"{reading_set}/r", body)
    seen = last_change(site)
    assert add(api, f"{reading_set}/r", body) == href
    assert last_change(site) == seen
    assert add(api, f"{reading_set}/r", {**body, "value": 10}) == href
    assert Codec().decode(device_request("GET", href).body, Reading).value == 10
    api.call("DELETE", ("resources",), query={"href": href})
    assert device_request("GET", href).status == 404
    items = rows_of(api.get("resources", href=f"{reading_set}/r"), "items")
    assert len(items) == 2
    for item in items:
        api.call("DELETE", ("resources",), query={"href": str(item["href"])})
    assert rows_of(api.get("resources", href=f"{reading_set}/r"), "items") == []


def test_a_reading_is_changed_in_its_place(
    api: OperatorClient, device_request: DeviceRequest, site: Site
) -> None:
    """It was told as done and changed nothing; a second Reading stood at the href of the first."""
    reading_set = set_of(api, add(api, "/upt", POINT))
    [first, second] = rows_of(api.get("resources", href=f"{reading_set}/r"), "items")
    href, seen = str(first["href"]), last_change(site)
    told = api.call("PUT", ("resources",), {"value": 9}, query={"href": href})
    assert (told["href"], told["resource"]["value"]) == (href, 9)  # type: ignore[index,call-overload]
    assert Codec().decode(device_request("GET", href).body, Reading).value == 9
    page = Codec().decode(device_request("GET", f"{reading_set}/r?l=9").body, ReadingList)
    assert (page.all, [reading.value for reading in page.Reading_]) == (2, [9, 8])
    assert last_change(site) != seen, "who has subscribed is told"
    taken = {"localID": "00", "timePeriod": {"start": DAY, "duration": 900}}
    with pytest.raises(ApiError, match="another Reading of the set has that"):
        api.call("PUT", ("resources",), taken, query={"href": str(second["href"])})
    with pytest.raises(ApiError, match="nothing is at"):
        api.call("PUT", ("resources",), {"value": 9}, query={"href": f"{reading_set}/r/7"})


def test_readings_of_a_mirror_are_what_the_device_said(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    assert device_request("POST", "/mup", mirror(value=5, start=DAY)).status == 201
    [point] = rows_of(api.get("resources", href="/upt"), "items")
    [meter] = rows_of(api.get("resources", href=f"{point['href']}/mr"), "items")
    [reading_set] = rows_of(api.get("resources", href=f"{meter['href']}/rs"), "items")
    [reading] = rows_of(api.get("resources", href=f"{reading_set['href']}/r"), "items")
    for one in (point, meter, reading_set, reading):
        before = device_request("GET", str(one["href"]))
        with pytest.raises(ApiError, match=f"a {one['kind']} is not removed here") as caught:
            api.call("DELETE", ("resources",), query={"href": str(one["href"]), "force": "true"})
        assert "lineside op forget DEVICE --readings" in caught.value.hint
        with pytest.raises(ApiError, match=f"a {one['kind']} is not changed here"):
            api.call("PUT", ("resources",), {"value": 7}, query={"href": str(one["href"])})
        assert (before.status, device_request("GET", str(one["href"]))) == (200, before)
    said: Made = {"value": 7, "localID": "00", "timePeriod": {"start": DAY, "duration": 900}}
    wanted: list[tuple[str, Made]] = [
        (f"{reading_set['href']}/r", said),
        (f"{meter['href']}/rs", {"Reading": [said]}),
    ]
    for href, body in wanted:
        with pytest.raises(ApiError, match="is not added here") as caught:
            add(api, href, body)
        assert "lineside op forget DEVICE --readings" in caught.value.hint
    forgotten = api.call("POST", ("devices", "north", "forget"), {"readings": True})["forgotten"]
    assert isinstance(forgotten, int)
    assert forgotten > 0
    assert rows_of(api.get("resources", href="/upt"), "items") == []


def test_the_mark_of_a_meter_of_the_utility_stays_as_long_as_the_meter(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    """Without it the meter was that of a device: no operator could change it, and `forget` removed it."""
    point = add(api, "/upt", POINT)
    for method, body in (("PUT", {"status": 0}), ("DELETE", None)):
        with pytest.raises(ApiError, match="a UtilityMeter is not"):
            api.call(method, ("resources",), body, query={"href": f"{point}/utility"})
    api.call("POST", ("devices", "north", "forget"), {"readings": True})
    assert device_request("GET", point).status == 200
    api.call("DELETE", ("resources",), query={"href": point})
    assert device_request("GET", point).status == 404


def test_no_device_mirrors_into_the_meter_of_the_utility(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    mrid = str(api.call("POST", ("resources",), POINT, query={"href": "/upt"})["mRID"])
    mirror = MirrorUsagePoint(mRID=mrid, deviceLFDI=LFDI, roleFlags="49", serviceCategoryKind=0, status=0)
    assert device_request("POST", "/mup", mirror).status == 403
    assert b"<status>1</status>" in device_request("GET", "/upt?l=9").body
    assert b'all="0"' in device_request("GET", "/mup?l=9").body


def test_a_der_links_to_its_usage_point(api: OperatorClient, device_request: DeviceRequest) -> None:
    point = add(api, "/upt", POINT)
    der = str(rows_of(api.get("devices", "north"), "DER")[0]["href"])
    codec = Codec()
    assert codec.decode(device_request("GET", der).body, DER).AssociatedUsagePointLink_ is None
    assert device_request("GET", f"{der}/upt").status == 404
    api.call("PUT", ("resources",), {"href": point}, query={"href": f"{der}/upt"})
    link = codec.decode(device_request("GET", der).body, DER).AssociatedUsagePointLink_
    assert link is not None
    assert codec.decode(device_request("GET", link.href).body, UsagePoint).href == point
    api.call("PUT", ("resources",), {"status": 0}, query={"href": point})
    assert codec.decode(device_request("GET", link.href).body, UsagePoint).status == 0
    assert device_request("GET", link.href, lfdi=OTHER).status in {403, 404}
    api.call("DELETE", ("resources",), query={"href": point})
    assert device_request("GET", f"{der}/upt").status == 404
    assert codec.decode(device_request("GET", der).body, DER).AssociatedUsagePointLink_ is None


def test_a_der_is_not_associated_with_the_usage_point_of_another_device(
    api: OperatorClient,
) -> None:
    point = add(api, "/upt", {**POINT, "deviceLFDI": OTHER})
    der = str(rows_of(api.get("devices", "north"), "DER")[0]["href"])
    for body, status in (({"href": point}, 409), ({"href": "/upt/1"}, 400), ({}, 400)):
        with pytest.raises(ApiError) as caught:
            api.call("PUT", ("resources",), body, query={"href": f"{der}/upt"})
        assert caught.value.status == status


def test_a_der_is_associated_by_mrid_with_the_usage_point_of_its_own_device(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    for lfdi in (OTHER, LFDI):
        point = MirrorUsagePoint(
            mRID="BB01", deviceLFDI=lfdi, roleFlags="49", serviceCategoryKind=0, status=1
        )
        assert device_request("POST", "/mup", point, lfdi=lfdi).status == 201
    for name, lfdi in (("south", OTHER), ("north", LFDI)):
        der = str(rows_of(api.get("devices", name), "DER")[0]["href"])
        api.call("PUT", ("resources",), {"mRID": "BB01"}, query={"href": f"{der}/upt"})
        own = Codec().decode(device_request("GET", "/upt?l=9", lfdi=lfdi).body, UsagePointList).UsagePoint_[0]
        seen = Codec().decode(device_request("GET", f"{der}/upt", lfdi=lfdi).body, UsagePoint)
        assert seen.href == own.href
