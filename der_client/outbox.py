"""The tasks that send what the spool holds: Responses, LogEvents and readings, each lane in order, once.

A body whose answer was lost is looked up at the server before it is sent again; readings carry their own
mRID and may simply be repeated.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final

from der_client.client_event import What
from der_client.errors import ExchangeError, MissingError, RefusedError, UnreachableError
from der_client.list_pages import items_of
from der_client.spool import Lane, Owed
from der_client.upstream import Upstream
from der_client.watched import Watched
from schemas import LogEvent, LogEventList, Response, ResponseList

log = logging.getLogger(__name__)

MOST_TRIES_MISSING: Final = 3
"""A body is given up once its URI is missing after this many rediscoveries."""
GRACE_S: Final = 2.0
"""How long a stop waits for an exchange that is under way."""
Send = Callable[[Owed], Awaitable[None]]


class Outbox:
    """Sends one lane of the spool."""

    def __init__(self, lane: Lane, upstream: Upstream, send: Send) -> None:
        self.lane = lane
        self._spool = upstream.spool
        self._poller = upstream.poller
        self._spread = upstream.spread
        self._send = send
        self._backoff = self._poller.backoff
        self._failures = 0
        self._missing = 0

    async def run(self, queued: Watched[int]) -> None:
        """Send what waits, oldest first, for ever."""
        while True:
            version = queued.version
            await self._registered()
            owed = await asyncio.to_thread(self._spool.next, self.lane)
            if owed is None:
                await queued.newer(version)
            else:
                await finished(self._deal_with(owed))

    async def _deal_with(self, owed: Owed) -> None:
        if await self._try(owed):
            await asyncio.to_thread(self._spool.done, owed)

    async def _registered(self) -> None:
        """Wait until there is a server that may be used."""
        while True:
            version, view = self._poller.view.version, self._poller.view.value
            if view is not None and view.is_registered:
                return
            await self._poller.view.newer(version)

    async def _try(self, owed: Owed) -> bool:
        """Send one body; True if it is dealt with, for good or ill."""
        try:
            await self._send(owed)
        except RefusedError as error:
            log.warning("%s about %s refused: %s", self.lane, owed.subject, error)
        except MissingError as error:
            return await self._rediscovered(owed, error)
        except UnreachableError as error:
            await self._pause(error)
            return False
        self._failures = self._missing = 0
        return True

    async def _rediscovered(self, owed: Owed, error: MissingError) -> bool:
        """Ask for a rediscovery and try once more; give up where that did not help."""
        self._missing += 1
        if self._missing >= MOST_TRIES_MISSING:
            log.warning("%s about %s given up: %s", self.lane, owed.subject, error)
            self._missing = 0
            return True
        self._poller.request_rediscovery()
        await self._pause(error)
        return False

    async def _pause(self, error: ExchangeError) -> None:
        self._failures += 1
        log.debug("%s waits: %s", self.lane, error)
        await asyncio.sleep(self._backoff.wait_s(self._failures, self._spread()))


async def finished(work: Coroutine[object, object, None]) -> None:
    """Do a piece of work to its end even if this task is cancelled meanwhile, for `GRACE_S` at most."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=GRACE_S)
        task.cancel()
        raise


class ResponseSender:
    """Sends Responses to where their event wants them now. IEEE 2030.5-2018, 10.2.3."""

    def __init__(self, upstream: Upstream) -> None:
        self._session = upstream.session
        self._spool = upstream.spool
        self._poller = upstream.poller
        self._tell = upstream.tell

    async def __call__(self, owed: Owed) -> None:
        """Post one Response, unless the server has it already."""
        response = self._session.codec.decode(owed.body, Response)
        href = self._reply_to(owed)
        if owed.was_sent and await self._is_there(href, response):
            return
        await asyncio.to_thread(self._spool.sending, owed)
        await self._session.post(href, owed.body)
        log.info("Response %s to DERControl %s", response.status, owed.subject)
        text = f"{response.status} to DERControl {owed.subject}"
        self._tell(What.RESPONSE, text, href=href, mrid=owed.subject)

    def _reply_to(self, owed: Owed) -> str:
        """Where the event wants its Responses by the present view, else where it did before."""
        view = self._poller.view.value
        controls = (control for program in (view.programs if view else ()) for control in program.controls)
        found = (control.replyTo for control in controls if control.mRID == owed.subject)
        return next((href for href in found if href), owed.href)

    async def _is_there(self, href: str, response: Response) -> bool:
        try:
            page = await self._session.first_page(href, ResponseList)
        except (RefusedError, MissingError):
            return False
        wanted = (response.endDeviceLFDI.upper(), response.status, response.subject.upper())
        return any(
            (item.endDeviceLFDI.upper(), item.status, item.subject.upper()) == wanted
            for item in page.Response_
        )


class LogEventSender:
    """Sends LogEvents to the LogEventList of the EndDevice; drops them where the server has none."""

    def __init__(self, upstream: Upstream) -> None:
        self._session = upstream.session
        self._spool = upstream.spool
        self._poller = upstream.poller
        self._tell = upstream.tell

    async def __call__(self, owed: Owed) -> None:
        """Post one LogEvent, unless the server has it already."""
        event = self._session.codec.decode(owed.body, LogEvent)
        view = self._poller.view.value
        href = view.log_event_href if view else None
        if href is None:
            raise RefusedError(owed.subject, "the EndDevice has no LogEventList")
        if owed.was_sent and await self._is_there(href, event):
            return
        await asyncio.to_thread(self._spool.sending, owed)
        await self._session.post(href, owed.body)
        text = f"LogEvent {event.functionSet}/{event.logEventCode}: {event.details}"
        log.info("%s", text)
        self._tell(What.LOG_EVENT, text, href=href)

    async def _is_there(self, href: str, event: LogEvent) -> bool:
        try:
            page = await self._session.first_page(href, LogEventList)
        except (RefusedError, MissingError):
            return False
        wanted = (event.createdDateTime, event.logEventID)
        return any(
            isinstance(item, LogEvent) and (item.createdDateTime, item.logEventID) == wanted
            for item in items_of(page)
        )
