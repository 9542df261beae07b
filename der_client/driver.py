"""What a driver is: the class that anyone's device stands behind, with its settings as a schema.

A package offers drivers by entry points of the group `lineside.drivers`; `driver_contract` tests them.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Generic, Self, TypeVar, cast

from der_client.device import Fault, FaultKind, PreparingDevice
from der_client.former import take_up
from der_client.heard_bms import bms_says
from der_client.knock import knock

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from der_client.device import Applied, BatteryState, Device, Nameplate, Reversion, Setpoint, Telemetry
    from der_client.former import FormerMemory

S_co = TypeVar("S_co", covariant=True)
R = TypeVar("R")


class HealthState(StrEnum):
    """How a driver gets on with its device."""

    UNKNOWN = "not asked yet"
    GOOD = "good"
    FAULTY = "answers with faults"
    SILENT = "does not answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of the last exchange; `detail` says what was wrong with it, empty while nothing was.

    `silent_s` is the time since the device last answered; `None` while it never has.
    """

    state: HealthState
    detail: str = ""
    silent_s: float | None = None


class HealthWatch:
    """Keeps health from the results of exchanges. Pure but for `clock`, monotonic, s."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._state = HealthState.UNKNOWN
        self._detail = ""
        self._heard_s: float | None = None

    def took(self, result: R) -> R:
        """The result as it is; what it says of the device is kept."""
        is_fault = isinstance(result, Fault) and result.kind is not FaultKind.PENDING
        is_silent = isinstance(result, Fault) and result.kind is FaultKind.NO_ANSWER
        self._detail = f"{result.kind}: {result.detail}" if isinstance(result, Fault) else ""
        self._state = HealthState.FAULTY if is_fault else HealthState.GOOD
        if is_silent:
            self._state = HealthState.SILENT
        else:
            self._heard_s = self._clock()
        return result

    def health(self) -> Health:
        """Health now."""
        silent_s = None if self._heard_s is None else max(0.0, self._clock() - self._heard_s)
        return Health(state=self._state, detail=self._detail, silent_s=silent_s)


def not_executed(setpoint: Setpoint, executed: frozenset[str]) -> frozenset[str]:
    """What a setpoint asks for beyond the fields that a device executes, as `Applied.unsupported` wants it.

    Curves count by their modes, as do the members of `executed` that are modes.
    """
    asked = {curve.mode for curve in setpoint.curves}
    asked |= {
        one.name
        for one in fields(setpoint)
        if one.name != "curves" and getattr(setpoint, one.name) is not one.default
    }
    return frozenset(asked - executed)


class Driver(ABC, Generic[S_co]):
    """One device behind one kind of bus or protocol; a `Device`, so that every client can hold it.

    `kind` is the word by which configuration files name the driver; `Settings` the frozen dataclass of what
    can be set: its fields, types and defaults are the schema, a ValueError of its `__post_init__` ("port: 0
    is no TCP port") is shown with the full key. No method raises for what happens in the field, and each
    ends within a bounded time. One task owns a driver.
    """

    kind: ClassVar[str]
    Settings: ClassVar[type]

    def __init__(self, name: str, settings: S_co) -> None:
        self.name = name
        self._settings = settings

    @classmethod
    def add(cls, name: str, settings: object) -> Self:
        """The driver of one device; nothing is opened yet. TypeError for the settings of another driver."""
        if not isinstance(settings, cls.Settings):
            raise TypeError(f"{cls.kind}: {type(settings).__name__} is not {cls.Settings.__name__}")
        return cls(name, cast("S_co", settings))

    async def knock(self) -> Fault | None:
        """Whether anything answers: None, or why it is taken for silent. Here nothing is asked.

        Among many devices a driver that overrides this keeps nobody waiting while its device is silent.
        """
        return None

    @abstractmethod
    async def identify(self) -> Nameplate | Fault:
        """Open what is needed, find the device and give its ratings; called again after each loss."""

    @abstractmethod
    async def read(self) -> Telemetry | Fault:
        """One reading of all measurements."""

    @abstractmethod
    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        """Write setpoint and reversion timers, read back, compare; with an equal setpoint: refresh.

        Fields that the device cannot execute are named in `Applied.unsupported`, never faked.
        """

    async def prepare(self, setpoint: Setpoint, reversion: Reversion) -> bool:
        """Read and work out all that writing the setpoint needs, and write nothing (`PreparingDevice`).

        False, as here, for a driver that does all of it in `apply`.
        """
        del setpoint, reversion
        return False

    def begin(self, setpoint: Setpoint, reversion: Reversion) -> asyncio.Future[None] | None:
        """Send what was prepared; None where nothing is, or it does not hold any more."""
        del setpoint, reversion
        return None

    @abstractmethod
    async def close(self) -> None:
        """Let go of the bus; the device's own reversion timers stay armed. More than once does no harm."""

    @abstractmethod
    def health(self) -> Health:
        """How the last exchange went; asks nothing of the device."""

    async def subscribe(self, period_s: float = 1.0) -> AsyncGenerator[Telemetry | Fault, None]:
        """Readings without end, here by asking every `period_s`; close the iterator to stop.

        A device that tells by itself overrides this. A slow answer is followed by the next question at once.
        """
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            yield await self.read()
            due_s = max(due_s + period_s, loop.time())
            await asyncio.sleep(due_s - loop.time())


class DeviceDriver(Driver[S_co]):
    """A driver around a Device: adds health, and leaves the rest to it."""

    def __init__(self, name: str, settings: S_co, device: Device) -> None:
        super().__init__(name, settings)
        self.device = device
        self._preparing = device if isinstance(device, PreparingDevice) else None
        self._watch = HealthWatch()

    def bms_says(self) -> BatteryState | Fault | None:
        """What the BMS of the device says, heard on a bus of its own."""
        return bms_says(self.device)

    async def take_up(self, memory: FormerMemory) -> None:
        """Let the device go on with what an earlier run found."""
        await take_up(self.device, memory)

    async def knock(self) -> Fault | None:
        """Whether anything answers."""
        return self._watch.took(await knock(self.device))

    async def identify(self) -> Nameplate | Fault:
        """Find the device and give its ratings."""
        return self._watch.took(await self.device.identify())

    async def read(self) -> Telemetry | Fault:
        """One reading of all measurements."""
        return self._watch.took(await self.device.read())

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        """Write, read back, compare."""
        return self._watch.took(await self.device.apply(setpoint, reversion))

    async def prepare(self, setpoint: Setpoint, reversion: Reversion) -> bool:
        """Read and work out all that writing the setpoint needs, where the device can do that."""
        return self._preparing is not None and await self._preparing.prepare(setpoint, reversion)

    def begin(self, setpoint: Setpoint, reversion: Reversion) -> asyncio.Future[None] | None:
        """Send what was prepared."""
        return None if self._preparing is None else self._preparing.begin(setpoint, reversion)

    async def close(self) -> None:
        """Let go of the bus; reversion timers stay armed."""
        await self.device.close()

    def health(self) -> Health:
        """How the last exchange went."""
        return self._watch.health()
