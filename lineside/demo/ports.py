"""Ports for servers of one run, on a machine where other programs make connections."""

import socket
from itertools import count
from secrets import randbelow
from typing import Final

FIRST: Final = 20_000
COUNT: Final = 12_000
"""Below 32768, where Linux begins to give ports to outgoing connections: what is free now stays so."""
_steps: Final = count(randbelow(COUNT))


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on; each call of a process gives another one."""
    for step in _steps:
        port = FIRST + step % COUNT
        if _is_free(port):
            return port
    raise AssertionError("the steps do not end")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
