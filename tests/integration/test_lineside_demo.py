"""The demonstration plays its whole story, and the README shows what it really prints."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lineside.demo.steps import steps_of
from lineside.demo.story import EVENT

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture(scope="module")
def printed() -> str:
    """What `lineside demo --once` prints; it must have seen everything."""
    command = [sys.executable, "-m", "lineside", "demo", "--once"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert done.stderr == ""
    return done.stdout


def table_of(text: str) -> list[str]:
    """The lines of the closing table, with currents rounded away and runs of blanks folded."""
    lines = text[text.index("control                 device") :].splitlines()
    end = next(n for n, line in enumerate(lines) if not line.strip() or line.startswith("```"))
    return [re.sub(r"\s+", " ", re.sub(r"-?\d+(\.\d+)? A", "A", line)).strip("- ") for line in lines[:end]]


def test_readme_shows_the_table_that_the_demo_prints(printed: str) -> None:
    assert table_of(README.read_text()) == table_of(printed)


def test_story_itself_takes_little_more_than_half_a_minute(printed: str) -> None:
    """From when the operator is ready: how long everything takes to start is the machine's affair."""
    ready, seen = (
        re.search(r"^ *([\d.]+) s +operator +ready", printed, re.M),
        re.search(r"all seen in (\d+) s", printed),
    )
    assert ready is not None
    assert seen is not None
    assert int(seen[1]) - float(ready[1]) < 45


def test_event_of_the_utility_goes_all_the_way_and_back_in_its_order(printed: str) -> None:
    lines = (
        r"vtn +registered: site is ven-\d+, signed",
        r"vtn +published: event-1: LOAD_DISPATCH setpoint -2500 W for battery",
        r"vtn +opt: ven-\d+: optIn to event-1, 200",
        r"battery +control: DERControl \w{8}\.\.\. active: opModTargetW 2500 W",
        r"observer +battery: 40320 704.WSet \[0000 09C4\] = 2500 W",
        r"battery +response: 3 to DERControl \w{8}\.\.\. \(VTN event -2.5 kW\)",
    )
    places = [re.search(line, printed) for line in lines]
    assert [line for line, place in zip(lines, places, strict=True) if place is None] == []
    starts = [place.start() for place in places if place is not None]
    assert starts == sorted(starts)


def test_steps_of_the_event_are_told_with_what_showed_them(printed: str) -> None:
    steps = printed.split("what became of the utility's event\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    assert [line[:15].strip() for line in steps] == [step.name for step in steps_of(EVENT)]
    assert re.search(r"telemetry +battery power: -2[3456]\d\d W over 2 s", steps[5])
    assert "online, not overridden" in steps[6]


def test_every_line_fits_a_terminal_of_100_columns(printed: str) -> None:
    assert [line for line in printed.splitlines() if len(line) > 100] == []


def test_timeline_names_registers_frames_and_hrefs(printed: str) -> None:
    assert "704.WSet [0000 0BB8] = 3000 W" in printed
    assert "CAN 0x356" in printed
    assert re.search(r"published: .* /derp/\d+/derc/\d+", printed)


def test_demo_that_is_told_to_stop_leaves_no_process_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lineside", "demo", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "inverter at Modbus" in line:
                break
        demo.terminate()
        assert demo.wait(timeout=20) == 143
    found = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False)
    assert found.stdout == ""
