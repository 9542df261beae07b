"""Events that every function set builds on. IEEE 2030.5-2018, 10.2.3. Their rules are in `function_sets`."""

from typing import Annotated

from schemas import codes as c
from schemas.fields import Codes, Unit, resource
from schemas.quantities import DateTimeInterval
from schemas.resources import RespondableSubscribableIdentifiedObject
from schemas.types import Boolean, OneHourRangeType, String192, TimeType, UInt8


@resource
class EventStatus:
    """State of one event as the server sees it, since `dateTime`. IEEE 2030.5-2018, 10.2.3."""

    currentStatus: Annotated[UInt8, Codes(c.EventState)]
    dateTime: Annotated[TimeType, Unit("s since 1970 UTC")]
    potentiallySuperseded: Boolean
    potentiallySupersededTime: Annotated[TimeType, Unit("s since 1970 UTC")] | None = None
    reason: String192 | None = None


@resource
class Event(RespondableSubscribableIdentifiedObject):
    """Something that holds for an interval and asks for Responses. IEEE 2030.5-2018, 10.2.3."""

    creationTime: Annotated[TimeType, Unit("s since 1970 UTC")]
    EventStatus_: EventStatus
    interval: DateTimeInterval


@resource
class RandomizableEvent(Event):
    """Event whose start and duration each device shifts by a random part. IEEE 2030.5-2018, 10.2.3."""

    randomizeDuration: Annotated[OneHourRangeType, Unit("s")] | None = None
    randomizeStart: Annotated[OneHourRangeType, Unit("s")] | None = None
