"""Commissioning: what a technician does with a new device: find it, read it, try it, keep its registers."""

from .guard import Guard
from .report import Figure, Finding, Report, Verdict
from .snapshot import Keeper, SunSpecKeeper
from .trial import Pace, RealPace, Trial, TrialSettings

__all__ = [
    "Figure",
    "Finding",
    "Guard",
    "Keeper",
    "Pace",
    "RealPace",
    "Report",
    "SunSpecKeeper",
    "Trial",
    "TrialSettings",
    "Verdict",
]
