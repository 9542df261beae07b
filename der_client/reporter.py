"""The task that stores the DER resources of one device at the server: at start, on change, at postRate."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from der_client.client_event import What
from der_client.contained import contained
from der_client.demand_response import instruction_of
from der_client.der_places import DerPlaces
from der_client.device_view import DeviceView
from der_client.errors import ExchangeError, MissingError, RefusedError, UnreachableError
from der_client.plan import Plan
from der_client.reports import About, Report, Stored, is_due, reports_of
from der_client.upstream import Upstream
from der_client.watched import Watched
from schemas import DERSettings, DERStatus

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A report that the server could not take: how often in a row, and until when it is put off, s."""

    failures: int
    until_s: float


class Reporter:
    """Reports one device, the one at `index` of those of its EndDevice."""

    def __init__(
        self,
        index: int,
        device: Watched[DeviceView],
        plan: Watched[Plan | None],
        upstream: Upstream,
        about: About,
        *,
        post_rate_s: Callable[[str], int],
        places: DerPlaces | None = None,
    ) -> None:
        """`places` tells where the device stands in the DERList; None: at its index."""
        self._places = places
        self._tick_s = upstream.tick_s
        self._index = index
        self._device = device
        self._plan = plan
        self._upstream = upstream
        self._session = upstream.session
        self._tell = upstream.tell
        self._spread = upstream.spread
        self._local_s = upstream.local_s
        self._about = about
        self._post_rate_s = post_rate_s
        self._stored: dict[str, Stored] = {}
        self._status: DERStatus | None = None
        self._instruction: int | None = None
        self._backoff = upstream.backoff
        self._failures = 0
        self._is_broken = False
        self._late: dict[str, Late] = {}

    async def run(self) -> None:
        """Store what is due, for ever; the latest value only, nothing queues up."""
        while True:
            version, wait_s = self._device.version, self._tick_s
            with contained(self._device.value.name, self._broke, is_known=self._is_broken):
                wait_s = await self._store_due()
                self._is_broken = False
            await self._rest(version, wait_s)

    def _broke(self, error: Exception) -> None:
        """Leave what cannot be reported: other devices go on."""
        del error
        self._is_broken = True

    async def _store_due(self) -> float:
        """Store what is due; how long to wait then, s."""
        for report in await self._due():
            if not await self._store(report):
                return self._backoff.wait_s(self._failures, self._spread())
        return self._tick_s

    async def _rest(self, version: int, wait_s: float) -> None:
        """Wait for news of the device; after a failure for the whole time."""
        end_s = self._local_s() + wait_s
        await self._device.newer(version, wait_s)
        while self._failures and self._local_s() < end_s:
            await self._device.newer(self._device.version, end_s - self._local_s())

    async def _due(self) -> list[Report]:
        view, clock = self._upstream.view.value, self._upstream.clock.value
        if view is None or not view.is_registered or clock is None:
            return []
        plan = self._plan.value
        schema = self._session.codec.profile
        about = replace(self._about, default=plan.default if plan else None, schema=schema)
        now = clock.now(self._local_s())
        place = self._index if self._places is None else await self._places.place(self._index, view)
        reports = reports_of(self._device.value, view, place, now, about, self._status)
        self._status = next((r.resource for r in reports if isinstance(r.resource, DERStatus)), self._status)
        self._take_instruction(reports)
        rate_s, local_s = float(self._post_rate_s(self._device.value.name)), self._local_s()
        return [
            report
            for report in reports
            if is_due(report, self._stored, local_s, rate_s, self._about.ratings_s)
            and not self._is_late(report.href, local_s)
        ]

    def _take_instruction(self, reports: tuple[Report, ...]) -> None:
        """Have the settings stored anew with each new instruction of demand response. CSIP-AUS DRD-01."""
        former = self._instruction
        self._instruction = instruction_of(self._device.value) if self._about.demand_response else None
        if self._instruction not in {None, former}:
            for report in reports:
                if isinstance(report.resource, DERSettings):
                    self._stored.pop(report.href, None)

    def _is_late(self, href: str, local_s: float) -> bool:
        late = self._late.get(href)
        return late is not None and local_s < late.until_s

    async def _store(self, report: Report) -> bool:
        """Put one report; False if the server cannot be reached. One that it refuses holds up no other."""
        name = type(report.resource).__name__
        try:
            await self._session.put(report.href, report.resource)
        except RefusedError as error:
            log.warning("%s refused: %s", name, error)
        except ExchangeError as error:
            return self._failed(report.href, error)
        else:
            self._tell(What.REPORT, name, href=report.href)
        self._failures = 0
        self._late.pop(report.href, None)
        self._stored[report.href] = Stored(report=report, at_s=self._local_s())
        return True

    def _failed(self, href: str, error: ExchangeError) -> bool:
        """Put a report off that the server cannot take now; False if the server does not answer at all."""
        if isinstance(error, UnreachableError):
            self._upstream.poller.doubt()
        if error.status is None:
            self._failures += 1
            return False
        former = self._late.get(href)
        failures = 1 if former is None else former.failures + 1
        wait_s = self._backoff.wait_s(failures, self._spread())
        self._late[href] = Late(failures=failures, until_s=self._local_s() + wait_s)
        if isinstance(error, MissingError) and failures == 1:
            self._upstream.request_rediscovery()
        return True
