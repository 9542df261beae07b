"""What to tell a device that takes a value and does not hold it. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from der_client.device import Fault, FaultKind, Nameplate, Setpoint

FIELD_OF_POINT: Final[Mapping[str, str]] = {
    "WMaxLim": "max_w_pct",
    "WSet": "target_w",
    "PFWInj": "pf_inject",
    "PFWAbs": "pf_absorb",
    "VarSet": "var",
    "WRmp": "grad_w_pct_per_s",
    "ES": "energize",
    "OpCtl": "connect",
}
"""Field of the Setpoint by the beginning of a point's name; SunSpec points and the like."""
ALL_POWER: Final = "target_w"
COUNTED: Final = frozenset({FaultKind.READBACK, FaultKind.REFUSED})
UNANSWERED: Final = frozenset({FaultKind.NO_ANSWER, FaultKind.MALFORMED})


def field_of(fault: Fault) -> str | None:
    """Field of the Setpoint that a device does not hold; None for a fault of another kind.

    A point that is not known stands for active power, whose fallback is the most careful. A point that gives
    no answer, while others do, is not held either.
    """
    if fault.kind not in COUNTED and not (fault.point and fault.kind in UNANSWERED):
        return None
    if fault.field is not None:
        return fault.field
    names = (fault.point or "").split(".")
    found = (f for name in names for start, f in FIELD_OF_POINT.items() if name.startswith(start))
    return next(found, ALL_POWER)


def without(setpoint: Setpoint, blocked: frozenset[str], nameplate: Nameplate) -> Setpoint:
    """The setpoint without the fields that fail, never allowing more than with them.

    A target becomes a limit of generation where it can, and keeps to a limit of charge; what neither can hold
    takes the device out of service. Interlock 20.
    """
    must_stop = False
    if "target_w" in blocked and setpoint.target_w is not None:
        share_pct = max(0.0, nameplate.share_pct(setpoint.target_w))
        held_pct = 100.0 if setpoint.max_w_pct is None else setpoint.max_w_pct
        must_stop = nameplate.is_storage
        setpoint = replace(setpoint, target_w=None, max_w_pct=min(held_pct, share_pct))
    if "max_w_pct" in blocked and setpoint.max_w_pct is not None:
        must_stop = must_stop or setpoint.target_w is None or nameplate.is_storage
        setpoint = replace(setpoint, max_w_pct=None)
    if "max_charge_w" in blocked and setpoint.max_charge_w is not None:
        must_stop = must_stop or (nameplate.is_storage and setpoint.target_w is None)
        setpoint = replace(setpoint, max_charge_w=None)
    for name in sorted(blocked - {"target_w", "max_w_pct", "max_charge_w", "energize"}):
        setpoint = _released(setpoint, name)
    if "energize" in blocked:
        return replace(setpoint, energize=None)
    return replace(setpoint, energize=False) if must_stop else setpoint


RELEASED: Final[Mapping[str, Callable[[Setpoint], Setpoint]]] = {
    "pf_inject": lambda setpoint: replace(setpoint, pf_inject=None),
    "pf_absorb": lambda setpoint: replace(setpoint, pf_absorb=None),
    "var": lambda setpoint: replace(setpoint, var=None),
    "connect": lambda setpoint: replace(setpoint, connect=None),
    "droop": lambda setpoint: replace(setpoint, droop=None),
    "enter_service": lambda setpoint: replace(setpoint, enter_service=None, soft_grad_w_pct_per_s=None),
    "grad_w_pct_per_s": lambda setpoint: replace(setpoint, grad_w_pct_per_s=None),
    "open_contactor": lambda setpoint: replace(setpoint, open_contactor=False),
}
"""How a field that fails is given up; any other name is the mode of a curve."""


def _released(setpoint: Setpoint, name: str) -> Setpoint:
    if name in RELEASED:
        return RELEASED[name](setpoint)
    return replace(setpoint, curves=tuple(curve for curve in setpoint.curves if curve.mode != name))
