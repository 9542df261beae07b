"""Which subscriptions a client should have, which it has, and what a Notification means. Pure; no IO.

IEEE 2030.5-2018, 14; CSIP P31, P32, P46, P47.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from der_client.list_pages import items_of, page_all
from der_client.timetable import Timetable
from schemas import (
    DefaultDERControl,
    DERControlList,
    DERProgramList,
    EndDevice,
    EndDeviceList,
    Event,
    FunctionSetAssignmentsList,
    Notification,
    Resource,
    Subscription,
)
from schemas.codes import NotificationStatus, SubscribableType

TOPICS: Final = (
    DefaultDERControl,
    DERControlList,
    DERProgramList,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignmentsList,
)
"""What changes in a way that a client must hear of soon."""
TOLD: Final = frozenset({SubscribableType.UNCONDITIONAL, SubscribableType.BOTH})
LEVEL: Final = "+S1"
XML: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A resource to subscribe to, and the SubscriptionList that the Subscription goes to."""

    href: str
    type: type[Resource]
    list_href: str


class Meaning(Enum):
    """What a Notification asks of the client."""

    USE = "use the resource in it"
    FETCH = "read the resource"
    GONE = "the subscription has ended"
    MOVED = "the resource is elsewhere"
    UNUSABLE = "answer 400"


@dataclass(slots=True, kw_only=True)
class Kept:
    """A topic with its subscription, if there is one, at `uri`; it may be gone where there is a doubt.

    `renew_s` is when it is to be posted anew, local, s; None where it has not been posted.
    """

    topic: Topic
    uri: str | None = None
    failures: int = 0
    is_in_doubt: bool = False
    renew_s: float | None = None


