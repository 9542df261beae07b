"""A Modbus TCP server on asyncio, in the clear or inside TLS, strict about frames.

Pipelined requests are answered in order; several units may share a port; faults come on command. Inside TLS
the role in a client's certificate decides what it may read and write.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Self, cast

from certs import Door, TlsContext, modbus_role_of_peer
from der_client.sunspec.frames import Frame, MalformedFrameError, framed, split_frames
from der_client.sunspec.simulator.faults import FaultSwitches
from der_client.sunspec.simulator.gateway import GARBAGE, Gateway, Guard
from der_client.sunspec.simulator.pdu import RegisterStore

log = logging.getLogger(__name__)


class ModbusServer:
    """Units behind one port. `requests` counts all; `most_outstanding` is the deepest pipelining seen.

    A request to a unit that is not there is answered as gateways do, with exception 11, or not at all.
    """

    def __init__(
        self,
        units: Mapping[int, RegisterStore],
        faults: FaultSwitches | None = None,
        *,
        unknown_unit_is_silent: bool = False,
    ) -> None:
        self.gateway = Gateway(units, faults, unknown_unit_is_silent=unknown_unit_is_silent)
        self.requests = 0
        self.most_outstanding = 0
        self._sessions: set[_Session] = set()
        self._door: Door | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0, tls: TlsContext | None = None) -> Self:
        """Listen; port 0 lets the system choose. With `tls` the roles of Secure SunSpec Modbus hold."""
        self._door = Door.at(host, port, lambda: _Session(self, is_guarded=tls is not None), tls)
        return self

    @property
    def units(self) -> Mapping[int, RegisterStore]:
        """The units behind the port."""
        return self.gateway.units

    @property
    def faults(self) -> FaultSwitches:
        """What goes wrong."""
        return self.gateway.faults

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

    @property
    def connections(self) -> int:
        """Connections that are open."""
        return len(self._sessions)

    def attach(self, session: "_Session") -> None:
        """A connection was made."""
        self._sessions.add(session)

    def detach(self, session: "_Session") -> None:
        """A connection is gone."""
        self._sessions.discard(session)


class _Session(asyncio.Protocol):
    """One connection: octets in, frames out, in the order of the requests."""

    def __init__(self, server: ModbusServer, *, is_guarded: bool) -> None:
        self._server = server
        self._is_guarded = is_guarded
        self._guard: Guard | None = None
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._outstanding = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self._is_guarded:
            self._guard = Guard(role=modbus_role_of_peer(transport.get_extra_info("ssl_object")))
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
        pdu = server.gateway.answer(frame.unit, frame.pdu, self._guard)
        octets = GARBAGE if server.faults.garbage else framed(frame.transaction, frame.unit, pdu or b"")
        if pdu is None or server.faults.silent:
            self._outstanding -= 1
        elif server.faults.answer_delay_s:
            asyncio.get_running_loop().call_later(server.faults.answer_delay_s, self._send, octets)
        else:
            self._send(octets)

    def _send(self, octets: bytes) -> None:
        self._outstanding -= 1
        if self._transport and not self._transport.is_closing():
            self._transport.write(octets)
