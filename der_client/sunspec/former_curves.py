"""Curve models as they were before this client wrote to them, known again after a restart.

Without that a curve of our own, still in force, would count as the one to be put back. So it is with the
source of charge in model 124.
"""

import json
import logging
from collections.abc import Iterable, Mapping

from der_client.former import FormerMemory
from der_client.sunspec.drafts import CurveBefore
from der_client.sunspec.model import DeviceMap

log = logging.getLogger(__name__)


class FormerCurves:
    """The former curves of one device by model; each is kept before anything is written to its model."""

    def __init__(self) -> None:
        self._memory: FormerMemory | None = None
        self._of = ""
        self._before: Mapping[int, CurveBefore] = {}

    async def take_up(self, memory: FormerMemory) -> None:
        """Go on with what an earlier run kept; what cannot be read is told and counts as nothing."""
        self._memory = memory
        text = await memory.former()
        if not text:
            return
        try:
            self._of, self._before = _read(text)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("the former curves that were kept cannot be read: %s", error)

    def of(self, device_map: DeviceMap) -> Mapping[int, CurveBefore]:
        """The former curves of this device; those of another one that was in its place count for nothing."""
        if self._before and self._of != _name(device_map):
            log.warning("the curves that were kept are of %s: forgotten", self._of)
            self._before = {}
        return self._before

    @property
    def models(self) -> frozenset[int]:
        """The models that this client has written to and not put back."""
        return frozenset(self._before)

    async def note(self, device_map: DeviceMap, touched: Mapping[int, CurveBefore]) -> None:
        """Keep how models are that are about to be written to."""
        await self._put(_name(device_map), {**self._before, **touched})

    async def forget(self, returned: Iterable[int]) -> None:
        """Models that are again as they were."""
        gone = set(returned)
        await self._put(self._of, {n: was for n, was in self._before.items() if n not in gone})

    async def _put(self, of: str, before: Mapping[int, CurveBefore]) -> None:
        if before == self._before:
            return
        self._of, self._before = of, before
        if self._memory is not None:
            await self._memory.keep_former(_text(of, before))


def _name(device_map: DeviceMap) -> str:
    """Which device it is, whatever its firmware."""
    return " ".join(device_map.identity()[:3])


def _text(of: str, before: Mapping[int, CurveBefore]) -> str:
    curves = {
        str(number): {"enabled": was.enabled, "active": was.active, "words": dict(was.words)}
        for number, was in before.items()
    }
    return json.dumps({"device": of, "curves": curves})


def _read(text: str) -> tuple[str, Mapping[int, CurveBefore]]:
    found = json.loads(text)
    before = {
        int(number): CurveBefore(
            enabled=bool(was["enabled"]),
            active=int(was["active"]),
            words={str(name): tuple(int(word) for word in words) for name, words in was["words"].items()},
        )
        for number, was in found["curves"].items()
    }
    return str(found["device"]), before
