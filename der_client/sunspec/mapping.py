"""A Setpoint as ordered register writes to models 703, 704 and 715. Pure functions.

Each function of model 704 follows one pattern of names: `<prefix>Ena`, `<prefix>EnaRvrt`, `<prefix>RvrtTms`,
`<prefix>RvrtRem` and its setpoints. SunSpec models 703, 704, 715; IEEE 2030.5-2018, 10.10 (DERControlBase).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

from der_client.device import PowerFactorSetpoint, Reversion, Setpoint, VarSetpoint
from der_client.sunspec.codec import Rounding
from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.readings import setting
from der_client.sunspec.writes import Step, Wanted, step_of

MOD_W_PCT, MOD_WATTS = 0, 1
VAR_MOD_OF_REF = {1: 0, 2: 1, 3: 2}
VAR_MOD_VAR_MAX, VAR_MOD_VARS = 1, 4
RAMP_REF_W_MAX = 1
FASTEST_RAMP_PCT_PER_S = 100
FULL_PCT = 100.0
REACTIVE = {"pf": ("pf_inject", "pf_absorb"), "var": ("var",)}

Points = Mapping[str, Wanted]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingSettings:
    """What differs between devices. `reactive_first` is the mode that wins where a Setpoint asks for two.

    `ramp_scale` is the number that the device holds in WRmp for 1 %/s.
    """

    reactive_first: str = "pf"
    ramp_scale: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps that bring a device to a Setpoint, in order, and the fields that it cannot execute."""

    steps: tuple[Step, ...]
    unsupported: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bases:
    """What percentages refer to: settings of model 702, W and var as magnitudes."""

    max_w: float
    max_charge_w: float
    max_discharge_w: float
    max_var: float
    max_var_neg: float

    @classmethod
    def of(cls, device_map: DeviceMap) -> Self:
        capacity = device_map.first(702)
        return cls(
            max_w=setting(capacity, "WMax", "WMaxRtg"),
            max_charge_w=setting(capacity, "WChaRteMax", "WChaRteMaxRtg"),
            max_discharge_w=setting(capacity, "WDisChaRteMax", "WDisChaRteMaxRtg"),
            max_var=setting(capacity, "VarMaxInj", "VarMaxInjRtg"),
            max_var_neg=setting(capacity, "VarMaxAbs", "VarMaxAbsRtg"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Function:
    """One function of model 704: the Setpoint field it executes, and how that becomes points."""

    field: str
    prefix: str
    active: Callable[[Model, _Bases, Setpoint], Points]
    reverted: Callable[[Model, _Bases, Setpoint], Points]


def _limit(name: str) -> Callable[[Model, _Bases, Setpoint], Points]:
    def points(_model: Model, _bases: _Bases, setpoint: Setpoint) -> Points:
        limit_pct = FULL_PCT if setpoint.max_w_pct is None else min(setpoint.max_w_pct, FULL_PCT)
        return {name: Wanted(limit_pct, Rounding.DOWN)}

    return points


def _target_w(bases: _Bases, setpoint: Setpoint) -> float:
    """The active power asked for, W, inside the settings of the device and the limit of the same Setpoint."""
    wanted_w = setpoint.target_w or 0.0
    if wanted_w < 0 and not bases.max_charge_w:
        msg = f"{wanted_w} W asked of a device that cannot absorb"
        raise ValueError(msg)
    top_w = (
        min(bases.max_w, bases.max_discharge_w)
        if bases.max_charge_w and bases.max_discharge_w
        else bases.max_w
    )
    if setpoint.max_w_pct is not None:
        top_w = min(top_w, setpoint.max_w_pct / 100 * bases.max_w)
    return max(-bases.max_charge_w, min(wanted_w, top_w))


def _writable(model: Model, name: str) -> bool:
    point = model.point(name)
    return point is not None and model.is_implemented(name) and model.exponent(point) is not None


def _power(*, watts: str, percent: str, mode: bool) -> Callable[[Model, _Bases, Setpoint], Points]:
    def points(model: Model, bases: _Bases, setpoint: Setpoint) -> Points:
        target_w = _target_w(bases, setpoint)
        if _writable(model, "WSet"):
            chosen = {watts: Wanted(target_w)}
            return chosen | {"WSetMod": Wanted(MOD_WATTS)} if mode else chosen
        chosen = {percent: Wanted(100 * target_w / bases.max_w)}
        return chosen | {"WSetMod": Wanted(MOD_W_PCT)} if mode else chosen

    return points


def _factor(group: str, field: str) -> Callable[[Model, _Bases, Setpoint], Points]:
    def points(_model: Model, _bases: _Bases, setpoint: Setpoint) -> Points:
        factor: PowerFactorSetpoint = getattr(setpoint, field)
        return {
            f"{group}.PF": Wanted(abs(factor.power_factor)),
            f"{group}.Ext": Wanted(int(factor.absorbing)),
        }

    return points


def _var_in(model: Model, bases: _Bases, var: VarSetpoint) -> tuple[int, float]:
    """VarSetMod and the value in its unit; var become % of the maximum where the device takes no var."""
    if var.ref in VAR_MOD_OF_REF:
        return VAR_MOD_OF_REF[var.ref], var.value
    if var.ref != 0:
        msg = f"reactive power in units of DERUnitRefType {var.ref}"
        raise ValueError(msg)
    if _writable(model, "VarSet"):
        return VAR_MOD_VARS, var.value
    largest = bases.max_var if var.value >= 0 else bases.max_var_neg
    if not largest:
        msg = f"{var.value} var asked of a device without reactive power"
        raise ValueError(msg)
    return VAR_MOD_VAR_MAX, 100 * var.value / largest


def _var(model: Model, bases: _Bases, setpoint: Setpoint) -> Points:
    mode, value = _var_in(model, bases, setpoint.var or VarSetpoint(value=0.0, ref=0))
    name = "VarSet" if mode == VAR_MOD_VARS else "VarSetPct"
    return {"VarSetMod": Wanted(mode), name: Wanted(value)}


def _var_reverted(model: Model, bases: _Bases, setpoint: Setpoint) -> Points:
    mode, value = _var_in(model, bases, setpoint.var or VarSetpoint(value=0.0, ref=0))
    return {"VarSetRvrt" if mode == VAR_MOD_VARS else "VarSetPctRvrt": Wanted(value)}


FUNCTIONS: tuple[_Function, ...] = (
    _Function(
        field="max_w_pct", prefix="WMaxLimPct", active=_limit("WMaxLimPct"), reverted=_limit("WMaxLimPctRvrt")
    ),
    _Function(
        field="target_w",
        prefix="WSet",
        active=_power(watts="WSet", percent="WSetPct", mode=True),
        reverted=_power(watts="WSetRvrt", percent="WSetPctRvrt", mode=False),
    ),
    _Function(
        field="pf_inject",
        prefix="PFWInj",
        active=_factor("PFWInj", "pf_inject"),
        reverted=_factor("PFWInjRvrt", "pf_inject"),
    ),
    _Function(
        field="pf_absorb",
        prefix="PFWAbs",
        active=_factor("PFWAbs", "pf_absorb"),
        reverted=_factor("PFWAbsRvrt", "pf_absorb"),
    ),
    _Function(field="var", prefix="VarSet", active=_var, reverted=_var_reverted),
)
REACTIVE_FIELDS = frozenset(field for fields in REACTIVE.values() for field in fields)


def plan(
    device_map: DeviceMap,
    setpoint: Setpoint,
    reversion: Reversion,
    settings: MappingSettings | None = None,
    *,
    restore_service: bool = False,
) -> Plan:
    """The writes that a Setpoint needs, in the order in which power may not overshoot on the way.

    Reactive functions that must yield stop first; then ramp, limit, setpoints; functions that are released;
    the connection last. `restore_service` closes the connection again where the Setpoint leaves it free (the
    writer of the last Setpoint opened it). A function that the device lacks, or a value that its registers
    cannot hold, is unsupported.
    """
    return _Planner(device_map, setpoint, reversion, settings or MappingSettings(), restore_service).plan()


class _Planner:
    """Builds one plan."""

    def __init__(
        self,
        device_map: DeviceMap,
        setpoint: Setpoint,
        reversion: Reversion,
        settings: MappingSettings,
        restore_service: bool,
    ) -> None:
        self.map = device_map
        self.controls = device_map.first(704)
        self.bases = _Bases.of(device_map)
        self.settings = settings
        self.reversion = reversion
        self.restore_service = restore_service
        self.unsupported: set[str] = set()
        self.setpoint = self._one_reactive_mode(setpoint)

    def plan(self) -> Plan:
        releases = [step for function in FUNCTIONS for step in self._release(function)]
        first = [step for step in releases if step.field in REACTIVE_FIELDS]
        steps = [*first, *self._ramp()]
        steps += [step for function in FUNCTIONS for step in self._activate(function)]
        steps += [step for step in releases if step.field not in REACTIVE_FIELDS]
        steps += [*self._operation(), *self._enter_service()]
        return Plan(steps=tuple(steps), unsupported=frozenset(self.unsupported))

    def _one_reactive_mode(self, setpoint: Setpoint) -> Setpoint:
        """Of fixed power factor and reactive power only one can be in force; the other is unsupported."""
        factor = setpoint.pf_inject is not None or setpoint.pf_absorb is not None
        if not factor or setpoint.var is None:
            return setpoint
        if self.settings.reactive_first == "pf":
            self.unsupported.add("var")
            return replace(setpoint, var=None)
        self.unsupported |= {field for field in REACTIVE["pf"] if getattr(setpoint, field) is not None}
        return replace(setpoint, pf_inject=None, pf_absorb=None)

    def _effective(self) -> Setpoint:
        """The Setpoint with power brought to 0 before the connection opens."""
        if self.setpoint.connect is not False and self.setpoint.energize is not False:
            return self.setpoint
        return replace(self.setpoint, max_w_pct=0.0, target_w=0.0 if self.bases.max_charge_w else None)

    def _is_wanted(self, function: _Function) -> bool:
        """True if the function must be enabled.

        A limit of 100 % is released rather than held, unless only an enabled function keeps a tighter
        reversion armed.
        """
        value = getattr(self._effective(), function.field)
        if function.field == "max_w_pct" and (value is None or value >= FULL_PCT):
            return self._reverts(function)
        return value is not None

    def _reverts(self, function: _Function) -> bool:
        """True if the device shall hold a setpoint of this function after a reversion."""
        value = getattr(self.reversion.to, function.field)
        return value is not None and (function.field != "max_w_pct" or value < FULL_PCT)

    def _release(self, function: _Function) -> Iterator[Step]:
        enable = f"{function.prefix}Ena"
        if self.controls and self.controls.is_implemented(enable) and not self._is_wanted(function):
            yield step_of(self.controls, function.field, {enable: Wanted(0)})

    def _activate(self, function: _Function) -> Iterator[Step]:
        if not self._is_wanted(function):
            return
        if self.controls is None:
            self._refuse(function.field)
            return
        enable = f"{function.prefix}Ena"
        try:
            active = {**function.active(self.controls, self.bases, self._effective()), enable: Wanted(1)}
            yield step_of(
                self.controls,
                function.field,
                active,
                optional=self._reversion_points(function, active),
                enable=enable,
                timer=f"{function.prefix}RvrtRem",
            )
        except ValueError:
            self._refuse(function.field)

    def _reversion_points(self, function: _Function, active: Points) -> Points:
        """The points of the dead-man switch; a reversion value must be in the unit of the setpoint."""
        points = {f"{function.prefix}RvrtTms": Wanted(self.reversion.after_s)}
        enable = f"{function.prefix}EnaRvrt"
        if self.controls is None or not self._reverts(function):
            return points | {enable: Wanted(0)}
        try:
            values = function.reverted(self.controls, self.bases, self.reversion.to)
        except ValueError:
            return points | {enable: Wanted(0)}
        if function.field == "var" and ("VarSetPctRvrt" in values) != ("VarSetPct" in active):
            return points | {enable: Wanted(0)}
        return {**points, **values, enable: Wanted(1)}

    def _refuse(self, field: str) -> None:
        if getattr(self.setpoint, field) is not None:
            self.unsupported.add(field)

    def _ramp(self) -> Iterator[Step]:
        """WRmp in whole %/s of WMax: no limit is the fastest ramp, less than 1 %/s does not fit."""
        grad = self.setpoint.grad_w_pct_per_s
        if grad is None:
            return
        raw = min(grad or FASTEST_RAMP_PCT_PER_S, FASTEST_RAMP_PCT_PER_S) * self.settings.ramp_scale
        if self.controls is None or raw < 1:
            self.unsupported.add("grad_w_pct_per_s")
            return
        try:
            points = {"WRmp": Wanted(raw, Rounding.DOWN)}
            yield step_of(
                self.controls, "grad_w_pct_per_s", points, optional={"WRmpRef": Wanted(RAMP_REF_W_MAX)}
            )
        except ValueError:
            self.unsupported.add("grad_w_pct_per_s")

    def _operation(self) -> Iterator[Step]:
        """Connect through 715.OpCtl where the device has it."""
        control = self.map.first(715)
        connect = self._service(self.setpoint.connect)
        if control and control.is_implemented("OpCtl") and connect is not None:
            yield step_of(control, "connect", {"OpCtl": Wanted(int(connect))})

    def _enter_service(self) -> Iterator[Step]:
        """Energize, and connect without 715, through 703.ES: what one of them forbids is forbidden."""
        control = self.map.first(715)
        by_service = {"energize": self._service(self.setpoint.energize)}
        if not (control and control.is_implemented("OpCtl")):
            by_service["connect"] = self._service(self.setpoint.connect)
        asked = {field: value for field, value in by_service.items() if value is not None}
        if not asked:
            return
        service = self.map.first(703)
        if service is None or not service.is_implemented("ES"):
            self.unsupported |= {field for field in asked if getattr(self.setpoint, field) is not None}
            return
        field = "energize" if "energize" in asked else "connect"
        yield step_of(service, field, {"ES": Wanted(int(all(asked.values())))})

    def _service(self, wanted: bool | None) -> bool | None:
        return True if wanted is None and self.restore_service else wanted
