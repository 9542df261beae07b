"""`docs/howto/simulators.md`: every command runs as it stands, every line of JSON is answered."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lineside.demo.ports import free_port
from lineside.sim.build import Wish, build
from lineside.sim.command import answer_line
from lineside.sim.faults import FAULTS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "howto" / "simulators.md").read_text()
LINES = [
    line
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
ENDS = ("run", "list-models", "list-faults")
SERVES = [line for line in LINES if line.split()[2] not in ENDS]
RUNS = [line for line in LINES if line.split()[2] in ENDS]
COMMANDS = re.findall(r"^    (\{\"(?!host).*\})$", PAGE, flags=re.MULTILINE)


def words_of(line: str) -> list[str]:
    """The command of a line, with ports that are free on this machine."""
    here = re.sub(r"(--(?:control-|can-)?port) \d+", lambda found: f"{found[1]} {free_port()}", line)
    return [sys.executable, "-m", "lineside", *here.split()[1:]]


def test_the_page_has_commands_of_all_kinds() -> None:
    assert (len(SERVES), len(RUNS), len(COMMANDS)) == (11, 4, 10)


@pytest.mark.parametrize("line", SERVES)
def test_what_serves_says_where_and_ends_when_it_is_told_to(line: str) -> None:
    with subprocess.Popen(words_of(line), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            where = json.loads(process.stdout.readline())
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()
    assert where.get("modbus_port") or where["serial_port"]


@pytest.mark.parametrize("line", RUNS)
def test_what_runs_ends_well(line: str) -> None:
    assert subprocess.run(words_of(line), capture_output=True, check=False, timeout=300).returncode == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_is_done_on_a_site(command: str) -> None:
    rig = build(Wish(kind="site", start=1_782_000_000.0))
    assert json.loads(answer_line(rig, command))["ok"] is True


def test_the_page_names_every_fault() -> None:
    assert [name for name in FAULTS if f"`{name}`" not in PAGE and f"`{name}=" not in PAGE] == []


@pytest.mark.parametrize(
    ("line", "flaw"),
    [
        ("no JSON", "Expecting value"),
        ("[]", "an object"),
        ('{"dance": 1}', "dance: there are"),
        ('{"grid": {"volts": 1}}', "per_unit, hertz and phases"),
        ('{"grid": {"per_unit": "high"}}', "not a number"),
        ('{"flexible": 2}', "a share is from 0 to 1"),
        ('{"clear": "silent@cellar"}', "cellar: no such device"),
        ('{"fault": "thermal-runaway=99"}', "cells 0 to 15"),
        ('{"fault": "late=soon"}', "soon: not a number"),
        ('{"fault": "bms-alarm=tsunami"}', "tsunami"),
        ('{"fault": "wrong-scale=701.W_SF:x"}', "x: not a number"),
        ('{"fault": "wrong-scale=W_SF:1"}', "a model and a scale factor of it are wanted, as 701.W_SF"),
        ('{"fault": "exception=nan"}', "a number from 1 to 255 is wanted"),
        ('{"fault": "alarm=1e9"}', "a number from 0 to 31 is wanted"),
        ('{"fault": "thermal-runaway=nan"}', "cells 0 to 15"),
        ('{"grid": {"per_unit": NaN}}', "a number from 0 to 2 is wanted"),
        ('{"grid": {"hertz": 1e300}}', "a number from 10 to 300 is wanted"),
        ('{"plug": 1' + 5_000 * "0" + "}", "integer string conversion"),
        ('{"plug": 1' + 400 * "0" + "}", "too large"),
        (5_000 * "[", "recursion"),
    ],
)
def test_what_cannot_be_done_is_told(line: str, flaw: str) -> None:
    answer = json.loads(answer_line(build(Wish(kind="site", start=1_782_000_000.0)), line))
    assert (answer["ok"], flaw in answer["error"]) == (False, True)


@pytest.mark.parametrize(("line", "flaw"), [('{"plug": 50}', "no car"), ('{"flexible": 1}', "no household")])
def test_an_inverter_has_neither_car_nor_household(line: str, flaw: str) -> None:
    answer = json.loads(answer_line(build(Wish(kind="inverter", start=1_782_000_000.0)), line))
    assert flaw in answer["error"]
