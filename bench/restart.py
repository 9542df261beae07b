"""Restart to the first answer: at most 3 s, however many EndDevices there are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from bench.measure import Result

if TYPE_CHECKING:
    from bench.stand import Stand

BAR_S: Final = 3.0


def measure(stand: Stand, devices: int) -> list[Result]:
    """From the start of the process to the answer to a first GET over a first handshake."""
    times = []
    for _ in range(3):
        start = time.monotonic()
        with stand.server():
            times.append(time.monotonic() - start)
    name = f"restart to first answer with {devices:,} EndDevices"
    return [Result(name=name, ours=sorted(times)[1], bar=BAR_S, unit="s", note="median of 3, wall time")]
