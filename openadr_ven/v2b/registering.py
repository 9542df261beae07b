"""Registration at a VTN: asked, made, or made again with the IDs that there are. OpenADR 2.0b, R406."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from openadr_ven.v2b import messages as m
from openadr_ven.v2b.desk import Desk
from openadr_ven.v2b.document import VERSION
from openadr_ven.v2b.errors import NotExpected, TransportError
from openadr_ven.v2b.exchange import Exchange
from openadr_ven.v2b.kept import Registration

log = logging.getLogger(__name__)

LOST: Final = frozenset({452, 463})
"""Codes of a VTN that does not know this VEN (any more)."""


class Rejected(TransportError):
    """The VTN does not want this VEN; it may want it later."""


class Registrar:
    """Registers one VEN."""

    def __init__(
        self, venName: str, exchange: Exchange, desk: Desk, new_id: Callable[[], str], is_report_only: bool
    ) -> None:
        self._venName = venName
        self._exchange = exchange
        self._desk = desk
        self._new_id = new_id
        self._is_report_only = is_report_only

    async def register(self) -> bool:
        """Whether the registration is a new one, after which metadata must be exchanged.

        Known IDs are used again; where the VTN does not know them any more, the next try is without.
        Raises Rejected, or what the exchange raises.
        """
        known = self._desk.kept.registration
        if known is None:
            await self._query()
        answer = await self._ask(known)
        if not answer.response.is_good or answer.registrationID is None or answer.venID is None:
            raise await self._rejection(answer.response, known)
        made = Registration(
            registrationID=answer.registrationID,
            venID=answer.venID,
            vtnID=answer.vtnID,
            poll_s=answer.poll_s,
        )
        is_new = known is None or (known.registrationID, known.venID) != (made.registrationID, made.venID)
        await self._keep(made, is_new=is_new)
        log.info("registered at VTN %s as %s", made.vtnID, made.venID)
        return is_new

    async def _rejection(self, response: m.EiResponse, known: Registration | None) -> Rejected:
        """Why there is no registration. IDs that the VTN does not know are not used again."""
        if known is not None and (response.is_good or response.code in LOST):
            log.warning("registration %s is not known any more", known.registrationID)
            await self._desk.change(lambda kept: replace(kept, registration=None))
        return Rejected(f"{response.code} {response.text}" + (", without IDs" if response.is_good else ""))

    async def _keep(self, made: Registration, *, is_new: bool) -> None:
        """A new registration owes nothing of the one before, and nothing is asked for in it yet (R406)."""
        if is_new:
            await self._desk.change(
                lambda kept: replace(kept, registration=made, running=(), owed=(), offered="")
            )
        else:
            await self._desk.change(lambda kept: replace(kept, registration=made))

    async def _query(self) -> None:
        answer = await self._exchange.ask(
            m.Service.REGISTER_PARTY, m.QueryRegistration(requestID=self._new_id())
        )
        if not isinstance(answer, m.CreatedPartyRegistration):
            raise NotExpected(f"{type(answer).__name__} to a query")
        if answer.profiles and VERSION not in answer.profiles:
            raise Rejected(f"the VTN speaks {', '.join(answer.profiles)}")

    async def _ask(self, known: Registration | None) -> m.CreatedPartyRegistration:
        answer = await self._exchange.ask(
            m.Service.REGISTER_PARTY,
            m.CreatePartyRegistration(
                requestID=self._new_id(),
                venName=self._venName,
                registrationID=None if known is None else known.registrationID,
                venID=None if known is None else known.venID,
                is_report_only=self._is_report_only,
                is_signed=self._exchange.is_signed,
            ),
        )
        if not isinstance(answer, m.CreatedPartyRegistration):
            raise NotExpected(f"{type(answer).__name__} to a registration")
        return answer
