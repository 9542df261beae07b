"""Where the devices of one EndDevice stand in the server's DERList: read once for each list, kept for all."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from der_client.client_event import What
from der_client.der_choice import DerChoice, Places, places_of
from der_client.errors import MissingError, RefusedError, UnreachableError
from der_client.upstream import Upstream
from der_client.view import ServerView
from schemas import DER, DERCapability

log = logging.getLogger(__name__)

AGAIN_S: Final = 60.0
"""After how long DERs are looked at again while a device finds none."""


class DerPlaces:
    """Finds the DERs of devices; `choices` are by the names of the devices, in their order."""

    def __init__(self, upstream: Upstream, choices: Mapping[str, DerChoice | None]) -> None:
        self._upstream = upstream
        self._choices = dict(choices)
        self._has_facts = any(one is not None and one.has_facts for one in choices.values())
        self._found = Places(places=tuple(range(len(choices))))
        self._seen: tuple[str | None, ...] | None = None
        self._looked_s = 0.0
        self._looking = asyncio.Lock()

    async def place(self, number: int, view: ServerView) -> int | None:
        """The place in the DERList of a device, by its number; None while it has none."""
        async with self._looking:
            listed, now = tuple(der.href for der in view.ders), self._upstream.local_s()
            is_open = bool(self._found.flaws) and now - self._looked_s >= AGAIN_S
            if listed != self._seen or is_open:
                await self._look(view)
            return self._found.places[number] if listed == self._seen else None

    async def _look(self, view: ServerView) -> None:
        """Find all devices; left for later where the server does not answer."""
        try:
            capabilities = [await self._capability(der) for der in view.ders]
        except UnreachableError as error:
            log.debug("DERs cannot be told apart yet: %s", error)
            return
        found = places_of(self._choices, capabilities)
        for flaw in found.flaws:
            if flaw not in self._found.flaws:
                log.error("%s", flaw)
                self._upstream.tell(What.FAULT, flaw)
        self._found, self._looked_s = found, self._upstream.local_s()
        self._seen = tuple(der.href for der in view.ders)

    async def _capability(self, der: DER) -> DERCapability | None:
        """What the server has of a DER; None where it has nothing, or nobody asks for it."""
        link = der.DERCapabilityLink_
        if link is None or not self._has_facts:
            return None
        try:
            return await self._upstream.session.get(link.href, DERCapability)
        except (MissingError, RefusedError) as error:
            log.debug("%s is not known: %s", link.href, error)
            return None
