"""docs/conformance.md has every procedure, and no verdict that nobody accounted for."""

import json
from pathlib import Path

import pytest

from conformance_tests import Outcome, Verdict
from conformance_tests.reports.markdown import NOT_PLAYED, WORDS, row_of
from tests.integration.conformance.committed_page import cells, difference, run_of, sections
from tests.integration.conformance.table import INTRO, PAGE, PARTS, PROCEDURES, ROOT, TITLE, page_of

NOT_TESTED = frozenset({"CORE-006"})
"""Rows of the CSIP procedures that name nobody as what is tested; the page says so in words."""
SHORT_OF: dict[str, str] = {}
"""What our own client and aggregator do not keep yet, and why."""
SKIPPED = {
    "MAINT-002": "removal in band is optional, and neither our server nor our client has it",
}
"""What is not played, and why a test lab would accept it."""


def rows() -> set[str]:
    return {row for family in PROCEDURES for _, row in cells(family)}


def words(word: str) -> set[str]:
    return {row for family in PROCEDURES for (_, row), told in cells(family).items() if told == word}


def test_every_published_procedure_is_on_the_page(vectors: Path) -> None:
    csip = {one["id"] for one in json.loads((vectors / "csip_tests.json").read_text())["tests"]}
    aus = json.loads((vectors / "csipaus_tests.json").read_text())
    assert len(csip) == 79
    assert (len(aus["server"]), len(aus["client"])) == (61, 83)
    assert csip - rows() == NOT_TESTED
    assert all(name in INTRO for name in NOT_TESTED)
    assert {*aus["server"], *aus["client"]} <= {row for _, row in cells("csip-aus")}


def test_every_case_is_on_the_page_in_the_column_of_its_run() -> None:
    for family in PROCEDURES:
        cases = [case for part in PARTS for case in part.cases if case.family == family]
        held = {key for key, word in cells(family).items() if word}
        assert held == {(run_of(case), row_of(case.id)) for case in cases}


def test_what_is_not_passed_is_accounted_for() -> None:
    assert words(WORDS[Outcome.FAILED]) == set(SHORT_OF)
    assert words(WORDS[Outcome.SKIPPED]) == set(SKIPPED)
    assert not words(WORDS[Outcome.WARNED]) | words(WORDS[Outcome.INCONCLUSIVE])
    assert words(NOT_PLAYED) == set()


def test_the_page_is_as_its_writer_writes_it() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.startswith(f"# {TITLE}\n\n{INTRO}\n\n")
    assert list(sections()) == [line[3:] for line in page_of({}).splitlines() if line.startswith("## ")]


def test_a_verdict_that_is_another_one_is_noticed() -> None:
    case = next(one for one in PARTS[0].cases if one.clause == "CORE-003")
    assert difference(case, Verdict(case=case.id, outcome=Outcome.PASSED)) == ""
    failed = difference(case, Verdict(case=case.id, outcome=Outcome.FAILED, reason="no"))
    assert failed == "CORE-003 of server is **fail**, and the page says pass: make conformance-table"
    case = next(one for one in PARTS[0].cases if one.clause == "MAINT-002")
    other = difference(case, Verdict(case=case.id, outcome=Outcome.SKIPPED, reason="a mood"))
    assert other == "MAINT-002 of server: a mood: the page has another reason: make conformance-table"


@pytest.mark.parametrize("path", ["README.md", "docs/howto/conformance.md"])
def test_the_page_is_linked(path: str) -> None:
    assert "conformance.md)" in (ROOT / path).read_text(encoding="utf-8")
