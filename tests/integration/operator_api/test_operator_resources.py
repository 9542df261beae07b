"""Resources of any function set through the operator API: made, read, changed, removed, refused."""

import json
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas import (
    ActivePower,
    Codec,
    ConsumptionTariffIntervalList,
    DateTimeInterval,
    DERControlResponse,
    DrResponse,
    EndDeviceControl,
    FlowReservationRequest,
    Prepayment,
    RateComponent,
    RequestStatus,
    SignedRealEnergy,
    Subscription,
    TextMessage,
    TimeTariffInterval,
)
from sep2_server import ManualClock, Sep2Server
from sep2_server.messages import Answer
from sep2_server.operator import ApiError, OperatorClient, Site
from sep2_server.operator.auth import Role
from sep2_server.operator.commands import rows_of
from sep2_server.operator.token_files import add_token
from tests.integration.operator_api.subscribed import subscribed
from tests.integration.operator_api.test_operator_document import report

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
DeviceRequest = Callable[..., Answer]
Made = dict[str, object]
TARIFF: Made = {
    "description": "day and night",
    "primacy": 5,
    "serviceCategoryKind": 0,
    "currency": 978,
    "pricePowerOfTenMultiplier": -4,
    "RateComponent": [
        {
            "roleFlags": "00",
            "TimeTariffInterval": [
                {
                    "touTier": 1,
                    "interval": {"start": "now", "duration": "8h"},
                    "ConsumptionTariffInterval": [
                        {"consumptionBlock": 1, "startValue": 0, "price": 3000},
                        {"consumptionBlock": 2, "startValue": 100, "price": 4000},
                    ],
                }
            ],
        }
    ],
}
LOAD: Made = {
    "deviceCategory": "00000001",
    "drProgramMandatory": False,
    "loadShiftForward": False,
    "DutyCycle": {"normalValue": 50},
    "interval": {"in": "1m", "duration": "10m"},
    "responseRequired": "07",
}


@pytest.fixture(autouse=True)
def _member(api: OperatorClient) -> None:
    """The device north in the group feeder-7, which has no program."""
    api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI, "pIN": 111_115})
    api.call("POST", ("groups",), {"name": "feeder-7", "primacy": 7})
    api.call("PUT", ("groups", "feeder-7", "devices", "north"))


def add(api: OperatorClient, href: str, body: Made, group: str | None = None) -> str:
    query = {"href": href} | ({"group": group} if group else {})
    return str(api.call("POST", ("resources",), body, query=query)["href"])


def put(api: OperatorClient, href: str, body: Made) -> Made:
    return dict(api.call("PUT", ("resources",), body, query={"href": href}))


def load_program(api: OperatorClient) -> str:
    return add(api, "/dr", {"primacy": 5}, "feeder-7")


def test_a_whole_tariff_is_one_call(api: OperatorClient, device_request: DeviceRequest) -> None:
    href = add(api, "TariffProfileList", TARIFF, "feeder-7")
    component = rows_of(api.get("resources", href=f"{href}/rc"), "items")[0]
    rate = Codec().decode(device_request("GET", str(component["href"])).body, RateComponent)
    assert device_request("GET", rate.ReadingTypeLink_.href).status == 200
    interval = rows_of(api.get("resources", href=rate.TimeTariffIntervalListLink_.href), "items")[0]
    found = Codec().decode(device_request("GET", str(interval["href"])).body, TimeTariffInterval)
    assert (found.EventStatus_.currentStatus, found.interval.duration, found.version) == (1, 28800, 0)
    blocks = device_request("GET", f"{interval['href']}/cti?l=9")
    listed = Codec().decode(blocks.body, ConsumptionTariffIntervalList).ConsumptionTariffInterval_
    assert [(block.startValue, block.price) for block in listed] == [(0, 3000), (100, 4000)]
    active = device_request("GET", f"{component['href']}/acttti?l=9").body
    assert b'results="1"' in active


