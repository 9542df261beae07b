"""Resources that an operator sends as documents of the standard (`application/sep+xml`)."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas import (
    Codec,
    ConsumptionTariffInterval,
    DateTimeInterval,
    DefaultDERControl,
    DERControl,
    DERControlBase,
    DutyCycle,
    EndDeviceControl,
    EventStatus,
    MessagingProgram,
    Profile,
    RateComponent,
    ReadingTypeLink,
    TariffProfile,
    TextMessage,
    TextResponse,
    TimeTariffIntervalListLink,
    csip_aus,
)
from schemas.quantities import ActivePower
from sep2_server import ManualClock
from sep2_server.messages import Answer
from sep2_server.operator import ApiError, OperatorClient
from sep2_server.operator.body import Document
from sep2_server.operator.commands import Row, rows_of

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
NOW = 1_700_000_000
Op = Callable[..., int]
Capture = pytest.CaptureFixture[str]
DeviceRequest = Callable[..., Answer]
STATUS = EventStatus(currentStatus=1, dateTime=5, potentiallySuperseded=True)
"""What a sender says of the status counts for nothing: the server knows it."""
TIME = DateTimeInterval(start=NOW, duration=600)


@pytest.fixture(autouse=True)
def _feeder(api: OperatorClient) -> None:
    api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI, "pIN": 111_115})
    api.call("POST", ("groups",), {"name": "feeder-7", "primacy": 7})
    api.call("PUT", ("groups", "feeder-7", "devices", "north"))


def document(value: object, codec: Codec | None = None) -> Document:
    return Document((codec or Codec()).encode(value))


def add(api: OperatorClient, href: str, value: object, group: str | None = None) -> Row:
    query = {"href": href} | ({"group": group} if group else {})
    return api.call("POST", ("resources",), document(value), query=query)


def put(api: OperatorClient, href: object, value: object) -> Row:
    return api.call("PUT", ("resources",), document(value), query={"href": str(href)})


def read(request: DeviceRequest, href: object, cls: type) -> object:
    return Codec().decode(request("GET", str(href)).body, cls)


def text(**changes: object) -> TextMessage:
    fields: dict[str, object] = {
        "mRID": "AA01",
        "creationTime": 5,
        "EventStatus_": STATUS,
        "interval": TIME,
        "priority": 2,
        "textMessage": "Storm & wind",
    }
    return TextMessage(**{**fields, **changes})  # type: ignore[arg-type]


def program(api: OperatorClient, **changes: object) -> str:
    value = MessagingProgram(mRID="BB01", locale="en", primacy=5, description="storms")
    for name, held in changes.items():
        setattr(value, name, held)
    return str(add(api, "/msg", value, "feeder-7")["href"])


def test_a_document_is_stored_as_a_device_reads_it(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    made = add(api, f"{program(api)}/txt", text())
    seen = read(device_request, made["href"], TextMessage)
    assert isinstance(seen, TextMessage)
    assert (seen.mRID, seen.priority, seen.textMessage) == ("AA01", 2, "Storm & wind")
    assert (seen.interval, seen.href, seen.version) == (TIME, made["href"], 0)


def test_what_the_server_makes_is_not_taken_from_a_document(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    sent = text(href="/elsewhere", replyTo="/elsewhere", version=9, responseRequired="03")
    made = add(api, f"{program(api)}/txt", sent)
    seen = read(device_request, made["href"], TextMessage)
    assert isinstance(seen, TextMessage)
    assert (seen.href, seen.version, seen.creationTime) == (made["href"], 0, NOW)
    assert (seen.EventStatus_.currentStatus, seen.EventStatus_.dateTime) == (1, NOW)
    assert seen.replyTo not in {None, "/elsewhere"}


def test_a_document_replaces_what_is_there(api: OperatorClient, device_request: DeviceRequest) -> None:
    href = program(api)
    put(api, href, MessagingProgram(mRID="BB01", locale="en-AU", primacy=3))
    seen = read(device_request, href, MessagingProgram)
    assert isinstance(seen, MessagingProgram)
    assert (seen.locale, seen.primacy, seen.description, seen.version) == ("en-AU", 3, None, 1)
    assert seen.TextMessageListLink_ is not None
    assert seen.TextMessageListLink_.href == f"{href}/txt"


def test_an_mrid_is_for_life(api: OperatorClient) -> None:
    href = program(api)
    with pytest.raises(ApiError, match="mRID: CC01 is not that of the resource"):
        put(api, href, MessagingProgram(mRID="CC01", locale="en", primacy=5))
    put(api, href, MessagingProgram(mRID="00BB01", locale="de", primacy=5))
    with pytest.raises(ApiError, match="mRID: BB01 is that of"):
        program(api)


def test_an_event_with_a_short_mrid_is_found_after_a_change(
    api: OperatorClient, device_request: DeviceRequest, clock: ManualClock
) -> None:
    """7: mRIDs are numbers; a device answers a cancelled event by the mRID that it has seen."""
    made = add(api, f"{program(api)}/txt", text(mRID="0c", responseRequired="03"))
    seen = read(device_request, made["href"], TextMessage)
    assert isinstance(seen, TextMessage)
    clock.advance(1)
    assert api.call("POST", ("events", "0C", "cancel"), {})["status"] == "cancelled"
    answer = TextResponse(createdDateTime=NOW, endDeviceLFDI=LFDI, status=6, subject=seen.mRID)
    assert device_request("POST", str(seen.replyTo), answer).status == 201
    assert api.get("events", "000C")["responses"] == {"6": 1}


def test_a_whole_tariff_is_made_of_documents(api: OperatorClient, device_request: DeviceRequest) -> None:
    tariff = add(
        api, "/tp", TariffProfile(mRID="DD01", primacy=5, serviceCategoryKind=0, currency=978), "feeder-7"
    )
    links = {
        "ReadingTypeLink_": ReadingTypeLink(href="/elsewhere"),
        "TimeTariffIntervalListLink_": TimeTariffIntervalListLink(href="/elsewhere"),
    }
    part = add(api, f"{tariff['href']}/rc", RateComponent(mRID="DD02", roleFlags="00", **links))  # type: ignore[arg-type]
    seen = read(device_request, part["href"], RateComponent)
    assert isinstance(seen, RateComponent)
    assert seen.ReadingTypeLink_.href == f"{part['href']}/rt"
    interval = api.call(
        "POST",
        ("resources",),
        {"touTier": 1, "interval": {"duration": 60}},
        query={"href": f"{part['href']}/tti"},
    )
    block = ConsumptionTariffInterval(consumptionBlock=0, startValue=0, price=-7)
    made = add(api, f"{interval['href']}/cti", block)
    held = read(device_request, made["href"], ConsumptionTariffInterval)
    assert isinstance(held, ConsumptionTariffInterval)
    assert held.price == -7


def test_an_event_is_changed_by_the_rules_of_events(api: OperatorClient, clock: ManualClock) -> None:
    made = add(api, f"{program(api)}/txt", text())
    clock.advance(1)
    told = put(api, made["href"], text(description="soon"))
    assert (told["href"], "replaces" in told) == (made["href"], False)
    clock.advance(1)
    told = put(api, made["href"], text(textMessage="It is over"))
    assert told["replaces"] == "AA01"


def test_load_and_der_controls_are_documents_too(api: OperatorClient, device_request: DeviceRequest) -> None:
    load = api.call("POST", ("resources",), {"primacy": 5}, query={"href": "/dr", "group": "feeder-7"})
    event = EndDeviceControl(
        mRID="EE01",
        creationTime=5,
        EventStatus_=STATUS,
        interval=TIME,
        deviceCategory="00000008",
        drProgramMandatory=True,
        DutyCycle_=DutyCycle(normalValue=50),
        loadShiftForward=False,
    )
    made = add(api, f"{load['href']}/edc", event)
    assert made["status"] == "active"
    der = rows_of(api.get("groups", "feeder-7"), "programs")[0]["href"]
    control = DERControl(
        mRID="EE02",
        creationTime=5,
        EventStatus_=STATUS,
        interval=TIME,
        DERControlBase_=DERControlBase(opModMaxLimW=5000),
    )
    href = add(api, f"{der}/derc", control)["href"]
    seen = read(device_request, href, DERControl)
    assert isinstance(seen, DERControl)
    assert seen.DERControlBase_.opModMaxLimW == 5000
    default = DefaultDERControl(mRID="EE03", DERControlBase_=DERControlBase(opModMaxLimW=8000), setGradW=27)
    told = put(api, f"{der}/dderc", default)
    assert told["kind"] == "DefaultDERControl"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<TextMessage", "well-formed"),
        (b"<TextMessage xmlns='urn:ieee:std:2030.5:ns'/>", "missing"),
        (b"<MessagingProgram xmlns='urn:ieee:std:2030.5:ns'/>", "root"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><TextMessage>&b;</TextMessage>", "body"),
        (b"\x00\xff", "body"),
    ],
)
def test_a_document_that_the_schema_does_not_take_is_400(
    api: OperatorClient, device_request: DeviceRequest, body: bytes, why: str
) -> None:
    href = f"{program(api)}/txt"
    with pytest.raises(ApiError, match=why) as caught:
        api.call("POST", ("resources",), Document(body), query={"href": href})
    assert caught.value.status == 400
    assert b'all="0"' in device_request("GET", href).body


def test_the_rules_hold_for_documents_as_for_json(api: OperatorClient) -> None:
    href = f"{program(api)}/txt"
    for sent, why in (
        (text(priority=4), "priority: 4"),
        (text(textMessage=" "), "textMessage: empty"),
        (text(interval=DateTimeInterval(start=5, duration=5)), "would be over"),
        (text(responseRequired="08"), "unknown bits"),
    ):
        with pytest.raises(ApiError, match=why):
            add(api, href, sent)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", ("groups",)), ("POST", ("devices", "bulk")), ("PUT", ("devices", "north"))],
)
def test_no_other_operation_takes_a_document(api: OperatorClient, method: str, path: tuple[str, ...]) -> None:
    plain = OperatorClient(url=api.url, secret=api.secret, roots=api.roots)
    with pytest.raises(ApiError) as caught:
        plain.call(method, path, Document(b"<a/>"))
    assert caught.value.status == 400


def test_the_command_sends_a_file_that_is_a_document(
    op: Op, capsys: Capture, api: OperatorClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    href = f"{program(api)}/txt"
    path = tmp_path / "storm.xml"
    path.write_bytes(b"\xef\xbb\xbf" + Codec().encode(text()))
    assert op("resource", "add", href, str(path)) == 0
    assert "Storm & wind" in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.StringIO(Codec().encode(text(mRID="AA02")).decode()))
    assert op("resource", "add", href, "-") == 0
    assert len(rows_of(api.get("resources", href=href), "items")) == 2
    capsys.readouterr()
    assert op("resource", "add", href, str(path), "--set", "priority=1") == 2
    assert "--set: the file is a document" in capsys.readouterr().err


class TestAustralia:
    """Extensions in documents: of the version of the store, and of others that are served."""

    CONTROL = "opModExpLimW"

    @pytest.fixture
    def beside(self) -> dict[str, object]:
        return {"profile": "csip", "mounts": {"/aus12": "csip_aus_v1.2", "/aus13": "csip_aus_v1.3"}}

    @pytest.mark.parametrize("profile", [csip_aus.CSIP_AUS_V1_2, csip_aus.CSIP_AUS_V1_3])
    def test_the_limits_of_every_version_are_read(self, api: OperatorClient, profile: Profile) -> None:
        cls = profile.resolve(DERControlBase)
        base = cls(opModExpLimW=ActivePower(multiplier=1, value=500))
        control = DERControl(
            mRID="EE02", creationTime=5, EventStatus_=STATUS, interval=TIME, DERControlBase_=base
        )
        der = rows_of(api.get("groups", "feeder-7"), "programs")[0]["href"]
        made = api.call(
            "POST", ("resources",), document(control, Codec(profile)), query={"href": f"{der}/derc"}
        )
        held = made["resource"]
        assert isinstance(held, dict)
        assert held["DERControlBase"] == {"opModExpLimW": {"multiplier": 1, "value": 500}}
