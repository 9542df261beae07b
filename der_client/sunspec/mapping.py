"""A Setpoint as ordered register writes to models 703, 704 and 715. Pure functions.

SunSpec models 703, 704, 715; IEEE 2030.5-2018, 10.10 (DERControlBase).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from der_client.device import Reversion, Setpoint
from der_client.sunspec.codec import Rounding
from der_client.sunspec.functions import (
    FULL_PCT,
    FUNCTIONS,
    REACTIVE,
    REACTIVE_FIELDS,
    Bases,
    Function,
    Points,
)
from der_client.sunspec.model import DeviceMap
from der_client.sunspec.writes import Step, Wanted, step_of

RAMP_REF_W_MAX = 1
FASTEST_RAMP_PCT_PER_S = 100
NOT_EXECUTED = ("max_charge_w", "droop", "enter_service", "soft_grad_w_pct_per_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingSettings:
    """What differs between devices. `reactive_first` is the mode that wins where a Setpoint asks for two.

    `ramp_scale` is the number that the device holds in WRmp for 1 %/s.
    """

    reactive_first: str = "pf"
    ramp_scale: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps that bring a device to a Setpoint, in order, and the fields that it cannot execute.

    `unguarded` names the fields that the device will hold for ever if nobody changes them: it has no
    reversion timer for them.
    """

    steps: tuple[Step, ...]
    unsupported: frozenset[str]
    unguarded: frozenset[str]


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
        self.bases = Bases.of(device_map)
        self.settings = settings
        self.reversion = reversion
        self.restore_service = restore_service
        self.unsupported: set[str] = set()
        self.unguarded: set[str] = set()
        self.setpoint = self._one_reactive_mode(setpoint)
        if setpoint.open_contactor:
            self.unsupported.add("open_contactor")
        self.unsupported |= {curve.mode for curve in setpoint.curves}
        self.unsupported |= {name for name in NOT_EXECUTED if getattr(setpoint, name) is not None}

    def plan(self) -> Plan:
        releases = [step for function in FUNCTIONS for step in self._release(function)]
        first = [step for step in releases if step.field in REACTIVE_FIELDS]
        steps = [*first, *self._ramp()]
        steps += [step for function in FUNCTIONS for step in self._activate(function)]
        steps += [step for step in releases if step.field not in REACTIVE_FIELDS]
        steps += [*self._operation(), *self._enter_service()]
        return Plan(
            steps=tuple(steps),
            unsupported=frozenset(self.unsupported),
            unguarded=frozenset(self.unguarded),
        )

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

    def _is_wanted(self, function: Function) -> bool:
        """True if the function must be enabled.

        A limit of 100 % is released rather than held, unless only an enabled function keeps a tighter
        reversion armed.
        """
        value = getattr(self._effective(), function.field)
        if function.field == "max_w_pct" and (value is None or value >= FULL_PCT):
            return self._reverts(function)
        return value is not None

    def _reverts(self, function: Function) -> bool:
        """True if the device shall hold a setpoint of this function after a reversion."""
        value = getattr(self.reversion.to, function.field)
        return value is not None and (function.field != "max_w_pct" or value < FULL_PCT)

    def _release(self, function: Function) -> Iterator[Step]:
        enable = f"{function.prefix}Ena"
        if self.controls and self.controls.is_implemented(enable) and not self._is_wanted(function):
            yield step_of(self.controls, function.field, {enable: Wanted(0)})

    def _activate(self, function: Function) -> Iterator[Step]:
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
            if self.reversion.after_s and not self.controls.is_implemented(f"{function.prefix}RvrtTms"):
                self.unguarded.add(function.field)
        except ValueError:
            self._refuse(function.field)

    def _reversion_points(self, function: Function, active: Points) -> Points:
        """The points of the dead-man switch; a reversion value must be in the unit of the setpoint."""
        points = {f"{function.prefix}RvrtTms": Wanted(self.reversion.after_s)}
        enable = f"{function.prefix}EnaRvrt"
        if self.controls is None or not self._reverts(function):
            return points | {enable: Wanted(0)}
        try:
            values = function.reverted(self.controls, self.bases, self.reversion.to)
            unit = function.active(self.controls, self.bases, self.reversion.to).get(f"{function.prefix}Mod")
        except ValueError:
            return points | {enable: Wanted(0)}
        if unit != active.get(f"{function.prefix}Mod"):
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