def test_a_changed_price_interval_keeps_its_blocks(
    api: OperatorClient, device_request: DeviceRequest, clock: ManualClock
) -> None:
    component = rows_of(api.get("resources", href=f"{add(api, '/tp', TARIFF, 'feeder-7')}/rc"), "items")[0]
    old = rows_of(api.get("resources", href=f"{component['href']}/tti"), "items")[0]
    clock.advance(1)
    new = put(api, str(old["href"]), {"touTier": 2})
    told = [device_request("GET", f"{href}/cti?l=9").body for href in (old["href"], new["href"])]
    lists = [Codec().decode(body, ConsumptionTariffIntervalList) for body in told]
    blocks = [
        [(one.consumptionBlock, one.startValue, one.price) for one in page.ConsumptionTariffInterval_]
        for page in lists
    ]
    assert blocks == [[(1, 0, 3000), (2, 100, 4000)]] * 2
    hrefs = {one.href for page in lists for one in page.ConsumptionTariffInterval_}
    assert len(hrefs) == 4


def test_a_prepayment_has_its_balance_and_its_state_from_the_start(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    level = {"monetaryUnit": 978, "multiplier": 0, "value": 5}
    href = add(api, "/ppy", {"prepayMode": 0, "lowCreditWarningLevel": level}, "feeder-7")
    found = Codec().decode(device_request("GET", href).body, Prepayment)
    for link in (found.AccountBalanceLink_, found.PrepayOperationStatusLink_, found.CreditRegisterListLink_):
        assert device_request("GET", link.href).status == 200
    assert b"<monetaryUnit>978</monetaryUnit>" in device_request("GET", found.AccountBalanceLink_.href).body


def test_a_supplier_is_linked_while_it_is_there(api: OperatorClient, device_request: DeviceRequest) -> None:
    href = add(api, "/bill", {"currency": 978, "pricePowerOfTenMultiplier": -2}, "feeder-7")
    seen = [b"ServiceSupplierLink" in device_request("GET", href).body]
    put(api, f"{href}/ss", {"web": "utility.example"})
    seen.append(b"ServiceSupplierLink" in device_request("GET", href).body)
    api.call("DELETE", ("resources",), query={"href": f"{href}/ss"})
    seen.append(b"ServiceSupplierLink" in device_request("GET", href).body)
    assert seen == [False, True, False]


def test_a_bill_has_its_reading_sets_at_the_reading_and_at_the_root(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    account = add(api, "/bill", {"currency": 978, "pricePowerOfTenMultiplier": -2}, "feeder-7")
    reading = add(
        api, add(api, f"{account}/ca", {"serviceLocation": "here"}) + "/ver", {"description": "energy"}
    )
    period = {"start": 1_600_000_000, "duration": "30d"}
    values = [{"value": 7, "Charge": [{"kind": 0, "value": 12}]}]
    href = add(api, f"{reading}/brs", {"timePeriod": period, "BillingReading": values})
    for path in (f"{reading}/brs?l=9", "/brs?l=9"):
        assert href.encode() in device_request("GET", path).body
    assert b"<value>7</value>" in device_request("GET", f"{href}/br?l=9").body
    api.call("DELETE", ("resources",), query={"href": account})
    assert device_request("GET", href).status == 404
    assert b'all="0"' in device_request("GET", "/brs?l=9").body


def test_a_load_control_is_an_event_like_any_other(
    api: OperatorClient, device_request: DeviceRequest, clock: ManualClock
) -> None:
    href = add(api, f"{load_program(api)}/edc", LOAD)
    states = [api.get("resources", href=href)["status"]]
    clock.advance(60)
    states.append(api.get("resources", href=href)["status"])
    control = Codec().decode(device_request("GET", href).body, EndDeviceControl)
    assert control.replyTo is not None
    answer = DrResponse(endDeviceLFDI=LFDI, status=2, subject=control.mRID, createdDateTime=clock.now())
    assert device_request("POST", control.replyTo, answer).status == 201
    told = api.get("resources", "responses", href=href)
    assert told["counts"] == {"2": 1}
    api.call("POST", ("resources", "cancel"), {"reason": "enough"}, query={"href": href})
    states.append(api.get("resources", href=href)["status"])
    assert states == ["scheduled", "active", "cancelled"]


def test_a_description_changes_in_place_and_all_else_by_another_event(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    href = add(api, f"{load_program(api)}/edc", LOAD)
    first = put(api, href, {"description": "evening peak"})
    event = Codec().decode(device_request("GET", href).body, EndDeviceControl)
    assert (first["href"], event.description, event.version) == (href, "evening peak", 1)
    second = put(api, href, {"DutyCycle": {"normalValue": 30}})
    assert (second["href"] != href, second["replaces"], second["mRID"] != event.mRID) == (
        True,
        event.mRID,
        True,
    )


@pytest.mark.parametrize(
    "body",
    [{"mRID": "AB01"}, {"version": 7}, {"creationTime": 1}, {"EventStatus": {"currentStatus": 2}}],
    ids=lambda body: next(iter(body)),
)
def test_what_is_for_life_or_the_servers_to_say_is_not_changed(api: OperatorClient, body: Made) -> None:
    program = load_program(api)
    event = add(api, f"{program}/edc", LOAD)
    for href in (event, program):
        before = api.get("resources", href=href)
        with pytest.raises(ApiError, match="for life, or the server makes it"):
            put(api, href, body)
        assert api.get("resources", href=href) == before


def test_a_message_is_shown_while_it_is_active(
    api: OperatorClient, device_request: DeviceRequest, clock: ManualClock
) -> None:
    program = add(api, "/msg", {"primacy": 1, "locale": "en"}, "feeder-7")
    for text in ("storm", "flood"):
        body: Made = {"textMessage": text, "priority": 2, "interval": {"duration": "1h"}}
        add(api, f"{program}/txt", body)
        clock.advance(1)
    listed = device_request("GET", f"{program}/acttxt?l=9").body
    assert (listed.index(b"flood") < listed.index(b"storm"), b'all="2"' in listed) == (True, True)
    first, second = rows_of(api.get("resources", href=f"{program}/txt"), "items")[::-1]
    shown = rows_of(api.get("resources", href=f"{program}/acttxt"), "items")
    assert [item["href"] for item in shown] == [second["href"], first["href"]]
    message = Codec().decode(device_request("GET", str(first["href"])).body, TextMessage)
    assert message.EventStatus_.currentStatus == 1
    api.call("POST", ("resources", "cancel"), {}, query={"href": str(second["href"])})
    (left,) = rows_of(api.get("resources", href=f"{program}/acttxt", limit=1), "items")
    assert left["href"] == first["href"]
    assert rows_of(api.get("resources", href=f"{program}/acttxt", start=1), "items") == []


@pytest.mark.parametrize(
    ("list_below", "body", "detail"),
    [
        ("/edc", {**LOAD, "DutyCycle": None}, "nothing is asked for"),
        ("/edc", {**LOAD, "DutyCycle": {"normalValue": 101}}, "DutyCycle"),
        ("/edc", {**LOAD, "interval": {"start": 1, "duration": 1}}, "over"),
        ("/edc", {**LOAD, "mRID": "xyz"}, "mRID"),
        ("/edc", {**LOAD, "responseRequired": "F0"}, "unknown bits"),
        ("/edc", {**LOAD, "responseRequired": " "}, "responseRequired: there are no digits"),
        ("/edc", {**LOAD, "responseRequired": "\t"}, "responseRequired: there are no digits"),
        ("/edc", {**LOAD, "deviceCategory": " "}, "deviceCategory: there are no digits"),
        ("/edc", {"deviceCategory": "00"}, "missing"),
        ("/actedc", LOAD, "nothing can be added"),
    ],
)
def test_what_would_break_the_standard_is_refused(
    api: OperatorClient, list_below: str, body: Made, detail: str
) -> None:
    href = load_program(api) + list_below
    with pytest.raises(ApiError, match=detail):
        add(api, href, {k: v for k, v in body.items() if v is not None})


def test_blocks_of_consumption_begin_with_0_and_each_at_its_own_value(api: OperatorClient) -> None:
    href = add(api, "/tp", {"primacy": 5, "serviceCategoryKind": 0, "RateComponent": [{"roleFlags": "00"}]})
    component = str(rows_of(api.get("resources", href=f"{href}/rc"), "items")[0]["href"])
    interval: Made = {"touTier": 0, "interval": {"duration": 60}}
    for starts in ([5], [0, 0]):
        blocks = [{"consumptionBlock": 0, "startValue": start} for start in starts]
        with pytest.raises(ApiError, match="startValue"):
            add(api, f"{component}/tti", {**interval, "ConsumptionTariffInterval": blocks})
    bare = add(api, f"{component}/tti", interval)
    with pytest.raises(ApiError, match="startValue"):
        add(api, f"{bare}/cti", {"consumptionBlock": 0, "startValue": 3})


@pytest.mark.parametrize(
    ("method", "query", "status"),
    [
        ("GET", {}, 400),
        ("GET", {"href": "/nothing"}, 404),
        ("GET", {"href": "/tp/99"}, 404),
        ("PUT", {"href": "/tp"}, 400),
        ("POST", {"href": "/edev"}, 400),
        ("POST", {"href": "/brs"}, 400),
        ("POST", {"href": "/fsa/99/msg"}, 404),
        ("POST", {"href": "/msg", "group": "nobody"}, 404),
        ("DELETE", {"href": "/tp"}, 400),
    ],
)
def test_a_place_that_does_not_fit_is_refused(
    api: OperatorClient, method: str, query: dict[str, str], status: int
) -> None:
    body: Made = {"primacy": 1, "locale": "en"}
    with pytest.raises(ApiError) as caught:
        api.call(method, ("resources",), None if method in {"GET", "DELETE"} else body, query=query)
    assert caught.value.status == status


def subscription_of(device_request: DeviceRequest, api: OperatorClient, edev: str) -> str:
    """A Subscription that the device north has made to its own EndDevice."""
    api.call("POST", ("devices", "north", "notifications"), {"host": "192.0.2.1"})
    wish = Subscription(
        subscribedResource=edev,
        encoding=0,
        level="+S1",
        limit=1,
        notificationURI="https://192.0.2.1/ntfy",
    )
    made = device_request("POST", f"{edev}/sub", wish)
    assert made.status == 201
    return str(made.location)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("EndDevice", {"lFDI": "AA" * 20}),
        ("EndDevice", {"enabled": False}),
        ("Registration", {"pIN": 1}),
        ("DER", {"AssociatedUsagePointLink": None}),
        ("Subscription", {"limit": 2}),
    ],
)
def test_what_has_a_way_of_its_own_is_neither_changed_nor_removed_here(
    api: OperatorClient, device_request: DeviceRequest, kind: str, body: Made
) -> None:
    edev = str(api.get("devices", "north")["href"])
    hrefs = {
        "EndDevice": edev,
        "Registration": f"{edev}/rg",
        "DER": str(rows_of(api.get("resources", href=f"{edev}/der"), "items")[0]["href"]),
        "Subscription": subscription_of(device_request, api, edev),
    }
    before = device_request("GET", hrefs[kind])
    with pytest.raises(ApiError, match=f"a {kind} is not changed here"):
        put(api, hrefs[kind], body)
    with pytest.raises(ApiError, match=f"a {kind} is not removed here"):
        api.call("DELETE", ("resources",), query={"href": hrefs[kind], "force": "true"})
    assert device_request("GET", hrefs[kind]) == before


def test_a_request_is_its_devices_and_goes_once_what_was_granted_has_ended(
    api: OperatorClient, device_request: DeviceRequest, clock: ManualClock
) -> None:
    request = FlowReservationRequest(
        mRID="F1",
        creationTime=clock.now(),
        energyRequested=SignedRealEnergy(multiplier=3, value=20),
        intervalRequested=DateTimeInterval(start=clock.now(), duration=60),
        powerRequested=ActivePower(multiplier=3, value=11),
        RequestStatus_=RequestStatus(dateTime=clock.now(), requestStatus=0),
    )
    href = str(device_request("POST", f"{api.get('devices', 'north')['href']}/frq", request).location)
    api.call("POST", ("flows", "F1", "answer"), {})
    with pytest.raises(ApiError, match="a FlowReservationRequest is not changed here"):
        put(api, href, {"description": "mine"})
    with pytest.raises(ApiError, match="is scheduled or active"):
        api.call("DELETE", ("resources",), query={"href": href})
    clock.advance(60)
    api.call("DELETE", ("resources",), query={"href": href})
    assert device_request("GET", href).status == 404


def test_whose_something_is_does_not_change(api: OperatorClient) -> None:
    href = f"{api.get('devices', 'north')['href']}/di"
    body: Made = {"mfDate": 0, "mfHwVer": "1", "mfID": 1, "mfModel": "a", "mfSerNum": "b", "primaryPower": 1}
    body |= {"lFDI": LFDI, "secondaryPower": 0, "swActTime": 0, "swVer": "1", "mfInfo": "c"}
    assert put(api, href, body)["href"] == href
    with pytest.raises(ApiError, match="lFDI: it is for life"):
        put(api, href, {"lFDI": "AB" * 20})
    assert put(api, href, {"lFDI": LFDI.lower(), "mfModel": "d"})["href"] == href


def test_a_der_is_not_added_here(api: OperatorClient) -> None:
    with pytest.raises(ApiError, match="DER: not added here"):
        add(api, f"{api.get('devices', 'north')['href']}/der", {})


def test_an_mrid_is_given_once(api: OperatorClient) -> None:
    body: Made = {"primacy": 1, "locale": "en", "mRID": "AB01"}
    add(api, "/msg", body)
    with pytest.raises(ApiError, match="AB01"):
        add(api, "/msg", body)


def test_an_open_event_is_removed_by_force_alone(api: OperatorClient, device_request: DeviceRequest) -> None:
    program = load_program(api)
    href = add(api, f"{program}/edc", LOAD)
    for one in (href, program):
        with pytest.raises(ApiError, match="does not end it"):
            api.call("DELETE", ("resources",), query={"href": one})
    api.call("DELETE", ("resources",), query={"href": program, "force": "true"})
    assert device_request("GET", href).status == device_request("GET", program).status == 404
    assert [item["kind"] for item in rows_of(api.get("groups", "feeder-7", "resources"), "items")] == [
        "DERProgram"
    ]


def test_an_event_that_is_removed_is_no_rival_any_more(
    api: OperatorClient, device_request: DeviceRequest, clock: ManualClock
) -> None:
    program = load_program(api)
    old = add(api, f"{program}/edc", LOAD | {"Offset": {"coolingOffset": 10}})
    clock.advance(1)
    new = add(api, f"{program}/edc", LOAD)
    before = Codec().decode(device_request("GET", old).body, EndDeviceControl)
    api.call("DELETE", ("resources",), query={"href": new, "force": "true"})
    after = Codec().decode(device_request("GET", old).body, EndDeviceControl)
    told = [event.EventStatus_.potentiallySuperseded for event in (before, after)]
    assert told == [True, False]


def test_a_program_is_shared_between_groups(api: OperatorClient, device_request: DeviceRequest) -> None:
    href = add(api, "/tp", {"primacy": 5, "serviceCategoryKind": 0})
    seen = [device_request("GET", href).status]
    for method in ("PUT", "PUT", "DELETE"):
        api.call(method, ("groups", "feeder-7", "resources"), query={"href": href})
        seen.append(device_request("GET", href).status)
    assert seen == [404, 200, 200, 404]


def test_the_commands_do_all_of_it(
    op: Callable[..., int], api: OperatorClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tariff.json"
    file.write_text(json.dumps(TARIFF))
    assert op("resource", "add", "/tp", str(file), "--group", "feeder-7") == 0
    href = str(rows_of(api.get("resources", href="/tp"), "items")[0]["href"])
    for words in (
        ("list", "/tp"),
        ("show", href),
        ("put", href, "--set", "description=new"),
        ("unassign", href, "feeder-7"),
        ("assign", href, "feeder-7"),
    ):
        assert op("resource", *words) == 0
    event = str(rows_of(api.get("resources", href=f"{href}/rc"), "items")[0]["href"]) + "/tti"
    event = str(rows_of(api.get("resources", href=event), "items")[0]["href"])
    assert op("resource", "responses", event) == 0
    assert op("resource", "remove", href) == 1
    assert op("resource", "cancel", event, "--reason", "wrong") == 0
    assert op("resource", "remove", href) == 0
    assert "day and night" in capsys.readouterr().out
    assert op("resource", "add", "/tp", "nowhere.json") == 2


def test_a_file_that_is_too_deep_is_wrong_usage(
    op: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deep.json").write_text("[" * 100_000)
    assert op("resource", "add", "/tp", str(tmp_path / "deep.json")) == 2
    assert "name a file with one JSON object" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["\u00b2", "9" * 5000, "[" * 100_000], ids=["squared", "digits", "deep"])
@pytest.mark.parametrize("option", ["--max-w", "--mode"])
def test_an_option_that_is_no_number_is_refused_as_what_it_is(
    op: Callable[..., int], capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    given = value if option == "--max-w" else f"opModMaxLimW={value}"
    assert op("publish", "feeder-7", option, given, "--for", "5m") == 2
    assert "opModMaxLimW: " in capsys.readouterr().err


@pytest.mark.parametrize("number", ["\u00b2", "9" * 30, "-1", "x", "0"])
def test_nothing_is_added_to_the_list_of_a_group_that_is_none(api: OperatorClient, number: str) -> None:
    with pytest.raises(ApiError) as caught:
        add(api, f"/fsa/{number}/msg", {"primacy": 1, "locale": "en"})
    assert caught.value.status == 404


FORGET = "it is what the device said; to forget it: lineside op forget DEVICE --{}"
OWN_WAYS = [
    ("PUT", "EndDevice", {"lFDI": "AB" * 20}, "lineside op modify"),
    ("PUT", "EndDevice", {"enabled": False}, "lineside op modify"),
    ("PUT", "Registration", {"pIN": 5}, "lineside op modify DEVICE --pin"),
    ("PUT", "FunctionSetAssignments", {"description": "x"}, "lineside op group add"),
    ("PUT", "Subscription", {"notificationURI": "https://203.0.113.8/x"}, "the device changes it"),
    ("PUT", "MirrorUsagePoint", {"deviceLFDI": "AB" * 20}, "the device changes it"),
    ("PUT", "DERControlResponse", {"status": 3}, "it is what the device said"),
    ("PUT", "LogEvent", {"details": "all is well"}, FORGET.format("log-events")),
    ("PUT", "UsagePoint", {"status": 0}, FORGET.format("readings")),
    ("PUT", "MeterReading", {"description": "x"}, FORGET.format("readings")),
    ("DELETE", "EndDevice", None, "lineside op remove"),
    ("DELETE", "Registration", None, "lineside op modify DEVICE --no-registration"),
    ("DELETE", "FunctionSetAssignments", None, "lineside op group remove"),
    ("DELETE", "Subscription", None, "lineside op notify cancel"),
    ("DELETE", "ResponseSet", None, "the events of the server name it"),
    ("DELETE", "DERControlResponse", None, "it is what the device said"),
    ("DELETE", "MirrorUsagePoint", None, FORGET.format("readings")),
    ("DELETE", "UsagePoint", None, FORGET.format("readings")),
    ("DELETE", "MeterReading", None, FORGET.format("readings")),
    ("DELETE", "LogEvent", None, FORGET.format("log-events")),
]
"""What is more than its row, and the hint to the way that keeps all of it together."""


@pytest.mark.parametrize("role", [*Role])
def test_a_pin_is_read_by_nobody(api: OperatorClient, site: Site, server: Sep2Server, role: Role) -> None:
    """It is told once, by the answer of whoever enrols the device."""
    secret = add_token(site.operator.folder, "reader", role, secrets.randbits)
    reader = OperatorClient(url=api.url, secret=secret, roots=api.roots)
    href = f"{api.get('devices', 'north')['href']}/rg"
    [row] = server.store.new_reader().of_kind("Registration", limit=1)
    assert (row.href, b"111115" in row.body) == (href, True)
    told = reader.get("resources", href=href)
    assert isinstance(told["resource"], dict)
    assert {"dateTimeRegistered"} <= told["resource"].keys() <= {"dateTimeRegistered", "href", "pollRate"}
    assert "111115" not in json.dumps(told)


@pytest.mark.parametrize(("method", "kind", "body", "hint"), OWN_WAYS, ids=lambda value: str(value)[:24])
def test_what_is_more_than_a_resource_is_changed_in_its_own_way(
    api: OperatorClient,
    server: Sep2Server,
    device_request: DeviceRequest,
    method: str,
    kind: str,
    body: Made | None,
    hint: str,
) -> None:
    api.call("POST", ("devices", "north", "notifications"), {"host": "203.0.113.7"})
    subscribed(device_request, "https://203.0.113.7/ntfy")
    report(device_request)
    respond(api, device_request)
    [row] = server.store.new_reader().of_kind(kind, limit=1)
    with pytest.raises(ApiError, match=f"a {kind} is not") as caught:
        api.call(method, ("resources",), body, query={"href": row.href})
    assert (caught.value.status, caught.value.hint[: len(hint)]) == (400, hint)
    assert server.store.new_reader().by_href(row.href) == row


def respond(api: OperatorClient, device_request: DeviceRequest) -> None:
    """The device answers a control."""
    asked = {"DERControlBase": {"opModMaxLimW": "50%"}, "duration": 60}
    control = api.call("POST", ("groups", "feeder-7", "controls"), asked)["DERControl"]
    assert isinstance(control, dict)
    said = DERControlResponse(endDeviceLFDI=LFDI, status=1, subject=str(control["mRID"]))
    assert device_request("POST", str(control["replyTo"]), said).status == 201
