"""Every operation of the API is called once, and each exchange is held against the OpenAPI document."""

import http.client
import io
import json
from urllib.parse import urlsplit

import pytest

from certs import operator_client_context
from schemas import (
    ActivePower,
    DateTimeInterval,
    FlowReservationRequest,
    LogEvent,
    MirrorMeterReading,
    MirrorUsagePoint,
    Reading,
    ReadingType,
    RequestStatus,
    SignedRealEnergy,
)
from sep2_server import Sep2Server
from sep2_server.operator import ApiError, OperatorClient
from sep2_server.operator.commands import rows_of
from sep2_server.operator.operations import OPERATIONS
from tests.integration.operator_api.conftest import LFDI, DeviceRequest
from tests.integration.operator_api.openapi_judge import DOCUMENT, JudgingClient
from tests.integration.operator_api.subscribed import give_up, subscribed

READINGS = {
    "kind": "historical",
    "description": "last year",
    "BillingReading": [{"timePeriod": {"start": 1, "duration": 9}, "value": 3}],
    "ReadingType": {"uom": 72},
}
LIMIT = {"opModMaxLimW": "50%"}
CURVE = {"curveType": "opModVoltVar", "yRefType": "SET_MAX_VAR", "points": [[92, 44], [108, -44]]}


def report(device_request: DeviceRequest) -> None:
    """A device posts one reading and one log event."""
    mirror = MirrorUsagePoint(
        mRID="AA00",
        deviceLFDI=LFDI,
        roleFlags="0049",
        serviceCategoryKind=0,
        status=1,
        MirrorMeterReading_=[
            MirrorMeterReading(
                mRID="AA01",
                ReadingType_=ReadingType(uom=38, powerOfTenMultiplier=0),
                Reading_=Reading(value=7),
            )
        ],
    )
    assert device_request("POST", "/mup", mirror).status == 201
    edev = device_request("GET", "/edev").body.decode().split('LogEventListLink href="')[1].split('"')[0]
    event = LogEvent(
        createdDateTime=1, functionSet=0, logEventCode=1, logEventID=1, logEventPEN=1, profileID=2
    )
    assert device_request("POST", edev, event).status == 201


def operate_devices(api: JudgingClient, device_request: DeviceRequest) -> None:
    api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI})
    report(device_request)
    api.get("devices", limit=5)
    api.get("devices", "north")
    api.call("PUT", ("devices", "north", "rates"), {"postRate": 60})
    reading = rows_of(api.get("devices", "north", "readings"), "readings")[0]
    api.get("devices", "north", "readings", str(reading["mRID"]), limit=5)
    api.get("devices", "north", "logevents")
    api.call("PUT", ("devices", "north", "configuration"), {"userDeviceName": "n", "currentLocale": "en"})
    api.get("devices", "north", "configuration")
    api.call("DELETE", ("devices", "north", "configuration"))


def change_devices(api: JudgingClient) -> None:
    body = {"lFDI": LFDI, "pIN": 111_115, "DER": 2, "deviceCategory": "01000000", "postRate": 60}
    api.call("PUT", ("devices", "north"), body)
    api.call("PATCH", ("devices", "north"), {"enabled": True})
    api.call("PUT", ("devices", "north", "groups", "fsa1"), {"primacy": 1})
    program = str(rows_of(api.get("groups", "fsa1", "programs"), "programs")[0]["mRID"])
    api.call("PATCH", ("groups", "fsa1", "programs", program), {"primacy": 2})
    api.call("POST", ("devices", "north", "forget"), {"readings": True, "responses": True, "logEvents": True})


def operate_groups(api: JudgingClient) -> None:
    api.call("POST", ("groups",), {"name": "g", "primacy": 5})
    for path in (("groups",), ("groups", "g"), ("groups", "g", "programs"), ("programs",)):
        api.get(*path)
    api.call("PUT", ("groups", "g", "devices", "north"))
    api.get("groups", "g", "devices")
    curve = api.call("POST", ("groups", "g", "curves"), {**CURVE, "description": "a"})
    api.get("groups", "g", "curves")
    api.call("DELETE", ("curves", str(curve["mRID"])))
    api.call("PATCH", ("groups", "g", "default"), {"DERControlBase": LIMIT})
    api.get("groups", "g", "default")


def operate_network(api: JudgingClient) -> None:
    api.call("PUT", ("devices", "north", "place"), {"path": "GRID/ST1", "primacies": {"ST": 3}})
    api.call("PUT", ("devices", "north", "place"), {"SY": "GRID", "SP": "SP9"})
    api.get("tree", depth=2)
    api.get("devices", "north", "programs")
    api.call("DELETE", ("devices", "north", "place"))
    api.call("POST", ("devices", "bulk"), [{"name": "b1", "lFDI": "AB" * 20, "groups": ["g"]}])
    api.call("POST", ("groups", "g", "devices"), {"remove": ["b1"], "add": ["b1"]})
    api.call("POST", ("controls", "bulk"), [{"groups": ["g"], "DERControlBase": LIMIT, "duration": 9}])
    api.call("POST", ("controls", "cancel"), {"group": "g"})


