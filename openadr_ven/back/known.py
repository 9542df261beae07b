"""What the 2030.5 server knows of the devices behind a VEN, as reports need it: values, no IO.

Values are in their units: the multiplier of the wire was applied once, by whoever read them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from typing import Final

from schemas import codes as c

FRESH_S: Final = 900
"""A device that told nothing for so long is taken for offline, where nothing else is configured."""


class Grade(IntEnum):
    """How good a value is, the worst first. ReadingType qualityFlags of IEEE 2030.5-2018, 10.4."""

    BAD = 0
    UNCERTAIN = 1
    GOOD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of a series. Its data period begins at `start` and lasts `duration_s`; 0 is a moment."""

    start: int
    duration_s: int
    value: Decimal
    grade: Grade = Grade.GOOD

    @property
    def end(self) -> int:
        """When the period ends: what a counter says holds then."""
        return self.start + self.duration_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What one MeterReading holds: the fields of its ReadingType, and samples by start, the oldest first.

    `roleFlags` are those of its usage point; 0 where nobody said any.
    """

    mRID: str
    uom: int | None = None
    kind: int | None = None
    flowDirection: int | None = None
    phase: int | None = None
    dataQualifier: int | None = None
    accumulationBehaviour: int | None = None
    roleFlags: int = 0
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Der:
    """What one DER reported of itself: DERStatus and DERCapability with the settings put over it.

    Powers are magnitudes in W; `soc` is a share, 0 to 1. None is what it never said.
    """

    readingTime: int | None = None
    operationalModeStatus: int | None = None
    localControlModeStatus: int | None = None
    inverterStatus: int | None = None
    storageModeStatus: int | None = None
    genConnectStatus: int = 0
    storConnectStatus: int = 0
    alarmStatus: int = 0
    soc: Decimal | None = None
    setMaxW: Decimal | None = None
    setMaxChargeRateW: Decimal | None = None
    setMaxDischargeRateW: Decimal | None = None
    rtgMaxChargeRateW: Decimal | None = None
    setMaxWh: Decimal | None = None

    @property
    def is_off(self) -> bool:
        """Whether it says that it is switched off."""
        return self.operationalModeStatus == c.OperationalModeStatusType.OFF

    @property
    def is_local(self) -> bool:
        """Whether somebody at the device controls it, and not we."""
        return self.localControlModeStatus == c.LocalControlModeStatusType.LOCAL

    @property
    def is_faulty(self) -> bool:
        """Whether it tells of a fault or alarm."""
        fault = 1 << c.ConnectStatusType.FAULT
        told = (self.genConnectStatus | self.storConnectStatus) & fault
        return bool(told or self.alarmStatus) or self.inverterStatus == c.InverterStatusType.FAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceKnown:
    """What is known of one device. `log_event_at` is the time of its newest LogEvent."""

    series: tuple[Series, ...] = ()
    ders: tuple[Der, ...] = ()
    log_event_at: int | None = None
    is_enabled: bool = True

    def told_at(self) -> int | None:
        """When it last told anything about itself."""
        times = [one.readingTime for one in self.ders] + [self.log_event_at]
        times += [one.samples[-1].end for one in self.series if one.samples]
        return max((at for at in times if at is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that is known, by the name of the device on the server.

    `at` is when the server was last asked with success. `is_stale`: it gives no answer since. `members` are
    the devices behind each resource of the VTN.
    """

    at: int | None = None
    is_stale: bool = False
    devices: Mapping[str, DeviceKnown] = field(default_factory=dict)
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fresh_s: int = FRESH_S

    def of(self, resources: tuple[str, ...]) -> tuple[str, ...]:
        """The devices behind resources, once each; those of all where none is named."""
        names = resources or tuple(self.members)
        return tuple(dict.fromkeys(name for one in names for name in self.members.get(one, ())))
