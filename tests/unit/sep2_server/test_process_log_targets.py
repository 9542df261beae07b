"""Where log lines go is full, or gone."""

import contextlib
import logging
import os
import threading
from collections.abc import Iterator

import pytest

from sep2_server.process.log_direct import DirectHandler
from sep2_server.process.log_lines import formatter_of
from sep2_server.process.log_writer import LogWriter


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):
            os.close(end)


def fill(write: int) -> int:
    """How many octets it takes until a pipe that does not wait is full."""
    os.set_blocking(write, False)
    octets = 0
    for part in (b"x" * 4096, b"x"):
        with contextlib.suppress(BlockingIOError):
            while True:
                octets += os.write(write, part)
    return octets


def test_a_full_target_that_does_not_wait_gets_every_line_whole(pipe: tuple[int, int]) -> None:
    read, write = pipe
    octets = fill(write)
    writer = LogWriter("text", write)
    writer.put("a" * 5000)
    writer.put("b")
    threading.Event().wait(0.3)
    while octets:
        octets -= len(os.read(read, min(octets, 4096)))
    found = b""
    while not found.endswith(b"b\n"):
        found += os.read(read, 4096)
    writer.close()
    assert (found, writer.dropped) == (b"a" * 5000 + b"\nb\n", 0)


def test_a_full_target_does_not_hold_up_the_end(pipe: tuple[int, int]) -> None:
    fill(pipe[1])
    writer = LogWriter("text", pipe[1])
    writer.put("a")
    writer.close()
    assert not writer._thread.is_alive()
    assert writer.dropped == 1


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_process_that_forks_loses_what_its_log_does_not_take(pipe: tuple[int, int], is_gone: bool) -> None:
    fill(pipe[1])
    os.set_blocking(pipe[1], True)
    if is_gone:
        os.close(pipe[0])
    handler = DirectHandler(formatter_of("text"), pipe[1])
    handler.emit(logging.LogRecord("a", logging.ERROR, "a", 1, "lost", (), None))


def test_a_process_that_forks_writes_lines(pipe: tuple[int, int]) -> None:
    handler = DirectHandler(formatter_of("json"), pipe[1])
    handler.emit(logging.LogRecord("a", logging.ERROR, "a", 1, "told", (), None))
    assert b'"message": "told"' in os.read(pipe[0], 4096)
