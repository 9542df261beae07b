"""Modbus TCP behind one small adapter: pymodbus does the frames, the rules for a control loop are here.

One outstanding request per connection; no blind repetition; a connection whose answer was late, missing or
malformed is closed, so that nothing of it can be taken for the answer to a later request. Failures are
values.
"""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from der_client.device import FaultKind
from der_client.sunspec.codec import Words
from der_client.sunspec.frames import fault_in_answer
from der_client.sunspec.scan import Failure

log = logging.getLogger(__name__)

MAX_READ = 125
MAX_WRITE = 123
EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "server device failure",
    5: "acknowledge",
    6: "server device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not respond",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSettings:
    """`timeout_s` holds for connecting and for each answer; back-off doubles with each failed connection."""

    timeout_s: float = 1.0
    backoff_s: float = 0.5
    backoff_max_s: float = 30.0


class ModbusTransport:
    """One Modbus TCP connection to one unit, opened when first needed and again after it was lost."""

    def __init__(self, host: str, port: int, unit: int, settings: TransportSettings | None = None) -> None:
        self.host = host
        self.port = port
        self.unit = unit
        self.settings = settings or TransportSettings()
        self._client: AsyncModbusTcpClient | None = None
        self._lock = asyncio.Lock()
        self._backoff_s = 0.0
        self._next_attempt_s = 0.0
        self._malformed: str | None = None
        self._is_healthy = True
        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

    async def read(self, address: int, count: int) -> Words | Failure:
        """`count` holding registers from `address` on, in as few requests as Modbus allows."""
        words: list[int] = []
        while len(words) < count:
            size = min(MAX_READ, count - len(words))
            answer = await self._read_block(address + len(words), size)
            if isinstance(answer, Failure):
                return answer
            words.extend(answer)
        return tuple(words)

    async def write(self, address: int, words: Sequence[int]) -> Failure | None:
        """Write registers in one request of function code 16; `None` if the device acknowledged it.

        A Failure without code leaves open whether the device took the values: read back before anything else.
        Raises ValueError for more than 123 registers, which no single request can hold.
        """
        if not 0 < len(words) <= MAX_WRITE:
            msg = f"{len(words)} registers cannot be written in one request"
            raise ValueError(msg)
        async with self._lock:
            client = await self._connected()
            if isinstance(client, Failure):
                return client
            answer = await self._answer(
                client.write_registers(address, list(words), device_id=self.unit),
                f"write {address}+{len(words)}",
            )
            if isinstance(answer, Failure):
                return answer
            if (answer.address, answer.count) != (address, len(words)):
                return self._drop(FaultKind.MALFORMED, f"write {address}: the answer is for {answer.address}")
        return None

    async def close(self) -> None:
        """Close the connection; a later request opens it again."""
        async with self._lock:
            if self._client:
                self._client.close()
                self._client = None

    async def _read_block(self, address: int, count: int) -> Words | Failure:
        async with self._lock:
            client = await self._connected()
            if isinstance(client, Failure):
                return client
            request = client.read_holding_registers(address, count=count, device_id=self.unit)
            answer = await self._answer(request, f"read {address}+{count}")
            if isinstance(answer, Failure):
                return answer
            if len(answer.registers) != count:
                return self._drop(
                    FaultKind.MALFORMED, f"read {address}: {len(answer.registers)} of {count} registers"
                )
            return tuple(answer.registers)

    async def _answer(self, request: Awaitable[ModbusPDU], what: str) -> ModbusPDU | Failure:
        """The answer to a request; exceptions of the device and of the connection become Failures."""
        self._malformed = None
        try:
            answer = await request
        except ModbusException:
            kind = FaultKind.MALFORMED if self._malformed else FaultKind.NO_ANSWER
            return self._drop(kind, f"{what}: {self._malformed or 'no answer'}")
        if answer.isError():
            code = answer.exception_code
            return Failure(
                FaultKind.REFUSED, f"{what}: exception {code} ({EXCEPTIONS.get(code, 'unknown')})", code
            )
        if not self._is_healthy:
            log.info("%s:%s unit %s answers again", self.host, self.port, self.unit)
            self._is_healthy = True
        return answer

    async def _connected(self) -> AsyncModbusTcpClient | Failure:
        """The client, connected; a Failure at once while the back-off of a failed attempt lasts."""
        if self._client and self._client.connected:
            return self._client
        now_s = asyncio.get_running_loop().time()
        if now_s < self._next_attempt_s:
            return Failure(FaultKind.NO_ANSWER, f"not connected to {self.host}:{self.port}")
        client = self._client = self._client or self._new_client()
        if await client.connect():
            log.info("connected to %s:%s unit %s", self.host, self.port, self.unit)
            self._backoff_s = 0.0
            return client
        self._backoff_s = min(2 * self._backoff_s or self.settings.backoff_s, self.settings.backoff_max_s)
        self._next_attempt_s = asyncio.get_running_loop().time() + self._backoff_s
        return self._drop(FaultKind.NO_ANSWER, f"cannot connect to {self.host}:{self.port}")

    def _new_client(self) -> AsyncModbusTcpClient:
        return AsyncModbusTcpClient(
            self.host,
            port=self.port,
            timeout=self.settings.timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._inspect,
        )

    def _inspect(self, sending: bool, data: bytes) -> bytes:
        """Hide octets from the decoder that are not an answer: it would raise inside the event loop."""
        if sending:
            return data
        self._malformed = fault_in_answer(data)
        return b"" if self._malformed else data

    def _drop(self, kind: FaultKind, detail: str) -> Failure:
        """Close the connection; only the first failure after a good answer is worth a warning."""
        level = logging.WARNING if self._is_healthy else logging.DEBUG
        log.log(level, "%s:%s unit %s: %s", self.host, self.port, self.unit, detail)
        self._is_healthy = False
        if self._client:
            self._client.close()
        return Failure(kind, detail)
