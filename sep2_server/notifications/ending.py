"""How subscriptions end: with a last notification that says why, or silently. IEEE 2030.5-2018, 14.

The Subscription resource goes at once, so that nobody sees a subscription that is over; what is needed to
tell the client of it stays in the ledger until it was told.
"""

from sep2_server.notifications.entries import Subscribed
from sep2_server.transaction import Transaction


def end(
    tx: Transaction, subscribed: Subscribed, status: int, now_ms: int, moved_to: str | None = None
) -> None:
    """End a subscription and tell the client why (`status` 1 to 4) as soon as may be."""
    if subscribed.status:
        return
    _delete_resource(tx, subscribed.id)
    tx.ledger.end(subscribed.id, status, moved_to)
    tx.ledger.owe_at_once(subscribed.id, now_ms)


def drop(tx: Transaction, subscription_id: int) -> None:
    """Remove a subscription without a word: the client did it, or answered 400. CSIP ERR-002."""
    _delete_resource(tx, subscription_id)
    tx.ledger.forget(subscription_id)


def forget_device(tx: Transaction, end_device_id: int) -> None:
    """Remove the subscriptions in the list of an EndDevice and those that it made elsewhere."""
    for subscription_id in tx.ledger.forget_device(end_device_id):
        _delete_resource(tx, subscription_id)


def _delete_resource(tx: Transaction, subscription_id: int) -> None:
    row = tx.by_id(subscription_id)
    if row is not None:
        tx.delete(row)
