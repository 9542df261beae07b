"""The demonstration plays its whole story, and the README shows what it really prints."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_whole_story_takes_less_than_a_minute(printed: str) -> None:
    found = re.search(r"all seen in (\d+) s", printed)
    assert found is not None
    assert int(found[1]) < 60


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
