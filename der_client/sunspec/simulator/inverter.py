"""A simulated inverter: registers that are written move its power, its power moves those that are read.

No clock inside: `step` and `write` take the time in seconds, on any scale that only goes forward.
"""

import math
from collections.abc import Callable, Sequence
from typing import Protocol

from der_client.physics import EnterService, Grid, Offer, Orders, PowerStage
from der_client.physics.pack import Pack
from der_client.sunspec.simulator.bank import RegisterBank
from der_client.sunspec.simulator.battery_802 import Battery802
from der_client.sunspec.simulator.faults import FaultSwitches
from der_client.sunspec.simulator.lab_hooks import LabHooks
from der_client.sunspec.simulator.measurements import AcState, phase_count
from der_client.sunspec.simulator.overlay import distorted
from der_client.sunspec.simulator.series_100 import Series100
from der_client.sunspec.simulator.series_700 import Series700
from der_client.sunspec.simulator.settings import InverterSettings
from der_client.sunspec.simulator.sources import (
    DcLimits,
    DcSource,
    IdealBattery,
    PvField,
    PvSource,
    offer_of_battery,
    offer_of_pv,
)

SUN_STEP_S, BATTERY_STEP_S = 60.0, 10.0
"""What sun and battery offer is looked at this often within a long step."""


class Face(Protocol):
    """A family of register models in front of the power stage."""

    bank: RegisterBank

    def orders(self) -> Orders:
        """What the registers ask for."""
        ...

    def touched(self) -> None:
        """A register was changed from outside: look again."""
        ...

    def written(self, names: tuple[str, ...], now: float) -> None:
        """Points were written at `now`."""
        ...

    def next_at(self) -> float:
        """When something happens in the registers by time alone."""
        ...

    def step(self, now: float, dt_s: float) -> None:
        """Count timers."""
        ...

    def show(
        self, stage: PowerStage, ac: AcState, offer: Offer, grid: Grid, battery: DcLimits | None
    ) -> None:
        """Write the measurements and states of this instant."""
        ...


