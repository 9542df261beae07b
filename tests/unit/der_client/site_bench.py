"""A site on a bench: DERs that do what they are told one round later, a load, and a meter."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from der_client.desired import Desired
from der_client.device import BatteryState, Nameplate, SiteReading, Telemetry
from der_client.plan import Plan
from der_client.site import Metered, SiteRules
from der_client.site_desk import Heard, SiteDesk
from der_client.watched import Watched
from function_sets import ModeSource
from schemas import ActivePower, DefaultDERControl, DERControlBase

MODES = frozenset({"opModMaxLimW", "opModTargetW", "opModFixedW", "opModTargetVar"})
PV = Nameplate(
    manufacturer="Maker",
    model="One",
    serial="1",
    version="1",
    der_type=4,
    modes=MODES,
    max_w=10_000,
    max_va=10_000,
    max_var=4_000,
    max_var_neg=4_000,
    set_max_w=10_000,
    set_max_va=10_000,
    set_max_var=4_000,
    set_max_var_neg=4_000,
)
STORAGE = replace(PV, der_type=80, max_charge_w=5_000.0, max_discharge_w=5_000.0, set_max_w=5_000.0)
BATTERY = BatteryState(
    voltage_v=50.0,
    current_a=0.0,
    soc_pct=50.0,
    soh_pct=100.0,
    temperature_c=25.0,
    charge_limit_a=100.0,
    discharge_limit_a=100.0,
    charge_voltage_v=56.0,
)


def watts(value: float) -> ActivePower:
    return ActivePower(multiplier=0, value=round(value))


def plan(*, grad_w: int | None = None, ramp_tms: int | None = None, **modes: object) -> Plan:
    return asked(modes, grad_w=grad_w, ramp_tms=ramp_tms)


def asked(modes: Mapping[str, object], *, grad_w: int | None = None, ramp_tms: int | None = None) -> Plan:
    sources = {
        mode: ModeSource(mode=mode, value=value, mRID="AB", program_href="/p", primacy=1, ramp_tms=ramp_tms)
        for mode, value in modes.items()
    }
    default = DefaultDERControl(mRID="DD", DERControlBase_=DERControlBase(), setGradW=grad_w)
    return Plan(modes=sources, default=default)


def limited(**limits_w: float) -> Plan:
    return asked({mode: watts(limit_w) for mode, limit_w in limits_w.items()})


@dataclass
class Unit:
    """One DER; `sun_w` is what it could give, `power_w` what it gives."""

    nameplate: Nameplate = PV
    sun_w: float = 10_000.0
    power_w: float = 0.0
    told: Desired = field(default_factory=Desired)
    answers: bool = True
    obeys: bool = True

    @property
    def telemetry(self) -> Telemetry:
        is_storage = self.nameplate.is_storage
        return Telemetry(
            power_w=self.power_w,
            reactive_var=0.0,
            available_w=None if is_storage else self.sun_w,
            battery=BATTERY if is_storage else None,
        )

    def act(self) -> None:
        """Do what it was told."""
        if not self.obeys:
            return
        cap_w = self.nameplate.set_max_w if self.told.cap_w is None else self.told.cap_w
        charge_w = self.told.setpoint.max_charge_w
        low_w = -self.nameplate.charge_w if charge_w is None else -charge_w
        target_w = self.told.setpoint.target_w
        rest_w = 0.0 if self.nameplate.is_storage else self.sun_w
        wish_w = rest_w if target_w is None else target_w
        self.power_w = min(max(wish_w, low_w), cap_w)


@dataclass
class Bench:
    """Rounds of one second: the meter reads, each DER asks in turn, then all act."""

    units: dict[str, Unit]
    rules: SiteRules = field(default_factory=lambda: SiteRules(is_metered=True))
    load_w: float = 0.0
    now_s: float = 100.0
    metered: bool = True

    def __post_init__(self) -> None:
        self.meter: Watched[Metered | None] = Watched(None)
        self.desk = SiteDesk(self.rules, self.meter, lambda: self.now_s)

    @property
    def export_w(self) -> float:
        """Power out of the site."""
        return sum(unit.power_w for unit in self.units.values()) - self.load_w

    def round(self, wanted: Plan, count: int = 1) -> Mapping[str, Desired]:
        for _ in range(count):
            self.now_s += 1.0
            if self.metered:
                reading = SiteReading(power_w=self.export_w)
                self.meter.set(Metered(reading=reading, at_s=self.now_s))
            for name, unit in self.units.items():
                if unit.answers:
                    heard = Heard(nameplate=unit.nameplate, telemetry=unit.telemetry)
                    unit.told = self.desk.desired(name, wanted, heard)
            for unit in self.units.values():
                unit.act()
        return {name: unit.told for name, unit in self.units.items()}

    def caps(self) -> list[float | None]:
        return [unit.told.cap_w for unit in self.units.values()]
