"""Which process a server is, for commands on the same machine: a file that is locked while it lives."""

import fcntl
import os
import signal
from pathlib import Path
from typing import Final, Self

NAME: Final = "server.pid"


class PidFile:
    """The file of a running server; the lock ends with the process, however that ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, folder: Path) -> Self:
        """Write the number of this process. OSError where another server has the folder."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as flaw:
            os.close(descriptor)
            raise OSError(flaw.errno, f"{folder / NAME}: a server is running with this folder") from flaw
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Let another server have the folder."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def signal_server(folder: Path, number: signal.Signals) -> int | None:
    """Send a signal to the server that has a folder; its process, None where none runs."""
    try:
        descriptor = os.open(folder / NAME, os.O_RDWR)
    except OSError:
        return None
    try:
        pid = _pid_of(os.pread(descriptor, 32, 0))
        if not pid or _is_free(descriptor):
            return None
        os.kill(pid, number)
    finally:
        os.close(descriptor)
    return pid


def _pid_of(text: bytes) -> int:
    """The process that a text names, 0 for none: a negative number would be a group of processes."""
    return int(text) if text.strip().isdigit() else 0


def _is_free(descriptor: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    fcntl.lockf(descriptor, fcntl.LOCK_UN)
    return True
