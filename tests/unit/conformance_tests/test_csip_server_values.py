"""The series and settings that the runner plays against servers are those of the facts."""

import json
from pathlib import Path
from typing import Any

import pytest

from conformance_tests.server.csip import aggregator, events
from conformance_tests.server.csip.core import is_summer
from conformance_tests.server.csip.event_series import Series
from conformance_tests.server.csip.settings import FUNCTIONS, Shape
from conformance_tests.server.operator_acts import as_json
from schemas import Time

SERIES = {**events.SERIES, **aggregator.SERIES}


def facts(vectors: Path, file: str, key: str) -> dict[str, dict[str, Any]]:
    """Rows of a file of the facts by their id."""
    rows = json.loads((vectors / file).read_text())[key]
    return {row["id"]: row for row in rows}


def owed(series: Series, scenario: dict[str, Any]) -> dict[str, Any]:
    """What the parties of a series owe, as the facts write it."""
    if "device" in series.owed:
        return {name: list(codes) for name, codes in series.owed["device"].items()}
    return {
        group: {name: list(codes) for name, codes in series.owed[group.split(",")[0]].items()}
        for group in scenario["expected_responses"]
    }


@pytest.mark.parametrize("id_", SERIES)
def test_a_series_is_that_of_the_facts(vectors: Path, id_: str) -> None:
    scenario = facts(vectors, "csip_event_scenarios.json", "scenarios")[id_]
    series = SERIES[id_]
    planned = {
        one.name: (one.program, one.start_s, one.duration_s, next(iter(as_json(one.base))), one.later)  # type: ignore[arg-type]  # an object
        for one in series.controls
    }
    assert planned == {
        one["name"]: (
            one["program"],
            one["start_offset_s"],
            one["duration_s"],
            one["mode"],
            one["created"] != "before test",
        )
        for one in scenario["controls"]
    }
    assert owed(series, scenario) == scenario["expected_responses"]
    assert bool(series.defaults) is scenario["defaults_present"]


def test_every_series_of_the_facts_is_played(vectors: Path) -> None:
    played = {*SERIES, "BASIC-015", "BASIC-016", "AGG-002", "CORE-013", "CORE-021", "CORE-022", "CORE-023"}
    assert played == set(facts(vectors, "csip_event_scenarios.json", "scenarios"))


@pytest.mark.parametrize("id_", FUNCTIONS)
@pytest.mark.parametrize("when", ["default", "event"])
def test_a_setting_is_that_of_the_facts(vectors: Path, id_: str, when: str) -> None:
    row = facts(vectors, "csip_control_settings.json", "settings")[id_]
    function = FUNCTIONS[id_]
    shapes: tuple[Shape, ...] = getattr(function, f"{when}_curves")
    told = {name: value for name, value in row[when].items() if isinstance(value, dict) and "points" in value}
    held = {shape.mode: (shape.type, [list(point) for point in shape.points]) for shape in shapes}
    extra = {"opModFreqWatt", "opModLFRTMustTrip"}  # given apart, and not given whole, in the facts
    assert {mode: held[mode] for mode in told} == {
        mode: (value["curveType"], value["points"]) for mode, value in told.items()
    }
    assert set(held) - set(told) <= extra
    plain = {name: value for name, value in row[when].items() if not isinstance(value, str | dict)}
    base = as_json(getattr(function, when) or function.default)
    ramp = getattr(function, f"{when}_ramp") or (None, None)
    got = {**dict(base), "setGradW": ramp[0], "setSoftGradW": ramp[1]}  # type: ignore[arg-type]  # an object
    assert isinstance(base, dict)
    for name, value in plain.items():
        seen = got[name]
        assert (seen["value"] if isinstance(seen, dict) else seen) == value


@pytest.mark.parametrize(
    ("start", "end", "summers"),
    [(10, 20, {10, 15, 19}), (20, 10, {0, 9, 20, 25}), (0, 0, set())],
)
def test_summer_is_between_its_start_and_end_in_the_south_too(
    start: int, end: int, summers: set[int]
) -> None:
    found = {
        now
        for now in (0, 9, 10, 15, 19, 20, 25)
        if is_summer(
            Time(currentTime=now, dstStartTime=start, dstEndTime=end, dstOffset=3600, tzOffset=0, quality=7)
        )
    }
    assert found == summers
