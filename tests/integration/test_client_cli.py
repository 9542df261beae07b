"""The command `lineside client`."""

import argparse
import asyncio
import configparser
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from certs import Pki
from der_client.cli import add_parser
from der_client.settings import load_settings
from der_client.sunspec.simulator import InverterSettings, serve_inverter
from lineside.__main__ import parser as command_line
from tests.integration.sep2_harness import Bench, make_control, running


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(required=True))
    chosen = parser.parse_args(arguments)
    code: int = chosen.run(chosen)
    return code


@pytest.fixture
async def bench(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    async with running(tmp_path, sep2_pki, uri_salt="pepper") as it:
        yield it


def test_init_writes_a_file_that_says_what_can_be_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("client", "init", str(tmp_path / "site")) == 0
    assert (tmp_path / "site" / "client.toml").read_text().startswith("# Lineside DER client")
    assert "lineside client run --config" in capsys.readouterr().out


def test_init_writes_a_file_that_is_ready_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    identity = tmp_path / "pki" / "roof"
    identity.mkdir(parents=True)
    options = ("--server", "https://h/dcap", "--identity", str(identity), "--pin", "111115")
    device = ("--device", "10.0.0.5:1502", "--name", "roof")

    assert run("client", "init", str(tmp_path / "site"), *options, *device) == 0

    config = tmp_path / "site" / "client.toml"
    settings = load_settings(config.read_text(), folder=config.parent)
    assert settings.server.certificate.resolve() == identity / "cert.pem"
    assert settings.server.roots.resolve() == tmp_path / "pki" / "root.pem"
    assert settings.devices[0].name == "roof"
    assert capsys.readouterr().out.splitlines()[0] == f"{config} written; then"


def test_init_does_not_overwrite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("client", "init", str(tmp_path))

    assert run("client", "init", str(tmp_path)) == 2
    assert "exists" in capsys.readouterr().err


def test_a_wrong_setting_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("client", "init", str(tmp_path))
    config = str(tmp_path / "client.toml")

    assert run("client", "run", "--config", config, "--set", "server.colour=1") == 2
    assert "server.colour: no such setting" in capsys.readouterr().err


def test_a_certificate_that_is_not_there_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("client", "init", str(tmp_path))

    assert run("client", "run", "--config", str(tmp_path / "client.toml")) == 2
    assert "server.certificate" in capsys.readouterr().err


async def test_discover_prints_what_a_server_offers(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    await bench.enrol("seen")
    _, program = await bench.group("north", "seen", primacy=7)
    mrid = "0123456789ABCDEF0123456700000002"
    await bench.control(program, make_control(mrid, bench.clock.now() + 60, 60))
    url = f"https://127.0.0.1:{bench.server.port}/dcap"
    folder = bench.credentials("seen").certificate_path.parent

    code = await asyncio.to_thread(run, "client", "discover", url, "--identity", str(folder))

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert any(line.startswith("  DERProgram") and line.endswith("primacy 7") for line in lines)
    assert any(f"DERControl {mrid} scheduled" in line for line in lines)


async def test_discover_of_a_server_that_is_not_there_is_wrong_usage(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bench.credentials("seen").certificate_path.parent
    arguments = ("client", "discover", "https://127.0.0.1:1/dcap", "--identity", str(folder))

    assert await asyncio.to_thread(run, *arguments) == 2
    assert "https://127.0.0.1:1/dcap" in capsys.readouterr().err


CODE = (
    "import argparse, sys; from der_client.cli import add_parser; p = argparse.ArgumentParser();"
    "add_parser(p.add_subparsers()); a = p.parse_args(sys.argv[1:]); sys.exit(a.run(a))"
)


async def test_a_listener_that_cannot_be_had_is_wrong_usage_and_says_what_to_do(
    bench: Bench, tmp_path: Path
) -> None:
    own = bench.credentials("run")
    config = tmp_path / "run.toml"
    config.write_text(
        f'[server]\nuri = "https://127.0.0.1:{bench.server.port}/dcap"\n'
        f'certificate = "{own.certificate_path}"\nkey = "{own.key_path}"\nroots = "{own.root_path}"\n'
        '[subscription]\nhost = "192.0.2.1"\n'
    )
    command = (sys.executable, "-c", CODE, "client", "run", "--config", str(config))
    process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
    async with asyncio.timeout(60):
        _, told = await process.communicate()

    assert process.returncode == 2
    last = told.decode().splitlines()[-1]
    assert last.startswith("lineside client: subscription: cannot listen at 192.0.2.1:8443")
    assert "subscription.bind names the address of this machine" in told.decode()


async def test_run_prints_events_and_stops_on_a_signal(bench: Bench, tmp_path: Path) -> None:
    await bench.enrol("run")
    own = bench.credentials("run")
    handle = await serve_inverter(InverterSettings())
    config = tmp_path / "run.toml"
    config.write_text(
        f'[server]\nuri = "https://127.0.0.1:{bench.server.port}/dcap"\n'
        f'certificate = "{own.certificate_path}"\nkey = "{own.key_path}"\nroots = "{own.root_path}"\n'
        f"[device]\nport = {handle.port}\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        CODE,
        "client",
        "run",
        "--events",
        "--config",
        str(config),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    whats: set[str] = set()
    async with asyncio.timeout(30):
        while not {"discovered", "device found", "report"} <= whats:
            whats.add(json.loads(await process.stdout.readline())["what"])
        process.send_signal(signal.SIGTERM)
        await process.stdout.read()
        assert await process.wait() == 0
    await handle.close()


def test_the_unit_of_systemd_runs_a_client_and_never_gives_up() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.read(Path(__file__).parents[2] / "deploy" / "lineside-client.service")
    program, *words = unit["Service"]["ExecStart"].split()
    chosen = command_line("client").parse_args(words)

    assert (Path(program).name, chosen.client_command) == ("lineside", "run")
    assert chosen.config == Path("/etc/lineside/client.toml")
    assert (unit["Service"]["Restart"], unit["Unit"]["StartLimitIntervalSec"]) == ("always", "0")
