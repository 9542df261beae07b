"""Modbus TCP frames: where one begins and ends in a stream of octets. Pure functions.

MODBUS Messaging on TCP/IP Implementation Guide V1.0b, MBAP header.
"""

import struct
from dataclasses import dataclass

MBAP_SIZE = 7
MAX_PDU = 253
_HEADER = struct.Struct(">HHHB")


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
        return framed(self.transaction, self.unit, self.pdu)


def framed(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A PDU behind its MBAP header."""
    return _HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def split_frames(data: bytes) -> tuple[list[Frame], int]:
    """The complete frames at the head of a stream and the octets they take.

    Raises MalformedFrameError for a protocol identifier other than 0 or a length that no PDU can have.
    """
    frames: list[Frame] = []
    used = 0
    while len(data) - used >= MBAP_SIZE:
        transaction, protocol, length, unit = _HEADER.unpack_from(data, used)
        if protocol or not 2 <= length <= MAX_PDU + 1:
            msg = f"protocol identifier {protocol}, length {length}"
            raise MalformedFrameError(msg)
        end = used + MBAP_SIZE - 1 + length
        if len(data) < end:
            break
        frames.append(Frame(transaction, unit, data[used + MBAP_SIZE : end]))
        used = end
    return frames, used
