"""`docs/client.md`: its commands are typed in order; the device executes, and the utility hears of it."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lineside.demo.ports import free_port
from tests.measured import plain_environment

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "client.md").read_text()
LINES = [
    line
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
INSTALL = "make .venv/.run"
SERVING = ("lineside sim ", "lineside server run ", "lineside client run ")
"""What the page leaves running in a terminal of its own."""
LIMIT_S = 120.0
MOST_MB = 60.0
"""What a client of one device may take of the memory."""
READ, RESPONSES = "lineside device read 127.0.0.1:5020", "lineside op responses MRID --config site"


class Terminals:
    """Runs the lines of the page in a folder, with ports that are free on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = {said: str(free_port()) for said in ("8443", "8444", "5020")}
        self.mrid = ""
        self.running: list[subprocess.Popen[str]] = []

    def words(self, line: str) -> list[str]:
        """The command of a line, with what differs on this machine put in."""
        for said, real in self._ports.items():
            line = line.replace(said, real)
        words = line.replace("MRID", self.mrid).split()
        ports = ["--port", self._ports["8443"], "--operator-port", self._ports["8444"]]
        extra = ports if words[1:3] == ["server", "init"] else []
        return [sys.executable, "-m", "lineside", *words[1:], *extra]

    def type(self, line: str) -> tuple[int, str]:
        """Run a line to its end, or start it where it serves; its exit code and what it printed."""
        return self.start(line) if line.startswith(SERVING) else self.run(line)

    def start(self, line: str) -> tuple[int, str]:
        """Start what is left running; servers say where they listen with their first line."""
        process = subprocess.Popen(
            self.words(line), cwd=self._folder, env=_environment(), text=True, stdout=subprocess.PIPE
        )
        self.running.append(process)
        assert process.stdout is not None
        return 0, "" if "client run" in line else process.stdout.readline()

    def run(self, line: str) -> tuple[int, str]:
        """Run a command; its exit code and what it printed."""
        done = subprocess.run(
            self.words(line),
            cwd=self._folder,
            env=_environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LIMIT_S,
            check=False,
        )
        found = re.search(r"^mRID +([0-9A-F]{32})$", done.stdout, flags=re.MULTILINE)
        self.mrid = found[1] if found and not self.mrid else self.mrid
        return done.returncode, done.stdout

    def failed(self, lines: list[str]) -> dict[str, tuple[int, str]]:
        """Those of the lines that do not end well, with what they printed."""
        ended = {line: self.run(line) for line in lines}
        return {line: told for line, told in ended.items() if told[0]}

    def until(self, line: str, pattern: str) -> str:
        """What a line prints once it prints this; it is typed again until then."""
        end_s = time.monotonic() + LIMIT_S
        while True:
            code, text = self.run(line)
            if code == 0 and re.search(pattern, text):
                return text
            assert time.monotonic() < end_s, f"{line}: {text}"

    def stop(self) -> list[int]:
        """End what is running, the last first; exit codes."""
        codes = []
        for process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
            codes.append(process.wait(60))
        return codes


def resident_mb(process: subprocess.Popen[str]) -> float:
    """Resident memory of a process, MB of 1,000,000 octets."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) * 1_024 / 1e6


def _environment() -> dict[str, str]:
    return {**plain_environment(), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Terminals]:
    it = Terminals(tmp_path)
    yield it
    for process in it.running:
        process.kill()
        process.communicate()


def test_the_page_leads_to_a_device_that_executes_and_reports(terminals: Terminals) -> None:
    running = LINES.index(next(line for line in LINES if line.startswith("lineside client run ")))
    before = {line: terminals.type(line) for line in LINES[1 : running + 1]}
    assert {line: told for line, told in before.items() if told[0]} == {}
    assert "verdict: passed" in before[next(line for line in before if "device test" in line)][1]
    assert "90" in before[next(line for line in before if "op default" in line)][1]

    status = next(line for line in LINES if line.startswith("lineside client status "))
    terminals.until(status, "roof")
    terminals.until(READ, r"power_w +4500\b")

    publish = next(line for line in LINES if line.startswith("lineside op publish "))
    assert terminals.run(publish)[0] == 0
    assert terminals.mrid
    terminals.until(RESPONSES, r"started")
    terminals.until(READ, r"power_w +2500\b")
    terminals.until("lineside op readings roof --config site", r"\d")
    assert resident_mb(terminals.running[-1]) <= MOST_MB
    override = LINES.index(next(line for line in LINES if "client override" in line))
    assert terminals.failed(LINES[LINES.index(RESPONSES) : override + 1]) == {}
    terminals.until(status, r'"override": "limit 20 %')
    terminals.until(READ, r"power_w +1000\b")
    assert terminals.failed(LINES[override + 1 :]) == {}
    assert terminals.stop() == [0, 0, 0]


def test_the_installation_is_the_one_of_the_makefile() -> None:
    assert LINES[0] == INSTALL
