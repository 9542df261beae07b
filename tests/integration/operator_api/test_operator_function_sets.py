"""What the operations on function sets store and refuse, rule by rule, as devices read it."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from schemas import (
    ActivePower,
    BillingReadingSetList,
    Codec,
    ConsumptionTariffIntervalList,
    DateTimeInterval,
    EndDeviceControl,
    FlowReservationRequest,
    MessagingProgramList,
    RateComponent,
    ReadingType,
    RequestStatus,
    SignedRealEnergy,
    TextMessageList,
)
from sep2_server import ManualClock
from sep2_server.messages import Answer
from sep2_server.operator import ApiError, OperatorClient
from sep2_server.operator.commands import rows_of

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
OTHER = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E6"
NOW = 1_700_000_000
DeviceRequest = Callable[..., Answer]
GROUP = ("groups", "feeder-7")


@pytest.fixture(autouse=True)
def _member(api: OperatorClient) -> None:
    """The device north in the group feeder-7, and south outside of it."""
    for name, lfdi in (("north", LFDI), ("south", OTHER)):
        api.call("POST", ("devices",), {"name": name, "lFDI": lfdi, "pIN": 111_115})
    api.call("POST", ("groups",), {"name": "feeder-7", "primacy": 7})
    api.call("PUT", (*GROUP, "devices", "north"))


def read(device_request: DeviceRequest, path: str, cls: type[Any]) -> Any:  # noqa: ANN401
    answer = device_request("GET", path)
    assert answer.status == 200
    return Codec().decode(answer.body, cls)


@pytest.fixture
def component(api: OperatorClient) -> str:
    """The mRID of a rate component of energy taken from the customer."""
    tariff = api.call("POST", (*GROUP, "tariffs"), {"currency": 978})
    path = ("tariffs", str(tariff["mRID"]), "components")
    return str(api.call("POST", path, {"flowDirection": "reverse"})["mRID"])


def test_a_component_of_what_is_taken_says_so(
    api: OperatorClient, device_request: DeviceRequest, component: str
) -> None:
    (tariff,) = rows_of(api.get(*GROUP, "tariffs"), "tariffs")
    (row,) = rows_of(tariff, "RateComponent")
    assert row["mRID"] == component
    rate = read(device_request, str(row["href"]), RateComponent)
    assert read(device_request, rate.ReadingTypeLink_.href, ReadingType).flowDirection == 19


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ([("0.3", 0)], [(0, 0, 3000)]),
        ([("0.4", 100), ("0.3", 0)], [(1, 0, 3000), (2, 100, 4000)]),
        ([("214748.3647", 0), ("-214748.3648", 5)], [(1, 0, 2147483647), (2, 5, -2147483648)]),
    ],
)
def test_blocks_are_counted_in_the_order_of_consumption(
    api: OperatorClient,
    device_request: DeviceRequest,
    component: str,
    given: list[tuple[str, int]],
    stored: list[tuple[int, int, int]],
) -> None:
    """One price for all is block 0: there are no blocks then. Beside a further one it is the first."""
    blocks = [{"price": price, "startValue": start} for price, start in given]
    body = {"duration": 600, "ConsumptionTariffInterval": blocks}
    made = api.call("POST", ("components", component, "intervals"), body)
    path = f"{made['href']}/cti?l=9"

    def held() -> list[tuple[int, int, int | None]]:
        page = read(device_request, path, ConsumptionTariffIntervalList)
        return [(b.consumptionBlock, b.startValue, b.price) for b in page.ConsumptionTariffInterval_]

    assert held() == stored
    api.call("POST", ("intervals", str(made["mRID"]), "blocks"), {"price": "1", "startValue": 500})
    counted = [(number, start, price) for number, (_, start, price) in enumerate(stored, 1)]
    assert held() == [*counted, (len(stored) + 1, 500, 10_000)]


@pytest.mark.parametrize("price", ["214748.3648", "-214748.3649", "0.00001"])
def test_a_price_that_the_wire_cannot_carry_is_refused(
    api: OperatorClient, component: str, price: str
) -> None:
    body = {"duration": 600, "ConsumptionTariffInterval": [{"price": price}]}
    with pytest.raises(ApiError, match="cannot stand on the wire"):
        api.call("POST", ("components", component, "intervals"), body)


def test_a_load_control_says_all_that_is_asked(api: OperatorClient, device_request: DeviceRequest) -> None:
    body = {
        "duration": 600,
        "deviceCategory": "water_heater,pool_pump",
        "drProgramMandatory": True,
        "loadShiftForward": True,
        "overrideDuration": "2m",
        "DutyCycle": {"normalValue": 100},
    }
    made = api.call("POST", (*GROUP, "loadcontrols"), body)
    event = read(device_request, str(made["href"]), EndDeviceControl)
    assert (event.drProgramMandatory, event.loadShiftForward, event.overrideDuration) == (True, True, 120)
    assert int(event.deviceCategory, 16).bit_count() == 2
    with pytest.raises(ApiError, match=r"DutyCycle\.normalValue: 101"):
        api.call("POST", (*GROUP, "loadcontrols"), {**body, "DutyCycle": {"normalValue": 101}})


def test_a_message_has_its_priority_and_its_program_its_locale(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    for text, priority in (("a", "critical"), ("b", 0), ("c", None)):
        body = {"textMessage": text, "duration": 60, "locale": "de-DE", "originator": "utility"}
        given = body if priority is None else {**body, "priority": priority}
        made = api.call("POST", (*GROUP, "messages"), given)
    listed = read(device_request, str(made["href"]).rpartition("/")[0] + "?l=9", TextMessageList)
    assert sorted((m.textMessage, m.priority, m.originator) for m in listed.TextMessage_) == [
        ("a", 3, "utility"),
        ("b", 0, "utility"),
        ("c", 1, "utility"),
    ]
    programs = read(device_request, "/msg?l=9", MessagingProgramList)
    assert [(p.locale, p.primacy) for p in programs.MessagingProgram_] == [("de-DE", 7)]


def test_messages_of_one_time_do_not_supersede_each_other(
    api: OperatorClient, device_request: DeviceRequest, clock: ManualClock
) -> None:
    for text in "ab":
        made = api.call("POST", (*GROUP, "messages"), {"textMessage": text, "duration": 60})
        clock.advance(1)
    listed = read(device_request, str(made["href"]).rpartition("/")[0] + "?l=9", TextMessageList)
    states = [
        (m.EventStatus_.currentStatus, m.EventStatus_.potentiallySuperseded) for m in listed.TextMessage_
    ]
    assert states == [(1, False)] * 2


def ask(device_request: DeviceRequest, lfdi: str, mrid: str, energy: int) -> str:
    """A device asks for energy (kWh) at 11 kW in the hour that begins in 10 minutes; its URI."""
    wanted = FlowReservationRequest(
        mRID=mrid,
        creationTime=NOW,
        energyRequested=SignedRealEnergy(multiplier=3, value=energy),
        intervalRequested=DateTimeInterval(start=NOW + 600, duration=3600),
        powerRequested=ActivePower(multiplier=3, value=11),
        RequestStatus_=RequestStatus(dateTime=NOW, requestStatus=0),
    )
    listed = device_request("GET", "/edev", lfdi=lfdi).body.decode()
    found = re.search(r'FlowReservationRequestListLink href="([^"]*)"', listed)
    assert found is not None
    answer = device_request("POST", found[1], wanted, lfdi=lfdi)
    href = dict(answer.headers)["Location"]
    assert answer.status == 201
    return href


@pytest.mark.parametrize("energy", ["-10kWh", "-20kWh", "0Wh"])
def test_energy_that_a_vehicle_offers_is_taken_as_far_as_it_is_offered(
    api: OperatorClient, device_request: DeviceRequest, energy: str
) -> None:
    ask(device_request, LFDI, "F1", -20)
    for wrong in ("10kWh", "-21kWh"):
        with pytest.raises(ApiError, match="energyAvailable: it is not within"):
            api.call("POST", ("flows", "F1", "answer"), {"energyAvailable": wrong})
    assert api.call("POST", ("flows", "F1", "answer"), {"energyAvailable": energy})["answers"] != []


def test_requests_are_those_of_the_device_that_is_asked_for(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    ask(device_request, LFDI, "F1", 20)
    ask(device_request, OTHER, "F2", 20)
    found = [
        [one["mRID"] for one in rows_of(api.get("flows", device=d), "requests")] for d in ("north", "south")
    ]
    assert found == [["F1"], ["F2"]]


def test_a_request_that_was_taken_back_is_granted_nothing_more(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    href = ask(device_request, LFDI, "F1", 20)
    held = read(device_request, href, FlowReservationRequest)
    held.RequestStatus_.requestStatus = 1
    assert device_request("PUT", href, held).status == 204
    with pytest.raises(ApiError, match="the device has taken it back"):
        api.call("POST", ("flows", "F1", "answer"), {})
    body = {
        "subject": "F1",
        "interval": {"start": NOW + 600, "duration": 60},
        "energyAvailable": "20kWh",
        "powerAvailable": "11kW",
    }
    listed = href.rpartition("/frq/")[0] + "/frp"
    with pytest.raises(ApiError, match="the device has taken it back"):
        api.call("POST", ("resources",), body, query={"href": listed})


def test_readings_of_a_bill_span_all_their_time(
    api: OperatorClient, device_request: DeviceRequest, clock: ManualClock
) -> None:
    account = api.call("POST", (*GROUP, "accounts"), {"currency": 978, "customerName": "A"})
    agreement = api.call("POST", ("accounts", str(account["mRID"]), "agreements"), {})
    path = ("agreements", str(agreement["mRID"]))
    spans = [(NOW + 900, 900), (NOW, 900), (NOW + 100, 100)]
    readings = [{"timePeriod": {"start": start, "duration": d}, "value": 1} for start, d in spans]
    made = api.call("POST", (*path, "readings"), {"kind": "historical", "BillingReading": readings})
    sets = read(device_request, f"{made['href']}/brs?l=9", BillingReadingSetList).BillingReadingSet_
    assert [(one.timePeriod.start, one.timePeriod.duration) for one in sets] == [(NOW, 1800)]
    clock.advance(5)
    period = api.call("POST", (*path, "periods"), {"start": NOW, "duration": 60})
    told = period["BillingPeriod"]
    assert isinstance(told, dict)
    assert told["statusTimeStamp"] == NOW + 5
    answer = device_request("GET", "/brs?l=9", lfdi=OTHER)
    assert answer.status in {403, 404} or b'all="0"' in answer.body


@pytest.mark.parametrize("kind", ["messages", "loadcontrols", "tariffs"])
def test_a_group_is_not_deleted_while_an_event_of_any_kind_is_open(
    api: OperatorClient, component: str, kind: str
) -> None:
    """Devices would lose it with its program."""
    body: dict[str, Any] = {"duration": 600}
    if kind == "tariffs":
        body["ConsumptionTariffInterval"] = [{"price": "0.3"}]
        made = api.call("POST", ("components", component, "intervals"), body)
    elif kind == "messages":
        made = api.call("POST", (*GROUP, kind), {**body, "textMessage": "stay"})
    else:
        made = api.call(
            "POST", (*GROUP, kind), {**body, "deviceCategory": "01", "DutyCycle": {"normalValue": 1}}
        )
    with pytest.raises(ApiError, match=f"scheduled or active, {made['mRID']} among them"):
        api.call("DELETE", GROUP)
    api.call("POST", ("events", str(made["mRID"]), "cancel"))
    assert api.call("DELETE", GROUP) == {"name": "feeder-7"}


def test_a_message_is_of_a_priority_that_there_is_and_says_something(api: OperatorClient) -> None:
    program = api.call("POST", ("resources",), {"primacy": 1, "locale": "en"}, query={"href": "/msg"})
    body: dict[str, Any] = {"textMessage": "a", "interval": {"duration": 60}}
    query = {"href": f"{program['href']}/txt"}
    with pytest.raises(ApiError, match="priority: 4"):
        api.call("POST", ("resources",), {**body, "priority": 4}, query=query)
    with pytest.raises(ApiError, match="textMessage: empty"):
        api.call("POST", ("resources",), {**body, "priority": 3, "textMessage": " "}, query=query)
    assert api.call("POST", ("resources",), {**body, "priority": 3}, query=query)["status"] == "active"
