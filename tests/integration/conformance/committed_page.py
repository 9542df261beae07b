"""docs/conformance.md as it is committed: what it tells of a case, to be held against what came."""

import re
from functools import cache

from conformance_tests import AnyCase, Outcome, Run, Verdict
from conformance_tests.reports.markdown import WORDS, family_of, row_of, text_of
from tests.integration.conformance.table import PAGE, PARTS, Part, column_of

_BARS = re.compile(r"(?<!\\)\|")


@cache
def sections() -> dict[str, list[str]]:
    """The lines of each family."""
    found: dict[str, list[str]] = {}
    for part in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        family, *lines = part.splitlines()
        found[family] = lines
    return found


@cache
def cells(family: str) -> dict[tuple[str, str], str]:
    """The cells of a family's table by run and row."""
    rows = [_words(line) for line in sections()[family] if line.startswith("|")]
    head = rows[0][2:]
    return {(run, row[0]): word for row in rows[2:] for run, word in zip(head, row[2:], strict=True)}


def _words(line: str) -> list[str]:
    return [word.strip() for word in _BARS.split(line)[1:-1]]


def run_of(case: AnyCase) -> str:
    """The name of the run that plays a case on the page."""
    is_aus = case.family == "csip-aus"
    return next(one.name for one in PARTS if (one.role, one.is_aus) == (case.role, is_aus))


def difference(case: AnyCase, verdict: Verdict) -> str:
    """What the page tells otherwise than a verdict; nothing where they agree."""
    run, row, word = run_of(case), row_of(case.id), WORDS[verdict.outcome]
    told = cells(case.family).get((run, row))
    if told != word:
        return f"{row} of {run} is {word}, and the page says {told}: make conformance-table"
    if verdict.outcome is Outcome.PASSED:
        return ""
    begin, end = f"- {run}, {word}: ", f": {text_of(verdict.reason)}"
    lines = [line for line in sections()[case.family] if line.startswith(begin) and line.endswith(end)]
    if any(row in line.removeprefix(begin).removesuffix(end).split(", ") for line in lines):
        return ""
    return f"{row} of {run}: {verdict.reason}: the page has another reason: make conformance-table"


def summed_differences(part: Part, run: Run) -> list[str]:
    """The families that are told by counts, and of which the page tells otherwise than a run."""
    column = column_of(part, run.verdicts)
    families = dict.fromkeys(case.family for case in run.cases)
    return [one for one in families if sections()[one][1:] != [*family_of(one, [column]), ""][:-1]]
