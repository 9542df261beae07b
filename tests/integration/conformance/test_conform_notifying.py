"""A 403 to a Subscription: of the resource, which is judged, or of the place that would be notified."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from conformance_tests import Exchange, Outcome, Verdict, play
from conformance_tests.server.generated import CASES
from conformance_tests.server.target import Bench, ServerTarget
from tests.integration.conformance.stand import target_of, trial_of
from tests.integration.conformance.tampering import Change, tampered
from tests.integration.sep2_harness import Bench as Running

ALL = {case.id: case for case in CASES}
ONE = "subscribable/EndDevice/server"
NONE = "subscribable/Time/server"
PLACE = ("127.0.0.1", 9)


@pytest.fixture
async def target(bench: Running) -> AsyncIterator[ServerTarget]:
    """Our server, which may notify nobody."""
    await bench.device("notify-1")
    async with target_of(bench, "notify-1") as made:
        yield made


async def verdict_on(target: ServerTarget, name: str) -> Verdict:
    return await play(ALL[name], target, lambda: 7.0)


def subscriptions(status_of_end_device: int, status_of_others: int) -> Change:
    """A server that answers so to Subscriptions to EndDevices, and so to all others."""

    def change(answer: Exchange) -> Exchange:
        if answer.method != "POST" or b"<Subscription " not in answer.request_body:
            return answer
        of_end_device = re.search(rb"/edev/\d+</subscribedResource>", answer.request_body)
        status = status_of_end_device if of_end_device else status_of_others
        return replace(answer, status=status, headers=(*answer.headers, ("Location", "/edev/1/sub/1")))

    return change


@pytest.mark.parametrize("name", [ONE, NONE, "subscribable/again/server"])
async def test_where_all_are_refused_neither_yes_nor_no_is_said(target: ServerTarget, name: str) -> None:
    verdict = await verdict_on(target, name)
    assert verdict.outcome is Outcome.SKIPPED
    assert "403) every Subscription that would notify https://127.0.0.1:9: give --listen" in verdict.reason


async def test_a_refusal_of_one_resource_fails_where_others_are_taken(target: ServerTarget) -> None:
    with tampered(subscriptions(403, 201)):
        verdict = await verdict_on(target, ONE)
    assert (verdict.outcome, verdict.reason[:43]) == (
        Outcome.FAILED,
        "subscribable=1: a Subscription is taken (20",
    )


@pytest.mark.parametrize("status", [400, 404, 500])
async def test_another_refusal_is_no_matter_of_the_place(target: ServerTarget, status: int) -> None:
    with tampered(subscriptions(status, 403)):
        verdict = await verdict_on(target, ONE)
    assert verdict.outcome is Outcome.FAILED


async def test_with_listen_a_refusal_is_judged(target: ServerTarget) -> None:
    target.listen = PLACE
    verdict = await verdict_on(target, ONE)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason.endswith("is the server allowed to notify https://127.0.0.1:9, as --listen says?")


async def test_what_is_not_subscribable_passes_where_the_place_is_fine(target: ServerTarget) -> None:
    with tampered(subscriptions(201, 403)):
        verdict = await verdict_on(target, NONE)
    assert verdict.outcome is Outcome.PASSED


async def test_parts_of_the_self_device_are_not_taken_for_those_of_the_device(target: ServerTarget) -> None:
    found = await Bench(target, trial_of()).device.tour()
    assert found["SelfDevice/DeviceInformation"] == ["/sdev/di"]
    assert not set(found["SelfDevice/DeviceInformation"]) & set(found.get("DeviceInformation", ()))
    body = await verdict_on(target, "bodies/DeviceInformation/server")
    put = await verdict_on(target, "methods/DeviceInformation-PUT/server")
    assert (body.outcome, put.outcome) == (Outcome.PASSED, Outcome.SKIPPED)
