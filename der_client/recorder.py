"""The tasks that record a device or a site: readings each posting interval, LogEvents as they come.

It never waits for the network; sending is the outbox's work.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from der_client.contained import contained
from der_client.device_view import DeviceView
from der_client.report_log import Incident, incidents_from, incidents_of, incidents_text, log_events
from der_client.report_readings import Averages, Point, Values, der_values, readings_of, site_values
from der_client.server_clock import ServerClock
from der_client.site import Metered
from der_client.spool import Lane, Spool, owed
from der_client.watched import Watched
from schemas import Codec, DateTimeInterval

log = logging.getLogger(__name__)

CODEC: Final = Codec()
"""One for all EndDevices of a process: it is large."""

LOG_ID: Final = "log event id"
MINUTE_S: Final = 60


class ReadingRecorder:
    """Puts what was measured at one usage point into the spool at the end of each interval.

    Intervals of whole minutes begin on a minute of the server's clock and follow each other without a gap;
    one in which nothing was measured is not there.
    """

    def __init__(
        self, point: Point, spool: Spool, queued: Watched[int], post_rate_s: Callable[[str], int]
    ) -> None:
        self.point = point
        self._spool = spool
        self._queued = queued
        self._post_rate_s = post_rate_s
        self._averages = Averages(point.kind)
        self._began: int | None = None

    async def take(self, values: Values | None, now: int) -> None:
        """Take one reading, if there is one, at `now`, server time, s; end the interval when it is due.

        Where the server's clock was set back the interval begins anew.
        """
        rate_s = self._post_rate_s(self.point.name)
        if rate_s % MINUTE_S == 0:
            await self._take_by_minutes(values, now, rate_s)
            return
        if values is not None:
            self._averages.add(values)
        if self._began is None or now < self._began:
            self._began = now
        elif now - self._began >= rate_s:
            began, self._began = self._began, now
            await self._record(began, now)

    async def _take_by_minutes(self, values: Values | None, now: int, rate_s: int) -> None:
        """Readings of whole minutes begin on one: what was measured before the first is left out."""
        began = self._began
        if began is None or began % MINUTE_S or now <= began - MINUTE_S:
            self._averages.take()
            self._began = began = -(-now // MINUTE_S) * MINUTE_S
        if now >= began + rate_s:
            self._began = now - (now - began) % rate_s
            await self._record(began, began + rate_s)
        if values is not None and now >= began:
            self._averages.add(values)

    async def _record(self, start: int, now: int) -> None:
        values = self._averages.take()
        if not values:
            return
        interval = DateTimeInterval(duration=now - start, start=start)
        body = CODEC.encode(readings_of(self.point, values, interval))
        await asyncio.to_thread(self._spool.owe, owed(Lane.READING, "", self.point.name, body))
        self._queued.set(self._queued.version)


class Recorder:
    """Records one device; sets `queued` when it puts something into the spool."""

    def __init__(
        self,
        device: Watched[DeviceView],
        clock: Watched[ServerClock | None],
        spool: Spool,
        queued: Watched[int],
        readings: ReadingRecorder,
        *,
        has_stored: bool = False,
        has_details: bool = False,
    ) -> None:
        """With `has_stored` the energy in a battery is recorded too, with `has_details` all that there is."""
        self._device = device
        self._clock = clock
        self._spool = spool
        self._queued = queued
        self._readings = readings
        self._has_stored, self._has_details = has_stored, has_details
        self._incidents: dict[str, Incident] = {}
        self._is_broken = False
        self._memory = f"incidents {device.value.name}"

    async def run(self, local_s: Callable[[], float]) -> None:
        """Take each new view of the device, for ever."""
        await self._restore()
        while True:
            version, view, clock = self._device.version, self._device.value, self._clock.value
            if clock is not None:
                with contained(view.name, self._broke, is_known=self._is_broken):
                    await self.take(view, clock.now(local_s()))
                    self._is_broken = False
            await self._device.newer(version)

    def _broke(self, error: Exception) -> None:
        """Leave what cannot be recorded: other devices go on."""
        del error
        self._is_broken = True

    async def _restore(self) -> None:
        """Take up the incidents of the last run: each is still to be cleared."""
        text = await asyncio.to_thread(self._spool.recall, self._memory)
        try:
            self._incidents = incidents_from(text)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("what was kept of %s cannot be read: %s", self._memory, error)

    async def take(self, view: DeviceView, now: int) -> None:
        """Record one view of the device at `now`, server time, s."""
        await self._record_incidents(view, now)
        nameplate = view.nameplate if self._has_stored else None
        telemetry, has_details = view.telemetry, self._has_details
        values = None if telemetry is None else der_values(telemetry, nameplate, has_details=has_details)
        await self._readings.take(values, now)

    async def _record_incidents(self, view: DeviceView, now: int) -> None:
        found = incidents_of(view)
        if found.keys() == self._incidents.keys():
            return
        count = len(found.keys() ^ self._incidents.keys())
        first_id = await asyncio.to_thread(self._spool.numbers, LOG_ID, count)
        events = log_events(self._incidents, found, now, first_id)
        self._incidents = found
        bodies = [owed(Lane.LOG_EVENT, "", view.name, CODEC.encode(event)) for event in events]
        await asyncio.to_thread(self._spool.owe, *bodies)
        await asyncio.to_thread(self._spool.remember, self._memory, incidents_text(found))
        self._queued.set(self._queued.version)


async def record_site(
    readings: Watched[Metered | None],
    recorder: ReadingRecorder,
    clock: Watched[ServerClock | None],
    local_s: Callable[[], float],
    *,
    has_details: bool = False,
) -> None:
    """Record what the meter of a site measures, for ever. CSIP-AUS, part 2.3."""
    while True:
        version, metered, known = readings.version, readings.value, clock.value
        if metered is not None and known is not None:
            values = site_values(metered.reading, has_details=has_details)
            await recorder.take(values, known.now(local_s()))
        await readings.newer(version)
