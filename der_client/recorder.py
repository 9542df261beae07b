"""The task that records one device into the spool: readings each posting interval, LogEvents as they come.

It never waits for the network; sending is the outbox's work.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from der_client.device_view import DeviceView
from der_client.report_log import Incident, incidents_from, incidents_of, incidents_text, log_events
from der_client.report_readings import Averages, readings_of
from der_client.server_clock import ServerClock
from der_client.spool import Lane, Spool, owed
from der_client.watched import Watched
from schemas import Codec, DateTimeInterval

log = logging.getLogger(__name__)

CODEC: Final = Codec()
"""One for all EndDevices of a process: it is large."""

LOG_ID: Final = "log event id"


class Recorder:
    """Records one device; sets `queued` when it puts something into the spool."""

    def __init__(
        self,
        device: Watched[DeviceView],
        clock: Watched[ServerClock | None],
        spool: Spool,
        queued: Watched[int],
        *,
        lfdi: str,
        pen: int,
        post_rate_s: Callable[[str], int],
    ) -> None:
        self._device = device
        self._clock = clock
        self._spool = spool
        self._queued = queued
        self._lfdi = lfdi
        self._pen = pen
        self._post_rate_s = post_rate_s
        self._averages = Averages()
        self._incidents: dict[str, Incident] = {}
        self._memory = f"incidents {device.value.name}"
        self._began: int | None = None

    async def run(self, local_s: Callable[[], float]) -> None:
        """Take each new view of the device, for ever."""
        await self._restore()
        while True:
            version, view, clock = self._device.version, self._device.value, self._clock.value
            if clock is not None:
                await self.take(view, clock.now(local_s()))
            await self._device.newer(version)

    async def _restore(self) -> None:
        """Take up the incidents of the last run: each is still to be cleared."""
        text = await asyncio.to_thread(self._spool.recall, self._memory)
        try:
            self._incidents = incidents_from(text)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("what was kept of %s cannot be read: %s", self._memory, error)

    async def take(self, view: DeviceView, now: int) -> None:
        """Record one view of the device at `now`, server time, s.

        Where the server's clock was set back the interval begins anew.
        """
        await self._record_incidents(view, now)
        if view.telemetry is not None:
            self._averages.add(view.telemetry)
        if self._began is None or now < self._began:
            self._began = now
        elif now - self._began >= self._post_rate_s(view.name):
            await self._record_readings(view.name, self._began, now)
            self._began = now

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

    async def _record_readings(self, device: str, start: int, now: int) -> None:
        values = self._averages.take()
        if not values:
            return
        interval = DateTimeInterval(duration=now - start, start=start)
        body = CODEC.encode(readings_of(self._lfdi, device, values, interval, pen=self._pen))
        await asyncio.to_thread(self._spool.owe, owed(Lane.READING, "", device, body))
        self._queued.set(self._queued.version)
