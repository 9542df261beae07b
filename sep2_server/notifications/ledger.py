"""What the store knows of subscriptions and notifications; `Ledger` writes, inside a transaction.

`Reader.ledger` and `Transaction.ledger` lead here.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy.sql.expression import ClauseElement

from sep2_server.connection import Connection, Make
from sep2_server.notifications import statements as q
from sep2_server.notifications.entries import DeadLetter, Lane, Match, Owed, Subscribed, Watch
from sep2_server.rows import EVERYBODY
from sep2_server.tables import lane as lane_table
from sep2_server.tables import outbox

T = TypeVar("T")
_Id = TypeVar("_Id", int, str)
_OWED_FIELDS: Final = len(Owed._fields)


class LedgerReader:
    """Questions about subscriptions and notifications."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def has_subscriptions(self) -> bool:
        """Whether there is any."""
        return self._db.number(q.ANY_SUBSCRIPTION) is not None

    def matches(self, after: int, upto: int) -> list[Match]:
        """The subscriptions that the changes behind `after`, up to `upto`, have touched, each once."""
        place = {"after": after, "upto": upto}
        found = dict(self._db.all(_written, q.MATCH_RESOURCES, **place))
        for statement in (q.MATCH_ITEMS, q.MATCH_RIGHTS):
            for subscription_id in self._db.all(_first, statement, **place):
                found.setdefault(subscription_id, False)
        return [Match(*one) for one in sorted(found.items())]

    def subscription(self, subscription_id: int) -> Subscribed | None:
        """The subscription with the row id of its resource."""
        return self._db.one(Subscribed._make, q.SUBSCRIPTION, id=subscription_id)

    def subscriptions_of(self, ids: Sequence[int]) -> dict[int, Subscribed]:
        """Subscriptions by id, of those that are there."""
        found = self._many(Subscribed._make, q.SUBSCRIPTIONS_AT, ids)
        return {subscribed.id: subscribed for subscribed in found}

    def same(self, list_id: int, path: str, notification_uri: str) -> Subscribed | None:
        """The live subscription of a list to the same resource that is notified at the same place."""
        found = self._db.all(
            Subscribed._make, q.IN_LIST, list_id=list_id, path=path, notification_uri=notification_uri
        )
        return next((one for one in found if not one.status), None)

    def since(self, subscription_id: int) -> int | None:
        """The place in the change feed behind which a subscription is told; None: it waits for nothing."""
        return self._db.number(q.SINCE, subscription=subscription_id)

    def count_of(self, client_id: int) -> int:
        """How many subscriptions a client has."""
        return self._db.number(q.COUNT_OF_CLIENT, client_id=client_id) or 0

    def subscriptions(
        self, *, client_id: int | None = None, after: int = 0, limit: int = 100
    ) -> list[Subscribed]:
        """Subscriptions by id, of one client or of all."""
        if client_id is None:
            return self._db.all(Subscribed._make, q.PAGE, after=after, limit=limit)
        return self._db.all(Subscribed._make, q.PAGE_OF_CLIENT, client_id=client_id, after=after, limit=limit)

    def lapsed(self, before: int, limit: int = 100) -> list[Subscribed]:
        """Subscriptions that were renewed last before a time, s since 1970 UTC."""
        return self._db.all(Subscribed._make, q.LAPSED, before=before, limit=limit)

    def owed(self, subscription_id: int) -> Owed | None:
        """The notification that waits for a subscription."""
        return self._db.one(Owed._make, q.OWED, id=subscription_id)

    def all_owed(self, *, after: int = 0, limit: int = 100) -> list[Owed]:
        """Notifications that wait, by subscription."""
        return self._db.all(Owed._make, q.ALL_OWED, after=after, limit=limit)

    def count_owed(self) -> int:
        """How many notifications wait."""
        return self._db.number(q.COUNT_OWED) or 0

    def next_due(self, now_ms: int) -> int | None:
        """When the next notification that nobody delivers is due, ms since 1970 UTC."""
        return self._db.number(q.NEXT_FREE, now=now_ms)

    def dead_letters(
        self, *, client_id: int | None = None, after: int = 0, limit: int = 100
    ) -> list[DeadLetter]:
        """Notifications that were given up, the oldest first."""
        if client_id is None:
            return self._db.all(DeadLetter._make, q.DEAD, after=after, limit=limit)
        return self._db.all(DeadLetter._make, q.DEAD_OF_CLIENT, client_id=client_id, after=after, limit=limit)

    def dead_letter(self, number: int) -> DeadLetter | None:
        """One notification that was given up."""
        return self._db.one(DeadLetter._make, q.ONE_DEAD, id=number)

    def count_dead(self) -> int:
        """How many notifications were given up and not dropped since."""
        return self._db.number(q.COUNT_DEAD) or 0

    def has_dead_before(self, before: int) -> bool:
        """Whether the oldest dead letter was given up before a time, s since 1970 UTC."""
        return any(letter.given_up_at < before for letter in self.dead_letters(limit=1))

    def count_dropped(self, client_id: int = EVERYBODY) -> int:
        """How many dead letters of a client, or of all, were dropped as too many or too old."""
        return self._db.number(q.DROPPED, client_id=client_id) or 0

    def _many(self, make: Make[T], statement: ClauseElement, ids: Sequence[_Id]) -> list[T]:
        """What a statement about `q.TOGETHER` ids, or names, gives for any number of them."""
        found: list[T] = []
        for part in _parts(ids):
            found += self._db.all(make, statement, **_padded(part))
        return found

    def lanes(self, names: Sequence[str]) -> dict[str, Lane]:
        """Lanes by name, of those that are there."""
        return {lane.name: lane for lane in self._many(Lane._make, q.LANES_AT, names)}

    def places(self, client_id: int) -> tuple[str, ...]:
        """Where notifications of a client may go by the operator's word."""
        return tuple(self._db.all(lambda found: str(found[0]), q.PLACES, client_id=client_id))


