"""What survives SIGKILL: a second process takes up what the first one kept."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from openadr_ven.events import CreateOpt, OptReason, OptType, State, Window
from openadr_ven.memory import FileMemory, InMemory, KeptError
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.desk import with_owed
from openadr_ven.v2b.kept import Kept, Owed, Registration, kept_of, table_of
from openadr_ven.v2b.reporting import Running
from openadr_ven.v2b.writing import signed_object
from openadr_ven.vtn.v2b import Fault
from tests.unit.openadr_ven.v2b.conversations import ENDLESS, MESSAGES, NOW, REQUEST, STATUS, USAGE
from tests.unit.openadr_ven.v2b.test_v2b_client import answers, asked, event, reports
from tests.unit.openadr_ven.v2b.world import Plan, World, play

ALL = Kept(
    registration=Registration(registrationID="g", venID="v", vtnID="t", poll_s=None),
    running=(
        Running(request=REQUEST, since=NOW, due=NOW + 300),
        Running(request=ENDLESS, since=NOW, due=NOW + 60),
    ),
    owed=tuple(Owed(service=m.Service.REPORT, message=one) for one in MESSAGES),
    is_cancelled=True,
    offered="abc",
)


def spoiled(kept: Kept, name: str, value: object) -> object:
    """What is kept, with one thing that is none."""
    table = table_of(kept)
    assert isinstance(table, dict)
    return {**table, name: value}


def test_everything_that_is_kept_is_read_back() -> None:
    assert kept_of(table_of(ALL)) == ALL
    assert kept_of(table_of(Kept())) == kept_of(None) == Kept()


@pytest.mark.parametrize(
    "found",
    [5, {}, {"version": 3}, {"version": 2}, spoiled(Kept(), "state", "x"), spoiled(ALL, "times", [])],
    ids=["number", "empty", "version", "nothing", "state", "times"],
)
def test_what_is_none_is_not_read(found: object) -> None:
    with pytest.raises(KeptError):
        kept_of(found)


async def test_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    memory = FileMemory(tmp_path / "ven.json")
    assert await memory.load() is None

    await memory.save(table_of(ALL))
    await memory.save(table_of(ALL))

    assert kept_of(await FileMemory(tmp_path / "ven.json").load()) == ALL
    assert not (tmp_path / "ven.json.new").exists()


async def test_damaged_file_is_said_so(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "ven.json").write_text, "{")

    with pytest.raises(KeptError, match=r"ven\.json"):
        await FileMemory(tmp_path / "ven.json").load()


def test_ven_does_not_run_on_what_it_cannot_read() -> None:
    memory = InMemory()
    memory.text = "5"

    async def scenario(world: World) -> None:
        await world.sleep(5)
        assert world.wire.sent == []

    with pytest.raises(KeptError):
        play(scenario, Plan(memory=memory))


def test_oldest_report_is_given_up_where_too_much_is_owed(caplog: pytest.LogCaptureFixture) -> None:
    poll = Owed(service=m.Service.POLL, message=m.Poll(venID="v"))
    report = Owed(service=m.Service.REPORT, message=m.UpdateReport(requestID="old", reports=()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("openadr_ven.v2b.desk.MOST_OWED", 3)
        kept = with_owed(Kept(owed=(poll, report, poll)), poll)

    assert kept.owed == (poll, poll, poll)
    assert "UpdateReport is given up" in caplog.text


def test_what_was_kept_beyond_all_bounds_does_not_end_the_ven() -> None:
    plan = Plan()
    request = replace(REQUEST, granularity_s=10**400, back_s=10**400)

    async def first(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: answers(world))

        def beyond(kept: Kept) -> Kept:
            (record,) = kept.state.records.values()
            endless = replace(record, event=replace(record.event, duration_s=10**400, recovery_s=10**400))
            assert kept.registration is not None
            return replace(
                kept,
                registration=replace(kept.registration, poll_s=10**400),
                state=replace(kept.state, records={"e1": endless}),
                running=(Running(request=request, since=NOW, due=NOW + 10**400),),
            )

        await world.ven._desk.change(beyond)

    async def second(world: World) -> None:
        await world.registered()
        await world.sleep(60)

    play(first, plan)
    world = play(second, plan)

    assert len(world.polls()) > 3


def test_second_process_goes_on_with_registration_and_events() -> None:
    plan = Plan()

    async def first(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: ("started", "e1") in world.changes())

    async def second(world: World) -> None:
        await world.until(lambda: ("completed", "e1") in world.changes())

    play(first, plan)
    world = play(second, plan)

    assert world.changes() == [("completed", "e1")]
    assert len(plan.vtn.vens) == 1
    again = plan.vtn.of(m.CreatePartyRegistration)[1]
    assert isinstance(again, m.CreatePartyRegistration)
    assert again.registrationID == "registration-1"


def test_event_that_began_while_nobody_ran_is_begun_late_though_the_vtn_is_down() -> None:
    plan = Plan()

    async def first(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: answers(world))

    async def second(world: World) -> None:
        await world.until(lambda: ("started", "e1") in world.changes())

    play(first, plan)
    plan.clock.pass_by(600)
    plan.is_up = False
    play(second, plan)


def test_answers_and_opts_that_were_owed_are_sent_by_the_next_process() -> None:
    plan = Plan()

    async def first(world: World) -> None:
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: answers(world))
        world.vtn.faults.add(Fault.BUSY)
        await world.ven.opt_event("e1", OptType.OUT)

    async def second(world: World) -> None:
        await world.until(lambda: ("e1", 0, 200, "optOut") in answers(world))

    play(first, plan)
    plan.vtn.faults.clear()
    play(second, plan)


def test_reports_that_fell_due_while_nobody_ran_are_made_by_the_next_process() -> None:
    plan = Plan()

    async def first(world: World) -> None:
        await world.registered()
        world.vtn.send(m.CreateReport(requestID="r1", requests=(asked(world),)))
        await world.until(lambda: world.ven.kept.running)

    async def second(world: World) -> None:
        world.meters.values = {"battery-w": Decimal(5)}
        await world.until(lambda: len(reports(world)) >= 2)

    play(first, plan)
    plan.clock.pass_by(700)
    world = play(second, plan)

    begins = [one.reports[0].start for one in reports(world)]
    assert begins[1] - begins[0] == 300


def test_step_is_on_disk_before_anybody_is_told() -> None:
    plan = Plan()
    seen: list[State] = []

    async def scenario(world: World) -> None:
        told = world.ven._desk._listener

        async def looks(step: object) -> None:
            seen.append(kept_of(await world.memory.load()).state)
            await told(step)  # type: ignore[arg-type]

        world.ven._desk._listener = looks
        await world.registered()
        world.vtn.publish(event(world))
        await world.until(lambda: ("started", "e1") in world.changes())

    play(scenario, plan)

    assert [one.records["e1"].phase.value for one in seen] == ["pending", "started"]


def test_cancelled_registration_stays_cancelled() -> None:
    plan = Plan()

    async def first(world: World) -> None:
        await world.registered()
        world.vtn.send(m.CancelPartyRegistration(requestID="r9", registrationID="registration-1"))
        await world.until(lambda: world.vtn.of(m.CanceledPartyRegistration))

    async def second(world: World) -> None:
        await world.sleep(3600)
        assert world.wire.sent == []

    play(first, plan)
    play(second, plan)


def test_owed_message_that_cannot_be_read_is_given_up_and_the_rest_stands(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = spoiled(ALL, "owed", ["OadrPoll <x/>", f"EiOpt {signed_object(MESSAGES[0])}"])

    assert kept_of(found).owed == (Owed(service=m.Service.OPT, message=MESSAGES[0]),)
    assert "is given up" in caplog.text


def test_second_process_that_can_report_something_else_says_so() -> None:
    plan = Plan(offers=(USAGE,))
    play(World.registered, plan)

    play(World.registered, plan)
    assert len(plan.vtn.of(m.RegisterReport)) == 1

    plan.offers = (USAGE, STATUS)
    play(World.registered, plan)
    told = plan.vtn.of(m.RegisterReport)
    assert [len(one.offers) for one in told if isinstance(one, m.RegisterReport)] == [1, 2]


def test_opt_before_the_client_runs_waits_and_wipes_nothing() -> None:
    plan = Plan()
    schedule = CreateOpt(
        optID="o1",
        optType=OptType.OUT,
        reason=OptReason.SCHEDULE,
        windows=(Window(start=NOW, duration_s=60),),
    )

    async def early(world: World) -> None:
        task = asyncio.create_task(world.ven.add_schedule(schedule))
        await world.registered()
        await task

    play(World.registered, plan)
    play_early(early, plan)

    assert plan.memory.text is not None
    kept = kept_of(json.loads(plan.memory.text))
    assert kept.registration is not None
    assert kept.registration.registrationID == "registration-1"
    assert [one.optID for one in kept.state.schedules] == ["o1"]


def play_early(scenario: Callable[[World], Coroutine[object, object, None]], plan: Plan) -> None:
    """A scenario whose first step comes before the client's."""
    world = plan.world()

    async def main() -> None:
        task = asyncio.create_task(scenario(world))
        await asyncio.sleep(1)
        running = asyncio.create_task(world.ven.run())
        await task
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    plan.clock.run(main())
