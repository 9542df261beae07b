"""One unit on a bus: reads and writes of holding registers, with the rules for a control loop.

No blind repetition, bounded waits; failures are values. Several units may share the bus.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from der_client.sunspec.bus import Bus, BusSettings
from der_client.sunspec.codec import Words
from der_client.sunspec.requests import (
    MAX_READ,
    MAX_WRITE,
    read_request,
    result_of,
    write_one_request,
    write_request,
)
from der_client.sunspec.scan import Failure
from der_client.sunspec.tcp_line import TcpLine
from der_client.sunspec.turns import Urgency

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSettings:
    """`timeout_s` holds for connecting and for each answer; back-off doubles with each failed connection."""

    timeout_s: float = 1.0
    backoff_s: float = 0.5
    backoff_max_s: float = 30.0

    @property
    def bus(self) -> BusSettings:
        """The same for the bus."""
        return BusSettings(
            connect_s=self.timeout_s, backoff_s=self.backoff_s, backoff_max_s=self.backoff_max_s
        )


class ModbusTransport:
    """One unit of a bus; the bus is opened when first needed and again after it was lost."""

    def __init__(
        self,
        host: str,
        port: int,
        unit: int,
        settings: TransportSettings | None = None,
        bus: Bus | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.unit = unit
        self.settings = settings or TransportSettings()
        self._bus = bus or Bus(TcpLine(host=host, port=port), self.settings.bus)
        self._has_joined = False
        self._is_healthy = True

    @property
    def name(self) -> str:
        """Where the unit is."""
        return f"{self._bus.line.name} unit {self.unit}"

    async def read(self, address: int, count: int, urgency: Urgency = Urgency.READ) -> Words | Failure:
        """`count` holding registers from `address` on, in as few requests as Modbus allows."""
        if count <= MAX_READ:
            return await self._asked(read_request(address, count), urgency)
        words: list[int] = []
        while len(words) < count:
            size = min(MAX_READ, count - len(words))
            answer = await self._asked(read_request(address + len(words), size), urgency)
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
        answer = await self._asked(write_request(address, words), Urgency.WRITE)
        return answer if isinstance(answer, Failure) else None

    async def write_one(self, address: int, word: int) -> Failure | None:
        """Write one register with function code 6, for devices that know no other; else as `write`."""
        answer = await self._asked(write_one_request(address, word), Urgency.WRITE)
        return answer if isinstance(answer, Failure) else None

    async def close(self) -> None:
        """Let go of the bus, which the last unit closes; a later request opens it again."""
        if self._has_joined:
            self._has_joined = False
            await self._bus.leave(self.unit)

    async def _asked(self, request: bytes, urgency: Urgency) -> Words | Failure:
        """What a request brought; the first failure after a good answer is worth a warning, so is its end."""
        if not self._has_joined:
            self._bus.join(self.unit)
            self._has_joined = True
        answer = await self._bus.ask(self.unit, request, self.settings.timeout_s, urgency)
        result = answer if isinstance(answer, Failure) else result_of(request, answer)
        if not isinstance(result, Failure):
            if not self._is_healthy:
                log.info("%s answers again", self.name)
                self._is_healthy = True
        elif result.code is None:
            log.log(
                logging.WARNING if self._is_healthy else logging.DEBUG, "%s: %s", self.name, result.detail
            )
            self._is_healthy = False
        return result
