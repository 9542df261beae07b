"""The local channel of a running client: what an operator at the machine may order, and who may."""

import argparse
import asyncio
import json
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from der_client import local_cli
from der_client.local_control import LocalControl, socket_path
from der_client.override import Override
from lineside.__main__ import main
from owner import ask
from tests.integration.control_bench import OUT, Bench, Rig, target


class Opts:
    """Who takes part in events: notes what it is told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str | None, int | None]] = []

    async def opt_out(self, mrid: str | None = None, until: int | None = None) -> None:
        self.said.append(("out", mrid, until))

    async def opt_in(self, mrid: str | None = None) -> None:
        self.said.append(("in", mrid, None))

    def now_s(self) -> float:
        return 1_000.0


@asynccontextmanager
async def channel(path: Path, bench: Bench, opts: Opts) -> AsyncIterator[None]:
    """A local channel that serves one device."""
    control = LocalControl(path, lambda: [bench.loop], opts, system_s=lambda: 1_000.0)
    task = asyncio.ensure_future(control.run())
    async with asyncio.timeout(10):
        await control.is_open.wait()
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
def bench() -> Bench:
    return Bench(Rig())


@pytest.fixture
def opts() -> Opts:
    return Opts()


@pytest.fixture
async def path(tmp_path: Path, bench: Bench, opts: Opts) -> AsyncIterator[Path]:
    place = socket_path(tmp_path / "client.sqlite")
    async with channel(place, bench, opts):
        yield place


async def test_an_operator_overrides_a_device_and_releases_it(path: Path, bench: Bench) -> None:
    order = {"do": "override", "device": "cellar", "target_w": 1_000, "for_s": 60}
    answer = await ask(path, order)
    held = await bench.cycle()
    await ask(path, {"do": "release"})

    assert answer["ok"] is True
    assert held.target_w == 1_000.0
    assert (await bench.cycle()).target_w == 3_000.0


async def test_an_operators_stop_does_not_wait_for_the_clock_and_its_release_does(bench: Bench) -> None:
    for bench.ahead_s in (0.0, 3_600.0):
        await bench.cycle()
    await bench.loop.override(Override(target_w=0.0, energize=False))
    stopped, reasons = await bench.cycle(), bench.reasons
    bench.plan.set(target(1_000))
    await bench.loop.override(None)
    released = await bench.cycle()
    for _ in range(62):
        believed = await bench.cycle()

    assert (stopped.target_w, stopped.energize) == (0.0, False)
    assert "clock not believed" in reasons
    assert (released.target_w, believed.target_w) == (3_000.0, 1_000.0)


async def test_an_operator_sees_what_holds_a_device_and_resets_it(path: Path, bench: Bench) -> None:
    bench.rig.says(cell_v_max=3.65, cell_v_min=3.64)
    assert await bench.cycle() == OUT
    answer = await ask(path, {"do": "status"})
    bench.rig.says()
    await ask(path, {"do": "reset"})
    freed = await bench.cycle()

    assert answer["devices"] == [
        {
            "name": "cellar",
            "is_local": False,
            "override": None,
            "interlocks": ["1 cell far over voltage (Z S)"],
            "deratings": ["1 cell voltage near its highest: 0%"],
            "latched": ["cell far over voltage"],
            "power_w": 0.0,
        }
    ]
    assert freed.target_w == 3_000.0


async def test_an_operator_opts_out_of_events_and_in_again(path: Path, opts: Opts) -> None:
    await ask(path, {"do": "optout", "mrid": "0A", "for_s": 60})
    await ask(path, {"do": "optout"})
    await ask(path, {"do": "optin", "mrid": "0A"})

    assert opts.said == [("out", "0A", 1_060), ("out", None, None), ("in", "0A", None)]


async def test_an_order_that_is_none_is_answered_with_what_is_wrong(path: Path) -> None:
    wrong: list[dict[str, object]] = [
        {"do": "explode"},
        {"do": "override", "device": "roof", "target_w": 1},
        {"do": "override"},
    ]
    answers = [await ask(path, order) for order in wrong]

    assert [list(answer) for answer in answers] == [["error"]] * 3
    assert answers[1]["error"] == "device: there is no 'roof'"


async def test_only_the_owner_may_use_the_channel(path: Path) -> None:
    found = await asyncio.to_thread(path.stat)

    assert stat.S_IMODE(found.st_mode) == 0o600


async def test_a_line_without_end_is_cut_off_and_others_are_served(path: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"x" * 100_000)
    await writer.drain()
    assert await reader.read() == b""
    writer.close()

    assert (await ask(path, {"do": "status"}))["ok"] is True


async def test_the_channel_goes_with_the_client(tmp_path: Path, bench: Bench, opts: Opts) -> None:
    place = tmp_path / "client.sock"
    async with channel(place, bench, opts):
        assert place.is_socket()

    assert not place.exists()


async def test_a_socket_that_a_dead_client_left_is_replaced(tmp_path: Path, bench: Bench, opts: Opts) -> None:
    place = tmp_path / "client.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(place))
    async with channel(place, bench, opts):
        assert (await ask(place, {"do": "status"}))["ok"] is True


async def test_a_second_client_leaves_the_channel_of_the_first_alone(
    path: Path, bench: Bench, opts: Opts
) -> None:
    await LocalControl(path, lambda: [bench.loop], opts).run()

    assert (await ask(path, {"do": "status"}))["ok"] is True


async def test_a_long_path_is_reached_too(tmp_path: Path, bench: Bench, opts: Opts) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    async with channel(folder / "client.sock", bench, opts):
        assert (await ask(folder / "client.sock", {"do": "status"}))["ok"] is True


CONFIG = """
spool = "client.sqlite"
[server]
uri = "https://der.example.org/dcap"
certificate = "cert.pem"
key = "key.pem"
roots = "root.pem"
"""


async def test_the_commands_speak_to_the_running_client(
    path: Path, bench: Bench, opts: Opts, capsys: pytest.CaptureFixture[str]
) -> None:
    config = path.with_name("client.toml")
    config.write_text(CONFIG)
    line = ["client", "override", "--config", str(config), "--limit-pct", "20", "--for", "60", "--keep"]
    code = await asyncio.to_thread(main, line)
    held = await bench.cycle()
    refused = await asyncio.to_thread(main, ["client", "override", "--config", str(config)])
    await asyncio.to_thread(main, ["client", "optin", "--config", str(config), "--mrid", "0A"])
    said = capsys.readouterr()

    assert (code, refused, held.max_w_pct) == (0, 1, 20.0)
    assert json.JSONDecoder().raw_decode(said.out)[0][0]["name"] == "cellar"
    assert "a target, a limit or energize is wanted" in said.err
    assert opts.said == [("in", "0A", None)]


def test_a_command_without_a_client_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "client.toml"
    config.write_text(CONFIG)

    assert main(["client", "status", "--config", str(config)]) == 1
    assert "no client runs with" in capsys.readouterr().err


@pytest.mark.parametrize("command", [name for name, _, _ in local_cli.COMMANDS])
def test_each_command_knows_its_order(command: str) -> None:
    parser = argparse.ArgumentParser()
    local_cli.arguments_of(parser, command)

    assert parser.parse_args(["--config", "c.toml"]).order == command
