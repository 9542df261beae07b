"""Reports of a run: nothing of it is lost, nothing of a target becomes markup, and all of them agree."""

import base64
import io
import json
import re
import time
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from lxml import etree

from conformance_tests import Level, Outcome, Role, Run, UsageError
from conformance_tests.case import Target
from conformance_tests.reports.compare import changes, compared
from conformance_tests.reports.folder import Folder
from conformance_tests.reports.junit import junit_of
from conformance_tests.reports.page import page_of
from conformance_tests.reports.plain import duration, one_line
from conformance_tests.reports.pretty import pretty
from conformance_tests.reports.record import (
    read_journal,
    read_report,
    report_lines,
    verdict_json,
)
from conformance_tests.reports.record import verdict_of as read_verdict
from conformance_tests.reports.summary import exit_code
from conformance_tests.reports.terminal import Terminal
from tests.unit.conformance_tests.made_run import (
    BEGUN_S,
    case_of,
    exchange_of,
    one_of_each,
    run_of,
    verdict_of,
)

EVIL = b"\xff\xfe\x00<script>alert(1)</script>"


def proofs(page: str) -> list[str]:
    packed = re.findall(r"<script type='text/plain'>([^<]*)</script>", page)
    return [zlib.decompress(base64.b64decode(one)).decode() for one in packed]


def kept(folder: Path, run: Run) -> Folder:
    held = Folder(folder)
    verdicts, run.verdicts = run.verdicts, {}
    held.open(run, again=False)
    for case in run.cases:
        held.ended(case, verdicts[case.id])
    run.verdicts = verdicts
    return held


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_verdict_comes_back_from_json_as_it_was(outcome: Outcome) -> None:
    verdict = verdict_of(
        case_of(1), outcome, exchange_of(), exchange_of(EVIL, tls=None, status=None, error="x")
    )
    assert read_verdict(json.loads(json.dumps(verdict_json(verdict)))) == verdict


def test_the_folder_has_the_whole_run_in_four_files(tmp_path: Path) -> None:
    run = one_of_each()
    written = kept(tmp_path / "run", run).close(run)
    assert sorted(one.name for one in written) == ["junit.xml", "report.html", "report.json"]
    journal, report = read_journal(tmp_path / "run" / "run.jsonl"), read_report(tmp_path / "run")
    assert journal == report
    assert journal.verdicts == run.verdicts
    assert journal.complete


@pytest.mark.parametrize("cut", [1, 40, 400])
def test_a_journal_that_was_cut_keeps_every_whole_verdict(tmp_path: Path, cut: int) -> None:
    run = one_of_each()
    kept(tmp_path / "run", run)
    journal = tmp_path / "run" / "run.jsonl"
    journal.write_bytes(journal.read_bytes()[:-cut])
    held = read_journal(journal)
    assert list(held.verdicts) == [case.id for case in run.cases[:-1]]
    assert not held.complete


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\u2029", "\x1c", "\r"])
def test_a_journal_keeps_what_a_peer_sent_with_ends_of_lines_of_unicode(tmp_path: Path, mark: str) -> None:
    run = one_of_each()
    case = run.cases[0]
    exchange = exchange_of(f"<Time>a{mark}b</Time>".encode(), headers=(("Server", f"a{mark}b"),))
    run.verdicts[case.id] = verdict_of(case, Outcome.FAILED, exchange)
    kept(tmp_path / "run", run)
    assert read_journal(tmp_path / "run" / "run.jsonl").verdicts == run.verdicts


def test_a_journal_that_was_cut_within_a_letter_keeps_every_whole_verdict(tmp_path: Path) -> None:
    run = one_of_each()
    case = run.cases[-1]
    run.verdicts[case.id] = verdict_of(case, Outcome.FAILED, exchange_of("é".encode()))
    kept(tmp_path / "run", run)
    journal = tmp_path / "run" / "run.jsonl"
    written = journal.read_bytes()
    journal.write_bytes(written[: written.rindex("é".encode()) + 1])
    assert list(read_journal(journal).verdicts) == [one.id for one in run.cases[:-1]]


def target_of(**facts: str) -> Target[object]:
    """A server with the facts of the run that nobody played, and others."""
    told = {**one_of_each().facts, "LFDI of device": "A1", **facts}
    target = SimpleNamespace(role=Role.SERVER, profile="csip", facts=told)
    return cast("Target[object]", target)


