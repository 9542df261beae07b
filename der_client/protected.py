"""Settings of the grid code, which only an explicit permission lets through. Interlock 27. Pure."""

from dataclasses import replace
from typing import Final, Protocol, runtime_checkable

from der_client.device import Setpoint

TRIP_MODES: Final = frozenset(
    {
        *(
            f"opMod{side}{kind}"
            for side in ("HFRT", "HVRT", "LFRT", "LVRT")
            for kind in ("MayTrip", "MustTrip")
        ),
        "opModHVRTMomentaryCessation",
        "opModLVRTMomentaryCessation",
    }
)
"""Modes of ride-through and trip curves. IEEE 2030.5-2018, 10.10 (DERControlBase)."""
SERVICE_LIMITS: Final = ("high_v_pct", "low_v_pct", "high_hz", "low_hz")
"""Limits of entering service: voltages and frequencies of SunSpec model 703."""


@runtime_checkable
class GridCodePermission(Protocol):
    """A device whose installer may let settings of the grid code through."""

    @property
    def allow_grid_code_writes(self) -> bool:
        """True where the installer gave that permission."""
        ...


def may_write_grid_code(device: object) -> bool:
    """True for a device whose installer let settings of the grid code through."""
    return bool(getattr(device, "allow_grid_code_writes", False))


def permitted(setpoint: Setpoint, *, is_allowed: bool) -> tuple[Setpoint, frozenset[str]]:
    """The setpoint without what needs a permission that is not given, and the names of what was taken out.

    Curves are named by their mode, limits of entering service by `enter_service`.
    """
    if is_allowed or not (setpoint.curves or setpoint.enter_service):
        return setpoint, frozenset()
    curves = tuple(curve for curve in setpoint.curves if curve.mode not in TRIP_MODES)
    refused = {curve.mode for curve in setpoint.curves if curve.mode in TRIP_MODES}
    service = setpoint.enter_service
    if service is not None and any(getattr(service, name) is not None for name in SERVICE_LIMITS):
        refused.add("enter_service")
        service = replace(service, high_v_pct=None, low_v_pct=None, high_hz=None, low_hz=None)
    return replace(setpoint, curves=curves, enter_service=service), frozenset(refused)
