"""Counts of a run: by outcome, by family, by clause; and its exit code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from conformance_tests.case import Level, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from conformance_tests.case import AnyCase
    from conformance_tests.runner import Run
    from conformance_tests.trial import Verdict

OUTCOMES: Final = tuple(Outcome)


@dataclass(slots=True)
class Counts:
    """How many cases ended how."""

    by: Counter[Outcome] = field(default_factory=Counter)

    def __getitem__(self, outcome: Outcome) -> int:
        return self.by[outcome]

    @property
    def total(self) -> int:
        """All of them."""
        return self.by.total()

    def __str__(self) -> str:
        return ", ".join(f"{self.by[one]} {one.value}" for one in OUTCOMES if self.by[one])


def counts_of(verdicts: Iterable[Verdict]) -> Counts:
    """Counts of some verdicts."""
    return Counts(Counter(one.outcome for one in verdicts))


def grouped(run: Run, key: Callable[[AnyCase], str]) -> Mapping[str, Counts]:
    """Counts of a run by a property of its cases, in the order in which the cases stand."""
    found: dict[str, Counts] = {}
    for case in run.cases:
        verdict = run.verdicts.get(case.id)
        if verdict is not None:
            found.setdefault(key(case), Counts()).by[verdict.outcome] += 1
    return found


def is_failure(case: AnyCase, verdict: Verdict, *, strict: bool) -> bool:
    """True for a verdict that fails the run: a broken must, and with `strict` a broken should."""
    if verdict.outcome is Outcome.WARNED or (
        verdict.outcome is Outcome.FAILED and case.level is Level.SHOULD
    ):
        return strict
    return verdict.outcome is Outcome.FAILED and case.level is not Level.MAY


def exit_code(run: Run, *, strict: bool) -> int:
    """0: nothing required is broken; 1: something is; 2: not whole, or a case could not be judged."""
    judged = [(case, run.verdicts[case.id]) for case in run.cases if case.id in run.verdicts]
    if any(is_failure(case, verdict, strict=strict) for case, verdict in judged):
        return 1
    unsure = any(verdict.outcome is Outcome.INCONCLUSIVE for _, verdict in judged)
    return 2 if unsure or not run.complete or not judged else 0