def test_a_run_of_the_same_target_is_taken_up_whatever_steers_it(tmp_path: Path) -> None:
    run = one_of_each()
    run.facts = target_of().facts
    held = kept(tmp_path / "run", run)
    assert held.earlier_of(target_of(operator="prompt", certificate="/elsewhere")).verdicts == run.verdicts


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("address", "https://another/dcap", "address: https://[::1]:1/dcap"),
        ("LFDI of device", "B2", "LFDI of device: A1"),
        ("LFDI of other device", "C3", "LFDI of other device: none"),
        ("namespaces", "csip_aus 1.1", "namespaces: none"),
        ("client", "D4", "client: none"),
        ("classes of CSIP-AUS", "DR", "classes of CSIP-AUS: none"),
    ],
)
def test_a_run_of_another_target_is_not_taken_up(tmp_path: Path, name: str, value: str, told: str) -> None:
    run = one_of_each()
    run.facts = target_of().facts
    held = kept(tmp_path / "run", run)
    with pytest.raises(UsageError, match=re.escape(f"a run with {told}; this is one with {name}: {value}.")):
        held.earlier_of(target_of(**{name: value}))


def test_a_folder_of_something_else_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        Folder(tmp_path).open(one_of_each(), again=False)
    assert [one.name for one in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize("text", ["", "{}\n", "[1]\n", "no json\n", '{"format":"other"}\n'])
def test_what_is_no_journal_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.jsonl").write_text(text)
    with pytest.raises(UsageError, match=r"run\.jsonl is no journal"):
        read_journal(tmp_path / "run.jsonl")


def test_junit_has_a_suite_for_each_family_and_the_right_numbers() -> None:
    root = etree.fromstring(junit_of(one_of_each()).encode())
    suites = {one.get("name"): one for one in root}
    numbers = {
        name: (one.get("tests"), one.get("failures"), one.get("skipped")) for name, one in suites.items()
    }
    assert numbers == {"csip": ("3", "1", "0"), "tls": ("2", "0", "1")}
    assert [child.tag for case in root.iter("testcase") for child in case] == [
        "failure",
        "system-out",
        "skipped",
        "error",
    ]


def test_junit_takes_what_xml_does_not() -> None:
    case = case_of(1)
    run = run_of([(case, verdict_of(case, Outcome.FAILED, reason="nul \x00 and \ud800"))])
    assert etree.fromstring(junit_of(run).encode())[0][0][0].get("message") == "nul ? and ?"


def test_the_page_escapes_all_that_a_target_sent() -> None:
    case = case_of(1)
    evil = "<script>alert(1)</script>"
    exchange = exchange_of(evil.encode(), uri=f"/{evil}", headers=(("X", evil),), by=evil)
    run = run_of([(case, verdict_of(case, Outcome.FAILED, exchange, reason=evil))])
    page = page_of(run)
    assert "alert(1)</script>" not in page
    assert [text for text in proofs(page) if "<script" in text] == []
    assert "&lt;script&gt;alert(1)" in proofs(page)[0]


def test_the_page_shows_each_verdict_with_headers_body_and_time_line() -> None:
    page = page_of(one_of_each())
    assert len(proofs(page)) == 5
    for proof in proofs(page):
        assert "Accept: application/sep+xml" in proof
        assert "&lt;currentTime&gt;5&lt;/currentTime&gt;" in proof
        assert "+2.000 s</span> waited" in proof
        assert "CN=root" in proof


def test_the_page_names_why_cases_were_not_played() -> None:
    assert "because of skipped &amp; &lt;i&gt;</td><td>tls/MADE-003/server" in page_of(one_of_each())


def test_the_page_of_1500_verdicts_is_small_and_made_at_once() -> None:
    cases = [case_of(number) for number in range(1500)]
    run = run_of(
        [
            (one, verdict_of(one, Outcome.PASSED, *[exchange_of(b"<a>%d</a>" % n) for n in range(4)]))
            for one in cases
        ]
    )
    begun_s = time.process_time()
    page = page_of(run)
    assert time.process_time() - begun_s < 10
    assert len(page) < 4_000_000


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (
            b"<a><b>1</b><c/><d><e>2</e></d></a>",
            ["<a>", "  <b>1</b>", "  <c/>", "  <d>", "    <e>2</e>", "  </d>", "</a>"],
        ),
        (b'<?xml version="1.0"?><a x="1"></a>', ['<?xml version="1.0"?>', '<a x="1"></a>']),
        (b"<a><b>", ["<a>", "  <b>"]),
        (b"</a></b>x", ["</a>", "</b>", "x"]),
        (b"no such thing", ["no such thing"]),
        (b"\xff\x00", ["2 octets: ff 00"]),
        (b"<a", ["<", "  a"]),
        (b"", []),
    ],
)
def test_bodies_are_laid_out_whatever_they_are(body: bytes, lines: list[str]) -> None:
    assert pretty(body).splitlines() == lines


