"""Meter data of the utility in bulk: usage points, meter readings and their values, all or none.

The values of one MeterReading and one day (UTC) are a ReadingSet, whose mRID follows from both: what is sent
again is stored once. Within a set localID counts the intervals in their order. IEEE 2030.5-2018, 10.4.
"""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from schemas import (
    DateTimeInterval,
    Json,
    MeterReading,
    Reading,
    ReadingSet,
    ReadingType,
    ReadingTypeLink,
    Resource,
    UsagePoint,
    json_of,
)
from sep2_server.operator import metering
from sep2_server.operator.desk import ALL, Desk
from sep2_server.operator.errors import BadRequest, Conflict, Refusal
from sep2_server.operator.model import resource_of
from sep2_server.operator.quantities import amount, plain
from sep2_server.operator.requests_metering import INT48, MeterRow
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.operator.tree import Plan, insert_in, insert_item, put_item, put_readings
from sep2_server.rows import Row, full_mrid
from sep2_server.stored_readings import SECONDS_OF_DAY
from sep2_server.usage_points import is_metered, is_utility_data
from sep2_server.versions import next_version

MOST_ROWS: Final = 1000
"""Most values of one call."""
MOST_INTERVALS: Final = 65_536
"""Intervals of a day that localID can count."""
ROLE_FLAGS: Final = "12"
"""Those of a new UsagePoint: the meter of the premises, of revenue quality. 10.4."""
STATUS_ON: Final = 1
NO_LINK: Final = "/"
_DIGITS: Final = 24
Numbered = tuple[int, MeterRow]
Place = tuple[int, int, int]
"""Start, s since 1970 UTC, consumptionBlock and touTier: what tells two values of a set apart."""


class _Undo(Exception):
    """What was tried is not to stay."""


@dataclass(slots=True)
class _Tally:
    """What an import has done, and what is wrong with which item."""

    points: int = 0
    readings: int = 0
    values: int = 0
    problems: list[dict[str, Json]] = field(default_factory=list)

    @contextlib.contextmanager
    def of(self, number: int) -> Iterator[None]:
        """Note a refusal as a problem of one item."""
        try:
            yield
        except Refusal as flaw:
            self.problems.append({"item": number, "detail": flaw.detail, "hint": flaw.hint})


def import_rows(desk: Desk, call: Call) -> Answer:
    """Store up to 1000 values of meters of the utility with the usage points that they need; all or none.

    A JSON list, or one JSON object per line (application/x-ndjson). With `dry_run` nothing is stored.
    """
    if not isinstance(call.body, list) or not 0 < len(call.body) <= MOST_ROWS:
        raise BadRequest(f"body: not a list of 1 to {MOST_ROWS}", "send several requests for more")
    is_trial = call.flag("dry_run")
    tally = _Tally()
    with contextlib.suppress(_Undo), desk.transaction.attempt():
        for items in _by_reading(_rows(call.body, tally)).values():
            _import(desk, items, tally)
        _undo(is_trial=is_trial)
    problems = sorted(tally.problems, key=lambda problem: int(str(problem["item"])))
    if problems and not is_trial:
        raise BadRequest(
            f"{len(tally.problems)} of {len(call.body)} cannot be stored; none was",
            "correct them",
            problems,
        )
    return {
        "points": tally.points,
        "meterReadings": tally.readings,
        "values": tally.values,
        "problems": list(problems),
    }


def _undo(*, is_trial: bool) -> None:
    if is_trial:
        raise _Undo


def _rows(given: Sequence[object], tally: _Tally) -> Iterator[Numbered]:
    for number, item in enumerate(given, 1):
        with tally.of(number):
            yield number, read(MeterRow, item)


def _by_reading(rows: Iterator[Numbered]) -> dict[tuple[str, str, str], list[Numbered]]:
    """The values of each MeterReading."""
    found: dict[tuple[str, str, str], list[Numbered]] = {}
    for number, row in rows:
        key = (row.device, full_mrid(row.point), full_mrid(row.reading))
        found.setdefault(key, []).append((number, row))
    return found


