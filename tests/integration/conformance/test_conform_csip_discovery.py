"""COMM-001 against a server that is announced on loopback, and against one that is not."""

from pathlib import Path

import pytest

from certs import Pki
from conformance_tests import Need, Outcome, play
from conformance_tests.server.csip import CASES
from tests.integration.conformance.stand import target_of
from tests.integration.sep2_harness import running

CASE = next(case for case in CASES if case.clause == "COMM-001")


@pytest.mark.parametrize(("discovery", "outcome"), [(True, Outcome.PASSED), (False, Outcome.WARNED)])
async def test_a_server_that_is_announced_is_found(
    tmp_path: Path, sep2_pki: Pki, discovery: bool, outcome: Outcome
) -> None:
    settings = {"discovery": discovery, "discovery_name": "Conformance bench"}
    async with running(tmp_path, sep2_pki, **settings) as bench:  # type: ignore[arg-type]
        await bench.device("announced-1")
        further = frozenset({Need.LOCAL_NETWORK})
        async with target_of(bench, "announced-1", further=further) as target:
            verdict = await play(CASE, target, lambda: 7.0)
    assert verdict.outcome is outcome, (verdict.reason, verdict.findings)