def outcome_run(*pairs: tuple[Outcome, Level], complete: bool = True) -> Run:
    cases = [case_of(number, level=level) for number, (_, level) in enumerate(pairs)]
    verdicts = [(case, verdict_of(case, outcome)) for case, (outcome, _) in zip(cases, pairs, strict=True)]
    return run_of(verdicts, complete=complete)


@pytest.mark.parametrize(
    ("outcome", "level", "lenient", "strict"),
    [
        (Outcome.PASSED, Level.MUST, 0, 0),
        (Outcome.SKIPPED, Level.MUST, 0, 0),
        (Outcome.FAILED, Level.MUST, 1, 1),
        (Outcome.FAILED, Level.SHOULD, 0, 1),
        (Outcome.FAILED, Level.MAY, 0, 0),
        (Outcome.WARNED, Level.MUST, 0, 1),
        (Outcome.INCONCLUSIVE, Level.MUST, 2, 2),
    ],
)
def test_the_exit_code_says_what_is_broken(outcome: Outcome, level: Level, lenient: int, strict: int) -> None:
    run = outcome_run((Outcome.PASSED, Level.MUST), (outcome, level))
    assert (exit_code(run, strict=False), exit_code(run, strict=True)) == (lenient, strict)


def test_a_run_that_is_not_whole_or_empty_is_no_success() -> None:
    assert exit_code(outcome_run((Outcome.PASSED, Level.MUST), complete=False), strict=False) == 2
    assert exit_code(run_of([]), strict=False) == 2


def test_two_runs_are_compared_worse_first(tmp_path: Path) -> None:
    before, after = one_of_each(), one_of_each()
    first, second, *_ = [case.id for case in before.cases]
    after.verdicts[first] = verdict_of(after.cases[0], Outcome.FAILED, reason="now")
    after.verdicts[second] = verdict_of(after.cases[1], Outcome.PASSED)
    del after.verdicts[after.cases[4].id]
    held = []
    for name, run in (("a", before), ("b", after)):
        (tmp_path / name).write_text("".join(report_lines(run)))
        held.append(read_report(tmp_path / name))
    assert [(one.is_worse, one.is_better) for one in changes(held[0], held[1])] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert list(compared(held[0], held[1], 80))[-1] == "1 worse, 1 better, 1 otherwise changed"


class Tty(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def told(out: io.StringIO, run: Run, *, every: bool = False) -> str:
    terminal = Terminal(out, run.cases, width=60, now=lambda: BEGUN_S, every=every)
    for number, case in enumerate(run.cases, 1):
        terminal.begins(case, number, len(run.cases))
        terminal.ended(case, run.verdicts[case.id])
    terminal.close(run)
    return out.getvalue()


def test_without_a_terminal_only_what_is_not_passed_is_a_line() -> None:
    lines = told(io.StringIO(), one_of_each()).splitlines()
    assert [line[:4] for line in lines] == ["FAIL", "warn", "skip", "????", "  cs", "  tl", "1 pa"]
    assert lines[-1] == "1 passed, 1 failed, 1 warned, 1 skipped, 1 inconclusive o..."
    assert max(map(len, lines)) <= 60


def test_on_a_terminal_the_last_line_shows_how_far_the_run_is() -> None:
    text = told(Tty(), one_of_each(), every=True)
    assert "\r\x1b[K1/5 0 not passed about 5 s left csip/MADE-000/server" in text
    assert "\x1b[32mpass\x1b[0m" in text


@pytest.mark.parametrize(
    ("seconds", "text"), [(4, "4 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (-1, "0 s")]
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_line_has_no_control_characters_of_a_target() -> None:
    assert one_line("a\x1b[31m\nb" + "c" * 90, 20) == "a?[31m bccccccccc..."
