"""What devices write: durable at most 6 times a bare handler that reads the body and answers the same.

A device that writes alone waits for the disk, and the core cools down meanwhile: the same code costs two to
three times as much after a pause, that of a bare handler too. So both are asked at the same pace then.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from bench.comparing import Case, compare
from bench.documents import readings, response, status, usage_point
from bench.wire import request

if TYPE_CHECKING:
    from bench.measure import Result
    from bench.stand import Stand

BAR: Final = 6.0
PACE_S: Final = 0.01
"""How often a device that is alone writes."""
AT_ONCE: Final = 16
"""Devices that write at the same time: they share commits."""


def measure(stand: Stand) -> list[Result]:
    """PUT and POST of a device, alone and with others at the same time, against a bare handler."""
    with stand.server() as server:
        mirror = make_mirror(stand, server.port)
    return compare(stand, cases(stand, mirror))


def cases(stand: Stand, mirror: str) -> list[Case]:
    """What is written."""
    count = itertools.count(1)
    kinds = (
        ("PUT DERStatus", "PUT", stand.paths["DERStatus"], lambda: status(next(count))),
        ("POST mirror readings", "POST", mirror, lambda: readings(stand.lfdi, next(count))),
        ("POST Response", "POST", stand.paths["ResponseList"], lambda: response(stand.lfdi, next(count))),
    )
    return [
        Case(
            name=f"{name}, {stand.database_kind}, {_many(at_once)}",
            method=method,
            path=path,
            body=body,
            bar=BAR,
            at_once=at_once,
            pace_s=PACE_S if at_once == 1 else 0.0,
            batch=10 * AT_ONCE,
        )
        for name, method, path, body in kinds
        for at_once in (1, AT_ONCE)
    ]


def _many(at_once: int) -> str:
    return f"{at_once} at a time" if at_once > 1 else f"alone, each {1000 * PACE_S:.0f} ms"


def make_mirror(stand: Stand, port: int) -> str:
    """A mirror usage point of the device; its URI."""
    wire = stand.wire(port)
    wire.socket.sendall(request("POST", stand.paths["MirrorUsagePointList"], usage_point(stand.lfdi)))
    answered, head, _ = wire.take()
    wire.close()
    if answered not in {201, 204}:
        raise RuntimeError(f"MirrorUsagePoint: {answered}")
    line = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"location:"))
    return line.partition(b":")[2].strip().decode()
