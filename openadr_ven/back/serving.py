"""The ports of both profiles, served from what is known: data for reports of 2.0b and of 3.x, without IO."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from openadr_ven.back.known import Known
from openadr_ven.back.point import (
    ENERGIES,
    QUALITY_3,
    QUALITY_20B,
    Capacity,
    Description,
    Quantity,
    ReportPoint,
    ResourceState,
)
from openadr_ven.back.points import Standing, points
from openadr_ven.events import Unit
from openadr_ven.v2b.report_messages import (
    ENERGY,
    POWER,
    DataPoint,
    Datum,
    LoadControl,
    ReportName,
    ReportOffer,
    ResourceStatus,
    Sampling,
)
from openadr_ven.v3.ports import Ask, Measured

MEASURED: Final[Mapping[Quantity, str]] = dict.fromkeys((Quantity.POWER, *ENERGIES), "usage")
PAYLOADS: Final[Mapping[tuple[str, Unit | None], Quantity]] = {
    ("USAGE", Unit.WH): Quantity.IMPORTED,
    ("DEMAND", Unit.W): Quantity.POWER,
    ("READING", Unit.W): Quantity.POWER,
    ("READING", Unit.WH): Quantity.ENERGY,
    ("STORAGE_CHARGE_LEVEL", Unit.SHARE): Quantity.CHARGE_LEVEL,
    ("STORAGE_USABLE_CAPACITY", Unit.WH): Quantity.USABLE_CAPACITY,
    ("STORAGE_MAX_CHARGE_POWER", Unit.W): Quantity.MAX_CHARGE_POWER,
    ("STORAGE_MAX_DISCHARGE_POWER", Unit.W): Quantity.MAX_DISCHARGE_POWER,
    ("OPERATING_STATE", None): Quantity.OPERATING_STATE,
}
"""Payload types of reports of 3.x by the unit in which they are wanted. Others have no data here."""
UNKNOWN_READINGS: Final = frozenset({"FORECAST", "PEAK", "ESTIMATED"})
"""What nobody here measures."""
DIGITS: Final = 6
Specifiers = Mapping[str, Sequence[Description]]
"""Descriptions by reportSpecifierID."""


class Serving:
    """A `Source` of 2.0b and a `Meter` of 3.x: what is known now. Reading it is the task of another."""

    def __init__(
        self, known: Callable[[], Known], standing: Callable[[], Standing], specifiers: Specifiers
    ) -> None:
        """`specifiers` are the reports of 2.0b, the same that `offer_of` made metadata of."""
        self._known = known
        self._standing = standing
        self._described = {name: {one.rID: one for one in found} for name, found in specifiers.items()}

    async def read(
        self, reportSpecifierID: str, rIDs: Sequence[str], start: int, end: int
    ) -> Sequence[Datum]:
        """One value for each rID over a period, s. What has no data is left out: a placeholder is made of it.

        OpenADR 2.0b, R315, R318.
        """
        described = self._described.get(reportSpecifierID, {})
        wanted = [described[rID] for rID in rIDs if rID in described]
        found = points(self._known(), wanted, [(start, end)], self._standing())
        return tuple(_data(found))

    async def measured(self, ask: Ask) -> Measured | None:
        """The value that a report of 3.x asks for; None where there is none."""
        quantity = PAYLOADS.get((ask.payloadType, ask.unit))
        if quantity is None or ask.readingType in UNKNOWN_READINGS:
            return None
        wanted = Description(rID="", quantity=quantity, resources=ask.resources)
        (found,) = points(self._known(), [wanted], [(ask.start, ask.end)], self._standing())
        value = found.value
        if value is None or isinstance(value, ResourceState):
            return None
        if isinstance(value, Decimal) and ask.payloadType == "DEMAND":
            value = max(Decimal(0), value)
        told = _short(value) if isinstance(value, Decimal) else value.value
        return Measured(value=told, quality=QUALITY_3[found.quality])


def offer_of(
    reportSpecifierID: str,
    name: ReportName,
    descriptions: Sequence[Description],
    *,
    sampling: Sampling,
    buffer_s: int,
) -> ReportOffer:
    """Metadata of a report of 2.0b. ValueError for a quantity that its name has no place for.

    OpenADR 2.0b, R308, R312, R333. Values are in W and Wh: no scale is left on them.
    """
    return ReportOffer(
        reportSpecifierID=reportSpecifierID,
        reportName=name,
        buffer_s=buffer_s,
        points=tuple(_offered(name, one, sampling) for one in descriptions),
    )


def _offered(name: ReportName, one: Description, sampling: Sampling) -> DataPoint:
    is_status = name is ReportName.TELEMETRY_STATUS
    if is_status is not (one.quantity is Quantity.STATUS) or (not is_status and one.quantity not in MEASURED):
        raise ValueError(f"{name} has no place for {one.rID}: {one.quantity}")
    is_power = one.quantity is Quantity.POWER
    return DataPoint(
        rID=one.rID,
        reportType="x-resourceStatus" if is_status else MEASURED[one.quantity],
        readingType="x-notApplicable" if is_status else "Direct Read",
        resource=one.resources[0] if len(one.resources) == 1 else None,
        measure=None if is_status else POWER if is_power else ENERGY,
        sampling=None if name is ReportName.HISTORY_USAGE else sampling,
    )


def _data(found: Sequence[ReportPoint]) -> Iterator[Datum]:
    for one in found:
        value = one.value
        quality = QUALITY_20B[one.quality]
        if isinstance(value, ResourceState):
            yield Datum(rID=one.rID, value=_status(value), quality=quality)
        elif isinstance(value, Decimal):
            yield Datum(rID=one.rID, value=_short(value), quality=quality)


def _short(value: Decimal) -> Decimal:
    """A value with no more digits than anybody measures; means have as many as there are."""
    exponent = value.as_tuple().exponent
    is_long = isinstance(exponent, int) and exponent < -DIGITS
    return round(value, DIGITS) if is_long else value


def _status(state: ResourceState) -> ResourceStatus:
    return ResourceStatus(
        is_online=state.is_online,
        is_overridden=state.is_overridden,
        capacity=None if state.capacity is None else _load(state.capacity),
    )


def _load(capacity: Capacity) -> LoadControl | None:
    """Capacity of 2.0b, which has to say what is drawn now: left out where nobody knows that."""
    if capacity.current is None:
        return None
    return LoadControl(
        current=float(capacity.current),
        least=float(capacity.least),
        most=float(capacity.most),
        normal=float(capacity.normal),
    )
