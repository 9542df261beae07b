"""The event series of the CSIP tests between our client and our server. CSIP tests v1.3."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from certs import Pki
from function_sets import Draw, Rules
from schemas import DefaultDERControl, DERControl, DERControlBase, PowerFactorWithExcitation
from sep2_server.rows import Row
from tests.integration.client.stepped import FAST, Procedure, cancel, procedure, set_default
from tests.integration.sep2_harness import START, Bench, make_control, running

PRIMACY = {"SY": 10, "TF": 5, "TFA": 5, "SP": 4}
MEMBERS = {"SY": ("EDA1", "EDA2", "EDB1", "EDB2"), "TFA": ("EDA1", "EDA2")}
FACTOR = PowerFactorWithExcitation(displacement=950, excitation=False, multiplier=-3)
MODES = {
    "opModFixedPFInjectW": DERControlBase(opModFixedPFInjectW=FACTOR),
    "opModFixedW": DERControlBase(opModFixedW=5_000),
}
BEFORE, LATE_S, END_S = 1, 65, 700


@pytest.fixture
async def bench(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    async with running(tmp_path, sep2_pki, poll_rate=FAST, uri_salt="pepper") as it:
        yield it


def scenario(vectors: Path, name: str) -> Mapping[str, Any]:
    table = json.loads((vectors / "csip_event_scenarios.json").read_text())
    found: Mapping[str, Any] = next(one for one in table["scenarios"] if one["id"] == name)
    return found


async def programs_of(
    bench: Bench, members: Mapping[str, Sequence[str]], *, defaults: bool
) -> dict[str, Row]:
    """A program for each node of the topology, with a default where wanted."""
    found = {}
    for name, names in members.items():
        _, found[name] = await bench.group(name, *names, primacy=PRIMACY[name])
        if defaults:
            mrid = f"D{PRIMACY[name]:03d}"
            base = MODES["opModFixedPFInjectW"]
            await set_default(bench, found[name], DefaultDERControl(mRID=mrid, DERControlBase_=base))
    return found


def control_of(one: Mapping[str, Any], shift_s: int = 0) -> DERControl:
    control = make_control(
        one["name"].upper(),
        START + one["start_offset_s"] + shift_s,
        one["duration_s"],
        created=START + shift_s,
        base=MODES[one.get("mode", "opModFixedPFInjectW")],
    )
    control.responseRequired = "07"
    return control


def is_late(one: Mapping[str, Any]) -> bool:
    return not str(one.get("created", "before")).startswith("before")


def mrids(controls: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {one["name"]: one["name"].upper() for one in controls}


async def played(bench: Bench, run: Procedure, given: Mapping[str, Any], programs: Mapping[str, Row]) -> None:
    """Play a scenario to its end: what is known before, what comes while it goes on."""
    for one in given["controls"]:
        if not is_late(one):
            await bench.control(programs[one["program"]], control_of(one))
    await run.to(LATE_S)
    for one in given["controls"]:
        if is_late(one):
            await bench.control(programs[one["program"]], control_of(one, LATE_S))
    await run.to(END_S)


@pytest.mark.parametrize("name", [f"BASIC-{number:03}" for number in range(16, 27)])
async def test_a_direct_client_answers_as_the_series_wants(
    vectors: Path, bench: Bench, tmp_path: Path, name: str
) -> None:
    given = scenario(vectors, name)
    async with procedure(bench, tmp_path, ["direct"], rules=Rules()) as run:
        nodes = {"SY": ("direct",), "SP": ("direct",)}
        programs = await programs_of(bench, nodes, defaults=given["defaults_present"])
        await played(bench, run, given, programs)

        assert run.codes("direct", mrids(given["controls"])) == given["expected_responses"]


@pytest.mark.parametrize("name", [f"AGG-{number:03}" for number in range(2, 13)])
async def test_an_aggregator_answers_for_each_device_as_the_series_wants(
    vectors: Path, bench: Bench, tmp_path: Path, name: str
) -> None:
    given = scenario(vectors, name)
    async with procedure(bench, tmp_path, MEMBERS["SY"], rules=Rules.of_aggregator()) as run:
        programs = await programs_of(bench, MEMBERS, defaults=given["defaults_present"])
        await played(bench, run, given, programs)
        found = {device: run.codes(device, mrids(given["controls"])) for device in MEMBERS["SY"]}

    expected = given["expected_responses"]
    assert found == {
        "EDA1": expected["EDA1,EDA2"],
        "EDA2": expected["EDA1,EDA2"],
        "EDB1": expected["EDB1,EDB2"],
        "EDB2": expected["EDB1,EDB2"],
    }


@pytest.mark.parametrize("part", [0.0, 1.0])
async def test_core_021_random_parts_of_the_duration_are_lived(
    vectors: Path, bench: Bench, tmp_path: Path, part: float
) -> None:
    def draw(one: DERControl) -> Draw:
        return Draw(duration_s=round(part * (one.randomizeDuration or 0)))

    given = scenario(vectors, "CORE-021")["controls"]
    async with procedure(bench, tmp_path, ["direct"], rules=Rules(), draw=draw) as run:
        programs = await programs_of(bench, {"SP": ("direct",)}, defaults=True)
        for one in given:
            control = control_of(one)
            control.randomizeDuration = one["randomizeDuration"]
            await bench.control(programs["SP"], control)
        await run.to(800)
        created = {
            (report.subject, report.status): report.created
            for one in given
            for report in bench.store.reader.reports(one["name"].upper())
        }
    lived = [created_of(created, mrid, 3) - created_of(created, mrid, 2) for mrid in ("C1", "C2", "C3")]

    assert lived == [120, 60 + round(30 * part), 180 - round(30 * part)]


def created_of(created: Mapping[tuple[str, int | None], int | None], mrid: str, status: int) -> int:
    found = {(subject.lstrip("0").upper(), code): at for (subject, code), at in created.items()}
    at = found[mrid, status]
    assert at is not None
    return at


async def test_core_022_a_cancelled_event_is_answered_with_6(
    vectors: Path, bench: Bench, tmp_path: Path
) -> None:
    given = scenario(vectors, "CORE-022")
    async with procedure(bench, tmp_path, ["direct"], rules=Rules()) as run:
        programs = await programs_of(bench, {"SP": ("direct",)}, defaults=True)
        rows = [await bench.control(programs["SP"], control_of(one)) for one in given["controls"]]
        await run.to(200)
        await cancel(bench, rows[0])
        await run.to(202)
        await run.to(800)

        assert run.codes("direct", mrids(given["controls"])) == given["expected_responses"]
        assert run.holder("direct", 200) == "C1"
        assert run.holder("direct", 202) is None


@pytest.mark.parametrize(
    ("rules", "code"), [(Rules(), 7), (Rules.of_aggregator(), 14)], ids=["seven", "fourteen"]
)
async def test_core_023_of_three_events_at_one_time_the_best_runs(
    bench: Bench, tmp_path: Path, rules: Rules, code: int
) -> None:
    names = {"SY": "c1", "TF": "c2", "SP": "c3"}
    async with procedure(bench, tmp_path, ["direct"], rules=rules) as run:
        programs = await programs_of(bench, dict.fromkeys(names, ("direct",)), defaults=True)
        for node, name in names.items():
            one = {"name": name, "start_offset_s": 120, "duration_s": 60}
            await bench.control(programs[node], control_of(one))
        await run.to(300)
        found = run.codes("direct", {name: name.upper() for name in names.values()})

    assert found == {"c1": [1, code], "c2": [1, code], "c3": [1, 2, 3]}


async def test_core_013_ten_programs_have_their_turns(bench: Bench, tmp_path: Path) -> None:
    async with procedure(bench, tmp_path, ["direct"], rules=Rules()) as run:
        for number in range(1, 11):
            _, row = await bench.group(f"P{number}", "direct", primacy=number)
            base = MODES["opModFixedPFInjectW"]
            default = DefaultDERControl(mRID=f"D{number:03d}", DERControlBase_=base)
            await set_default(bench, row, default)
            one = {"name": f"c{number:03d}", "start_offset_s": 60 * number, "duration_s": 30}
            await bench.control(row, control_of(one))
        await run.to(700)
        turns = [run.holder("direct", 60 * number + 10) for number in range(1, 11)]
        between = {run.holder("direct", 60 * number + 40) for number in range(1, 11)}

    assert turns == [f"C{number:03d}" for number in range(1, 11)]
    assert between == {None}


async def test_basic_015_events_that_are_cancelled_before_they_start_are_dropped(
    bench: Bench, tmp_path: Path
) -> None:
    async with procedure(bench, tmp_path, ["direct"], rules=Rules()) as run:
        programs = await programs_of(bench, {"SP": ("direct",), "TF": ("direct",)}, defaults=True)
        rows = {}
        for number in range(1, 25):
            name = f"aa{number:02d}"
            one = {"name": name, "start_offset_s": 120 * number, "duration_s": 60}
            rows[name] = await bench.control(programs["SP"], control_of(one))
        await bench.control(
            programs["TF"], control_of({"name": "f1", "start_offset_s": 120, "duration_s": 60})
        )
        await run.to(181)
        for name in list(rows)[1:]:
            await cancel(bench, rows[name])
        await run.to(400)
        found = run.codes("direct", {name: name.upper() for name in (*rows, "f1")})

    assert found.pop("aa01") == [1, 2, 3]
    assert found.pop("f1") == [1, 7]
    assert set(map(tuple, found.values())) == {(1, 6)}
    assert len(found) == 23
