"""LogEvent: alarms and their return to normal."""

from dataclasses import field
from typing import Annotated

from schemas.fields import Attr, Unit, resource
from schemas.resources import Resource, SubscribableList
from schemas.types import PENType, PollRate, String32, TimeType, UInt8, UInt16, UInt32


@resource
class LogEvent(Resource):
    """One entry of a device log: an alarm, its return to normal, or other news."""

    createdDateTime: Annotated[TimeType, Unit("s since 1970 UTC")]
    details: String32 | None = None
    extendedData: UInt32 | None = None
    functionSet: UInt8
    logEventCode: UInt8
    logEventID: UInt16
    logEventPEN: PENType
    profileID: UInt8


@resource
class LogEventList(SubscribableList):
    """Page of log events, newest first."""

    pollRate: Attr[PollRate] | None = None
    LogEvent_: list[LogEvent] = field(default_factory=list)
