"""Memory per idle TLS connection: at most 60 kB of the server's resident memory."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.measure import Result

if TYPE_CHECKING:
    from bench.stand import Stand
    from bench.wire import Wire

BAR_KB: Final = 60.0
FIRST: Final = 200
"""Connections before the count begins: what the process needs once is then there."""
CONNECTIONS: Final = 2000


def measure(stand: Stand) -> list[Result]:
    """Connections that have asked once and are then idle."""
    with stand.server() as server, contextlib.ExitStack() as stack:

        def connect(count: int) -> None:
            for _ in range(count):
                wire: Wire = stack.enter_context(contextlib.closing(stand.wire(server.port)))
                wire.get(stand.paths["Time"])

        connect(FIRST)
        before = resident_kb(server.pid)
        connect(CONNECTIONS)
        grown = (resident_kb(server.pid) - before) / CONNECTIONS
    return [Result(name=f"memory of an idle connection, of {CONNECTIONS}", ours=grown, bar=BAR_KB, unit="kB")]


def resident_kb(pid: int) -> float:
    """Resident memory of a process, kB of 1,000 octets."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) * 1.024
