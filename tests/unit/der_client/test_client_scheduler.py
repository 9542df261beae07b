import base64
import json
from dataclasses import replace

import pytest

from der_client.device import Nameplate
from der_client.discovery import Want
from der_client.memory import (
    clock_from,
    clock_text,
    curves_from,
    curves_text,
    programs_from,
    programs_text,
)
from der_client.response import response_of
from der_client.scheduler import KEEP_S, Abilities, Scheduler, abilities_of, without_controls
from der_client.tree import tree_of
from der_client.view import ServerView
from function_sets import Draw, Due, Phase, Program, Rules
from schemas import (
    DER,
    ActivePower,
    Codec,
    CurveData,
    DateTimeInterval,
    DefaultDERControl,
    DERControl,
    DERControlBase,
    DERCurve,
    DERStatusLink,
    DeviceCapability,
    EndDevice,
    EventStatus,
    FunctionSetAssignments,
)
from schemas.csip_aus import DERControlBaseV13

PV = Nameplate(
    manufacturer="Maker",
    model="One",
    serial="1",
    version="1",
    der_type=4,
    modes=frozenset({"opModMaxLimW"}),
    max_w=10_000,
    max_va=10_000,
    max_var=4_000,
    max_var_neg=4_000,
    set_max_w=10_000,
    set_max_va=10_000,
    set_max_var=4_000,
    set_max_var_neg=4_000,
)
ABLE = Abilities(modes=frozenset({"opModMaxLimW"}), device_category=0)
DEFAULT = DefaultDERControl(mRID="DD", DERControlBase_=DERControlBase(opModMaxLimW=9_000), setGradW=27)


def control(mrid: str = "C1", start: int = 1_000, limit: int = 5_000) -> DERControl:
    return DERControl(
        href=f"/c/{mrid}",
        replyTo="/replies",
        responseRequired="03",
        mRID=mrid,
        creationTime=10,
        EventStatus_=EventStatus(currentStatus=0, dateTime=10, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=60, start=start),
        DERControlBase_=DERControlBase(opModMaxLimW=limit),
    )


def programs(*controls: DERControl) -> tuple[Program, ...]:
    return (Program(href="/p", mRID="AA", primacy=3, default=DEFAULT, controls=controls),)


def scheduler() -> Scheduler:
    return Scheduler(Rules(), lambda _: Draw(start_s=0, duration_s=0))


def test_an_event_is_told_with_its_modes_when_it_becomes_active() -> None:
    schedule = scheduler()
    first = schedule.step(programs(control()), 900, ABLE)
    second = schedule.step(programs(control()), 1_000, ABLE)

    assert [news.text for news in first.news] == [
        "DERControl C1 received",
        "default control: opModMaxLimW 90 %",
    ]
    assert [news.text for news in second.news] == [
        "DERControl C1 active: opModMaxLimW 50 %",
        "default control: no mode",
    ]
    assert [due.status for due in (*first.owed, *second.owed)] == [1, 2]
    assert second.outcome.modes["opModMaxLimW"].value == 5_000


def test_a_step_in_which_nothing_happens_has_nothing_to_keep() -> None:
    schedule = scheduler()
    schedule.step(programs(control()), 900, ABLE)
    again = schedule.step(programs(control()), 900, ABLE)

    assert not again.is_changed
    assert again.news == ()
    assert again.owed == ()


def test_the_default_holds_again_after_the_event() -> None:
    schedule = scheduler()
    schedule.step(programs(control()), 1_000, ABLE)
    last = schedule.step(programs(control()), 1_060, ABLE)

    assert last.outcome.modes["opModMaxLimW"].value == 9_000
    assert "DERControl C1 completed" in [news.text for news in last.news]


def test_a_record_is_kept_while_its_event_is_listed_and_a_week_longer() -> None:
    schedule = scheduler()
    schedule.step(programs(control()), 900, ABLE)
    schedule.step(programs(control()), 1_060 + 2 * KEEP_S, ABLE)
    assert schedule.records["C1"].phase is Phase.COMPLETED

    schedule.step(programs(), 1_060 + 2 * KEEP_S, ABLE)
    assert schedule.records == {}


def test_a_scheduler_goes_on_with_the_records_of_the_last_run() -> None:
    first = scheduler()
    first.step(programs(control()), 1_000, ABLE)
    second = Scheduler(Rules(), lambda _: Draw(start_s=5, duration_s=0), records=first.records)
    step = second.step(programs(control()), 1_010, ABLE)

    assert step.owed == ()
    assert step.outcome.modes["opModMaxLimW"].value == 5_000


