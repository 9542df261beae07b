"""A client process that is killed in the middle of an event, and the one that takes its place."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from certs import Pki
from der_client.spool import Spool
from der_client.sunspec.simulator import InverterHandle, InverterSettings, serve_inverter
from schemas import DERControlBase
from tests.integration.sep2_harness import Bench
from tests.integration.test_client_end_to_end import MRID, bench, limited, member, value_of

__all__ = ["bench"]


async def started(bench: Bench, handle: InverterHandle, folder: Path) -> asyncio.subprocess.Process:
    own = bench.credentials("killed")
    config = folder / "client.toml"
    config.write_text(
        f'[server]\nuri = "https://127.0.0.1:{bench.server.port}/dcap"\n'
        f'certificate = "{own.certificate_path}"\nkey = "{own.key_path}"\nroots = "{own.root_path}"\n'
        f"poll_floor_s = 0.2\n[device]\nport = {handle.port}\n[control]\nperiod_s = 0.2\n"
    )
    command = (sys.executable, "-m", "lineside", "client", "run", "--events", "--config", str(config))
    return await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)


async def until(process: asyncio.subprocess.Process, what: str, detail: str) -> list[tuple[str, str]]:
    """All events of a client up to the one that is waited for."""
    assert process.stdout is not None
    told: list[tuple[str, str]] = []
    async with asyncio.timeout(90):
        while not told or told[-1] != (what, detail):
            event = json.loads(await process.stdout.readline())
            told.append((event["what"], event["detail"]))
    return told


def details(told: list[tuple[str, str]], what: str) -> list[str]:
    return [detail for kind, detail in told if kind == what]


@pytest.fixture
async def handle(sep2_pki: Pki) -> AsyncIterator[InverterHandle]:
    it = await serve_inverter(InverterSettings())
    yield it
    await it.close()


async def test_a_client_that_is_killed_in_an_event_goes_on_and_answers_nothing_twice(
    bench: Bench, handle: InverterHandle, tmp_path: Path
) -> None:
    program = await member(bench, "killed")
    control = limited(MRID, 0, 30, DERControlBase(opModMaxLimW=5_000))
    control.randomizeDuration = 3
    await bench.control(program, control)
    first = await started(bench, handle, tmp_path)
    told = await until(first, "response", f"2 to DERControl {MRID}")
    if "limit 50 %" not in details(told, "applied"):
        told += await until(first, "applied", "limit 50 %")
    first.kill()
    await first.wait()
    before = await asyncio.to_thread(records, tmp_path)
    assert await value_of(handle, "704.WMaxLimPct") == 50.0
    second = await started(bench, handle, tmp_path)
    later = await until(second, "response", f"3 to DERControl {MRID}")
    second.kill()
    await second.wait()
    after = await asyncio.to_thread(records, tmp_path)

    assert [one.split()[0] for one in details(told + later, "response")] == ["1", "2", "3"]
    assert details(later, "applied")[0] == "limit 50 %"
    assert before[MRID]["draw"] == after[MRID]["draw"]


def records(folder: Path) -> dict[str, dict[str, object]]:
    spool = Spool(folder / "lineside-client.sqlite")
    try:
        return {mrid: dict(record.to_dict()) for mrid, record in spool.records().items()}
    finally:
        spool.close()
