"""One device of a fleet: polls, reports and answers as a CSIP client does. CSIP 1.5."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from lineside.fleet import reports
from lineside.fleet.tour import Tour, items_of
from lineside.fleet.wire import Wire, WireError
from schemas import DER, DERControl, DERList, DeviceCapability, EndDevice, Malformed, Time

if TYPE_CHECKING:
    import random

    from lineside.fleet.decoding import Decoder
    from lineside.fleet.identities import Identity
    from lineside.fleet.share import Plan
    from lineside.fleet.tally import Tally
    from lineside.fleet.tour import Stop
    from schemas import Resource

PAGE: Final = 255
MOST_PAGES: Final = 40
REPORT_S: Final = 300
"""How often a device reports where the server gives no postRate."""
RETRY_S: Final = (5.0, 15.0)
"""After a failure a device waits for a time drawn between these."""
GONE: Final = 404


class Device:
    """One device."""

    def __init__(
        self, identity: Identity, plan: Plan, decoder: Decoder, tally: Tally, drawn: random.Random
    ) -> None:
        self._identity = identity
        self._plan = plan
        self._decoder = decoder
        self._tally = tally
        self._random = drawn
        self._wire = Wire(identity, plan.url, timeout_s=plan.timeout_s, tally=tally)
        self._tour = self._new_tour()
        self._answers = reports.Answers()
        self._controls: dict[str, list[DERControl]] = {}
        self._ders: dict[str, DER] = {}
        self._rated: set[str] = set()
        self._capability: DeviceCapability | None = None
        self._mirror: str | None = None
        self._offset_s = 0.0
        self._report_due_s = 0.0
        self._is_ready = False

    async def live(self, first_s: float, period_s: float | None) -> None:
        """Cycle until cancelled, from local time `first_s` on; every `period_s` where that is given."""
        next_s = first_s
        try:
            while True:
                await asyncio.sleep(max(0.0, next_s - time.monotonic()))
                is_well = await self._cycle(hasten=period_s is not None)
                now_s = time.monotonic()
                if period_s is not None:
                    next_s = max(next_s + period_s, now_s)
                elif is_well:
                    next_s = min(self._tour.next_s, self._report_due_s)
                else:
                    next_s = now_s + self._random.uniform(*RETRY_S) / self._plan.speed
        finally:
            await self._wire.close()

    @property
    def now(self) -> int:
        """Server time, s."""
        return int(time.time() + self._offset_s)

    async def _cycle(self, *, hasten: bool) -> bool:
        """Poll what is due and all that it leads to, report, answer; False where something failed."""
        if hasten:
            self._tour.hasten(time.monotonic())
            self._report_due_s = 0.0
        try:
            while due := self._tour.due(time.monotonic()):
                for stop in due:
                    await self._poll(stop)
            await self._report()
            await self._answer()
        except (WireError, OSError) as flaw:
            self._tally.flaws[str(flaw)] += 1
            self._tour = self._new_tour()
            return False
        finally:
            if self._plan.connections == "new":
                await self._wire.close()
        return True

    def _new_tour(self) -> Tour:
        mine = self._identity
        return Tour(
            self._plan.url, lfdi=mine.lfdi, sfdi=mine.sfdi, now_s=time.monotonic(), speed=self._plan.speed
        )

    async def _poll(self, stop: Stop) -> None:
        resource = await self._read(stop)
        if resource is None:
            return
        if isinstance(resource, Time):
            self._offset_s = resource.currentTime - time.time()
        elif isinstance(resource, DeviceCapability):
            self._capability = resource
        elif isinstance(resource, DERList):
            self._ders.update({der.href: der for der in resource.DER_ if der.href})
        controls = [item for item in items_of(resource) if isinstance(item, DERControl)]
        self._controls[stop.href] = controls
        self._tour.took(stop, resource, time.monotonic(), self._random.random())
        self._count_once()

    def _count_once(self) -> None:
        if not self._is_ready and self._tour.end_device is not None:
            self._is_ready = True
            self._tally.ready += 1

    async def _read(self, stop: Stop) -> Resource | None:
        """A resource, a list as far as it is needed; None where that failed."""
        if not stop.type.__name__.endswith("List"):
            return await self._read_page(stop, stop.href)
        mark = "&" if "?" in stop.href else "?"
        first: Resource | None = None
        read = 0
        for _ in range(MOST_PAGES):
            page = await self._read_page(stop, f"{stop.href}{mark}s={read}&l={PAGE}")
            if page is None:
                return None
            items = items_of(page)
            read += len(items)
            first = page if first is None else self._decoder.joined(first, page)
            found = any(isinstance(item, EndDevice) and self._tour.owns(item) for item in items)
            if found or not items or read >= getattr(page, "all", 0):
                break
        return first

    async def _read_page(self, stop: Stop, href: str) -> Resource | None:
        reply = await self._wire.exchange(f"GET {stop.type.__name__}", "GET", href)
        if reply.status == GONE:
            self._tour.drop(stop)
        elif reply.status == 200:
            try:
                return self._decoder.decoded(reply.body, stop.type)
            except Malformed as flaw:
                self._tally.flaws[f"{stop.type.__name__}: {flaw}"[:120]] += 1
        self._tour.put_off(stop, time.monotonic())
        return None

    async def _report(self) -> None:
        if self._tour.end_device is None or time.monotonic() < self._report_due_s:
            return
        rate_s = self._tour.end_device.postRate or REPORT_S
        self._report_due_s = time.monotonic() + rate_s / self._plan.speed * self._random.uniform(1.0, 1.1)
        for der in tuple(self._ders.values()):
            await self._report_der(der)
        await self._post_readings(max(1, round(rate_s / self._plan.speed)))

    async def _report_der(self, der: DER) -> None:
        now = self.now
        if der.href not in self._rated:
            capability, settings = reports.ratings(now)
            await self._put(der.DERCapabilityLink_, capability)
            await self._put(der.DERSettingsLink_, settings)
            await self._put(der.DERAvailabilityLink_, reports.availability(now))
            self._rated.add(str(der.href))
        await self._put(der.DERStatusLink_, reports.status(now))

    async def _put(self, link: object, value: Resource) -> None:
        href = getattr(link, "href", None)
        if href:
            kind = f"PUT {type(value).__name__}"
            await self._wire.exchange(kind, "PUT", href, self._decoder.encoded(value))

    async def _post_readings(self, duration_s: int) -> None:
        link = None if self._capability is None else self._capability.MirrorUsagePointListLink_
        lfdi, now = self._identity.lfdi, self.now
        if self._mirror is None and link is not None:
            self._mirror = await self._post(link.href, reports.usage_point(lfdi, REPORT_S))
        if self._mirror is not None:
            await self._post(self._mirror, reports.readings(lfdi, now - duration_s, duration_s))

    async def _answer(self) -> None:
        for controls in tuple(self._controls.values()):
            for href, response in tuple(self._answers.owed(controls, self._identity.lfdi, self.now)):
                await self._post(href, response)

    async def _post(self, href: str, value: Resource) -> str | None:
        kind = f"POST {type(value).__name__}"
        reply = await self._wire.exchange(kind, "POST", href, self._decoder.encoded(value))
        location = reply.headers.get("location")
        return urljoin(reply.url, location) if location and reply.status < 400 else None
