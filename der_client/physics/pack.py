"""A battery pack as physics: charge, voltage under load, temperature, limits. Pure; time steps are arguments.

Lithium iron phosphate cells in series; numbers are of the usual size for such packs, not of one product.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from der_client.physics.cells import Cells, pattern_of
from der_client.physics.curve import Curve, interpolate

_OCV_V: Curve = (
    (-5.0, 2.00), (0.0, 2.80), (2.0, 2.98), (5.0, 3.10), (10.0, 3.20), (20.0, 3.25), (30.0, 3.28),
    (50.0, 3.30), (70.0, 3.33), (90.0, 3.35), (96.0, 3.38), (99.0, 3.44), (100.0, 3.50), (105.0, 3.80),
)  # fmt: skip
_CELL_NOMINAL_V = 3.2
_CELL_CHARGE_V = 3.55
_CELL_EMPTY_V = 2.80
_CHARGE_BY_SOC = ((0.0, 1.0), (90.0, 1.0), (98.0, 0.1), (100.0, 0.0))
_DISCHARGE_BY_SOC = ((0.0, 0.0), (3.0, 0.1), (10.0, 1.0), (100.0, 1.0))
_CHARGE_BY_TEMP = ((0.0, 0.0), (5.0, 0.25), (12.0, 1.0), (45.0, 1.0), (55.0, 0.0))
_DISCHARGE_BY_TEMP = ((-20.0, 0.0), (0.0, 1.0), (45.0, 1.0), (55.0, 0.0))
_SPREAD_BY_SOC_V = ((0.0, 0.060), (10.0, 0.010), (90.0, 0.008), (100.0, 0.040))


@dataclass(frozen=True, slots=True, kw_only=True)
class PackSettings:
    """One pack: energy at nominal voltage (Wh), cells in series, nameplate currents (A), cell resistance.

    `seed` says which cell is where within the spread; balancing bleeds `balance_pct_per_h` from a cell.
    `heat_capacity_j_per_k` and `cooling_w_per_k` give the temperature above `ambient_c`;
    `charge_efficiency` is the share of charge that stays.
    """

    capacity_wh: float = 10_000.0
    cells: int = 16
    max_charge_a: float = 100.0
    max_discharge_a: float = 100.0
    cell_resistance_ohm: float = 0.001
    charge_efficiency: float = 0.99
    heat_capacity_j_per_k: float = 80_000.0
    cooling_w_per_k: float = 10.0
    ambient_c: float = 25.0
    soc_pct: float = 50.0
    soh_pct: float = 100.0
    seed: int = 1
    balance_pct_per_h: float = 2.0

    @property
    def capacity_ah(self) -> float:
        """Charge of the healthy pack, Ah."""
        return self.capacity_wh / (self.cells * _CELL_NOMINAL_V)


class Pack:
    """The pack in one state; `transfer` moves it on. Current and power are positive while discharging.

    `alarms` and `warnings` are what its BMS last said; `is_released` opens the contactor for a controller.
    """

    def __init__(self, settings: PackSettings | None = None) -> None:
        self.settings = PackSettings() if settings is None else settings
        self.soc_pct = self.settings.soc_pct
        self.temperature_c = self.settings.ambient_c
        self.current_a = 0.0
        self.cells = Cells(
            pattern_of(self.settings.seed, self.settings.cells), self.settings.balance_pct_per_h / 3600.0
        )
        self.wants_contactor = True
        self.is_welded = False
        self.is_forced_open = False
        self.is_released = False
        self.alarms: frozenset[str] = frozenset()
        self.warnings: frozenset[str] = frozenset()

    @property
    def contactor_closed(self) -> bool:
        """Whether the pack is on its terminals: as the BMS wants, unless released, welded or broken."""
        return self.is_welded or (self.wants_contactor and not self.is_forced_open and not self.is_released)

    @property
    def is_balancing(self) -> bool:
        """Whether cells are being bled."""
        return self.cells.is_balancing(self.cell_voltages_v[1])

    @property
    def ocv_v(self) -> float:
        """Voltage without load, V."""
        return self.settings.cells * interpolate(_OCV_V, self.soc_pct)

    @property
    def voltage_v(self) -> float:
        """Voltage at the present current, V."""
        return self.ocv_v - self.current_a * self._resistance_ohm

    @property
    def cvl_v(self) -> float:
        """Highest charge voltage, V."""
        return self.settings.cells * _CELL_CHARGE_V

    @property
    def dvl_v(self) -> float:
        """Lowest discharge voltage, V."""
        return self.settings.cells * _CELL_EMPTY_V

    @property
    def ccl_a(self) -> float:
        """Charge current limit, A: nameplate, less near full, cold or hot."""
        share = interpolate(_CHARGE_BY_SOC, self.soc_pct) * interpolate(_CHARGE_BY_TEMP, self.temperature_c)
        return self.settings.max_charge_a * share

    @property
    def dcl_a(self) -> float:
        """Discharge current limit, A: nameplate, less near empty, cold or hot."""
        share = interpolate(_DISCHARGE_BY_SOC, self.soc_pct)
        return self.settings.max_discharge_a * share * interpolate(_DISCHARGE_BY_TEMP, self.temperature_c)

    @property
    def voltages_v(self) -> tuple[float, ...]:
        """Voltage of each cell, V; the spread opens towards empty and full."""
        half_v = interpolate(_SPREAD_BY_SOC_V, self.soc_pct) / 2
        return self.cells.voltages_v(self.voltage_v / self.settings.cells, half_v, _OCV_V, self.soc_pct)

    @property
    def temperatures_c(self) -> tuple[float, ...]:
        """Temperature of each cell, degC: the warmest runs 10 % further above ambient."""
        ambient_c = self.settings.ambient_c
        return self.cells.temperatures_c(ambient_c, self.temperature_c - ambient_c)

    @property
    def cell_voltages_v(self) -> tuple[float, float]:
        """Lowest and highest cell voltage, V."""
        voltages = self.voltages_v
        return min(voltages), max(voltages)

    @property
    def cell_temperatures_c(self) -> tuple[float, float]:
        """Coolest and warmest cell, degC."""
        temperatures = self.temperatures_c
        return min(temperatures), max(temperatures)

    def limits(self, now: float) -> tuple[float, float, float, float]:
        """Most charge and discharge power (W), SoC (%), SoH (%); `now` changes nothing here."""
        del now
        if not self.contactor_closed:
            return 0.0, 0.0, self.soc_pct, self.settings.soh_pct
        return self.ccl_a * self.voltage_v, self.dcl_a * self.voltage_v, self.soc_pct, self.settings.soh_pct

    def transfer(self, power_w: float, dt_s: float) -> None:
        """Give `power_w` for `dt_s` (negative: take); full takes nothing, empty gives nothing.

        Behind an open contactor nothing flows.
        """
        current_a = self._current_at(power_w) if self.contactor_closed else 0.0
        is_blocked = self.soc_pct <= 0.0 if current_a > 0 else self.soc_pct >= 100.0
        self.current_a = 0.0 if is_blocked else current_a
        kept = self.settings.charge_efficiency if self.current_a < 0 else 1.0
        charge_ah = self.settings.capacity_ah * self.settings.soh_pct / 100.0
        moved_pct = 100.0 * self.current_a * kept * dt_s / 3600.0 / charge_ah
        self.soc_pct = min(100.0, max(0.0, self.soc_pct - moved_pct))
        self._warm(dt_s)
        self.cells.step(dt_s, self.cell_voltages_v[1])

    @property
    def _resistance_ohm(self) -> float:
        return self.settings.cells * self.settings.cell_resistance_ohm

    def _current_at(self, power_w: float) -> float:
        """Current for this power at the terminals, P = I (OCV - I R); beyond the peak, that of the peak."""
        ocv_v, resistance_ohm = self.ocv_v, self._resistance_ohm
        root = max(0.0, ocv_v * ocv_v - 4.0 * resistance_ohm * power_w)
        return (ocv_v - math.sqrt(root)) / (2.0 * resistance_ohm)

    def _warm(self, dt_s: float) -> None:
        """Heat of the resistance against cooling to ambient, solved exactly for a constant current."""
        settings = self.settings
        end_c = settings.ambient_c + self.current_a**2 * self._resistance_ohm / settings.cooling_w_per_k
        decay = math.exp(-dt_s * settings.cooling_w_per_k / settings.heat_capacity_j_per_k)
        self.temperature_c = end_c + (self.temperature_c - end_c) * decay