def test_an_event_that_passed_while_the_client_was_off_is_not_answered_as_run() -> None:
    first = scheduler()
    assert [due.status for due in first.step(programs(control()), 900, ABLE).owed] == [1]
    second = Scheduler(Rules(), lambda _: Draw(), records=first.records)
    step = second.step(programs(control()), 2_000, ABLE)

    assert step.owed == ()
    assert [news.text for news in step.news][:1] == ["DERControl C1 was missed: the client was off"]
    assert second.step(programs(control()), 2_001, ABLE).owed == ()


def test_defaults_are_what_holds_without_controls() -> None:
    modes = without_controls(programs(control(start=0)), 30, ABLE.modes)

    assert {mode: source.value for mode, source in modes.items()} == {"opModMaxLimW": 9_000}


@pytest.mark.parametrize(("kind", "category"), [(4, 1 << 21), (80, 1 << 25), (83, 1 << 23), (0, 0)])
def test_the_device_category_follows_the_kind_of_the_device(kind: int, category: int) -> None:
    assert abilities_of([replace(PV, der_type=kind)]).device_category == category


def test_a_device_category_that_is_set_holds() -> None:
    assert abilities_of([PV], 5).device_category == 5


def test_a_device_that_can_be_limited_keeps_the_limits_of_csip_aus_too() -> None:
    assert abilities_of([PV]).modes == {"opModMaxLimW", "opModGenLimW", "opModExpLimW"}


def test_programs_are_remembered_with_default_and_controls() -> None:
    known = (*programs(control()), Program(href="/q", mRID="AB", primacy=1))

    assert programs_from(programs_text(known)) == known
    assert programs_from(None) == ()


def test_modes_of_csip_aus_are_remembered_too() -> None:
    base = DERControlBaseV13(opModExpLimW=ActivePower(multiplier=0, value=1_500))
    known = programs(replace(control(), DERControlBase_=base))

    assert programs_from(programs_text(known)) == known


def test_programs_of_older_files_are_read() -> None:
    body = base64.b64encode(Codec().encode(control())).decode()
    table = {"href": "/p", "mRID": "AA", "primacy": 3, "default": None, "controls": [body]}

    assert programs_from(json.dumps([table])) == (replace(programs(control())[0], default=None),)


def test_curves_are_remembered() -> None:
    curve = DERCurve(
        href="/dc/1",
        mRID="AA",
        creationTime=0,
        CurveData_=[CurveData(xvalue=1, yvalue=2)],
        curveType=11,
        xMultiplier=0,
        yMultiplier=0,
        yRefType=2,
    )

    assert curves_from(curves_text({"/dc/1": curve})) == {"/dc/1": curve}
    assert curves_from(None) == {}


def test_the_clock_is_remembered() -> None:
    assert clock_from(clock_text(12.5)) == 12.5
    assert clock_from(None) is None


def test_a_response_names_device_event_and_status() -> None:
    response = response_of(Due(mRID="C1", reply_to="/replies", status=2, at=1), "AB", 77)

    assert (response.subject, response.status, response.endDeviceLFDI, response.createdDateTime) == (
        "C1",
        2,
        "AB",
        77,
    )


def test_a_tree_says_when_there_is_no_entry() -> None:
    assert list(tree_of(ServerView())) == ["no EndDevice for this certificate: it is not registered here"]


def test_a_tree_shows_programs_by_primacy() -> None:
    view = ServerView(
        end_device=EndDevice(href="/me", sFDI=1, changedTime=0),
        assignments=(FunctionSetAssignments(href="/fsa/1", mRID="F1", description="feeder 7"),),
        ders=(DER(href="/der/1", DERStatusLink_=DERStatusLink(href="/s")), DER(href="/der/2")),
        wants={"/dcap": Want(href="/dcap", type=DeviceCapability, poll_s=300)},
        programs=(
            *programs(control()),
            Program(
                href="/q",
                mRID="AB",
                primacy=1,
                default=DefaultDERControl(mRID="D", DERControlBase_=DERControlBase()),
            ),
        ),
    )

    assert list(tree_of(view)) == [
        "EndDevice /me SFDI 1",
        "  Registration not offered",
        "  Time None",
        "  FunctionSetAssignments /fsa/1 feeder 7",
        "  DERProgram /q primacy 1",
        "    default: no mode",
        "  DERProgram /p primacy 3",
        "    default: opModMaxLimW 90 %",
        "    DERControl C1 scheduled from 1000 for 60 s: opModMaxLimW 50 %",
        "  DER /der/1: /s",
        "  DER /der/2: no links",
        "  LogEventList not offered",
        "  MirrorUsagePointList not offered",
        "  polled every 300 s: /dcap",
    ]
