"""The conformance runner: cases as values, played against any server or client by its address.

Nothing of this package imports what it tests.
"""

from conformance_tests.case import AnyCase, Case, Level, Need, Outcome, Role, Target
from conformance_tests.errors import ConformanceError, Ended, Skipped, TargetError, UsageError
from conformance_tests.evidence import Evidence, Exchange, Note, TlsFacts
from conformance_tests.runner import Run, Watcher, new_run, play, run_all, select
from conformance_tests.trial import Finding, Trial, Verdict

__all__ = [
    "AnyCase",
    "Case",
    "ConformanceError",
    "Ended",
    "Evidence",
    "Exchange",
    "Finding",
    "Level",
    "Need",
    "Note",
    "Outcome",
    "Role",
    "Run",
    "Skipped",
    "Target",
    "TargetError",
    "TlsFacts",
    "Trial",
    "UsageError",
    "Verdict",
    "Watcher",
    "new_run",
    "play",
    "run_all",
    "select",
]
