"""What devices make of modes, what makes no sense, and what the scheduler answers to both."""

from dataclasses import replace

import pytest

from der_client.device import Fault, FaultKind, Nameplate, Telemetry
from der_client.device_view import DeviceView
from der_client.execution import Execution, execution_of
from der_client.plan import Plan
from der_client.scheduler import Abilities, Scheduler
from der_client.validity import flaw_of
from function_sets import Draw, Program, Rules
from schemas import (
    ActivePower,
    CurveData,
    DateTimeInterval,
    DERControl,
    DERControlBase,
    DERCurve,
    DERCurveLink,
    EventStatus,
    FixedVar,
    PowerFactorWithExcitation,
)
from schemas.csip_aus import DERControlBaseV13

PV = Nameplate(
    manufacturer="Maker",
    model="One",
    serial="1",
    version="1",
    der_type=4,
    modes=frozenset({"opModMaxLimW", "opModFixedW", "opModVoltVar", "opModFreqDroop"}),
    max_w=10_000,
    max_va=10_000,
    max_var=4_000,
    max_var_neg=4_000,
    set_max_w=10_000,
    set_max_va=10_000,
    set_max_var=4_000,
    set_max_var_neg=4_000,
)
LIMITS = {"opModMaxLimW", "opModGenLimW", "opModExpLimW"}
ALL = {*PV.modes, *LIMITS}
PLAN = Plan()
VIEW = DeviceView(name="one", nameplate=PV, plan=PLAN)
READBACK = Fault(kind=FaultKind.READBACK, detail="holds something else")
SILENT = Fault(kind=FaultKind.NO_ANSWER, detail="no answer")
CURVE = DERCurve(
    href="/dc/1",
    mRID="AA",
    creationTime=0,
    CurveData_=[CurveData(xvalue=1, yvalue=2)],
    curveType=12,
    xMultiplier=0,
    yMultiplier=0,
    yRefType=1,
)


def found(*views: DeviceView, now_s: float = 100.0) -> Execution:
    return execution_of(views, PLAN, now_s, 60.0)


def test_a_field_that_is_not_held_stands_for_its_modes() -> None:
    assert found(replace(VIEW, failed={"max_w_pct": READBACK})).failing == LIMITS


def test_a_curve_that_is_not_held_is_named_by_its_mode() -> None:
    view = replace(VIEW, failed={"opModVoltVar": READBACK, "droop": READBACK})

    assert found(view).failing == {"opModVoltVar", "opModFreqDroop"}


def test_one_device_of_several_that_does_not_hold_a_mode_is_enough() -> None:
    assert found(VIEW, replace(VIEW, failed={"max_w_pct": READBACK})).failing == LIMITS


@pytest.mark.parametrize(("at_s", "failing"), [(50.0, set()), (39.0, ALL)])
def test_a_device_that_does_not_answer_holds_until_its_reversion(at_s: float, failing: set[str]) -> None:
    assert found(replace(VIEW, silent=SILENT, at_s=at_s)).failing == failing


def test_one_silent_device_of_two_takes_nothing_away() -> None:
    assert found(VIEW, replace(VIEW, silent=SILENT)).failing == frozenset()


def test_what_the_only_device_cannot_execute_is_refused() -> None:
    assert found(replace(VIEW, unsupported=frozenset({"opModVoltVar"}))).refused == {"opModVoltVar"}


def test_what_one_device_of_two_can_execute_is_not_refused() -> None:
    able = replace(VIEW, nameplate=replace(PV, modes=frozenset({"opModMaxLimW"})))
    unable = replace(VIEW, unsupported=frozenset({"opModVoltVar", "max_w_pct"}))

    assert found(able, unable).refused == {"opModVoltVar"}


def test_what_a_device_said_of_an_earlier_plan_does_not_count() -> None:
    view = replace(VIEW, plan=Plan(), unsupported=frozenset({"opModVoltVar"}))

    assert found(view).refused == frozenset()


@pytest.mark.parametrize(
    "view",
    [
        replace(VIEW, is_local=True),
        replace(VIEW, telemetry=Telemetry(power_w=0.0, reactive_var=0.0, local_control=True)),
    ],
)
def test_local_control_is_that_of_all_devices(view: DeviceView) -> None:
    assert found(view, view).is_local
    assert not found(view, VIEW).is_local
    assert not found().is_local


def test_what_a_device_may_not_take_is_not_held() -> None:
    view = replace(VIEW, short=frozenset({"target_w"}))

    assert found(view).failing == {"opModFixedW"}
    assert found(VIEW, view).failing == {"opModFixedW"}


