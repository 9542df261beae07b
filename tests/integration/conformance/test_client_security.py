"""Certificates and TLS: our own client takes and refuses what it must."""

from pathlib import Path

import pytest

from certs import Pki
from conformance_tests import AnyCase, Outcome, Role
from conformance_tests.client.security import CASES
from tests.integration.conformance.committed_page import difference
from tests.integration.conformance.own_client import csip_rig, played, told
from tests.integration.conformance.planted.table import NAMED_CASES

OF_CLIENT = [case for case in CASES if case.role is Role.DER_CLIENT]
PLAYED = frozenset(case.id for case in CASES)
"""What must pass here."""
SAMPLE = frozenset(case.id for case in CASES if case in OF_CLIENT or case.id in NAMED_CASES)
"""What is played without `--whole`: for aggregators, who connect as clients do, what planted faults name."""


@pytest.mark.parametrize(
    "case",
    [pytest.param(one, id=one.id, marks=() if one.id in SAMPLE else pytest.mark.whole) for one in CASES],
)
def test_our_client_keeps_each_case(client_pki: Pki, tmp_path: Path, case: AnyCase) -> None:
    verdict = played(csip_rig(client_pki, tmp_path, case), case)
    assert verdict.outcome is Outcome.PASSED, told(verdict)
    assert difference(case, verdict) == ""


def test_the_cases_of_an_aggregator_are_the_same() -> None:
    assert len(CASES) == 2 * len(OF_CLIENT)
