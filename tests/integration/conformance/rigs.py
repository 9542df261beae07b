"""Who plays which case here: our own server, client and aggregator, on virtual time for hours."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from certs import Pki
from conformance_tests import AnyCase, Need, Role, Verdict, play
from tests.integration.conformance.house import house
from tests.integration.conformance.own_aus_client import aus_rig
from tests.integration.conformance.own_client import csip_rig, played
from tests.integration.conformance.played import Played, aus_verdict
from tests.integration.conformance.stand import target_of
from tests.integration.sep2_harness import running
from tests.virtual_time import VirtualTime

DISCOVERY = "COMM-001"
DAYS_LONG = frozenset(
    {"csip-aus/ALL-25-EXT/client", "csip-aus/ALL-25-EXT/aggregator", "csip-aus/S-ALL-50/server"}
)
"""Three days of the target's time each: the page alone plays them."""


class RealTime(VirtualTime):
    """The clock of the system, for what multicast on the network takes part in."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


def client_verdict(pki: Pki, folder: Path, case: AnyCase) -> Verdict:
    """The verdict on our client or aggregator."""
    if case.family == "csip-aus":
        return played(aus_rig(pki, folder, case), case)
    if case.clause == DISCOVERY:
        rig = replace(csip_rig(pki, folder, case), clock=RealTime(), looks_for_server=True)
        return asyncio.run(rig.verdict(case))
    return played(csip_rig(pki, folder, case), case)


async def announced_verdict(pki: Pki, folder: Path, case: AnyCase) -> Verdict:
    """The verdict on our server where it is announced on the network: COMM-001."""
    async with running(folder, pki, discovery=True, discovery_name="Conformance bench") as bench:
        await bench.device("announced-1")
        further = frozenset({Need.LOCAL_NETWORK})
        async with target_of(bench, "announced-1", further=further) as target:
            return await play(case, target, lambda: 7.0)


async def _house_verdicts(pki: Pki, folder: Path, cases: Sequence[AnyCase]) -> list[Verdict]:
    async with house(folder, pki, "csip", crowded=False) as target:
        return [await play(case, target, time.time) for case in cases]


def server_verdicts(pki: Pki, folder: Path, cases: Sequence[AnyCase]) -> list[Verdict]:
    """The verdicts on our server; CSIP, events and TLS share one, and so do the generated cases."""
    first = cases[0]
    if first.family == "csip-aus":
        return [aus_verdict(case, folder, pki) for case in cases]
    if first.clause == DISCOVERY:
        return [asyncio.run(announced_verdict(pki, folder, first))]
    if first.family not in {"csip", "events", "tls"}:
        return asyncio.run(_house_verdicts(pki, folder, cases))
    served = Played(folder, pki, "csip")
    try:
        return [served.verdict(case) for case in cases]
    finally:
        served.close()


def verdicts(pki: Pki, folder: Path, cases: Sequence[AnyCase]) -> list[Verdict]:
    """The verdicts on cases of one role and kind, in their order."""
    if cases[0].role is Role.SERVER:
        return server_verdicts(pki, folder, cases)
    return [client_verdict(pki, folder, case) for case in cases]
