"""A battery as one device: an inverter on its bus, and the BMS that says what the battery may do."""

import math
from dataclasses import replace
from typing import Protocol

from der_client.device import Applied, BatteryState, Device, Fault, Nameplate, Reversion, Setpoint, Telemetry
from der_client.former import FormerMemory, take_up
from der_client.knock import knock


class Bms(Protocol):
    """What is needed of a battery management system.

    `battery` gives a Fault until the BMS is to be trusted (again): silence and recovery are its business.
    """

    async def start(self) -> None:
        """Begin to listen."""
        ...

    def battery(self) -> BatteryState | Fault:
        """The battery as the BMS tells it now."""
        ...

    async def send_status(
        self, voltage_v: float, current_a: float, temperature_c: float, soc_pct: float
    ) -> None:
        """Set what the BMS is told of the inverter each period."""
        ...

    async def close(self) -> None:
        """Stop listening."""
        ...


class BatterySystem:
    """A Device of an inverter and a BMS; the inverter alone executes, the BMS alone limits."""

    def __init__(self, inverter: Device, bms: Bms) -> None:
        self.name = inverter.name
        self._inverter = inverter
        self._bms = bms
        self._is_started = False

    def bms_says(self) -> BatteryState | Fault | None:
        """The battery as the BMS tells it now, once it is listened to."""
        return self._bms.battery() if self._is_started else None

    async def take_up(self, memory: FormerMemory) -> None:
        """Let the inverter go on with what an earlier run found."""
        await take_up(self._inverter, memory)

    async def knock(self) -> Fault | None:
        """Whether the inverter answers; meanwhile the BMS is listened to."""
        await self._start()
        return await knock(self._inverter)

    async def identify(self) -> Nameplate | Fault:
        """Ratings of the inverter."""
        await self._start()
        return await self._inverter.identify()

    async def read(self) -> Telemetry | Fault:
        """Measurements of the inverter with the battery as the BMS tells it; the BMS gets its status."""
        await self._start()
        telemetry = await self._inverter.read()
        battery = self._bms.battery()
        if isinstance(telemetry, Fault):
            return telemetry
        if isinstance(battery, Fault):
            return replace(telemetry, battery=battery, soc_pct=None, soh_pct=None)
        await self._tell_bms(telemetry, battery)
        return replace(telemetry, battery=battery, soc_pct=battery.soc_pct, soh_pct=battery.soh_pct)

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        """Hand the setpoint to the inverter."""
        return await self._inverter.apply(setpoint, reversion)

    async def close(self) -> None:
        """Let go of both buses."""
        await self._inverter.close()
        if self._is_started:
            self._is_started = False
            await self._bms.close()

    async def _start(self) -> None:
        """Listen to the BMS, again after it was let go."""
        if not self._is_started:
            self._is_started = True
            await self._bms.start()

    async def _tell_bms(self, telemetry: Telemetry, battery: BatteryState) -> None:
        """DC side as the inverter drives it: battery voltage, and the current of its power."""
        is_plain = math.isfinite(telemetry.power_w) and battery.voltage_v > 0
        current_a = telemetry.power_w / battery.voltage_v if is_plain else 0.0
        await self._bms.send_status(battery.voltage_v, current_a, battery.temperature_c, battery.soc_pct)
