"""One turn of a notifier in the store: what became of deliveries, and which come next. One transaction."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.codes import NotificationStatus
from sep2_server.environment import Environment
from sep2_server.notifications.counters import Result
from sep2_server.notifications.ending import drop, end
from sep2_server.notifications.entries import Owed, Subscribed
from sep2_server.notifications.hosts import Place, place_of
from sep2_server.notifications.rules import retry_at
from sep2_server.rows import Client
from sep2_server.transaction import Transaction

WITHHELD_S: Final = 60
"""How long a notification waits that may not be told for now; it fails no attempt by that."""

LATER_MS: Final = 100
"""How long a notification waits that was given back, so that nobody claims it again at once."""

_FINAL: Final = frozenset({Result.DELIVERED, Result.REFUSED})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Party:
    """Who is notified: its client, the aggregator that speaks for it, and where its listener may be."""

    client: Client
    aggregator: Client | None
    places: tuple[Place, ...]

    @property
    def clients(self) -> tuple[Client, ...]:
        """The client, and its aggregator if it has one: the listener may be of either."""
        return (self.client,) if self.aggregator is None else (self.client, self.aggregator)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notification that a notifier has claimed, the subscription that it is for, and whose that is.

    `party` is None where the client is no longer enrolled.
    """

    owed: Owed
    subscribed: Subscribed
    party: Party | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a delivery ended; `text` says why it did not arrive."""

    delivery: Delivery
    result: Result
    text: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn brought: deliveries to be made, how many notifications were given up, and dropped."""

    deliveries: list[Delivery]
    dead: int = 0
    dropped: int = 0


def turn(
    tx: Transaction,
    environment: Environment,
    outcomes: Sequence[Outcome],
    claim: str,
    most: int,
    now_ms: int,
) -> Turn:
    """Store the outcomes and claim what is due, at most `most`, for as long as a delivery may take."""
    _finish(tx, environment, [one.delivery for one in outcomes if one.result in _FINAL], now_ms)
    others = [one for one in outcomes if one.result not in _FINAL]
    given_up = [one.delivery.subscribed for one in others if _settle(tx, environment, one, now_ms)]
    most_dead = environment.settings.dead_letters_per_subscription
    dropped = sum(tx.ledger.shorten_dead(subscribed, most_dead) for subscribed in given_up)
    until = now_ms + 1000 * claim_s(environment)
    claimed = tx.ledger.claim(claim, now_ms, until, most) if most else []
    told = [(owed, subscribed) for owed, subscribed in claimed if subscribed is not None]
    parties = {number: _party(tx, environment, number) for number in {one.client_id for _, one in told}}
    deliveries = [Delivery(owed, one, parties[one.client_id]) for owed, one in told]
    return Turn(deliveries, len(given_up), dropped)


def _party(tx: Transaction, environment: Environment, end_device_id: int) -> Party | None:
    """A client with who speaks for it, and where the operator lets its notifications go."""
    client = tx.client_of(end_device_id)
    if client is None:
        return None
    aggregator = None if client.aggregator_id is None else tx.client_of(client.aggregator_id)
    allowed = (*environment.settings.notification_hosts, *tx.ledger.places(end_device_id))
    return Party(client, aggregator, tuple(map(place_of, allowed)))


def claim_s(environment: Environment) -> int:
    """How long a claim holds, s: after that somebody else delivers."""
    return 3 * environment.settings.notification_timeout_s + 30


def _settle(tx: Transaction, environment: Environment, outcome: Outcome, now_ms: int) -> bool:
    """Store one outcome; True where the notification was given up."""
    owed, subscribed = outcome.delivery.owed, outcome.delivery.subscribed
    match outcome.result:
        case Result.UNWANTED | Result.GONE:
            drop(tx, subscribed.id)
        case Result.LOST:
            there = tx.by_href(subscribed.path) is not None
            end(tx, subscribed, NotificationStatus.CANCELED if there else NotificationStatus.DELETED, now_ms)
            tx.ledger.postpone(owed, now_ms, 0, None)
        case Result.WITHHELD:
            tx.ledger.postpone(owed, now_ms + 1000 * WITHHELD_S, owed.attempts, outcome.text)
        case Result.LATER:
            tx.ledger.postpone(owed, now_ms + LATER_MS, owed.attempts, owed.error)
        case Result.FAILED:
            return _retry(tx, environment, outcome, now_ms)
    return False


def _finish(tx: Transaction, environment: Environment, deliveries: Sequence[Delivery], now_ms: int) -> None:
    """Take them out of the outbox, or keep those there of which something changed on their way."""
    kept = tx.ledger.done([delivery.owed for delivery in deliveries])
    for owed in kept:
        tx.ledger.postpone(owed, now_ms + environment.settings.notification_gap_ms, 0, None)
    told_again = {owed.subscription_id for owed in kept}
    for subscribed in (one.subscribed for one in deliveries if one.subscribed.status):
        if subscribed.id not in told_again:
            tx.ledger.forget(subscribed.id)


def _retry(tx: Transaction, environment: Environment, outcome: Outcome, now_ms: int) -> bool:
    """Let a delivery be made again, or give it up; what changed during its last attempt is owed anew."""
    owed, subscribed = outcome.delivery.owed, outcome.delivery.subscribed
    attempts = owed.attempts + 1
    due = retry_at(now_ms, attempts, environment.settings.notification_retry_s)
    if due is not None:
        tx.ledger.postpone(owed, due, attempts, outcome.text)
        return False
    log.warning("Notification of %s to %s is given up: %s", subscribed.path, subscribed.uri, outcome.text)
    waiting = tx.ledger.owed(subscribed.id)
    tx.ledger.give_up(owed, subscribed, attempts, outcome.text, now_ms // 1000)
    if subscribed.status:
        tx.ledger.forget(subscribed.id)
    elif waiting is not None and waiting.revision != owed.revision:
        tx.ledger.owe(subscribed.id, now_ms + environment.settings.notification_gap_ms, now_ms)
    return True
