"""Who watches a client's device: registers, a command, a person; and who starts the client."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from conformance_tests.client.observer_hook import HookObserver
from conformance_tests.client.observer_modbus import ModbusObserver
from conformance_tests.client.observer_prompt import PromptObserver, prompt_observer
from conformance_tests.client.starting import starts
from conformance_tests.errors import TargetError, UsageError
from der_client import Reversion, Setpoint
from der_client.device import Applied, PowerFactorSetpoint
from der_client.sunspec import SunSpecDevice
from der_client.sunspec.simulator import InverterSettings, serve_inverter

LFDI = "AB" * 20
HOOK = """
import json, sys
given = json.load(sys.stdin)
call = sys.argv[1]
if call == "observe":
    print(json.dumps({"power_w": 5.5, "is_connected": True, "settings": {"opModMaxLimW": 60}}))
elif call == "confirm":
    print(json.dumps({"answer": given["question"] == "is it so?"}))
else:
    sys.exit(3)
"""


def hook_of(folder: Path, text: str) -> HookObserver:
    script = folder / "hook.py"
    script.write_text(text)
    return HookObserver(f"{sys.executable} {script}")


async def test_a_command_tells_what_the_device_does(tmp_path: Path) -> None:
    hook = hook_of(tmp_path, HOOK)
    seen = await hook.observe(LFDI)

    assert (seen.power_w, seen.is_connected, seen.settings) == (5.5, True, {"opModMaxLimW": 60.0})
    assert await hook.confirm(LFDI, "is it so?") is True
    assert await hook.confirm(LFDI, "is it otherwise?") is False
    assert await hook.cause(LFDI, "an alarm") is False


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import sys; sys.exit('broken')", "ended with 1"),
        ("print('no JSON')", "no JSON object"),
        ('print(\'{"power_w": "much"}\')', "no observation"),
    ],
)
async def test_a_command_that_fails_is_no_observation(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(TargetError, match=why):
        await hook_of(tmp_path, text).observe(LFDI)


def test_a_command_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises(UsageError, match="no such program"):
        HookObserver("/nowhere/hook")


@pytest.mark.parametrize(("typed", "answer"), [("y", True), ("no", False), ("", None)])
async def test_a_person_is_asked(typed: str, *, answer: bool | None) -> None:
    reading, writing = os.pipe()
    os.write(writing, f"{typed}\n".encode())
    with os.fdopen(reading) as source, os.fdopen(writing, "w"):
        asked = PromptObserver(source, sys.stderr)
        assert await asked.confirm(LFDI, "does it?") is answer


async def test_a_person_can_cause_or_not() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as source, os.fdopen(writing, "w") as typed:
        asked = PromptObserver(source, sys.stderr)
        print("", file=typed, flush=True)
        assert await asked.cause(LFDI, "an alarm")
        print("s", file=typed, flush=True)
        assert not await asked.cause(LFDI, "an alarm")


def test_without_a_terminal_nobody_can_be_asked() -> None:
    with Path(os.devnull).open() as source, pytest.raises(UsageError, match="terminal"):
        prompt_observer(source)


async def test_registers_tell_what_the_client_set() -> None:
    server = await serve_inverter(InverterSettings())
    device = SunSpecDevice("inverter", "127.0.0.1", server.port)
    try:
        await device.identify()
        held = Setpoint(max_w_pct=60.0, pf_inject=PowerFactorSetpoint(power_factor=0.95, absorbing=False))
        assert isinstance(await device.apply(held, Reversion()), Applied)
        seen = await ModbusObserver({LFDI: ("127.0.0.1", server.port, 1)}).observe(LFDI)
    finally:
        await device.close()
        await server.close()

    assert seen.settings["opModMaxLimW"] == pytest.approx(60.0)
    assert seen.settings["opModFixedPFInjectW"] == pytest.approx(0.95)
    assert seen.power_w is not None


async def test_a_device_that_is_not_there_cannot_be_observed() -> None:
    with pytest.raises(TargetError, match="unit 1"):
        await ModbusObserver({"": ("127.0.0.1", 9, 1)}).observe(LFDI)


async def test_a_client_is_started_and_ended(tmp_path: Path) -> None:
    came, gone = asyncio.Event(), asyncio.Event()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await reader.read()
        gone.set()
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    script = tmp_path / "client.py"
    script.write_text(f"import socket; socket.create_connection(('127.0.0.1', {port})).recv(1)")
    async with server, asyncio.timeout(30):
        async with starts(f"{sys.executable} {script}")(lambda _: None):
            await came.wait()
        await gone.wait()


async def test_a_client_that_ends_by_itself_is_told(tmp_path: Path) -> None:
    lost: asyncio.Queue[str] = asyncio.Queue()
    script = tmp_path / "client.py"
    script.write_text("raise SystemExit(3)")
    async with asyncio.timeout(30), starts(f"{sys.executable} {script}")(lost.put_nowait):
        assert "ended with 3" in await lost.get()
