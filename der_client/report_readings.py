"""Mirror usage points and readings of a device or site. Pure. IEEE 2030.5-2018, 10.11; CSIP monitoring data.

Readings of a DER count generation positive with flow direction 19 (from the customer), so no sign turns.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from der_client.device import Nameplate, SiteReading, Telemetry
from der_client.stored import stored_wh_of
from schemas import (
    DateTimeInterval,
    MirrorMeterReading,
    MirrorMeterReadingList,
    MirrorReadingSet,
    MirrorUsagePoint,
    Reading,
    ReadingType,
)

ELECTRICITY: Final = 0
STATUS_ON: Final = 1
COMMODITY: Final = 1
POWER, ENERGY = 37, 12
REVERSE, FORWARD = 19, 1
VALID: Final = "0001"
MOST: Final = 2.0**47
"""What the value of a reading is below (Int48)."""


class Form(Enum):
    """What a value tells of its interval: accumulationBehaviour and dataQualifier.

    AVERAGE is the mean, COUNTER the last state of what only rises, STATE what is there at the end.
    """

    AVERAGE = (12, 2)
    COUNTER = (9, 12)
    STATE = (12, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One quantity that is posted: its unit of measure, and how it is sent.

    `multiplier` is the power of ten of the values, `phase` the code of the phase (0: none).
    """

    name: str
    uom: int
    phase: int = 0
    multiplier: int = 0
    flow: int | None = REVERSE
    kind: int = POWER
    form: Form = Form.AVERAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of usage point: its roleFlags, what is measured there, and `optional`: what only some have.

    `prefix` stands before the name in what its mRIDs are made of.
    """

    role_flags: str
    quantities: tuple[Quantity, ...]
    optional: tuple[Quantity, ...] = ()
    prefix: tuple[str, ...] = ()


PHASES: Final = (
    Quantity(name="Voltage A", uom=29, multiplier=-1, flow=None, phase=129),
    Quantity(name="Voltage B", uom=29, multiplier=-1, flow=None, phase=65),
    Quantity(name="Voltage C", uom=29, multiplier=-1, flow=None, phase=33),
)
"""Voltages to neutral: AN, BN, CN."""
APPARENT: Final = Quantity(name="Apparent power", uom=61)
CURRENT: Final = Quantity(name="Current", uom=5, multiplier=-1, flow=None)
STORED: Final = Quantity(name="Stored energy", uom=72, flow=None, kind=ENERGY, form=Form.STATE)
DER: Final = Kind(
    role_flags="0049",
    quantities=(
        Quantity(name="Real power", uom=38),
        Quantity(name="Reactive power", uom=63),
        Quantity(name="Voltage", uom=29, multiplier=-1, flow=None),
        Quantity(name="Frequency", uom=33, multiplier=-2, flow=None),
        Quantity(name="Energy injected", uom=72, kind=ENERGY, form=Form.COUNTER),
        Quantity(name="Energy absorbed", uom=72, flow=FORWARD, kind=ENERGY, form=Form.COUNTER),
    ),
    optional=(STORED, APPARENT, CURRENT, *PHASES),
)
"""roleFlags: mirror, DER, submeter. The energy in a battery is CSIP-AUS STO-01."""
SITE: Final = Kind(
    role_flags="0003",
    quantities=(
        Quantity(name="Real power", uom=38, flow=FORWARD),
        Quantity(name="Reactive power", uom=63, flow=FORWARD),
        Quantity(name="Voltage", uom=29, multiplier=-1, flow=None),
        Quantity(name="Frequency", uom=33, multiplier=-2, flow=None),
        Quantity(name="Energy exported", uom=72, kind=ENERGY, form=Form.COUNTER),
        Quantity(name="Energy imported", uom=72, flow=FORWARD, kind=ENERGY, form=Form.COUNTER),
    ),
    optional=PHASES,
    prefix=("site",),
)
"""roleFlags: mirror, premises aggregation point; import counts positive. CSIP-AUS, part 2.3."""
Values = Mapping[str, float | None]
"""Values by the name of their quantity; None where there is none."""


def der_values(
    telemetry: Telemetry, nameplate: Nameplate | None = None, *, has_details: bool = False
) -> Values:
    """What a DER measures; the energy in its battery, where `nameplate` tells how much that holds.

    With `has_details` apparent power, current and the voltage of each phase too.
    """
    details = {APPARENT.name: telemetry.apparent_va, CURRENT.name: telemetry.current_a}
    return {
        **({**details, **_by_phase(telemetry.phase_v)} if has_details else {}),
        "Real power": telemetry.power_w,
        "Reactive power": telemetry.reactive_var,
        "Voltage": telemetry.voltage_v,
        "Frequency": telemetry.frequency_hz,
        "Energy injected": telemetry.injected_wh,
        "Energy absorbed": telemetry.absorbed_wh,
        STORED.name: None if nameplate is None else stored_wh_of(telemetry, nameplate),
    }


def _by_phase(voltages: Sequence[float]) -> dict[str, float]:
    return {quantity.name: volts for quantity, volts in zip(PHASES, voltages, strict=False) if volts}


def site_values(reading: SiteReading, *, has_details: bool = False) -> Values:
    """What the meter of a site measures; here the sign of power turns: import is positive.

    With `has_details` the voltage of each phase too.
    """
    phases = [volts for volts in reading.phase_v if volts]
    return {
        **(_by_phase(reading.phase_v) if has_details else {}),
        "Real power": -reading.power_w,
        "Reactive power": None if reading.reactive_var is None else -reading.reactive_var,
        "Voltage": sum(phases) / len(phases) if phases else None,
        "Frequency": reading.frequency_hz,
        "Energy exported": reading.exported_wh,
        "Energy imported": reading.imported_wh,
    }


class Averages:
    """Values of one posting interval: sums of what is averaged, last states of all else."""

    def __init__(self, kind: Kind = DER) -> None:
        self._quantities = (*kind.quantities, *kind.optional)
        self._sums: dict[str, tuple[float, int]] = {}

    def add(self, values: Values) -> None:
        """Take one reading; what the device does not have, or no reading can hold, is left out."""
        for quantity in self._quantities:
            value = values.get(quantity.name)
            if value is None or not abs(value) < MOST * 10.0**quantity.multiplier:
                continue
            total, count = self._sums.get(quantity.name, (0.0, 0))
            is_fresh = quantity.form is not Form.AVERAGE or not count
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A usage point: whose it is (LFDI), its kind and its name; `pen` ends its mRIDs."""

    lfdi: str
    name: str
    kind: Kind = DER
    pen: int

    def mrid(self, *parts: str) -> str:
        """A mRID of the usage point, or of something of it."""
        return mrid_of(self.lfdi, *self.kind.prefix, self.name, *parts, pen=self.pen)

    def quantities_in(self, body: bytes) -> tuple[Quantity, ...]:
        """What is measured here in general, and what else a body of readings has."""
        extra = (one for one in self.kind.optional if self.mrid(one.name).encode() in body)
        return (*self.kind.quantities, *extra)

    def is_of(self, body: bytes) -> bool:
        """True for a body of readings of this usage point."""
        every = (*self.kind.quantities, *self.kind.optional)
        return any(self.mrid(one.name).encode() in body for one in every)


