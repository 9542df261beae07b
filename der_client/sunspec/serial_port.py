"""A serial port on an event loop: opened raw and for ourselves alone. For Linux, by the standard library."""

import asyncio
import errno
import fcntl
import os
import termios
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from der_client.sunspec.rtu import Timing

READ_AT_ONCE: Final = 4096
DATA_BITS: Final = 8


class Parity(StrEnum):
    """The parity bit; Modbus asks for even, devices in the field mostly have none."""

    NONE = "none"
    EVEN = "even"
    ODD = "odd"


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialSettings:
    """A serial line: port (`/dev/ttyUSB0`), baud, parity, stop bits. MODBUS over Serial Line V1.02, 2.5.1."""

    port: str
    baud: int = 9600
    parity: Parity = Parity.NONE
    stop_bits: int = 1

    def __post_init__(self) -> None:
        if self.baud not in speeds():
            raise ValueError(f"baud: {self.baud} is none of {', '.join(map(str, sorted(speeds())))}")
        if self.stop_bits not in {1, 2}:
            raise ValueError(f"stop_bits: {self.stop_bits} is not 1 or 2")

    @property
    def timing(self) -> Timing:
        """How long characters take, a start bit included."""
        parity_bits = 0 if self.parity is Parity.NONE else 1
        return Timing(baud=self.baud, character_bits=1 + DATA_BITS + parity_bits + self.stop_bits)


def speeds() -> dict[int, int]:
    """The codes of the speeds that the system knows, by baud."""
    names = (name for name in dir(termios) if name[0] == "B" and name[1:].isdigit())
    return {int(name[1:]): int(getattr(termios, name)) for name in names if name != "B0"}


def open_port(settings: SerialSettings) -> int:
    """A file descriptor of the port, raw and for us alone. OSError where there is none or another has it."""
    descriptor = os.open(settings.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        _lock(descriptor)
        make_raw(descriptor, settings)
        termios.tcflush(descriptor, termios.TCIOFLUSH)
    except termios.error as error:
        os.close(descriptor)
        raise OSError(errno.ENOTTY, f"{settings.port} is no serial port: {error}") from error
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _lock(descriptor: int) -> None:
    """Keep other programs away that lock as well."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OSError(errno.EBUSY, "another program has the port") from error


def make_raw(descriptor: int, settings: SerialSettings) -> None:
    """Set speed and form of characters; the driver changes no octet."""
    speed = speeds()[settings.baud]
    flags = termios.CS8 | termios.CREAD | termios.CLOCAL
    if settings.parity is not Parity.NONE:
        flags |= termios.PARENB | (termios.PARODD if settings.parity is Parity.ODD else 0)
    if settings.stop_bits == 2:
        flags |= termios.CSTOPB
    characters = termios.tcgetattr(descriptor)[6]
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    termios.tcsetattr(descriptor, termios.TCSANOW, [0, 0, flags, 0, speed, speed, characters])


class SerialPort:
    """An open port: octets that come go to `received`; `lost` hears that it is gone, once."""

    def __init__(
        self, descriptor: int, received: Callable[[bytes], None], lost: Callable[[str], None]
    ) -> None:
        self._descriptor: int | None = descriptor
        self._received = received
        self._lost = lost
        self._unsent = b""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(descriptor, self._read)

    @property
    def is_open(self) -> bool:
        """False once it was closed or pulled out."""
        return self._descriptor is not None

    def write(self, octets: bytes) -> None:
        """Send octets after those that are not yet sent."""
        if self._descriptor is not None:
            self._unsent += octets
            self._write()

    def close(self) -> None:
        """Let go of the port."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            self._loop.remove_reader(descriptor)
            self._loop.remove_writer(descriptor)
            os.close(descriptor)

    def _read(self) -> None:
        if self._descriptor is None:
            return
        try:
            octets = os.read(self._descriptor, READ_AT_ONCE)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(os.strerror(error.errno or errno.EIO))
            return
        if octets:
            self._received(octets)
        else:
            self._fail("the port was closed")

    def _write(self) -> None:
        if self._descriptor is None:
            return
        try:
            sent = os.write(self._descriptor, self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._loop.call_soon(self._fail, os.strerror(error.errno or errno.EIO))
            return
        self._unsent = self._unsent[sent:]
        if self._unsent:
            self._loop.add_writer(self._descriptor, self._write)
        else:
            self._loop.remove_writer(self._descriptor)

    def _fail(self, why: str) -> None:
        if self._descriptor is not None:
            self.close()
            self._lost(why)
