"""EndDeviceControls: how much storage may take in, and what is answered. IEEE 2030.5-2018, 10.3, 10.2.3."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from der_client.discovery import Walk, Want
from der_client.flow import drawn_w_of
from der_client.load_control import LOAD, DrawnBefore, program_of
from der_client.offer_view import offered_of
from der_client.offers import Offered, Offers, OfferStep, Storage, is_offer, together
from der_client.price import PriceSettings
from der_client.quantity import active_power_w
from function_sets import Draw, EventRecord, ModeSource, Program, Rules
from schemas import (
    ActivePower,
    ApplianceLoadReduction,
    DateTimeInterval,
    DemandResponseProgram,
    DemandResponseProgramList,
    DrResponse,
    DutyCycle,
    EndDeviceControl,
    EndDeviceControlList,
    EndDeviceControlListLink,
    EventStatus,
    FunctionSetAssignments,
    Offset,
    Resource,
    SetPoint,
    TargetReduction,
)

EV = 1 << 16
STORAGE = Storage(charge_w=10_000.0, discharge_w=5_000.0, category=EV, limits_load=True, drawn_w=4_000.0)
SCHEDULED = EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False)
KW, WATTS, KWH = 1, 2, 0


def event(mrid: str = "A0", start: int = 100, end: int = 200, **changes: object) -> EndDeviceControl:
    """A control of electric vehicles that asks for nothing until `changes` say for what."""
    made = EndDeviceControl(
        href=f"/edc/{mrid}",
        replyTo="/rsp",
        responseRequired="07",
        mRID=mrid,
        creationTime=int(mrid, 16),
        EventStatus_=SCHEDULED,
        interval=DateTimeInterval(duration=end - start, start=start),
        deviceCategory=f"{EV:08X}",
        drProgramMandatory=False,
        loadShiftForward=False,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def listed(name: str = "1", primacy: int = 1) -> DemandResponseProgram:
    return DemandResponseProgram(
        href=f"/dr/{name}",
        mRID=f"D{name}",
        primacy=primacy,
        EndDeviceControlListLink_=EndDeviceControlListLink(href=f"/dr/{name}/edc"),
    )


def offered(*events: EndDeviceControl) -> Offered:
    return Offered(load_programs=(program_of(listed(), events),))


class Run:
    """Offers at work on a manual clock: the limits that storage was given, and the codes that were owed."""

    def __init__(self, records: Mapping[str, EventRecord] | None = None) -> None:
        self.offers = Offers(PriceSettings(), lambda _: Draw(), records)
        self.owed: list[tuple[str, int]] = []

    def at(
        self, now: int, found: Offered, rules: Rules | None = None, storage: Storage = STORAGE
    ) -> float | None:
        """The most that storage may take in at a moment, W."""
        step = self.step(now, found, rules, storage)
        source = step.modes.get(LOAD)
        return active_power_w(source.value) if source and isinstance(source.value, ActivePower) else None

    def step(
        self,
        now: int,
        found: Offered,
        rules: Rules | None = None,
        storage: Storage = STORAGE,
        failing: frozenset[str] = frozenset(),
    ) -> OfferStep:
        step = self.offers.step(found, now, rules or Rules(), storage, failing=failing)
        assert all(one.response is DrResponse for one in step.owed)
        self.owed += [(one.due.mRID, one.due.status) for one in step.owed]
        return step


@pytest.mark.parametrize(
    ("asked", "drawn_w", "expected_w"),
    [
        ({"DutyCycle_": DutyCycle(normalValue=25)}, 4_000.0, 2_500.0),
        ({"DutyCycle_": DutyCycle(normalValue=0)}, 4_000.0, 0.0),
        ({"DutyCycle_": DutyCycle(normalValue=250)}, 4_000.0, 10_000.0),
        ({"Offset_": Offset(loadAdjustmentPercentageOffset=2_500)}, 4_000.0, 3_000.0),
        ({"Offset_": Offset(loadAdjustmentPercentageOffset=2_500)}, 0.0, 7_500.0),
        ({"Offset_": Offset(loadAdjustmentPercentageOffset=2_500)}, None, 7_500.0),
        ({"TargetReduction_": TargetReduction(type=WATTS, value=1_500)}, 4_000.0, 2_500.0),
        ({"TargetReduction_": TargetReduction(type=KW, value=3)}, 4_000.0, 1_000.0),
        ({"TargetReduction_": TargetReduction(type=WATTS, value=65_535)}, 4_000.0, 0.0),
        ({"TargetReduction_": TargetReduction(type=KW, value=65_535)}, 4_000.0, 0.0),
        ({"ApplianceLoadReduction_": ApplianceLoadReduction(type=0)}, 4_000.0, 0.0),
        ({"ApplianceLoadReduction_": ApplianceLoadReduction(type=1)}, 4_000.0, 0.0),
        (
            {
                "DutyCycle_": DutyCycle(normalValue=25),
                "TargetReduction_": TargetReduction(type=WATTS, value=2_000),
            },
            4_000.0,
            2_000.0,
        ),
    ],
)
def test_a_control_limits_what_storage_takes_in_for_its_time(
    asked: dict[str, object], drawn_w: float | None, expected_w: float
) -> None:
    """DutyCycle is of the rating; reductions are of what was taken in before."""
    run, storage = Run(), replace(STORAGE, drawn_w=drawn_w)
    control = replace(event(), **asked)  # type: ignore[arg-type]
    limits = [run.at(now, offered(control), storage=storage) for now in (0, 99, 100, 199, 200)]

    assert limits == [None, None, pytest.approx(expected_w), pytest.approx(expected_w), None]
    assert run.owed == [("A0", 1), ("A0", 2), ("A0", 3)]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"SetPoint_": SetPoint(coolingSetpoint=2_500)},
        {"Offset_": Offset(coolingOffset=20)},
        {"TargetReduction_": TargetReduction(type=KWH, value=2)},
        {"DutyCycle_": DutyCycle(normalValue=25), "loadShiftForward": True},
    ],
)
def test_what_storage_can_do_nothing_of_is_rejected_as_not_applicable(asked: dict[str, object]) -> None:
    run = Run()
    control = replace(event(), **asked)  # type: ignore[arg-type]

    assert [run.at(now, offered(control)) for now in (0, 150)] == [None, None]
    assert run.owed == [("A0", 252)]


def test_a_client_without_storage_rejects_what_it_cannot_limit() -> None:
    run, storage = Run(), replace(STORAGE, limits_load=False)

    assert run.at(150, offered(event(DutyCycle_=DutyCycle(normalValue=0))), storage=storage) is None
    assert run.owed == [("A0", 252)]


@pytest.mark.parametrize(
    ("category", "is_ours"), [("00010000", True), ("00030000", True), ("00000001", False)]
)
def test_a_control_of_other_devices_is_ignored(category: str, is_ours: bool) -> None:
    run = Run()
    limit_w = run.at(150, offered(event(DutyCycle_=DutyCycle(normalValue=0), deviceCategory=category)))

    assert limit_w == (0.0 if is_ours else None)
    assert run.owed == ([("A0", 1), ("A0", 2)] if is_ours else [])


def test_a_newer_control_of_the_same_kind_supersedes_and_of_others_the_least_limit_holds() -> None:
    first = event("A1", DutyCycle_=DutyCycle(normalValue=80))
    newer = event("A2", start=150, DutyCycle_=DutyCycle(normalValue=50))
    other = event("A3", start=150, ApplianceLoadReduction_=ApplianceLoadReduction(type=1))
    run = Run()

    assert run.at(120, offered(first)) == 8_000.0
    assert run.at(150, offered(first, newer)) == 5_000.0
    assert run.at(160, offered(first, newer, other)) == 0.0
    assert ("A1", 7) in run.owed


def test_a_control_that_is_cancelled_ends_at_once() -> None:
    gone = EventStatus(currentStatus=2, dateTime=150, potentiallySuperseded=False)
    run, control = Run(), event(DutyCycle_=DutyCycle(normalValue=0))
    run.at(100, offered(control))

    assert run.at(150, offered(replace(control, EventStatus_=gone))) is None
    assert run.owed == [("A0", 1), ("A0", 2), ("A0", 6)]


def test_an_owner_who_opts_out_may_charge_and_says_so() -> None:
    run, control = Run(), event(DutyCycle_=DutyCycle(normalValue=0))
    run.at(100, offered(control))

    assert run.at(150, offered(control), Rules(opted_out_of=frozenset({"A0"}))) is None
    assert run.owed[-1] == ("A0", 4)


def test_storage_that_does_not_hold_the_limit_is_not_said_to_have_kept_it() -> None:
    run, control = Run(), event(DutyCycle_=DutyCycle(normalValue=0))
    run.step(100, offered(control))
    run.step(150, offered(control), failing=frozenset({LOAD}))
    run.step(200, offered(control))

    assert ("A0", 3) not in run.owed


def test_reductions_count_from_what_was_taken_in_as_the_event_began_also_after_a_restart() -> None:
    control = event(Offset_=Offset(loadAdjustmentPercentageOffset=5_000))
    run = Run()
    run.at(100, offered(control))
    later = Run(run.offers.records)
    later.offers.before = DrawnBefore.of(run.offers.before.text())

    assert later.at(150, Offered(), storage=replace(STORAGE, drawn_w=2_000.0)) == 2_000.0
    assert later.owed == []
    assert all(is_offer(record) for record in later.offers.records.values())


def test_a_program_that_is_not_assigned_any_more_ends_its_events() -> None:
    run = Run()
    run.at(100, offered(event(DutyCycle_=DutyCycle(normalValue=0))))

    assert run.at(150, Offered(load_programs=())) is None
    assert run.owed[-1] == ("A0", 6)


def test_what_was_drawn_is_forgotten_with_its_event() -> None:
    before = DrawnBefore()
    before.note(["A0"], 4_000.0, ["A0"])
    before.note(["A1"], 3_000.0, ["A1"])

    assert before.text() == '{"A1": 3000.0}'
    assert DrawnBefore.of(None).drawn_w == {}


def source(mode: str, watts: int) -> ModeSource:
    value = ActivePower(multiplier=0, value=watts)
    return ModeSource(mode=mode, value=value, mRID="A0", program_href="/p", primacy=1)


@pytest.mark.parametrize(("own_w", "expected_w"), [(None, 3_000), (2_000, 2_000), (4_000, 3_000)])
def test_of_the_limits_of_programs_and_of_load_controls_the_lesser_holds(
    own_w: int | None, expected_w: int
) -> None:
    modes = {} if own_w is None else {LOAD: source(LOAD, own_w)}
    target = source("opModStorageTargetW", 100)
    found = together(modes, {LOAD: source(LOAD, 3_000), "opModStorageTargetW": target})

    assert found[LOAD].value == ActivePower(multiplier=0, value=expected_w)
    assert found["opModStorageTargetW"] == target


def test_a_power_that_a_program_sets_goes_before_what_is_offered_and_within_the_limit() -> None:
    modes = {"opModFixedW": source("opModFixedW", 1)}

    assert together(modes, {"opModStorageTargetW": source("opModStorageTargetW", 100)}) == modes


def walk(*hrefs: str, assigned: bool = True) -> Walk:
    wants = {href: Want(href=href, type=DemandResponseProgramList, poll_s=900) for href in hrefs}
    return Walk(wants=wants, assignments=(FunctionSetAssignments(mRID="F1"),) if assigned else ())


def test_programs_of_load_controls_are_made_of_what_is_held() -> None:
    control = event(DutyCycle_=DutyCycle(normalValue=0))
    held: dict[str, Resource | None] = {
        "/dr": DemandResponseProgramList(all=2, results=2, DemandResponseProgram_=[listed(), listed("2", 5)]),
        "/dr/1/edc": EndDeviceControlList(all=1, results=1, EndDeviceControl_=[control]),
    }
    programs = offered_of(walk("/dr"), held).load_programs

    assert programs is not None
    assert [(one.href, one.primacy, len(one.controls)) for one in programs] == [
        ("load control /dr/1", 1, 1),
        ("load control /dr/2", 5, 0),
    ]


@pytest.mark.parametrize(
    ("own", "expected"), [(walk(), ()), (walk("/dr"), None), (walk(assigned=False), None)]
)
def test_what_is_not_known_of_load_controls_ends_none(
    own: Walk, expected: tuple[Program, ...] | None
) -> None:
    assert offered_of(own, {"/dr": None}).load_programs == expected


def test_nothing_is_drawn_where_nothing_was_read() -> None:
    assert drawn_w_of([]) is None
