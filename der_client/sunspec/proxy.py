"""A Modbus TCP server for other readers of a device that takes one connection only: ours.

What was read lately is answered from memory, the rest is asked of the device, after all that the client
itself wants. Nothing can be written.
"""

import asyncio
import logging
from asyncio import IncompleteReadError, StreamReader, StreamReaderProtocol, StreamWriter
from dataclasses import dataclass
from typing import Final

from certs import Door
from certs.ending import cut
from der_client.sunspec.frames import MBAP_SIZE, Frame, MalformedFrameError, framed, split_frames
from der_client.sunspec.register_cache import RegisterCache
from der_client.sunspec.requests import (
    GATEWAY_SILENT,
    READ_HOLDING,
    exception_answer,
    is_read,
    read_answer,
    span_of,
)
from der_client.sunspec.scan import Failure
from der_client.sunspec.transport import ModbusTransport
from der_client.sunspec.turns import Urgency

log = logging.getLogger(__name__)

ILLEGAL_FUNCTION: Final = 1
ILLEGAL_VALUE: Final = 3
MOST_READERS: Final = 16
SILENT_S: Final = 10.0
"""How long a reader is not let ask again for what the device left without an answer."""
MOST_SILENT: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySettings:
    """Where other readers connect, and how old what they get may be.

    Modbus has no passwords: leave `host` on loopback, or put it where only readers come.
    """

    port: int
    host: str = "127.0.0.1"
    max_age_s: float = 2.0

    def __post_init__(self) -> None:
        if not 0 <= self.port < 65536:
            raise ValueError(f"port: {self.port} is no TCP port")
        if self.max_age_s < 0:
            raise ValueError("max_age_s: must be 0 s or more")


class ProxySwitch:
    """The proxy of one device where one is wanted: open from the first scan until the device is closed."""

    def __init__(self, transport: ModbusTransport, settings: ProxySettings | None) -> None:
        self._settings = settings
        self._proxy: ReadOnlyProxy | None = None
        if settings is not None:
            transport.cache = RegisterCache(settings.max_age_s)
            self._proxy = ReadOnlyProxy(transport, transport.cache)

    @property
    def port(self) -> int | None:
        """The port that is listened on, `None` while none is."""
        return self._proxy.port if self._proxy else None

    def open(self) -> None:
        """Listen, unless it does. A port that cannot be had is told in the log and tried at the next scan."""
        if self._proxy is None or self._settings is None or self._proxy.port is not None:
            return
        try:
            self._proxy.start(self._settings)
        except OSError as error:
            log.error("no proxy at %s:%s: %s", self._settings.host, self._settings.port, error)  # noqa: TRY400

    async def close(self) -> None:
        """Listen no more."""
        if self._proxy is not None:
            await self._proxy.close()


class ReadOnlyProxy:
    """One unit for other readers, at most 16 at once. Register numbers and unit are those of the device."""

    def __init__(self, transport: ModbusTransport, cache: RegisterCache) -> None:
        """`cache` is the one that the transport fills."""
        self._transport = transport
        self._cache = cache
        self._writers: set[StreamWriter] = set()
        self._serving: set[asyncio.Task[object]] = set()
        self._door: Door | None = None
        self._silent_until_s: dict[tuple[int, int], float] = {}

    @property
    def port(self) -> int | None:
        """The port that is listened on, `None` before the start."""
        return self._door.port if self._door else None

    def start(self, place: ProxySettings) -> None:
        """Listen. OSError where the address cannot be had."""
        self._door = Door.at(place.host, place.port, self._entered)
        log.info("%s is read-only at %s:%s for others", self._transport.name, place.host, self._door.port)

    async def close(self) -> None:
        """Listen no more and close the connections of the readers."""
        door, self._door = self._door, None
        if door is None:
            return
        await door.close()
        for writer in list(self._writers):
            cut(writer.transport)
        if self._serving:
            await asyncio.wait(self._serving)

    def _entered(self) -> asyncio.Protocol:
        reader = StreamReader()
        return StreamReaderProtocol(reader, self._serve)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One reader, request after request, until it goes."""
        task = asyncio.current_task()
        if task is None or len(self._writers) >= MOST_READERS:
            cut(writer.transport)
            return
        self._writers.add(writer)
        self._serving.add(task)
        try:
            while True:
                request = await _next_frame(reader)
                pdu = await self._answer(request)
                writer.write(framed(request.transaction, request.unit, pdu))
                await writer.drain()
        except (IncompleteReadError, MalformedFrameError, OSError) as error:
            log.debug("a reader is gone: %s", error)
        finally:
            cut(writer.transport)
            self._writers.discard(writer)
            self._serving.discard(task)

    async def _answer(self, request: Frame) -> bytes:
        function = request.pdu[0]
        if request.unit != self._transport.unit:
            return exception_answer(function, GATEWAY_SILENT)
        if function != READ_HOLDING:
            return exception_answer(function, ILLEGAL_FUNCTION)
        if not is_read(request.pdu):
            return exception_answer(function, ILLEGAL_VALUE)
        return await self._read(*span_of(request.pdu))

    async def _read(self, address: int, count: int) -> bytes:
        """Registers from memory or from the device; what it was silent about is not asked for a while."""
        loop, span = asyncio.get_running_loop(), (address, count)
        words = self._cache.words(address, count, loop.time())
        if words is not None:
            return read_answer(words)
        if loop.time() < self._silent_until_s.get(span, 0.0):
            return exception_answer(READ_HOLDING, GATEWAY_SILENT)
        result = await self._transport.read(address, count, Urgency.GUEST)
        if not isinstance(result, Failure):
            self._silent_until_s.pop(span, None)
            return read_answer(result)
        if result.code is None:
            self._silent_until_s[span] = loop.time() + SILENT_S
            if len(self._silent_until_s) > MOST_SILENT:
                self._silent_until_s.pop(next(iter(self._silent_until_s)))
        return exception_answer(READ_HOLDING, result.code or GATEWAY_SILENT)


async def _next_frame(reader: StreamReader) -> Frame:
    """The next request. IncompleteReadError at the end, MalformedFrameError for what is no Modbus."""
    head = await reader.readexactly(MBAP_SIZE + 1)
    frames, _ = split_frames(head)
    if not frames:
        head += await reader.readexactly(int.from_bytes(head[4:6], "big") - 2)
        frames, _ = split_frames(head)
    return frames[0]
