"""What is asked of an inverter, as values: the settings of its functions, whatever registers carry them.

Powers in W, VA and var, positive out of the inverter; shares of a rating are 1 for the whole of it; voltages
in per unit of nominal. IEEE 1547-2018, clauses 4 to 6.
"""

from dataclasses import dataclass
from enum import IntEnum

from der_client.physics.curve import Curve


class VarRef(IntEnum):
    """What a share of reactive power counts in: the numbers of SunSpec DeptRef and VarSetMod."""

    MAX_W = 0
    MAX_VAR = 1
    AVAILABLE = 2
    MAX_VA = 3
    VAR = 4


class Order(IntEnum):
    """The operating order: the numbers of 715.OpCtl."""

    STOP = 0
    RUN = 1
    STANDBY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """Settings in force, as magnitudes.

    `over_excited` and `under_excited` are (power factor, most W at that power factor or a lower one).
    """

    max_w: float
    max_va: float
    max_var_inj: float
    max_var_abs: float
    charge_w: float
    discharge_w: float
    charge_va: float
    over_excited: tuple[float, float] | None = None
    under_excited: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerFactor:
    """A fixed power factor; `absorbing` is under-excited."""

    factor: float
    absorbing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VarOrder:
    """Fixed reactive power: a share of `ref`, or var where `ref` is VAR."""

    value: float
    ref: VarRef
    reactive_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltVar:
    """Volt-var: (per unit voltage, share of `ref`). IEEE 1547-2018, 5.3.3."""

    curve: Curve
    ref: VarRef
    reactive_first: bool = True
    v_ref: float = 1.0
    follows_v_ref: bool = False
    v_ref_s: float = 300.0
    response_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltWatt:
    """Volt-watt: (per unit voltage, share of WMax, or of what is available). IEEE 1547-2018, 5.4.2."""

    curve: Curve
    of_available: bool = False
    response_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WattVar:
    """Watt-var: (share of WMax, share of `ref`); negative shares charge. IEEE 1547-2018, 5.3.4."""

    curve: Curve
    ref: VarRef
    reactive_first: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WattPf:
    """Watt-power factor: (share of WMax, factor), negative factors absorb. SunSpec model 131."""

    curve: Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Droop:
    """Frequency-droop: dead bands in Hz, slopes in pu frequency per pu power. IEEE 1547-2018, 6.5.2.7.

    `least_share` of WMax is where over-frequency stops to reduce.
    """

    over_hz: float
    under_hz: float
    k_over: float
    k_under: float
    response_s: float
    least_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreqWatt:
    """Frequency-watt: (Hz, share of WMax that may flow). SunSpec model 134."""

    curve: Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element of protection: acts where the quantity is beyond `at` for `after_s` without a break.

    `of_voltage` per unit, else Hz; `above` or below.
    """

    of_voltage: bool
    above: bool
    at: float
    after_s: float

    def is_beyond(self, voltage: float, hertz: float) -> bool:
        """True while the grid is beyond the threshold."""
        value = voltage if self.of_voltage else hertz
        return value > self.at if self.above else value < self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterWindow:
    """When and how service may be entered: per unit, Hz, s. IEEE 1547-2018, 4.10."""

    high_v: float
    low_v: float
    high_hz: float
    low_hz: float
    delay_s: float
    random_s: float
    ramp_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Everything asked of an inverter; `None` where a function is disabled.

    `permit` is permission to be in service; `limit` is a share of WMax; `ramp_w_per_s` is `None` for no ramp
    limit; `least_w` and `most_w` bound what flows; a battery gives nothing below a charge of `reserve_pct`;
    `leaves_islands` is the detection of unintentional islands.
    """

    ratings: Ratings
    enter: EnterWindow
    permit: bool = True
    order: Order = Order.RUN
    limit: float | None = None
    set_w: float | None = None
    least_w: float | None = None
    most_w: float | None = None
    reserve_pct: float | None = None
    ramp_w_per_s: float | None = None
    pf_inject: PowerFactor | None = None
    pf_absorb: PowerFactor | None = None
    var: VarOrder | None = None
    volt_var: VoltVar | None = None
    volt_watt: VoltWatt | None = None
    watt_var: WattVar | None = None
    watt_pf: WattPf | None = None
    droop: Droop | None = None
    freq_watt: FreqWatt | None = None
    trips: tuple[Element, ...] = ()
    cessations: tuple[Element, ...] = ()
    leaves_islands: bool = True
