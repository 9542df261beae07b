"""Issuers that several processes of one server share: an append-only file that all of them have open."""

import fcntl
import os
import struct
from collections.abc import Iterator
from typing import Final, Self

MOST_OCTETS: Final = 1 << 24
"""Beyond this nothing more is written down; clients of further CAs then need full handshakes."""
_LENGTH: Final = struct.Struct(">I")


class LearntIssuers:
    """DER encodings of CAs, each written once by whoever saw it first and read by everybody else.

    The file lives as long as a process has it open. Make it before the processes fork. What stands in it is
    no more than a hint: who reads it looks at every signature again.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._read = 0

    @classmethod
    def create(cls) -> Self:
        """An empty file in memory (Linux). Each append is one write, so that records never mix."""
        descriptor = os.memfd_create("lineside-issuers")
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_APPEND)
        return cls(descriptor)

    def append(self, encoded: bytes) -> None:
        """Let the other processes know of a CA."""
        if os.fstat(self._descriptor).st_size < MOST_OCTETS:
            os.write(self._descriptor, _LENGTH.pack(len(encoded)) + encoded)

    def news(self) -> Iterator[bytes]:
        """What was written since this process last read."""
        while len(head := os.pread(self._descriptor, _LENGTH.size, self._read)) == _LENGTH.size:
            (length,) = _LENGTH.unpack(head)
            encoded = os.pread(self._descriptor, length, self._read + _LENGTH.size)
            if len(encoded) < length:
                return
            self._read += _LENGTH.size + length
            yield encoded

    def close(self) -> None:
        """Close the file in this process."""
        os.close(self._descriptor)
