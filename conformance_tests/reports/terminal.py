"""The table of a run on a terminal: a line per case as it ends, and below it how far the run is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TextIO

from conformance_tests.case import Outcome
from conformance_tests.reports.plain import duration, one_line
from conformance_tests.reports.summary import counts_of, grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance_tests.case import AnyCase
    from conformance_tests.runner import Run
    from conformance_tests.trial import Verdict

WORDS: Final = {
    Outcome.PASSED: ("pass", "32"),
    Outcome.FAILED: ("FAIL", "31;1"),
    Outcome.WARNED: ("warn", "33"),
    Outcome.SKIPPED: ("skip", "2"),
    Outcome.INCONCLUSIVE: ("????", "35"),
}


class Terminal:
    """Tells a run. On a terminal with colours and a last line that moves; else plain lines.

    Passed cases are lines only with `every`; the time left is what the cases that are left say they take,
    corrected by what those that are over took.
    """

    def __init__(
        self,
        out: TextIO,
        cases: Sequence[AnyCase],
        *,
        width: int,
        now: Callable[[], float],
        every: bool = False,
    ) -> None:
        self._out = out
        self._width = max(40, width)
        self._moves = out.isatty()
        self._every = every
        self._now = now
        self._left = {case.id: case.lasts_s for case in cases}
        self._said_s = 0.0
        self._took_s = 0.0
        self._bad = 0

    def begins(self, case: AnyCase, number: int, of: int) -> None:
        """Show what is played now."""
        if self._moves:
            left = duration(self.left_s())
            text = f"{number}/{of}  {self._bad} not passed  about {left} left  {case.id}"
            self._out.write(f"\r\x1b[K{one_line(text, self._width - 1)}")
            self._out.flush()

    def ended(self, case: AnyCase, verdict: Verdict) -> None:
        """Show a verdict."""
        self._said_s += self._left.pop(case.id, 0.0)
        self._took_s += verdict.took_s
        passed = verdict.outcome is Outcome.PASSED
        self._bad += verdict.outcome in {Outcome.FAILED, Outcome.INCONCLUSIVE}
        if passed and not self._every:
            return
        if self._moves:
            self._out.write("\r\x1b[K")
        self._out.write(self._line(case, verdict) + "\n")
        self._out.flush()

    def left_s(self) -> float:
        """Time that is left by what is known, s."""
        pace = self._took_s / self._said_s if self._said_s > 0 else 1.0
        return sum(self._left.values()) * min(pace, 3.0)

    def close(self, run: Run) -> None:
        """Show the table by family and the sum."""
        if self._moves:
            self._out.write("\r\x1b[K")
        families = grouped(run, lambda case: case.family)
        widest = max((len(name) for name in families), default=0)
        lines = [f"  {name:<{widest}}  {counts}" for name, counts in families.items()]
        of = len(run.cases)
        whole = "" if run.complete else f" (broken off: {of - len(run.verdicts)} cases not played)"
        took = duration((run.ended_s or self._now()) - run.begun_s)
        lines.append(f"{counts_of(run.verdicts.values())} of {of} in {took}{whole}")
        self._out.write("\n".join(one_line_keeping(line, self._width) for line in lines) + "\n")
        self._out.flush()

    def _line(self, case: AnyCase, verdict: Verdict) -> str:
        word, colour = WORDS[verdict.outcome]
        text = one_line(f"{case.id}  {verdict.reason or case.title}", self._width - 6)
        return f"\x1b[{colour}m{word}\x1b[0m  {text}" if self._moves else f"{word}  {text}"


def one_line_keeping(line: str, width: int) -> str:
    """A line cut to the width, with its indentation."""
    indent = line[: len(line) - len(line.lstrip())]
    return indent + _cut(line.lstrip(), width - len(indent))


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
