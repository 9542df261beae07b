"""What the planners of a Setpoint share: what is asked, what is known of the device, the plan so far."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from der_client.device import Reversion, Setpoint
from der_client.sunspec.codec import Words
from der_client.sunspec.model import DeviceMap, Model
from der_client.sunspec.permissions import Permissions
from der_client.sunspec.ratings import legacy_var, set_max_w, setting, storage_w
from der_client.sunspec.writes import Step, Use

REACTIVE_ORDER = ("pf", "var", "opModVoltVar", "opModWattVar", "opModWattPF")
OVER_EXCITED_NEGATIVE, UNDER_EXCITED_NEGATIVE = "over_excited_negative", "under_excited_negative"
LIMIT_AC, LIMIT_PV = "ac", "pv"
HZ_OFFSET, HZ_ABSOLUTE = "offset", "absolute"


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingSettings:
    """What differs between devices, and what the operator permits.

    `reactive_order`: of several reactive modes in one Setpoint the first of these is enabled, the usual order
    behind them. `ramp_scale`:
    the number that the device holds in WRmp for 1 %/s. `min_limit_pct`: below it the device goes to standby,
    so that a smaller limit is written as 0. `limit_side`: what a limit acts on, all that leaves the device
    (`ac`) or only its PV (`pv`). `pf_sign`: which excitation 123.OutPFSet and model 131 count negative.
    `manual_shutdown_stops`: the event "manual shutdown" is an emergency stop, which an operator resets.
    `hz_start`: how 127 counts its frequencies; absent, the device shows it. `charge_from_grid`: a charge that
    is asked for may come from the grid. `write_only`: models whose controls do not read back. `rating_w`: the
    rating of a device that does not say its own.
    """

    reactive_order: tuple[str, ...] = REACTIVE_ORDER
    ramp_scale: float = 1
    min_limit_pct: float = 0.0
    limit_side: str = LIMIT_AC
    pf_sign: str = OVER_EXCITED_NEGATIVE
    hz_start: str | None = None
    charge_from_grid: bool = True
    manual_shutdown_stops: bool = False
    write_only: tuple[int, ...] = ()
    rating_w: float | None = None
    permissions: Permissions = field(default_factory=Permissions)

    def __post_init__(self) -> None:
        _known("limit_side", self.limit_side, (LIMIT_AC, LIMIT_PV))
        _known("pf_sign", self.pf_sign, (OVER_EXCITED_NEGATIVE, UNDER_EXCITED_NEGATIVE))
        _known("hz_start", self.hz_start, (None, HZ_OFFSET, HZ_ABSOLUTE))
        for name in self.reactive_order:
            _known("reactive_order", name, REACTIVE_ORDER)
        if not 0 <= self.min_limit_pct <= 100 or self.ramp_scale <= 0:
            msg = "min_limit_pct is 0 to 100 and ramp_scale above 0"
            raise ValueError(msg)


def _known(name: str, value: str | None, known: tuple[str | None, ...]) -> None:
    if value not in known:
        msg = f"{name}: {value!r} is none of {', '.join(map(str, known))}"
        raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bases:
    """What percentages refer to: settings in force, W and var as magnitudes; 0 for what nobody says.

    `max_w` is that of the device, to which its registers refer, `set_max_w` what is reported of it: never
    more than the rating.
    """

    max_w: float
    set_max_w: float
    max_charge_w: float
    max_discharge_w: float
    max_var: float
    max_var_neg: float

    @classmethod
    def of(cls, device_map: DeviceMap, settings: MappingSettings | None = None) -> "Bases":
        """The bases of a device: model 702, else 121 with 120 behind it and 124 for storage."""
        capacity = device_map.first(702)
        if capacity is None:
            return cls._legacy(device_map, settings or MappingSettings())
        return cls(
            max_w=setting(capacity, "WMax", "WMaxRtg"),
            set_max_w=set_max_w(device_map, None),
            max_charge_w=setting(capacity, "WChaRteMax", "WChaRteMaxRtg"),
            max_discharge_w=setting(capacity, "WDisChaRteMax", "WDisChaRteMaxRtg"),
            max_var=setting(capacity, "VarMaxInj", "VarMaxInjRtg"),
            max_var_neg=setting(capacity, "VarMaxAbs", "VarMaxAbsRtg"),
        )

    @classmethod
    def _legacy(cls, device_map: DeviceMap, settings: MappingSettings) -> "Bases":
        ratings, basic = device_map.first(120), device_map.first(121)
        charge_w = storage_w(device_map)
        return cls(
            max_w=setting(basic, "WMax") or setting(ratings, "WRtg") or settings.rating_w or 0.0,
            set_max_w=set_max_w(device_map, settings.rating_w),
            max_charge_w=charge_w,
            max_discharge_w=setting(ratings, "MaxDisChaRte") or charge_w,
            max_var=legacy_var(device_map, "Q1"),
            max_var_neg=legacy_var(device_map, "Q4"),
        )

    @property
    def share(self) -> float:
        """What 1 % of setMaxW is in % of the WMax of the device."""
        return self.set_max_w / self.max_w if 0 < self.set_max_w < self.max_w else 1.0


class Stage(IntEnum):
    """The order of writing in which power may not overshoot on the way.

    What conflicts stops first; then ramp and limits, setpoints, what is released, what takes the device out
    of service; curves, for which a device may take its time; what brings it back last.
    """

    STOP = 0
    LIMIT = 1
    SETPOINT = 2
    RELEASE = 3
    OPEN = 4
    CURVE = 5
    CONNECT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveBefore:
    """A curve model as it was before this client wrote to it: to be put back when the curve is released.

    `active` is the number of the curve in force (from 0), `words` its registers by point. Of model 124 it is
    the source of charge alone.
    """

    enabled: bool
    active: int
    words: Mapping[str, Words]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a plan is made from. `setpoint` is what shall hold, with one reactive mode at most.

    `before` has the curve models that this client has changed, `restore` the fields by which it took the
    device out of service.
    """

    device_map: DeviceMap
    setpoint: Setpoint
    reversion: Reversion
    settings: MappingSettings
    bases: Bases
    restore: frozenset[str] = frozenset()
    before: Mapping[int, CurveBefore] = field(default_factory=dict)

    def model(self, model_id: int) -> Model | None:
        """The first model of that number; of one that does not read back, all points count as there."""
        model = self.device_map.first(model_id)
        return unmasked(model) if model and model_id in self.settings.write_only else model

    @property
    def permissions(self) -> Permissions:
        """What may be written."""
        return self.settings.permissions


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps that bring a device to a Setpoint, in order, and the fields that it cannot execute.

    `unguarded` names the fields that do not go to the default without this client, because the device has no
    reversion timer for them, or none that ends there: it holds them, or goes to what it does by itself.
    `touched` tells how the curve models were that are written to, `returned` which are put back for good,
    `unreturned` which cannot be.
    """

    steps: tuple[Step, ...]
    unsupported: frozenset[str]
    unguarded: frozenset[str]
    touched: Mapping[int, CurveBefore] = field(default_factory=dict)
    returned: frozenset[int] = frozenset()
    unreturned: frozenset[int] = frozenset()


def unmasked(model: Model) -> Model:
    """A copy of a model whose writable points all count as implemented, for a device that hides them."""
    words = list(model.words)
    for point in model.layout.points if model.layout else ():
        if point.writable and not model.is_implemented(point.name):
            words[point.offset : point.end] = [0] * point.size
    return replace(model, words=words)


def _as_order(step: Step) -> Step:
    return replace(step, blocks=tuple(replace(block, use=Use.ORDER) for block in step.blocks))


class Draft:
    """A plan in the making. What is written to models in `write_only` is not read back."""

    def __init__(self, write_only: Container[int] = ()) -> None:
        self._write_only = write_only
        self._steps: list[tuple[Stage, Step]] = []
        self.unsupported: set[str] = set()
        self.unguarded: set[str] = set()
        self.touched: dict[int, CurveBefore] = {}
        self.returned: set[int] = set()
        self.unreturned: set[int] = set()

    def add(self, stage: Stage, *steps: Step) -> None:
        """Add steps to a stage, behind those that it has."""
        for step in steps:
            hidden = step.model.model_id in self._write_only
            self._steps.append((stage, _as_order(step) if hidden else step))

    def refuse(self, fields: Iterable[str]) -> None:
        """Note what the device cannot execute."""
        self.unsupported.update(fields)

    def plan(self) -> Plan:
        """All steps, stage by stage."""
        ordered = sorted(self._steps, key=lambda item: item[0])
        return Plan(
            steps=tuple(step for _, step in ordered),
            unsupported=frozenset(self.unsupported),
            unguarded=frozenset(self.unguarded),
            touched=self.touched,
            returned=frozenset(self.returned),
            unreturned=frozenset(self.unreturned),
        )
