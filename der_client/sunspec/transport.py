"""One unit on a bus: reads and writes of holding registers, with the rules for a control loop.

No blind repetition, bounded waits; failures are values. Several units may share the bus.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary, WeakValueDictionary

from certs import TlsContext, modbus_client_context
from der_client.sunspec.bus import Answer, Bus, BusSettings, Outcome
from der_client.sunspec.codec import Words
from der_client.sunspec.lines import Line
from der_client.sunspec.register_cache import RegisterCache
from der_client.sunspec.requests import (
    MAX_READ,
    MAX_WRITE,
    READ_HOLDING,
    read_request,
    result_of,
    span_of,
    write_one_request,
    write_request,
)
from der_client.sunspec.scan import Failure
from der_client.sunspec.serial_line import SerialLine
from der_client.sunspec.serial_port import SerialSettings
from der_client.sunspec.tcp_line import TcpLine
from der_client.sunspec.turns import Urgency

log = logging.getLogger(__name__)

Place = tuple[object, ...]

_BUSES: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[Place, Bus]] = WeakKeyDictionary()
"""The lines that devices of this process have open: a line has one owner, whoever asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """Modbus/TCP Security: own certificate and key, and the roots of the devices, all PEM files.

    `server_name` is the name that the device's certificate must bear; without it any name will do.
    """

    certificate: Path
    key: Path
    roots: Path
    server_name: str | None = None

    def context(self) -> TlsContext:
        """The TLS context of these files. CertsError for files that cannot be used."""
        has_name = self.server_name is not None
        return modbus_client_context(self.certificate, self.key, self.roots, check_name=has_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSettings:
    """How a device is reached: over TCP, inside TLS or over a serial line, and for how long it is waited for.

    `timeout_s` holds for connecting and for each answer; the pause after failed connections doubles from
    `backoff_s` to `backoff_max_s`. On a shared line a unit that is silent rests for up to `probe_s`.
    Devices with the same line share it; its times are then those of the first.
    """

    timeout_s: float = 1.0
    backoff_s: float = 0.5
    backoff_max_s: float = 30.0
    probe_s: float = 10.0
    tls: TlsSettings | None = None
    serial: SerialSettings | None = None

    def __post_init__(self) -> None:
        if min(self.timeout_s, self.backoff_s, self.backoff_max_s, self.probe_s) <= 0:
            raise ValueError("timeout_s: times are longer than 0 s")
        if self.tls and self.serial:
            raise ValueError("serial: a serial line has no tls")

    @property
    def bus(self) -> BusSettings:
        """What of it is the bus's."""
        return BusSettings(
            connect_s=self.timeout_s,
            backoff_s=self.backoff_s,
            backoff_max_s=self.backoff_max_s,
            probe_s=self.probe_s,
        )

    def line(self, host: str, port: int) -> Line:
        """The line to a host and port, or the serial line. CertsError for TLS files that cannot be used."""
        if self.serial is not None:
            return SerialLine(settings=self.serial)
        if self.tls is None:
            return TcpLine(host=host, port=port)
        return TcpLine(host=host, port=port, tls=self.tls.context(), server_name=self.tls.server_name)

    def place(self, host: str, port: int) -> Place:
        """What devices on one line have in common."""
        return (self.serial.port,) if self.serial else (host, port, self.tls)


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
        self._line = self.settings.line(host, port) if bus is None else bus.line
        self._own_bus = bus
        self._bus: Bus | None = None
        self.cache: RegisterCache | None = None
        self._idle_s: float | None = None
        self._is_healthy = True

    @property
    def name(self) -> str:
        """Where the unit is."""
        return f"{self._line.name} unit {self.unit}"

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

    def send(self, request: bytes, urgency: Urgency) -> Answer:
        """Put a request on the bus without waiting; `taken` says what its answer means."""
        return self._joined().ask(self.unit, request, self.settings.timeout_s, urgency)

    def let_go_after(self, idle_s: float | None) -> None:
        """Close the connection after so long without requests, s; `None`: never. For all units of the bus."""
        self._idle_s = idle_s
        if self._bus is not None:
            self._bus.let_go_after(idle_s)

    async def close(self) -> None:
        """Let go of the bus, which the last unit closes; a later request opens it again."""
        bus, self._bus = self._bus, None
        if bus is not None:
            await bus.leave(self.unit)

    async def _asked(self, request: bytes, urgency: Urgency) -> Words | Failure:
        return self.taken(request, await self.send(request, urgency))

    def _joined(self) -> Bus:
        """The bus, with this unit among its own."""
        if self._bus is None:
            self._bus = self._own_bus or self._shared_bus()
            self._bus.join(self.unit)
            if self._idle_s is not None:
                self._bus.let_go_after(self._idle_s)
        return self._bus

    def taken(self, request: bytes, answer: Outcome) -> Words | Failure:
        """What a request brought; the first failure after a good answer is worth a warning, so is its end."""
        result = answer if isinstance(answer, Failure) else result_of(request, answer)
        if self.cache is not None:
            _remember(self.cache, request, result)
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

    def _shared_bus(self) -> Bus:
        """The bus of this line: the one that other devices on it have open, or a new one."""
        buses = _BUSES.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
        place = self.settings.place(self.host, self.port)
        bus = buses.get(place)
        if bus is None:
            bus = buses[place] = Bus(self._line, self.settings.bus)
        return bus


def _remember(cache: RegisterCache, request: bytes, result: Words | Failure) -> None:
    """Keep what was read; what was written, or may have been, only the device knows."""
    address, count = span_of(request)
    if request[0] != READ_HOLDING:
        cache.drop(address, count)
    elif not isinstance(result, Failure):
        cache.keep(address, result, asyncio.get_running_loop().time())
