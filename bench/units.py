"""Light simulated inverters for the bench: `python -m bench.units UNITS PORTS`, many units on few ports.

All units share one image of registers; what is written to a unit is its own. The first line of standard
output lists the ports; each later one says which unit got another limit of power, to what, and when.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING, Final

from der_client.sunspec.simulator import Inverter, InverterSettings, ModbusServer

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST: Final = 40_000
MODEL, POINT, SWITCH = 704, "WMaxLimPct", "WMaxLimPctEna"
FULL: Final = 10_000
"""WMaxLimPct of no limit, raw: 0.01 %."""


class Image:
    """The registers of a PV inverter that runs, and where its limit stands."""

    def __init__(self) -> None:
        inverter = Inverter(InverterSettings(), 0.0)
        inverter.step(1.0)
        end = max(model.end for model in inverter.bank.models.values()) + 2
        self.words = list(inverter.read(FIRST, end - FIRST))
        model = inverter.bank.models[MODEL]
        points = model.layout.points if model.layout else ()
        limit, switch = model.point(POINT), model.point(SWITCH)
        if limit is None or switch is None:
            raise RuntimeError("the simulated inverter has no limit of power")
        beats = inverter.bank.models[715]
        beat = beats.point("DERHb")
        if beat is None:
            raise RuntimeError("the simulated inverter has no heartbeat")
        self.beat_at = beats.address + beat.offset
        measured = inverter.bank.models[701]
        power = measured.point("W")
        if power is None:
            raise RuntimeError("the simulated inverter measures no power")
        self.power_at = measured.address + power.offset
        self.timers = {
            model.address + timer.offset: model.address + rest.offset
            for timer in points
            if timer.name.endswith("RvrtTms") and (rest := model.point(timer.name[:-3] + "Rem"))
        }
        """Where each reversion timer is set, and where its rest is read."""
        self.limit_at = model.address + limit.offset
        self.switch_at = model.address + switch.offset


class Unit:
    """One inverter: the image with what was written over it."""

    __slots__ = ("_image", "_number", "_own", "_set_s")

    def __init__(self, number: int, image: Image) -> None:
        self._number = number
        self._image = image
        self._own: dict[int, int] = {}
        self._set_s: dict[int, float] = {}

    def read(self, address: int, count: int) -> Sequence[int]:
        """Registers as they stand."""
        start = address - FIRST
        words = self._image.words[start : start + count]
        if address <= self._image.beat_at < address + count - 1:
            at = self._image.beat_at - address
            words[at : at + 2] = divmod(int(time.monotonic()), 1 << 16)
        if address <= self._image.power_at < address + count and self._held() >= 0:
            at = self._image.power_at - address
            words[at] = words[at] * min(self._held(), FULL) // FULL
        for place, word in self._own.items():
            if address <= place < address + count:
                words[place - address] = word
        for place, set_s in self._set_s.items():
            rest_at = self._image.timers[place] - address
            if 0 <= rest_at < count - 1:
                words[rest_at : rest_at + 2] = divmod(self._rest_s(place, set_s), 1 << 16)
        return words

    def write(self, address: int, words: Sequence[int]) -> None:
        """Take registers; a limit that changes is told."""
        before = self._held()
        self._own.update(enumerate(words, address))
        for place in self._image.timers:
            if address <= place < address + len(words):
                self._set_s[place] = time.monotonic()
        if self._held() != before:
            sys.stdout.write(f"{self._number} {self._held()} {time.time():.6f}\n")
            sys.stdout.flush()

    def _rest_s(self, place: int, set_s: float) -> int:
        """What is left of a reversion timer, s; it counts whole seconds."""
        whole_s = self._own.get(place, 0) << 16 | self._own.get(place + 1, 0)
        return max(0, whole_s - int(time.monotonic() - set_s))

    def _held(self) -> int:
        """The limit in force, raw; -1 where it is off."""
        image = self._image
        is_on = self._own.get(image.switch_at, 0)
        return self._own.get(image.limit_at, -1) if is_on == 1 else -1


async def serve(units: int, ports: int) -> None:
    """Serve until the process is told to stop."""
    image = Image()
    share = -(-units // ports)
    numbers = [range(first, min(first + share, units)) for first in range(0, units, share)]
    servers = [
        await ModbusServer({at + 1: Unit(number, image) for at, number in enumerate(some)}).start()
        for some in numbers
    ]
    sys.stdout.write(json.dumps([server.port for server in servers]) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
