"""One case while it is played: what was checked, what was seen, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from conformance_tests.case import Level, Outcome
from conformance_tests.deadline import Deadline
from conformance_tests.errors import Ended, Skipped
from conformance_tests.evidence import Evidence, Exchange, Note

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance_tests.case import AnyCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at: what must be so, whether it is, what was seen, and the proof's place.

    `exchange` is the index of the exchange that proves it in the evidence of the case.
    """

    held: bool
    what: str
    seen: str = ""
    level: Level = Level.MUST
    clause: str = ""
    exchange: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a case ended, with what proves it. Times in s of the runner's clock (since 1970)."""

    case: str
    outcome: Outcome
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    evidence: Evidence = field(default_factory=Evidence)
    at_s: float = 0.0
    took_s: float = 0.0


class Trial:
    """The notebook of one case; `now` is the runner's clock, s since 1970; `deadline` ends it."""

    def __init__(self, case: AnyCase, now: Callable[[], float]) -> None:
        self.case = case
        self.now = now
        self.deadline = Deadline(case.bound)
        self.evidence = Evidence()
        self.findings: list[Finding] = []

    def exchange(self, exchange: Exchange) -> None:
        """Keep an exchange; findings that follow point to it."""
        self.evidence.add(exchange)

    def note(self, text: str) -> None:
        """Keep a line of the time line."""
        self.evidence.notes.append(Note(at_s=self.now(), text=text))

    def check(
        self,
        held: object,
        what: str,
        *,
        seen: object = "",
        level: Level | None = None,
        clause: str = "",
        exchange: int | None = None,
    ) -> bool:
        """Tell whether something is as it must be; the level is the case's unless said. The answer again."""
        if exchange is None:
            exchange = self.evidence.last if held else self.evidence.proof()
        self.findings.append(
            Finding(
                held=bool(held),
                what=what,
                seen=str(seen),
                level=level or self.case.level,
                clause=clause or self.case.clause,
                exchange=exchange,
            )
        )
        return bool(held)

    def require(self, held: object, what: str, *, seen: object = "", clause: str = "") -> None:
        """Check what the rest of the case stands on: the case ends where it does not hold."""
        if not self.check(held, what, seen=seen, clause=clause):
            raise Ended(what)

    def skip(self, reason: str) -> NoReturn:
        """The case does not apply, or cannot be played here, for this reason."""
        raise Skipped(reason)

    def verdict(self, *, at_s: float, broken: str = "", unsure: str = "", skipped: str = "") -> Verdict:
        """The verdict on what was found; `broken`: no usable answer, `unsure`: the runner could not tell."""
        outcome, reason = self._outcome(broken, unsure, skipped)
        return Verdict(
            case=self.case.id,
            outcome=outcome,
            reason=reason,
            findings=tuple(self.findings),
            evidence=self.evidence,
            at_s=at_s,
            took_s=self.now() - at_s,
        )

    def _outcome(self, broken: str, unsure: str, skipped: str) -> tuple[Outcome, str]:
        failed = [one for one in self.findings if not one.held and one.level is Level.MUST]
        warned = [one for one in self.findings if not one.held and one.level is Level.SHOULD]
        if failed or broken:
            first = f"{failed[0].what}: {failed[0].seen}" if failed and not broken else broken
            return Outcome.FAILED, first
        if unsure:
            return Outcome.INCONCLUSIVE, unsure
        if skipped:
            return Outcome.SKIPPED, skipped
        if not self.findings:
            return Outcome.INCONCLUSIVE, "the case looked at nothing"
        if warned:
            return Outcome.WARNED, f"{warned[0].what}: {warned[0].seen}"
        return Outcome.PASSED, ""
