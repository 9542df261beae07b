"""Our own server keeps every CSIP-AUS procedure for servers."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from certs import Pki
from conformance_tests import AnyCase, Outcome
from conformance_tests.aus.server_cases import CASES
from conformance_tests.server.wire import Wire
from tests.integration.conformance.committed_page import difference
from tests.integration.conformance.planted.answers import acts_slowly
from tests.integration.conformance.planted.row import instead
from tests.integration.conformance.planted.table import SAMPLED_CASES
from tests.integration.conformance.played import aus_verdict
from tests.integration.conformance.rigs import DAYS_LONG

SAMPLE = ("S-ALL-0", "S-ALL-2", "S-OPT")
"""What is played without `--whole`."""

PLAYED = frozenset(one.id for one in CASES if one.id not in DAYS_LONG)
"""What must pass here."""


def is_sampled(case: AnyCase) -> bool:
    """Whether a case is played without `--whole`: those of the sample of planted faults are too."""
    return case.clause.startswith(SAMPLE) or case.id in SAMPLED_CASES


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(one, id=one.clause, marks=() if is_sampled(one) else pytest.mark.whole)
        for one in CASES
        if one.id not in DAYS_LONG
    ],
)
def test_our_own_server_passes(case: AnyCase, tmp_path: Path, sep2_pki: Pki) -> None:
    verdict = aus_verdict(case, tmp_path, sep2_pki)
    flaws = [(one.what, one.seen) for one in verdict.findings if not one.held]
    assert (verdict.outcome, flaws) == (Outcome.PASSED, []), (verdict.reason, verdict.evidence.notes[-12:])
    assert difference(case, verdict) == ""


def test_a_clock_is_right_though_answers_take_their_time(tmp_path: Path, sep2_pki: Pki) -> None:
    def made(ask: Callable[..., Awaitable[object]]) -> object:
        async def late(wire: Wire, *given: object) -> object:
            await asyncio.sleep(4)
            return await ask(wire, *given)

        return late

    case = next(one for one in CASES if one.clause == "S-ALL-01")
    verdict = aus_verdict(case, tmp_path, sep2_pki, lambda _: instead(Wire, "request", made))
    assert verdict.outcome is Outcome.PASSED, verdict.reason


@pytest.mark.parametrize("name", ["S-ALL-04", "S-ALL-42", "S-ALL-44", "S-ALL-45"])
def test_a_slow_operator_does_not_fail_a_server(name: str, tmp_path: Path, sep2_pki: Pki) -> None:
    case = next(one for one in CASES if one.clause == name)
    verdict = aus_verdict(case, tmp_path, sep2_pki, acts_slowly(20))
    assert verdict.outcome is Outcome.PASSED, verdict.reason
