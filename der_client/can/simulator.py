"""A battery on a bus: the simulated BMS behind any `FramePort`, or served over a socketcand hub. Shell."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from der_client.physics.pack import Pack, PackSettings

from .bms import BmsSettings, SimulatedBms
from .hub import CanHub
from .library import load_profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from .inbox import FramePort

log = logging.getLogger(__name__)


class BatterySimulator:
    """Sends what the BMS has due and lets it hear the bus, until `close`. It owns the port.

    `power_w` (positive: discharge) is drawn from the pack all the time; leave it 0 where an inverter calls
    `transfer`.
    """

    def __init__(
        self,
        bms: SimulatedBms,
        port: FramePort,
        *,
        clock: Callable[[], float] = time.monotonic,
        power_w: float = 0.0,
    ) -> None:
        self.bms = bms
        self.power_w = power_w
        self._port = port
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._run(), name="battery-simulator")

    async def close(self) -> None:
        """Stop and leave the bus."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
        await self._port.close()

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send())
                group.create_task(self._hear())
        except Exception:
            log.exception("battery simulator: stopped")

    async def _send(self) -> None:
        period_s = self.bms.period_s
        before_s = self._clock()
        while True:
            now = self._clock()
            if self.power_w and now > before_s:
                self.bms.pack.transfer(self.power_w, now - before_s)
            before_s = now
            for frame in self.bms.due_frames(now):
                fault = await self._port.send(frame)
                if fault is not None:
                    log.debug("battery simulator: %s", fault.detail)
            await asyncio.sleep(period_s)

    async def _hear(self) -> None:
        while frames := await self._port.receive():
            for frame in frames:
                self.bms.hear(frame, frame.received_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatterySettings:
    """A whole simulated battery: pack, BMS, its profile, the bus name, and a constant power in W."""

    profile: str = "pylontech_lv"
    channel: str = "can0"
    pack: PackSettings = field(default_factory=PackSettings)
    bms: BmsSettings = field(default_factory=BmsSettings)
    power_w: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedBattery:
    """A running battery: `pack` for the inverter wired to it, `bms` to misbehave, `hub` to listen."""

    pack: Pack
    bms: SimulatedBms
    hub: CanHub
    simulator: BatterySimulator

    @property
    def can_port(self) -> int:
        """TCP port of the socketcand hub."""
        return self.hub.port

    async def close(self) -> None:
        """Stop the battery, then the hub."""
        await self.simulator.close()
        await self.hub.close()


async def serve_battery(
    settings: BatterySettings | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> ServedBattery:
    """A battery that sends its frames on a hub at `host`, `port` (0: any). `ProfileError`, `OSError`."""
    settings = BatterySettings() if settings is None else settings
    pack = Pack(settings.pack)
    bms = SimulatedBms(pack, load_profile(settings.profile), settings.bms)
    hub = CanHub(settings.channel)
    await hub.start(host, port)
    simulator = BatterySimulator(bms, hub.join(), clock=hub.clock, power_w=settings.power_w)
    await simulator.start()
    return ServedBattery(pack=pack, bms=bms, hub=hub, simulator=simulator)
