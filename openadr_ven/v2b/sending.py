"""Sends what a VEN owes, oldest first, and takes what the VTN says to it."""

import logging
from typing import Final

from openadr_ven.events import Code
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.answering import Answering
from openadr_ven.v2b.desk import Desk
from openadr_ven.v2b.errors import MessageError, Refused, Unknown
from openadr_ven.v2b.exchange import Exchange
from openadr_ven.v2b.kept import Owed
from openadr_ven.v2b.registering import LOST

log = logging.getLogger(__name__)
OF_EVENTS: Final = (m.CreatedEvent, m.CreateOptMessage)
"""Messages that a VTN must have."""
HOPELESS: Final = frozenset({400, 404, 406, 413, 415, 501})
"""HTTP statuses that say of one message that it will never be taken."""
MOST_TRIES: Final = 5
"""So often a message is sent whose answers cannot be taken."""


class Sender:
    """The way of owed messages to the VTN."""

    def __init__(self, exchange: Exchange, desk: Desk, answering: Answering) -> None:
        self._exchange = exchange
        self._desk = desk
        self._answering = answering
        self._tries = 0
        self._doubted: Owed | None = None

    async def flush(self) -> None:
        """Send everything that is owed; what the VTN took is forgotten. Raises WireError where it ends early.

        A message that this VTN will never take is given up, and said so.
        """
        while self._desk.kept.owed:
            owed = self._desk.kept.owed[0]
            try:
                answer = await self._exchange.ask(owed.service, owed.message)
            except Refused as error:
                if error.status not in HOPELESS:
                    raise
                log.log(logging.ERROR, "%s is given up: %s", type(owed.message).__name__, error)
                await self._desk.paid(owed)
                continue
            except MessageError:
                await self._count(owed)
                raise
            self._tries = 0
            self._require_known(owed, answer)
            await self._desk.paid(owed)
            await self._taken(owed, answer)

    def _require_known(self, owed: Owed, answer: m.Message) -> None:
        """A VTN that does not know us takes a message later, once we have registered again.

        Once for each message: 452 may be about another ID in it. Raises Unknown.
        """
        response: m.EiResponse | None = getattr(answer, "response", None)
        if response is None or response.code not in LOST or owed is self._doubted:
            return
        if response.code == Code.NOT_AUTHORISED or isinstance(owed.message, OF_EVENTS):
            self._doubted = owed
            raise Unknown(f"{type(owed.message).__name__}: {response.code} {response.text}")

    async def _count(self, owed: Owed) -> None:
        self._tries += 1
        if self._tries >= MOST_TRIES:
            log.error("%s is given up: no answer to it can be taken", type(owed.message).__name__)
            self._tries = 0
            await self._desk.paid(owed)

    async def _taken(self, owed: Owed, answer: m.Message) -> None:
        """What an answer says beyond that it came."""
        response: m.EiResponse | None = getattr(answer, "response", None)
        if response is not None and not response.is_good:
            name = type(owed.message).__name__
            log.warning("the VTN refuses %s: %s %s", name, response.code, response.text)
            return
        known = self._desk.kept.registration
        if known is None:
            return
        if isinstance(answer, m.RegisteredReport):
            await self._answering.registered_report(answer, known)
        elif isinstance(answer, m.UpdatedReport) and answer.cancel is not None:
            await self._answering.cancel_report(answer.cancel, known)
        elif isinstance(answer, m.CanceledPartyRegistration):
            await self._answering.forget()
