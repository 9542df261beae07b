"""Notifications of the scripted server: what a client subscribed to is told to its listener.

IEEE 2030.5-2018, subscription and notification function set; CSIP test procedures 1.3, CORE-018 and ERR-002.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import aiohttp

from conformance_tests.evidence import Exchange, kept
from function_sets import ListQuery
from schemas import MEDIA_TYPE, Codec, Notification, Resource, Subscription
from schemas.codes import NotificationStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from certs import TlsContext
    from conformance_tests.client.stage import Stage

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 30.0
RETRY_S: Final = (10.0, 60.0)
"""Pauses before a notification is sent again that had no answer, s of the stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notified:
    """One notification as it was sent, and the status of the answer (None: none came).

    `at_s` is the stage's time, `subscribed` the href that the subscription names.
    """

    at_s: float
    subscription: str
    subscribed: str
    uri: str
    status: int
    answer: int | None
    exchange: Exchange


class Notifier:
    """Sends what is owed to the subscriptions of a stage; entered for as long as it works.

    `sent` has what was sent so far, `told` hears of each. A subscription whose notification is answered 400
    is dropped, as ERR-002 wants; none is sent while `is_quiet`. `origin` is where the stage is reached, since
    subscriptionURI is absolute.
    """

    def __init__(
        self,
        stage: Stage,
        context: TlsContext,
        *,
        told: Callable[[Notified], None],
        runner_s: Callable[[], float],
        origin: str,
    ) -> None:
        self.sent: list[Notified] = []
        self.is_quiet = False
        self._stage = stage
        self._context = context
        self._codec = Codec(stage.profile)
        self._told = told
        self._runner_s = runner_s
        self._origin = origin
        self._due: dict[str, None] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        self._http = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(ssl=self._context))
        self._stage.listeners.append(self.changed)
        self._task = asyncio.get_running_loop().create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stage.listeners.remove(self.changed)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._http.close()

    def subscriptions(self, subscribed: str | None = None) -> dict[str, Subscription]:
        """The subscriptions by href, to one resource or to all."""
        held = {href: one.resource for href, one in self._stage.tree.held.items()}
        return {
            href: one
            for href, one in held.items()
            if isinstance(one, Subscription) and (subscribed is None or _names(one, subscribed))
        }

    def changed(self, hrefs: frozenset[str]) -> None:
        """Owe a notification to each subscription to one of these resources."""
        if self.is_quiet:
            return
        for href, one in self.subscriptions().items():
            if any(_names(one, changed) for changed in hrefs):
                self._due[href] = None
                self._news.set()

    async def cancel(self, href: str) -> int | None:
        """End a subscription and say so (status 1); the answer's status."""
        one = self.subscriptions()[href]
        self._stage.tree.drop(href)
        return await self.send(href, one, status=NotificationStatus.CANCELED)

    async def send(
        self, href: str, subscription: Subscription, *, status: int = 0, resource: Resource | None = None
    ) -> int | None:
        """Send one notification, whatever it holds; the status of the answer, None where none came."""
        told = Notification(
            subscribedResource=subscription.subscribedResource,
            Resource_=resource,
            status=status,
            subscriptionURI=f"{self._origin}{href}",
        )
        body = self._codec.encode(told)
        begun_s, at_s = self._runner_s(), self._stage.clock.time_s()
        answer, error = await self._post(subscription.notificationURI, body)
        exchange = Exchange(
            at_s=begun_s,
            by="the runner",
            method="POST",
            uri=subscription.notificationURI,
            request_headers=(("Content-Type", MEDIA_TYPE),),
            request_body=kept(body),
            status=answer,
            error=error,
            took_s=self._runner_s() - begun_s,
        )
        made = Notified(
            at_s=at_s,
            subscription=href,
            subscribed=subscription.subscribedResource,
            uri=subscription.notificationURI,
            status=status,
            answer=answer,
            exchange=exchange,
        )
        self.sent.append(made)
        self._told(made)
        return answer

    async def _run(self) -> None:
        while True:
            while self._due:
                href = next(iter(self._due))
                del self._due[href]
                await self._notify(href)
            self._news.clear()
            await self._news.wait()

    async def _notify(self, href: str) -> None:
        for pause_s in (*RETRY_S, None):
            held = self.subscriptions().get(href)
            if held is None:
                return
            answer = await self.send(href, held, resource=self._content(held))
            if answer == 400:
                self._stage.tree.drop(href)
            if answer is not None and answer < 500:
                return
            if pause_s is not None:
                await asyncio.sleep(self._stage.clock.real_s(pause_s))
        log.info("The notification of %s was given up", href)

    def _content(self, subscription: Subscription) -> Resource | None:
        """What the subscription is to, as it is now; of a list as many items as it may have."""
        tree = self._stage.tree
        href = tree.where(_path(subscription.subscribedResource))
        if href not in tree.held:
            return None
        return tree.read(href, self._stage.now(), ListQuery(limit=subscription.limit))

    async def _post(self, uri: str, body: bytes) -> tuple[int | None, str]:
        try:
            async with self._http.post(uri, data=body, headers={"Content-Type": MEDIA_TYPE}) as answer:
                await answer.read()
                return answer.status, ""
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as why:
            return None, f"no answer: {why or type(why).__name__}"


def _names(subscription: Subscription, href: str) -> bool:
    return _path(subscription.subscribedResource) == href


def _path(uri: str) -> str:
    """The path of a URI, absolute or not."""
    return "/" + uri.partition("://")[2].partition("/")[2] if "://" in uri else uri
