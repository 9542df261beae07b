"""A relay on Modbus TCP that opens by itself when its register stands still."""

import asyncio

from der_client.device import Fault
from der_client.relay import RelaySettings
from der_client.sunspec.connection import fault_of
from der_client.sunspec.scan import Failure
from der_client.sunspec.transport import ModbusTransport, TransportSettings

OPEN = 0
MOST = 0xFFFF


class ModbusRelay:
    """Writes one register, one order at a time: what was not yet sent is overtaken by the latest order."""

    def __init__(self, settings: RelaySettings) -> None:
        self._register = settings.register
        timing = TransportSettings(timeout_s=settings.timeout_s)
        self._transport = ModbusTransport(settings.host, settings.port, settings.unit, timing)
        self._count = OPEN
        self._next: int | None = None
        self._sending: asyncio.Task[None] | None = None
        self._fault: Fault | None = None

    def hold(self) -> Fault | None:
        """Count the register up; a Fault where the last order did not get there."""
        self._count = self._count % MOST + 1
        return self._order(self._count)

    def open(self) -> Fault | None:
        """Write 0; a Fault where the last order did not get there."""
        return self._order(OPEN)

    async def close(self) -> None:
        """Send nothing any more and let go of the bus: the relay opens after its time."""
        self._next = None
        sending, self._sending = self._sending, None
        if sending is not None:
            sending.cancel()
            await asyncio.wait([sending])
        await self._transport.close()

    def _order(self, word: int) -> Fault | None:
        self._next = word
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send())
        return self._fault

    async def _send(self) -> None:
        """Send the latest order until there is none that has not been sent."""
        while (word := self._next) is not None:
            self._next = None
            failure = await self._transport.write_one(self._register, word)
            self._fault = fault_of(failure, "relay") if isinstance(failure, Failure) else None
        self._sending = None