def _import(desk: Desk, items: list[Numbered], tally: _Tally) -> None:
    """Store the values of one MeterReading, as far as they are right."""
    with tally.of(items[0][0]):
        point = _point(desk, items, tally)
        reading, kind = _reading(desk, point, items, tally)
        days: dict[int, dict[Place, Reading]] = {}
        for number, row in items:
            with tally.of(number):
                place = (row.start, row.block or 0, row.tier or 0)
                value = _value(row, kind)
                if days.setdefault(row.start // SECONDS_OF_DAY, {}).setdefault(place, value) is not value:
                    raise Conflict("start: another item is of this time, block and tier", "leave one out")
        for day, values in days.items():
            _put_day(desk, reading, day, values)
            tally.values += len(values)


def _point(desk: Desk, items: list[Numbered], tally: _Tally) -> Row:
    """The UsagePoint of the utility with an mRID, made where there is none."""
    row = items[0][1]
    client = desk.client(row.device)
    given = _given(items, "role_flags", "service")
    known = _known(desk, row.point, metering.USAGE_POINT, client.end_device_id)
    if known is None:
        tally.points += 1
        value = UsagePoint(
            mRID=row.point.upper(),
            version=0,
            roleFlags=str(given.get("role_flags") or ROLE_FLAGS).upper(),
            serviceCategoryKind=int(str(given.get("service") or 0)),
            status=STATUS_ON,
            deviceLFDI=client.lfdi,
        )
        home = desk.reader.by_href(desk.environment.uris.of(metering.USAGE_POINTS))
        if home is None:
            raise Conflict("the database has no UsagePointList", "start the server once")
        return metering.insert_usage_point(desk, home, Plan(value=value))
    if known.owner_id != client.end_device_id:
        raise Conflict(f"UsagePoint: {row.point} is of another device", metering.WHICH_POINT)
    if not is_metered(desk.transaction, desk.environment, known):
        raise Conflict(
            f"UsagePoint: into {row.point} the device mirrors", "give the meter an mRID of its own"
        )
    held = desk.resource(known, UsagePoint)
    _require_same("roleFlags", given.get("role_flags"), held.roleFlags)
    _require_same("serviceCategoryKind", given.get("service"), held.serviceCategoryKind)
    return known


def _reading(desk: Desk, point: Row, items: list[Numbered], tally: _Tally) -> tuple[Row, ReadingType]:
    """The MeterReading of a UsagePoint with an mRID, made where there is none, and its type."""
    row = items[0][1]
    given = _given(items, "reading_type", "description")
    asked = given.get("reading_type")
    kind = None if asked is None else resource_of(ReadingType, asked, "ReadingType")
    known = _known(desk, row.reading, "MeterReading", point.owner_id)
    if known is None:
        if kind is None or kind.uom is None:
            raise BadRequest(f"ReadingType: {row.reading} is new and has no uom", "give uom, as in 72 for Wh")
        tally.readings += 1
        value = MeterReading(
            mRID=row.reading.upper(),
            version=0,
            description=given.get("description"),
            ReadingTypeLink_=ReadingTypeLink(href=NO_LINK),
        )
        plan = Plan(value=value, below={"ReadingType": [Plan(value=kind)]})
        return insert_item(desk, desk.listed(point, "MeterReadingList"), plan), kind
    above = desk.environment.uris.find(known.href)
    if above is None or desk.environment.uris.owner(above) != point.href:
        raise Conflict(f"MeterReading: {row.reading} is of another UsagePoint", metering.WHICH_POINT)
    stored_row = desk.beside(known, "ReadingType")
    stored = ReadingType() if stored_row is None else desk.resource(stored_row, ReadingType)
    for name, wanted in ({} if kind is None else json_of(kind)).items():
        _require_same(f"ReadingType.{name}", wanted, json_of(stored).get(name))
    return known, stored


def _known(desk: Desk, mrid: str, kind: str, owner_id: int | None) -> Row | None:
    """What has an mRID: of a device, or else of the utility for another one; what others mirror is theirs."""
    own = desk.reader.by_mrid(mrid, kind=kind, owner_id=owner_id)
    if own is not None:
        return own
    rows = [row for row in desk.all_by_mrid(mrid) if row.kind == kind]
    return next((row for row in rows if is_utility_data(desk.transaction, desk.environment, row)), None)


def _given(items: list[Numbered], *names: str) -> dict[str, Any]:
    """What the items say of what they have in common. Conflict where two say different things."""
    found: dict[str, Any] = {}
    for _, row in items:
        for name in names:
            value = getattr(row, name)
            if value is not None and found.setdefault(name, value) != value:
                raise Conflict(f"{name}: items of {row.reading} say different things", "say one of them")
    return found


def _require_same(name: str, given: object, held: object) -> None:
    wanted = given.upper().lstrip("0") if isinstance(given, str) else given
    stored = held.upper().lstrip("0") if isinstance(held, str) else held
    if given is not None and wanted != stored:
        raise Conflict(f"{name}: {given} is given, {held} is stored", "change it: lineside op resource put")


def _value(row: MeterRow, kind: ReadingType) -> Reading:
    return Reading(
        consumptionBlock=row.block,
        qualityFlags=row.quality.upper() if row.quality else None,
        timePeriod=DateTimeInterval(start=row.start, duration=row.duration),
        touTier=row.tier,
        value=row.value if isinstance(row.value, int) else _steps(row.value, kind.powerOfTenMultiplier or 0),
    )


def _steps(text: str, power: int) -> int:
    """A value in the unit of its MeterReading as it stands on the wire."""
    try:
        steps = amount(text, "").scaleb(-power)
    except ValueError as flaw:
        raise BadRequest(f"value: {text!r} cannot be read", f"allowed: {flaw}") from flaw
    if steps != steps.to_integral_value() or not -INT48 <= steps <= INT48:
        raise BadRequest(
            f"value: {text} cannot stand on the wire",
            f"allowed: 48 bits in steps of {plain(Decimal(1).scaleb(power))}",
        )
    return int(steps)


def _put_day(desk: Desk, reading: Row, day: int, values: Mapping[Place, Reading]) -> None:
    """Store the values of a day beside those that are there, in the place of those of the same time."""
    mrid = _set_mrid(desk, reading, day)
    known = desk.reader.by_mrid(mrid, list_id=desk.listed(reading, "ReadingSetList").id)
    merged = {**({} if known is None else _held(desk, known)), **values}
    ordered = [merged[place] for place in sorted(merged)]
    starts = sorted({place[0] for place in merged})
    if len(starts) > MOST_INTERVALS:
        raise BadRequest(f"start: {len(starts)} intervals in a day", f"allowed: {MOST_INTERVALS}")
    ids = {start: f"{number:04X}" for number, start in enumerate(starts)}
    numbered: list[Resource] = [
        replace(one, href=None, localID=ids[place[0]])
        for place, one in zip(sorted(merged), ordered, strict=True)
    ]
    end = max(one.timePeriod.start + one.timePeriod.duration for one in ordered if one.timePeriod)
    period = DateTimeInterval(start=starts[0], duration=end - starts[0])
    put_readings(desk, _set(desk, reading, known, mrid, period), numbered)


def _set(desk: Desk, reading: Row, known: Row | None, mrid: str, period: DateTimeInterval) -> Row:
    """The ReadingSet of a day with the time that its values cover."""
    if known is None:
        return insert_in(desk, reading, "ReadingSetList", ReadingSet(mRID=mrid, version=0, timePeriod=period))
    held = desk.resource(known, ReadingSet)
    if held.timePeriod == period:
        return known
    held.timePeriod, held.version = period, next_version(held.version)
    return put_item(desk, known, held)


def _held(desk: Desk, reading_set: Row) -> dict[Place, Reading]:
    """The values of a ReadingSet by what tells them apart."""
    codec = desk.environment.codec
    stored = desk.reader.readings(reading_set.id, limit=ALL)
    values = [codec.decode_fragment(one.body, Reading) for one in stored]
    return {
        (one.timePeriod.start, one.consumptionBlock or 0, one.touTier or 0): one
        for one in values
        if one.timePeriod is not None
    }


def _set_mrid(desk: Desk, reading: Row, day: int) -> str:
    digest = hashlib.sha256(f"{full_mrid(reading.mrid or '')}:{day}".encode()).hexdigest()
    return f"{digest[:_DIGITS].upper()}{desk.environment.settings.pen:08X}"
