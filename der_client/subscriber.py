"""The task that keeps the subscriptions of a client, and takes what its listener hears.

Polling goes on all the same, more slowly: what it finds and no Notification told of makes the subscription be
posted again. At the start and after an outage the SubscriptionList is read, and only what it lacks is posted.
IEEE 2030.5-2018, 14; CSIP 1.8.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from der_client.client_event import Tell, What
from der_client.errors import ExchangeError, MissingError, RefusedError, UnreachableError
from der_client.listener import Listener
from der_client.outbox import finished
from der_client.poller import Poller
from der_client.protocol_settings import SubscriptionSettings
from der_client.session import Session
from der_client.spool import Spool
from der_client.subscriptions import (
    TOPICS,
    Meaning,
    Pace,
    Subscriptions,
    Topic,
    is_older,
    is_told,
    meaning_of,
    takes_back,
    wish_of,
)
from schemas import EndDevice, EndDeviceList, Notification, Resource, Subscription, SubscriptionList

log = logging.getLogger(__name__)

MEMORY: Final = "subscriptions"
PATH: Final = "notification path"
LAST_WORD_S: Final = 2.0
"""How long a stop waits for the end of its subscriptions."""


class Subscriber:
    """Subscribes to what the server tells of, renews, and hands Notifications to the poller."""

    def __init__(
        self,
        settings: SubscriptionSettings,
        session: Session,
        poller: Poller,
        spool: Spool,
        tell: Tell,
        *,
        now_s: Callable[[], float],
    ) -> None:
        """`now_s` is server time, s: renewals are kept by it, as a next run has another local clock."""
        self._now_s = now_s
        self._settings = settings
        self._session = session
        self._poller = poller
        self._spool = spool
        self._tell = tell
        self._subscriptions = Subscriptions(Pace(renew_s=settings.renew_s, again_s=settings.again_s))
        self._uri = ""
        self._has_new_entries = False
        self._failed_looks = 0

    async def run(self) -> None:
        """Listen and subscribe, for ever; SettingsError where the address cannot be had."""
        settings, session = self._settings, self._session
        path = await asyncio.to_thread(self._recalled_path)
        listener = Listener(session.settings, lambda: session.codec, path, self._peers)
        await listener.open(settings.listen_at, settings.port, self.take)
        self._uri = f"https://{settings.host}:{settings.outer_port or listener.port}{path}"
        log.info("notifications are taken at %s", self._uri)
        try:
            await self._recall()
            self._poller.on_surprise, self._poller.on_back = self._surprised, self._back
            await self._follow()
        finally:
            try:
                if settings.port == 0 or not settings.keep:
                    await self._end_all()
            finally:
                await listener.close()

    def _peers(self) -> frozenset[str]:
        """LFDIs of those who may post."""
        return frozenset({*self._session.server_lfdis, *(one.upper() for one in self._settings.notifiers)})

    def take(self, note: Notification) -> bool:
        """Use a Notification; False where it cannot be used: the server forgets the subscription then."""
        topic = self._subscriptions.topic_of(note.subscribedResource)
        meaning = meaning_of(note, topic)
        text = f"{note.subscribedResource} status {note.status}: {meaning.value}"
        self._tell(What.NOTIFICATION, text, href=note.subscribedResource)
        if topic is None:
            log.warning("a Notification of %s, which nobody asked for", note.subscribedResource)
            return False
        now = self._poller.local_s()
        self._subscriptions.heard(topic.href, now)
        if self._is_no_news(topic, note):
            return True
        match meaning:
            case Meaning.USE if note.Resource_ is not None:
                self._use(topic, note.Resource_)
            case Meaning.UNUSABLE:
                log.warning("a Notification of %s holds something else", topic.href)
                self._ended(topic, now)
                return False
            case Meaning.GONE | Meaning.MOVED:
                log.info("subscription to %s has ended: status %s", topic.href, note.status)
                self._ended(topic, now)
        if meaning is not Meaning.USE:
            self._read_again(topic)
        if meaning is Meaning.MOVED:
            self._poller.rediscover_users_of(topic.href)
        return True

    def _is_no_news(self, topic: Topic, note: Notification) -> bool:
        """True for a list of as many EndDevices as are held, each of ours told of by itself."""
        listed = note.Resource_
        if not isinstance(listed, EndDeviceList) or listed.EndDevice_ or note.status:
            return False
        known = self._poller.shelf.entries_in(topic.href)
        devices = [view.value.end_device for view in self._poller.views if view.value is not None]
        is_told = all(self._subscriptions.is_held(one.href or "") for one in devices if one is not None)
        return listed.all == known and len(devices) == len(self._poller.views) and is_told

    def _use(self, topic: Topic, resource: Resource) -> None:
        """Take a resource as if it had been read; one that may be older than what is held is read too."""
        resource.href = topic.href
        held = self._held(topic)
        if not is_older(resource, held):
            self._poller.taken(topic.href, resource)
        if is_older(resource, held) or takes_back(resource, held):
            self._read_again(topic)

    def _held(self, topic: Topic) -> Resource | None:
        """What is held of a resource; an EndDevice is an item of a list."""
        if not issubclass(topic.type, EndDevice):
            return self._poller.shelf.resource(topic.href)
        views = (view.value for view in self._poller.views)
        devices = (view.end_device for view in views if view is not None)
        return next((one for one in devices if one is not None and one.href == topic.href), None)

    async def _follow(self) -> None:
        while True:
            version = self._poller.shape.version
            if not self._poller.shelf.is_incomplete:
                self._subscriptions.wish(self._topics(), self._poller.local_s())
                self._slow_down_again()
            await self._settle()
            await self._poller.shape.newer(version, self._subscriptions.wait_s(self._poller.local_s()))

    async def _settle(self) -> None:
        """Post and delete what is due now; the memory of it is brought up to date once."""
        is_changed = False
        self._has_new_entries = False
        while (place := self._subscriptions.next_look(self._poller.local_s())) is not None:
            is_changed = True
            await self._look(place)
        for uri in self._subscriptions.leavers():
            is_changed = True
            await self._end(uri)
        while (topic := self._subscriptions.next(self._poller.local_s())) is not None:
            is_changed = True
            await finished(self._post(topic))
        if self._has_new_entries:
            self._read_lists_again()
        if is_changed:
            await asyncio.to_thread(self._spool.remember, MEMORY, self._note())

    def _note(self) -> str:
        """What the next run is to know: our URI, what it is told of, when that is renewed, server time, s."""
        ahead_s = self._now_s() - self._poller.local_s()
        renewals = {href: round(due_s + ahead_s) for href, due_s in self._subscriptions.renewals().items()}
        return json.dumps({"uri": self._uri, "held": self._subscriptions.held(), "renewals": renewals})

    async def _look(self, place: str) -> None:
        """See which subscriptions a SubscriptionList holds: what is there as wished for is not posted again.

        Where no list is shown all are posted: the server renews those that it has.
        """
        listed = SubscriptionList(all=0, results=0)
        try:
            listed = await self._session.get(place, SubscriptionList)
        except ExchangeError as error:
            log.info("subscriptions at %s cannot be read: %s", place, error)
            if isinstance(error, UnreachableError) and error.status is None:
                self._failed_looks += 1
                wait_s = self._poller.backoff.wait_s(self._failed_looks, self._poller.spread())
                self._subscriptions.look_later(place, self._poller.local_s(), wait_s)
                return
        self._failed_looks, now = 0, self._poller.local_s()
        for topic in self._subscriptions.looked(place, listed.Subscription_, self._wish, now):
            self._holds(topic, self._subscriptions.held()[topic.href])

    def _wish(self, topic: Topic) -> Subscription:
        return wish_of(topic, self._uri, self._settings.limit)

    async def _post(self, topic: Topic) -> None:
        """Subscribe, or renew; what changed before the server knew of it is read once."""
        wish, now = self._wish(topic), self._poller.local_s()
        try:
            uri = await self._session.post(topic.list_href, self._session.codec.encode(wish))
        except MissingError as error:
            log.warning("cannot subscribe to %s: %s", topic.href, error)
            self._subscriptions.ended(topic.href, now)
            self._slow_down(topic, is_held=False)
            self._read_again(topic)
        except RefusedError as error:
            log.warning("the server takes no subscription to %s: %s", topic.href, error)
            self._subscriptions.refused(topic.href, now)
            self._slow_down(topic, is_held=False)
        except UnreachableError as error:
            await self._put_off(topic, error)
        else:
            if self._subscriptions.subscribed(topic.href, uri, now):
                self._holds(topic, uri)

    def _holds(self, topic: Topic, uri: str | None) -> None:
        """A subscription is there from now on: what changed before is read once."""
        log.info("subscribed to %s", topic.href)
        self._tell(What.SUBSCRIBED, topic.href, href=uri)
        self._slow_down(topic, is_held=True)
        if issubclass(topic.type, EndDevice):
            self._has_new_entries = True
        else:
            self._read_again(topic)

    async def _put_off(self, topic: Topic, error: UnreachableError) -> None:
        """Wait for a server that does not answer; go on with the others where this one alone fails."""
        now, backoff = self._poller.local_s(), self._poller.backoff
        wait_s = backoff.wait_s(self._subscriptions.failed(topic.href, now, 0.0) or 1, self._poller.spread())
        self._subscriptions.failed(topic.href, now, wait_s)
        log.debug("subscription to %s waits: %s", topic.href, error)
        if error.status is None:
            await asyncio.sleep(wait_s)

    def _ended(self, topic: Topic, now: float) -> None:
        self._subscriptions.ended(topic.href, now)
        self._slow_down(topic, is_held=False)
        self._poller.shape.set(0)

    def _surprised(self, href: str) -> None:
        """A poll found a change: the subscription is not to be relied on, unless a Notification follows."""
        if self._subscriptions.surprised(href, self._poller.local_s()):
            log.info("%s has changed and no Notification came yet", href)
            self._poller.shape.set(0)

    def _slow_down_again(self) -> None:
        """What was found again after a rediscovery is still told of."""
        for href in self._subscriptions.held():
            if self._poller.shelf.wanted(href) is not None:
                self._poller.shelf.slow_down(href, self._settings.safety_poll_s)

    def _back(self) -> None:
        """The server was away: its subscriptions may be gone, and Notifications may have been lost."""
        self._subscriptions.doubt_all(self._poller.local_s(), self._poller.spread)
        self._poller.shape.set(0)

    def _slow_down(self, topic: Topic, *, is_held: bool) -> None:
        if not issubclass(topic.type, EndDevice):
            self._poller.shelf.slow_down(topic.href, self._settings.safety_poll_s if is_held else None)

    def _read_again(self, topic: Topic) -> None:
        """Have a resource read next; an EndDevice stands in its list."""
        if issubclass(topic.type, EndDevice):
            self._read_lists_again()
            return
        self._poller.shelf.hurry(topic.href)
        self._poller.wake()

    def _read_lists_again(self) -> None:
        shelf = self._poller.shelf
        for href in [want.href for want, _ in shelf.held() if issubclass(want.type, EndDeviceList)]:
            shelf.hurry(href)
        self._poller.wake()

    def _topics(self) -> Iterator[Topic]:
        """What the server tells of, with the SubscriptionList of the client itself, else of the EndDevice."""
        shelf, views = self._poller.shelf, self._poller.views
        lists = [view.value.subscription_list_href if view.value else None for view in views]
        own = next((lists[n] for n, party in enumerate(shelf.parties) if party.is_principal), None)
        for want, resource in shelf.held():
            if issubclass(want.type, TOPICS) and is_told(resource):
                users = shelf.users(want.href)
                place = own or next((lists[user] for user in users if lists[user]), None)
                if place is not None:
                    yield Topic(href=want.href, type=want.type, list_href=place)
        for view, place in zip(views, lists, strict=True):
            device = view.value.end_device if view.value else None
            if device is not None and is_told(device) and (own or place):
                yield Topic(href=device.href or "", type=EndDevice, list_href=own or place or "")

    async def _recall(self) -> None:
        """Take up the subscriptions of the last run: those with another URI of ours are ended."""
        text = await asyncio.to_thread(self._spool.recall, MEMORY)
        for uri in old_subscriptions(text, self._uri):
            await self._end(uri)
        now, ahead_s = self._poller.local_s(), self._now_s() - self._poller.local_s()
        latest_s = now + self._settings.renew_s
        due = {href: min(due_s - ahead_s, latest_s) for href, due_s in old_renewals(text, self._uri).items()}
        self._subscriptions.recall(due)

    def _recalled_path(self) -> str:
        """A path that nobody guesses, the same in each run."""
        path = self._spool.recall(PATH) or f"/{secrets.token_urlsafe(16)}"
        self._spool.remember(PATH, path)
        return path

    async def _end_all(self) -> None:
        """End all subscriptions, as far as the server answers in time."""
        held = self._subscriptions.held()
        try:
            async with asyncio.timeout(LAST_WORD_S):
                for uri in held.values():
                    await self._end(uri)
        except TimeoutError:
            log.warning("the server did not take the end of all %d subscriptions in time", len(held))

    async def _end(self, uri: str) -> None:
        if not uri:
            return
        try:
            await self._session.delete(urlsplit(uri)._replace(scheme="", netloc="").geturl())
        except ExchangeError as error:
            log.info("subscription %s was not ended: %s", uri, error)


def old_subscriptions(text: str | None, uri: str) -> tuple[str, ...]:
    """Where the subscriptions of a kept text are that name another URI of ours than `uri`."""
    try:
        kept = json.loads(text or "{}")
        return tuple(map(str, kept["held"].values())) if kept and kept["uri"] != uri else ()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("what was kept of subscriptions cannot be read: %s", error)
        return ()


def old_renewals(text: str | None, uri: str) -> Mapping[str, float]:
    """When the subscriptions of a kept text to `uri` are to be renewed, server time, s, by their resource."""
    try:
        kept = json.loads(text or "{}")
        is_ours = bool(kept) and kept["uri"] == uri
        return {str(href): float(due_s) for href, due_s in kept["renewals"].items()} if is_ours else {}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
