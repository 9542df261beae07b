"""What the schedule works out before a second, and what is kept and told of it after that."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from der_client.ahead import Ahead
from der_client.server_clock import ServerClock
from der_client.starts import Starts
from der_client.view import ServerView
from der_client.watched import Watched
from function_sets import Draw, Phase
from tests.integration.client.test_client_scheduling import ABLE, Bench, control, view

if TYPE_CHECKING:
    from der_client.scheduler import Abilities

DRAW = Draw(start_s=0, duration_s=0)
START = 100


@dataclass
class Owner:
    """Who owns a device; `sent` are the plans that it was told at their second."""

    is_ready: bool = True
    armed: Ahead | None = None
    sent: list[Ahead] = field(default_factory=list)

    def arm(self, ahead: Ahead, at_s: float) -> None:
        self.armed = ahead

    def begin(self) -> "asyncio.Future[None] | None":
        if not self.is_ready or self.armed is None:
            return None
        self.sent.append(self.armed)
        return asyncio.get_running_loop().create_future()


class Ready(Bench):
    """A schedule that has looked at its event and prepares for the start."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, DRAW)
        self.owner = Owner()
        self.able: Abilities | None = ABLE
        self.scheduling.starts = Starts(Watched[ServerClock | None](None), lambda: 0.0)
        self.scheduling.devices = [self.owner]
        self.scheduling.able = lambda: self.able

    async def hear(self, said: ServerView) -> None:
        """The server says something, and it is taken up."""
        self.news(said)
        await self.scheduling.take(said)
        self.scheduling._seen = self.scheduling._view.version

    def news(self, said: ServerView) -> None:
        """The server says something."""
        self.scheduling._view.set(said)

    def start(self) -> int:
        """The second comes; how many devices were written to."""
        self.scheduling.arm(0.0)
        return len(self.scheduling.begin())

    @property
    def phase(self) -> Phase:
        """What is on disk of the event."""
        return self.spool.records()["AB"].phase


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Ready]:
    made = Ready(tmp_path / "spool.sqlite")
    await made.hear(view(control()))
    await made.scheduling.look(START - 3, ABLE)
    yield made
    made.spool.close()


async def test_what_holds_from_the_start_on_is_known_before(bench: Ready) -> None:
    ahead = bench.scheduling.ahead
    assert ahead is not None
    assert (ahead.at, {mode: one.value for mode, one in ahead.plan.modes.items()}) == (
        START,
        {"opModMaxLimW": 5_000},
    )
    assert (bench.draws, bench.phase, bench.owed()) == (1, Phase.RECEIVED, ["1"])


async def test_what_is_far_away_is_not_prepared(tmp_path: Path) -> None:
    bench = Ready(tmp_path / "spool.sqlite")
    await bench.hear(view(control()))
    await bench.scheduling.look(START - 60, ABLE)
    assert bench.scheduling.ahead is None


async def test_nothing_is_said_to_have_started_before_it_has(bench: Ready) -> None:
    before, plan = bench.owed(), bench.scheduling.plan.value
    assert bench.start() == 1
    assert (before, bench.owed(), bench.phase) == (["1"], [], Phase.RECEIVED)
    assert bench.scheduling.plan.value is plan

    await bench.scheduling.look(START, ABLE)
    assert (bench.owed(), bench.phase) == (["2"], Phase.STARTED)
    assert bench.scheduling.plan.value is bench.owner.sent[0].plan


async def test_a_kill_between_the_write_and_the_disk_loses_nothing(bench: Ready) -> None:
    assert bench.start() == 1
    later = Bench(Path(bench.spool._file._path), Draw(start_s=50, duration_s=-50))
    await later.scheduling.take(view(control()))
    await later.scheduling.look(START + 5, ABLE)
    plan = later.scheduling.plan.value
    later.spool.close()

    assert plan == bench.owner.sent[0].plan
    assert (later.draws, bench.owed()) == (0, ["1", "2"])


