"""Usage points whose mirror was deleted: they make room for new ones. IEEE 2030.5-2018, 10.11."""

from sep2_server.action import Action
from sep2_server.extra_routes import LATEST_READING, UPDATE_TIMES
from sep2_server.rows import Row, Span
from sep2_server.transaction import Transaction
from sep2_server.uris import Uris


def make_room(action: Action, newest: Row) -> None:
    """Remove the oldest usage points of a device that nothing mirrors, as far as it has too many."""
    tx = action.tx
    points = (
        [] if newest.list_id is None else tx.items_of_owner(newest.list_id, newest.scope, newest.owner_id)
    )
    excess = len(points) - action.environment.settings.usage_points_per_device
    if excess > 0:
        for point in [row for row in points if row.id != newest.id and not _is_mirrored(tx, row)][:excess]:
            remove_usage_point(tx, action.environment.uris, point)


def remove_usage_point(tx: Transaction, uris: Uris, point: Row) -> None:
    """Remove a usage point and all that was mirrored into it."""
    meter_readings = tx.by_href(uris.of("MeterReadingList", (point.id,)))
    if meter_readings is not None:
        for meter_reading in _items(tx, meter_readings):
            _remove_meter_reading(tx, uris, (point.id, meter_reading.id))
            tx.delete(meter_reading)
        tx.delete(meter_readings)
    tx.delete(point)


def _remove_meter_reading(tx: Transaction, uris: Uris, parts: tuple[int, int]) -> None:
    tx.delete_readings(parts[1])
    for kind in ("ReadingType", LATEST_READING, UPDATE_TIMES, "ReadingSetList"):
        below = tx.by_href(uris.of(kind, parts))
        if below is None:
            continue
        for reading_set in _items(tx, below):
            tx.delete_readings(reading_set.id)
            tx.delete(reading_set)
        tx.delete(below)


def _items(tx: Transaction, listed: Row) -> list[Row]:
    """All items of a list: read whole before any of them goes."""
    span = Span(list_id=listed.id)
    return tx.page(span, limit=max(tx.count(span), 1))


def _is_mirrored(tx: Transaction, point: Row) -> bool:
    found = tx.by_mrid(point.mrid or "", kind="MirrorUsagePoint", owner_id=point.owner_id)
    return found is not None
