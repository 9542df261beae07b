"""A Modbus TCP server on asyncio: pipelined requests, several units, strict frames, faults on command."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Self, cast

from certs import Door
from der_client.sunspec.frames import Frame, MalformedFrameError, split_frames
from der_client.sunspec.simulator.faults import FaultSwitches
from der_client.sunspec.simulator.pdu import RegisterStore, answer, exception

log = logging.getLogger(__name__)

GATEWAY_TARGET_SILENT = 0x0B
GARBAGE = b"\xde\xad\xbe\xef" * 4


class ModbusServer:
    """Units behind one port. `requests` counts all; `most_outstanding` is the deepest pipelining seen."""

    def __init__(self, units: Mapping[int, RegisterStore], faults: FaultSwitches | None = None) -> None:
        self.units = units
        self.faults = faults or FaultSwitches()
        self.requests = 0
        self.most_outstanding = 0
        self._sessions: set[_Session] = set()
        self._door: Door | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> Self:
        """Listen; port 0 lets the system choose."""
        self._door = Door.at(host, port, lambda: _Session(self))
        return self

    @property
    def port(self) -> int:
        """The port that the server listens on. Raises RuntimeError before `start`."""
        if self._door is None:
            msg = "the server has not been started"
            raise RuntimeError(msg)
        return self._door.port

    async def close(self) -> None:
        """Stop listening and close all connections."""
        if self._door is not None:
            await self._door.close()
            self.drop_connections()

    def drop_connections(self) -> None:
        """Close all connections; the server goes on listening."""
        for session in list(self._sessions):
            session.close()

    def attach(self, session: "_Session") -> None:
        """A connection was made."""
        self._sessions.add(session)

    def detach(self, session: "_Session") -> None:
        """A connection is gone."""
        self._sessions.discard(session)

    def answer(self, frame: Frame) -> bytes:
        """The PDU for a request, with the exceptions that are switched on."""
        store, code = self.units.get(frame.unit), self.faults.exception_code
        if store is None:
            return exception(frame.pdu[0], GATEWAY_TARGET_SILENT)
        if code is not None and frame.pdu[0] in self.faults.exception_functions:
            return exception(frame.pdu[0], code)
        return answer(store, frame.pdu)


class _Session(asyncio.Protocol):
    """One connection: octets in, frames out, in the order of the requests."""

    def __init__(self, server: ModbusServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._outstanding = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.attach(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.detach(self)

    def close(self) -> None:
        """Close the connection without waiting for what is still to be sent."""
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            frames, used = split_frames(self._buffer)
        except MalformedFrameError as error:
            log.warning("connection closed: %s", error)
            self.close()
            return
        self._buffer = self._buffer[used:]
        for frame in frames:
            self._serve(frame)

    def _serve(self, frame: Frame) -> None:
        server = self._server
        server.requests += 1
        self._outstanding += 1
        server.most_outstanding = max(server.most_outstanding, self._outstanding)
        if server.faults.drop_connection:
            self.close()
            return
        octets = Frame(frame.transaction, frame.unit, server.answer(frame)).encode()
        if server.faults.garbage:
            octets = GARBAGE
        if server.faults.silent:
            self._outstanding -= 1
        elif server.faults.answer_delay_s:
            asyncio.get_running_loop().call_later(server.faults.answer_delay_s, self._send, octets)
        else:
            self._send(octets)

    def _send(self, octets: bytes) -> None:
        self._outstanding -= 1
        if self._transport and not self._transport.is_closing():
            self._transport.write(octets)
