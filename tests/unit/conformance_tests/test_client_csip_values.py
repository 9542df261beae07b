"""What the CSIP cases of a client declare is what the facts say: rows, timelines, Responses, settings."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from conformance_tests import AnyCase, Level, Role
from conformance_tests.client.csip import CASES
from conformance_tests.client.csip.controls import RANDOMIZED
from conformance_tests.client.csip.functions import FREQ_WATT, FUNCTIONS, RAMPS, Curve, Settings
from conformance_tests.client.csip.scenarios import AGGREGATED, BASIC, Scenario
from conformance_tests.client.security import CASES as SECURITY
from function_sets import modes_of
from schemas import FreqDroopType, PowerFactorWithExcitation

SERIES = {one.name: one for one in (*BASIC, *AGGREGATED)}
BY_ID: Mapping[str, AnyCase] = {case.id: case for case in CASES}


def table(vectors: Path, name: str) -> Any:  # noqa: ANN401  a table of JSON
    return json.loads((vectors / name).read_text())


def scenario(vectors: Path, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(
        one for one in table(vectors, "csip_event_scenarios.json")["scenarios"] if one["id"] == name
    )
    return found


def controls_of(one: Scenario) -> list[dict[str, object]]:
    return [
        {
            "name": each.name,
            "program": each.program,
            "start_offset_s": each.start_s,
            "duration_s": each.duration_s,
            "mode": each.mode,
        }
        for each in one.controls
    ]


def expected_of(one: Scenario) -> dict[str, object]:
    groups: dict[str, object] = {
        ",".join(names): {name: list(codes) for name, codes in given.items()}
        for names, given in one.expected.items()
    }
    return groups.get("", groups)  # type: ignore[return-value]  # a DER client has one group


@pytest.mark.parametrize("name", sorted(SERIES))
def test_a_timeline_is_that_of_the_facts(vectors: Path, name: str) -> None:
    given, ours = scenario(vectors, name), SERIES[name]
    facts = [{k: v for k, v in one.items() if k != "created"} for one in given["controls"]]
    late = [not one["created"].startswith("before") for one in given["controls"]]

    assert controls_of(ours) == facts
    assert [one.is_late for one in ours.controls] == late
    assert ours.has_defaults == given["defaults_present"]
    assert expected_of(ours) == given["expected_responses"]


def test_every_series_of_the_facts_is_there(vectors: Path) -> None:
    rows = table(vectors, "csip_event_scenarios.json")["scenarios"]
    assert {one["id"] for one in rows if "modes" in one} == set(SERIES)


def test_the_random_parts_are_those_of_the_facts(vectors: Path) -> None:
    given = scenario(vectors, "CORE-021")["controls"]
    assert [(one["start_offset_s"], one["duration_s"], one["randomizeDuration"]) for one in given] == list(
        RANDOMIZED
    )


def curve_in(one: Curve) -> dict[str, object]:
    found: dict[str, object] = {"curveType": one.curve_type, "points": [list(p) for p in one.points]}
    if one.open_loop is not None:
        found |= {"openLoopTms": one.open_loop}
    if one.autonomous_v_ref is not None:
        found |= {"autonomousVRefEnable": one.autonomous_v_ref, "autonomousVRefTimeConstant": 0}
    return found


def value_in(value: object) -> object:
    if isinstance(value, PowerFactorWithExcitation):
        return {
            "displacement": value.displacement,
            "excitation": value.excitation,
            "multiplier": value.multiplier,
        }
    if isinstance(value, FreqDroopType):
        names = ("dBOF", "dBUF", "kOF", "kUF", "openLoopTms")
        return {name: getattr(value, name) for name in names}
    return getattr(value, "value", value)


def shown(settings: Settings) -> dict[str, object]:
    found = {mode: value_in(value) for mode, value in modes_of(settings.base).items()}
    return {**found, **{mode: curve_in(one) for mode, one in settings.curves.items()}}


def stripped(given: Mapping[str, Any]) -> dict[str, object]:
    """The facts without what they leave open, and without references that curves have in common."""
    found: dict[str, object] = {}
    for mode, value in given.items():
        if isinstance(value, str) or (isinstance(value, dict) and "note" in value):
            continue
        found[mode] = (
            {k: v for k, v in value.items() if k != "yRefType"} if isinstance(value, dict) else value
        )
    return found


@pytest.mark.parametrize("one", FUNCTIONS, ids=lambda one: one.name)
@pytest.mark.parametrize("part", ["default", "event"])
def test_settings_are_those_of_the_facts(vectors: Path, one: Any, part: str) -> None:  # noqa: ANN401  a Function
    rows = table(vectors, "csip_control_settings.json")["settings"]
    facts = stripped(next(row for row in rows if row["id"] == one.name)[part])
    ours = shown(getattr(one, part))

    assert {mode: ours[mode] for mode in facts} == facts


def test_ramps_and_the_frequency_watt_curve_are_those_of_the_facts(vectors: Path) -> None:
    rows = {row["id"]: row for row in table(vectors, "csip_control_settings.json")["settings"]}
    assert [rows["BASIC-007"]["default"], rows["BASIC-007"]["event"]] == list(RAMPS)
    curve = rows["BASIC-012"]["opModFreqWatt"]
    assert [list(point) for point in FREQ_WATT.points] == curve["points"]
    assert (FREQ_WATT.x_multiplier, FREQ_WATT.y_multiplier) == (curve["xMultiplier"], curve["yMultiplier"])


def test_every_row_of_the_procedures_has_its_cases(vectors: Path) -> None:
    """The chains of COMM-004 are in the module of certificates."""
    rows = table(vectors, "csip_tests.json")["tests"]
    wanted = {f"csip/{row['id']}/{Role.DER_CLIENT}" for row in rows if "C" in row["tags"].split(",")}
    wanted |= {
        f"csip/{row['id']}/{Role.AGGREGATOR}"
        for row in rows
        if "A" in row["tags"].split(",") or row["required"]["aggregator"]
    }
    chains = {case.id for case in SECURITY if case.family == "csip"}
    assert set(BY_ID) | chains == wanted


def test_what_is_required_must_be_and_what_is_optional_should(vectors: Path) -> None:
    rows = table(vectors, "csip_tests.json")["tests"]
    roles = {"der_client": Role.DER_CLIENT, "aggregator": Role.AGGREGATOR}
    wanted = {
        f"csip/{row['id']}/{role}": Level.MUST if row["required"][flag] else Level.SHOULD
        for row in rows
        for flag, role in roles.items()
    }
    assert {id_: case.level for id_, case in BY_ID.items()} == {id_: wanted[id_] for id_ in BY_ID}
