"""What can be chosen for one simulated inverter."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterSettings:
    """Ratings, grid and start conditions of a simulated inverter.

    `series` is the family of models, 700 or 100. With `charge_w` above 0 it is a battery inverter of
    `capacity_wh`, else a PV inverter on modules of `pv_w` under `irradiance` (steps of seconds after the
    start and share of `pv_w`). `ac_type` is 701.ACType (0 single, 1 split, 2 three phase); `v_nom_v` is line
    to neutral for single phase, else line to line. `efficiency` holds between DC and AC in both directions.
    With `trips_when_it_may` the curves of what may trip act as those of what must. `port_type` is 714.PrtTyp
    where it is neither PV nor a battery; a battery makes `idle_w` unless asked, and cannot charge with less
    than `gap_w`. `has_lab_hooks` adds model 64414, by which a test bench sets irradiance and grid,
    `has_battery_model` model 802 of the pack behind a battery inverter (700 series).
    """

    manufacturer: str = "Lineside"
    model: str = "Simulated inverter"
    serial: str = "SIM-0001"
    version: str = "1.0"
    unit: int = 1
    series: int = 700
    max_w: float = 10_000.0
    max_va: float = 10_000.0
    max_var: float = 4_400.0
    charge_w: float = 0.0
    discharge_w: float = 0.0
    capacity_wh: float = 0.0
    pv_w: float = 10_000.0
    irradiance: tuple[tuple[float, float], ...] = ((0.0, 1.0),)
    efficiency: float = 1.0
    ac_type: int = 0
    v_nom_v: float = 240.0
    nominal_hz: float = 60.0
    dc_voltage_v: float = 400.0
    ramp_pct_per_s: int = 100
    enter_service_delay_s: int = 300
    enter_service_ramp_s: int = 300
    in_service: bool = True
    trips_when_it_may: bool = False
    port_type: int | None = None
    idle_w: float = 0.0
    gap_w: float = 0.0
    has_lab_hooks: bool = False
    has_battery_model: bool = False

    @property
    def is_storage(self) -> bool:
        """True for a battery inverter."""
        return self.charge_w > 0
