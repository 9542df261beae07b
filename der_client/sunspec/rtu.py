"""Modbus RTU frames: checksum, where an answer stands in what the line brought, times of silence. Pure.

MODBUS over Serial Line Specification and Implementation Guide V1.02, 2.5.
"""

from dataclasses import dataclass
from typing import Final

from der_client.sunspec.requests import EXCEPTION_BIT, READ_HOLDING, WRITE_MULTIPLE, answer_size

CHECKSUM_SIZE: Final = 2
EXCEPTION_FRAME: Final = 5
FAST_BAUD: Final = 19_200
FAST_SILENCE_S: Final = 0.00175
SILENT_CHARACTERS: Final = 3.5
SHORTEST_FRAME: Final = 4
FIXED_REQUEST: Final = 8


def _table() -> tuple[int, ...]:
    """The checksum of each octet. Polynomial 0xA001, reflected."""
    values = []
    for octet in range(256):
        value = octet
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
        values.append(value)
    return tuple(values)


_TABLE: Final = _table()


def checksum(octets: bytes) -> bytes:
    """The CRC-16 of a frame as it stands behind it: low octet first."""
    value = 0xFFFF
    for octet in octets:
        value = value >> 8 ^ _TABLE[(value ^ octet) & 0xFF]
    return value.to_bytes(CHECKSUM_SIZE, "little")


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """A PDU with the unit before it and the checksum behind it."""
    body = bytes((unit,)) + pdu
    return body + checksum(body)


def is_sound(frame: bytes) -> bool:
    """True if the checksum is that of the frame."""
    return len(frame) >= SHORTEST_FRAME and checksum(frame[:-CHECKSUM_SIZE]) == frame[-CHECKSUM_SIZE:]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the line brought so far: the PDU that is waited for, or whether it can still come."""

    pdu: bytes | None = None
    is_hopeless: bool = False


def answer_in(octets: bytes, unit: int, request: bytes) -> Heard:
    """The answer of a unit to a request, found in octets that may begin with noise or another unit's frame.

    Hopeless is what has as many octets as the answer, with no frame of that unit among them or begun.
    """
    start, has_begun = _after_others(octets, unit), False
    for at in range(start, len(octets) - 1):
        size = _size_from(octets[at + 1], request) if octets[at] == unit else 0
        frame = octets[at : at + size]
        if size and len(frame) < size:
            has_begun = True
        elif size and is_sound(frame):
            return Heard(frame[1:-CHECKSUM_SIZE])
    wanted = answer_size(request) + 1 + CHECKSUM_SIZE
    return Heard(is_hopeless=not has_begun and len(octets) - start >= wanted)


def _size_from(function: int, request: bytes) -> int:
    """Octets of an answer's frame that begins with this function code; 0 where nothing like it was asked."""
    if function == request[0]:
        return answer_size(request) + 1 + CHECKSUM_SIZE
    return EXCEPTION_FRAME if function == request[0] | EXCEPTION_BIT else 0


def _after_others(octets: bytes, unit: int) -> int:
    """Offset after the sound frames of other units at the head: answers that came too late."""
    at = 0
    while len(octets) - at >= EXCEPTION_FRAME and octets[at] != unit:
        size = _whole_answer(octets[at:])
        if size == 0 or not is_sound(octets[at : at + size]):
            break
        at += size
    return at


def _whole_answer(octets: bytes) -> int:
    """Octets of the answer that stands at the head; 0 for a function code that we never ask for."""
    function = octets[1]
    if function & EXCEPTION_BIT:
        return EXCEPTION_FRAME
    if function == READ_HOLDING:
        return octets[2] + EXCEPTION_FRAME
    return FIXED_REQUEST


def request_size(octets: bytes) -> int | None:
    """Octets of the request at the head of what a device heard; `None` while too few came to tell."""
    if len(octets) < 2:
        return None
    if octets[1] != WRITE_MULTIPLE:
        return FIXED_REQUEST
    return octets[6] + 9 if len(octets) > 6 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What the speed of a line means for frames. A character has 10 to 12 bits."""

    baud: int
    character_bits: int

    @property
    def silence_s(self) -> float:
        """The silence between frames, s: 3.5 characters, and 1.75 ms on lines faster than 19,200 baud."""
        if self.baud > FAST_BAUD:
            return FAST_SILENCE_S
        return SILENT_CHARACTERS * self.character_bits / self.baud

    def span_s(self, octets: int) -> float:
        """How long so many octets take, s."""
        return octets * self.character_bits / self.baud