class Ledger(LedgerReader):
    """Writes about subscriptions and notifications."""

    def put(self, subscribed: Subscribed, watches: list[Watch]) -> None:
        """Store a subscription and what it waits for in the place of the one with the same id."""
        self._db.run(q.DELETE_SUBSCRIPTION, subscription=subscribed.id)
        self._db.run(q.DELETE_WATCHES, subscription=subscribed.id)
        self._db.run(q.INSERT_SUBSCRIPTION, **subscribed._asdict())
        for watch in watches:
            self._db.run(q.INSERT_WATCH, **watch._asdict())

    def see(self, subscription_id: int, seen: str) -> None:
        """Remember what decides whether the next change matters."""
        self._db.run(q.SEE, subscription=subscription_id, now_seen=seen)

    def end(self, subscription_id: int, status: int, moved_to: str | None = None) -> None:
        """Wait for nothing more: what is told last is why."""
        self._db.run(q.DELETE_WATCHES, subscription=subscription_id)
        self._db.run(q.END_SUBSCRIPTION, subscription=subscription_id, new_status=status, new_uri=moved_to)

    def forget(self, subscription_id: int) -> None:
        """Remove a subscription and what is owed to it."""
        self._db.run(q.DELETE_WATCHES, subscription=subscription_id)
        self._db.run(q.DELETE_SUBSCRIPTION, subscription=subscription_id)
        self._db.run(q.DELETE_OWED, subscription=subscription_id)

    def forget_device(self, end_device_id: int) -> list[int]:
        """Remove what belongs to an EndDevice that goes; the ids of the subscriptions that it made.

        Dead letters go too, and where its notifications might go.
        """
        found = self._db.all(Subscribed._make, q.OF_CLIENT_OR_OWNER, end_device_id=end_device_id)
        for subscribed in found:
            self.forget(subscribed.id)
        self._db.run(q.DELETE_DEAD_OF_CLIENT, of_client=end_device_id)
        self._db.run(q.DELETE_DROPPED, of_client=end_device_id)
        self._db.run(q.DELETE_PLACES, of_client=end_device_id)
        return [subscribed.id for subscribed in found]

    def owe(self, subscription_id: int, due: int, now_ms: int) -> None:
        """Put a notification into the outbox, or let the one that waits there stand for this change too."""
        if not self._db.run(q.AGAIN, subscription=subscription_id).rowcount:
            self._insert_owed(subscription_id, due, now_ms)

    def owe_all(self, ids: Sequence[int], due: int, now_ms: int) -> None:
        """As `owe`, for many subscriptions; each is named once."""
        waiting = set(self._many(_first, q.WAITING_AT, ids))
        for subscription_id in waiting:
            self._db.run(q.AGAIN, subscription=subscription_id)
        fresh = [_fresh(number, due, now_ms) for number in ids if number not in waiting]
        self._db.insert_many(outbox, Owed._fields, fresh)

    def owe_at_once(self, subscription_id: int, now_ms: int) -> None:
        """Put a notification into the outbox, due now and with all its attempts."""
        if not self._db.run(q.AT_ONCE, subscription=subscription_id, now=now_ms).rowcount:
            self._insert_owed(subscription_id, now_ms, now_ms)

    def claim(
        self, claim: str, now_ms: int, until_ms: int, most: int
    ) -> list[tuple[Owed, Subscribed | None]]:
        """Take notifications that are due, for nobody else to deliver until a time (ms since 1970 UTC)."""
        self._db.run(q.CLAIM, new_claim=claim, now=now_ms, until=until_ms, most=most)
        return self._db.all(_claimed, q.CLAIMED, claim=claim)

    def give_back(self, claim: str, ids: Sequence[int], due: int) -> None:
        """Give claimed notifications back, to be claimed later (ms since 1970 UTC) as if never claimed."""
        for part in _parts(ids):
            self._db.run(q.GIVE_BACK_AT, of_claim=claim, new_due=due, **_padded(part))

    def hasten(self, now_ms: int, furthest_ms: int) -> int:
        """Make due what waits by a clock that went back since, a few at most; how many.

        Nothing waits or is claimed until after `furthest_ms` by a clock that is right; in ms since 1970 UTC.
        """
        self._db.run(q.DELETE_LANES_AHEAD, furthest=furthest_ms)
        found = set(self._db.all(_first, q.OWED_AHEAD, now=now_ms))
        for statement in (q.DUE_AHEAD, q.CLAIMED_AHEAD):
            found |= set(self._db.all(_first, statement, furthest=furthest_ms))
        for part in _parts(sorted(found)):
            self._db.run(q.HASTEN_AT, new_due=now_ms, **_padded(part))
        return len(found)

    def put_lanes(self, lanes: Sequence[Lane]) -> None:
        """Store lanes, each named once, in the place of those of the same names."""
        for part in _parts([lane.name for lane in lanes]):
            self._db.run(q.DELETE_LANES_AT, **_padded(part))
        self._db.insert_many(lane_table, Lane._fields, lanes)

    def free_lanes(self, names: Sequence[str], claim: str) -> None:
        """Let others deliver in lanes that a notifier has, of those that it does have."""
        for part in _parts(names):
            self._db.run(q.FREE_LANES_AT, of_claim=claim, **_padded(part))

    def forget_lanes(self, now_ms: int) -> None:
        """Forget lanes whose time was over before (ms since 1970 UTC), a few at most."""
        self._db.run(q.DELETE_LAPSED_LANES, now=now_ms)

    def done(self, owed: Sequence[Owed]) -> list[Owed]:
        """Take delivered notifications out of the outbox; those where something changed meanwhile.

        They are of any claims; of one subscription there is one at most.
        """
        kept: list[Owed] = []
        groups: dict[tuple[str | None, int], list[Owed]] = {}
        for one in owed:
            groups.setdefault((one.claim, one.revision), []).append(one)
        for (claim, revision), group in groups.items():
            for part in _parts(group):
                kept += self._done(part, claim, revision)
        return kept

    def postpone(self, owed: Owed, due: int, attempts: int, error: str | None) -> None:
        """Give a claimed notification back, to be delivered later (ms since 1970 UTC)."""
        self._db.run(
            q.POSTPONE,
            subscription=owed.subscription_id,
            of_claim=owed.claim,
            new_due=due,
            new_attempts=attempts,
            new_error=error,
        )

    def give_up(self, owed: Owed, subscribed: Subscribed, attempts: int, error: str, now: int) -> None:
        """Move a notification from the outbox to the dead letters; `now` in s since 1970 UTC."""
        self._db.run(q.DELETE_OWED, subscription=subscribed.id)
        self._db.run(
            q.INSERT_DEAD,
            new_subscription_id=subscribed.id,
            new_client_id=subscribed.client_id,
            new_resource=subscribed.resource,
            new_notification_uri=subscribed.notification_uri,
            new_status=subscribed.status,
            new_attempts=attempts,
            new_error=error,
            new_first_at=owed.first_at // 1000,
            new_given_up_at=now,
        )

    def drop_dead(self, number: int) -> None:
        """Forget a dead letter."""
        self._db.run(q.DELETE_DEAD, dead=number)

    def shorten_dead(self, subscribed: Subscribed, kept: int) -> int:
        """Drop dead letters of a subscription but the newest, `q.TOGETHER` at most; how many."""
        found = self._db.all(_first, q.OLD_DEAD, subscription=subscribed.id, kept=kept)
        self._drop(dict.fromkeys(found, subscribed.client_id))
        return len(found)

    def drop_old_dead(self, before: int) -> int:
        """Drop the oldest dead letters, given up before a time (s since 1970 UTC); how many, few at most."""
        oldest = self.dead_letters(limit=q.TOGETHER)
        found = {letter.id: letter.client_id for letter in oldest if letter.given_up_at < before}
        self._drop(found)
        return len(found)

    def _drop(self, letters: Mapping[int, int]) -> None:
        """Drop dead letters, of which the clients are told, and count that."""
        if not letters:
            return
        self._db.run(q.DELETE_DEAD_AT, **_padded(list(letters)))
        for client_id, more in (Counter(letters.values()) + Counter({EVERYBODY: len(letters)})).items():
            if not self._db.run(q.ADD_DROPPED, of_client=client_id, more=more).rowcount:
                self._db.run(q.INSERT_DROPPED, client_id=client_id, amount=more)

    def allow(self, client_id: int, place: str) -> None:
        """Let notifications of a client go to a place."""
        self.disallow(client_id, place)
        self._db.run(q.INSERT_PLACE, client_id=client_id, place=place)

    def disallow(self, client_id: int, place: str) -> bool:
        """No longer let notifications of a client go to a place; False where they could not."""
        return bool(self._db.run(q.DELETE_PLACE, of_client=client_id, of_place=place).rowcount)

    def _done(self, owed: Sequence[Owed], claim: str | None, revision: int) -> list[Owed]:
        ids = [one.subscription_id for one in owed]
        done = self._db.run(q.DONE_AT, of_claim=claim, of_revision=revision, **_padded(ids)).rowcount
        if done == len(owed):
            return []
        waiting = set(self._many(_first, q.WAITING_AT, ids))
        return [one for one in owed if one.subscription_id in waiting]

    def _insert_owed(self, subscription_id: int, due: int, now_ms: int) -> None:
        self._db.run(q.INSERT_OWED, **_fresh(subscription_id, due, now_ms)._asdict())


def _fresh(subscription_id: int, due: int, now_ms: int) -> Owed:
    return Owed(subscription_id, due, now_ms, 0, 1, None, 0, None)


def _parts(things: Sequence[T]) -> Iterator[Sequence[T]]:
    """The things in groups of what one statement is about."""
    for first in range(0, len(things), q.TOGETHER):
        yield things[first : first + q.TOGETHER]


def _padded(ids: Sequence[_Id]) -> dict[str, _Id]:
    return {f"i{n}": ids[min(n, len(ids) - 1)] for n in range(q.TOGETHER)}


def _first(found: tuple[Any, ...]) -> int:
    return int(found[0])


def _written(found: tuple[Any, ...]) -> tuple[int, bool]:
    return int(found[0]), found[1] == 0


def _claimed(found: tuple[Any, ...]) -> tuple[Owed, Subscribed | None]:
    told = found[_OWED_FIELDS:]
    return Owed._make(found[:_OWED_FIELDS]), None if told[0] is None else Subscribed._make(told)
