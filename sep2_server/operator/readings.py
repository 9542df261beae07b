"""What devices measure: the latest value of each MeterReading, and its series."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from heapq import merge
from itertools import islice
from typing import Final

from schemas import Json, MeterReading, MirrorMeterReading, Reading, ReadingType, UsagePoint
from sep2_server.extra_routes import UPDATE_TIMES
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import NotFound
from sep2_server.operator.router import Answer, Call
from sep2_server.rows import Client, Row, StoredReading

UNITS: Final[Mapping[int, str]] = {
    5: "A",
    23: "degC",
    29: "V",
    33: "Hz",
    38: "W",
    61: "VA",
    63: "var",
    71: "VAh",
    72: "Wh",
    73: "varh",
}
"""Units of ReadingType.uom that DERs report in."""
MOST_SETS: Final = 4096
MOST_VALUES_OF_SET: Final = 10_000


def latest(desk: Desk, call: Call) -> Answer:
    """The latest value of every MeterReading of a device."""
    rows = _meter_readings(desk, desk.client(call.names["device"]))
    return {
        "readings": [
            {**told, **_latest(desk, row, told), **_times(desk, row)}
            for row in rows
            for told in [_kind_of(desk, row)]
        ]
    }


def series(desk: Desk, call: Call) -> Answer:
    """The values of one MeterReading that start behind `after`, the newest first."""
    client = desk.client(call.names["device"])
    wanted = _of_mrid(desk, client, call.names["reading"])
    told = _kind_of(desk, wanted)
    values = _values(desk, wanted, told, call.number("after", 0, 0, 2**62))
    return {**told, "values": list(islice(values, call.number("limit", 100, 1, 10_000)))}


def _of_mrid(desk: Desk, client: Client, mrid: str) -> Row:
    """The MeterReading of a device with an mRID, which another device may have used too."""
    command = f"lineside op readings {client.name}"
    desk.of_mrid(mrid, "MeterReading", command)
    own = desk.reader.by_mrid(mrid, kind="MeterReading", owner_id=client.end_device_id)
    if own is None:
        raise NotFound(f"the MeterReading is not of {client.name}", f"list them: {command}")
    return own


def _meter_readings(desk: Desk, client: Client) -> list[Row]:
    return desk.reader.owned(client.end_device_id, "MeterReading")


def _kind_of(desk: Desk, row: Row) -> dict[str, Json]:
    meter_reading = desk.resource(row, MeterReading)
    type_row = desk.beside(row, "ReadingType")
    kind = ReadingType() if type_row is None else desk.resource(type_row, ReadingType)
    return {
        "mRID": meter_reading.mRID,
        "description": meter_reading.description,
        "unit": UNITS.get(kind.uom or 0),
        "uom": kind.uom,
        "kind": kind.kind,
        "flowDirection": kind.flowDirection,
        "phase": kind.phase,
        "dataQualifier": kind.dataQualifier,
        "accumulationBehaviour": kind.accumulationBehaviour,
        "roleFlags": _role_flags(desk, row),
        "powerOfTenMultiplier": kind.powerOfTenMultiplier or 0,
    }


def _role_flags(desk: Desk, row: Row) -> str | None:
    """What the usage point of a MeterReading is for: premises, DER, submeter. IEEE 2030.5-2018, 10.4."""
    uris = desk.environment.uris
    place = uris.find(row.href)
    point = None if place is None else desk.reader.by_href(uris.of("UsagePoint", place.parts[:1]))
    return None if point is None else desk.resource(point, UsagePoint).roleFlags


def _latest(desk: Desk, row: Row, told: Mapping[str, Json]) -> dict[str, Json]:
    """The value of the latest time; a bare Reading without a time is later than all others."""
    newest = next(_values(desk, row, told, 0), None)
    bare = desk.beside(row, "LatestReading")
    if bare is None:
        return newest or {"time": None, "value": None}
    reading = desk.resource(bare, Reading)
    period = reading.timePeriod
    if newest is not None and period is not None and int(str(newest["time"] or 0)) > period.start:
        return newest
    return {
        "time": period.start if period else None,
        "duration": period.duration if period else None,
        "value": _scaled(reading.value, told),
        "quality": reading.qualityFlags,
    }


def _times(desk: Desk, row: Row) -> dict[str, Json]:
    """When the device last updated a reading and said it would next; `late` where it has not."""
    held = desk.beside(row, UPDATE_TIMES)
    told = None if held is None else desk.resource(held, MirrorMeterReading)
    next_at = told.nextUpdateTime if told else None
    return {
        "lastUpdateTime": told.lastUpdateTime if told else None,
        "nextUpdateTime": next_at,
        "late": next_at is not None and next_at < desk.now,
    }


def _values(desk: Desk, row: Row, told: Mapping[str, Json], after: int) -> Iterator[dict[str, Json]]:
    """Values of all ReadingSets and those that were in none, the newest first."""
    in_sets = (
        reading
        for reading_set in desk.items(row, "ReadingSetList", MOST_SETS)
        for reading in _stored(desk, reading_set, after)
    )
    for reading in merge(in_sets, _stored(desk, row, after), key=_time, reverse=True):
        yield {
            "time": reading.time,
            "duration": reading.duration,
            "value": _scaled(reading.value, told),
            "quality": reading.quality,
        }


def _stored(desk: Desk, above: Row, after: int) -> list[StoredReading]:
    """The values of a ReadingSet, or of a MeterReading itself, the newest first; those without time last."""
    stored = desk.reader.readings(above.id, after=after or None, limit=MOST_VALUES_OF_SET)
    return sorted(stored, key=lambda reading: (_time(reading), reading.position), reverse=True)


def _time(reading: StoredReading) -> int:
    return reading.time or 0


def _scaled(value: int | None, told: Mapping[str, Json]) -> int | float | None:
    """A wire value in its unit: times 10^powerOfTenMultiplier, whole where it can be."""
    if value is None:
        return None
    multiplier = told["powerOfTenMultiplier"]
    exact = Decimal(value).scaleb(multiplier if isinstance(multiplier, int) else 0)
    return int(exact) if exact == exact.to_integral_value() else float(exact)
