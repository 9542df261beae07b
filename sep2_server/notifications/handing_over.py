"""What becomes of subscriptions where another client speaks for a device from now on, or none. 10.2.4."""

from collections.abc import Iterator

from schemas.codes import NotificationStatus
from sep2_server.access import viewer_of
from sep2_server.environment import Environment
from sep2_server.location import locate
from sep2_server.notifications.ending import end
from sep2_server.notifications.entries import Subscribed
from sep2_server.notifications.watching import watches_of
from sep2_server.rows import Client
from sep2_server.transaction import Transaction


def hand_over(
    tx: Transaction, environment: Environment, device: Client, former_id: int | None, now: int
) -> None:
    """Let a device wait for what it sees from now on; end what its former aggregator has in its list.

    `device` is as it is now, `former_id` the EndDevice of the one that spoke for it.
    """
    viewer = viewer_of(tx, device.lfdi)
    for subscribed in _live(tx, device.end_device_id):
        target = locate(tx, environment.uris, subscribed.path)
        if target is not None and target.exists:
            since = tx.ledger.since(subscribed.id)
            tx.ledger.put(subscribed, watches_of(tx, environment, viewer, target, subscribed.id, since))
    for subscribed in () if former_id is None else _live(tx, former_id):
        if subscribed.owner_id == device.end_device_id:
            end(tx, subscribed, NotificationStatus.CANCELED, 1000 * now)


def _live(tx: Transaction, client_id: int) -> Iterator[Subscribed]:
    """The subscriptions of a client that wait for something."""
    after = 0
    while page := tx.ledger.subscriptions(client_id=client_id, after=after, limit=1000):
        yield from (one for one in page if not one.status)
        after = page[-1].id
