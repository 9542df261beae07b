"""Our heartbeat on the wire: with each reading, and each second between the readings of a slow control loop.

It proves that the control loop lives: without readings it ends.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from der_client.quiet import quiet_of
from der_client.sunspec.connection import Connection
from der_client.sunspec.heartbeat import PERIOD_S, ControllerHeartbeat
from der_client.sunspec.measured import is_local
from der_client.sunspec.model import DeviceMap

log = logging.getLogger(__name__)

LEAST_PATIENCE_S: Final = 3.0
MOST_PATIENCE_S: Final = 20.0


class Pulse:
    """Counts the controller's heartbeats up in one device, by the clock of `loop`. SunSpec 715 and 802."""

    def __init__(
        self,
        name: str,
        connection: Connection,
        *,
        is_wanted: bool,
        loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.get_running_loop,
    ) -> None:
        self._name = name
        self._connection = connection
        self._is_wanted = is_wanted
        self._loop = loop
        self._heartbeat = ControllerHeartbeat()
        self._map: DeviceMap | None = None
        self._read_s: float | None = None
        self._patience_s = LEAST_PATIENCE_S
        self._timer: asyncio.TimerHandle | None = None
        self._beating: asyncio.Task[None] | None = None

    def renew(self, *, is_wanted: bool) -> None:
        """Try every counter again: the device was scanned anew, and its model may not want them."""
        self._is_wanted = is_wanted
        self._heartbeat = ControllerHeartbeat()

    async def with_reading(self, device_map: DeviceMap) -> None:
        """Beat if it is time to, and go on until the next reading is overdue."""
        if not self._is_wanted:
            return
        loop = self._loop()
        now_s = loop.time()
        if self._read_s is not None:
            self._patience_s = min(max(2 * (now_s - self._read_s), LEAST_PATIENCE_S), MOST_PATIENCE_S)
        self._map, self._read_s = device_map, now_s
        await self._beat(device_map, now_s)
        if self._timer is None:
            self._timer = loop.call_later(PERIOD_S, self._between)

    async def stop(self) -> None:
        """Beat no more until the next reading."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        beating, self._beating = self._beating, None
        if beating is not None:
            await asyncio.wait([beating])

    def _between(self) -> None:
        """A second after the last look: beat, unless readings have ended or the map is another by now."""
        loop = self._loop()
        self._timer = None
        if self._map is None or self._read_s is None or loop.time() > self._read_s + self._patience_s:
            return
        self._timer = loop.call_later(PERIOD_S, self._between)
        if quiet_of(loop).is_on(loop.time()):
            return
        if self._connection.holds(self._map) and (self._beating is None or self._beating.done()):
            self._beating = loop.create_task(self._beat(self._map, loop.time()))

    async def _beat(self, device_map: DeviceMap, now_s: float) -> None:
        if is_local(device_map):
            return
        for beat in self._heartbeat.due(device_map, now_s):
            failure = await self._connection.transport.write(beat.address, beat.words)
            if failure and failure.code is not None:
                log.warning("%s takes no heartbeat %s: %s", self._name, beat.point, failure.detail)
                self._heartbeat.refused(beat)
