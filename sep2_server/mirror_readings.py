"""What a MirrorMeterReading does to the MeterReading that copies it. IEEE 2030.5-2018, 10.11.

A known ReadingSet is replaced, a new one is added, a bare Reading replaces the former one; a new MeterReading
needs a ReadingType. What a post leaves out stays. lastUpdateTime and nextUpdateTime are kept for operators.
"""

from typing import Final

from function_sets import sort_key
from schemas import (
    IdentifiedObject,
    MeterReading,
    MirrorMeterReading,
    MirrorReadingSet,
    ReadingLink,
    ReadingSetListLink,
    ReadingTypeLink,
)
from sep2_server.access import speaks_for
from sep2_server.action import Action, keep_newest, require_room
from sep2_server.errors import BadRequest, Forbidden, StoreError
from sep2_server.extra_routes import LATEST_READING, UPDATE_TIMES
from sep2_server.rows import EVERYBODY, Row
from sep2_server.stored_readings import stored
from sep2_server.uris import route_named

_NEXT: Final = b"<nextUpdateTime>"
FORBIDDEN: Final = "403"
"""Value of the rule `foreign_reading_mrid`."""


def mirror_reading(action: Action, usage_point: Row, posted: MirrorMeterReading) -> Row:
    """Bring the copy of a MirrorMeterReading up to date; BadRequest for a new one without ReadingType."""
    list_row = _list_below(action, "MeterReadingList", (usage_point.id,))
    known = action.tx.by_mrid(posted.mRID, list_id=list_row.id, owner_id=list_row.owner_id)
    if known is None and posted.ReadingType_ is None:
        raise BadRequest(f"MirrorMeterReading {posted.mRID} is new and has no ReadingType")
    if known is None:
        _require_own_mrid(action, posted.mRID)
        most = action.environment.settings.meter_readings_per_usage_point
        require_room(action, list_row, EVERYBODY, most)
    number = known.id if known else action.tx.next_id()
    parts = (usage_point.id, number)
    _put_beside(action, parts, posted, usage_point.owner_id)
    row = _put_meter_reading(action, list_row, known, number, parts, posted)
    if posted.Reading_ is not None and posted.Reading_.timePeriod is not None:
        action.tx.put_reading(stored(action.environment, row.id, 0, posted.Reading_, action.now), row)
    sets = _set_list(action, parts, usage_point.owner_id)
    for reading_set in posted.MirrorReadingSet_:
        _put_set(action, sets, parts, reading_set)
    if posted.MirrorReadingSet_:
        keep_newest(action, sets, EVERYBODY, action.environment.settings.reading_sets_kept)
    return row


def _put_beside(
    action: Action, parts: tuple[int, int], posted: MirrorMeterReading, owner_id: int | None
) -> None:
    """Store what a post has that stands beside a MeterReading."""
    of, fragment = action.environment.uris.of, action.environment.codec.fragment
    if posted.ReadingType_ is not None:
        href = posted.ReadingType_.href = of("ReadingType", parts)
        _put_single(action, "ReadingType", href, fragment(posted.ReadingType_), owner_id)
    if posted.Reading_ is not None:
        href = posted.Reading_.href = of(LATEST_READING, parts)
        _put_single(action, LATEST_READING, href, fragment(posted.Reading_), owner_id)
    if posted.lastUpdateTime is not None or posted.nextUpdateTime is not None:
        href = of(UPDATE_TIMES, parts)
        _put_single(action, UPDATE_TIMES, href, _times_of(action, href, posted), owner_id)


def kinds_below(posted: MirrorMeterReading) -> list[str]:
    """Kinds of what is beside a MeterReading that a post writes or asks for."""
    kinds = ["ReadingSetList"]
    if posted.ReadingType_ is not None:
        kinds.append("ReadingType")
    if posted.Reading_ is not None:
        kinds.append(LATEST_READING)
    if posted.lastUpdateTime is not None or posted.nextUpdateTime is not None:
        kinds.append(UPDATE_TIMES)
    return kinds


def _put_meter_reading(
    action: Action,
    list_row: Row,
    known: Row | None,
    number: int,
    parts: tuple[int, int],
    posted: MirrorMeterReading,
) -> Row:
    if known is not None and _is_same(known.body, posted):
        return known
    of = action.environment.uris.of
    held = None if known is None else action.environment.codec.decode_fragment(known.body, MeterReading)
    latest = of(LATEST_READING, parts)
    has_latest = posted.Reading_ is not None or (known is not None and b"<ReadingLink " in known.body)
    meter_reading = MeterReading(
        href=of("MeterReading", parts),
        mRID=posted.mRID,
        description=posted.description,
        version=posted.version,
        ReadingLink_=ReadingLink(href=latest) if has_latest else None,
        ReadingSetListLink_=ReadingSetListLink(href=of("ReadingSetList", parts)),
        ReadingTypeLink_=ReadingTypeLink(href=of("ReadingType", parts)),
    )
    if held is not None:
        meter_reading.description = posted.description or held.description
        meter_reading.version = held.version if posted.version is None else posted.version
    body = action.environment.codec.fragment(meter_reading)
    row = Row(number, of("MeterReading", parts), "MeterReading", body=body)
    return _put_item(action, known, _item(list_row, row, meter_reading))


