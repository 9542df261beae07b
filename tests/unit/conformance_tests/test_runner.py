"""A run: each case ends with a verdict in bounded time, whatever the target or the case does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from conformance_tests import (
    AnyCase,
    Case,
    Level,
    Need,
    Outcome,
    Role,
    TargetError,
    Trial,
    UsageError,
    Verdict,
    new_run,
    play,
    run_all,
    select,
)
from conformance_tests.deadline import unhurried


@dataclass(frozen=True)
class Stand:
    """The bench of a target that is not there."""

    trial: Trial


@dataclass(frozen=True)
class Nothing:
    """A target of which nothing is asked."""

    role: Role = Role.SERVER
    profile: str = "csip"
    facts: dict[str, str] = field(default_factory=dict)
    has: frozenset[Need] = frozenset()

    @asynccontextmanager
    async def bench(self, case: AnyCase, trial: Trial) -> AsyncIterator[Stand]:
        yield Stand(trial)


def case_of(procedure: Callable[[Stand], Awaitable[None]], **given: object) -> AnyCase:
    values: dict[str, object] = {
        "id": "made/ONE/server",
        "title": "one",
        "source": "this test",
        "clause": "1",
        "requirement": "something holds",
        "role": Role.SERVER,
        "procedure": procedure,
        **given,
    }
    return Case(**values)  # type: ignore[arg-type]  # the values are those of a case


async def holds(bench: Stand) -> None:
    bench.trial.check(held=True, what="it holds")


async def should_hold(bench: Stand) -> None:
    bench.trial.check(held=False, what="it holds", seen="no", level=Level.SHOULD)


async def may_hold(bench: Stand) -> None:
    bench.trial.check(held=False, what="it holds", level=Level.MAY)


async def stops(bench: Stand) -> None:
    bench.trial.require(held=False, what="it is there", seen="nothing")
    raise AssertionError("went on")


async def looks_at_nothing(bench: Stand) -> None:
    return None


async def meets_garbage(bench: Stand) -> None:
    raise TargetError("GET /dcap: the answer is no HTTP")


async def hangs(bench: Stand) -> None:
    await asyncio.get_running_loop().create_future()


async def errs(bench: Stand) -> None:
    raise KeyError("oops")


async def does_not_apply(bench: Stand) -> None:
    bench.trial.skip("no such function set")


@pytest.mark.parametrize(
    ("procedure", "outcome", "reason"),
    [
        (holds, Outcome.PASSED, ""),
        (should_hold, Outcome.WARNED, "it holds: no"),
        (may_hold, Outcome.PASSED, ""),
        (stops, Outcome.FAILED, "it is there: nothing"),
        (looks_at_nothing, Outcome.INCONCLUSIVE, "the case looked at nothing"),
        (meets_garbage, Outcome.FAILED, "GET /dcap: the answer is no HTTP"),
        (hangs, Outcome.FAILED, "no end of the case within 0 s"),
        (errs, Outcome.INCONCLUSIVE, "KeyError: 'oops'"),
        (does_not_apply, Outcome.SKIPPED, "no such function set"),
    ],
)
async def test_each_case_ends_with_a_verdict(
    procedure: Callable[[Stand], Awaitable[None]], outcome: Outcome, reason: str
) -> None:
    verdict = await play(case_of(procedure, bound_s=0.05), Nothing(), lambda: 7.0)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


class Slow:
    """An operator, or who watches a device, that takes its time."""

    def __init__(self, takes_s: float) -> None:
        self.takes_s = takes_s

    async def act(self) -> float:
        await asyncio.sleep(self.takes_s)
        return self.takes_s


async def test_what_others_take_for_their_acts_is_not_taken_from_the_time_of_a_case() -> None:
    async def asks(bench: Stand) -> None:
        who = unhurried(Slow(0.1), bench.trial.deadline)
        async with asyncio.TaskGroup() as both:
            both.create_task(who.act())
            both.create_task(who.act())
        bench.trial.check(await who.act() == who.takes_s, "it is done")
        bench.trial.check(0.09 < bench.trial.deadline.slowest_s < 0.19, "two at once count once")

    verdict = await play(case_of(asks, bound_s=0.05), Nothing(), lambda: 7.0)
    assert verdict.outcome is Outcome.PASSED, verdict


async def test_a_case_ends_though_an_act_does_not_and_after_acts_as_without_them() -> None:
    async def waits(bench: Stand) -> None:
        with bench.trial.deadline.held(0.05):
            await hangs(bench)

    async def goes_on(bench: Stand) -> None:
        await unhurried(Slow(0.01), bench.trial.deadline).act()
        await hangs(bench)

    for procedure in (waits, goes_on):
        async with asyncio.timeout(1):
            verdict = await play(case_of(procedure, bound_s=0.05), Nothing(), lambda: 7.0)
        assert verdict.outcome is Outcome.FAILED
        assert verdict.reason == "no end of the case within 0 s"


async def test_what_is_missing_is_named_with_its_option() -> None:
    verdict = await play(case_of(holds, needs=frozenset({Need.OPERATOR})), Nothing(), lambda: 7.0)
    assert verdict.outcome is Outcome.SKIPPED
    assert "--operator" in verdict.reason


async def test_known_verdicts_are_kept_and_the_rest_is_played() -> None:
    cases = [case_of(holds, id=f"made/{name}/server") for name in ("ONE", "TWO")]
    known = {"made/ONE/server": Verdict(case="made/ONE/server", outcome=Outcome.FAILED, reason="then")}
    run = new_run(cases, Nothing(), now=lambda: 7.0, known=known)
    await run_all(run, Nothing(), now=lambda: 7.0)
    assert [one.outcome for one in run.verdicts.values()] == [Outcome.FAILED, Outcome.PASSED]
    assert run.complete


async def test_of_a_run_that_goes_on_only_what_is_named_is_played_and_all_is_kept() -> None:
    cases = [case_of(holds, id=f"made/{name}/server") for name in ("ONE", "TWO", "THREE")]
    known = {"made/ONE/server": Verdict(case="made/ONE/server", outcome=Outcome.FAILED, reason="then")}
    run = new_run(cases, Nothing(), now=lambda: 7.0, known=known)
    run.only = frozenset({"made/THREE/server"})
    await run_all(run, Nothing(), now=lambda: 7.0)
    assert list(run.verdicts) == ["made/ONE/server", "made/THREE/server"]
    assert not run.complete


@pytest.mark.parametrize("pattern", ["made/two/server", "TWO", "made/T*"])
def test_only_picks_by_id_name_or_pattern(pattern: str) -> None:
    cases = [case_of(holds, id=f"made/{name}/server") for name in ("ONE", "TWO")]
    assert [one.id for one in select(cases, Role.SERVER, "csip", [pattern])] == ["made/TWO/server"]


def test_a_pattern_without_a_case_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="conform list"):
        select([case_of(holds)], Role.SERVER, "csip", ["CORE-999"])
