"""What devices report, read through the operator API; rates and status."""

import secrets
from collections.abc import Callable

import pytest

from schemas import (
    ActivePower,
    Codec,
    DateTimeInterval,
    DERAvailability,
    DERCapability,
    DERSettings,
    DERStatus,
    DeviceStatus,
    EndDeviceList,
    InverterStatusType,
    LogEvent,
    MirrorMeterReading,
    MirrorReadingSet,
    MirrorUsagePoint,
    PowerStatus,
    Reading,
    ReadingType,
)
from sep2_server import ManualClock
from sep2_server.messages import Answer
from sep2_server.operator import ApiError, OperatorClient, Site
from sep2_server.operator.auth import Role
from sep2_server.operator.commands import rows_of
from sep2_server.operator.token_files import add_token

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
NOW = 1_700_000_000
CAPABILITY = DERCapability(modesSupported="00100000", rtgMaxW=ActivePower(multiplier=1, value=500), type=4)
SETTINGS = DERSettings(setGradW=1, setMaxW=ActivePower(multiplier=1, value=500), updatedTime=NOW)
DeviceRequest = Callable[..., Answer]


@pytest.fixture(autouse=True)
def end_device(api: OperatorClient) -> str:
    """The device north; the href of its EndDevice."""
    return str(api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI, "pIN": 111_115})["href"])


def mirror(*, value: int, start: int) -> MirrorUsagePoint:
    reading = Reading(value=value, timePeriod=DateTimeInterval(duration=300, start=start), localID="00")
    reading_set = MirrorReadingSet(
        mRID=f"{start:024X}0000007B",
        timePeriod=DateTimeInterval(duration=300, start=start),
        Reading_=[reading],
    )
    return MirrorUsagePoint(
        mRID="A" * 24 + "0000007B",
        roleFlags="0049",
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=LFDI,
        MirrorMeterReading_=[
            MirrorMeterReading(
                mRID="B" * 24 + "0000007B",
                description="real power",
                MirrorReadingSet_=[reading_set],
                ReadingType_=ReadingType(uom=38, kind=37, powerOfTenMultiplier=-1, accumulationBehaviour=12),
            )
        ],
    )


