"""A client that asks and asks, and reads nothing."""

import asyncio
from contextlib import suppress


async def is_cut_off(port: int, request: bytes) -> bool:
    """Whether a server ends the connection of such a client by itself, within 20 s."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    with suppress(ConnectionError):
        async with asyncio.timeout(20):
            while True:
                writer.write(request * 500)
                await writer.drain()
    return reader.exception() is not None or writer.is_closing()
