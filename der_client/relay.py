"""A relay that opens unless the control loop holds it closed: interlock 17 beyond the process.

What is a relay, and a device that has one. The order to hold it never makes the control loop wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from der_client.former import take_up
from der_client.heard_bms import bms_says
from der_client.knock import knock
from der_client.protected import may_write_grid_code

if TYPE_CHECKING:
    from der_client.device import (
        Applied,
        BatteryState,
        Device,
        Fault,
        Nameplate,
        Reversion,
        Setpoint,
        Telemetry,
    )
    from der_client.former import FormerMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """A relay with a time of its own on Modbus TCP: it opens once the register has not changed for that time.

    The client counts `register` up each control period, from 1, and writes 0 to open at once.
    """

    host: str
    port: int = 502
    unit: int = 1
    register: int = 0
    timeout_s: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise ValueError(f"port: {self.port} is no TCP port")
        if not 0 <= self.unit <= 255:
            raise ValueError(f"unit: {self.unit} outside 0 to 255")
        if not 0 <= self.register < 65536:
            raise ValueError(f"register: {self.register} outside 0 to 65535")
        if not 0 < self.timeout_s <= 10:
            raise ValueError(f"timeout_s: {self.timeout_s:g} s outside of more than 0 to 10 s")


class Relay(Protocol):
    """A contact that stays closed only for as long as it is told so again and again."""

    def hold(self) -> Fault | None:
        """Have it held closed for its time; a Fault where the order before this one did not get there."""
        ...

    def open(self) -> Fault | None:
        """Have it opened at once; a Fault where the order before this one did not get there."""
        ...

    async def close(self) -> None:
        """Let go of the bus: the relay opens after its time."""
        ...


@runtime_checkable
class Guarding(Protocol):
    """A device whose connection depends on a relay."""

    def guard(self, *, is_sound: bool) -> Fault | None:
        """Hold the relay while all is sound, else open it; a Fault of the order before."""
        ...


def guard(device: object, *, is_sound: bool) -> Fault | None:
    """Hold the relay of a device that has one, or open it; None where there is none."""
    return device.guard(is_sound=is_sound) if isinstance(device, Guarding) else None


class RelayedDevice:
    """A Device behind a relay."""

    def __init__(self, device: Device, relay: Relay) -> None:
        self.name = device.name
        self._device = device
        self._relay = relay

    @property
    def allow_grid_code_writes(self) -> bool:
        """True where the installer gave the device that permission."""
        return may_write_grid_code(self._device)

    def guard(self, *, is_sound: bool) -> Fault | None:
        """Hold the relay while all is sound, else open it; a Fault of the order before."""
        return self._relay.hold() if is_sound else self._relay.open()

    def bms_says(self) -> BatteryState | Fault | None:
        """What the BMS of the device says."""
        return bms_says(self._device)

    async def take_up(self, memory: FormerMemory) -> None:
        """Let the device go on with what an earlier run found."""
        await take_up(self._device, memory)

    async def knock(self) -> Fault | None:
        """Whether the device answers."""
        return await knock(self._device)

    async def identify(self) -> Nameplate | Fault:
        """Ratings of the device."""
        return await self._device.identify()

    async def read(self) -> Telemetry | Fault:
        """Measurements of the device."""
        return await self._device.read()

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        """Hand the setpoint to the device."""
        return await self._device.apply(setpoint, reversion)

    async def close(self) -> None:
        """Let go of the device and of the relay, which opens after its time."""
        await self._device.close()
        await self._relay.close()
