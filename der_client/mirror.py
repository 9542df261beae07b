"""Readings to the server: the mirror usage points of one EndDevice, made when first needed, and postRate."""

import asyncio
import logging

from der_client.client_event import What
from der_client.errors import MissingError, RefusedError
from der_client.report_readings import mrid_of, usage_point
from der_client.settings import ReportSettings
from der_client.spool import Owed
from der_client.upstream import Upstream
from der_client.watched import Watched
from schemas import MirrorUsagePoint

log = logging.getLogger(__name__)


class Mirror:
    """Sends readings; keeps where the mirror usage points are and how often the server wants posts.

    `queued` tells that readings or LogEvents wait in the spool.
    """

    def __init__(self, upstream: Upstream, settings: ReportSettings, queued: Watched[int]) -> None:
        self.upstream = upstream
        self.queued = queued
        self._session = upstream.session
        self._spool = upstream.spool
        self._view = upstream.view
        self._lfdi = upstream.lfdi
        self._tell = upstream.tell
        self._settings = settings
        self._places: dict[str, str] = {}
        self._rates_s: dict[str, int] = {}

    def post_rate_s(self, device: str) -> int:
        """How often the readings of a device are posted, s: by the server, else by our settings."""
        view = self._view.value
        default_s = (view.post_rate_s if view else None) or self._settings.post_rate_s
        return self._rates_s.get(device, default_s)

    async def __call__(self, owed: Owed) -> None:
        """Post the readings of one interval; learn the server's postRate first."""
        place = self._places.get(owed.subject) or await self._register(owed.subject)
        try:
            await self._learn_rate(owed.subject, place)
            await asyncio.to_thread(self._spool.sending, owed)
            await self._session.post(place, owed.body)
        except MissingError:
            self._places.pop(owed.subject, None)
            raise
        self._tell(What.READINGS, f"readings of {owed.subject}", href=place)

    async def _register(self, device: str) -> str:
        """Make, or find again, the mirror usage point of a device; its URI."""
        view = self._view.value
        href = view.mirror_href if view else None
        if href is None:
            raise RefusedError(device, "the server offers no mirror usage points")
        point = usage_point(self._lfdi, device, pen=self._settings.pen, post_rate_s=self.post_rate_s(device))
        place = await self._session.post(href, self._session.codec.encode(point))
        if place is None:
            raise RefusedError(href, "the server did not say where the mirror usage point is")
        self._places[device] = place
        log.info("mirror usage point of %s at %s", device, place)
        return place

    async def _learn_rate(self, device: str, place: str) -> None:
        """Adopt the postRate that the server set, out of the list where that is polled."""
        found = self._listed(device) or await self._read(place)
        if found is None:
            return
        if found.postRate and found.postRate != self._rates_s.get(device):
            self._rates_s[device] = found.postRate
            log.info("readings of %s every %d s", device, found.postRate)

    def _listed(self, device: str) -> MirrorUsagePoint | None:
        """The usage point as the polled list shows it; None where there is none."""
        view = self._view.value
        mrid = mrid_of(self._lfdi, device, pen=self._settings.pen)
        listed = view.mirrors.MirrorUsagePoint_ if view is not None and view.mirrors is not None else []
        return next((point for point in listed if point.mRID.upper() == mrid), None)

    async def _read(self, place: str) -> MirrorUsagePoint | None:
        """The usage point at its URI; a server need not let it be read."""
        try:
            return await self._session.get(place, MirrorUsagePoint)
        except (RefusedError, MissingError) as error:
            log.debug("postRate not read: %s", error)
            return None
