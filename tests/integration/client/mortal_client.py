"""A real client process that kills itself at a chosen point, as a power loss would. Run by tests.

Arguments: URI of DeviceCapability, spool, certificate, key, roots, point (or `never`), and how many times the
point is passed before it kills.
"""

import asyncio
import inspect
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from der_client import (
    Applied,
    ClientSettings,
    ControlSettings,
    DERClient,
    Nameplate,
    ReportSettings,
    Reversion,
    ServerSettings,
    Setpoint,
)
from der_client.device import Telemetry
from der_client.spool import Lane, Owed, Spool

PLATE = Nameplate(
    manufacturer="Maker",
    model="One",
    serial="77",
    version="1",
    der_type=4,
    modes=frozenset({"opModMaxLimW"}),
    max_w=10_000,
    max_va=10_000,
    max_var=4_400,
    max_var_neg=4_400,
    set_max_w=10_000,
    set_max_va=10_000,
    set_max_var=4_400,
    set_max_var_neg=4_400,
)


class Inverter:
    """A device that always does what it is told."""

    name = "inverter"

    async def identify(self) -> Nameplate:
        return PLATE

    async def read(self) -> Telemetry:
        return Telemetry(power_w=8_000.0, reactive_var=0.0, voltage_v=240.0, frequency_hz=60.0)

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied:
        return Applied()

    async def close(self) -> None:
        return None


@dataclass
class Point:
    """Kills the process when it was passed often enough."""

    left: int

    def passed(self) -> None:
        self.left -= 1
        if self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def is_of(lane: Lane) -> Callable[..., bool]:
    """Whether a call is about a body of this lane."""
    return lambda *args: any(isinstance(one, Owed) and one.lane is lane for one in args)


def owes(_records: object, owed: Iterable[Owed] = ()) -> bool:
    """Whether a commit owes Responses."""
    return bool(list(owed))


def kill_at(name: str, point: Point, *, before: bool, when: Callable[..., bool]) -> None:
    """Pass the point at each call of a method of the spool that `when` is about, before or after it."""
    real: Callable[..., object] = getattr(Spool, name)

    def wrapped(self: Spool, *args: object) -> object:
        if before and when(*args):
            point.passed()
        found = real(self, *args)
        if inspect.isawaitable(found):
            return afterwards(found, *args)
        if not before and when(*args):
            point.passed()
        return found

    async def afterwards(found: Awaitable[object], *args: object) -> object:
        awaited = await found
        if not before and when(*args):
            point.passed()
        return awaited

    setattr(Spool, name, wrapped)


def arm(point: str, times: int) -> None:
    """Arm one of the points, by its name."""
    mark = Point(times)
    points: dict[str, Callable[[], None]] = {
        "never": lambda: None,
        "before the responses are kept": lambda: kill_at("committed", mark, before=True, when=owes),
        "when the responses are kept": lambda: kill_at("committed", mark, before=False, when=owes),
        "before a response is sent": lambda: kill_at(
            "sending", mark, before=False, when=is_of(Lane.RESPONSE)
        ),
        "when a response was accepted": lambda: kill_at("done", mark, before=True, when=is_of(Lane.RESPONSE)),
        "when readings are kept": lambda: kill_at("owe", mark, before=False, when=is_of(Lane.READING)),
        "when readings were accepted": lambda: kill_at("done", mark, before=True, when=is_of(Lane.READING)),
    }
    points[point]()


def settings_of(uri: str, spool: str, certificate: str, key: str, roots: str) -> ClientSettings:
    return ClientSettings(
        server=ServerSettings(
            uri=uri,
            certificate=Path(certificate),
            key=Path(key),
            roots=Path(roots),
            poll_floor_s=0.05,
            retry_first_s=0.05,
            retry_most_s=0.2,
        ),
        control=ControlSettings(period_s=0.1),
        report=ReportSettings(post_rate_s=1),
        spool=Path(spool),
    )


async def main(arguments: list[str]) -> None:
    *where, point, times = arguments
    arm(point, int(times))
    await DERClient(settings_of(*where), [Inverter()]).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
