"""The generated cases against our own server with one of everything, on each profile."""

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from certs import Pki
from conformance_tests import Outcome, Verdict, play
from conformance_tests.runner import Run, new_run, run_all
from conformance_tests.server.generated import CASES, bodies, methods
from conformance_tests.server.target import ServerTarget
from conformance_tests.server.wire import Wire
from function_sets import METHODS, ROUTES
from tests.integration.conformance.committed_page import summed_differences
from tests.integration.conformance.house import PROFILES, house
from tests.integration.conformance.table import PARTS
from tests.integration.conformance.tampering import tampered

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL = {case.id: case for case in CASES}
LONGEST_S = 60.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crowded(tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki) -> AsyncIterator[ServerTarget]:
    async with house(tmp_path_factory.mktemp("generated"), sep2_pki, "base", crowded=True) as target:
        yield target


async def played(target: ServerTarget, case_id: str) -> Verdict:
    return await play(ALL[case_id], target, time.time)


async def whole_run(target: ServerTarget) -> Run:
    """A run of all cases of the target's profile."""
    cases = [case for case in CASES if target.profile in case.profiles]
    run = new_run(cases, target, now=time.time)
    await run_all(run, target, now=time.time)
    return run


async def test_there_is_a_case_for_each_cell() -> None:
    assert len(methods.CASES) == 630 == len(ROUTES) * len(METHODS)
    assert len(ALL) == len(CASES) > 1_800
    assert {case.id.split("/")[1].split("-")[0] for case in bodies.CASES} >= ROUTES.keys() - {
        "NotificationList",
        "Notification",
    }


@pytest.mark.parametrize(
    "profile",
    [
        pytest.param(name, marks=() if name == "csip" else pytest.mark.whole)
        for name in PROFILES
        if name != "base"
    ],
)
async def test_our_own_server_passes_on_each_profile(
    tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki, profile: str
) -> None:
    async with house(tmp_path_factory.mktemp("generated"), sep2_pki, profile, crowded=False) as target:
        run = await whole_run(target)
    assert wrong(run.verdicts) == {}
    assert skipped(run.verdicts) == set()
    assert profile != "csip" or summed_differences(PARTS[0], run) == []


@pytest.mark.whole
async def test_our_own_server_passes_with_full_lists_and_in_time(crowded: ServerTarget) -> None:
    begun, used = time.monotonic(), time.process_time()
    run = await whole_run(crowded)
    took = min(time.monotonic() - begun, time.process_time() - used)
    assert wrong(run.verdicts) == {}
    assert skipped(run.verdicts) == {"lists/BillingReadingList-after/server"}
    assert took < LONGEST_S


@pytest.mark.whole
async def test_our_own_server_passes_in_a_full_house(
    tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki
) -> None:
    """A thousand devices of the aggregator, a thousand controls of one program: no page shows all."""
    folder = tmp_path_factory.mktemp("full")
    async with house(folder, sep2_pki, "csip", crowded=True, full=True) as target:
        run = await whole_run(target)
    assert wrong(run.verdicts) == {}
    assert skipped(run.verdicts) == {"lists/BillingReadingList-after/server"}


def skipped(verdicts: dict[str, Verdict]) -> set[str]:
    """What was skipped but for the Notifications, which clients host."""
    ids = {one.case for one in verdicts.values() if one.outcome is Outcome.SKIPPED}
    return {name for name in ids if "/Notification" not in name}


def wrong(verdicts: dict[str, Verdict]) -> dict[str, str]:
    ends = {Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.WARNED}
    return {one.case: one.reason for one in verdicts.values() if one.outcome in ends}


async def test_a_target_that_answers_nothing_is_not_toured_for_each_case(crowded: ServerTarget) -> None:
    crowded.shared.clear()
    asked = 0

    def nothing(wire: Wire, method: str, uri: str) -> tuple[Wire, str]:
        nonlocal asked
        asked += 1
        return wire, uri.replace("https://127.0.0.1:", "https://127.0.0.1:1/").replace("1//", "1/")

    with tampered(asking=nothing):
        crowded.tours.changed()
        first = await played(crowded, "methods/Time-GET/server")
        once = asked
        verdicts = [await played(crowded, f"methods/{name}-GET/server") for name in ("DERList", "DERProgram")]
    crowded.shared.clear()
    assert {one.outcome for one in (first, *verdicts)} == {Outcome.FAILED}
    assert asked == once
