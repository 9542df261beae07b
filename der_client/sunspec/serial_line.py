"""Modbus RTU on a serial line: one frame after the other with silence between them.

MODBUS over Serial Line Specification and Implementation Guide V1.02, 2.4 and 2.5.
"""

import asyncio
from dataclasses import dataclass

from der_client.sunspec.lines import Link, Receiver
from der_client.sunspec.requests import WRITE_SINGLE, answer_size
from der_client.sunspec.rtu import CHECKSUM_SIZE, answer_in, rtu_frame
from der_client.sunspec.serial_port import SerialPort, SerialSettings, open_port


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialLine:
    """A serial port. What is written to unit 0 reaches all devices, and none answers."""

    settings: SerialSettings

    @property
    def name(self) -> str:
        """The port."""
        return self.settings.port

    @property
    def is_connection(self) -> bool:
        """Silence says nothing of the line: there is no other side."""
        return False

    @property
    def has_broadcast(self) -> bool:
        """It has."""
        return True

    async def open(self, receiver: Receiver) -> Link:
        """The port, open. OSError where there is none or another program has it."""
        return RtuLink(open_port(self.settings), self.settings, receiver)


class RtuLink:
    """An open port. Frames of units that were not asked and octets that nobody asked for are thrown away."""

    def __init__(self, descriptor: int, settings: SerialSettings, receiver: Receiver) -> None:
        self._receiver = receiver
        self._timing = settings.timing
        self._port = SerialPort(descriptor, self._heard, receiver.lost)
        self._loop = asyncio.get_running_loop()
        self._unit: int | None = None
        self._request = b""
        self._frame = b""
        self._buffer = b""
        self._quiet_from_s = 0.0

    @property
    def is_open(self) -> bool:
        """False once the port is gone."""
        return self._port.is_open

    def send(self, unit: int, pdu: bytes) -> None:
        """Send a frame; what came before it is no answer to it."""
        self._unit, self._request, self._buffer = unit, pdu, b""
        self._frame = rtu_frame(unit, pdu)
        self._quiet_from_s = self._loop.time() + self._timing.span_s(len(self._frame))
        self._port.write(self._frame)

    def ignore(self) -> None:
        """Wait for no answer."""
        self._unit = None

    def pause_s(self, now_s: float) -> float:
        """What is left of the silence that must follow the last character on the line."""
        return self._quiet_from_s + self._timing.silence_s - now_s

    def span_s(self, pdu: bytes) -> float:
        """The time that the frames of a request and its answer take."""
        return self._timing.span_s(len(pdu) + answer_size(pdu) + 2 * (1 + CHECKSUM_SIZE))

    def abort(self) -> None:
        """Close the port."""
        self._port.close()

    async def close(self) -> None:
        """Close the port."""
        self._port.close()

    def _heard(self, octets: bytes) -> None:
        self._quiet_from_s = self._loop.time()
        if self._unit is None:
            return
        self._buffer += octets
        if self._is_echo():
            return
        heard = answer_in(self._buffer, self._unit, self._request)
        if heard.pdu is not None:
            self._unit = None
            self._receiver.answered(heard.pdu)
        elif heard.is_hopeless:
            self._unit = None
            self._receiver.spoiled(f"{len(self._buffer)} octets without a sound frame")

    def _is_echo(self) -> bool:
        """True while nothing came but an echo of what we sent, as many adapters make; a whole one is dropped.

        Only an acknowledgement of function code 6 looks like its request; reading back tells them apart.
        """
        if self._request[0] == WRITE_SINGLE or not self._frame.startswith(self._buffer[: len(self._frame)]):
            return False
        if len(self._buffer) >= len(self._frame):
            self._buffer = self._buffer[len(self._frame) :]
            self._frame = b""
        return not self._buffer or bool(self._frame)
