"""Our own client keeps the CSIP-AUS procedures for clients, hours in seconds."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from _pytest.mark import ParameterSet

from certs import Pki
from conformance_tests import AnyCase, Outcome, Role
from conformance_tests.aus.client_cases import CASES
from der_client.session import Answer, Session
from tests.integration.conformance.committed_page import difference
from tests.integration.conformance.own_aus_client import aus_rig
from tests.integration.conformance.own_client import played, told
from tests.integration.conformance.planted.doings import Ask, speaks
from tests.integration.conformance.planted.table import SAMPLED_CASES
from tests.integration.conformance.rigs import DAYS_LONG

OF_BOTH = frozenset({"ALL-02", "ALL-13", "GEN-01", "MUL-03"})
"""Procedures of a DER client that our aggregator plays too without `--whole`."""
SAMPLE = frozenset(
    {
        "ALL-01",
        "ALL-02",
        "ALL-09",
        "ALL-13",
        "ALL-20",
        "ALL-23",
        "DRA-01",
        "DRA-02",
        "GEN-01",
        "LOA-03",
        "MUL-03",
    }
)
"""What is played without `--whole`."""


PLAYED = frozenset(one.id for one in CASES if one.id not in DAYS_LONG)
"""What must pass here."""


def parameters() -> list[ParameterSet]:
    """The cases of this test."""
    return [pytest.param(one, id=one.id, marks=_marks(one)) for one in CASES if one.id not in DAYS_LONG]


def _marks(case: AnyCase) -> list[pytest.MarkDecorator]:
    roles = {one.role for one in CASES if one.clause == case.clause}
    is_its_own = case.role is Role.DER_CLIENT or Role.DER_CLIENT not in roles or case.clause in OF_BOTH
    is_sampled = (is_its_own and case.clause in SAMPLE) or case.id in SAMPLED_CASES
    return [] if is_sampled else [pytest.mark.whole]


@pytest.mark.parametrize("case", parameters())
def test_our_own_client_passes(case: AnyCase, tmp_path: Path, client_pki: Pki) -> None:
    verdict = played(aus_rig(client_pki, tmp_path, case), case)
    assert difference(case, verdict) == "", told(verdict)
    assert verdict.outcome is Outcome.PASSED, told(verdict)


@pytest.mark.whole
@pytest.mark.parametrize("case", [pytest.param(one, id=one.id) for one in CASES if one.clause == "ALL-13"])
def test_a_client_that_is_told_of_changes_still_reads_the_default(
    case: AnyCase, tmp_path: Path, client_pki: Pki
) -> None:
    verdict = played(replace(aus_rig(client_pki, tmp_path, case), subscribes=True), case)
    assert verdict.outcome is Outcome.PASSED, told(verdict)


@pytest.mark.parametrize("name", ["STO-01/aggregator", "STO-04/client"])
def test_a_client_that_mirrors_once_and_at_once_is_judged(name: str, tmp_path: Path, client_pki: Pki) -> None:
    case = next(one for one in CASES if one.id == f"csip-aus/{name}")
    verdict = played(replace(aus_rig(client_pki, tmp_path, case), has_site_meter=False), case)
    assert verdict.outcome is Outcome.PASSED, told(verdict)


@pytest.mark.parametrize("name", ["GEN-05", "ALL-15"])
def test_a_client_may_name_by_its_whole_uri_what_it_subscribes_to(
    name: str, tmp_path: Path, client_pki: Pki
) -> None:
    async def tamper(
        ask: Ask, session: Session, method: str, url: str, body: bytes | None, accept: str
    ) -> Answer:
        origin = "https://" + urlsplit(url).netloc
        named = body and body.replace(b"<subscribedResource>/", f"<subscribedResource>{origin}/".encode())
        return await ask(session, method, url, named, accept)

    case = next(one for one in CASES if one.id == f"csip-aus/{name}/aggregator")
    rig = aus_rig(client_pki, tmp_path, case)
    with speaks(tamper)(rig):
        verdict = played(rig, case)
    assert verdict.outcome is Outcome.PASSED, told(verdict)
