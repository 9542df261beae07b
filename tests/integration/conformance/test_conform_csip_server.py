"""Our own server plays the CSIP procedures for servers and the cases of events, in virtual time."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from certs import Pki
from conformance_tests import AnyCase, Outcome, Verdict
from conformance_tests.evidence import Exchange
from conformance_tests.reports.markdown import row_of
from conformance_tests.server import events
from conformance_tests.server.csip import CASES
from tests.integration.conformance.committed_page import difference
from tests.integration.conformance.planted.answers import acts_slowly, answers, reads
from tests.integration.conformance.planted.table import SAMPLED_CASES
from tests.integration.conformance.played import Played
from tests.integration.conformance.rigs import DISCOVERY

PROFILES = ("base", "csip", "csip_aus")
SAMPLE = ("COMM", "CORE", "BASIC-02", "AGG-00")
"""What is played without `--whole`, on the profile csip."""
OPTIONAL = {DISCOVERY, "MAINT-002"}
"""What a server need not have, and the one here has not: multicast, and removal in band."""
OF_BOTH = (*CASES, *events.CASES)
PLAYED = frozenset(one.id for one in OF_BOTH if one.clause not in OPTIONAL)
"""What must pass here."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki) -> Iterator[Callable[[str], Played]]:
    """The server of a profile, started when it is first asked for."""
    running: dict[str, Played] = {}

    def of(profile: str) -> Played:
        if profile not in running:
            running[profile] = Played(tmp_path_factory.mktemp(profile), sep2_pki, profile)
            running[profile].enrol()
        return running[profile]

    yield of
    for one in running.values():
        one.close()


def is_sampled(case: AnyCase) -> bool:
    """Whether a case is played without `--whole`: those of the sample of planted faults are too."""
    return case.clause.startswith(SAMPLE) or case.id in SAMPLED_CASES


def told(verdict: Verdict) -> str:
    """A verdict with what did not hold, for whoever reads the test."""
    broken = [f"{one.what}: {one.seen}" for one in verdict.findings if not one.held]
    notes = [note.text for note in verdict.evidence.notes][-8:]
    return f"{verdict.case}: {verdict.outcome} {verdict.reason}\n  " + "\n  ".join(broken + notes)


@pytest.mark.parametrize(
    "profile",
    [pytest.param(one, marks=() if one == "csip" else pytest.mark.whole) for one in PROFILES],
)
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(one, id=row_of(one.id), marks=() if is_sampled(one) else pytest.mark.whole)
        for one in OF_BOTH
    ],
)
def test_our_server_passes(servers: Callable[[str], Played], profile: str, case: AnyCase) -> None:
    verdict = servers(profile).verdict(case)
    due = Outcome.SKIPPED if case.clause in OPTIONAL else Outcome.PASSED
    assert verdict.outcome is due, told(verdict)
    assert profile != "csip" or case.clause == DISCOVERY or difference(case, verdict) == ""


@pytest.mark.parametrize(
    ("id_", "takes_s"),
    [("CORE-010", 110), ("CORE-011", 8), ("BASIC-015", 3), ("BASIC-015", 60), ("CORE-022", 60)],
)
def test_a_slow_operator_does_not_fail_a_server(
    servers: Callable[[str], Played], id_: str, takes_s: float
) -> None:
    case = next(one for one in CASES if one.clause == id_)
    verdict = servers("csip").verdict(case, acts_slowly(takes_s))
    assert verdict.outcome is Outcome.PASSED, told(verdict)


@pytest.mark.parametrize("id_", ["csip/BASIC-026/server", "events/superseded/server"])
def test_what_is_published_too_late_is_skipped(servers: Callable[[str], Played], id_: str) -> None:
    case = next(one for one in OF_BOTH if one.id == id_)
    verdict = servers("csip").verdict(case, acts_slowly(130))
    assert verdict.outcome is Outcome.SKIPPED, told(verdict)
    assert "began before it was there" in verdict.reason


def with_whole_uris(answer: Exchange) -> Exchange:
    """An answer whose hrefs are absolute, as RFC 3986 lets them be."""
    origin = "https://" + urlsplit(answer.uri).netloc
    return replace(answer, body=answer.body.replace(b'href="/', b'href="' + origin.encode() + b"/"))


@pytest.mark.parametrize("id_", ["CORE-012", "CORE-018", "BASIC-004", "BASIC-011", "BASIC-027"])
def test_a_server_may_write_absolute_hrefs(servers: Callable[[str], Played], id_: str) -> None:
    case = next(one for one in CASES if one.clause == id_)
    verdict = servers("csip").verdict(case, answers(with_whole_uris))
    assert verdict.outcome is Outcome.PASSED, told(verdict)


@pytest.mark.parametrize("id_", ["CORE-004", "BASIC-027"])
def test_a_server_may_show_three_items_a_page(servers: Callable[[str], Played], id_: str) -> None:
    case = next(one for one in CASES if one.clause == id_)
    few = reads(lambda wire, _, uri: (wire, re.sub(r"\bl=\d{3,}", "l=3", uri)))
    verdict = servers("csip").verdict(case, few)
    assert verdict.outcome is Outcome.PASSED, told(verdict)


def test_every_row_that_names_a_server_has_a_case(vectors: Path) -> None:
    rows = json.loads((vectors / "csip_tests.json").read_text())["tests"]
    wanted = {one["id"] for one in rows if "S" in one["tags"].split(",")}
    assert {case.clause for case in CASES} == wanted
    assert len(CASES) == len(wanted)