Wish = Callable[[Topic], Subscription]
"""Makes the Subscription that is wanted for a topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """`renew_s`: a subscription is posted anew so often; `again_s`: pause before one that ended is, s."""

    renew_s: float
    again_s: float


class Subscriptions:
    """The subscriptions of one client; one task owns them. Times are local, s."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._kept: dict[str, Kept] = {}
        self._by_path: dict[str, str] = {}
        self._timetable = Timetable()
        self._looks = Timetable()
        self._looked: set[str] = set()
        self._former: dict[str, float] = {}
        self._leavers: list[str] = []

    def recall(self, former: Mapping[str, float]) -> None:
        """Take when subscriptions of the last run are to be renewed, local, s, by the resource."""
        self._former = dict(former)

    def wish(self, topics: Iterable[Topic], now: float) -> None:
        """Take what should be subscribed to; what is not among it any more is to be ended."""
        wanted = {topic.href: topic for topic in topics if topic.href}
        for href in self._kept.keys() - wanted.keys():
            self._leave(href)
        for href, topic in wanted.items():
            known = self._kept.get(href)
            if known is None:
                is_known = topic.list_href in self._looked
                self._kept[href] = Kept(topic=topic, renew_s=self._former.pop(href, None))
                self._by_path[path_of(href)] = href
                self._timetable.put(href, now if is_known else math.inf)
                if not is_known and not self._looks.holds(topic.list_href):
                    self._looks.put(topic.list_href, now)
                continue
            if known.topic.list_href != topic.list_href:
                self._timetable.put(href, now)
            known.topic = topic

    def next_look(self, now: float) -> str | None:
        """The SubscriptionList to be read now, before anything is posted to it."""
        due_s, list_href = self._looks.first()
        return list_href if due_s <= now else None

    def look_later(self, list_href: str, now: float, wait_s: float) -> None:
        """Put off reading a SubscriptionList."""
        self._looks.put(list_href, now + wait_s)

    def looked(self, list_href: str, found: Iterable[Subscription], wish: Wish, now: float) -> list[Topic]:
        """Take what a SubscriptionList holds: the topics whose subscriptions are there, as wished for.

        The others are to be posted, those that are there when they are to be renewed. Of several to one
        resource one is kept, the others are to be ended.
        """
        self._looks.drop(list_href)
        self._looked.add(list_href)
        there: dict[str, list[Subscription]] = {}
        for one in found:
            there.setdefault(path_of(one.subscribedResource), []).append(one)
        confirmed = []
        for href, kept in self._kept.items():
            if kept.topic.list_href != list_href or (kept.uri is not None and not kept.is_in_doubt):
                continue
            same = [one.href for one in there.get(path_of(href), ()) if is_wished(one, wish(kept.topic))]
            uri = self._confirm(kept, [uri for uri in same if uri])
            if uri is not None:
                confirmed.append(kept.topic)
            due_s = kept.renew_s if uri is not None and kept.renew_s is not None else now
            self._timetable.put(href, due_s)
        return confirmed

    def _confirm(self, kept: Kept, same: list[str]) -> str | None:
        """Hold one of these subscriptions, which are all to the same; the others are to be ended."""
        if not same:
            return None
        known = [uri for uri in same if kept.uri and path_of(uri) == path_of(kept.uri)]
        kept.uri = (known or same)[0]
        kept.failures, kept.is_in_doubt = 0, False
        self._leavers += [uri for uri in same if uri != kept.uri]
        return kept.uri

    def next(self, now: float) -> Topic | None:
        """What to subscribe to, or to renew, now."""
        due_s, href = self._timetable.first()
        return self._kept[href].topic if href is not None and due_s <= now else None

    def leavers(self) -> Iterator[str]:
        """URIs of subscriptions to end; each is given once."""
        while self._leavers:
            yield self._leavers.pop()

    def wait_s(self, now: float) -> float | None:
        """Time until something is to be posted or read, s; None for never."""
        due_s = min(self._timetable.first()[0], self._looks.first()[0])
        return None if math.isinf(due_s) else max(0.0, due_s - now)

    def subscribed(self, href: str, uri: str | None, now: float) -> bool:
        """Take note of a subscription, at `uri`; True if there may have been none until now."""
        kept = self._kept.get(href)
        if kept is None:
            return False
        is_new = kept.uri is None or kept.is_in_doubt
        if uri and kept.uri and path_of(uri) != path_of(kept.uri):
            self._leavers.append(kept.uri)
        kept.uri, kept.failures, kept.is_in_doubt = uri or kept.uri or "", 0, False
        kept.renew_s = now + self._pace.renew_s
        self._timetable.put(href, kept.renew_s)
        return is_new

    def failed(self, href: str, now: float, wait_s: float) -> int:
        """Put a topic off; how often it failed in a row."""
        kept = self._kept.get(href)
        if kept is None:
            return 0
        kept.failures += 1
        self._timetable.put(href, now + wait_s)
        return kept.failures

    def refused(self, href: str, now: float) -> None:
        """The server does not take this subscription: try again when it would have been renewed."""
        if href in self._kept:
            self._kept[href].uri = None
            self._timetable.put(href, now + self._pace.renew_s)

    def ended(self, href: str, now: float) -> None:
        """A subscription is not there any more: post it again after a pause."""
        if href in self._kept:
            self._kept[href].uri = None
            self._timetable.put(href, now + self._pace.again_s)

    def doubt_all(self, now: float, spread: Callable[[], float]) -> None:
        """Look within a while which subscriptions are there: the server was away and may have lost them."""
        for href, kept in self._kept.items():
            kept.is_in_doubt = True
            self._timetable.put(href, math.inf)
        for list_href in {kept.topic.list_href for kept in self._kept.values()}:
            self._looked.discard(list_href)
            self._looks.put(list_href, now + spread() * self._pace.again_s)

    def surprised(self, href: str, now: float) -> bool:
        """A poll found a change: unless it is told of soon, the subscription is posted anew. True if held."""
        kept = self._kept.get(href)
        if kept is None or kept.uri is None or kept.is_in_doubt:
            return False
        kept.is_in_doubt = True
        self._timetable.put(href, now + self._pace.again_s)
        return True

    def heard(self, href: str, now: float) -> None:
        """A Notification came: the subscription is there."""
        kept = self._kept.get(href)
        if kept is not None and kept.uri is not None and kept.is_in_doubt:
            kept.is_in_doubt = False
            self._timetable.put(href, now + self._pace.renew_s if kept.renew_s is None else kept.renew_s)

    def is_held(self, href: str) -> bool:
        """True while the server tells of changes of this resource."""
        kept = self._kept.get(href)
        return kept is not None and kept.uri is not None

    def held(self) -> Mapping[str, str]:
        """URI of each subscription by the resource that it is to."""
        return {href: kept.uri for href, kept in self._kept.items() if kept.uri is not None}

    def renewals(self) -> Mapping[str, float]:
        """When each subscription is to be renewed, local, s, by the resource that it is to."""
        return {
            href: kept.renew_s
            for href, kept in self._kept.items()
            if kept.uri is not None and kept.renew_s is not None
        }

    def topic_of(self, resource: str) -> Topic | None:
        """The topic that a Notification's subscribedResource names, whatever host it names."""
        href = self._by_path.get(path_of(resource))
        kept = self._kept.get(href) if href is not None else None
        return kept.topic if kept is not None else None

    def _leave(self, href: str) -> None:
        kept = self._kept.pop(href)
        self._by_path.pop(path_of(href), None)
        self._timetable.drop(href)
        if kept.uri:
            self._leavers.append(kept.uri)


