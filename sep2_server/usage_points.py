"""Usage points whose mirror was deleted: they make room for new ones. IEEE 2030.5-2018, 10.11."""

from typing import Final

from schemas import DER, UsagePoint
from sep2_server.action import Action
from sep2_server.environment import Environment
from sep2_server.extra_routes import ASSOCIATED, METERED
from sep2_server.rows import Row
from sep2_server.transaction import Transaction
from sep2_server.tree import remove_tree

MOST_DERS: Final = 2**31
"""More than a device has."""


def make_room(action: Action, newest: Row) -> None:
    """Remove the oldest usage points of a device that nothing mirrors, as far as it has too many.

    What the operator made is not among them.
    """
    tx, environment = action.tx, action.environment
    points = [] if newest.list_id is None else tx.points_of(newest.owner_id or 0, newest.list_id)
    most = environment.settings.usage_points_per_device
    if len(points) <= most:
        return
    points = [point for point in points if not is_metered(tx, environment, point)]
    excess = len(points) - most
    if excess > 0:
        for point in [row for row in points if row.id != newest.id and not _is_mirrored(tx, row)][:excess]:
            dissociate(tx, environment, point)
            remove_tree(tx, environment.uris, point)


def is_metered(tx: Transaction, environment: Environment, point: Row) -> bool:
    """Whether a usage point is the operator's own, whose readings are those of a meter of the utility."""
    return tx.by_href(environment.uris.of(METERED, (point.id,))) is not None


def is_utility_data(tx: Transaction, environment: Environment, row: Row) -> bool:
    """Whether something at or below a usage point is meter data of the utility, not what a client sent."""
    place = environment.uris.find(row.href)
    is_below = place is not None and place.path.startswith("/upt/")
    return is_below and tx.by_href(environment.uris.of(METERED, place.parts[:1] if place else ())) is not None


def forget_readings(tx: Transaction, environment: Environment, day: int, sets: int) -> int:
    """Forget values that clients sent from before a day (since 1970 UTC), of some sets at most; how many."""

    def is_kept(reading_set_id: int) -> bool:
        row = tx.by_id(reading_set_id)
        return row is not None and is_utility_data(tx, environment, row)

    return tx.forget_readings(day, sets, is_kept)


def dissociate(tx: Transaction, environment: Environment, point: Row) -> None:
    """Take the links to a usage point that goes from the DERs of its device. IEEE 2030.5-2018, 10.10."""
    of, codec = environment.uris.of, environment.codec
    listed = tx.by_href(of("DERList", (point.owner_id,)))
    for der in [] if listed is None else tx.items(listed.id, limit=MOST_DERS):
        row = tx.by_href(of(ASSOCIATED, (point.owner_id, der.id)))
        if row is not None and codec.decode_fragment(row.body, UsagePoint).href == point.href:
            tx.delete(row)
            value: DER = codec.decode_fragment(der.body, DER)
            value.AssociatedUsagePointLink_ = None
            tx.replace(der, der._replace(body=codec.fragment(value)))


def _is_mirrored(tx: Transaction, point: Row) -> bool:
    found = tx.by_mrid(point.mrid or "", kind="MirrorUsagePoint", owner_id=point.owner_id)
    return found is not None
