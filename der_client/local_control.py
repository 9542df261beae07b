"""The local channel: a Unix socket beside the spool, for its owner alone. One line asks, one answers."""

import asyncio
import logging
import socket
import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from der_client.control import Controller
from der_client.local_orders import Order, order_of
from owner import answer_line, opened

log = logging.getLogger(__name__)

MOST_BYTES: Final = 4096


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
            door = opened(self._path)
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
        by = _peer(writer)
        flaw = await answer_line((reader, writer), lambda line: self._answer(line, by))
        if flaw is not None:
            log.warning("local control: a request was cut off: %s", flaw)

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


def _peer(writer: asyncio.StreamWriter) -> str:
    """Who asks: the user of the other process."""
    raw: bytes = writer.get_extra_info("socket").getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
    )
    _, uid, _ = struct.unpack("3i", raw)
    return f"uid {uid}"
