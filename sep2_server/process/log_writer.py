"""Writes log lines in a thread of its own, so that nobody who logs waits for the target."""

import contextlib
import logging
import os
import threading
from collections import deque
from itertools import accumulate, count
from typing import Final

from sep2_server.process.log_direct import STANDARD_ERROR, takes
from sep2_server.process.log_lines import Access, Format, access_line, formatter_of

MOST_LINES: Final = 20_000
"""Lines that wait at most; further ones are counted and dropped."""
LATEST_S: Final = 0.1
"""How long a line may wait for the writer."""
STOP_S: Final = 1.0


class LogWriter:
    """Takes records and accesses from any thread, and writes them in their order to a file descriptor."""

    def __init__(self, kind: Format, target: int = STANDARD_ERROR) -> None:
        self.kind: Format = kind
        self._refused = self._lost = 0
        self._target = target
        self._waiting: deque[Access | str] = deque()
        self._process = os.getpid()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sep2-log", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Lines that were not written: too many waited, or the target did not take them."""
        return self._refused + self._lost

    def put(self, line: Access | str) -> None:
        """Write a line soon."""
        if len(self._waiting) >= MOST_LINES:
            self._refused += 1
        else:
            self._waiting.append(line)

    def close(self) -> None:
        """Write what waits, if the target takes it in time."""
        self._is_over.set()
        self._thread.join(STOP_S)

    def _work(self) -> None:
        while not self._is_over.wait(LATEST_S):
            self._write()
        self._write()

    def _write(self) -> None:
        """Write what waits, many lines at a time."""
        while self._waiting:
            lines = [self._text_of(self._waiting.popleft()) for _ in range(min(len(self._waiting), 500))]
            written = [line.encode(errors="backslashreplace") for line in lines]
            taken = self._written(b"".join(written))
            ends = accumulate(map(len, written))
            self._lost += sum(end > taken for end in ends)

    def _written(self, octets: bytes) -> int:
        """Write as much as the target takes: a disk may be full; how many octets that were."""
        done = 0
        with contextlib.suppress(OSError):
            while done < len(octets):
                try:
                    done += os.write(self._target, octets[done:])
                except BlockingIOError:
                    if not self._has_room():
                        break
        return done

    def _has_room(self) -> bool:
        """Wait until a target that others have told not to wait takes more; False where it is the end."""
        while not takes(self._target, LATEST_S):
            if self._is_over.is_set():
                return False
        return True

    def _text_of(self, line: Access | str) -> str:
        text = line if isinstance(line, str) else access_line(line, self.kind, self._process)
        return text + "\n"


class WriterHandler(logging.Handler):
    """Hands records to a writer."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer
        self.setFormatter(formatter_of(writer.kind))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record soon."""
        self._writer.put(self.format(record))

    def close(self) -> None:
        """Have written what waits, if its target takes it in time: the process ends."""
        super().close()
        self._writer.close()


class AccessLog:
    """One line for each request, while `is_on`."""

    def __init__(self, writer: LogWriter, *, is_on: bool) -> None:
        self._writer = writer
        self._numbers = count(1)
        self.is_on = is_on

    def number(self) -> int:
        """The next number of a request in this process."""
        return next(self._numbers)

    def put(self, access: Access) -> None:
        """Write down a request that was answered."""
        self._writer.put(access)
