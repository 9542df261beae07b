"""A site: PV, battery, car and household behind one meter. No clock inside; time is an argument.

What the meter counts is what the devices count and the household takes, step by step, so that energy is
neither made nor lost.
"""

import math
from collections.abc import Mapping

from der_client.physics.household import Household
from der_client.sunspec.simulator.inverter import Inverter
from der_client.sunspec.simulator.meter import Flow, Meter

LONGEST_STEP_S = 10.0


class Site:
    """Devices by name and a household behind a meter; times are s since 1970 UTC.

    `flexible_share` cuts the flexible part of the household. With `self_consumption` the device `battery`
    makes up for all others unless it is told otherwise.
    """

    def __init__(
        self,
        devices: Mapping[str, Inverter],
        household: Household | None,
        meter: Meter,
        start: float,
        *,
        self_consumption: bool = False,
    ) -> None:
        self.devices = dict(devices)
        self.household = household
        self.meter = meter
        self.flexible_share = 1.0
        self.household_wh = 0.0
        self.self_consumption = self_consumption
        settings = meter.settings
        self.flow = Flow(voltage_v=settings.v_nom_v, frequency_hz=settings.nominal_hz)
        self._now = start
        self._look()

    def set_grid(self, *, voltage_v: float, frequency_hz: float) -> None:
        """Change the grid for all devices."""
        self.flow.voltage_v, self.flow.frequency_hz = voltage_v, frequency_hz
        for device in self.devices.values():
            device.set_grid(
                voltage_v=voltage_v / self.meter.settings.v_nom_v * device.settings.v_nom_v,
                frequency_hz=frequency_hz,
            )

    def step(self, now: float) -> None:
        """Bring the site to `now`; an earlier time than the last is ignored."""
        while self._now < now:
            until = min(now, self._now + LONGEST_STEP_S)
            self._advance(until)

    def household_w(self) -> float:
        """What the household takes now."""
        return 0.0 if self.household is None else self.household.power_w(self._now, self.flexible_share)

    def _advance(self, until: float) -> None:
        before = {name: _net_wh(device) for name, device in self.devices.items()}
        self._balance()
        for device in self.devices.values():
            device.step(until)
        taken_wh = 0.0
        if self.household is not None:
            taken_wh = self.household.energy_wh(self._now, until, self.flexible_share)
        given_wh = math.fsum(_net_wh(device) - before[name] for name, device in self.devices.items())
        self.household_wh += taken_wh
        self.flow.count(given_wh - taken_wh)
        self._now = until
        self._look()

    def _balance(self) -> None:
        """Ask the battery to make up for the others."""
        battery = self.devices.get("battery")
        if battery is None or not self.self_consumption:
            return
        others_w = math.fsum(d.ac.power_w for name, d in self.devices.items() if name != "battery")
        battery.idle_w = self.household_w() - others_w

    def _look(self) -> None:
        """Set what passes the meter now."""
        taken_w = self.household_w()
        taken_var = 0.0 if self.household is None else self.household.reactive_var(taken_w)
        self.flow.power_w = math.fsum(d.ac.power_w for d in self.devices.values()) - taken_w
        self.flow.reactive_var = math.fsum(d.ac.reactive_var for d in self.devices.values()) - taken_var
        self.meter.show(self.flow)


def _net_wh(device: Inverter) -> float:
    return device.ac.injected_wh - device.ac.absorbed_wh
