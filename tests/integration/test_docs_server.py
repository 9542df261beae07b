"""`docs/server.md`: a stranger types its commands, in their order, and each of them ends well."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lineside.demo.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "server.md").read_text()
LINES = [
    line
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
INSTALL, RUN = "make .venv/.run", "lineside server run --config site --workers 2"


class Terminal:
    """Runs lines of the page in a folder, with ports that are free on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = {"8443": str(free_port()), "8444": str(free_port())}
        self.mrid = ""

    def words(self, line: str) -> list[str]:
        """The command of a line, with what differs on this machine put in."""
        for said, real in self._ports.items():
            line = line.replace(said, real)
        words = line.replace("MRID", self.mrid).split()
        ports = ["--port", self._ports["8443"], "--operator-port", self._ports["8444"]]
        extra = ports if words[1:3] == ["server", "init"] else []
        return [sys.executable, "-m", "lineside", *words[1:], *extra]

    def start(self, line: str) -> "subprocess.Popen[str]":
        """Run a command until it is told to stop."""
        return subprocess.Popen(
            self.words(line), cwd=self._folder, env=_environment(), text=True, stdout=subprocess.PIPE
        )

    def run(self, line: str) -> tuple[int, str]:
        """Run a command; its exit code and what it printed."""
        done = subprocess.run(
            self.words(line),
            cwd=self._folder,
            env=_environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        found = re.search(r"^mRID +([0-9A-F]{32})$", done.stdout, flags=re.MULTILINE)
        self.mrid = found[1] if found and not self.mrid else self.mrid
        return done.returncode, done.stdout


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Terminal, "subprocess.Popen[str]"]]:
    """A server that was made and started as the page says."""
    terminal = Terminal(tmp_path)
    before = LINES[1 : LINES.index(RUN)]
    assert [terminal.run(line)[0] for line in before] == [0] * len(before)
    process = terminal.start(RUN)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("devices")
    assert process.stdout.readline().startswith("operators")
    yield terminal, process
    process.kill()
    process.communicate()


def test_every_command_of_the_page_ends_well(
    running: tuple[Terminal, "subprocess.Popen[str]"],
) -> None:
    terminal, process = running
    ended = {line: terminal.run(line) for line in LINES[LINES.index(RUN) + 1 :]}
    assert {line: told for line, told in ended.items() if told[0]} == {}
    assert "meter-1" in ended[next(line for line in ended if "op device" in line)][1]
    assert "50 %" in ended["lineside op control MRID --config site"][1]
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_the_installation_is_the_one_of_the_makefile() -> None:
    assert LINES[0] == INSTALL
    done = subprocess.run(["make", "--question", INSTALL.split()[1]], cwd=ROOT, check=False)
    assert done.returncode in {0, 1}
