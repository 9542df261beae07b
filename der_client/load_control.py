"""What EndDeviceControls ask of storage: how much it may take in. Pure. IEEE 2030.5-2018, 10.3.

The rules of events are those of DERControls: each thing that an EndDeviceControl asks for is carried by a
mode of a DERControl of its times. What else a load could do (temperatures, taking more) is answered with 252.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from der_client.event_form import control_of
from der_client.quantity import active_power_w
from function_sets import ModeSource, Program
from schemas import (
    ActivePower,
    DemandResponseProgram,
    DERControl,
    DERControlBase,
    EndDeviceControl,
    Offset,
    TargetReduction,
    codes_metering,
)

LOAD: Final = "opModLoadLimW"
"""The mode in which storage follows it: the least limit of what it takes in counts."""
PREFIX: Final = "load control "
"""How such programs are named in records, before the URI of their list."""
DUTY, OFFSET, APPLIANCE, TARGET = "opModFixedW", "opModMaxLimW", "opModConnect", "opModTargetW"
"""What carries DutyCycle, Offset, ApplianceLoadReduction and TargetReduction while the rules are applied."""
FOLLOWED: Final = frozenset({DUTY, OFFSET, APPLIANCE, TARGET})
NOTHING: Final = DERControlBase(opModEnergize=False)
"""What carries a control of which storage can do nothing."""
WHOLE: Final = 10_000
"""All of a load, in 0.01 %."""
WATTS: Final[Mapping[int, int]] = {codes_metering.UnitType.WATTS: 0, codes_metering.UnitType.KW: 3}
"""Powers of ten of the units of a TargetReduction that are powers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadControlSettings:
    """Whether EndDeviceControls are followed; off by default."""

    is_on: bool = False


@dataclass(slots=True)
class DrawnBefore:
    """What storage took in as each event began, W, by mRID: what reductions are counted from."""

    drawn_w: dict[str, float] = field(default_factory=dict)

    def note(self, mrids: Iterable[str], drawn_w: float | None, kept: Collection[str]) -> None:
        """Note it for events that have just begun; forget those that are over."""
        self.drawn_w = {mrid: watts for mrid, watts in self.drawn_w.items() if mrid in kept}
        for mrid in mrids:
            self.drawn_w.setdefault(mrid, drawn_w or 0.0)

    def basis_w(self, mrid: str | None, charge_w: float) -> float:
        """What a reduction is counted from, W: the rating, where nothing was taken in or nobody knows."""
        return self.drawn_w.get(mrid or "", 0.0) or charge_w

    def text(self) -> str:
        """For a restart."""
        return json.dumps({mrid: round(watts, 1) for mrid, watts in self.drawn_w.items()})

    @classmethod
    def of(cls, text: str | None) -> "DrawnBefore":
        """What `text` gave; nothing for no text."""
        return cls({str(mrid): float(watts) for mrid, watts in json.loads(text or "{}").items()})


def program_of(listed: DemandResponseProgram, events: Sequence[EndDeviceControl]) -> Program:
    """A program of EndDeviceControls as one of DERControls."""
    controls = tuple(as_control(event) for event in events)
    return Program(
        href=PREFIX + (listed.href or listed.mRID),
        mRID=listed.mRID,
        primacy=listed.primacy,
        controls=controls,
    )


def as_control(event: EndDeviceControl) -> DERControl:
    """A DERControl with the times, status, devices and wishes for Responses of an EndDeviceControl."""
    return replace(control_of(event, _base_of(event)), deviceCategory=event.deviceCategory)


def limit_of(
    modes: Mapping[str, ModeSource], charge_w: float, before: DrawnBefore
) -> tuple[float, ModeSource] | None:
    """The least that the controls in force leave storage of this rating to take in, W; None without one."""
    found = [
        (max(0.0, watts), source)
        for mode, source in modes.items()
        if (watts := _left_w(mode, source, charge_w, before)) is not None
    ]
    return min(found, key=lambda one: one[0], default=None)


def _base_of(event: EndDeviceControl) -> DERControlBase:
    """What storage can do of a control; NOTHING where that is nothing, or where more is to be taken."""
    if event.loadShiftForward:
        return NOTHING
    duty, appliance = event.DutyCycle_, event.ApplianceLoadReduction_
    found = DERControlBase(
        opModFixedW=None if duty is None else min(100, duty.normalValue) * 100,
        opModMaxLimW=_left_of(event.Offset_),
        opModConnect=None if appliance is None else False,
        opModTargetW=_reduction_of(event.TargetReduction_),
    )
    return NOTHING if found == DERControlBase() else found


def _left_of(offset: Offset | None) -> int | None:
    """What an Offset leaves of a load, 0.01 %."""
    share = None if offset is None else offset.loadAdjustmentPercentageOffset
    return None if share is None else max(0, WHOLE - share)


def _reduction_of(target: TargetReduction | None) -> ActivePower | None:
    """The power of a TargetReduction; None for one in units of energy or volume."""
    if target is None or target.type not in WATTS:
        return None
    value = target.value * 10 ** WATTS[target.type]
    multiplier = 0 if value <= 32_767 else 3
    return ActivePower(multiplier=multiplier, value=min(32_767, -(-value // 10**multiplier)))


def _left_w(mode: str, source: ModeSource, charge_w: float, before: DrawnBefore) -> float | None:
    """What one control leaves, W: a duty cycle of the rating, reductions of what was taken in before."""
    value, basis_w = source.value, before.basis_w(source.mRID, charge_w)
    match mode:
        case "opModConnect":
            return 0.0
        case "opModFixedW" if isinstance(value, int):
            return charge_w * value / WHOLE
        case "opModMaxLimW" if isinstance(value, int):
            return basis_w * value / WHOLE
        case "opModTargetW" if isinstance(value, ActivePower):
            return basis_w - active_power_w(value)
    return None
