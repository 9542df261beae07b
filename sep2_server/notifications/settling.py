"""One turn of a notifier in the store: what became of deliveries, and which come next. One transaction."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from schemas.codes import NotificationStatus
from sep2_server.environment import Environment
from sep2_server.location import locate
from sep2_server.notifications.counters import Result
from sep2_server.notifications.ending import drop, end
from sep2_server.notifications.entries import Lane, Owed, Subscribed
from sep2_server.notifications.hosts import Place, place_of
from sep2_server.notifications.posting import Endpoint, address_of_listener
from sep2_server.notifications.rules import retry_at
from sep2_server.rows import Client
from sep2_server.transaction import Transaction

WITHHELD_S: Final = 60
"""How long a notification waits that may not be told for now; it fails no attempt by that."""

BUSY_MS: Final = 1000
"""How long a notification waits that was claimed while another notifier delivers to its subscriber."""

LATER_MS: Final = 100
"""How long a notification waits that was given back, so that nobody claims it again at once."""

MOST_LATER_S: Final = 10.0
"""How long what was given back waits at most."""

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

    @property
    def endpoint(self) -> Endpoint:
        """The listener that it goes to."""
        return address_of_listener(self.subscribed.notification_uri)[0]

    @property
    def lane(self) -> str:
        """Name of its subscriber at its listener: what is told there is told in order."""
        return lane_of(self.subscribed)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a delivery ended; `text` says why it did not arrive.

    `is_alone`: it failed for a reason of its own, so that others of its subscriber need not wait for it.
    `later_ms`: how long it is given back for at least; None: as if it had not been claimed, at a stop.
    """

    delivery: Delivery
    result: Result
    text: str = ""
    is_alone: bool = False
    later_ms: int | None = 0

    @property
    def holds(self) -> bool:
        """Whether what else its subscriber is to be told has to wait until this was told or given up."""
        return self.result is Result.LATER or (self.result is Result.FAILED and not self.is_alone)


