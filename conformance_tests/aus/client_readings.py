"""Readings that a client mirrored, counted by what they are of: ReadingType and roleFlags of their mirror."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance_tests.aus.client_words import Quantity
from schemas import MirrorMeterReading, MirrorMeterReadingList, MirrorUsagePoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance_tests.client.bench import ClientBench
    from conformance_tests.client.seen import Seen

SITE, DER = 0x03, 0x49
"""roleFlags: mirror and premises aggregation; mirror, DER and submeter. IEEE 2030.5-2018, B.2.3.4."""
W, VAR, VOLT, WH = 38, 63, 29, 72
AVERAGE: Final = 2
"""DataQualifierType: mean values, but for energy that is stored."""
WANTED: Final = {
    Quantity.SITE_ACTIVE: (W, {SITE}),
    Quantity.SITE_REACTIVE: (VAR, {SITE}),
    Quantity.DER_ACTIVE: (W, {DER}),
    Quantity.DER_REACTIVE: (VAR, {DER}),
    Quantity.VOLTAGE: (VOLT, {SITE, DER}),
    Quantity.STORED_ENERGY: (WH, {DER}),
}
"""Unit and roles of each quantity."""


def counted(bench: ClientBench, quantity: Quantity) -> int:
    """How many readings of a quantity were taken."""
    uom, roles = WANTED[quantity]
    return sum(
        _count(reading)
        for point, reading in _readings(bench)
        if int(point.roleFlags, 16) in roles and _is_of(_type(bench, point, reading), uom)
    )


def _readings(bench: ClientBench) -> Iterator[tuple[MirrorUsagePoint, MirrorMeterReading]]:
    tree = bench.stage.tree
    for seen in bench.requests:
        if seen.method not in {"POST", "PUT"} or not 200 <= (seen.status or 0) < 300:
            continue
        if isinstance(seen.resource, MirrorUsagePoint):
            yield from ((seen.resource, one) for one in seen.resource.MirrorMeterReading_)
        held: Any = tree.held.get(seen.path)
        if held is not None and isinstance(held.resource, MirrorUsagePoint):
            yield from ((held.resource, one) for one in _posted(seen))


def _posted(seen: Seen) -> list[MirrorMeterReading]:
    if isinstance(seen.resource, MirrorMeterReadingList):
        return seen.resource.MirrorMeterReading_
    return [seen.resource] if isinstance(seen.resource, MirrorMeterReading) else []


def _type(bench: ClientBench, point: MirrorUsagePoint, reading: MirrorMeterReading) -> object:
    """The ReadingType that came with a reading, or before with the same mRID."""
    if reading.ReadingType_ is not None:
        return reading.ReadingType_
    known = [*point.MirrorMeterReading_, *(one for seen in bench.requests for one in _posted(seen))]
    return next((one.ReadingType_ for one in known if one.mRID == reading.mRID and one.ReadingType_), None)


def _is_of(kind: object, uom: int) -> bool:
    is_mean = getattr(kind, "dataQualifier", None) == AVERAGE or uom == WH
    return getattr(kind, "uom", None) == uom and is_mean


def _count(reading: MirrorMeterReading) -> int:
    in_sets = sum(len(one.Reading_) for one in reading.MirrorReadingSet_)
    return in_sets + (reading.Reading_ is not None)