def test_what_fell_short_of_an_earlier_plan_does_not_count() -> None:
    assert found(replace(VIEW, plan=Plan(), short=frozenset({"target_w"}))).failing == frozenset()


@pytest.mark.parametrize(("lost_s", "failing"), [(101.0, set()), (100.0, ALL)])
def test_what_cannot_be_written_is_held_until_the_reversion(lost_s: float, failing: set[str]) -> None:
    assert found(replace(VIEW, may_write=False, lost_s=lost_s)).failing == failing


def test_devices_that_were_never_identified_say_nothing() -> None:
    assert found(DeviceView(name="one")) == Execution()


def base(**modes: object) -> DERControl:
    made = DERControlBaseV13()
    for mode, value in modes.items():
        setattr(made, mode, value)
    return control(made)


def control(modes: DERControlBase) -> DERControl:
    return DERControl(
        replyTo="/rsp",
        responseRequired="07",
        mRID="AB",
        creationTime=0,
        EventStatus_=EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=40, start=10),
        DERControlBase_=modes,
    )


@pytest.mark.parametrize(
    ("one", "flaw"),
    [
        (base(opModMaxLimW=10_000, opModConnect=True, opModFixedW=-10_000), None),
        (base(opModMaxLimW=10_001), "opModMaxLimW: 100.01 %"),
        (base(opModFixedW=-10_001), "opModFixedW: -100.01 %"),
        (base(opModFixedVar=FixedVar(refType=4, value=1)), "opModFixedVar: refType 4"),
        (base(opModFixedVar=FixedVar(refType=2, value=-12_000)), "opModFixedVar: -120 %"),
        (
            base(
                opModFixedPFInjectW=PowerFactorWithExcitation(displacement=95, excitation=True, multiplier=0)
            ),
            "opModFixedPFInjectW: a power factor of 95",
        ),
        (base(opModExpLimW=ActivePower(multiplier=0, value=-1)), "opModExpLimW: a limit below 0 W"),
        (base(opModTargetW=ActivePower(multiplier=0, value=-1)), None),
        (base(opModVoltWatt=DERCurveLink(href="/dc/1")), None),
        (
            base(opModVoltVar=DERCurveLink(href="/dc/1")),
            "opModVoltVar: curveType 12 is not that of opModVoltVar",
        ),
        (base(opModVoltVar=DERCurveLink(href="/dc/2")), None),
    ],
)
def test_values_that_make_no_sense_are_found(one: DERControl, flaw: str | None) -> None:
    assert flaw_of(one, {"/dc/1": CURVE}) == flaw


def codes(one: DERControl, *executions: Execution) -> tuple[list[int], list[str]]:
    """Responses and news of one event that runs from 10 to 50, with what devices do at 0, 10, 20 and 50."""
    schedule = Scheduler(Rules(), lambda _: Draw())
    shown = (Program(href="/p", mRID="AA", primacy=1, controls=(one,)),)
    steps = [
        schedule.step(shown, now, Abilities(modes=frozenset(ALL), device_category=0, execution=does), {})
        for now, does in zip((0, 10, 20, 50), executions, strict=True)
    ]
    owed = [due.status for step in steps for due in step.owed]
    return owed, [news.text for step in steps for news in step.news if news.mrid]


FINE = Execution()


def test_an_event_that_makes_no_sense_is_answered_with_253_and_told() -> None:
    owed, news = codes(base(opModMaxLimW=20_000), FINE, FINE, FINE, FINE)

    assert owed == [253]
    assert news == ["DERControl AB makes no sense: opModMaxLimW: 200 %", "DERControl AB rejected"]


def test_an_event_that_the_device_turns_out_not_to_have_is_answered_with_252() -> None:
    refused = Execution(refused=frozenset({"opModMaxLimW"}))

    assert codes(base(opModMaxLimW=5_000), FINE, FINE, refused, FINE)[0] == [1, 2, 252]


def test_an_event_that_the_device_does_not_hold_is_never_said_to_be_completed() -> None:
    failing = Execution(failing=frozenset({"opModMaxLimW"}))
    owed, news = codes(base(opModMaxLimW=5_000), FINE, FINE, failing, FINE)

    assert owed == [1, 2]
    assert news[-1] == "DERControl AB not held"


def test_local_control_leaves_the_event() -> None:
    local = Execution(is_local=True)

    assert codes(base(opModMaxLimW=5_000), FINE, FINE, local, local)[0] == [1, 2, 4, 8]
