"""What an operator grants by the list of FlowReservationResponses itself: whose request it may answer."""

import re
from collections.abc import Callable

import pytest

from schemas import (
    ActivePower,
    DateTimeInterval,
    FlowReservationRequest,
    FlowReservationResponseResponse,
    Json,
    RequestStatus,
    SignedRealEnergy,
)
from sep2_server.messages import Answer
from sep2_server.operator import ApiError, OperatorClient

LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
OTHER = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E6"
NOW = 1_700_000_000
DeviceRequest = Callable[..., Answer]


@pytest.fixture(autouse=True)
def _devices(api: OperatorClient) -> None:
    """The devices north and south."""
    api.call("POST", ("devices",), {"name": "north", "lFDI": LFDI, "pIN": 111_115})
    api.call("POST", ("devices",), {"name": "south", "lFDI": OTHER, "pIN": 111_115})


def link(device_request: DeviceRequest, kind: str, lfdi: str) -> str:
    found = re.search(
        f'{kind}ListLink href="([^"]*)"', device_request("GET", "/edev", lfdi=lfdi).body.decode()
    )
    assert found is not None
    return found[1]


def ask(device_request: DeviceRequest, mrid: str, lfdi: str, status: int = 0) -> str:
    """A device asks for 20 kWh at 11 kW, in the hour that begins in 10 minutes; its URI."""
    wanted = FlowReservationRequest(
        mRID=mrid,
        creationTime=NOW,
        energyRequested=SignedRealEnergy(multiplier=3, value=20),
        intervalRequested=DateTimeInterval(start=NOW + 600, duration=3600),
        powerRequested=ActivePower(multiplier=3, value=11),
        RequestStatus_=RequestStatus(dateTime=NOW, requestStatus=0),
    )
    answer = device_request("POST", link(device_request, "FlowReservationRequest", lfdi), wanted, lfdi=lfdi)
    href = dict(answer.headers)["Location"]
    if status:
        wanted.RequestStatus_.requestStatus = status
        assert device_request("PUT", href, wanted, lfdi=lfdi).status == 204
    return href


def grant(
    api: OperatorClient, device_request: DeviceRequest, subject: str, lfdi: str = LFDI
) -> dict[str, Json]:
    body = {
        "subject": subject,
        "interval": {"start": NOW + 600, "duration": 60},
        "energyAvailable": "20kWh",
        "powerAvailable": "11kW",
        "responseRequired": "03",
    }
    href = link(device_request, "FlowReservationResponse", lfdi)
    return api.call("POST", ("resources",), body, query={"href": href})


def test_a_grant_answers_a_request_of_its_own_device(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    ask(device_request, "F1", OTHER)
    with pytest.raises(ApiError, match="subject: 'F1' is no request of the device"):
        grant(api, device_request, "F1")
    ask(device_request, "F1", LFDI)
    assert grant(api, device_request, "F1")["kind"] == "FlowReservationResponse"


def test_a_grant_is_not_turned_to_the_request_of_another_device(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    ask(device_request, "F1", LFDI)
    ask(device_request, "F2", OTHER)
    query = {"href": str(grant(api, device_request, "F1")["href"])}
    with pytest.raises(ApiError, match="subject: 'F2' is no request of the device"):
        api.call("PUT", ("resources",), {"subject": "F2"}, query=query)


def test_the_grant_of_another_device_is_an_unknown_subject(
    api: OperatorClient, device_request: DeviceRequest
) -> None:
    """Nor is a request one, whoever has made it: it is no event."""
    ask(device_request, "F1", LFDI)
    event = grant(api, device_request, "F1")
    held = event["resource"]
    assert isinstance(held, dict)
    for lfdi, subject, status in (
        (OTHER, str(event["mRID"]), 400),
        (OTHER, "F1", 400),
        (LFDI, "F1", 400),
        (LFDI, str(event["mRID"]), 201),
    ):
        said = FlowReservationResponseResponse(
            createdDateTime=NOW, endDeviceLFDI=lfdi, status=1, subject=subject
        )
        assert device_request("POST", str(held["replyTo"]), said, lfdi=lfdi).status == status
