"""Reservations of energy flow. IEEE 2030.5-2018, 10.9."""

from dataclasses import field
from typing import Annotated

from schemas import codes_metering as m
from schemas.events import Event
from schemas.fields import Attr, Codes, Unit, resource
from schemas.quantities import ActivePower, DateTimeInterval, SignedRealEnergy
from schemas.resources import IdentifiedObject, List, SubscribableList
from schemas.types import PollRate, TimeType, UInt8, UInt16, mRIDType


@resource
class RequestStatus:
    """State of a flow reservation request."""

    dateTime: TimeType
    requestStatus: Annotated[UInt8, Codes(m.FlowRequestStatus)]


@resource
class FlowReservationRequest(IdentifiedObject):
    """Wish of a device to charge or discharge; positive energy charges."""

    creationTime: TimeType
    durationRequested: Annotated[UInt16, Unit("s")] | None = None
    energyRequested: SignedRealEnergy
    intervalRequested: DateTimeInterval
    powerRequested: ActivePower
    RequestStatus_: RequestStatus


@resource
class FlowReservationRequestList(List):
    """Page of flow reservation requests."""

    pollRate: Attr[PollRate] | None = None
    FlowReservationRequest_: list[FlowReservationRequest] = field(default_factory=list)


@resource
class FlowReservationResponse(Event):
    """Energy flow that the server grants (`subject` is the mRID of the request)."""

    energyAvailable: SignedRealEnergy
    powerAvailable: ActivePower
    subject: mRIDType


@resource
class FlowReservationResponseList(SubscribableList):
    """Page of flow reservation responses."""

    pollRate: Attr[PollRate] | None = None
    FlowReservationResponse_: list[FlowReservationResponse] = field(default_factory=list)