async def test_the_end_of_an_event_is_prepared_too(bench: Ready) -> None:
    await bench.scheduling.look(START, ABLE)
    await bench.scheduling.look(START + 98, ABLE)
    assert bench.start() == 1
    assert bench.owner.sent[0].plan.modes == {}
    await bench.scheduling.look(START + 100, ABLE)
    assert bench.owed() == ["1", "2", "3"]


async def test_a_device_that_is_not_ready_is_told_by_the_plan_at_once(bench: Ready) -> None:
    ahead, bench.owner.is_ready = bench.scheduling.ahead, False
    assert bench.start() == 0
    assert ahead is not None
    assert bench.scheduling.plan.value is ahead.plan


async def test_that_the_event_is_active_at_the_server_changes_nothing(bench: Ready) -> None:
    bench.news(view(control(status=1, at=START)))
    assert bench.start() == 1


async def test_an_event_that_is_cancelled_at_the_last_moment_is_not_begun(bench: Ready) -> None:
    bench.scheduling.arm(0.0)
    bench.news(view(control(status=2, at=START)))
    assert bench.scheduling.begin() == ()
    await bench.hear(view(control(status=2, at=START)))
    await bench.scheduling.look(START, ABLE)
    assert (bench.owner.sent, bench.owed()) == ([], ["1", "6"])


async def test_an_event_that_is_cancelled_as_it_was_begun_is_taken_back(bench: Ready) -> None:
    assert bench.start() == 1
    plan = bench.scheduling.plan
    version, before = plan.version, plan.value
    await bench.hear(view(control(status=2, at=START)))
    await bench.scheduling.look(START, ABLE)
    assert (plan.version, plan.value, bench.owed()) == (version + 1, before, ["1", "6"])


async def test_devices_that_are_able_to_do_something_else_are_not_begun(bench: Ready) -> None:
    bench.able = replace(ABLE, modes=frozenset())
    assert bench.start() == 0
    assert bench.owner.sent == []


async def test_devices_that_are_lost_meanwhile_are_not_begun(bench: Ready) -> None:
    bench.scheduling.arm(0.0)
    bench.able = None
    assert bench.scheduling.begin() == ()


async def test_an_operator_who_opts_out_stops_it(bench: Ready) -> None:
    bench.scheduling.arm(0.0)
    await bench.scheduling.opt_out("AB")
    assert bench.scheduling.begin() == ()


async def test_news_that_change_nothing_keep_what_was_prepared(bench: Ready) -> None:
    ahead = bench.scheduling.ahead
    await bench.hear(view(control(status=1, at=START)))
    await bench.scheduling.look(START - 1, ABLE)
    assert ahead is not None
    assert bench.scheduling.ahead is ahead


async def test_news_that_change_something_prepare_it_anew(bench: Ready) -> None:
    ahead = bench.scheduling.ahead
    changed = replace(control(), DERControlBase_=replace(control().DERControlBase_, opModMaxLimW=1_000))
    await bench.hear(view(changed))
    await bench.scheduling.look(START - 1, ABLE)
    assert bench.scheduling.ahead is not None
    assert bench.scheduling.ahead != ahead


async def test_a_schedule_that_runs_makes_the_step_after_it_was_begun(bench: Ready) -> None:
    """News that change nothing do not end the wait; `wake` does."""
    bench.scheduling._clock.set(ServerClock(offset_s=float(START) - 0.5))
    now_s = [0.0]
    running = asyncio.ensure_future(bench.scheduling.run(lambda: ABLE, lambda: now_s[0]))
    await asyncio.sleep(0)
    bench.news(view(control(status=1, at=START)))
    await asyncio.sleep(0)
    assert bench.start() == 1
    now_s[0] = 0.6
    bench.scheduling.wake()
    async with asyncio.timeout(10):
        await bench.scheduling.plan.newer(bench.scheduling.plan.version)
    running.cancel()
    await asyncio.wait([running])
    assert bench.phase is Phase.STARTED
