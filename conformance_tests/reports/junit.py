"""A run as JUnit XML, which build servers read: a suite per family, a test case per case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

from conformance_tests.case import Outcome
from conformance_tests.reports.plain import printable
from conformance_tests.reports.summary import counts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance_tests.case import AnyCase
    from conformance_tests.runner import Run
    from conformance_tests.trial import Verdict

Pair = tuple["AnyCase", "Verdict"]
ELEMENT: Final = {Outcome.FAILED: "failure", Outcome.INCONCLUSIVE: "error", Outcome.SKIPPED: "skipped"}


def junit_of(run: Run) -> str:
    """The document."""
    suites: dict[str, list[Pair]] = {}
    for case in run.cases:
        if case.id in run.verdicts:
            suites.setdefault(case.family, []).append((case, run.verdicts[case.id]))
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites{_numbers(list(run.verdicts.values()))}>"]
    for family, pairs in suites.items():
        lines.extend(_suite(family, pairs))
    return "\n".join([*lines, "</testsuites>", ""])


def _suite(family: str, pairs: Sequence[Pair]) -> Iterator[str]:
    yield f"  <testsuite name={quoteattr(family)}{_numbers([verdict for _, verdict in pairs])}>"
    for case, verdict in pairs:
        yield from _case(case, verdict)
    yield "  </testsuite>"


def _case(case: AnyCase, verdict: Verdict) -> Iterator[str]:
    name = f"classname={quoteattr(f'{case.family}.{case.role.value}')} name={quoteattr(case.id)}"
    opening = f'    <testcase {name} time="{verdict.took_s:.3f}"'
    element = ELEMENT.get(verdict.outcome)
    if element is None and verdict.outcome is not Outcome.WARNED:
        yield f"{opening}/>"
        return
    yield f"{opening}>"
    if element is None:
        yield f"      <system-out>{_escaped(verdict.reason)}</system-out>"
    else:
        message = quoteattr(printable(verdict.reason))
        yield f"      <{element} message={message}>{_escaped(_told(case, verdict))}</{element}>"
    yield "    </testcase>"


def _told(case: AnyCase, verdict: Verdict) -> str:
    lines = [f"{case.source}, {case.clause}: {case.requirement}"]
    lines += [f"not so: {one.what} (seen: {one.seen})" for one in verdict.findings if not one.held]
    return "\n".join(lines)


def _numbers(verdicts: Sequence[Verdict]) -> str:
    counts = counts_of(verdicts)
    return (
        f' tests="{counts.total}" failures="{counts[Outcome.FAILED]}" errors="{counts[Outcome.INCONCLUSIVE]}"'
        f' skipped="{counts[Outcome.SKIPPED]}" time="{sum(one.took_s for one in verdicts):.3f}"'
    )


def _escaped(text: str) -> str:
    return printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
