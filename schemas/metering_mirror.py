"""Mirror usage points: how a device posts its own readings. IEEE 2030.5-2018, 10.11."""

from dataclasses import field
from typing import Annotated

from schemas.fields import Attr, Unit, resource
from schemas.metering import MeterReadingBase, Reading, ReadingSetBase, ReadingType, UsagePointBase
from schemas.resources import List
from schemas.types import HexBinary160, PollRate, TimeType, UInt32


@resource
class MirrorReadingSet(ReadingSetBase):
    """Readings of one time period that a device posts."""

    Reading_: list[Reading] = field(default_factory=list)


@resource
class MirrorMeterReading(MeterReadingBase):
    """Readings of one type that a device posts; the server keeps them under a UsagePoint."""

    lastUpdateTime: Annotated[TimeType, Unit("s since 1970 UTC")] | None = None
    MirrorReadingSet_: list[MirrorReadingSet] = field(default_factory=list)
    nextUpdateTime: Annotated[TimeType, Unit("s since 1970 UTC")] | None = None
    Reading_: Reading | None = None
    ReadingType_: ReadingType | None = None


@resource
class MirrorMeterReadingList(List):
    """Several MirrorMeterReadings in one post."""

    MirrorMeterReading_: list[MirrorMeterReading] = field(default_factory=list)


@resource
class MirrorUsagePoint(UsagePointBase):
    """Usage point of a device as the device posts it; `postRate` says how often."""

    deviceLFDI: HexBinary160
    MirrorMeterReading_: list[MirrorMeterReading] = field(default_factory=list)
    postRate: Annotated[UInt32, Unit("s")] | None = None


@resource
class MirrorUsagePointList(List):
    """Page of mirror usage points."""

    pollRate: Attr[PollRate] | None = None
    MirrorUsagePoint_: list[MirrorUsagePoint] = field(default_factory=list)
