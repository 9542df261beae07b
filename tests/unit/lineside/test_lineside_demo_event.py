"""The utility's event of the demonstration: what the VTN sends and hears, and that no step is believed."""

from collections.abc import Coroutine
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lineside.__main__ import main
from lineside.demo.observer import Seen
from lineside.demo.steps import Evidence, Told, steps_of
from lineside.demo.story import EVENT, SCENES
from lineside.demo.upstream import followed
from lineside.demo.utility_event import event_of, lines_of, order_of, requests_of
from lineside.demo.verdict import step_text
from openadr_ven.events import Answer, Code, OptType, Target
from openadr_ven.v2b import POWER, DataPoint, Datum, ReportOffer, ResourceStatus
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.report_messages import Report, ReportInterval
from tests.virtual_time import VirtualTime

NOW = 1_700_000_000
ORDER = {"resource": "battery", "watts": -2500, "in_s": 6, "for_s": 8}
STEPS = {step.name: step for step in steps_of(EVENT)}
START, END = NOW + 6, NOW + 14
GOOD = m.Response(response=m.EiResponse())
OFFERS = (
    ReportOffer(
        reportSpecifierID="usage",
        reportName="TELEMETRY_USAGE",
        buffer_s=60,
        points=(
            DataPoint(rID="battery power", reportType="usage", readingType="Direct Read", measure=POWER),
            DataPoint(
                rID="kilo", reportType="usage", readingType="Direct Read", measure=replace(POWER, scale="k")
            ),
        ),
    ),
)


def usage(value: float = -2500.0, **more: object) -> dict[str, Any]:
    line = {"what": "usage", "detail": f"battery power {value}", "event": "event-1", "value": value}
    return {**line, "unit": "W", "start": START, "duration_s": 4, "quality": "Good", **more}


def status(**more: object) -> dict[str, Any]:
    line = {"what": "status", "detail": "battery", "event": "event-1"}
    return {**line, "is_online": True, "is_overridden": False, **more}


def opt(**more: object) -> dict[str, Any]:
    return {"what": "opt", "detail": "in", "event": "event-1", "opt": "optIn", "code": 200, **more}


def control(watts: int = 2500, **more: object) -> dict[str, Any]:
    base = {"opModTargetW": {"multiplier": 0, "value": watts}}
    one = {"start": START, "duration": 8, "href": "/derp/1/derc/1", "DERControl": {"DERControlBase": base}}
    return {**one, **more}


def register(value: float = 2500.0) -> Seen:
    return Seen(time_s=1.0, device="battery", name="704.WSet", address=40320, raw="0000 09C4", value=value)


def evidence(**more: object) -> Evidence:
    """Everything as it is to be, but for what is said."""
    found = Evidence(
        scene=EVENT,
        heard=[{"what": "registered", "detail": "site is ven-1"}, opt(), usage(), status()],
        event={"what": "published", "detail": "it", "event": "event-1", "start": START, "duration_s": 8},
        control=control(),
        responses=(1, 2, 3),
        registers=[register()],
    )
    return replace(found, **more)  # type: ignore[arg-type]


def test_every_step_is_seen_where_all_is_as_it_is_to_be() -> None:
    told = [step_text(Told(step=one, proof=one.proof(evidence()))) for one in STEPS.values()]
    assert [line for line in told if "NOT SEEN" in line] == []
    assert len(told) == 8


@pytest.mark.parametrize(
    ("step", "lie"),
    [
        ("VEN at the VTN", {"heard": []}),
        ("event", {"event": None}),
        ("opt", {"heard": [usage()]}),
        ("opt", {"heard": [opt(opt="optOut")]}),
        ("opt", {"heard": [opt(code=460)]}),
        ("opt", {"heard": [opt(), opt(opt="optOut")]}),
        ("opt", {"heard": [opt(event="event-0")]}),
        ("DERControl", {"control": None}),
        ("DERControl", {"control": control(-2500)}),
        ("DERControl", {"control": control(start=START + 1)}),
        ("DERControl", {"control": control(duration=9)}),
        ("DERControl", {"control": control(DERControl={"DERControlBase": {"opModMaxLimW": 5000}})}),
        ("register", {"registers": []}),
        ("register", {"registers": [register(-2500.0)]}),
        ("telemetry", {"heard": []}),
        ("telemetry", {"heard": [usage(2500.0)]}),
        ("telemetry", {"heard": [usage(-2.5, unit="kW")]}),
        ("telemetry", {"heard": [usage(-2000.0)]}),
        ("telemetry", {"heard": [usage(unit="")]}),
        ("telemetry", {"heard": [usage(quality="Quality Bad - Non Specific")]}),
        ("telemetry", {"heard": [usage(start=START - 4)]}),
        ("telemetry", {"heard": [usage(start=END)]}),
        ("telemetry", {"heard": [usage(event="event-0")]}),
        ("status", {"heard": [status(is_online=False)]}),
        ("status", {"heard": [status(is_overridden=True)]}),
        ("Responses", {"responses": (1, 2)}),
    ],
)
def test_a_lie_in_a_step_is_found(step: str, lie: dict[str, object]) -> None:
    told = Told(step=STEPS[step], proof=STEPS[step].proof(evidence(**lie)))
    assert told.proof is None
    assert "NOT SEEN" in step_text(told)
    assert f"{step}: not seen within" in str(told.flaw)


