"""Modbus TCP frames: where one ends in a stream of octets, and whether an answer is one. Pure functions.

MODBUS Messaging on TCP/IP Implementation Guide V1.0b, MBAP header; MODBUS Application Protocol V1.1b3.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MBAP_SIZE = 7
MAX_PDU = 253
READ_HOLDING = 3
WRITE_SINGLE = 6
WRITE_MULTIPLE = 16
EXCEPTION_BIT = 0x80
ANSWER_SIZES = {WRITE_SINGLE: 5, WRITE_MULTIPLE: 5}


class MalformedFrameError(ValueError):
    """The stream is not Modbus TCP: there is no telling where the next frame begins."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One Modbus TCP frame without its length field."""

    transaction: int
    unit: int
    pdu: bytes

    def encode(self) -> bytes:
        """The frame as octets."""
        return struct.pack(">HHHB", self.transaction, 0, len(self.pdu) + 1, self.unit) + self.pdu


def split_frames(data: bytes) -> tuple[list[Frame], int]:
    """The complete frames at the head of a stream and the octets they take.

    Raises MalformedFrameError for a protocol identifier other than 0 or a length that no PDU can have.
    """
    frames: list[Frame] = []
    used = 0
    while len(data) - used >= MBAP_SIZE:
        transaction, protocol, length, unit = struct.unpack_from(">HHHB", data, used)
        if protocol or not 2 <= length <= MAX_PDU + 1:
            msg = f"protocol identifier {protocol}, length {length}"
            raise MalformedFrameError(msg)
        end = used + MBAP_SIZE - 1 + length
        if len(data) < end:
            break
        frames.append(Frame(transaction, unit, data[used + MBAP_SIZE : end]))
        used = end
    return frames, used


def fault_in_answer(data: bytes) -> str | None:
    """Why octets from a device are no answers to function codes 3, 6 or 16; `None` if they are."""
    try:
        frames, _ = split_frames(data)
    except MalformedFrameError as error:
        return str(error)
    return next(_faults(frames), None)


def _faults(frames: list[Frame]) -> Iterator[str]:
    for frame in frames:
        function, size = frame.pdu[0], len(frame.pdu)
        expected = _answer_size(frame.pdu)
        if expected is None:
            yield f"function code {function}"
        elif size != expected or (function == READ_HOLDING and size % 2):
            yield f"answer to function code {function} has {size} octets"


def _answer_size(pdu: bytes) -> int | None:
    """Octets of an answer that begins so; `None` for a function code that we never ask for."""
    if pdu[0] & EXCEPTION_BIT:
        return 2
    if pdu[0] == READ_HOLDING:
        return 2 + (pdu[1] if len(pdu) > 1 else 0)
    return ANSWER_SIZES.get(pdu[0])