@pytest.mark.parametrize(
    ("kind", "below", "value"),
    [
        ("DERStatus", "der/{der}/ders", DERStatus(readingTime=NOW)),
        ("DERAvailability", "der/{der}/dera", DERAvailability(readingTime=NOW)),
        ("DERCapability", "der/{der}/dercap", CAPABILITY),
        ("DERSettings", "der/{der}/derg", SETTINGS),
        ("DeviceStatus", "dstat", DeviceStatus(changedTime=NOW, onCount=1, opState=1, opTime=1)),
        ("PowerStatus", "ps", PowerStatus(batteryStatus=1, changedTime=NOW, currentPowerSource=1)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_device_said_of_itself_is_changed_and_removed_by_an_admin_alone(
    api: OperatorClient,
    device_request: DeviceRequest,
    end_device: str,
    site: Site,
    kind: str,
    below: str,
    value: object,
) -> None:
    der = str(rows_of(api.get("devices", "north"), "DER")[0]["href"]).rpartition("/")[2]
    href = f"{end_device}/{below.format(der=der)}"
    assert device_request("PUT", href, value).status == 204
    secret = add_token(site.operator.folder, "o", Role.OPERATOR, secrets.randbits)
    other = OperatorClient(url=api.url, secret=secret, roots=api.roots)
    said = device_request("GET", href)
    for method, body in (("DELETE", None), ("PUT", {"x": 7})):
        with pytest.raises(ApiError, match=f"a {kind} is what the device said") as caught:
            other.call(method, ("resources",), body, query={"href": href})
        assert (caught.value.status, said.status, device_request("GET", href)) == (403, 200, said)
    with pytest.raises(ApiError, match=f"{kind} has no such field"):
        api.call("PUT", ("resources",), {"x": 7}, query={"href": href})
    api.call("DELETE", ("resources",), query={"href": href})
    assert device_request("GET", href).status == 404


def test_a_der_reports_in_natural_units(
    api: OperatorClient, device_request: DeviceRequest, end_device: str
) -> None:
    der = str(rows_of(api.get("devices", "north"), "DER")[0]["href"])
    capability = DERCapability(
        modesSupported="00100000", rtgMaxW=ActivePower(multiplier=1, value=500), type=4
    )
    status = DERStatus(readingTime=NOW, inverterStatus=InverterStatusType(dateTime=NOW, value=4))
    assert device_request("PUT", f"{der}/dercap", capability).status in {201, 204}
    assert device_request("PUT", f"{der}/ders", status).status in {201, 204}
    told = rows_of(api.get("devices", "north"), "DER")[0]
    assert told["DERCapability"] == {
        "href": f"{der}/dercap",
        "modesSupported": "00100000",
        "rtgMaxW": "5000 W",
        "type": 4,
    }
    assert told["DERStatus"] == {
        "href": f"{der}/ders",
        "inverterStatus": {"dateTime": NOW, "value": 4},
        "readingTime": NOW,
    }
    assert (told["DERSettings"], told["DERAvailability"]) == (None, None)


def test_log_events_are_read_newest_first(
    api: OperatorClient, device_request: DeviceRequest, end_device: str
) -> None:
    for number in (1, 2):
        event = LogEvent(
            createdDateTime=NOW + number,
            functionSet=11,
            logEventCode=number,
            logEventID=number,
            logEventPEN=40732,
            profileID=2,
        )
        assert device_request("POST", f"{end_device}/lel", event).status == 201
    told = rows_of(api.get("devices", "north", "logevents"), "LogEvent")
    assert [row["logEventID"] for row in told] == [2, 1]
    assert len(rows_of(api.get("devices", "north", "logevents", limit=1), "LogEvent")) == 1


def test_the_latest_reading_and_the_series_are_read(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    for number, value in enumerate((12_345, 20_000)):
        answer = device_request("POST", "/mup", mirror(value=value, start=NOW + 300 * number))
        assert answer.status in {201, 204}
    latest = rows_of(api.get("devices", "north", "readings"), "readings")
    assert [(row["description"], row["value"], row["unit"], row["time"]) for row in latest] == [
        ("real power", 2000, "W", NOW + 300)
    ]
    assert (latest[0]["accumulationBehaviour"], latest[0]["roleFlags"]) == (12, "0049")
    mrid = str(latest[0]["mRID"])
    series = rows_of(api.get("devices", "north", "readings", mrid), "values")
    assert [(row["time"], row["value"], row["duration"]) for row in series] == [
        (NOW + 300, 2000, 300),
        (NOW, 1234.5, 300),
    ]
    after = rows_of(api.get("devices", "north", "readings", mrid, after=NOW), "values")
    assert [row["time"] for row in after] == [NOW + 300]


@pytest.mark.parametrize(("value", "told"), [(77, 7.7), (70, 7), (None, None)])
def test_a_bare_reading_is_the_latest(
    api: OperatorClient, device_request: DeviceRequest, value: int | None, told: float | None
) -> None:
    usage_point = mirror(value=1, start=NOW)
    usage_point.MirrorMeterReading_[0].MirrorReadingSet_ = []
    usage_point.MirrorMeterReading_[0].Reading_ = Reading(value=value)
    device_request("POST", "/mup", usage_point)
    latest = rows_of(api.get("devices", "north", "readings"), "readings")
    assert [(row["value"], row["time"]) for row in latest] == [(told, None)]


def test_a_meter_reading_without_values_has_none(api: OperatorClient, device_request: DeviceRequest) -> None:
    usage_point = mirror(value=1, start=NOW)
    usage_point.MirrorMeterReading_[0].MirrorReadingSet_ = []
    device_request("POST", "/mup", usage_point)
    latest = rows_of(api.get("devices", "north", "readings"), "readings")
    assert [(row["value"], row["time"]) for row in latest] == [(None, None)]


def test_the_readings_of_another_device_are_not_there(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    device_request("POST", "/mup", mirror(value=1, start=NOW))
    api.call("POST", ("devices",), {"name": "south", "lFDI": "AB" * 20})
    mrid = str(rows_of(api.get("devices", "north", "readings"), "readings")[0]["mRID"])
    assert api.get("devices", "south", "readings") == {"readings": []}
    with pytest.raises(ApiError, match="the MeterReading is not of south"):
        api.get("devices", "south", "readings", mrid)
    with pytest.raises(ApiError, match="no MeterReading has the mRID '00'"):
        api.get("devices", "north", "readings", "00")


@pytest.mark.parametrize("limit", ["0", "-1", "x", "10001"])
def test_a_limit_outside_its_range_is_refused(api: OperatorClient, limit: str) -> None:
    with pytest.raises(ApiError, match=r"limit: .* in the query") as caught:
        api.get("devices", limit=limit)
    assert caught.value.hint == "allowed: 1 to 1000"


def test_poll_rates_are_changed_at_run_time(api: OperatorClient, device_request: DeviceRequest) -> None:
    def told() -> int | None:
        return Codec().decode(device_request("GET", "/edev").body, EndDeviceList).pollRate

    before = told()
    answer = api.call("PUT", ("rates",), {"pollRate": {"EndDeviceList": 17}})
    rates = answer["pollRate"]
    assert isinstance(rates, dict)
    assert (rates["EndDeviceList"], rates["SubscriptionList"], told()) == (17, 900, 17)
    api.call("PUT", ("rates",), {"pollRate": {"EndDeviceList": 0}})
    assert told() == before


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "body: nothing to set"),
        ({"pollRate": {"DERControl": 5}}, "pollRate.DERControl: carries no pollRate"),
        ({"pollRate": {"DERList": -1}}, "pollRate.DERList: -1 is no rate"),
        ({"pollRate": {"DERList": True}}, "pollRate.DERList: True is no rate"),
    ],
)
def test_a_bad_rate_is_refused(api: OperatorClient, body: dict[str, object], detail: str) -> None:
    with pytest.raises(ApiError) as caught:
        api.call("PUT", ("rates",), body)
    assert (caught.value.status, caught.value.detail) == (400, detail)


def test_the_status_tells_time_and_what_there_is(api: OperatorClient, clock: ManualClock) -> None:
    api.call("POST", ("devices",), {"name": "acme", "lFDI": "AB" * 20, "role": "aggregator"})
    clock.advance(5)
    status = api.get("status")
    assert (status["time"], status["profile"], status["devices"], status["aggregators"]) == (
        NOW + 5,
        "csip",
        1,
        1,
    )
    assert (status["groups"], status["warnings"], status["nextEventChange"]) == (0, [], None)


def test_too_many_devices_are_not_counted(api: OperatorClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sep2_server.operator.rates.MOST_COUNTED", 0)
    status = api.get("status")
    assert (status["devices"], status["aggregators"]) == (None, None)


def test_a_reading_that_does_not_come_when_it_was_to_is_late(
    api: OperatorClient, device_request: DeviceRequest, clock: ManualClock
) -> None:
    posted = mirror(value=1, start=NOW)
    posted.MirrorMeterReading_[0].lastUpdateTime = NOW
    posted.MirrorMeterReading_[0].nextUpdateTime = NOW + 300
    assert device_request("POST", "/mup", posted).status == 201
    told = rows_of(api.get("devices", "north", "readings"), "readings")[0]
    assert (told["lastUpdateTime"], told["nextUpdateTime"], told["late"]) == (NOW, NOW + 300, False)
    clock.set(NOW + 301)
    assert rows_of(api.get("devices", "north", "readings"), "readings")[0]["late"] is True


def bare(value: int, start: int | None, local_id: str | None = None) -> MirrorMeterReading:
    """A Reading that is in no set."""
    period = None if start is None else DateTimeInterval(duration=60, start=start)
    reading = Reading(value=value, timePeriod=period, localID=local_id)
    return MirrorMeterReading(
        mRID="C1", Reading_=reading, ReadingType_=ReadingType(uom=38, powerOfTenMultiplier=0)
    )


def test_the_series_of_a_meter_reading_has_its_bare_readings_too(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    made = device_request("POST", "/mup", mirror(value=7, start=NOW))
    mup = dict(made.headers)["Location"]
    for number in range(3):
        reading = bare(number, NOW + 60 * number, f"{number:02X}")
        assert device_request("POST", mup, reading).status == 201
    assert device_request("POST", mup, bare(9, None)).status == 201
    values = rows_of(api.get("devices", "north", "readings", "C1"), "values")
    assert [(one["time"], one["value"]) for one in values] == [(NOW + 120, 2), (NOW + 60, 1), (NOW, 0)]
    after = rows_of(api.get("devices", "north", "readings", "C1", after=NOW), "values")
    assert [one["value"] for one in after] == [2, 1]


def test_two_devices_may_have_a_meter_reading_of_the_same_mrid(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    other = "AB" * 20
    api.call("POST", ("devices",), {"name": "south", "lFDI": other})
    for number, lfdi in enumerate((LFDI, other)):
        point = mirror(value=7, start=NOW)
        point.deviceLFDI = lfdi
        point.MirrorMeterReading_ = [bare(number, NOW)]
        assert device_request("POST", "/mup", point, lfdi=lfdi).status == 201
    found = [
        [one["value"] for one in rows_of(api.get("devices", name, "readings", "C1"), "values")]
        for name in ("north", "south")
    ]
    assert found == [[0], [1]]


def test_the_latest_value_is_that_of_the_latest_time(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    made = device_request("POST", "/mup", mirror(value=7, start=NOW))
    mup = dict(made.headers)["Location"]
    in_set = MirrorReadingSet(
        mRID="D1",
        timePeriod=DateTimeInterval(duration=60, start=NOW + 300),
        Reading_=[Reading(value=5, timePeriod=DateTimeInterval(duration=60, start=NOW + 300))],
    )
    seen = []
    for posted in (
        bare(1, NOW),
        MirrorMeterReading(mRID="C1", MirrorReadingSet_=[in_set]),
        bare(2, NOW + 600, "01"),
        bare(3, None),
    ):
        assert device_request("POST", mup, posted).status == 201
        found = rows_of(api.get("devices", "north", "readings"), "readings")
        seen.append(next(one["value"] for one in found if one["mRID"] == "C1"))
    assert seen == [1, 5, 2, 3]


def test_changes_name_the_devices_and_what_is_new_of_them(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    before = int(str(api.get("status")["changes"]))
    device_request("POST", "/mup", mirror(value=1, start=NOW))
    told = api.get("changes", after=before)
    named = {str(one["device"]): str(one["kinds"]) for one in rows_of(told, "changed")}
    assert (set(named), told["complete"], told["more"]) == ({"north"}, True, False)
    assert "MeterReading" in named["north"]
    assert api.get("changes", after=str(told["next"]))["changed"] == []
    page = api.get("changes", after=before, limit=1)
    assert (page["more"], page["next"]) == (True, before + 1)


def test_changes_that_are_forgotten_may_be_anything(api: OperatorClient) -> None:
    told = api.get("changes", after=10**9)
    assert (told["complete"], told["next"]) == (False, api.get("status")["changes"])


def test_a_device_that_is_barred_has_changed(api: OperatorClient) -> None:
    before = int(str(api.get("status")["changes"]))
    api.call("PATCH", ("devices", "north"), {"enabled": False})
    named = {one["device"]: one["kinds"] for one in rows_of(api.get("changes", after=before), "changed")}
    assert "access" in str(named["north"])
