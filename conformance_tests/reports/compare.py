"""Two runs beside each other: what is broken now that held before, what holds now, what is new or gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance_tests.case import Outcome
from conformance_tests.reports.plain import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance_tests.reports.record import Kept

GOOD = frozenset({Outcome.PASSED, Outcome.WARNED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One case whose outcome is another one now; None: it was not played there."""

    case: str
    before: Outcome | None
    after: Outcome | None
    reason: str

    @property
    def is_worse(self) -> bool:
        """True where it was fine, and is not fine now (not played counts as not fine)."""
        return self.before in GOOD and self.after not in GOOD

    @property
    def is_better(self) -> bool:
        """True where it is fine now, and was not."""
        return self.after in GOOD and self.before is not None and self.before not in GOOD


def changes(before: Kept, after: Kept) -> Sequence[Change]:
    """All cases with another outcome: worse ones first, then better ones, then the rest, each in order."""
    names = list(dict.fromkeys([*before.verdicts, *after.verdicts]))
    found = [_change(before, after, name) for name in names]
    real = [one for one in found if one.before is not one.after]
    return sorted(real, key=lambda one: 0 if one.is_worse else 1 if one.is_better else 2)


def _change(before: Kept, after: Kept, name: str) -> Change:
    old, new = before.verdicts.get(name), after.verdicts.get(name)
    return Change(
        case=name,
        before=None if old is None else old.outcome,
        after=None if new is None else new.outcome,
        reason="" if new is None else new.reason,
    )


def compared(before: Kept, after: Kept, width: int) -> Iterator[str]:
    """The lines of the comparison."""
    found = changes(before, after)
    if (before.role, before.profile) != (after.role, after.profile):
        yield (
            f"these are two things: {before.role}, profile {before.profile}, "
            f"and {after.role}, profile {after.profile}"
        )
    for one in found:
        word = "worse " if one.is_worse else "better" if one.is_better else "other "
        steps = f"{_word(one.before)} -> {_word(one.after)}"
        yield one_line(f"{word}  {one.case}  {steps}  {one.reason}", width)
    worse, better = sum(one.is_worse for one in found), sum(one.is_better for one in found)
    yield f"{worse} worse, {better} better, {len(found) - worse - better} otherwise changed"


def _word(outcome: Outcome | None) -> str:
    return "not played" if outcome is None else outcome.value
