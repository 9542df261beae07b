"""Usage points whose mirror was deleted: they make room for new ones. IEEE 2030.5-2018, 10.11."""

from sep2_server.action import Action
from sep2_server.environment import Environment
from sep2_server.extra_routes import METERED
from sep2_server.rows import Row
from sep2_server.transaction import Transaction
from sep2_server.tree import remove_tree


def make_room(action: Action, newest: Row) -> None:
    """Remove the oldest usage points of a device that nothing mirrors, as far as it has too many.

    What the operator made is not among them.
    """
    tx, environment = action.tx, action.environment
    points = (
        [] if newest.list_id is None else tx.items_of_owner(newest.list_id, newest.scope, newest.owner_id)
    )
    points = [point for point in points if not is_metered(tx, environment, point)]
    excess = len(points) - environment.settings.usage_points_per_device
    if excess > 0:
        for point in [row for row in points if row.id != newest.id and not _is_mirrored(tx, row)][:excess]:
            remove_tree(tx, environment.uris, point)


def is_metered(tx: Transaction, environment: Environment, point: Row) -> bool:
    """Whether a usage point is the operator's own, whose readings are those of a meter of the utility."""
    return tx.by_href(environment.uris.of(METERED, (point.id,))) is not None


def _is_mirrored(tx: Transaction, point: Row) -> bool:
    found = tx.by_mrid(point.mrid or "", kind="MirrorUsagePoint", owner_id=point.owner_id)
    return found is not None
