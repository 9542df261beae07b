"""The local channel: a Unix socket beside the spool, for its owner alone. One line asks, one answers."""

import asyncio
import contextlib
import json
import logging
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from der_client.control import Controller
from der_client.local_orders import Order, order_of

log = logging.getLogger(__name__)

MODE: Final = 0o600
MOST_BYTES: Final = 4096
MOST_PATH: Final = 100
"""A path of a Unix socket holds 107 bytes; a longer one is reached through its folder's descriptor."""
PATIENCE_S: Final = 10.0


class Opting(Protocol):
    """Who takes part in events or not: the client."""

    async def opt_out(self, mrid: str | None = None, until: int | None = None) -> None:
        """Leave one event, or all, alone until server time `until`, s."""
        ...

    async def opt_in(self, mrid: str | None = None) -> None:
        """Take part in one event, or in all, again."""
        ...

    def now_s(self) -> float:
        """Server time, s since 1970 UTC."""
        ...


def socket_path(spool: Path) -> Path:
    """Where the local channel of the client with this spool is."""
    return spool.with_suffix(".sock")


class LocalControl:
    """Serves the local channel: overrides, resets, opting out."""

    def __init__(
        self,
        path: Path,
        controllers: Callable[[], Sequence[Controller]],
        opting: Opting,
        *,
        system_s: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._controllers = controllers
        self._opting = opting
        self._system_s = system_s
        self.is_open = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled. A channel that cannot be opened is told, and the client does without."""
        try:
            door = _opened(self._path)
        except OSError as error:
            log.warning("no local control at %s: %s", self._path, error)
            return
        try:
            server = await asyncio.start_unix_server(self._serve, sock=door, limit=MOST_BYTES)
            self.is_open.set()
            async with server:
                await server.serve_forever()
        finally:
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one line."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                line = await reader.readline()
                writer.write((json.dumps(await self._answer(line, _peer(writer))) + "\n").encode())
                await writer.drain()
        except (TimeoutError, ValueError, OSError) as error:
            log.warning("local control: a request was cut off: %s", error)
        finally:
            writer.close()

    async def _answer(self, line: bytes, by: str) -> dict[str, object]:
        """What is done, or why it is not."""
        try:
            order = order_of(line.decode(), self._system_s(), by)
            done = await self._done(order)
        except ValueError as error:
            log.warning("local control by %s refused: %s", by, error)
            return {"error": str(error)}
        if order.do != "status":
            log.info("local control by %s: %s", by, line.decode().strip())
        return {"ok": True, **done}

    async def _done(self, order: Order) -> dict[str, object]:
        if order.do == "optout":
            until = None if order.for_s is None else int(self._opting.now_s() + order.for_s)
            await self._opting.opt_out(order.mrid, until)
        elif order.do == "optin":
            await self._opting.opt_in(order.mrid)
        else:
            chosen = self._chosen(order.device)
            for controller in chosen:
                if order.do == "reset":
                    controller.reset(order.names)
                elif order.do in {"override", "release"}:
                    await controller.override(order.override, self._system_s)
            return {"devices": [_told(controller) for controller in chosen]}
        return {}

    def _chosen(self, name: str | None) -> list[Controller]:
        """The devices of this name, or all."""
        chosen = [one for one in self._controllers() if name in {None, one.view.value.name}]
        if not chosen:
            msg = f"device: there is no {name!r}" if name else "there is no device yet"
            raise ValueError(msg)
        return chosen


async def ask(path: Path, order: dict[str, object]) -> dict[str, object]:
    """The answer of a running client to an order. OSError where none is running."""
    with _reachable(path) as short:
        reader, writer = await asyncio.open_unix_connection(short, limit=MOST_BYTES * 16)
    try:
        writer.write((json.dumps(order) + "\n").encode())
        await writer.drain()
        answer: object = json.loads(await reader.readline() or "{}")
    finally:
        writer.close()
        await writer.wait_closed()
    return answer if isinstance(answer, dict) else {"error": f"no answer: {answer}"}


def _told(controller: Controller) -> dict[str, object]:
    """One device as its operator wants to see it."""
    view = controller.view.value
    return {
        "name": view.name,
        "is_local": view.is_local,
        "override": view.override.text() if view.override else None,
        "interlocks": [f"{r.interlock} {r.name} ({r.level})" for r in view.reasons],
        "deratings": [f"{d.interlock} {d.name}: {d.share:.0%}" for d in view.deratings],
        "latched": sorted(controller.latched),
        "power_w": view.telemetry.power_w if view.telemetry else None,
    }


def _opened(path: Path) -> socket.socket:
    """A listening socket at the path that its owner alone may use; a dead one there is replaced."""
    with _reachable(path) as short:
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
    """OSError where another client serves the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(short)
        except ConnectionRefusedError:
            return
    raise OSError("another client serves it")


@contextlib.contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """A path that is short enough for a Unix socket."""
    if len(os.fsencode(path)) <= MOST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _peer(writer: asyncio.StreamWriter) -> str:
    """Who asks: the user of the other process."""
    raw: bytes = writer.get_extra_info("socket").getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
    )
    _, uid, _ = struct.unpack("3i", raw)
    return f"uid {uid}"
