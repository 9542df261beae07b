"""The parts of the demonstration that judge and tell."""

import io

import pytest

from lineside.demo.observer import Observer, Seen
from lineside.demo.story import DEFAULT_REGISTER, SCENES, Scene
from lineside.demo.timeline import Timeline
from lineside.demo.verdict import default_row, row_of, table

LIMIT = SCENES[0]
DISCHARGE = SCENES[1]


def seen(name: str, value: float, *, at_s: float = 1.0) -> Seen:
    return Seen(time_s=at_s, device="pv", name=name, address=40311, raw="1388", value=value)


def test_scene_is_fine_where_responses_register_and_frame_are_as_told() -> None:
    row = row_of(DISCHARGE, [1, 2, 3], [seen("704.WSet", 3000.0)], [seen("Measurements.Current", -57.6)])
    assert row.flaws == ()
    assert row.register == "40311 704.WSet 1388 = 3000"


@pytest.mark.parametrize(
    ("scene", "responses", "registers", "frames", "flaw"),
    [
        (LIMIT, [1, 2], [seen("704.WMaxLimPct", 50.0)], [], "responses [1, 2], wanted [1, 2, 3]"),
        (LIMIT, [1, 2, 3], [seen("704.WMaxLimPct", 80.0)], [], "704.WMaxLimPct was never 50"),
        (DISCHARGE, [1, 2, 3], [seen("704.WSet", 3000.0)], [], "Current never between -75 and -45"),
    ],
)
def test_what_was_not_seen_is_named(
    scene: Scene, responses: list[int], registers: list[Seen], frames: list[Seen], flaw: str
) -> None:
    row = row_of(scene, responses, registers, frames)
    assert row.flaws == (flaw,)
    assert f"  {scene.name}: {flaw}" in table([row])
    assert "NOT SEEN" in table([row])


def test_default_needs_no_response_but_its_register() -> None:
    assert default_row("d", "pv", DEFAULT_REGISTER, [seen("704.WMaxLimPct", 80.0)]).flaws == ()
    assert default_row("d", "pv", DEFAULT_REGISTER, []).flaws == ("704.WMaxLimPct was never 80",)


def test_observer_gives_what_it_saw_in_a_span_of_time() -> None:
    observer = Observer(lambda _: None)
    observer.seen += [seen("704.WSet", 1.0, at_s=1.0), seen("704.WSet", 2.0, at_s=5.0), seen("701.W", 3.0)]
    assert [s.value for s in observer.values("pv", "704.WSet", 0.0, 2.0)] == [1.0]


def test_line_of_the_timeline_fits_the_terminal() -> None:
    out = io.StringIO()
    Timeline(out=out, started_s=100.0).tell("pv", "x" * 200, at_s=102.5)
    line = out.getvalue()
    assert line.startswith("   2.5 s  pv        xxx")
    assert line.endswith("...\n")
    assert len(line) == 101


def test_every_scene_has_a_name_that_fits_a_description() -> None:
    assert all(len(scene.name.encode()) <= 32 for scene in SCENES)
    assert len({scene.name for scene in SCENES}) == len(SCENES)
