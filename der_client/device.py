"""What the client's core knows of a device: values in, values out. No bus, no register, no frame.

Signs: power is positive out of the DER into the grid (generation, discharge, over-excited).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameplate:
    """Ratings and settings of one DER, read at start and after each re-scan. IEEE 2030.5-2018, 10.10.

    `modes` names the DERControlBase elements that the device can execute (`opModMaxLimW`, ...). Powers in W,
    VA and var as magnitudes; `None` where the device does not say. `set_*` are the settings in force (equal
    to the rating where the device has none of its own). `ramps` names fields of the Setpoint to which the
    device goes by itself in a time that it is told.
    """

    manufacturer: str
    model: str
    serial: str
    version: str
    der_type: int
    modes: frozenset[str]
    max_w: float
    max_va: float
    max_var: float
    max_var_neg: float
    set_max_w: float
    set_max_va: float
    set_max_var: float
    set_max_var_neg: float
    max_charge_w: float | None = None
    max_discharge_w: float | None = None
    set_max_charge_w: float | None = None
    set_max_discharge_w: float | None = None
    capacity_wh: float | None = None
    v_nom_v: float | None = None
    max_a: float | None = None
    min_pf_over_excited: float | None = None
    min_pf_under_excited: float | None = None
    grad_w_pct_per_s: float | None = None
    normal_category: int | None = None
    abnormal_category: int | None = None
    ramps: frozenset[str] = frozenset()

    @property
    def is_storage(self) -> bool:
        """True if the DER can absorb as well as inject active power."""
        return bool(self.max_charge_w)

    @property
    def charge_w(self) -> float:
        """Most power that may be taken in by the settings, W: setMaxChargeRateW; 0 for a generator."""
        rating_w = self.max_charge_w or 0.0
        return rating_w if self.set_max_charge_w is None else min(rating_w, self.set_max_charge_w)

    @property
    def discharge_w(self) -> float | None:
        """Most power that may be given out of storage by the settings, W: setMaxDischargeRateW."""
        given = [w for w in (self.max_discharge_w, self.set_max_discharge_w) if w is not None]
        return min(given, default=None)

    def share_pct(self, power_w: float) -> float:
        """A power in % of set_max_w; 0 for a device that is set to give nothing."""
        return 100.0 * power_w / self.set_max_w if self.set_max_w > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryState:
    """What a BMS says of its battery. Current is positive while discharging; limits are magnitudes.

    `stale_s` is the age of the oldest message that the profile requires; a state is never invented. `cell_*`
    are the extremes over all cells; `wants_charge` is the request of the BMS to be charged by force.
    """

    voltage_v: float
    current_a: float
    soc_pct: float
    soh_pct: float
    temperature_c: float
    charge_limit_a: float
    discharge_limit_a: float
    charge_voltage_v: float
    charge_allowed: bool = True
    discharge_allowed: bool = True
    alarms: frozenset[str] = frozenset()
    warnings: frozenset[str] = frozenset()
    stale_s: float = 0.0
    discharge_voltage_v: float | None = None
    cell_v_min: float | None = None
    cell_v_max: float | None = None
    cell_c_min: float | None = None
    cell_c_max: float | None = None
    contactor_closed: bool | None = None
    precharge_failed: bool = False
    wants_charge: bool = False
    heartbeat: int | None = None

    @property
    def charge_limit_w(self) -> float:
        """Most power that may be taken in, W: CCL at the present voltage, 0 where charging is forbidden."""
        return self.charge_limit_a * self.voltage_v if self.charge_allowed else 0.0

    @property
    def discharge_limit_w(self) -> float:
        """Most power that may be given, W: DCL at the present voltage, 0 where discharging is forbidden."""
        return self.discharge_limit_a * self.voltage_v if self.discharge_allowed else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CellExtremes:
    """The extremes over all cells of a battery, V and degrees Celsius, as the device itself tells them."""

    cell_v_min: float | None = None
    cell_v_max: float | None = None
    cell_c_min: float | None = None
    cell_c_max: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DcInput:
    """One DC input of an inverter.

    Power is a magnitude: hybrids have inputs of their own for charge and discharge.
    """

    name: str
    power_w: float | None = None
    voltage_v: float | None = None
    current_a: float | None = None
    energy_wh: float | None = None
    temperature_c: float | None = None
    has_fault: bool = False
    has_ground_fault: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """One reading of a device. Status numbers are the codes of IEEE 2030.5-2018, 10.10 (DERStatus).

    `alarms` holds bit numbers of DERStatus.alarmStatus; `gen_connect` and `stor_connect` are
    ConnectStatusType bitmaps. `battery` is what the BMS says, a Fault while it cannot be trusted, `None`
    where there is no BMS. `phase_v` are the voltages of the phases A, B, C to neutral, V, 0 for one before
    the last that is not there. `temperatures_c` is by place ("cabinet", "heat sink"). `inputs` are the safety
    inputs that are active ("emergency stop", "door open", "fire", "ground fault"). `heartbeat` is the counter
    of the device's own application. `power_factor` has the sign that the device gives to it. `cells` is what
    the device, not a BMS, tells of the cells of its battery.
    """

    power_w: float
    reactive_var: float
    apparent_va: float | None = None
    voltage_v: float | None = None
    current_a: float | None = None
    frequency_hz: float | None = None
    injected_wh: float | None = None
    absorbed_wh: float | None = None
    available_w: float | None = None
    soc_pct: float | None = None
    soh_pct: float | None = None
    gen_connect: int = 0
    stor_connect: int | None = None
    inverter_status: int = 0
    operational_mode: int = 0
    local_control: bool = False
    alarms: frozenset[int] = frozenset()
    battery: BatteryState | Fault | None = None
    phase_v: tuple[float, ...] = ()
    temperatures_c: Mapping[str, float] = field(default_factory=dict)
    inputs: frozenset[str] = frozenset()
    heartbeat: int | None = None
    power_factor: float | None = None
    cells: CellExtremes | None = None
    dc_inputs: tuple[DcInput, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteReading:
    """One reading of the meter at the connection point. Power is positive out of the site into the grid."""

    power_w: float
    reactive_var: float | None = None
    phase_v: tuple[float, ...] = ()
    frequency_hz: float | None = None
    exported_wh: float | None = None
    imported_wh: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerFactorSetpoint:
    """A fixed power factor; `absorbing` is the excitation flag (true: under-excited, takes up vars)."""

    power_factor: float
    absorbing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VarSetpoint:
    """Reactive power: `value` in % of `ref` (DERUnitRefType 1, 2 or 3), or in var when `ref` is 0."""

    value: float
    ref: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One point of a curve; `absorbing` is the excitation flag of a power factor curve."""

    x: float
    y: float
    absorbing: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveSetpoint:
    """A curve in force, with the axes of IEEE 2030.5-2018, 10.10 (DERCurve), multipliers applied.

    `mode` is the element of DERControlBase. x is % of the effective voltage (volt-var, volt-watt), % of
    setMaxW (watt-var, watt-PF), Hz (freq-watt) or s (ride-through); y is % of `y_ref` (a DERUnitRefType), a
    power factor (watt-PF), and for ride-through % of the effective voltage or Hz. `open_loop_s` is the
    response time, `v_ref_*` the reference voltage of volt-var, `ramp_*` %/s.
    """

    mode: str
    points: tuple[CurvePoint, ...]
    y_ref: int = 0
    open_loop_s: float | None = None
    v_ref_pct: float | None = None
    autonomous_v_ref: bool | None = None
    autonomous_v_ref_s: float | None = None
    ramp_up_pct_per_s: float | None = None
    ramp_down_pct_per_s: float | None = None
    ramp_pt1_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DroopSetpoint:
    """Frequency droop: dead bands in Hz, slopes as per unit of frequency per unit of power, response in s."""

    dead_band_over_hz: float
    dead_band_under_hz: float
    slope_over: float
    slope_under: float
    open_loop_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterServiceSetpoint:
    """When a DER may enter service: the window, the wait and the ramp. IEEE 2030.5-2018, 10.10 (setES*)."""

    high_v_pct: float | None = None
    low_v_pct: float | None = None
    high_hz: float | None = None
    low_hz: float | None = None
    delay_s: float | None = None
    random_delay_s: float | None = None
    ramp_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setpoint:
    """What a device shall do until the next Setpoint; `None` releases the function. All modes apply at once.

    `max_w_pct` is % of set_max_w; `target_w` is W, negative while charging; `max_charge_w` limits what may
    be taken in, W, a magnitude; `grad_w_pct_per_s` is the ramp in % of set_max_w per second (0: no limit),
    `soft_grad_w_pct_per_s` that of a start. `curves` hold one for each mode, in the order of their names.
    `limit_ramp_s` and `reactive_ramp_s` are the times that a device which ramps itself is to take from where
    it is to `max_w_pct` and to its reactive power; absent: at once.
    `open_contactor` asks the battery to disconnect itself; who cannot or must not do that says unsupported.
    """

    connect: bool | None = None
    energize: bool | None = None
    max_w_pct: float | None = None
    target_w: float | None = None
    pf_inject: PowerFactorSetpoint | None = None
    pf_absorb: PowerFactorSetpoint | None = None
    var: VarSetpoint | None = None
    grad_w_pct_per_s: float | None = None
    max_charge_w: float | None = None
    curves: tuple[CurveSetpoint, ...] = ()
    droop: DroopSetpoint | None = None
    enter_service: EnterServiceSetpoint | None = None
    soft_grad_w_pct_per_s: float | None = None
    open_contactor: bool = False
    limit_ramp_s: float | None = None
    reactive_ramp_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenPoint:
    """One point as written and read back: name (`701.W`), bus address, raw words, engineering value."""

    point: str
    address: int
    raw: tuple[int, ...]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The device holds the setpoint; every written point was read back and equals what was written.

    `unsupported` names fields of the Setpoint that this device cannot execute; of curves, their modes.
    `unguarded` names those that do not go to the default without this client, because no timer of the device
    ends them.
    """

    points: tuple[WrittenPoint, ...] = ()
    unsupported: frozenset[str] = frozenset()
    unguarded: frozenset[str] = frozenset()


class FaultKind(StrEnum):
    """Why a device did not do what was asked.

    PENDING is no failure: the device needs longer than an `apply` may take, and the next one looks again.
    """

    NO_ANSWER = "no answer"
    REFUSED = "refused"
    READBACK = "reads back something else"
    MALFORMED = "malformed answer"
    STALE = "stale data"
    LOCAL = "under local control"
    PENDING = "not done yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An ordinary failure of a field device: a value, never an exception, once inside the core.

    `field` names the field of the Setpoint that the device does not hold, of curves the mode, where known.
    """

    kind: FaultKind
    detail: str
    point: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversion:
    """The dead-man switch: `after_s` without a refresh the device goes to `to` by itself."""

    after_s: int = 60
    to: Setpoint = field(default_factory=Setpoint)


class Device(Protocol):
    """A DER behind any bus. One task owns it; no method raises for what happens in the field."""

    name: str

    async def identify(self) -> Nameplate | Fault:
        """Scan the device and give its ratings; called again after a communication loss."""
        ...

    async def read(self) -> Telemetry | Fault:
        """One reading of all measurements."""
        ...

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        """Write setpoint and reversion timers, read back, compare; with an equal setpoint: refresh."""
        ...

    async def close(self) -> None:
        """Let go of the bus; the device's own reversion timers stay armed."""
        ...


@runtime_checkable
class PreparingDevice(Protocol):
    """A Device that can be told in two steps, so that at the second nothing but the write is left."""

    async def prepare(self, setpoint: Setpoint, reversion: Reversion) -> bool:
        """Read and work out all that writing it needs, and write nothing; False where that cannot be done."""
        ...

    def begin(self, setpoint: Setpoint, reversion: Reversion) -> asyncio.Future[None] | None:
        """Send what was prepared; None where it does not hold any more, then nothing was sent.

        `apply` of the same has to follow, with whatever else is wanted by then: it takes the answer, reads
        back and compares.
        """
        ...
