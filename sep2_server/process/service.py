"""What a process has to do with its parent and with systemd. Linux."""

import ctypes
import os
import signal
import socket
import time
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
VARIABLE: Final = "NOTIFY_SOCKET"


def end_with_parent(parent: int) -> None:
    """Let the system send SIGTERM to this process once its parent is gone, however that ended."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


class ServiceManager:
    """Tells systemd how the service is, where it asked for that (`Type=notify`); nobody else hears."""

    def __init__(self, address: str | None) -> None:
        """Speak to the socket that `NOTIFY_SOCKET` names, or to nobody."""
        self._address = f"\0{address[1:]}" if address and address.startswith("@") else address

    def ready(self) -> None:
        """Everything is listened on."""
        self._tell("READY=1", f"MAINPID={os.getpid()}")

    def reloading(self) -> None:
        """Files are read again; `ready` ends it."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The end has begun."""
        self._tell("STOPPING=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as one:
            try:
                one.sendto("\n".join(lines).encode(), self._address)
            except OSError:
                return
