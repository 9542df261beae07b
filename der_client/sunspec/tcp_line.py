"""Modbus TCP and Modbus/TCP Security: MBAP frames on a connection, in the clear or inside TLS.

MODBUS Messaging on TCP/IP Implementation Guide V1.0b; MODBUS/TCP Security Protocol Specification v36.
"""

import asyncio
from dataclasses import dataclass
from typing import cast

from certs import TlsContext
from certs.ending import cut
from der_client.sunspec.frames import MalformedFrameError, framed, split_frames
from der_client.sunspec.lines import Link, Receiver

LAST_TRANSACTION = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpLine:
    """A host and port. With `tls` it is Modbus/TCP Security; `server_name` is the name that is wanted."""

    host: str
    port: int
    tls: TlsContext | None = None
    server_name: str | None = None

    @property
    def name(self) -> str:
        """`host:port`."""
        return f"{self.host}:{self.port}"

    @property
    def is_connection(self) -> bool:
        """It is one."""
        return True

    @property
    def has_broadcast(self) -> bool:
        """Unit 0 is the device itself here."""
        return False

    async def open(self, receiver: Receiver) -> Link:
        """A connection, the handshake done. OSError where there is none."""
        name = (self.server_name or self.host) if self.tls else None
        _, link = await asyncio.get_running_loop().create_connection(
            lambda: MbapLink(receiver), self.host, self.port, ssl=self.tls, server_hostname=name
        )
        return link


class MbapLink(asyncio.Protocol):
    """One connection. Answers are told apart by transaction and unit: a late one is no answer to the next."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._transport: asyncio.Transport | None = None
        self._closed = asyncio.get_running_loop().create_future()
        self._buffer = b""
        self._transaction = 0
        self._unit: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the bus, unless it was the one that closed."""
        self._closed.set_result(None)
        if self._transport is not None:
            self._transport = None
            is_closed = exc is None or isinstance(exc, ConnectionError)
            self._receiver.lost(
                "the device closed the connection" if is_closed else f"connection lost: {exc}"
            )

    @property
    def is_open(self) -> bool:
        """False once the connection is gone."""
        return self._transport is not None

    def send(self, unit: int, pdu: bytes) -> None:
        """Send a request with a transaction identifier of its own."""
        self._transaction = self._transaction + 1 if self._transaction < LAST_TRANSACTION else 1
        self._unit = unit
        if self._transport is not None:
            self._transport.write(framed(self._transaction, unit, pdu))

    def ignore(self) -> None:
        """Wait for no answer."""
        self._unit = None

    def pause_s(self, now_s: float) -> float:
        """None: frames have a length."""
        return 0.0

    def span_s(self, pdu: bytes) -> float:
        """Nothing that counts."""
        return 0.0

    def data_received(self, data: bytes) -> None:
        """Put segments together and hand in the answer that is waited for; others are dropped."""
        if self._buffer:
            data = self._buffer + data
        try:
            frames, used = split_frames(data)
        except MalformedFrameError as error:
            self._buffer = b""
            self._receiver.spoiled(str(error))
            return
        self._buffer = data[used:]
        for frame in frames:
            if frame.transaction == self._transaction and frame.unit == self._unit:
                self._unit = None
                self._receiver.answered(frame.pdu)

    def abort(self) -> None:
        """Close at once."""
        transport, self._transport = self._transport, None
        if transport is not None:
            cut(transport)

    async def close(self) -> None:
        """Close, and wait until the connection is gone."""
        self.abort()
        await self._closed
