"""What a device of a fleet reports: DER documents, readings, Responses. Pure; `now` is server time, s."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Final

from function_sets import latest_end
from schemas import (
    ActivePower,
    ApparentPower,
    ConnectStatusType,
    DateTimeInterval,
    DERAvailability,
    DERCapability,
    DERControl,
    DERControlResponse,
    DERSettings,
    DERStatus,
    InverterStatusType,
    MirrorMeterReading,
    MirrorMeterReadingList,
    MirrorReadingSet,
    MirrorUsagePoint,
    OperationalModeStatusType,
    Reading,
    ReadingType,
)
from schemas.codes import EventState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RATED_W: Final = 5000
MODES: Final = "0000000B"
DAY_S: Final = 86_400
PEN: Final = 32473
"""The private enterprise number that RFC 5612 keeps for examples."""
ROLE_OF_DER: Final = "0049"
QUANTITIES: Final = (("Real power", 38), ("Voltage", 29))
"""What is metered: name and unit of measure (uom)."""
RECEIVED, STARTED, COMPLETED, CANCELLED, SUPERSEDED = 1, 2, 3, 6, 7
ENDS: Final[dict[int, int]] = {
    EventState.CANCELLED: CANCELLED,
    EventState.CANCELLED_WITH_RANDOMIZATION: CANCELLED,
    EventState.SUPERSEDED: SUPERSEDED,
}


def output_w(now: int) -> int:
    """Power of a device through a day of 24 h, W: half a sine."""
    return round(RATED_W * max(0.0, math.sin(2 * math.pi * (now % DAY_S) / DAY_S - math.pi / 2)))


def ratings(now: int) -> tuple[DERCapability, DERSettings]:
    """Ratings and settings, put once."""
    watts, volt_amperes = ActivePower(multiplier=0, value=RATED_W), ApparentPower(multiplier=0, value=RATED_W)
    return (
        DERCapability(modesSupported=MODES, rtgMaxVA=volt_amperes, rtgMaxW=watts, type=4),
        DERSettings(setGradW=100, setMaxVA=volt_amperes, setMaxW=watts, updatedTime=now),
    )


def status(now: int) -> DERStatus:
    """DERStatus of a device that runs."""
    return DERStatus(
        genConnectStatus=ConnectStatusType(dateTime=now, value="07"),
        inverterStatus=InverterStatusType(dateTime=now, value=3 if output_w(now) else 1),
        operationalModeStatus=OperationalModeStatusType(dateTime=now, value=2),
        readingTime=now,
    )


def availability(now: int) -> DERAvailability:
    """DERAvailability of a device that runs."""
    return DERAvailability(readingTime=now, statWAvail=ActivePower(multiplier=0, value=output_w(now)))


def usage_point(lfdi: str, post_rate_s: int) -> MirrorUsagePoint:
    """The mirror usage point of a device. IEEE 2030.5-2018, 10.11."""
    return MirrorUsagePoint(
        mRID=mrid_of(lfdi),
        description="fleet",
        roleFlags=ROLE_OF_DER,
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=lfdi,
        MirrorMeterReading_=[
            MirrorMeterReading(
                mRID=mrid_of(lfdi, name),
                description=name,
                ReadingType_=ReadingType(
                    accumulationBehaviour=12,
                    commodity=1,
                    dataQualifier=2,
                    intervalLength=post_rate_s,
                    kind=37,
                    powerOfTenMultiplier=0,
                    uom=uom,
                ),
            )
            for name, uom in QUANTITIES
        ],
        postRate=post_rate_s,
    )


def readings(lfdi: str, start: int, duration_s: int) -> MirrorMeterReadingList:
    """The readings of one interval: posting them twice changes nothing."""
    interval = DateTimeInterval(duration=duration_s, start=start)
    values = {"Real power": output_w(start), "Voltage": 230}
    items = [
        MirrorMeterReading(
            mRID=mrid_of(lfdi, name),
            description=name,
            lastUpdateTime=start + duration_s,
            MirrorReadingSet_=[
                MirrorReadingSet(
                    mRID=mrid_of(lfdi, name, str(start)),
                    timePeriod=interval,
                    Reading_=[
                        Reading(qualityFlags="0001", timePeriod=interval, value=values[name], localID="0000")
                    ],
                )
            ],
        )
        for name, _ in QUANTITIES
    ]
    return MirrorMeterReadingList(all=len(items), results=len(items), MirrorMeterReading_=items)


def mrid_of(*parts: str) -> str:
    """A mRID from who and what: 96 bits, and the PEN."""
    return f"{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:24]}{PEN:08x}".upper()


class Answers:
    """Which Responses a device owes to the events that it has seen. IEEE 2030.5-2018, 10.2.3.

    Bit 0 of responseRequired asks for the receipt (1), bit 1 for start (2) and end (3, 6, 7).
    """

    def __init__(self) -> None:
        self._given: dict[str, set[int]] = {}

    def owed(
        self, controls: Iterable[DERControl], lfdi: str, now: int
    ) -> Iterator[tuple[str, DERControlResponse]]:
        """Where to post which Response; what is handed out counts as given."""
        for control in controls:
            required = int(control.responseRequired or "00", 16)
            if control.replyTo is None or not required & 3:
                continue
            given = self._given.setdefault(control.mRID, set())
            for status in sorted(_due(control, required, now) - given):
                given.add(status)
                yield (
                    control.replyTo,
                    DERControlResponse(
                        createdDateTime=now, endDeviceLFDI=lfdi, status=status, subject=control.mRID
                    ),
                )


def _due(control: DERControl, required: int, now: int) -> set[int]:
    due = {RECEIVED} if required & 1 else set()
    if not required & 2:
        return due
    status = control.EventStatus_.currentStatus
    if status in ENDS:
        due.add(ENDS[status])
    elif now >= latest_end(control):
        due |= {STARTED, COMPLETED}
    elif status == EventState.ACTIVE:
        due.add(STARTED)
    return due
