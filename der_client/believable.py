"""What a driver says that a device is, before anything relies on it: what cannot be is a fault. Pure."""

import math
from dataclasses import replace
from typing import Final

from der_client.device import Fault, FaultKind, Nameplate

MOST: Final = 1e12
"""No DER has a rating beyond it: a million megawatts."""
RATED: Final = (
    "max_w",
    "max_va",
    "max_var",
    "max_var_neg",
    "set_max_w",
    "set_max_va",
    "set_max_var",
    "set_max_var_neg",
    "max_charge_w",
    "max_discharge_w",
    "set_max_charge_w",
    "set_max_discharge_w",
    "capacity_wh",
)
"""What a device is bounded by: it is not used while one of these is no number that can be."""
TOLD: Final = {
    "v_nom_v": MOST,
    "max_a": MOST,
    "grad_w_pct_per_s": MOST,
    "min_pf_over_excited": 1.0,
    "min_pf_under_excited": 1.0,
}
"""What is done without where it cannot be, with the most that it can be."""
TEXTS: Final = ("manufacturer", "model", "serial", "version")


def plate_of(found: Nameplate | Fault) -> Nameplate | Fault:
    """The nameplate as it may be used and reported; a Fault in the place of one whose ratings cannot be."""
    if isinstance(found, Fault):
        return found
    for name in RATED:
        value = getattr(found, name)
        if value is not None and not _can_be(value, MOST):
            return Fault(kind=FaultKind.MALFORMED, detail=f"{name}: {value:g} cannot be")
    changes: dict[str, object] = {
        name: None
        for name, most in TOLD.items()
        if getattr(found, name) is not None and not _can_be(getattr(found, name), most)
    }
    texts = {name: _printable(getattr(found, name)) for name in TEXTS}
    changes |= {name: text for name, text in texts.items() if text != getattr(found, name)}
    return replace(found, **changes) if changes else found  # type: ignore[arg-type]


def _can_be(value: float, most: float) -> bool:
    return math.isfinite(value) and 0.0 <= value <= most


def _printable(text: str) -> str:
    """The text without what no XML document can hold."""
    return "".join(letter for letter in text if letter.isprintable())
