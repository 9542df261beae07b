"""From changes to what is owed: one step of the matcher, inside one transaction of the store."""

from typing import Final

from schemas.codes import NotificationStatus
from sep2_server.access import Viewer, viewer_of
from sep2_server.environment import Environment
from sep2_server.location import Target, locate
from sep2_server.notifications.ending import drop, end
from sep2_server.notifications.entries import CONSUMER, Match, Subscribed
from sep2_server.notifications.rules import crosses, sight
from sep2_server.notifications.watching import (
    hangs_on_programs,
    programs_seen,
    value_at,
    watches_of,
    watches_others,
)
from sep2_server.transaction import Transaction

KEPT_BEHIND: Final = 10_000
"""Changes that touched nobody may be read again after a restart, at most this many."""


def match(tx: Transaction, environment: Environment, scanned: int, upto: int, now_ms: int) -> int:
    """Owe a notification to each subscription that new changes, up to `upto`, have touched.

    New is what is behind the durable cursor and behind `scanned`, up to where this process knows that
    nothing else is to be done. Cursor and outbox move together, so that no change is lost or told again
    by a matcher that starts anew. How many subscriptions were touched.
    """
    ledger = tx.ledger
    cursor = tx.consumers().get(CONSUMER, 0)
    after = max(cursor, scanned)
    if after >= upto:
        return 0
    found = ledger.matches(after, upto)
    held = ledger.subscriptions_of([one.subscription_id for one in found])
    look = _Look(tx, environment)
    owed = [
        one.subscription_id
        for one in found
        if one.subscription_id in held and _is_owed(look, held[one.subscription_id], one, now_ms)
    ]
    ledger.owe_all(owed, now_ms + environment.settings.notification_gap_ms, now_ms)
    if found or upto > cursor + KEPT_BEHIND:
        tx.put_consumer(CONSUMER, upto)
    return len(found)


def begin(tx: Transaction, now_ms: int) -> int:
    """The place in the change feed to go on from. Where changes were forgotten, everybody is told anew."""
    last = tx.last_change()
    if retire(tx):
        return last
    cursor = tx.consumers().get(CONSUMER)
    if cursor is not None and cursor + 1 >= (tx.first_change() or 1):
        return cursor
    if cursor is not None:
        _owe_all(tx, now_ms)
    tx.put_consumer(CONSUMER, last)
    return last


def retire(tx: Transaction) -> bool:
    """Keep no changes for subscriptions where there are none; whether there are none."""
    if tx.ledger.has_subscriptions():
        return False
    tx.delete_consumer(CONSUMER)
    return True


def lapse(tx: Transaction, before: int, now_ms: int) -> int:
    """End subscriptions that were renewed last before a time (s since 1970 UTC); how many."""
    found = tx.ledger.lapsed(before)
    for subscribed in found:
        end(tx, subscribed, NotificationStatus.CANCELED, now_ms)
    return len(found)


def _owe_all(tx: Transaction, now_ms: int) -> None:
    after = 0
    while page := tx.ledger.subscriptions(after=after, limit=1000):
        for subscribed in page:
            tx.ledger.owe(subscribed.id, now_ms, now_ms)
        after = page[-1].id


class _Look:
    """Clients and resources as one step of the matcher finds them: each is asked for once."""

    def __init__(self, tx: Transaction, environment: Environment) -> None:
        self.tx = tx
        self.environment = environment
        self._lfdis: dict[int, str | None] = {}
        self._viewers: dict[str, Viewer] = {}
        self._targets: dict[str, Target | None] = {}

    def lfdi(self, end_device_id: int) -> str | None:
        """LFDI of a client by its EndDevice; None where it is no longer enrolled."""
        if end_device_id not in self._lfdis:
            client = self.tx.client_of(end_device_id)
            self._lfdis[end_device_id] = None if client is None else client.lfdi
        return self._lfdis[end_device_id]

    def viewer(self, lfdi: str) -> Viewer:
        """The rights of a client."""
        if lfdi not in self._viewers:
            self._viewers[lfdi] = viewer_of(self.tx, lfdi)
        return self._viewers[lfdi]

    def target(self, path: str) -> Target | None:
        """What stands at a path."""
        if path not in self._targets:
            self._targets[path] = locate(self.tx, self.environment.uris, path)
        return self._targets[path]


def _is_owed(look: _Look, subscribed: Subscribed, found: Match, now_ms: int) -> bool:
    """Whether a subscription is to be told; one to what is not there any more ends."""
    if subscribed.status:
        return False
    lfdi, target = look.lfdi(subscribed.client_id), look.target(subscribed.path)
    if lfdi is None:
        drop(look.tx, subscribed.id)
        return False
    if target is None or (found.is_gone and not target.is_stored):
        end(look.tx, subscribed, NotificationStatus.DELETED, now_ms)
        return False
    return _matters(look, subscribed, target, lfdi, is_new=found.is_gone)


def _matters(look: _Look, subscribed: Subscribed, target: Target, lfdi: str, *, is_new: bool) -> bool:
    """Whether a change is one that the client wants to hear of; remembers what decides the next time.

    `is_new`: something that the subscription waits for was deleted, and may be there under another id.
    """
    tx, environment = look.tx, look.environment
    seen, matters = subscribed.seen, True
    if subscribed.low is not None and subscribed.high is not None:
        value = value_at(tx, environment, target)
        matters = value is not None and crosses(seen, value, subscribed.low, subscribed.high)
        seen = seen if value is None else sight(value, subscribed.low, subscribed.high)
    elif hangs_on_programs(target.route) and target.row is not None:
        seen = programs_seen(tx, target.row, look.viewer(lfdi).scope)
        matters = is_new = seen != subscribed.seen
    if is_new or watches_others(target.route):
        watches = watches_of(tx, environment, look.viewer(lfdi), target, subscribed.id)
        tx.ledger.put(subscribed._replace(seen=seen), watches)
    elif seen is not None and seen != subscribed.seen:
        tx.ledger.see(subscribed.id, seen)
    return matters
