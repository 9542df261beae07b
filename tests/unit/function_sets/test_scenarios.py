"""The event series of the CSIP tests, run second by second. IEEE 2030.5-2018, 10.2.3; CSIP tests v1.3."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from function_sets.events import Draw
from function_sets.precedence import TERMINAL, EventRecord, Outcome, Program, Rules, advance
from schemas import (
    DateTimeInterval,
    DefaultDERControl,
    DERControl,
    DERControlBase,
    EventStatus,
    PowerFactorWithExcitation,
)

T0 = 1_700_000_000
CREATED_S = 65
PRIMACY = {"SY": 10, "TF": 5, "TFA": 5, "SP": 4}
POWER_FACTOR = PowerFactorWithExcitation(displacement=950, excitation=False, multiplier=-3)
MODES = {
    "opModFixedPFInjectW": DERControlBase(opModFixedPFInjectW=POWER_FACTOR),
    "opModFixedW": DERControlBase(opModFixedW=5000),
}
GROUPS = {"EDA1,EDA2": frozenset({"SY", "TFA"}), "EDB1,EDB2": frozenset({"SY"})}
Change = Callable[[Mapping[str, Program]], Mapping[str, Program]]


@dataclass
class Run:
    """What a client did: codes in order by event, time of each code, and who held each mode when."""

    codes: dict[str, list[int]] = field(default_factory=dict)
    times: dict[tuple[str, int], int] = field(default_factory=dict)
    holders: list[dict[str, str | None]] = field(default_factory=list)
    records: Mapping[str, EventRecord] = field(default_factory=dict)

    def note(self, outcome: Outcome, at_s: int) -> None:
        for due in outcome.due:
            self.codes.setdefault(due.mRID, []).append(due.status)
            self.times[due.mRID, due.status] = at_s
        self.holders.append({mode: source.mRID for mode, source in outcome.modes.items()})
        self.records = outcome.records

    def held_s(self, mrid: str) -> int:
        """How many seconds an event governed some mode."""
        return sum(mrid in holder.values() for holder in self.holders)


def no_draw(control: DERControl) -> Draw:
    return Draw()


def simulate(
    programs: Iterable[Program],
    *,
    seconds: int,
    rules: Rules,
    changes: Mapping[int, Change] | None = None,
    draw: Callable[[DERControl], Draw] = no_draw,
) -> Run:
    run = Run()
    known: Mapping[str, Program] = {program.href: program for program in programs}
    for at_s in range(seconds):
        known = (changes or {}).get(at_s, dict)(known)
        run.note(advance(tuple(known.values()), run.records, T0 + at_s, rules=rules, draw=draw), at_s)
    return run


def control(
    mrid: str,
    start_s: int,
    duration_s: int,
    *,
    mode: str = "opModFixedPFInjectW",
    created_s: int = -10,
    randomize_duration_s: int | None = None,
) -> DERControl:
    return DERControl(
        replyTo="/rsps/1/rsp",
        responseRequired="07",
        mRID=mrid,
        creationTime=T0 + created_s,
        EventStatus_=EventStatus(currentStatus=0, dateTime=T0 + created_s, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=duration_s, start=T0 + start_s),
        randomizeDuration=randomize_duration_s,
        DERControlBase_=MODES[mode],
    )


def program(name: str, controls: Sequence[DERControl] = (), *, with_default: bool = True) -> Program:
    default = DefaultDERControl(mRID="DD", DERControlBase_=MODES["opModFixedPFInjectW"])
    return Program(
        href=f"/derp/{name}",
        mRID=f"{PRIMACY[name]:02X}",
        primacy=PRIMACY[name],
        default=default if with_default else None,
        controls=tuple(controls),
    )


def adding(name: str, new: DERControl) -> Change:
    def change(known: Mapping[str, Program]) -> Mapping[str, Program]:
        href = f"/derp/{name}"
        return {**known, href: replace(known[href], controls=(*known[href].controls, new))}

    return change


def with_status(status: int, at_s: int, *mrids: str) -> Change:
    """Set a status on controls of the service point."""

    def marked(one: DERControl) -> DERControl:
        given = EventStatus(currentStatus=status, dateTime=T0 + at_s, potentiallySuperseded=False)
        return replace(one, EventStatus_=given) if one.mRID in mrids else one

    def change(known: Mapping[str, Program]) -> Mapping[str, Program]:
        sp = known["/derp/SP"]
        return {**known, sp.href: replace(sp, controls=tuple(map(marked, sp.controls)))}

    return change


def is_late(one: Mapping[str, Any]) -> bool:
    return not str(one["created"]).startswith("before")


def control_of(one: Mapping[str, Any]) -> DERControl:
    created_s = CREATED_S if is_late(one) else -10
    start_s = one["start_offset_s"] + (CREATED_S if is_late(one) else 0)
    return control(one["name"], start_s, one["duration_s"], mode=one["mode"], created_s=created_s)


def scenario(vectors: Path, name: str) -> Mapping[str, Any]:
    table = json.loads((vectors / "csip_event_scenarios.json").read_text())
    found: Mapping[str, Any] = next(one for one in table["scenarios"] if one["id"] == name)
    return found


def run_of(given: Mapping[str, Any], names: Iterable[str], rules: Rules) -> Run:
    seen = [one for one in given["controls"] if one["program"] in names]
    programs = [
        program(
            name,
            [control_of(one) for one in seen if one["program"] == name and not is_late(one)],
            with_default=given["defaults_present"],
        )
        for name in names
    ]
    late = [adding(one["program"], control_of(one)) for one in seen if is_late(one)]
    return simulate(programs, seconds=700, rules=rules, changes=dict(zip([CREATED_S], late, strict=False)))


@pytest.mark.parametrize("name", [f"BASIC-{number:03}" for number in range(16, 27)])
def test_direct_client_sends_the_responses_of_the_series(vectors: Path, name: str) -> None:
    given = scenario(vectors, name)
    run = run_of(given, ("SY", "SP"), Rules())
    assert run.codes == given["expected_responses"]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("name", [f"AGG-{number:03}" for number in range(2, 13)])
def test_aggregator_sends_the_responses_of_each_group(vectors: Path, name: str, group: str) -> None:
    given = scenario(vectors, name)
    run = run_of(given, sorted(GROUPS[group]), Rules.of_aggregator())
    assert run.codes == given["expected_responses"][group]


@pytest.mark.parametrize(("name", "at_s"), [("BASIC-021", 150), ("BASIC-022", 270), ("BASIC-023", 305)])
def test_no_event_runs_where_the_winner_does_not(vectors: Path, name: str, at_s: int) -> None:
    run = run_of(scenario(vectors, name), ("SY", "SP"), Rules())
    assert run.holders[at_s] == {"opModFixedPFInjectW": None}


def test_running_event_gives_way_at_the_start_of_the_better_one(vectors: Path) -> None:
    run = run_of(scenario(vectors, "BASIC-023"), ("SY", "SP"), Rules())
    assert (run.times["c1", 7], run.times["c2", 2]) == (185, 185)


def test_independent_modes_run_side_by_side(vectors: Path) -> None:
    run = run_of(scenario(vectors, "BASIC-024"), ("SY", "SP"), Rules())
    assert run.holders[200] == {"opModFixedPFInjectW": "c1", "opModFixedW": "c2"}


@pytest.mark.parametrize(("group", "primacy"), [("EDA1,EDA2", 5), ("EDB1,EDB2", 10)])
def test_default_of_the_best_program_of_the_group_holds(group: str, primacy: int) -> None:
    programs = [program(name) for name in GROUPS[group]]
    outcome = advance(programs, {}, T0, rules=Rules.of_aggregator(), draw=no_draw)
    assert {source.primacy for source in outcome.modes.values()} == {primacy}


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
def test_core_021_randomized_durations_stay_in_their_window(vectors: Path, part: float) -> None:
    given = scenario(vectors, "CORE-021")["controls"]
    controls = [
        control(c["name"], c["start_offset_s"], c["duration_s"], randomize_duration_s=c["randomizeDuration"])
        for c in given
    ]

    def draw(one: DERControl) -> Draw:
        return Draw(duration_s=round(part * (one.randomizeDuration or 0)))

    run = simulate([program("SP", controls)], seconds=800, rules=Rules(), draw=draw)
    assert run.codes == {"c1": [1, 2, 3], "c2": [1, 2, 3], "c3": [1, 2, 3]}
    expected = {"c1": 120, "c2": 60 + round(30 * part), "c3": 180 - round(30 * part)}
    assert {mrid: run.held_s(mrid) for mrid in run.codes} == expected


def test_core_022_cancelled_event_ends_at_once(vectors: Path) -> None:
    given = scenario(vectors, "CORE-022")
    controls = [control(c["name"], c["start_offset_s"], c["duration_s"]) for c in given["controls"]]
    changes = {200: with_status(2, 200, "c1")}
    run = simulate([program("SP", controls)], seconds=800, rules=Rules(), changes=changes)
    assert run.codes == given["expected_responses"]
    assert run.held_s("c1") == 20


@pytest.mark.parametrize(
    ("rules", "code"), [(Rules(), 7), (Rules.of_aggregator(), 14)], ids=["direct", "aggregator"]
)
def test_core_023_one_of_three_at_the_same_time_wins(rules: Rules, code: int) -> None:
    programs = [program(name, [control(mrid, 120, 60)]) for name, mrid in (("SY", "A"), ("TF", "B"))]
    programs.append(program("SP", [control("C", 120, 60)]))
    run = simulate(programs, seconds=300, rules=rules)
    assert run.codes == {"A": [1, code], "B": [1, code], "C": [1, 2, 3]}


def test_core_013_each_of_ten_programs_has_its_turn_with_the_default_between() -> None:
    programs = [
        replace(program("SP", [control(f"C{n}", 60 * n, 30)]), href=f"/derp/{n}", mRID=f"{n:02X}", primacy=n)
        for n in range(1, 11)
    ]
    run = simulate(programs, seconds=700, rules=Rules())
    assert run.codes == {f"C{n}": [1, 2, 3] for n in range(1, 11)}
    turns = [run.holders[60 * n + second]["opModFixedPFInjectW"] for n in range(1, 11) for second in (15, 45)]
    assert turns == [holder for n in range(1, 11) for holder in (f"C{n}", None)]


def test_basic_015_cancelled_events_are_dropped() -> None:
    controls = [control(f"A{n:02}", 120 * n, 60) for n in range(1, 25)]
    others = [one.mRID for one in controls[1:]]
    programs = [program("SP", controls), program("TF", [control("F1", 120, 60)])]
    run = simulate(programs, seconds=3200, rules=Rules(), changes={181: with_status(2, 181, *others)})
    assert run.codes["A01"] == [1, 2, 3]
    assert run.codes["F1"] == [1, 7]
    assert {tuple(run.codes[mrid]) for mrid in others} == {(1, 6)}
    assert [run.held_s(mrid) for mrid in others] == [0] * 23
    assert all(record.phase in TERMINAL for record in run.records.values())
