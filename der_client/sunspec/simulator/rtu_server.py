"""A Modbus RTU server on a serial port or a pseudo terminal: several units on one line, faults on command."""

import asyncio
import logging
import os
from collections.abc import Mapping
from typing import Final, Self

from der_client.sunspec.rtu import CHECKSUM_SIZE, is_sound, request_size, rtu_frame
from der_client.sunspec.serial_port import SerialPort, SerialSettings, make_raw, open_port
from der_client.sunspec.simulator.faults import FaultSwitches
from der_client.sunspec.simulator.gateway import BROADCAST, GARBAGE, Gateway
from der_client.sunspec.simulator.pdu import RegisterStore

log = logging.getLogger(__name__)

BREAK_S: Final = 0.05
"""Octets after such a silence begin a new frame: far above 3.5 characters, for systems that are slow."""


class RtuServer:
    """Units on one serial line. `requests` counts sound frames; with `echoes` the line repeats them."""

    def __init__(self, units: Mapping[int, RegisterStore], faults: FaultSwitches | None = None) -> None:
        self.gateway = Gateway(units, faults, unknown_unit_is_silent=True)
        self.requests = 0
        self.echoes = False
        self._port: SerialPort | None = None
        self._far_end: int | None = None
        self._buffer = b""
        self._heard_s = 0.0

    def start(self, settings: SerialSettings) -> Self:
        """Serve on a serial port. OSError where there is none or another program has it."""
        self._port = SerialPort(open_port(settings), self._received, self._lost)
        return self

    def start_on(self, port: str) -> str:
        """Serve on a serial port at 9600 baud without parity; its path."""
        self.start(SerialSettings(port=port))
        return port

    def start_on_pty(self) -> str:
        """Serve on a new pseudo terminal; the path of the end that a client opens."""
        near, far = os.openpty()
        make_raw(far, SerialSettings(port=os.ttyname(far)))
        os.set_blocking(near, False)
        self._far_end = far
        self._port = SerialPort(near, self._received, self._lost)
        return os.ttyname(far)

    def close(self) -> None:
        """Let go of the line."""
        if self._port is not None:
            self._port.close()
        if self._far_end is not None:
            os.close(self._far_end)
            self._far_end = None

    def say(self, octets: bytes) -> None:
        """Put octets on the line that nobody asked for."""
        if self._port is not None:
            self._port.write(octets)

    def _received(self, octets: bytes) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._heard_s > BREAK_S:
            self._buffer = b""
        self._heard_s = now_s
        if self.echoes:
            self.say(octets)
        self._buffer += octets
        while (size := request_size(self._buffer)) is not None and len(self._buffer) >= size:
            frame, self._buffer = self._buffer[:size], self._buffer[size:]
            if not is_sound(frame):
                self._buffer = b""
                return
            self._serve(frame[0], frame[1:-CHECKSUM_SIZE])

    def _serve(self, unit: int, request: bytes) -> None:
        self.requests += 1
        if unit == BROADCAST:
            self.gateway.broadcast(request)
            return
        faults, pdu = self.gateway.faults, self.gateway.answer(unit, request)
        if pdu is None or faults.silent or faults.drop_connection:
            return
        octets = GARBAGE if faults.garbage else rtu_frame(unit, pdu)
        if faults.answer_delay_s:
            asyncio.get_running_loop().call_later(faults.answer_delay_s, self.say, octets)
        else:
            self.say(octets)

    def _lost(self, why: str) -> None:
        log.warning("the serial line is gone: %s", why)
