"""The how-to for operations: its commands run in their order, and it names every setting and metric."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sep2_server.process.families import FAMILIES
from tests.integration.process.site_process import ROOT, until

HOWTO = (ROOT / "docs" / "howto" / "operations.md").read_text()
LINES = [
    line
    for block in re.findall(r"^```console\n(.*?)^```", HOWTO, flags=re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
RUN = next(line for line in LINES if " run " in line)
SETTINGS = (
    "workers",
    "connections",
    "connections_per_address",
    "connections_per_client",
    "handshake_s",
    "keep_alive_s",
    "body_s",
    "write_s",
    "most_octets",
    "shutdown_s",
    "access_log",
    "log_format",
    "log_level",
)


def command(line: str) -> list[str]:
    return [sys.executable, "-m", "lineside", *shlex.split(line)[1:]]


def done(folder: Path, line: str) -> int:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command(line), cwd=folder, env=environment, timeout=60, check=False).returncode


@pytest.fixture
def server(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """The server of the how-to, after the commands before it, on ports that the system chose."""
    assert [done(tmp_path, line) for line in LINES[: LINES.index(RUN)]] == [0, 0]
    words = [*command(RUN), "--set", "port=0", "--set", "operator.port=0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("devices")
            yield process
        finally:
            process.kill()


def test_every_command_of_the_howto_ends_well(server: "subprocess.Popen[str]", tmp_path: Path) -> None:
    after = LINES[LINES.index(RUN) + 1 :]
    until(lambda: done(tmp_path, after[0]) == 0)
    assert [done(tmp_path, line) for line in after] == [0, 0]
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0
    assert [done(tmp_path, line) for line in after] == [1, 1]


@pytest.mark.parametrize("name", SETTINGS)
def test_the_howto_names_every_setting_of_operations(name: str) -> None:
    assert f"| `{name}`" in HOWTO


@pytest.mark.parametrize("name", FAMILIES)
def test_the_howto_names_every_metric_that_has_a_source(name: str) -> None:
    assert f"`{name}`" in HOWTO