def operate_files(api: JudgingClient) -> None:
    content = api.send("/contents", io.BytesIO(b"firmware"))
    body = {"sha256": content["sha256"], "mfID": 1, "mfModel": "m", "mfVer": "1"}
    api.call("POST", ("groups", "g", "files"), body)
    number = str(rows_of(api.get("groups", "g", "files"), "files")[0]["file"])
    api.get("files", number)
    api.call("PUT", ("files", number), {})
    api.call("DELETE", ("files", number))


def operate_accounts(api: JudgingClient) -> None:
    bill = {"currency": 978, "pricePowerOfTenMultiplier": -2, "customerName": "Ada"}
    account = str(api.call("POST", ("groups", "g", "accounts"), bill)["mRID"])
    api.get("groups", "g", "accounts")
    agreed = str(api.call("POST", ("accounts", account, "agreements"), {"serviceLocation": "7"})["mRID"])
    api.call("POST", ("agreements", agreed, "periods"), {"start": 1, "duration": 200})
    api.call("POST", ("agreements", agreed, "readings"), READINGS)
    api.call("DELETE", ("accounts", account))
    prepaid = {"currency": 978, "balance": "3.00", "lowCreditWarningLevel": "5.00"}
    credit = str(api.call("POST", ("groups", "g", "prepayments"), prepaid)["mRID"])
    api.get("groups", "g", "prepayments")
    api.get("prepayments", credit)
    api.call("POST", ("prepayments", credit, "credits"), {"amount": "2", "token": "T"})
    api.call("POST", ("prepayments", credit, "charges"), {"amount": "1"})
    api.call("POST", ("prepayments", credit, "overrides"), {"duration": 600})


def operate_controls(api: JudgingClient) -> None:
    body = {"DERControlBase": LIMIT, "duration": 60}
    control = str(api.call("POST", ("groups", "g", "controls"), body)["mRID"])
    for path in (("controls",), ("groups", "g", "controls"), ("controls", control)):
        api.get(*path)
    api.get("controls", control, "responses")
    control = str(api.call("PATCH", ("controls", control), {"duration": 90})["mRID"])
    api.call("POST", ("controls", control, "cancel"))
    api.call("POST", ("controls", "cancel"), {"all": True})
    api.call("DELETE", ("groups", "g", "default"))
    api.call("POST", ("groups", "g", "programs"), {"primacy": 6})


def import_meter_data(api: JudgingClient) -> None:
    row = {"device": "north", "UsagePoint": "BB01", "MeterReading": "CC01", "ReadingType": {"uom": 72}}
    api.call("POST", ("meters", "readings"), [{**row, "start": 1, "duration": 900, "value": "1"}])


def operate_events(api: JudgingClient, device_request: DeviceRequest) -> None:
    body = {"duration": "1h", "deviceCategory": "sauna", "DutyCycle": {"normalValue": "5%"}}
    load = str(api.call("POST", ("groups", "g", "loadcontrols"), body)["mRID"])
    api.get("groups", "g", "loadcontrols", state="active")
    api.get("events", load)
    api.get("events", load, "responses", limit=5)
    api.call("POST", ("events", load, "cancel"), {"randomized": False})
    api.call(
        "POST", ("groups", "g", "messages"), {"textMessage": "hello", "priority": "high", "duration": 60}
    )
    api.get("groups", "g", "messages")
    tariff = str(api.call("POST", ("groups", "g", "tariffs"), {"currency": 978})["mRID"])
    part = str(api.call("POST", ("tariffs", tariff, "components"), {"flowDirection": "forward"})["mRID"])
    prices = {"ConsumptionTariffInterval": [{"price": "0.3"}], "duration": "1h"}
    interval = str(api.call("POST", ("components", part, "intervals"), prices)["mRID"])
    api.call("POST", ("intervals", interval, "blocks"), {"startValue": 9, "price": 4})
    api.get("groups", "g", "tariffs")
    api.call("DELETE", ("components", part), query={"force": "true"})
    api.call("DELETE", ("tariffs", tariff))
    api.call("POST", ("events", "cancel"), {"kind": "TextMessage", "group": "g"})
    ask_for_flow(device_request)
    api.get("flows", device="north", open="true", limit=5)
    api.call("POST", ("flows", "F1", "answer"), {"powerAvailable": "1 kW"}, query={"device": "north"})


def ask_for_flow(device_request: DeviceRequest) -> None:
    """A device asks for energy."""
    wanted = FlowReservationRequest(
        mRID="F1",
        creationTime=1,
        energyRequested=SignedRealEnergy(multiplier=3, value=20),
        intervalRequested=DateTimeInterval(start=1_700_000_600, duration=3600),
        powerRequested=ActivePower(multiplier=3, value=11),
        RequestStatus_=RequestStatus(dateTime=1, requestStatus=0),
    )
    edev = device_request("GET", "/edev").body.decode()
    listed = edev.split('FlowReservationRequestListLink href="')[1].split('"')[0]
    assert device_request("POST", listed, wanted).status == 201


