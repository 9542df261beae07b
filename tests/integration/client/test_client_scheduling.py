"""The task of the schedule, step by step: what it reads, when it steps, what it keeps."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from der_client.client_event import What
from der_client.device import WrittenPoint
from der_client.memory import clock_text
from der_client.plan import Plan
from der_client.scheduler import Abilities, Scheduler
from der_client.scheduling import CURVES, PROGRAMS, Scheduling
from der_client.server_clock import ServerClock
from der_client.spool import Lane, Spool
from der_client.view import ServerView
from der_client.watched import Watched
from function_sets import Draw, Program, Rules
from schemas import DateTimeInterval, DERControl, DERControlBase, EventStatus

ABLE = Abilities(modes=frozenset({"opModMaxLimW"}), device_category=0)


def control(mrid: str = "AB", status: int = 0, at: int = 0) -> DERControl:
    return DERControl(
        replyTo="/rsp",
        responseRequired="07",
        mRID=mrid,
        creationTime=0,
        EventStatus_=EventStatus(currentStatus=status, dateTime=at, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=100, start=100),
        randomizeStart=30,
        randomizeDuration=60,
        DERControlBase_=DERControlBase(opModMaxLimW=5_000),
    )


def view(*controls: DERControl) -> ServerView:
    return ServerView(programs=(Program(href="/p", mRID="AA", primacy=1, controls=controls),))


class Bench:
    """A schedule with its spool; `draws` counts how often an event was drawn for."""

    def __init__(self, path: Path, draw: Draw) -> None:
        self.spool = Spool(path)
        self.draws = 0
        self.told: list[str] = []
        self._drawn = draw
        self.clock = Watched[ServerClock | None](None)
        self.view = Watched[ServerView | None](None)
        self.scheduling = Scheduling(
            Scheduler(Rules(), self._draw, records=self.spool.records()),
            self.spool,
            self.view,
            self.clock,
            lfdi="3E4F45AB31EDFE5B67E343E5E4562E31984E23E5",
            tell=self._tell,
        )

    def _draw(self, one: DERControl) -> Draw:
        self.draws += 1
        return self._drawn

    def _tell(
        self,
        what: What,
        detail: str,
        *,
        href: str | None = None,
        mrid: str | None = None,
        points: tuple[WrittenPoint, ...] = (),
    ) -> None:
        self.told.append(detail)

    def owed(self) -> list[str]:
        """Events that Responses wait for, in their order; empties the lane."""
        found: list[str] = []
        while (one := self.spool.next(Lane.RESPONSE)) is not None:
            found.append(one.body.decode().split("<status>")[1].split("<")[0])
            self.spool.done(one)
        return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.sqlite"


async def test_a_draw_is_made_once_and_holds_after_a_restart(path: Path) -> None:
    first = Bench(path, Draw(start_s=20, duration_s=-10))
    await first.scheduling.take(view(control()))
    assert await first.scheduling.look(50, ABLE) == 120
    first.spool.close()
    second = Bench(path, Draw(start_s=1, duration_s=1))
    await second.scheduling.take(view(control()))
    times = [await second.scheduling.look(now, ABLE) for now in (60, 120, 210)]

    assert times == [120, 210, None]
    assert (first.draws, second.draws) == (1, 0)
    assert second.owed() == ["1", "2", "3"]


async def test_a_cancellation_with_randomization_ends_the_event_after_its_draw(path: Path) -> None:
    bench = Bench(path, Draw(start_s=5, duration_s=20))
    await bench.scheduling.take(view(control()))
    await bench.scheduling.look(105, ABLE)
    await bench.scheduling.take(view(control(status=3, at=150)))
    times = [await bench.scheduling.look(now, ABLE) for now in (151, 169, 170)]

    assert times == [170, 170, None]
    assert bench.owed() == ["1", "2", "6"]


async def test_nothing_is_done_while_nothing_changes(path: Path) -> None:
    bench = Bench(path, Draw())
    await bench.scheduling.take(view(control()))
    await bench.scheduling.look(50, ABLE)
    kept, plan = bench.spool.records(), bench.scheduling.plan.version
    bench.spool.commit({})
    for now in (51, 60, 99):
        await bench.scheduling.look(now, ABLE)

    assert bench.spool.records() == {}
    assert bench.scheduling.plan.version == plan
    assert kept.keys() == {"AB"}


async def test_a_step_is_made_when_the_devices_change_or_the_clock_goes_back(path: Path) -> None:
    bench = Bench(path, Draw())
    await bench.scheduling.take(view(control()))
    await bench.scheduling.look(50, ABLE)
    plan = bench.scheduling.plan.value
    await bench.scheduling.look(40, replace(ABLE, modes=frozenset()))
    await bench.scheduling.look(130, replace(ABLE, modes=frozenset()))

    assert plan is not None
    assert bench.owed() == ["1"]
    await bench.scheduling.look(131, ABLE)
    assert bench.owed() == ["2"]


async def test_an_opt_out_is_kept_and_ends_at_its_time(path: Path) -> None:
    first = Bench(path, Draw())
    await first.scheduling.take(view(control()))
    await first.scheduling.look(50, ABLE)
    await first.scheduling.opt_out("AB", 150)
    await first.scheduling.look(51, ABLE)
    assert await first.scheduling.look(110, ABLE) == 150
    first.spool.close()
    second = Bench(path, Draw())
    await second.scheduling.restore(lambda: 0.0)
    for now in (120, 150, 200):
        await second.scheduling.look(now, ABLE)

    assert "opted out of AB" in first.told
    assert second.owed() == ["1", "4", "5", "2", "9"]


async def test_opting_in_again_is_told(path: Path) -> None:
    bench = Bench(path, Draw())
    await bench.scheduling.opt_out()
    await bench.scheduling.opt_in()

    assert bench.told == ["opted out of all events", "opted in to all events"]


async def test_a_start_without_the_server_goes_on_with_what_was_known(path: Path) -> None:
    first = Bench(path, Draw())
    await first.scheduling.take(view(control()))
    await first.scheduling.look(110, ABLE)
    first.spool.close()
    second = Bench(path, Draw())
    await second.scheduling.restore(lambda: 0.0)
    await second.scheduling.look(150, ABLE)
    plan = second.scheduling.plan.value

    assert plan is not None
    assert plan.modes["opModMaxLimW"].value == 5_000


async def test_the_time_of_the_server_alone_is_no_plan(path: Path) -> None:
    """A device would be let go until what the programs say has been read."""
    bench = Bench(path, Draw())
    bench.clock.set(ServerClock(offset_s=50.0))
    await bench.scheduling.restore(lambda: 0.0)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(bench.scheduling.run(lambda: ABLE, lambda: 0.0))
        assert not await bench.scheduling.plan.newer(0, 0.1)
        bench.view.set(view(control()))
        assert await bench.scheduling.plan.newer(0, 30.0)
        task.cancel()

    assert bench.owed() == ["1"]


async def test_programs_that_were_kept_are_a_plan_before_the_server_is_heard(path: Path) -> None:
    first = Bench(path, Draw())
    first.clock.set(ServerClock(offset_s=110.0))
    first.view.set(view(control()))
    second = Bench(path, Draw())
    await stepped(first)
    second.clock.set(ServerClock(offset_s=150.0))
    await second.scheduling.restore(lambda: 0.0)
    plan = await stepped(second)

    assert plan.modes["opModMaxLimW"].value == 5_000


async def stepped(bench: Bench) -> Plan:
    """Run the schedule until it has put out a plan."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(bench.scheduling.run(lambda: ABLE, lambda: 0.0))
        assert await bench.scheduling.plan.newer(0, 30.0)
        task.cancel()
    assert bench.scheduling.plan.value is not None
    return bench.scheduling.plan.value


