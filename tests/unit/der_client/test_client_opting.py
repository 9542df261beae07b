"""A local operator leaves events alone and takes part in them again. IEEE 2030.5-2018, 10.2.3."""

import pytest

from der_client.opting import OptOuts
from der_client.scheduler import Abilities, Scheduler
from function_sets import Draw, Program, Rules
from schemas import DateTimeInterval, DERControl, DERControlBase, EventStatus

ABLE = Abilities(modes=frozenset({"opModMaxLimW"}), device_category=0)


def control(mrid: str, start: int, end: int) -> DERControl:
    return DERControl(
        replyTo="/rsp",
        responseRequired="07",
        mRID=mrid,
        creationTime=0,
        EventStatus_=EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=end - start, start=start),
        DERControlBase_=DERControlBase(opModMaxLimW=5_000),
    )


SHOWN = (Program(href="/p", mRID="AA", primacy=1, controls=(control("AB", 10, 50), control("AC", 60, 90))),)


class Run:
    """A scheduler and the codes that it owed, by event."""

    def __init__(self) -> None:
        self.schedule = Scheduler(Rules(), lambda _: Draw())
        self.codes: dict[str, list[int]] = {}

    def through(self, *times: int) -> "Run":
        for now in times:
            for due in self.schedule.step(SHOWN, now, ABLE).owed:
                self.codes.setdefault(due.mRID, []).append(due.status)
        return self


def test_who_opts_out_of_everything_takes_no_part() -> None:
    run = Run()
    run.schedule.opt_out()
    run.through(0, 10, 50, 60, 90)

    assert run.codes == {"AB": [1, 4, 10], "AC": [1, 4, 10]}


def test_who_opts_out_while_an_event_runs_leaves_it_part_way() -> None:
    run = Run().through(0, 10)
    run.schedule.opt_out("ab")
    run.through(20, 50, 60, 90)

    assert run.codes == {"AB": [1, 2, 4, 8], "AC": [1, 2, 3]}


def test_who_comes_back_joins_what_goes_on() -> None:
    run = Run().through(0, 10)
    run.schedule.opt_out("AB")
    run.through(20)
    run.schedule.opt_in("AB")
    run.through(30, 50)

    assert run.codes["AB"] == [1, 2, 4, 5, 9]


def test_an_opt_out_ends_at_its_time_by_itself() -> None:
    run = Run()
    run.schedule.opt_out(until=30)
    run.through(0, 10, 30, 50, 60, 90)

    assert run.codes == {"AB": [1, 4, 5, 2, 9], "AC": [1, 4, 5, 2, 3]}


def test_who_is_out_of_everything_may_take_part_in_one_event() -> None:
    run = Run()
    run.schedule.opt_out()
    run.schedule.opt_in("AC")
    run.through(0, 10, 50, 60, 90)

    assert run.codes == {"AB": [1, 4, 10], "AC": [1, 2, 3]}


def test_opting_in_to_everything_forgets_all() -> None:
    assert OptOuts().opted_out("AB", None).opted_out(None, 7).opted_in(None) == OptOuts()


def test_what_was_said_is_kept_as_a_text() -> None:
    said = OptOuts().opted_out(None, 50).opted_in("AB").opted_out("AC", None)

    assert OptOuts.from_text(said.to_text()) == said
    assert OptOuts.from_text(None) == OptOuts()


@pytest.mark.parametrize(
    ("now", "other", "expected"), [(0, None, 40), (0, 30, 30), (40, None, 50), (50, None, None), (0, 45, 40)]
)
def test_the_next_end_of_an_opt_out_is_known(now: int, other: int | None, expected: int | None) -> None:
    said = OptOuts().opted_out(None, 50).opted_out("AB", 40).opted_out("AC", None)

    assert said.next_at(now, other) == expected
