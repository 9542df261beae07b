"""A Unix socket by which the owner of a running program speaks to it, and nobody else."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

MODE: Final = 0o600
MOST_PATH: Final = 100
"""A path of a Unix socket holds 107 bytes; a longer one is reached through its folder's descriptor."""


PATIENCE_S: Final = 10.0
MOST_ANSWER_BYTES: Final = 1 << 20
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def opened(path: Path) -> socket.socket:
    """A listening socket at the path that its owner alone may use; a dead one there is replaced."""
    with reachable(path) as short:
        if path.is_socket():
            _leave_to_the_living(short)
            path.unlink()
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            os.fchmod(door.fileno(), MODE)
            door.bind(short)
            path.chmod(MODE)
        except OSError:
            door.close()
            raise
    door.setblocking(False)
    return door


def _leave_to_the_living(short: str) -> None:
    """OSError where another program serves the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(short)
        except ConnectionRefusedError:
            return
    raise OSError("another program serves it")


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A path that is short enough for a Unix socket."""
    if len(os.fsencode(path)) <= MOST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


async def answer_line(
    streams: Streams, answering: Callable[[bytes], Awaitable[dict[str, object]]]
) -> Exception | None:
    """Answer the one line of a connection and close it; why that was cut off, if it was."""
    reader, writer = streams
    try:
        async with asyncio.timeout(PATIENCE_S):
            answer = await answering(await reader.readline())
            writer.write((json.dumps(answer) + "\n").encode())
            await writer.drain()
    except (TimeoutError, ValueError, OSError) as flaw:
        return flaw
    finally:
        writer.close()
    return None


async def ask(path: Path, order: dict[str, object]) -> dict[str, object]:
    """The answer of the program that serves a path to an order. OSError where none does, or none comes."""
    with reachable(path) as short:
        reader, writer = await asyncio.open_unix_connection(short, limit=MOST_ANSWER_BYTES)
    try:
        writer.write((json.dumps(order) + "\n").encode())
        await writer.drain()
        async with asyncio.timeout(PATIENCE_S):
            answer: object = json.loads(await reader.readline() or "{}")
    finally:
        writer.close()
        await writer.wait_closed()
    return answer if isinstance(answer, dict) and answer else {"error": "no answer"}