@dataclass(frozen=True, slots=True)
class Own:
    """What a notifier itself knows of lanes: those where it has something under way, beside what ended.

    `waits` are those of which something was given back meanwhile, with until when nothing newer is told
    there, ms since 1970 UTC. Where nothing is under way the store knows that.
    """

    busy: frozenset[str] = frozenset()
    waits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn brought: deliveries to be made, how many notifications were given up, and dropped.

    `waits` are those of `Own` for the next turn.
    """

    deliveries: list[Delivery]
    dead: int = 0
    dropped: int = 0
    waits: Mapping[str, int] = field(default_factory=dict)


_NOTHING: Final = Own()


def turn(
    tx: Transaction,
    environment: Environment,
    outcomes: Sequence[Outcome],
    claim: str,
    most: int,
    now_ms: int,
    own: Own = _NOTHING,
) -> Turn:
    """Store the outcomes and claim what is due, at most `most`, for as long as a delivery may take.

    `claim` is the name of the notifier and, behind a dot, that of this claim.
    """
    held: dict[str, int] = {}
    _finish(tx, environment, [one.delivery for one in outcomes if one.result in _FINAL], now_ms)
    others = [one for one in outcomes if one.result not in _FINAL and one.result is not Result.LATER]
    given_up = [one.delivery.subscribed for one in others if _settle(tx, environment, one, now_ms, held)]
    most_dead = environment.settings.dead_letters_per_subscription
    dropped = sum(tx.ledger.shorten_dead(subscribed, most_dead) for subscribed in given_up)
    waits = _give_back(tx, [one for one in outcomes if one.result is Result.LATER], own, now_ms, held)
    over = {one.delivery.lane for one in outcomes} - own.busy
    _leave(tx, over, _notifier_of(claim), waits, held)
    until = now_ms + 1000 * claim_s(environment)
    told = _claimed(tx, claim, most, now_ms, until, waits) if most else []
    parties = {number: _party(tx, environment, number) for number in {one.client_id for _, one in told}}
    deliveries = [Delivery(owed, one, parties[one.client_id]) for owed, one in told]
    waits = {name: until for name, until in waits.items() if name not in over}
    return Turn(deliveries, len(given_up), dropped, waits)


def lane_of(subscribed: Subscribed) -> str:
    """Name of the lane of a subscription: its subscriber at its listener."""
    there = address_of_listener(subscribed.notification_uri)[0]
    return f"{subscribed.client_id} {there.scheme}://{there.host}:{there.port}"


def _notifier_of(claim: str) -> str:
    return claim.partition(".")[0]


def _leave(
    tx: Transaction, over: set[str], mine: str, waits: Mapping[str, int], held: Mapping[str, int]
) -> None:
    """Let others deliver in lanes where a notifier has nothing more, at once or once they have waited."""
    found = tx.ledger.lanes(sorted(over & waits.keys()))
    closed = {
        name: waits[name] for name in over & waits.keys() if name not in found or found[name].claim == mine
    }
    tx.ledger.free_lanes(sorted(over - closed.keys() - held.keys()), mine)
    tx.ledger.put_lanes([Lane(name, None, until) for name, until in (closed | dict(held)).items()])


def _claimed(
    tx: Transaction, claim: str, most: int, now_ms: int, until: int, waits: Mapping[str, int]
) -> list[tuple[Owed, Subscribed]]:
    """Claim what is due in lanes that are free or the notifier's; what failed before comes first.

    Then comes what waits for longest, however often it was given back. The rest of what is due waits until
    its lane is free, each for one more write; what is of no subscription any more is forgotten.
    """
    tx.ledger.forget_lanes(now_ms)
    claimed = tx.ledger.claim(claim, now_ms, until, most)
    mine, lanes = _notifier_of(claim), tx.ledger.lanes(sorted({lane_of(one) for _, one in claimed if one}))
    told: list[tuple[Owed, Subscribed]] = []
    back: dict[int, list[int]] = {}
    for owed, subscribed in claimed:
        if subscribed is None:
            tx.ledger.forget(owed.subscription_id)
            continue
        name = lane_of(subscribed)
        lane, due = lanes.get(name), waits.get(name, 0)
        if lane is not None and lane.until > now_ms and lane.claim != mine:
            due = lane.until if lane.claim is None else now_ms + BUSY_MS
        if due > now_ms:
            back.setdefault(due, []).append(owed.subscription_id)
        else:
            told.append((owed, subscribed))
    for due, ids in back.items():
        tx.ledger.give_back(claim, ids, due)
    tx.ledger.put_lanes([Lane(name, mine, until) for name in sorted({lane_of(one) for _, one in told})])
    return sorted(told, key=lambda one: (one[0].attempts == 0, one[0].first_at))


def _party(tx: Transaction, environment: Environment, end_device_id: int) -> Party | None:
    """A client with who speaks for it, and where the operator lets its notifications go."""
    client = tx.client_of(end_device_id)
    if client is None:
        return None
    aggregator = None if client.aggregator_id is None else tx.client_of(client.aggregator_id)
    allowed = (*environment.settings.notification_hosts, *tx.ledger.places(end_device_id))
    return Party(client, aggregator, tuple(map(place_of, allowed)))


def longest_wait_ms(environment: Environment) -> int:
    """The longest time for which anything in the outbox waits or is claimed, ms."""
    settings = environment.settings
    waits_s = (claim_s(environment), WITHHELD_S, *settings.notification_retry_s)
    return 1000 * max(waits_s) + settings.notification_gap_ms


def claim_s(environment: Environment) -> int:
    """How long a claim holds, s: after that somebody else delivers."""
    return 3 * environment.settings.notification_timeout_s + 30


def _settle(
    tx: Transaction, environment: Environment, outcome: Outcome, now_ms: int, held: dict[str, int]
) -> bool:
    """Store one outcome; True where the notification was given up. `held`: until when lanes wait, ms."""
    owed, subscribed = outcome.delivery.owed, outcome.delivery.subscribed
    match outcome.result:
        case Result.UNWANTED | Result.GONE:
            drop(tx, subscribed.id)
        case Result.LOST:
            _lose(tx, environment, owed, now_ms)
        case Result.WITHHELD:
            tx.ledger.postpone(owed, now_ms + 1000 * WITHHELD_S, owed.attempts, outcome.text)
        case Result.FAILED:
            return _retry(tx, environment, outcome, now_ms, held)
    return False


def _lose(tx: Transaction, environment: Environment, owed: Owed, now_ms: int) -> None:
    """End a subscription to what its client does not see any more, if that is still there and goes on."""
    subscribed = tx.ledger.subscription(owed.subscription_id)
    if subscribed is None:
        return
    target = locate(tx, environment.uris, subscribed.path)
    there = target is not None and target.is_stored
    end(tx, subscribed, NotificationStatus.CANCELED if there else NotificationStatus.DELETED, now_ms)
    tx.ledger.postpone(owed, now_ms, 0, None)


def _give_back(
    tx: Transaction, outcomes: Sequence[Outcome], own: Own, now_ms: int, held: Mapping[str, int]
) -> dict[str, int]:
    """Give back what was not tried, with all of its lane for one moment; until when lanes wait, ms.

    What is newer there waits too, so that nothing is overtaken. `held` are the lanes that wait for another
    attempt.
    """
    latest = now_ms + int(1000 * MOST_LATER_S)
    waits = {name: until for name, until in own.waits.items() if now_ms < until <= latest}
    fresh: dict[str, int] = {}
    for outcome in outcomes:
        owed, name = outcome.delivery.owed, outcome.delivery.lane
        due = held.get(name, owed.due)
        if outcome.later_ms is not None and name not in held:
            soonest = now_ms + max(LATER_MS, outcome.later_ms)
            due = fresh.setdefault(name, max(waits.get(name, 0), soonest))
        tx.ledger.postpone(owed, due, owed.attempts, outcome.text or owed.error)
    return waits | fresh


def _finish(tx: Transaction, environment: Environment, deliveries: Sequence[Delivery], now_ms: int) -> None:
    """Take them out of the outbox, or keep those there of which something changed on their way."""
    kept = tx.ledger.done([delivery.owed for delivery in deliveries])
    for owed in kept:
        tx.ledger.postpone(owed, now_ms + environment.settings.notification_gap_ms, 0, None)
    told_again = {owed.subscription_id for owed in kept}
    for subscribed in (one.subscribed for one in deliveries if one.subscribed.status):
        if subscribed.id not in told_again:
            tx.ledger.forget(subscribed.id)


def _retry(
    tx: Transaction, environment: Environment, outcome: Outcome, now_ms: int, held: dict[str, int]
) -> bool:
    """Let a delivery be made again, or give it up; what changed during its last attempt is owed anew.

    Nothing of it is left where its subscription has gone, or another notifier has it by now.
    """
    owed, subscribed = outcome.delivery.owed, outcome.delivery.subscribed
    attempts = owed.attempts + 1
    due = retry_at(now_ms, attempts, environment.settings.notification_retry_s)
    if due is not None:
        due = held.setdefault(outcome.delivery.lane, due) if outcome.holds else due
        tx.ledger.postpone(owed, due, attempts, outcome.text)
        return False
    waiting = tx.ledger.owed(subscribed.id)
    if waiting is None or waiting.claim != owed.claim:
        return False
    log.warning("Notification of %s to %s is given up: %s", subscribed.path, subscribed.uri, outcome.text)
    tx.ledger.give_up(owed, subscribed, attempts, outcome.text, now_ms // 1000)
    if subscribed.status:
        tx.ledger.forget(subscribed.id)
    elif waiting.revision != owed.revision:
        tx.ledger.owe(subscribed.id, now_ms + environment.settings.notification_gap_ms, now_ms)
    return True
