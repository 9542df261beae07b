"""A battery behind a CAN bus: frames to BatteryState, status frames back. Shell around `BmsState`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING

from der_client.device import Fault

from .bus import CanLink
from .encode import encode_status
from .state import BmsState

if TYPE_CHECKING:
    from collections.abc import Callable

    from der_client.device import BatteryState

    from .bus import BusSettings
    from .frame import CanFrame
    from .limits import BatteryLimits
    from .mapping import Outgoing, Profile

log = logging.getLogger(__name__)

_TICK_S = 0.5


class CanBms:
    """One BMS. `start`, then ask `battery()` as often as you like; `close` ends every task and thread.

    `clock` is monotonic, s. `limits` is what the installer knows of the battery. Until `send_status` the
    frames to the BMS carry "not available" (zeros where the profile names no signals).
    """

    def __init__(
        self,
        name: str,
        bus: BusSettings,
        profile: Profile,
        clock: Callable[[], float] = time.monotonic,
        *,
        limits: BatteryLimits | None = None,
    ) -> None:
        self.name = name
        self.profile = profile
        self.link = CanLink(bus, clock=clock)
        self.frames = 0
        self._clock = clock
        self._state = BmsState(profile, limits)
        self._status: dict[str, float] = {}
        self._told = (self._state.phase, self._state.decoder.alarms)
        self._refused: set[str] = set()
        self._updated = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the bus and begin to listen and to send."""
        await self.link.start()
        self._task = asyncio.create_task(self._run(), name=f"can-bms-{self.name}")

    def battery(self) -> BatteryState | Fault:
        """The battery now; a fault while the BMS has not spoken or has been silent too long."""
        answer = self._state.assess(self._clock())
        self._tell_changes()
        if isinstance(answer, Fault) and self.link.fault is not None:
            return Fault(kind=answer.kind, detail=f"{answer.detail}; {self.link.fault.detail}")
        return answer

    def text(self, name: str) -> str:
        """A text of the BMS (`manufacturer`, `model`), empty until received."""
        return self._state.decoder.text(name)

    def details(self) -> dict[str, float]:
        """What else the BMS has told of itself (capacity, modules, versions, ...), by canonical name."""
        return self._state.details()

    async def updated(self, *, frames: int) -> None:
        """Wait until at least `frames` frames in all have been taken in."""
        async with self._updated:
            await self._updated.wait_for(lambda: self.frames >= frames)

    async def send_status(
        self, voltage_v: float, current_a: float, temperature_c: float, soc_pct: float
    ) -> None:
        """What the frames to the BMS say from now on; current is positive while discharging."""
        self._status = {"voltage": voltage_v, "current": current_a, "temp": temperature_c, "soc": soc_pct}

    async def close(self) -> None:
        """End listening and sending and let go of the bus."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
        await self.link.close()

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen())
                for outgoing in self.profile.outgoing:
                    group.create_task(self._send_each_period(outgoing))
        except Exception:
            log.exception("battery %s: the driver has stopped", self.name)

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await self._take(await self.link.receive())
            self._state.assess(self._clock())
            self._tell_changes()

    async def _take(self, frames: tuple[CanFrame, ...]) -> None:
        for frame in frames:
            for rejection in self._state.feed(frame, frame.received_s):
                self._tell_refusal(rejection.message, f"{rejection.value or 'frame'} {rejection.reason}")
        async with self._updated:
            self.frames += len(frames)
            self._updated.notify_all()

    async def _send_each_period(self, outgoing: Outgoing) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            fault = await self.link.send(encode_status(self.profile, outgoing, self._known_status()))
            if fault is not None:
                log.debug("battery %s: %s", self.name, fault.detail)
            due_s = max(due_s + outgoing.period_s, loop.time())
            await asyncio.sleep(due_s - loop.time())

    def _known_status(self) -> dict[str, float]:
        """What was set, and beside it what the BMS itself has said: its SoH and charge voltage."""
        own = {name: self._state.decoder.value(name) for name in ("soh", "cvl")}
        return {name: value for name, value in own.items() if value is not None} | self._status

    def _tell_changes(self) -> None:
        """One line for each change of phase and for each alarm that arrives or leaves."""
        phase, alarms = self._told
        self._told = (self._state.phase, self._state.decoder.alarms)
        if self._told[0] is not phase:
            log.info("battery %s: %s -> %s", self.name, phase, self._told[0])
        for name in sorted(self._told[1] - alarms):
            log.warning("battery %s: alarm %s arrived", self.name, name)
        for name in sorted(alarms - self._told[1]):
            log.info("battery %s: alarm %s left", self.name, name)

    def _tell_refusal(self, message: str, reason: str) -> None:
        """One line the first time that a message is refused for this reason."""
        text = f"{message}: {reason}"
        if text not in self._refused:
            self._refused.add(text)
            log.warning("battery %s: refused %s", self.name, text)
