"""The simulated inverter against OpenDER, EPRI's model of IEEE 1547-2018; `make opender` runs that again."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.bench import disturbed, settled
from tests.oracle.points import DISTURBANCES, RATING_W, Disturbance, Point, points

FIGURES: Any = json.loads((Path(__file__).parents[1] / "data" / "opender_figures.json").read_text())
WITHIN = 0.01
POINTS = points()


def name_of(point: Point) -> str:
    """A short name of an operating point."""
    kind = "battery" if point["is_battery"] else "pv"
    functions = "+".join(point["functions"]) or "none"
    return f"{functions} {kind} {point['voltage']}pu {point['hertz']}Hz {point['power']}"


def test_there_are_figures_for_all_operating_points() -> None:
    assert len(FIGURES["settled"]) == len(POINTS) == 852


@pytest.mark.parametrize("number", range(len(POINTS)), ids=list(map(name_of, POINTS)))
def test_power_is_within_one_percent_of_the_reference_after_settling(number: int) -> None:
    power_w, reactive_var = settled(POINTS[number])
    expected_w, expected_var = FIGURES["settled"][number]
    assert power_w == pytest.approx(expected_w, abs=WITHIN * RATING_W)
    assert reactive_var == pytest.approx(expected_var, abs=WITHIN * RATING_W)


@pytest.mark.parametrize("case", DISTURBANCES, ids=lambda case: case["name"])
def test_trip_and_return_to_service_come_when_those_of_the_reference_do(case: Disturbance) -> None:
    figures, seen = FIGURES["disturbed"][case["name"]], disturbed(case)
    assert seen["ceased"] == pytest.approx(figures["ceased"], abs=0.02 + case["step_s"])
    assert seen["back"] == pytest.approx(figures["back"], abs=0.5)
    assert seen["whole"] == pytest.approx(figures["whole"], abs=1.0)
