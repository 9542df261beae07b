"""CAN buses of python-can behind one adapter: faults are values, a failed bus is opened again with back-off.

Shell: the blocking library lives in one reader thread for each bus; sending goes through `asyncio.to_thread`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import can

from der_client.device import Fault, FaultKind

from .errors import BusError
from .frame import MAX_DATA_BYTES, CanFrame
from .inbox import FrameInbox
from .socketcand_bus import probe_socketcand, receive_socketcand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

_RECEIVE_S = 0.2
_SEND_S = 0.5
_BUS_ERRORS = (can.CanError, OSError, ValueError, TypeError, NotImplementedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class BusSettings:
    """A bus as python-can is told of it: `interface`, `channel`, and as `options` what that interface takes.

    Retries to open wait `retry_s`, doubled each time up to `max_retry_s`.
    """

    interface: str
    channel: str
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    retry_s: float = 0.5
    max_retry_s: float = 30.0

    @classmethod
    def from_mapping(cls, data: Mapping[str, object]) -> BusSettings:
        """Settings from one flat table; other keys go to python-can. `BusError` names the key."""
        options: dict[str, str | int | float | bool] = {}
        for key, value in data.items():
            if not isinstance(value, str | int | float | bool):
                raise BusError(f"bus.{key}: {value!r} is not a plain value")
            options[key] = value
        retry_s, max_retry_s = options.pop("retry_s", 0.5), options.pop("max_retry_s", 30.0)
        interface, channel = options.pop("interface", ""), options.pop("channel", "can0")
        if not isinstance(interface, str) or not interface:
            raise BusError(f"bus.interface: {interface!r} is not the name of an interface of python-can")
        for key, value in (("retry_s", retry_s), ("max_retry_s", max_retry_s)):
            if isinstance(value, str) or float(value) <= 0:
                raise BusError(f"bus.{key}: {value!r} is not a number above 0")
        return cls(
            interface=interface,
            channel=str(channel),
            options=options,
            retry_s=float(retry_s),
            max_retry_s=float(max_retry_s),
        )


class CanLink:
    """A `FramePort` on a python-can bus; `start` returns at once, the reader thread opens the bus.

    Frames carry the time that `clock` gave in the reader thread: a busy event loop makes none look younger.
    """

    def __init__(self, settings: BusSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self.fault: Fault | None = Fault(kind=FaultKind.NO_ANSWER, detail="bus not opened yet")
        self._clock = clock
        self._receive = receive_socketcand if settings.interface == "socketcand" else _receive_plain
        self._inbox: FrameInbox | None = None
        self._bus: can.BusABC | None = None
        self._bus_lock = threading.Lock()
        self._opened = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        """Start the reader thread; also once more after `close`."""
        self._inbox = FrameInbox()
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name=f"can-{self.settings.channel}", daemon=True)
        self._thread.start()

    async def opened(self, timeout_s: float) -> bool:
        """True once the bus is open for the first time; False if it was not within `timeout_s`."""
        return await asyncio.to_thread(self._opened.wait, timeout_s)

    async def send(self, frame: CanFrame) -> Fault | None:
        """Put one frame on the bus; the fault where it is not open or refuses."""
        return await asyncio.to_thread(self._send, frame)

    async def receive(self) -> tuple[CanFrame, ...]:
        """Frames since the last call, at least one; none once closed."""
        return () if self._inbox is None else await self._inbox.get()

    async def close(self) -> None:
        """End the reader thread and shut the bus; waits for both."""
        self._stop.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        if self._inbox is not None:
            self._inbox.close()

    @property
    def dropped(self) -> int:
        """Frames lost because nobody called `receive` in time."""
        return 0 if self._inbox is None else self._inbox.dropped

    def _run(self) -> None:
        wait_s = self.settings.retry_s
        while not self._stop.is_set():
            if self._serve_safely():
                wait_s = self.settings.retry_s
            self._stop.wait(wait_s)
            wait_s = min(wait_s * 2, self.settings.max_retry_s)

    def _serve_safely(self) -> bool:
        """The same as `_serve_once`, whatever a vendor's library raises: this is the top of the thread."""
        try:
            return self._serve_once()
        except Exception as error:
            log.exception("CAN bus %s %s failed", self.settings.interface, self.settings.channel)
            self._set_fault(f"{self.settings.interface} {self.settings.channel}: {error!r}")
            return False

    def _serve_once(self) -> bool:
        """Open the bus and read until it fails or we stop; True if a frame came."""
        heard = False
        try:
            with open_bus(self.settings) as bus:
                self._set_bus(bus)
                while not self._stop.is_set():
                    message = self._receive(bus, _RECEIVE_S)
                    if message is not None:
                        heard = True
                        self._take(message)
        except _BUS_ERRORS as error:
            self._set_fault(f"{self.settings.interface} {self.settings.channel}: {error}")
        finally:
            self._set_bus(None)
        return heard

    def _take(self, message: can.Message) -> None:
        frame = from_message(message, self._clock())
        if frame is not None and self._inbox is not None:
            self._inbox.put(frame)

    def _send(self, frame: CanFrame) -> Fault | None:
        with self._bus_lock:
            if self._bus is None:
                return self.fault or Fault(kind=FaultKind.NO_ANSWER, detail="bus closed")
            try:
                self._bus.send(to_message(frame), timeout=_SEND_S)
            except _BUS_ERRORS as error:
                return Fault(kind=FaultKind.NO_ANSWER, detail=f"{frame.id_text} not sent: {error}")
        return None

    def _set_bus(self, bus: can.BusABC | None) -> None:
        with self._bus_lock:
            self._bus = bus
            if bus is not None:
                self.fault = None
                self._opened.set()
                log.info("CAN bus %s %s is open", self.settings.interface, self.settings.channel)

    def _set_fault(self, detail: str) -> None:
        """Keep the fault; one line in the log for each new one, not for each retry."""
        if self.fault is None or self.fault.detail != detail:
            log.warning("CAN bus failed: %s", detail)
        self.fault = Fault(kind=FaultKind.NO_ANSWER, detail=detail)


def _receive_plain(bus: can.BusABC, timeout_s: float) -> can.Message | None:
    return bus.recv(timeout_s)


def open_bus(settings: BusSettings) -> can.BusABC:
    """The open bus. Raises what python-can raises (`can.CanError`, `OSError`, `ValueError`, ...)."""
    options: dict[str, Any] = dict(settings.options)
    if settings.interface == "socketcand":
        options.setdefault("host", "127.0.0.1")
        options.setdefault("port", 29536)
        probe_socketcand(str(options["host"]), int(options["port"]), settings.channel)
    return can.Bus(interface=settings.interface, channel=settings.channel, ignore_config=True, **options)


def to_message(frame: CanFrame) -> can.Message:
    """The frame as python-can sends it."""
    return can.Message(
        arbitration_id=frame.arbitration_id, is_extended_id=frame.is_extended, data=frame.data, is_rx=False
    )


def from_message(message: can.Message, received_s: float) -> CanFrame | None:
    """The data frame in a message of python-can; `None` for remote, error and FD frames."""
    if message.is_remote_frame or message.is_error_frame or message.is_fd or message.dlc > MAX_DATA_BYTES:
        return None
    return CanFrame(
        arbitration_id=message.arbitration_id,
        is_extended=message.is_extended_id,
        data=bytes(message.data),
        received_s=received_s,
    )
