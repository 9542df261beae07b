"""A simulated inverter on a port: the clock, the tick and the Modbus server around the core."""

import asyncio
import time
from collections.abc import Callable, Sequence

from certs import TlsContext
from der_client.sunspec.simulator.inverter import Inverter
from der_client.sunspec.simulator.server import ModbusServer
from der_client.sunspec.simulator.settings import InverterSettings
from der_client.sunspec.simulator.sources import DcSource

TICK_S = 0.1


class ClockedStore:
    """The registers of an inverter at the time of each request."""

    def __init__(self, inverter: Inverter, now: Callable[[], float]) -> None:
        self._inverter = inverter
        self._now = now

    def read(self, address: int, count: int) -> Sequence[int]:
        """Registers now. Raises IllegalRequestError outside the map."""
        self._inverter.step(self._now())
        return self._inverter.read(address, count)

    def write(self, address: int, words: Sequence[int]) -> None:
        """Write points now. Raises IllegalRequestError where the device refuses."""
        self._inverter.write(address, words, self._now())


class InverterHandle:
    """A running simulator. Change `inverter.faults` or call `inverter.set_grid` while it serves."""

    def __init__(self, inverter: Inverter, server: ModbusServer, now: Callable[[], float]) -> None:
        self.inverter = inverter
        self.server = server
        self._now = now
        self._timer: asyncio.TimerHandle | None = None
        self._tick()

    @property
    def port(self) -> int:
        """The port that the simulator listens on."""
        return self.server.port

    async def close(self) -> None:
        """Stop the simulator and close its connections."""
        if self._timer:
            self._timer.cancel()
        await self.server.close()

    def _tick(self) -> None:
        self.inverter.step(self._now())
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)


async def serve_inverter(
    settings: InverterSettings,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    now: Callable[[], float] = time.monotonic,
    dc_source: DcSource | None = None,
    tls: TlsContext | None = None,
) -> InverterHandle:
    """Serve a simulated inverter over Modbus TCP, inside TLS where there is a context; port 0: any.

    `now` gives seconds that only go forward. `dc_source` is the battery behind a battery inverter; without
    one it has an ideal battery of the rated capacity.
    """
    inverter = Inverter(settings, now(), dc_source)
    server = ModbusServer({settings.unit: ClockedStore(inverter, now)}, inverter.faults)
    await server.start(host, port, tls)
    return InverterHandle(inverter, server, now)
