"""The story that the demonstration plays: what the operator does, and what must be seen. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A point that an observer must see at a device, with its value in the point's unit."""

    point: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A CAN signal that an observer must see between two values, in the signal's unit."""

    message: str
    signal: str
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One control: published `at_s`, starting `in_s` later, cancelled `cancel_after_s` after its start.

    `modes` are DERControlBase elements in percent and W; `responses` is what its device must answer.
    """

    name: str
    device: str
    modes: dict[str, float]
    at_s: float
    in_s: int
    duration_s: int
    responses: tuple[int, ...]
    register: Register
    frame: Frame | None = None
    cancel_after_s: float | None = None


DEFAULT_LIMIT_PCT: Final = 80.0
DEFAULT_NAME: Final = "default limit 80 %"
DEFAULT_REGISTER: Final = Register(point="704.WMaxLimPct", value=DEFAULT_LIMIT_PCT)
DEVICES: Final = ("pv", "battery")
LENGTH_S: Final = 32.0
"""From the first control to the last answer."""

SCENES: Final = (
    Scene(
        name="PV limit 50 %",
        device="pv",
        modes={"opModMaxLimW": 50.0},
        at_s=0.0,
        in_s=4,
        duration_s=8,
        responses=(1, 2, 3),
        register=Register(point="704.WMaxLimPct", value=50.0),
    ),
    Scene(
        name="battery discharge 3 kW",
        device="battery",
        modes={"opModTargetW": 3000.0},
        at_s=0.0,
        in_s=4,
        duration_s=7,
        responses=(1, 2, 3),
        register=Register(point="704.WSet", value=3000.0),
        frame=Frame(message="Measurements", signal="Current", low=-75.0, high=-45.0),
    ),
    Scene(
        name="PV limit 60 %",
        device="pv",
        modes={"opModMaxLimW": 60.0},
        at_s=13.0,
        in_s=1,
        duration_s=30,
        responses=(1, 2, 7),
        register=Register(point="704.WMaxLimPct", value=60.0),
    ),
    Scene(
        name="PV limit 30 % (newer)",
        device="pv",
        modes={"opModMaxLimW": 30.0},
        at_s=17.0,
        in_s=4,
        duration_s=8,
        responses=(1, 2, 3),
        register=Register(point="704.WMaxLimPct", value=30.0),
    ),
    Scene(
        name="battery charge 2 kW",
        device="battery",
        modes={"opModTargetW": -2000.0},
        at_s=11.0,
        in_s=2,
        duration_s=30,
        responses=(1, 2, 6),
        register=Register(point="704.WSet", value=-2000.0),
        frame=Frame(message="Measurements", signal="Current", low=30.0, high=50.0),
        cancel_after_s=4.0,
    ),
)
"""A scheduled limit, a discharge, a control that supersedes another, and a cancellation."""

EVENT: Final = Scene(
    name="VTN event -2.5 kW",
    device="battery",
    modes={"opModTargetW": 2500.0},
    at_s=14.0,
    in_s=6,
    duration_s=8,
    responses=(1, 2, 3),
    register=Register(point="704.WSet", value=2500.0),
    frame=Frame(message="Measurements", signal="Current", low=-62.0, high=-38.0),
)
"""What the utility asks for by OpenADR, 2.5 kW less load; the VEN makes the control of it."""
MARKET_CONTEXT: Final = "http://lineside.example/utility"
USAGE, STATUS = "usage", "status"
"""reportSpecifierIDs of the VEN, and what the VTN calls the lines that it says of such reports."""
OPENADR_PKI, VTN, VEN, VTN_SOCKET = "openadr", "vtn", "ven", "vtn.sock"
"""Names in the folder: certificates, the VTN and the VEN below them, the VEN's own, the VTN's socket."""
