"""What the devices of one EndDevice make of the modes that they are given. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from der_client.desired import GENERATION_LIMITS, LOAD_LIMITS, TARGETS, modes_able
from der_client.device_view import DeviceView
from der_client.plan import Plan

MODES_OF_FIELD: Final[Mapping[str, tuple[str, ...]]] = {
    "connect": ("opModConnect",),
    "energize": ("opModEnergize",),
    "max_w_pct": ("opModMaxLimW", *GENERATION_LIMITS),
    "target_w": TARGETS,
    "max_charge_w": LOAD_LIMITS,
    "pf_inject": ("opModFixedPFInjectW",),
    "pf_absorb": ("opModFixedPFAbsorbW",),
    "var": ("opModFixedVar", "opModTargetVar"),
    "droop": ("opModFreqDroop",),
}
"""Modes that a field of the Setpoint executes; curves are named by their mode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """`refused` modes no device turned out to have; `failing` ones some device has and does not hold.

    A device does not hold either what an interlock keeps from it, what it does not follow, and what could
    not be written. `is_local` says that all devices are under local control.
    """

    refused: frozenset[str] = frozenset()
    failing: frozenset[str] = frozenset()
    is_local: bool = False


def execution_of(views: Sequence[DeviceView], plan: Plan | None, now_s: float, holds_s: float) -> Execution:
    """What is known at `now_s`, local, s, of devices that were identified; `plan` is the one in force.

    A device that does not answer goes on with what it was told for `holds_s`, its reversion time; after that
    nothing is held where no device answers.
    """
    known = [view for view in views if view.nameplate is not None]
    able = frozenset[str]().union(*map(_able, known))
    failing = {mode for view in known for mode in _failing(view, plan, now_s)}
    is_lost = [view.silent is not None and now_s - view.at_s > holds_s for view in known]
    return Execution(
        refused=able.difference(*(_able(view) - _refused(view, plan) for view in known)),
        failing=able if known and all(is_lost) else frozenset(failing),
        is_local=bool(known) and all(map(_is_local, known)),
    )


def modes_of_fields(fields: Iterable[str]) -> frozenset[str]:
    """Modes that these fields of a Setpoint execute; names that are no field are modes of curves."""
    return frozenset(mode for name in fields for mode in MODES_OF_FIELD.get(name, (name,)))


def _able(view: DeviceView) -> frozenset[str]:
    return frozenset() if view.nameplate is None else modes_able(view.nameplate)


def _refused(view: DeviceView, plan: Plan | None) -> frozenset[str]:
    """Modes of which the device said that it cannot do what the plan asks."""
    if plan is None or view.plan is not plan or not view.unsupported:
        return frozenset()
    return modes_of_fields(view.unsupported)


def _failing(view: DeviceView, plan: Plan | None, now_s: float) -> frozenset[str]:
    """Modes that this device has and does not hold."""
    short = frozenset[str]()
    if view.plan is plan and view.silent is None:
        short = modes_of_fields(view.short) if now_s < view.lost_s else _able(view)
    return (modes_of_fields(view.failed) | short) & _able(view)


def _is_local(view: DeviceView) -> bool:
    return view.is_local or (view.telemetry is not None and view.telemetry.local_control)
