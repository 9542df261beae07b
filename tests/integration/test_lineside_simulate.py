"""Simulators as processes: where they listen, and how they end."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from der_client.sunspec import read_points


@pytest.fixture
def battery() -> Iterator[dict[str, object]]:
    """A battery system that runs; what its first line said."""
    command = [sys.executable, "-m", "lineside", "simulate", "battery", "--soc-pct", "70"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        where: dict[str, object] = json.loads(process.stdout.readline())
        yield where
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


async def test_battery_system_says_where_it_listens_and_answers_there(battery: dict[str, object]) -> None:
    port = int(str(battery["modbus_port"]))
    points = await read_points("127.0.0.1", port, 1, ["1.SN", "713.SoC"])
    assert points["1.SN"].value == "BESS-0001"
    assert points["713.SoC"].value == 70.0
    assert int(str(battery["can_port"])) > 0