def usage_point(point: Point, quantities: Sequence[Quantity], *, post_rate_s: int) -> MirrorUsagePoint:
    """The mirror usage point with the types of all its readings."""
    return MirrorUsagePoint(
        mRID=point.mrid(),
        description=point.name[:32],
        roleFlags=point.kind.role_flags,
        serviceCategoryKind=ELECTRICITY,
        status=STATUS_ON,
        deviceLFDI=point.lfdi,
        MirrorMeterReading_=[
            MirrorMeterReading(
                mRID=point.mrid(quantity.name),
                description=quantity.name,
                ReadingType_=_reading_type(quantity, post_rate_s),
            )
            for quantity in quantities
        ],
        postRate=post_rate_s,
    )


def readings_of(
    point: Point, values: Mapping[str, float], interval: DateTimeInterval
) -> MirrorMeterReadingList:
    """One interval's readings; posting them twice puts the same sets in their own place."""
    found = [
        _meter_reading(point, quantity, values[quantity.name], interval)
        for quantity in (*point.kind.quantities, *point.kind.optional)
        if quantity.name in values
    ]
    return MirrorMeterReadingList(all=len(found), results=len(found), MirrorMeterReading_=found)


def _reading_type(quantity: Quantity, interval_s: int) -> ReadingType:
    accumulation, qualifier = quantity.form.value
    return ReadingType(
        accumulationBehaviour=accumulation,
        commodity=COMMODITY,
        dataQualifier=qualifier,
        flowDirection=quantity.flow,
        intervalLength=interval_s,
        kind=quantity.kind,
        phase=quantity.phase,
        powerOfTenMultiplier=quantity.multiplier,
        uom=quantity.uom,
    )


def _meter_reading(
    point: Point, quantity: Quantity, value: float, interval: DateTimeInterval
) -> MirrorMeterReading:
    reading = Reading(
        qualityFlags=VALID,
        timePeriod=interval,
        value=round(value / 10.0**quantity.multiplier),
        localID="0000",
    )
    mrid = point.mrid(quantity.name, str(interval.start))
    return MirrorMeterReading(
        mRID=point.mrid(quantity.name),
        description=quantity.name,
        lastUpdateTime=interval.start + interval.duration,
        MirrorReadingSet_=[MirrorReadingSet(mRID=mrid, timePeriod=interval, Reading_=[reading])],
    )
