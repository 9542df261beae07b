"""What a process has to do with its parent and with systemd. Linux."""

import ctypes
import os
import signal
import socket
import time
from collections.abc import Mapping
from typing import Final, Self

_PR_SET_PDEATHSIG: Final = 1
VARIABLE: Final = "NOTIFY_SOCKET"


def end_with_parent(parent: int) -> None:
    """Let the system send SIGTERM to this process once its parent is gone, however that ended."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


TAKEN_S: Final = 1.0
"""How long systemd may take to take a message that it must not miss."""
PING_S: Final = 5.0
"""How often systemd hears that the service lives, where its `WatchdogSec` does not want that more often."""
LEAST_S: Final = 0.01
IN_TIME: Final = 4
"""So many signs of life are given within `WatchdogSec`: two come where each is late."""
_USEC: Final = "WATCHDOG_USEC"
_PID: Final = "WATCHDOG_PID"


class ServiceManager:
    """Tells systemd how the service is, where it asked for that (`Type=notify`); nobody else hears."""

    def __init__(self, address: str | None, watchdog_s: float | None = None) -> None:
        """Speak to the socket that `NOTIFY_SOCKET` names, or to nobody; in time for a watchdog, if any."""
        self._pinged = float("-inf")
        self._ping_s = PING_S if watchdog_s is None else min(PING_S, watchdog_s / IN_TIME)
        self.beat_s = max(self._ping_s, LEAST_S)
        """How often `alive` has to be called at least, s."""
        self._address = f"\0{address[1:]}" if address and address.startswith("@") else address

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """The manager that the variables of systemd tell of."""
        return cls(environment.get(VARIABLE), _watchdog_s(environment))

    def ready(self) -> None:
        """Everything is listened on."""
        self._tell("READY=1", f"MAINPID={os.getpid()}")

    def reloading(self) -> None:
        """Files are read again; `ready` ends it."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The end has begun."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """The service does its work; call it often, systemd is told now and then (`WatchdogSec`)."""
        now = time.monotonic()
        if now - self._pinged >= self._ping_s:
            self._pinged = now
            self._tell("WATCHDOG=1", within_s=0.0)

    def _tell(self, *lines: str, within_s: float = TAKEN_S) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as one:
            one.settimeout(within_s)
            try:
                one.sendto("\n".join(lines).encode(), self._address)
            except OSError:
                return


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """Within what time systemd wants to hear of this process, s; None where it does not."""
    usec, pid = environment.get(_USEC, ""), environment.get(_PID, str(os.getpid()))
    is_wanted = usec.isdecimal() and int(usec) > 0 and pid == str(os.getpid())
    return int(usec) / 1e6 if is_wanted else None
