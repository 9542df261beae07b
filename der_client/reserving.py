"""The task that asks for flow reservations by the settings, once for each window, and withdraws them."""

import asyncio
import json
import logging
from dataclasses import replace
from typing import Final

from der_client.client_event import What
from der_client.errors import ExchangeError
from der_client.list_pages import items_of
from der_client.reservation import CANCELLED, ReservationSettings, request_of
from der_client.upstream import Upstream
from schemas import FlowReservationRequest, FlowReservationRequestList, RequestStatus

log = logging.getLogger(__name__)

LOOK_S: Final = 30.0
MEMORY: Final = "flow reservation"


class Reserving:
    """Asks for one EndDevice. What was asked is kept in the spool, lest it be asked twice."""

    def __init__(self, upstream: Upstream, settings: ReservationSettings, *, pen: int) -> None:
        self._upstream = upstream
        self._settings = settings
        self._pen = pen

    async def run(self) -> None:
        """Look every `LOOK_S`, and whenever the view changes; ends where nothing is asked for any more."""
        while self._settings.is_on or await self._asked():
            version, clock = self._upstream.view.version, self._upstream.clock.value
            if clock is not None:
                try:
                    await self.look(clock.now(self._upstream.local_s()))
                except ExchangeError as error:
                    log.warning("flow reservation: %s", error)
            await self._upstream.view.newer(version, LOOK_S)

    async def look(self, now: int) -> None:
        """Put what is to be asked to the server, or withdraw what is not wanted any more; ExchangeError."""
        view = self._upstream.view.value
        href = view.reservation_requests_href if view else None
        if href is None:
            return
        asked = json.loads(await self._asked() or "{}")
        request = request_of(self._settings, now, self._upstream.lfdi, pen=self._pen)
        if request is not None and request.mRID != asked.get("mRID"):
            await self._ask(href, request)
        elif not self._settings.is_on:
            if now < asked.get("start", 0):
                await self._withdraw(href, asked["mRID"], now)
            await asyncio.to_thread(self._upstream.spool.remember, MEMORY, "")

    async def _asked(self) -> str | None:
        return await asyncio.to_thread(self._upstream.spool.recall, MEMORY)

    async def _ask(self, href: str, request: FlowReservationRequest) -> None:
        """Post a request, unless the server has it: its answer may have been lost."""
        session = self._upstream.session
        if await self._found(href, request.mRID) is None:
            await session.post(href, session.codec.encode(request))
        start = request.intervalRequested.start
        kept = json.dumps({"mRID": request.mRID, "start": start})
        await asyncio.to_thread(self._upstream.spool.remember, MEMORY, kept)
        text = f"flow reservation asked for from {start}"
        log.info("%s", text)
        self._upstream.tell(What.REPORT, text, href=href, mrid=request.mRID)

    async def _withdraw(self, href: str, mrid: str, now: int) -> None:
        found = await self._found(href, mrid)
        if found is not None and found.href is not None:
            status = RequestStatus(dateTime=now, requestStatus=CANCELLED)
            await self._upstream.session.put(found.href, replace(found, RequestStatus_=status))
            log.info("flow reservation %s withdrawn", mrid)

    async def _found(self, href: str, mrid: str) -> FlowReservationRequest | None:
        listed = items_of(await self._upstream.session.get(href, FlowReservationRequestList))
        requests = (one for one in listed if isinstance(one, FlowReservationRequest))
        return next((one for one in requests if one.mRID.upper() == mrid.upper()), None)