@pytest.mark.parametrize("name", [PROGRAMS, CURVES, "clock", "opt outs"])
@pytest.mark.parametrize("text", ["?", "[1]", '{"a": 1}', "null"])
async def test_what_was_kept_and_cannot_be_read_is_as_if_nothing_was(
    path: Path, name: str, text: str
) -> None:
    bench = Bench(path, Draw())
    bench.spool.remember(name, text)
    await bench.scheduling.restore(lambda: 0.0)
    await bench.scheduling.look(50, ABLE)

    assert bench.scheduling.plan.value is not None


async def run_of(path: Path, *times: int) -> Bench:
    """One run of a client that looks at these times and then dies; the reversion is after 60 s."""
    bench = Bench(path, Draw())
    await bench.scheduling.take(view(control()))
    for now in times:
        await bench.scheduling.look(now, ABLE)
    bench.spool.close()
    return bench


@pytest.mark.parametrize(
    ("alive", "back", "owed"),
    [
        ((50, 110), (171, 200), ["1", "2"]),
        ((50, 110), (500,), ["1", "2"]),
        ((50, 110), (170, 200), ["1", "2", "3"]),
        ((50, 110, 125, 140), (500,), ["1", "2", "3"]),
        ((50, 100, 110, 145), (200,), ["1", "2", "3"]),
        ((50,), (150, 200), ["1", "2", "3"]),
    ],
)
async def test_an_event_that_devices_left_while_the_client_was_off_was_not_completed(
    path: Path, alive: tuple[int, ...], back: tuple[int, ...], owed: list[str]
) -> None:
    await run_of(path, *alive)
    await run_of(path, *back)

    assert Bench(path, Draw()).owed() == owed


async def again(path: Path, *, ahead_s: float, at: float = 130.0) -> Bench:
    """A client that starts again at server time `at`; its system clock is that much ahead, its own at 0."""
    bench = Bench(path, Draw())
    bench.spool.remember("clock", clock_text(0.0))
    await bench.scheduling.restore(lambda: 0.0, system_s=lambda: at + ahead_s)
    return bench


async def looks(bench: Bench, *local: float) -> None:
    """Looks at these local times by the clock as the client has it."""
    for local_s in local:
        assert bench.clock.value is not None
        await bench.scheduling.look(bench.clock.value.now(local_s), ABLE)


