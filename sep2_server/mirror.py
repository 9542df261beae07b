"""Mirror usage points: devices post readings, everybody who may reads them as usage points.

IEEE 2030.5-2018, 10.11 (Metering Mirror). A MirrorUsagePoint and the UsagePoint that copies it share the
mRID, which is for life. Deleting the mirror ends the posting; what was mirrored stays readable until it has
to make room.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from function_sets import sort_key
from schemas import (
    MeterReadingListLink,
    MirrorMeterReading,
    MirrorMeterReadingList,
    MirrorUsagePoint,
    UsagePoint,
)
from sep2_server.access import scope_of, speaks_for
from sep2_server.action import Action, add_item, put_value, require_room, updated_by_post
from sep2_server.end_devices import devices_of
from sep2_server.environment import Environment
from sep2_server.errors import BadRequest, Forbidden, NotFound
from sep2_server.messages import NO_CONTENT, Answer, created
from sep2_server.mirror_readings import kinds_below, mirror_reading
from sep2_server.rows import Client, Role, Row, full_mrid
from sep2_server.run_time import post_rate_of
from sep2_server.unit import Unit
from sep2_server.uris import route_named
from sep2_server.usage_points import is_metered, make_room
from sep2_server.want import Want

READING_ANSWERS: Final[Mapping[str, Answer]] = {"201": Answer(201), "204": NO_CONTENT}
"""Answers to readings by the rule `reading_post`; the others have the Location of what was made of them."""


def post_usage_point(action: Action) -> Answer:
    """Make a mirror, or overwrite the one of the same device with this mRID."""
    posted: MirrorUsagePoint = action.value
    device = _device_of(action, posted)
    readings = posted.MirrorMeterReading_
    known = action.tx.by_mrid(posted.mRID, kind="MirrorUsagePoint", owner_id=device.end_device_id)
    if known is not None:
        _overwrite(action, known, posted)
        answer = updated_by_post(action, known)
    else:
        answer = created(_add(action, device, posted).href)
    copy = _copy(action, device, posted)
    for reading in readings:
        mirror_reading(action, copy, reading)
    return answer


def post_readings(action: Action) -> Answer:
    """Take one MirrorMeterReading, or a list of them, or a new version of the mirror itself."""
    row = action.row
    if isinstance(action.value, MirrorUsagePoint):
        return put_usage_point(action)
    several = isinstance(action.value, MirrorMeterReadingList)
    readings: list[MirrorMeterReading] = action.value.MirrorMeterReading_ if several else [action.value]
    copy = _copy_of(action, row)
    places = [mirror_reading(action, copy, reading) for reading in readings]
    answer = created(copy.href if several or not places else places[0].href)
    return READING_ANSWERS.get(action.environment.rules.reading_post, answer)


def put_usage_point(action: Action) -> Answer:
    """Overwrite a mirror and, where the body has any, add its readings."""
    row, posted = action.row, action.value
    if not isinstance(posted, MirrorUsagePoint):
        raise BadRequest("a MirrorUsagePoint is what may be put here")
    device = _device_of(action, posted)
    if device.end_device_id != row.owner_id:
        raise Forbidden("deviceLFDI is not that of the MirrorUsagePoint")
    if full_mrid(posted.mRID) != row.mrid:
        raise BadRequest("the mRID of a MirrorUsagePoint is for life")
    readings = posted.MirrorMeterReading_
    _overwrite(action, row, posted)
    copy = _copy(action, device, posted)
    for reading in readings:
        mirror_reading(action, copy, reading)
    return NO_CONTENT


def delete_usage_point(action: Action) -> Answer:
    """Stop mirroring; the usage point and its readings stay."""
    action.tx.delete(action.row)
    return NO_CONTENT


def wanted(environment: Environment, row: Row, posted: object, unit: Unit) -> Iterator[Want]:
    """What readings will ask the store for: the usage point, the meter readings and sets with their mRIDs."""
    readings = posted.MirrorMeterReading_ if isinstance(posted, MirrorMeterReadingList) else [posted]
    readings = [one for one in readings if isinstance(one, MirrorMeterReading)]
    mrids = [row.mrid or "", *(one.mRID for one in readings)]
    mrids += [reading_set.mRID for one in readings for reading_set in one.MirrorReadingSet_]
    yield Want(names=[(mrid, row.owner_id) for mrid in mrids])
    points = [p for p in unit.rows_named(row.mrid or "", row.owner_id) if p.kind == "UsagePoint"]
    hrefs: list[str] = []
    for point in points:
        hrefs += _beside(environment, point, readings, unit)
    yield Want(hrefs=hrefs, ids=_new_sets(row, readings, unit))


def _beside(
    environment: Environment, point: Row, readings: list[MirrorMeterReading], unit: Unit
) -> list[str]:
    """URIs of the meter readings of a usage point, and of what readings write beside those that are known."""
    of = environment.uris.of
    hrefs = [of("MeterReadingList", (point.id,))]
    for one in readings:
        for held in unit.rows_named(one.mRID, point.owner_id):
            if held.kind == "MeterReading":
                parts = (point.id, held.id)
                hrefs += [of(kind, parts) for kind in kinds_below(one)]
    return hrefs


def _new_sets(mirror: Row, readings: list[MirrorMeterReading], unit: Unit) -> int:
    """How many ReadingSets a post has that the device has not posted before."""
    number = 0
    for one in readings:
        for reading_set in one.MirrorReadingSet_:
            number += not unit.rows_named(reading_set.mRID, mirror.owner_id)
    return number


def _device_of(action: Action, posted: MirrorUsagePoint) -> Client:
    """The device that a mirror is for; Forbidden for one that the client does not speak for."""
    device = action.tx.client(posted.deviceLFDI.upper())
    if device is None or not speaks_for(action.tx, action.viewer, device.end_device_id):
        raise Forbidden("deviceLFDI is not one that the client speaks for")
    return device


def _add(action: Action, device: Client, posted: MirrorUsagePoint) -> Row:
    environment = action.environment
    rate = post_rate_of(action.tx, environment, "MirrorUsagePoint")
    list_row = action.list_row()
    scope = scope_of(device)
    is_alone = scope == device.end_device_id and device.role != Role.AGGREGATOR
    devices = 1 if is_alone else devices_of(action.tx, environment, scope)
    require_room(action, list_row, scope, environment.settings.mirror_usage_points_per_device * devices)
    return add_item(action, list_row, _first_level(action, posted, rate), owner_id=device.end_device_id)


def _overwrite(action: Action, row: Row, posted: MirrorUsagePoint) -> None:
    stored: MirrorUsagePoint = action.environment.codec.decode_fragment(row.body, MirrorUsagePoint)
    rate = stored.postRate or post_rate_of(action.tx, action.environment, "MirrorUsagePoint")
    put_value(action, row, _first_level(action, posted, rate))


def _first_level(action: Action, posted: MirrorUsagePoint, post_rate_s: int) -> MirrorUsagePoint:
    """What a GET of a mirror shows: no readings, and the rate that the server wants."""
    return MirrorUsagePoint(
        mRID=posted.mRID,
        description=posted.description,
        version=posted.version,
        roleFlags=posted.roleFlags,
        serviceCategoryKind=posted.serviceCategoryKind,
        status=posted.status,
        deviceLFDI=posted.deviceLFDI.upper(),
        postRate=post_rate_s,
    )


def _copy(action: Action, device: Client, posted: MirrorUsagePoint) -> Row:
    """The UsagePoint that copies a mirror, made or brought up to date."""
    tx, environment = action.tx, action.environment
    known = tx.by_mrid(posted.mRID, kind="UsagePoint", owner_id=device.end_device_id)
    if known is not None and is_metered(tx, environment, known):
        raise Forbidden("the mRID is that of a UsagePoint of the utility")
    number = known.id if known else tx.next_id()
    usage_point = UsagePoint(
        href=environment.uris.of("UsagePoint", (number,)),
        mRID=posted.mRID,
        description=posted.description,
        version=posted.version,
        roleFlags=posted.roleFlags,
        serviceCategoryKind=posted.serviceCategoryKind,
        status=posted.status,
        deviceLFDI=device.lfdi,
        MeterReadingListLink_=MeterReadingListLink(href=environment.uris.of("MeterReadingList", (number,))),
    )
    if known is not None:
        return put_value(action, known, usage_point)
    list_row = tx.by_href(environment.uris.of("UsagePointList"))
    kind = "MeterReadingList"
    tx.insert(Row(tx.next_id(), environment.uris.of(kind, (number,)), kind, owner_id=device.end_device_id))
    row = tx.insert(
        Row(
            number,
            usage_point.href or "",
            "UsagePoint",
            list_id=list_row.id if list_row else None,
            scope=scope_of(device),
            sort_key=sort_key(route_named("UsagePointList"), usage_point),
            owner_id=device.end_device_id,
            mrid=posted.mRID,
            body=environment.codec.fragment(usage_point),
        )
    )
    make_room(action, row)
    return row


def _copy_of(action: Action, mirror: Row) -> Row:
    copy = action.tx.by_mrid(mirror.mrid or "", kind="UsagePoint", owner_id=mirror.owner_id)
    if copy is None:
        raise NotFound(f"{mirror.href} has no usage point")
    return copy
