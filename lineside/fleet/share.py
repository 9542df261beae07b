"""The part of a fleet that runs in one process."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from lineside.fleet.decoding import Decoder
from lineside.fleet.device import Device
from lineside.fleet.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lineside.fleet.identities import Identity

FIRST_PER_S: Final = 50.0
"""How many devices of a fleet connect for the first time in a second, unless said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a fleet does.

    `url` is that of DeviceCapability; `rate` are cycles of the whole fleet per second in the place of the
    server's poll rates, which `speed` divides; `ramp_s` is over which time the first connections are spread.
    """

    url: str
    identities: Sequence[Identity]
    duration_s: float
    speed: float = 1.0
    rate: float | None = None
    ramp_s: float | None = None
    connections: Literal["kept", "new"] = "kept"
    timeout_s: float = 20.0
    seed: int = 1


async def run_share(plan: Plan, heard: Callable[[Tally], None], stop: asyncio.Event) -> Tally:
    """Run the devices until the time is over or `stop` is set; `heard` is told each second."""
    tally, decoder, drawn = Tally(), Decoder(), random.Random(plan.seed)  # noqa: S311 - spread of a load
    devices = [Device(identity, plan, decoder, tally, drawn) for identity in plan.identities]
    period_s = None if plan.rate is None else len(devices) / plan.rate
    ramp_s = plan.ramp_s if plan.ramp_s is not None else period_s or len(devices) / FIRST_PER_S
    start_s = time.monotonic()
    lives = [
        asyncio.ensure_future(device.live(start_s + ramp_s * place / len(devices), period_s))
        for place, device in enumerate(devices)
    ]
    try:
        await _watch(plan, tally, start_s, heard, stop, lives)
    finally:
        for life in lives:
            life.cancel()
        ended = await asyncio.gather(*lives, return_exceptions=True)
    tally.seconds = time.monotonic() - start_s
    _raise_defect(ended)
    return tally


async def _watch(
    plan: Plan,
    tally: Tally,
    start_s: float,
    heard: Callable[[Tally], None],
    stop: asyncio.Event,
    lives: Sequence[asyncio.Future[None]],
) -> None:
    """Tell each second until the time is over, somebody says stop, or a device ends, which none does."""
    while not stop.is_set() and not any(life.done() for life in lives):
        left_s = start_s + plan.duration_s - time.monotonic()
        if left_s <= 0:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(1.0, left_s)):
                await stop.wait()
        tally.seconds = time.monotonic() - start_s
        heard(tally)


def _raise_defect(ended: Sequence[BaseException | None]) -> None:
    for how in ended:
        if how is not None and not isinstance(how, asyncio.CancelledError):
            raise how
