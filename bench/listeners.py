"""Listeners for `bench.notifications`, in a process of their own: as little as answers a POST with 201.

`python -m bench.listeners PKI NAME...` listens with each of these certificates and writes the ports.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import cast

import uvloop

from certs import Pki, server_context

CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Answering(asyncio.Protocol):
    """Answers each whole request; trusts the length that it is told."""

    def __init__(self) -> None:
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer what is whole."""
        self._held += data
        while (end := self._held.find(_END)) >= 0:
            head = self._held[:end].lower()
            length = int(head.partition(_LENGTH)[2].split(b"\r\n", 1)[0])
            whole = end + len(_END) + length
            if len(self._held) < whole:
                return
            self._held = self._held[whole:]
            if self._transport is not None:
                self._transport.write(CREATED)


async def listen(pki: Pki, names: list[str]) -> None:
    """Listen until the process is told to stop."""
    loop = asyncio.get_running_loop()
    ports = []
    for name in names:
        own = pki.credentials(name)
        context = server_context(own.certificate_path, own.key_path, own.root_path)
        server = await loop.create_server(Answering, "127.0.0.1", 0, ssl=context)
        ports.append(server.sockets[0].getsockname()[1])
    sys.stdout.write(" ".join(map(str, ports)) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(listen(Pki.open(Path(sys.argv[1])), sys.argv[2:]))