def _is_same(body: bytes, posted: MirrorMeterReading) -> bool:
    """Whether a stored MeterReading has, letter by letter, all that a post says of it."""
    said = [b"<ReadingLink "] if posted.Reading_ is not None else []
    if posted.description:
        said.append(f"<description>{posted.description}</description>".encode())
    if posted.version is not None:
        said.append(b"<version>%d</version>" % posted.version)
    return all(part in body for part in said)


def _put_set(action: Action, list_row: Row, parts: tuple[int, int], posted: MirrorReadingSet) -> None:
    known = action.tx.by_mrid(posted.mRID, list_id=list_row.id, owner_id=list_row.owner_id)
    number = known.id if known else action.tx.next_id()
    of = action.environment.uris.of
    place = (*parts, number)
    href = of("ReadingSet", place)
    body = action.environment.fragments.reading_set(posted, href, of("ReadingList", place))
    item = _item(list_row, Row(number, href, "ReadingSet", body=body), posted)
    row = _put_item(action, known, item)
    for position, reading in enumerate(posted.Reading_):
        reading.href = of("Reading", (*place, position))
    readings = [
        stored(action.environment, row.id, n, one, action.now) for n, one in enumerate(posted.Reading_)
    ]
    action.tx.put_readings(readings, row)


def _item(list_row: Row, row: Row, value: IdentifiedObject) -> Row:
    """A resource as an item of a list whose order is by what `value` says."""
    number, href, kind, *_, body = row
    key = sort_key(route_named(list_row.kind), value)
    return Row(
        number,
        href,
        kind,
        list_id=list_row.id,
        sort_key=key,
        owner_id=list_row.owner_id,
        mrid=value.mRID,
        body=body,
    )


def _put_item(action: Action, known: Row | None, item: Row) -> Row:
    """Store an item of a list, in the place of what is known of it."""
    if known is None:
        return action.tx.insert(item)
    return action.tx.renew(known, known._replace(sort_key=item.sort_key, body=item.body))


def _put_single(action: Action, kind: str, href: str, body: bytes, owner_id: int | None) -> None:
    known = action.tx.by_href(href)
    if known is not None:
        action.tx.renew(known, known._replace(body=body))
    else:
        action.tx.insert(Row(action.tx.next_id(), href, kind, owner_id=owner_id, body=body))


def _times_of(action: Action, href: str, posted: MirrorMeterReading) -> bytes:
    """What a device says of when it last had, and will next have, something to post; or has said before."""
    row = action.tx.by_href(href)
    last, following = posted.lastUpdateTime, posted.nextUpdateTime
    has_all = last is not None and (following is not None or row is None or _NEXT not in row.body)
    if row is not None and not has_all:
        held = action.environment.codec.decode_fragment(row.body, MirrorMeterReading)
        last = held.lastUpdateTime if last is None else last
        following = held.nextUpdateTime if following is None else following
    return action.environment.fragments.update_times(posted.mRID, href, last, following)


def _require_own_mrid(action: Action, mrid: str) -> None:
    """Raise Forbidden for a new MeterReading with the mRID of one of a device of somebody else.

    Where the profile says so. IEEE 2030.5-2018, 10.2.2; CSIP-AUS S-ALL-05.
    """
    if action.environment.rules.foreign_reading_mrid != FORBIDDEN:
        return
    for row in action.tx.all_by_mrid(mrid):
        owner = row.owner_id or 0
        is_held = row.kind == "MeterReading" and action.tx.client_of(owner) is not None
        if is_held and not speaks_for(action.tx, action.viewer, owner):
            raise Forbidden(f"the mRID {mrid} is that of a MeterReading of another client")


def _set_list(action: Action, parts: tuple[int, int], owner_id: int | None) -> Row:
    href = action.environment.uris.of("ReadingSetList", parts)
    row = action.tx.by_href(href)
    if row is not None:
        return row
    return action.tx.insert(Row(action.tx.next_id(), href, "ReadingSetList", owner_id=owner_id))


def _list_below(action: Action, kind: str, parts: tuple[int, ...]) -> Row:
    row = action.tx.by_href(action.environment.uris.of(kind, parts))
    if row is None:
        raise StoreError(f"a {kind} is missing")
    return row
