"""Readings to the server: the mirror usage points of one EndDevice, made when first needed, and postRate."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from der_client.client_event import What
from der_client.errors import MissingError, RefusedError, UnreachableError
from der_client.report_readings import DER, SITE, Point, Quantity, usage_point
from der_client.settings import ReportSettings
from der_client.spool import Owed
from der_client.upstream import Upstream
from der_client.watched import Watched
from schemas import MirrorUsagePoint

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a mirror usage point is, and what it was declared to measure."""

    href: str
    declared: frozenset[Quantity]


class Mirror:
    """Sends readings; keeps where the mirror usage points are and how often the server wants posts.

    `queued` tells that readings or LogEvents wait in the spool.
    """

    def __init__(
        self, upstream: Upstream, settings: ReportSettings, queued: Watched[int], sites: Collection[str] = ()
    ) -> None:
        """`sites` are the names of meters at a connection point; all else that is measured is a DER."""
        self.upstream = upstream
        self.queued = queued
        self._session = upstream.session
        self._spool = upstream.spool
        self._view = upstream.view
        self._lfdi = upstream.lfdi
        self._tell = upstream.tell
        self._settings = settings
        self._sites = frozenset(sites)
        self._places: dict[str, _Place] = {}
        self._rates_s: dict[str, int] = {}

    def post_rate_s(self, device: str) -> int:
        """How often the readings of a device are posted, s: by the server, else by our settings."""
        view = self._view.value
        default_s = (view.post_rate_s if view else None) or self._settings.post_rate_s
        return self._rates_s.get(device, default_s)

    def point(self, name: str, *, is_site: bool = False) -> Point:
        """The usage point of a device, or of the meter of a site."""
        kind = SITE if is_site else DER
        return Point(lfdi=self._lfdi, name=name, kind=kind, pen=self._settings.pen)

    async def __call__(self, owed: Owed) -> None:
        """Post the readings of one interval; learn the server's postRate first."""
        point = self._point_of(owed)
        quantities = point.quantities_in(owed.body)
        known = self._places.get(owed.subject)
        if known is None or not known.declared.issuperset(quantities):
            known = await self._register(point, quantities)
        place = known.href
        try:
            await self._learn_rate(point, place)
            await asyncio.to_thread(self._spool.sending, owed)
            await self._session.post(place, owed.body)
        except MissingError:
            self._places.pop(owed.subject, None)
            raise
        self._tell(What.READINGS, f"readings of {owed.subject}", href=place)

    def _point_of(self, owed: Owed) -> Point:
        """The usage point that a body is of: a meter of a site may be named as a device."""
        site = self.point(owed.subject, is_site=True)
        return site if owed.subject in self._sites and site.is_of(owed.body) else self.point(owed.subject)

    async def _register(self, point: Point, quantities: Sequence[Quantity]) -> _Place:
        """Make, or find again, a mirror usage point with these quantities."""
        view = self._view.value
        href = view.mirror_href if view else None
        if href is None:
            raise UnreachableError(
                point.name, "the server shows no mirror usage points", HTTPStatus.NOT_FOUND
            )
        made = usage_point(point, quantities, post_rate_s=self.post_rate_s(point.name))
        place = await self._session.post(href, self._session.codec.encode(made))
        if place is None:
            raise RefusedError(href, "the server did not say where the mirror usage point is")
        found = self._places[point.name] = _Place(href=place, declared=frozenset(quantities))
        log.info("mirror usage point of %s at %s", point.name, place)
        return found

    async def _learn_rate(self, point: Point, place: str) -> None:
        """Adopt the postRate that the server set, out of the list where that is polled."""
        device, found = point.name, self._listed(point) or await self._read(place)
        if found is None:
            return
        if found.postRate and found.postRate != self._rates_s.get(device):
            self._rates_s[device] = found.postRate
            log.info("readings of %s every %d s", device, found.postRate)

    def _listed(self, point: Point) -> MirrorUsagePoint | None:
        """The usage point as the polled list shows it; None where there is none."""
        view, mrid = self._view.value, point.mrid()
        listed = view.mirrors.MirrorUsagePoint_ if view is not None and view.mirrors is not None else []
        return next((one for one in listed if one.mRID.upper() == mrid), None)

    async def _read(self, place: str) -> MirrorUsagePoint | None:
        """The usage point at its URI; a server need not let it be read."""
        try:
            return await self._session.get(place, MirrorUsagePoint)
        except (RefusedError, MissingError) as error:
            log.debug("postRate not read: %s", error)
            return None
