"""How one Response and one LogEvent of an EndDevice are sent, unless the server has them already."""

import asyncio
import logging

from der_client.client_event import What
from der_client.errors import MissingError, RefusedError
from der_client.list_pages import items_of
from der_client.spool import Owed
from der_client.upstream import Upstream
from schemas import LogEvent, LogEventList, Response, ResponseList

log = logging.getLogger(__name__)


class ResponseSender:
    """Sends Responses to where their event wants them now. IEEE 2030.5-2018, 10.2.3."""

    def __init__(self, upstream: Upstream) -> None:
        self._session = upstream.session
        self._spool = upstream.spool
        self._view = upstream.view
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
        view = self._view.value
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
        self._view = upstream.view
        self._tell = upstream.tell

    async def __call__(self, owed: Owed) -> None:
        """Post one LogEvent, unless the server has it already."""
        event = self._session.codec.decode(owed.body, LogEvent)
        view = self._view.value
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