def operate_notifications(api: JudgingClient, server: Sep2Server, device_request: DeviceRequest) -> None:
    place = ("devices", "north", "notifications")
    api.call("POST", place, {"host": "203.0.113.7"})
    api.get(*place)
    number = subscribed(device_request, "https://203.0.113.7/ntfy")
    api.get("subscriptions", device="north")
    letters = [give_up(server, number), give_up(server, number)]
    api.get("deadletters", limit=5)
    api.get("deadletters", str(letters[0]))
    api.call("POST", ("deadletters", str(letters[0]), "retry"))
    api.call("DELETE", ("deadletters", str(letters[1])))
    api.call("POST", ("subscriptions", str(number), "cancel"))
    api.call("DELETE", place, {"host": "203.0.113.7"})


def operate_resources(api: JudgingClient) -> None:
    body: dict[str, object] = {"primacy": 1, "locale": "en"}
    href = str(api.call("POST", ("resources",), body, query={"href": "/msg", "group": "g"})["href"])
    api.call("PUT", ("resources",), {"description": "storms"}, query={"href": href})
    body = {"textMessage": "storm", "priority": 1, "interval": {"duration": 60}}
    text = str(api.call("POST", ("resources",), body, query={"href": f"{href}/txt"})["href"])
    for path in (href, f"{href}/txt", f"{href}/acttxt", text):
        api.get("resources", href=path)
    api.call("PUT", ("resources",), {"priority": 2}, query={"href": text})
    text = str(rows_of(api.get("resources", href=f"{href}/acttxt"), "items")[0]["href"])
    api.call("POST", ("resources", "cancel"), {}, query={"href": text})
    api.get("resources", "responses", href=text)
    api.call("PUT", ("groups", "g", "resources"), query={"href": href})
    api.get("groups", "g", "resources")
    api.call("DELETE", ("groups", "g", "resources"), query={"href": href})
    api.call("DELETE", ("resources",), query={"href": href})
    ensure_resources(api)


def ensure_resources(api: JudgingClient) -> None:
    home, event = "0A" * 16, "0B" * 16
    program = {"kind": "DERProgram", "group": "g", "resource": {"mRID": home, "primacy": 3}}
    held = {"mRID": event, "DERControlBase": {"opModMaxLimW": 5000}, "interval": {"duration": 60}}
    control = {"kind": "DERControl", "below": home, "resource": held}
    wrong = {**control, "below": event}
    api.call("POST", ("resources", "bulk"), [program, control, wrong], query={"keep_going": "true"})
    default = {"program": home, "default": {"setGradW": 27}}
    api.call("POST", ("defaults", "bulk"), [default, {"program": home, "default": None}])
    api.call("POST", ("events", "cancel", "bulk"), [{"mRID": event}, {"mRID": home}])


def operate_server(api: JudgingClient) -> None:
    api.get("status")
    api.get("changes")
    api.get("rates")
    api.call("PUT", ("rates",), {"pollRate": {"DERProgramList": 30}})
    api.get("settings")
    api.call("PUT", ("settings",), {"inBandRegistration": True})
    api.call("DELETE", ("settings",))
    api.call("POST", ("blocked",), {"lFDI": LFDI, "reason": "stolen"})
    api.get("blocked")
    api.call("DELETE", ("blocked", LFDI))
    api.call("POST", ("tokens",), {"name": "wall", "lifetime": "1d"})
    api.get("tokens")
    api.call("DELETE", ("tokens", "wall"))
    api.get("audit", limit=5)


def remove_all(api: JudgingClient) -> None:
    api.call("DELETE", ("groups", "g", "devices", "north"))
    api.call("DELETE", ("groups", "g"))
    api.call("DELETE", ("devices", "north"))


def test_every_operation_is_as_the_document_says(
    api: JudgingClient, server: Sep2Server, device_request: DeviceRequest
) -> None:
    operate_devices(api, device_request)
    change_devices(api)
    operate_groups(api)
    operate_network(api)
    operate_files(api)
    operate_accounts(api)
    operate_controls(api)
    operate_notifications(api, server, device_request)
    operate_resources(api)
    operate_events(api, device_request)
    import_meter_data(api)
    operate_server(api)
    remove_all(api)
    assert {(op.method, op.path) for op in OPERATIONS} - api.called == set()


def test_the_document_needs_no_token(api: OperatorClient) -> None:
    parts = urlsplit(api.url)
    context = operator_client_context(api.roots)
    connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context, timeout=30)
    connection.request("GET", "/openapi.json")
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    assert (answer.status, told, told["openapi"]) == (200, DOCUMENT, "3.1.0")


@pytest.mark.parametrize("path", ["/devices", "/nothing"])
def test_an_error_is_as_the_document_says(api: JudgingClient, path: str) -> None:
    with pytest.raises(ApiError) as caught:
        api.call("POST", (path[1:],), {"name": 7})
    assert caught.value.status in {400, 404}
