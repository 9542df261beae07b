"""Mirror usage points and readings of a device. Pure. IEEE 2030.5-2018, 10.11; CSIP monitoring data.

Readings of a DER count generation positive with flow direction 19 (from the customer), so no sign turns.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from der_client.device import Telemetry
from schemas import (
    DateTimeInterval,
    MirrorMeterReading,
    MirrorMeterReadingList,
    MirrorReadingSet,
    MirrorUsagePoint,
    Reading,
    ReadingType,
)

ROLE_OF_DER: Final = "0049"
"""roleFlags: mirror, DER, submeter."""
ELECTRICITY: Final = 0
STATUS_ON: Final = 1
COMMODITY: Final = 1
INSTANTANEOUS, SUMMATION = 12, 9
POWER, ENERGY = 37, 12
AVERAGE, NORMAL = 2, 12
REVERSE, FORWARD = 19, 1
VALID: Final = "0001"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One quantity that is posted: how to read it, its unit of measure, and how it is sent.

    `multiplier` is the power of ten of the values; counters are sent as they stand, all else as averages.
    """

    name: str
    value: Callable[[Telemetry], float | None]
    uom: int
    multiplier: int = 0
    flow: int | None = REVERSE
    is_counter: bool = False


QUANTITIES: Final = (
    Quantity(name="Real power", value=lambda t: t.power_w, uom=38),
    Quantity(name="Reactive power", value=lambda t: t.reactive_var, uom=63),
    Quantity(name="Voltage", value=lambda t: t.voltage_v, uom=29, multiplier=-1, flow=None),
    Quantity(name="Frequency", value=lambda t: t.frequency_hz, uom=33, multiplier=-2, flow=None),
    Quantity(name="Energy injected", value=lambda t: t.injected_wh, uom=72, is_counter=True),
    Quantity(name="Energy absorbed", value=lambda t: t.absorbed_wh, uom=72, flow=FORWARD, is_counter=True),
)


class Averages:
    """Telemetry of one posting interval: sums of what is averaged, last states of counters."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, int]] = {}

    def add(self, telemetry: Telemetry) -> None:
        """Take one reading; values that the device does not have, or that are no numbers, are left out."""
        for quantity in QUANTITIES:
            value = quantity.value(telemetry)
            if value is None or not math.isfinite(value):
                continue
            total, count = self._sums.get(quantity.name, (0.0, 0))
            is_fresh = quantity.is_counter or not count
            self._sums[quantity.name] = (value, 1) if is_fresh else (total + value, count + 1)

    def take(self) -> dict[str, float]:
        """The value of each quantity over the interval, by name; begins the next interval."""
        values = {name: total / count for name, (total, count) in self._sums.items()}
        self._sums.clear()
        return values


def mrid_of(lfdi: str, *parts: str, pen: int) -> str:
    """A mRID for life: 96 bits from who and what, 32 bits PEN. IEEE 2030.5-2018 (mRIDType)."""
    digest = hashlib.sha256("/".join((lfdi, *parts)).encode()).hexdigest()
    return f"{digest[:24]}{pen:08x}".upper()


def usage_point(lfdi: str, device: str, *, pen: int, post_rate_s: int) -> MirrorUsagePoint:
    """The mirror usage point of a device with the types of all its readings."""
    return MirrorUsagePoint(
        mRID=mrid_of(lfdi, device, pen=pen),
        description=device[:32],
        roleFlags=ROLE_OF_DER,
        serviceCategoryKind=ELECTRICITY,
        status=STATUS_ON,
        deviceLFDI=lfdi,
        MirrorMeterReading_=[
            MirrorMeterReading(
                mRID=mrid_of(lfdi, device, quantity.name, pen=pen),
                description=quantity.name,
                ReadingType_=_reading_type(quantity, post_rate_s),
            )
            for quantity in QUANTITIES
        ],
        postRate=post_rate_s,
    )


def readings_of(
    lfdi: str, device: str, values: Mapping[str, float], interval: DateTimeInterval, *, pen: int
) -> MirrorMeterReadingList:
    """One interval's readings; posting them twice puts the same sets in their own place."""
    found = [
        _meter_reading(lfdi, device, quantity, values[quantity.name], interval, pen)
        for quantity in QUANTITIES
        if quantity.name in values
    ]
    return MirrorMeterReadingList(all=len(found), results=len(found), MirrorMeterReading_=found)


def _reading_type(quantity: Quantity, interval_s: int) -> ReadingType:
    return ReadingType(
        accumulationBehaviour=SUMMATION if quantity.is_counter else INSTANTANEOUS,
        commodity=COMMODITY,
        dataQualifier=NORMAL if quantity.is_counter else AVERAGE,
        flowDirection=quantity.flow,
        intervalLength=interval_s,
        kind=ENERGY if quantity.is_counter else POWER,
        phase=0,
        powerOfTenMultiplier=quantity.multiplier,
        uom=quantity.uom,
    )


def _meter_reading(
    lfdi: str, device: str, quantity: Quantity, value: float, interval: DateTimeInterval, pen: int
) -> MirrorMeterReading:
    reading = Reading(
        qualityFlags=VALID,
        timePeriod=interval,
        value=round(value / 10.0**quantity.multiplier),
        localID="0000",
    )
    mrid = mrid_of(lfdi, device, quantity.name, str(interval.start), pen=pen)
    return MirrorMeterReading(
        mRID=mrid_of(lfdi, device, quantity.name, pen=pen),
        description=quantity.name,
        lastUpdateTime=interval.start + interval.duration,
        MirrorReadingSet_=[MirrorReadingSet(mRID=mrid, timePeriod=interval, Reading_=[reading])],
    )