def path_of(uri: str) -> str:
    """Path of a URI: servers name themselves by other hosts than clients do."""
    return urlsplit(uri).path


def is_told(resource: Resource) -> bool:
    """True for a resource whose changes the server tells of, unconditionally."""
    return isinstance(resource, TOPICS) and getattr(resource, "subscribable", None) in TOLD


def wish_of(topic: Topic, notification_uri: str, limit: int) -> Subscription:
    """The Subscription for a topic; `limit` is the most items of a list in a Notification.

    Of an EndDeviceList none: each EndDevice is told of by itself, and a thousand at each change are too many.
    """
    return Subscription(
        subscribedResource=topic.href,
        encoding=XML,
        level=LEVEL,
        limit=0 if issubclass(topic.type, EndDeviceList) else limit,
        notificationURI=notification_uri,
    )


def is_wished(there: Subscription, wish: Subscription) -> bool:
    """True for a subscription of a server that tells the same, to the same place, as is wished for.

    Servers name the resource by a host or without one.
    """
    return replace(there, href=None, subscribedResource=wish.subscribedResource) == wish


def meaning_of(note: Notification, topic: Topic | None) -> Meaning:
    """What a Notification asks of the client; UNUSABLE for a resource of another kind, or nobody asked for.

    CSIP ERR-002: a body that cannot be used is answered with 400, which ends the subscription.
    """
    if topic is None:
        return Meaning.UNUSABLE
    if note.status == NotificationStatus.MOVED:
        return Meaning.MOVED
    if note.status != NotificationStatus.DEFAULT:
        return Meaning.GONE
    resource = note.Resource_
    if resource is None:
        return Meaning.FETCH
    if not isinstance(resource, topic.type):
        return Meaning.UNUSABLE
    is_whole = page_all(resource) <= len(items_of(resource))
    return Meaning.USE if is_whole else Meaning.FETCH


def takes_back(news: Resource, held: Resource | None) -> bool:
    """True for a list in a Notification that lacks, or has an older state of, what is held: it may be late.

    Notifications are sent again where their answer was lost, and may come behind what they tell of.
    """
    if held is None or not items_of(held):
        return False
    fresh = {item.href: _since(item) for item in items_of(news)}
    return any(fresh.get(item.href, -1) < _since(item) for item in items_of(held))


def is_older(news: Resource, held: Resource | None) -> bool:
    """True for a resource in a Notification that is an older state of what is held: it comes late, or again.

    IEEE 2030.5-2018: changedTime of an EndDevice, version of what has an mRID.
    """
    if isinstance(news, EndDevice) and isinstance(held, EndDevice):
        return news.changedTime < held.changedTime
    versions = getattr(news, "version", None), getattr(held, "version", None)
    return None not in versions and int(versions[0] or 0) < int(versions[1] or 0)


def _since(item: Resource) -> int:
    """When an event came into its state, s since 1970 UTC; 0 for what is no event."""
    return item.EventStatus_.dateTime if isinstance(item, Event) else 0
