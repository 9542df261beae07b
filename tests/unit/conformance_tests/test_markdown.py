"""Runs as a page in Markdown: a row for each procedure, a reason for all that did not pass."""

from dataclasses import replace
from pathlib import Path

import pytest

from conformance_tests import AnyCase, Outcome, Role, Verdict
from conformance_tests.reports.markdown import MOST_ROWS, Column, markdown_of
from conformance_tests.reports.record import Kept, case_json
from lineside.__main__ import main
from tests.unit.conformance_tests.made_run import case_of, one_of_each
from tests.unit.conformance_tests.test_reports import kept

EVIL = "a|b <script>*x*</script>\nnext"


def as_role(case: AnyCase, role: Role) -> AnyCase:
    return replace(case, id=case.id.replace("/server", f"/{role}"), role=role)


def column(name: str, outcomes: dict[AnyCase, Outcome | None], reason: str = "") -> Column:
    verdicts = {
        case.id: Verdict(case=case.id, outcome=outcome, reason=reason)
        for case, outcome in outcomes.items()
        if outcome is not None
    }
    cases = {case.id: case_json(case) for case in outcomes}
    return Column(
        name=name,
        kept=Kept(
            role="server",
            profile="csip",
            facts={"Lineside": "0.1", "empty": ""},
            begun_s=1_800_000_000.0,
            ended_s=None,
            complete=True,
            cases=cases,
            verdicts=verdicts,
        ),
    )


def test_a_row_tells_what_each_run_says_of_a_procedure() -> None:
    one, two, three = (case_of(number) for number in range(3))
    server = column("ours", {one: Outcome.PASSED, two: Outcome.FAILED, three: None}, "seen 405")
    client = column("theirs", {as_role(one, Role.DER_CLIENT): Outcome.SKIPPED}, "needs a person")
    lines = markdown_of("Both", [server, client]).splitlines()
    assert lines[0] == "# Both"
    assert "| procedure | what it is about | ours | theirs |" in lines
    assert "| MADE-000 | case 0 | pass | skipped |" in lines
    assert "| MADE-001 | case 1 | **fail** |  |" in lines
    assert "| MADE-002 | case 2 | not played |  |" in lines
    assert lines[-2:] == [
        "- ours, **fail**: MADE-001: seen 405",
        "- theirs, skipped: MADE-000: needs a person",
    ]
    assert "| ours | server | csip | 2027-01-15 08:00 UTC | 1 | 1 |  |  |  | 1 |" in lines
    assert "ours: Lineside 0.1." in lines


def test_a_family_of_many_is_told_by_counts_and_by_what_did_not_pass() -> None:
    cases = [case_of(number, "lists") for number in range(MOST_ROWS + 1)]
    bad = {cases[3]: Outcome.WARNED, cases[5]: Outcome.WARNED}
    page = markdown_of("Many", [column("ours", {**dict.fromkeys(cases, Outcome.PASSED), **bad}, "slow")])
    assert f"| ours | {MOST_ROWS + 1} | {MOST_ROWS - 1} |  | 2 |  |  |  |" in page
    assert "- ours, warn: MADE-003, MADE-005: slow\n" in page
    assert "| MADE-000" not in page


def test_nothing_of_a_target_is_markup() -> None:
    page = markdown_of("Evil", [column(EVIL, {case_of(1): Outcome.FAILED}, EVIL)])
    assert "<script>" not in page.replace("\\<", "")
    assert "a\\|b \\<script\\>\\*x\\*\\</script\\> next" in page
    assert all(line.count("|") in {0, 4, 11} for line in page.replace("\\|", "").splitlines())


def test_without_a_date_two_runs_alike_have_the_same_page() -> None:
    now = column("ours", {case_of(1): Outcome.PASSED})
    later = Column(name=now.name, kept=replace(now.kept, begun_s=1.9e9))
    assert markdown_of("A", [now], is_dated=False) == markdown_of("A", [later], is_dated=False)
    assert markdown_of("A", [now]) != markdown_of("A", [later])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run = one_of_each()
    kept(tmp_path / "run", run).close(run)
    return tmp_path / "run"


def test_the_command_writes_the_page_of_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = folder.parent / "page.md"
    assert main(["conform", "report", f"our=server={folder}", str(folder), "--markdown", str(page)]) == 0
    assert "| procedure | what it is about | our=server | server, csip |" in page.read_text()
    assert main(["conform", "report", str(folder), "--title", "Mine"]) == 0
    assert capsys.readouterr().out.startswith("# Mine\n")
    assert main(["conform", "report", str(folder), "--markdown", str(folder / "no" / "page.md")]) == 2
    assert "page.md cannot be written: No such file or directory" in capsys.readouterr().err