@pytest.mark.parametrize("ahead_s", [36_000.0, 70.0, -31.0])
async def test_a_system_clock_that_became_wrong_ends_no_event_before_the_server_tells_its_time(
    path: Path, ahead_s: float
) -> None:
    await run_of(path, 50, 110)
    second = await again(path, ahead_s=ahead_s)
    await looks(second, 0.0, 5.0)
    held, told = second.owed(), list(second.told)
    assert second.clock.value is not None
    second.clock.set(second.clock.value.observed(136, 6.0, 6.0))
    await looks(second, 6.0, 7.0)
    plan = second.scheduling.plan.value
    await looks(second, 70.0)

    assert (held, told) == (["1", "2"], [])
    assert plan is not None
    assert plan.modes["opModMaxLimW"].value == 5_000
    assert second.owed() == ["3"]


async def test_an_event_goes_on_at_once_by_the_clock_of_the_last_run_and_ends_by_that_of_the_server(
    path: Path,
) -> None:
    """Devices had been alone for 58 s when they were told again, and were held from then on."""
    await run_of(path, 50, 110)
    second = await again(path, ahead_s=0.0, at=168.0)
    await looks(second, 0.0)
    plan = second.scheduling.plan.value
    await looks(second, 14.0)
    assert second.clock.value is not None
    second.clock.set(second.clock.value.observed(183, 15.0, 15.0))
    await looks(second, 15.0, 33.0)

    assert plan is not None
    assert plan.modes["opModMaxLimW"].value == 5_000
    assert second.owed() == ["1", "2", "3"]


@pytest.mark.parametrize(("ahead_s", "versions"), [(0.0, 1), (36_000.0, 0)])
async def test_what_holds_at_a_start_is_worked_out_once_until_something_may_change_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, ahead_s: float, versions: int
) -> None:
    """A fleet that starts without its server has each second for other things."""
    await run_of(path, 50, 110)
    second = await again(path, ahead_s=ahead_s, at=120.0)
    foreseen, asked = second.scheduling._scheduler.foreseen, list[int]()

    def counted(programs: tuple[Program, ...], at: int, able: Abilities) -> object:
        asked.append(at)
        return foreseen(programs, at, able)

    monkeypatch.setattr(second.scheduling._scheduler, "foreseen", counted)
    await looks(second, *range(14))

    assert asked == [120 + int(ahead_s)]
    assert second.scheduling.plan.version == versions


async def test_an_event_that_goes_on_without_the_server_ends_at_its_time(path: Path) -> None:
    await run_of(path, 50, 110, 185)
    second = await again(path, ahead_s=0.0, at=190.0)
    await looks(second, 0.0, 9.0)
    before = second.owed()
    await looks(second, 10.0)
    plan = second.scheduling.plan.value

    assert (before, second.owed()) == (["1", "2"], ["3"])
    assert plan is not None
    assert plan.modes == {}


async def test_the_clock_of_the_last_run_is_believed_where_no_server_tells_its_time(path: Path) -> None:
    await run_of(path, 50, 110)
    second = await again(path, ahead_s=36_000.0)
    await looks(second, 0.0, 14.9)
    before = second.scheduling.plan.value
    await looks(second, 15.0)
    plan = second.scheduling.plan.value

    assert before is None
    assert plan is not None
    assert plan.modes == {}


async def test_an_event_that_is_known_does_not_begin_by_a_clock_that_may_be_wrong(path: Path) -> None:
    await run_of(path, 50)
    second = await again(path, ahead_s=60.0, at=60.0)
    await looks(second, 0.0)
    assert second.clock.value is not None
    second.clock.set(second.clock.value.observed(61, 1.0, 1.0))
    await looks(second, 1.0, 39.0)
    before = second.owed()
    await looks(second, 40.0)

    assert (before, second.owed()) == (["1"], ["2"])


async def test_that_devices_were_alone_is_still_known_after_another_restart(path: Path) -> None:
    await run_of(path, 50, 110)
    second = await run_of(path, 171)
    await run_of(path, 172, 200)

    assert "event AB ran without the client for longer than devices hold it" in second.told
    assert Bench(path, Draw()).owed() == ["1", "2"]


async def test_that_the_client_is_there_is_kept_every_ten_seconds_while_an_event_runs(path: Path) -> None:
    bench = Bench(path, Draw())
    await bench.scheduling.take(view(control()))
    kept = []
    for now in (50, 99, 100, 105, 109, 110, 119, 200, 215):
        await bench.scheduling.look(now, ABLE)
        kept.append(bench.spool.recall("alive"))

    assert kept == [None, None, "100", "100", "100", "110", "110", "110", "110"]


async def test_a_note_of_the_last_run_that_is_no_time_is_as_if_there_was_none(path: Path) -> None:
    first = Bench(path, Draw())
    first.spool.remember("alive", "?")
    first.spool.close()
    await run_of(path, 50, 110, 200)

    assert Bench(path, Draw()).owed() == ["1", "2", "3"]
