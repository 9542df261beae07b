"""Where each worker writes its numbers for whoever is asked for those of all: one file in memory for each."""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from sep2_server.process.families import Samples

MOST_OCTETS = 1 << 22
MOST_HEAD = 32
"""Octets of the time, behind the first one."""


class Boards:
    """One board for each worker, made before the processes fork; a new worker finds its predecessor's."""

    def __init__(self, descriptors: Sequence[int]) -> None:
        self._descriptors = list(descriptors)

    @classmethod
    def create(cls, count: int) -> Self:
        """Empty boards (Linux)."""
        return cls([os.memfd_create(f"lineside-board-{number}") for number in range(count)])

    def __len__(self) -> int:
        return len(self._descriptors)

    def write(self, number: int, samples: Samples) -> None:
        """Put a worker's numbers on its board, with the time."""
        encoded = _head() + json.dumps(samples).encode() + b"]"
        with _locked(self._descriptors[number], fcntl.LOCK_EX) as board:
            os.pwrite(board, encoded, 0)
            os.ftruncate(board, len(encoded))

    def live(self, number: int) -> None:
        """Put a worker's sign of life on its board; its numbers stay."""
        with _locked(self._descriptors[number], fcntl.LOCK_EX) as board:
            os.pwrite(board, _head() if os.fstat(board).st_size else _head() + b"{}]", 0)

    def read(self, number: int) -> tuple[float, Samples]:
        """How old the numbers of a worker are, s, and they.

        None were ever written, or a worker that died has left them half written: infinitely old.
        """
        with _locked(self._descriptors[number], fcntl.LOCK_SH) as board:
            encoded = os.pread(board, MOST_OCTETS, 0)
        try:
            written, samples = json.loads(encoded)
        except ValueError:
            return float("inf"), {}
        return time.monotonic() - written, samples

    def age_s(self, number: int) -> float:
        """How long ago a worker last wrote, s, without waiting for one that hangs as it writes."""
        head = os.pread(self._descriptors[number], MOST_HEAD + 1, 0)
        try:
            return time.monotonic() - float(head[1:])
        except ValueError:
            return float("inf")


def _head() -> bytes:
    """The time, in so many octets at all times."""
    return f"[{time.monotonic():<{MOST_HEAD}.6f},".encode()


@contextmanager
def _locked(board: int, how: int) -> Iterator[int]:
    """A lock that the system takes back from a process that dies."""
    fcntl.lockf(board, how)
    try:
        yield board
    finally:
        fcntl.lockf(board, fcntl.LOCK_UN)
