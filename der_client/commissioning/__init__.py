"""Commissioning: what a technician does with a new device: find it, read it, try it, keep its registers."""

from .guard import Guard
from .report import Figure, Finding, Report, Verdict
from .trial import Keeper, Pace, RealPace, Trial, TrialSettings

__all__ = [
    "Figure",
    "Finding",
    "Guard",
    "Keeper",
    "Pace",
    "RealPace",
    "Report",
    "Trial",
    "TrialSettings",
    "Verdict",
]
