"""Our own client plays the CSIP procedures and the cases of events, as DER client and as aggregator."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from certs import Pki
from conformance_tests import AnyCase, Outcome
from conformance_tests.client import events
from conformance_tests.client.csip import CASES as PROCEDURES
from der_client import Device
from tests.integration.conformance.committed_page import difference
from tests.integration.conformance.own_client import Rig, csip_rig, is_fine, played, told
from tests.integration.conformance.planted.of_csip_client import trusting_pins
from tests.integration.conformance.planted.table import SAMPLED_CASES
from tests.integration.conformance.rigs import RealTime

CASES = (*PROCEDURES, *events.CASES)
DISCOVERY = "csip/COMM-001/client"
SAMPLE = frozenset(
    {
        "csip/AGG-003/aggregator",
        "csip/BASIC-006/client",
        "csip/BASIC-021/client",
        "csip/BASIC-028/client",
        "csip/BASIC-029/client",
        "csip/COMM-002/client",
        "csip/COMM-003/client",
        "csip/CORE-003/client",
        "csip/CORE-014/client",
        "csip/CORE-018/aggregator",
        "csip/CORE-021/client",
        "csip/CORE-022/client",
        "csip/ERR-001/client",
        "csip/ERR-002/aggregator",
        "csip/MAINT-003/aggregator",
    }
)
"""What is played without `--whole`, beside what the sample of planted faults names."""


async def test_our_client_finds_the_server_by_multicast_dns(client_pki: Pki, tmp_path: Path) -> None:
    case = next(one for one in CASES if one.id == DISCOVERY)
    rig = replace(csip_rig(client_pki, tmp_path, case), clock=RealTime(), looks_for_server=True)
    verdict = await rig.verdict(case)

    assert is_fine(verdict), told(verdict)
    assert difference(case, verdict) == ""


@asynccontextmanager
async def coming_later(
    rig: Rig, after_s: float, uri: str, devices: Mapping[str, Device]
) -> AsyncIterator[None]:
    """The client of a rig comes so long after it is let."""

    async def come() -> None:
        await asyncio.sleep(after_s)
        async with Rig.running(rig, uri, devices):
            await asyncio.get_running_loop().create_future()

    coming = asyncio.create_task(come())
    try:
        yield
    finally:
        coming.cancel()
        await asyncio.wait([coming])


@pytest.mark.parametrize("id_", ["csip/COMM-002/client", "csip/COMM-003/client"])
def test_a_client_may_come_as_late_as_its_patience_lets_it(client_pki: Pki, tmp_path: Path, id_: str) -> None:
    case = next(one for one in CASES if one.id == id_)
    rig = csip_rig(client_pki, tmp_path, case)
    rig.running = partial(coming_later, rig, 590.0)  # type: ignore[method-assign]  # this rig alone
    verdict = played(rig, case)
    assert is_fine(verdict), told(verdict)


def test_a_client_that_takes_long_to_come_back_is_judged_once_it_is_there(
    client_pki: Pki, tmp_path: Path
) -> None:
    case = next(one for one in CASES if one.id == "csip/CORE-009/client")
    rig = csip_rig(client_pki, tmp_path, case)
    waits_s = iter((0.0, 250.0))
    rig.running = lambda uri, devices: coming_later(rig, next(waits_s), uri, devices)  # type: ignore[method-assign]  # this rig alone
    with trusting_pins(rig):
        verdict = played(rig, case)
    broken = [one.what for one in verdict.findings if not one.held]
    assert verdict.outcome is Outcome.WARNED, told(verdict)
    assert broken == ["a client whose PIN is not the one in Registration writes nothing"]


PLAYED = frozenset(one.id for one in CASES if one.id != DISCOVERY) - {"csip/MAINT-002/aggregator"}
"""What must pass here."""


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(one, id=one.id, marks=() if one.id in SAMPLE | SAMPLED_CASES else pytest.mark.whole)
        for one in CASES
        if one.id != DISCOVERY
    ],
)
def test_our_client_passes(client_pki: Pki, tmp_path: Path, case: AnyCase) -> None:
    verdict = played(csip_rig(client_pki, tmp_path, case), case)
    assert difference(case, verdict) == "", told(verdict)
    if case.id == "csip/MAINT-002/aggregator":
        assert verdict.outcome is Outcome.SKIPPED, told(verdict)
        pytest.skip(verdict.reason)

    assert is_fine(verdict), told(verdict)
