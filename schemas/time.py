"""The Time resource: the clock that all events of a server run on."""

from typing import Annotated

from schemas.fields import Attr, Unit, resource
from schemas.resources import Resource
from schemas.types import PollRate, TimeOffsetType, TimeType, UInt8


@resource
class Time(Resource):
    """Clock of the server with its time zone; `quality` says how far to trust it (3 best, 7 none)."""

    pollRate: Attr[PollRate] | None = None
    currentTime: Annotated[TimeType, Unit("s since 1970 UTC")]
    dstEndTime: Annotated[TimeType, Unit("s since 1970 UTC")]
    dstOffset: Annotated[TimeOffsetType, Unit("s")]
    dstStartTime: Annotated[TimeType, Unit("s since 1970 UTC")]
    localTime: Annotated[TimeType, Unit("s since 1970, local")] | None = None
    quality: UInt8
    tzOffset: Annotated[TimeOffsetType, Unit("s")]
