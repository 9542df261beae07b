"""What one `lineside sim` simulates: devices by name, and the site that they may stand on. No IO."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from der_client.sunspec.simulator import FaultSwitches, Inverter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.can import Pack, SimulatedBms
    from der_client.physics.ev import ElectricVehicle
    from der_client.sunspec.simulator import ReplayStore
    from der_client.sunspec.simulator.meter import Meter
    from der_client.sunspec.simulator.site import Site

GridPoint = tuple[float, float, float]
"""Seconds after the start, per unit voltage, Hz."""


@dataclass(slots=True, kw_only=True)
class Device:
    """One device on a bus, and what stands behind it. `line` are the faults of the port that it shares."""

    name: str
    unit: int
    inverter: Inverter | None = None
    meter: Meter | None = None
    image: ReplayStore | None = None
    pack: Pack | None = None
    bms: SimulatedBms | None = None
    car: ElectricVehicle | None = None
    line: FaultSwitches = field(default_factory=FaultSwitches)

    @property
    def faults(self) -> FaultSwitches:
        """What its registers do wrong."""
        if self.inverter is not None:
            return self.inverter.faults
        return self.line if self.meter is None else self.meter.faults

    def status(self) -> dict[str, float | int | bool | str]:
        """What it does now, as a person would ask."""
        shown: dict[str, float | int | bool | str] = {"name": self.name}
        if self.inverter is not None:
            ac = self.inverter.ac
            shown |= {"power_w": round(ac.power_w, 1), "reactive_var": round(ac.reactive_var, 1)}
            shown |= {"voltage_v": round(ac.voltage_v, 2), "hertz": round(ac.frequency_hz, 3)}
            shown |= {"injected_wh": round(ac.injected_wh, 1), "absorbed_wh": round(ac.absorbed_wh, 1)}
        if self.pack is not None:
            low_v, high_v = self.pack.cell_voltages_v
            shown |= {"soc_pct": round(self.pack.soc_pct, 2), "contactor": self.pack.contactor_closed}
            shown |= {"cell_v_min": round(low_v, 4), "cell_v_max": round(high_v, 4)}
            shown |= {"cell_t_max": round(self.pack.cell_temperatures_c[1], 1)}
        if self.car is not None:
            shown |= {"plugged": self.car.is_plugged, "soc_pct": round(self.car.soc_pct, 2)}
            shown |= {"needed_wh": round(self.car.needed_wh)}
        return shown


@dataclass(slots=True)
class Rig:
    """All devices of a simulation, at one time. `grid` changes what the grid does, in order of time."""

    devices: dict[str, Device]
    start: float
    site: Site | None = None
    grid: Sequence[GridPoint] = ()
    _next: int = 0

    def step(self, now: float) -> None:
        """Bring everything to `now`, s since 1970 UTC; the grid changes when it should."""
        while self._next < len(self.grid) and self.start + self.grid[self._next][0] <= now:
            seconds, per_unit, hertz = self.grid[self._next]
            self._advance(self.start + seconds)
            self.set_grid(per_unit, hertz)
            self._next += 1
        self._advance(now)

    def set_grid(self, per_unit: float, hertz: float) -> None:
        """Change the grid for all devices, from the time of the last step on."""
        if self.site is not None:
            nominal_v = self.site.meter.settings.v_nom_v
            self.site.set_grid(voltage_v=per_unit * nominal_v, frequency_hz=hertz)
            return
        for device in self.devices.values():
            if device.inverter is not None:
                nominal_v = device.inverter.settings.v_nom_v
                device.inverter.set_grid(voltage_v=per_unit * nominal_v, frequency_hz=hertz)

    def set_phases(self, per_unit: Sequence[float]) -> None:
        """Let the phases of all devices with so many differ; others see their mean."""
        mean = sum(per_unit) / len(per_unit)
        self.set_grid(mean, self._hertz())
        for device in self._inverters():
            device.set_phases(per_unit)

    def set_island(self, *, is_island: bool) -> None:
        """Take the grid away from all devices, or bring it back."""
        for device in self._inverters():
            device.set_island(is_island=is_island)

    def _inverters(self) -> list[Inverter]:
        return [device.inverter for device in self.devices.values() if device.inverter is not None]

    def _hertz(self) -> float:
        """Frequency of the grid now."""
        return next((inverter.ac.frequency_hz for inverter in self._inverters()), 60.0)

    def step_one(self, device: Device, now: float) -> None:
        """Bring what a device shows to `now`; alone where it stands on no site and the grid is constant."""
        if self.site is None and self._next >= len(self.grid) and device.inverter is not None:
            device.inverter.step(now)
        else:
            self.step(now)

    def status(self) -> dict[str, object]:
        """What everything does now."""
        shown: dict[str, object] = {"devices": [device.status() for device in self.devices.values()]}
        if self.site is not None:
            flow = self.site.flow
            shown["meter"] = {
                "power_w": round(flow.power_w, 1),
                "exported_wh": round(flow.exported_wh, 1),
                "imported_wh": round(flow.imported_wh, 1),
                "household_w": round(self.site.household_w(), 1),
                "household_wh": round(self.site.household_wh, 1),
            }
        return shown

    def _advance(self, now: float) -> None:
        if self.site is not None:
            self.site.step(now)
            return
        for device in self.devices.values():
            if device.inverter is not None:
                device.inverter.step(now)