class Inverter:
    """One inverter with a PV field or a battery behind it. `faults` may be changed at any time.

    `draw` gives numbers from 0 to 1 for random delays; `idle_w` flows of a battery that nobody asks.
    """

    def __init__(
        self,
        settings: InverterSettings,
        start: float,
        dc_source: DcSource | None = None,
        *,
        pv: PvSource | None = None,
        draw: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.settings = settings
        self.faults = FaultSwitches()
        self.ac = AcState(voltage_v=settings.v_nom_v, frequency_hz=settings.nominal_hz)
        self.face: Face = _face_of(settings, self.faults, draw)
        self._battery = dc_source or _ideal_battery(settings)
        self._pv = pv or PvField(settings.pv_w, settings.irradiance)
        self._stage = PowerStage(EnterService(settings.in_service, draw), self._flowed)
        self._start = self._now = start
        self._hooks = LabHooks(self.face.bank.models.get(64414))
        pack = dc_source if isinstance(dc_source, Pack) else None
        self._battery_bank = Battery802(self.face.bank.models.get(802), pack)
        self.idle_w = settings.idle_w
        self._is_shown, self._shown_alarms = False, 0
        self._is_island = False
        self._available_w, self._looked_at = 0.0, math.nan
        self._settle()

    @property
    def bank(self) -> RegisterBank:
        """The registers as of the last step. Whoever changes one by hand is heeded with the next step."""
        self._show()
        self.face.touched()
        return self.face.bank

    def set_grid(self, *, voltage_v: float, frequency_hz: float) -> None:
        """Change what the grid does, from the last step on; `voltage_v` as 702.VNom."""
        self.ac.voltage_v, self.ac.frequency_hz, self.ac.shares = voltage_v, frequency_hz, ()

    def set_phases(self, per_unit: Sequence[float]) -> None:
        """Let the voltages of the phases differ, from the last step on; their mean is the voltage."""
        mean = sum(per_unit) / len(per_unit)
        self.ac.voltage_v = mean * self.settings.v_nom_v
        self.ac.shares = tuple(value / mean for value in per_unit) if mean else ()

    def set_island(self, *, is_island: bool) -> None:
        """Take the grid away, or bring it back: without it load and generation alone hold the voltage."""
        self._is_island = is_island

    def step(self, now: float) -> None:
        """Bring the inverter to `now`; an earlier time than the last is ignored."""
        longest_s = BATTERY_STEP_S if self.settings.is_storage else SUN_STEP_S
        while self._now < now:
            until = min(now, self.face.next_at(), self._now + longest_s)
            until = max(until, self._now + 1e-6)
            self._stage.advance(self.face.orders(), self._offer(), self._grid(), self._now, until)
            elapsed_s, self._now = until - self._now, until
            self.face.step(until, elapsed_s)
            self._settle()

    def read(self, address: int, count: int) -> list[int]:
        """Registers as of the last step. Raises IllegalRequestError outside the map."""
        self._show()
        return distorted(self.face.bank, self.faults, address, self.face.bank.read(address, count))

    def write(self, address: int, words: Sequence[int], now: float) -> None:
        """Write points. Raises IllegalRequestError where the device refuses."""
        self.step(now)
        if self.faults.ignore_writes:
            return
        names = self.face.bank.write(address, words)
        self.face.written(names, self._now)
        self._battery_bank.written(names)
        if self._hooks.written(names):
            self.set_grid(voltage_v=self._hooks.voltage_v, frequency_hz=self._hooks.frequency_hz)
        self._settle()

    def _flowed(self, power_w: float, reactive_var: float, dt_s: float) -> None:
        """Energy has flowed for `dt_s`: count it, and take it from the battery."""
        self.ac.power_w, self.ac.reactive_var = power_w, reactive_var
        self.ac.count(dt_s)
        if self.settings.is_storage:
            efficiency = self.settings.efficiency
            dc_w = power_w / efficiency if power_w >= 0 else power_w * efficiency
            self._battery.transfer(dc_w, dt_s)

    def _grid(self) -> Grid:
        per_unit = self.ac.voltage_v / self.settings.v_nom_v
        has_phases = len(self.ac.shares) == phase_count(self.settings.ac_type)
        return Grid(
            voltage=per_unit,
            hertz=self.ac.frequency_hz,
            nominal_hz=self.settings.nominal_hz,
            phases=tuple(share * per_unit for share in self.ac.shares) if has_phases else (),
            is_island=self._is_island,
        )

    def _battery_limits(self) -> DcLimits:
        limits = DcLimits(*self._battery.limits(self._now))
        reserve_pct = self.face.orders().reserve_pct
        if reserve_pct is not None and limits.soc_pct <= reserve_pct:
            return limits._replace(discharge_w=0.0)
        return limits

    def _offer(self) -> Offer:
        if self.settings.is_storage:
            settings = self.settings
            return offer_of_battery(self._battery_limits(), settings.efficiency, self.idle_w, settings.gap_w)
        if self._hooks.irradiance is not None:
            return offer_of_pv(self.settings.pv_w * self._hooks.irradiance, self.settings.efficiency)
        if self._looked_at != self._now:
            self._available_w, self._looked_at = self._pv.available_w(self._now - self._start), self._now
        return offer_of_pv(self._available_w, self.settings.efficiency)

    def _settle(self) -> None:
        """Compute the power of this instant."""
        self._stage.settle(self.face.orders(), self._offer(), self._grid(), self._now)
        self.ac.power_w, self.ac.reactive_var = self._stage.power_w, self._stage.reactive_var
        self.ac.is_dead = self._is_island and not self._stage.service.in_service
        self._is_shown = False

    def _show(self) -> None:
        """Write the state of this instant into the registers, once."""
        alarms = self.faults.alarm_bits
        if not self._is_shown or alarms != self._shown_alarms:
            battery = self._battery_limits() if self.settings.is_storage else None
            self.face.show(self._stage, self.ac, self._offer(), self._grid(), battery)
            self._battery_bank.show(self._now - self._start, is_frozen=self.faults.freeze_heartbeat)
            self._is_shown, self._shown_alarms = True, alarms


def _face_of(settings: InverterSettings, faults: FaultSwitches, draw: Callable[[], float]) -> Face:
    if settings.series == 100:
        return Series100(settings, faults, draw)
    return Series700(settings, faults)


def _ideal_battery(settings: InverterSettings) -> IdealBattery:
    return IdealBattery(
        capacity_wh=settings.capacity_wh or 1.0, charge_w=settings.charge_w, discharge_w=settings.discharge_w
    )
