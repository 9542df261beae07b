"""The task that registers EndDevices in band, and tells where they are connected. CSIP-AUS ALL-02, ALL-03.

Only where the settings say so; a server that registers out of band refuses it, and is asked again later.
IEEE 2030.5-2018 (EndDevice); CSIP 1.5.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from der_client.client_event import Tell, What
from der_client.errors import ExchangeError
from der_client.plants import Plant
from der_client.poller import Poller
from der_client.session import Session
from der_client.settings import ClientSettings
from der_client.shelf import Party
from schemas import EndDevice, EndDeviceList, Resource

log = logging.getLogger(__name__)

SETTLE_S: Final = 1.0
"""How long the client looks around between two rounds where something failed, at least."""


class Registrar:
    """Puts every plant on the server's list, and its ConnectionPoint where it has one."""

    def __init__(
        self,
        session: Session,
        poller: Poller,
        plants: Sequence[Plant],
        tell: Tell,
        *,
        settings: ClientSettings,
    ) -> None:
        self._session = session
        self._poller = poller
        self._plants = tuple(plants)
        self._tell = tell
        self._in_band = settings.registration.in_band
        category = settings.report.device_category
        self._category = f"{category:08X}" if category else None
        self._placed: dict[int, tuple[str, str]] = {}
        self._failures = 0

    async def run(self) -> None:
        """Look at each change of what the server shows, and again where something failed; for ever."""
        while True:
            version = self._poller.shape.version
            is_done = self._poller.shelf.is_incomplete or await self._settle()
            self._failures = 0 if is_done else self._failures + 1
            wait_s = None if is_done else self._poller.backoff.wait_s(self._failures, self._poller.spread())
            if wait_s is None:
                await self._poller.shape.newer(version)
            else:
                await asyncio.sleep(max(SETTLE_S, wait_s))

    async def _settle(self) -> bool:
        """One round; True if nothing is left to do."""
        results = [await self._settled(number, plant) for number, plant in enumerate(self._plants)]
        return all(results)

    async def _settled(self, number: int, plant: Plant) -> bool:
        view = self._poller.views[number].value
        if view is None or self._poller.shelf.is_barred(number):
            return True
        if view.end_device is None:
            return not self._in_band or await self._register(self._poller.shelf.parties[number])
        link = getattr(view.end_device, "ConnectionPointLink", None)
        if plant.connection_point is None or link is None:
            return True
        place = (link.href, plant.connection_point)
        if self._placed.get(number) == place:
            return True
        point = self._point(plant.connection_point)
        return point is None or await self._put(number, place, point)

    async def _register(self, party: Party) -> bool:
        """POST one EndDevice; True if the server took it."""
        lists = [w.href for w, _ in self._poller.shelf.held() if issubclass(w.type, EndDeviceList)]
        if not lists or not party.identity.lfdi:
            return True
        now = self._poller.server_time_s()
        device = EndDevice(
            deviceCategory=self._category,
            lFDI=party.identity.lfdi,
            sFDI=party.identity.sfdi,
            changedTime=now,
        )
        try:
            place = await self._session.post(lists[0], self._session.codec.encode(device))
        except ExchangeError as error:
            log.warning("%s is not registered in band: %s", party.identity.lfdi, error)
            return False
        log.info("%s registered in band at %s", party.identity.lfdi, place)
        self._tell(What.REGISTERED, party.identity.lfdi, href=place)
        self._poller.shelf.hurry(lists[0])
        self._poller.wake()
        return True

    async def _put(self, number: int, place: tuple[str, str], point: Resource) -> bool:
        try:
            await self._session.put(place[0], point)
        except ExchangeError as error:
            log.warning("ConnectionPoint %s is not taken: %s", place[1], error)
            return False
        self._placed[number] = place
        log.info("ConnectionPoint %s at %s", place[1], place[0])
        self._tell(What.CONNECTION_POINT, place[1], href=place[0])
        return True

    def _point(self, name: str) -> Resource | None:
        """A ConnectionPoint in the form of the version that is spoken; None where it has none."""
        cls = self._session.codec.profile.additions.get("ConnectionPoint")
        if cls is None:
            return None
        (field,) = [one for one in ("connectionPointId", "id") if one in cls.__annotations__]
        made: Resource = cls(**{field: name})
        return made
