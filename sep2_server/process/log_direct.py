"""The log of a process without a thread for it: what its target does not take at once is lost."""

import contextlib
import logging
import os
import select
import stat
from typing import Final

STANDARD_ERROR: Final = 2


def target_of(descriptor: int) -> int:
    """A way to the same target that never waits: of a pipe another opening, as its other users may wait."""
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return descriptor
    try:
        return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return descriptor


def takes(descriptor: int, within_s: float = 0.0) -> bool:
    """Whether a target takes something, or says that it never will."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(within_s * 1000))


class DirectHandler(logging.Handler):
    """Writes records to standard error, each part of one where it is taken at once."""

    def __init__(self, formatter: logging.Formatter, descriptor: int = STANDARD_ERROR) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._target = target_of(descriptor)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, as far as that goes."""
        octets = (self.format(record) + "\n").encode(errors="backslashreplace")
        with contextlib.suppress(OSError):
            while octets and takes(self._target):
                octets = octets[os.write(self._target, octets[: select.PIPE_BUF]) :]
