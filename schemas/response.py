"""Responses to events. IEEE 2030.5-2018, 10.2.3."""

from dataclasses import field
from typing import Annotated

from schemas.drlc import ApplianceLoadReduction, DutyCycle, Offset, SetPoint
from schemas.fields import Attr, Unit, resource
from schemas.links import ResponseListLink
from schemas.resources import IdentifiedObject, List, Resource
from schemas.types import HexBinary160, PollRate, TimeType, UInt8, UInt16, UnitType, mRIDType


@resource
class Response(Resource):
    """Answer of one device to one event (`subject` is the mRID of the event). IEEE 2030.5-2018, 10.2.3."""

    createdDateTime: Annotated[TimeType, Unit("s since 1970 UTC")] | None = None
    endDeviceLFDI: HexBinary160
    status: UInt8 | None = None
    subject: mRIDType


@resource
class DERControlResponse(Response):
    """Response to a DERControl."""


@resource
class FlowReservationResponseResponse(Response):
    """Response to a FlowReservationResponse."""


@resource
class AppliedTargetReduction:
    """Reduction of load that a device applied."""

    type: UnitType
    value: UInt16


@resource
class DrResponse(Response):
    """Response to an EndDeviceControl, with what was applied."""

    ApplianceLoadReduction_: ApplianceLoadReduction | None = None
    AppliedTargetReduction_: AppliedTargetReduction | None = None
    DutyCycle_: DutyCycle | None = None
    Offset_: Offset | None = None
    overrideDuration: Annotated[UInt16, Unit("s")] | None = None
    SetPoint_: SetPoint | None = None


@resource
class PriceResponse(Response):
    """Response to a price event."""


@resource
class ResponseList(List):
    """Page of Responses; items carry their own type."""

    Response_: list[Response] = field(default_factory=list)


@resource
class ResponseSet(IdentifiedObject):
    """Container of the Responses to a group of events."""

    ResponseListLink_: ResponseListLink | None = None


@resource
class ResponseSetList(List):
    """Page of response sets."""

    pollRate: Attr[PollRate] | None = None
    ResponseSet_: list[ResponseSet] = field(default_factory=list)


@resource
class TextResponse(Response):
    """Response to a TextMessage."""
