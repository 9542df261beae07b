"""The socketcand text protocol, server side: bytes in, replies and frames out. Pure.

Spoken: `open`, `rawmode`, `send`, `echo`. Not spoken: broadcast manager, control mode, ISO-TP and CAN FD.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .frame import CanFrame

GREETING = "< hi >"
OK = "< ok >"
_MAX_BUFFER_BYTES = 4096
_STANDARD_DIGITS = 3


class Stage(StrEnum):
    """How far a client has got."""

    GREETED = "greeted"
    OPEN = "open"
    RAW = "raw"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Reply:
    """Text to write back to this client."""

    text: str


@dataclass(frozen=True, slots=True)
class Entered:
    """The client is now in raw mode: it may be given frames once it has read the `< ok >` of this reply."""

    text: str = OK


class SocketcandSession:
    """One client's half of the conversation. Garbage is counted in `ignored` and otherwise has no effect."""

    def __init__(self, channel: str) -> None:
        self.stage = Stage.GREETED
        self.ignored = 0
        self._channel = channel
        self._buffer = b""

    def receive(self, data: bytes) -> list[Reply | Entered | CanFrame]:
        """What the bytes that arrived ask for, in order."""
        self._buffer += data
        *commands, self._buffer = self._buffer.split(b">")
        if len(self._buffer) > _MAX_BUFFER_BYTES:
            self._buffer = b""
            self.ignored += 1
        events = (self._command(command) for command in commands)
        return [event for event in events if event is not None]

    def _command(self, command: bytes) -> Reply | Entered | CanFrame | None:
        words = command.rpartition(b"<")[2].decode("ascii", "replace").split()
        match words:
            case ["send", identifier, length, *data] if self.stage is Stage.RAW:
                return self._counted(parse_send(identifier, length, data))
            case ["echo"]:
                return Reply("< echo >")
            case ["rawmode"] if self.stage is Stage.OPEN:
                self.stage = Stage.RAW
                return Entered()
            case ["open", channel] if self.stage is Stage.GREETED:
                return self._open(channel)
        return self._counted(None)

    def _open(self, channel: str) -> Reply:
        if channel != self._channel:
            self.stage = Stage.REFUSED
            return Reply("< error could not open bus >")
        self.stage = Stage.OPEN
        return Reply(OK)

    def _counted(self, frame: CanFrame | None) -> CanFrame | None:
        self.ignored += frame is None
        return frame


def parse_send(identifier: str, length: str, data: list[str]) -> CanFrame | None:
    """The frame of `< send id dlc b0 b1 ... >`, all hexadecimal; `None` if it is not one.

    Three digits are an 11-bit identifier, any other number of digits a 29-bit one.
    """
    try:
        count = int(length, 16)
        octets = bytes(int(octet, 16) for octet in data)
        if count != len(octets):
            return None
        return CanFrame(
            arbitration_id=int(identifier, 16),
            is_extended=len(identifier) != _STANDARD_DIGITS,
            data=octets,
        )
    except ValueError:
        return None


def format_frame(frame: CanFrame, time_s: float) -> str:
    """`< frame id time data >` as a client reads it; `time_s` is s since 1970."""
    return f"< frame {frame.id_text} {time_s:.6f} {frame.data.hex().upper()} >"