def played(clock: VirtualTime, work: Coroutine[Any, Any, list[Told]]) -> list[Told]:
    """What became of steps, in no time."""
    told = clock.run(work)
    assert isinstance(told, list)
    return told


def test_an_event_that_is_never_published_fails_its_step_in_time_and_ends_the_rest() -> None:
    clock, looks = VirtualTime(), []
    begun_s = clock.monotonic()

    async def look() -> None:
        looks.append(clock.monotonic() - begun_s)

    told = played(clock, followed(steps_of(EVENT), evidence(event=None), look))
    assert [(one.step.name, one.proof is None) for one in told] == [
        ("VEN at the VTN", False),
        ("event", True),
    ]
    assert told[-1].flaw == "event: not seen within 10 s: the VTN publishes it"
    assert 10 <= looks[-1] < 11


def test_a_step_that_comes_late_is_seen() -> None:
    clock, seen = VirtualTime(), evidence(responses=(1,))
    begun_s = clock.monotonic()

    async def look() -> None:
        if clock.monotonic() - begun_s > 15:
            seen.responses = (1, 2, 3)

    (told,) = played(clock, followed([STEPS["Responses"]], seen, look))
    assert told.proof == "1 2 3 at the server"


def test_event_and_telemetry_of_an_order_belong_together() -> None:
    order = order_of(ORDER)
    made = event_of(order, "event-1", NOW)
    (signal,) = made.signals
    assert [one.values for one in signal.intervals] == [(Decimal(-2500),)]
    assert (made.start, made.duration_s, made.targets) == (
        START,
        8,
        (Target(kind="resourceID", value="battery"),),
    )
    assert [
        (one.reportSpecifierID, one.start, one.duration_s, one.back_s, one.points)
        for one in requests_of(order, made)
    ] == [
        ("usage", START, 8, 8, (("battery power", "Direct Read"),)),
        ("status", START, 8, 8, (("battery status", "x-notApplicable"),)),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"resource": "battery"},
        {**ORDER, "watts": 2.5},
        {**ORDER, "watts": True},
        {**ORDER, "in_s": -1},
        {**ORDER, "for_s": 0},
        {**ORDER, "resource": 1},
    ],
)
def test_an_order_that_is_none_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="wanted"):
        order_of(wrong)


def answered(code: Code, opt: OptType) -> m.CreatedEvent:
    one = Answer(requestID="r", eventID="event-1", modification=0, code=code, optType=opt)
    return m.CreatedEvent(venID="ven-1", answers=(one,))


def updated(datum: Datum) -> m.UpdateReport:
    interval = ReportInterval(start=START, duration_s=4, data=(datum,))
    report = Report(
        reportRequestID="event-1 usage",
        reportSpecifierID="usage",
        reportName="TELEMETRY_USAGE",
        createdDateTime=NOW,
        start=START,
        intervals=(interval,),
    )
    return m.UpdateReport(requestID="r", reports=(report,), venID="ven-1")


def test_vtn_tells_what_the_ven_answered() -> None:
    (line,) = lines_of(answered(Code.SIGNAL_NOT_SUPPORTED, OptType.OUT), GOOD, ())
    assert (line["event"], line["opt"], line["code"]) == ("event-1", "optOut", 460)


def test_vtn_tells_nothing_of_what_it_refused() -> None:
    refused = m.Response(response=m.EiResponse(code=463))
    assert list(lines_of(answered(Code.OK, OptType.IN), refused, ())) == []


@pytest.mark.parametrize(("rid", "unit"), [("battery power", "W"), ("kilo", "kW"), ("unknown", "")])
def test_a_value_has_the_unit_that_the_ven_offered(rid: str, unit: str) -> None:
    (line,) = lines_of(updated(Datum(rID=rid, value=Decimal(-2500))), GOOD, OFFERS)
    assert (line["value"], line["unit"], line["event"], line["start"]) == (-2500.0, unit, "event-1", START)


def test_a_status_is_told_as_such() -> None:
    datum = Datum(rID="battery status", value=ResourceStatus(is_online=True, is_overridden=True))
    (line,) = lines_of(updated(datum), GOOD, OFFERS)
    assert (line["what"], line["is_online"], line["is_overridden"]) == ("status", True, True)


def test_event_of_the_utility_meets_no_control_of_the_operator() -> None:
    """Its device is free then: whatever the register shows is by its doing."""
    begins, ends = EVENT.at_s + EVENT.in_s, EVENT.at_s + EVENT.in_s + EVENT.duration_s
    for scene in (one for one in SCENES if one.device == EVENT.device):
        start = scene.at_s + scene.in_s
        end = start + (scene.cancel_after_s or scene.duration_s)
        assert end + 2 <= begins or start >= ends, scene.name


def test_a_demonstration_that_is_not_there_takes_no_event(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "event", "battery", "-1500", "--folder", str(tmp_path)]) == 2
    assert f"no VTN runs at {tmp_path}" in capsys.readouterr().err
