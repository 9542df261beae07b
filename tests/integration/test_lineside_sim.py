"""Simulators as processes: where they listen, what they are told, what the same seed gives, how they end."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from certs import Pki
from der_client.sunspec import SerialSettings, TlsSettings, TransportSettings, read_points
from der_client.sunspec.scan import Failure
from der_client.sunspec.transport import ModbusTransport
from lineside.sim.options import read_grid

COMMAND = [sys.executable, "-m", "lineside", "sim"]
NOON = "2026-06-21T12:00"


@contextmanager
def running(*arguments: str) -> Iterator[tuple[dict[str, Any], "subprocess.Popen[str]"]]:
    """A simulation that runs; what its first line said."""
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline()), process
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


async def told(port: int, **command: object) -> dict[str, Any]:
    """The answer to a command on the control port."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(json.dumps(command).encode() + b"\n")
    answer: dict[str, Any] = json.loads(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return answer


async def value(where: dict[str, Any], name: str, device: int = 0) -> object:
    """A point of a device as an outsider reads it."""
    place = where["devices"][device]
    return (await read_points("127.0.0.1", place["port"], place["unit"], [name]))[name].value


async def changed_from(where: dict[str, Any], name: str, before: object) -> None:
    """Read a point until it is another."""
    while await value(where, name) == before:
        pass


async def test_battery_system_says_where_it_listens_and_answers_there() -> None:
    with running("battery", "--soc-pct", "70") as (where, _):
        assert await value(where, "1.SN") == "BESS-0001"
        assert await value(where, "713.SoC") == 70.0
        assert where["can_port"] > 0
        assert where["modbus_port"] == where["devices"][0]["port"]


async def test_inverter_at_noon_gives_and_obeys_commands_of_the_control_port() -> None:
    with running("inverter", "--start", NOON, "--cloudiness", "0", "--control-port", "0") as (where, _):
        port = where["control_port"]
        power_w = await value(where, "701.W")
        fault = await told(port, fault="alarm=7")
        grid = await told(port, grid={"per_unit": 1.25})
        status = await told(port, status=True)
        wrong = await told(port, fault="tsunami")
        assert isinstance(power_w, int)
        assert 3_500 < power_w < 5_000
        assert (fault, grid) == ({"ok": True}, {"ok": True})
        assert status["devices"][0]["voltage_v"] == 300.0
        assert wrong["ok"] is False
        alarms = await value(where, "701.Alrm")
        assert isinstance(alarms, int)
        assert alarms & 0x480 == 0x480


async def test_commands_may_come_on_standard_input() -> None:
    with running("ev", "--no-habits", "--control", "--start", NOON) as (where, process):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write('{"unplug": true, "status": true}\n')
        process.stdin.flush()
        answer = json.loads(await asyncio.to_thread(process.stdout.readline))
        assert (answer["ok"], answer["devices"][0]["plugged"]) == (True, False)
        assert await value(where, "713.SoC") is None


async def test_a_command_that_is_too_long_is_told_and_the_simulation_goes_on() -> None:
    with running("inverter", "--control", "--start", NOON) as (_, process):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(200_000 * " " + '\n{"status": true}\n')
        process.stdin.flush()
        answers = [json.loads(await asyncio.to_thread(process.stdout.readline))]
        while not answers[-1]["ok"]:
            answers.append(json.loads(await asyncio.to_thread(process.stdout.readline)))
        assert answers[0] == {"ok": False, "error": "a line has 65536 characters at most"}


async def test_a_car_charges_at_once_and_time_may_be_fast() -> None:
    with running("ev", "--no-habits", "--soc-pct", "20", "--speed", "3600") as (where, _):
        assert await value(where, "714.Prt[0].PrtTyp") == 2
        async with asyncio.timeout(20):
            await changed_from(where, "713.SoC", 20.0)


async def test_household_is_seen_through_its_meter() -> None:
    with running("load", "--float-meter", "--start", "2026-06-21T19:30") as (where, _):
        power_w = await value(where, "211.W")
        assert isinstance(power_w, float)
        assert 100 < power_w < 9_000


async def test_site_has_four_devices_and_one_meter_that_adds_them_up() -> None:
    with running("site", "--start", NOON, "--phases", "3", "--control-port", "0") as (where, _):
        names = [place["name"] for place in where["devices"]]
        status = await told(where["control_port"], flexible=0.0, status=True)
        power_w = await value(where, "203.W", 3)
        assert names == ["pv", "battery", "ev", "meter"]
        assert isinstance(power_w, int)
        assert power_w == pytest.approx(-status["meter"]["power_w"], abs=500)


@pytest.mark.parametrize("layout", [[], ["--one-port"]])
async def test_many_inverters_are_on_a_port_each_or_are_units_of_one(layout: list[str]) -> None:
    with running("inverter", "--count", "12", *layout) as (where, _):
        places = where["devices"]
        assert len({(place["port"], place["unit"]) for place in places}) == 12
        assert len({place["port"] for place in places}) == (12, 1)[len(layout)]
        assert await value(where, "1.SN", 11) == "PV-0001-12"


def test_five_hundred_inverters_are_light() -> None:
    with running("inverter", "--count", "500", "--one-port") as (where, process):
        status = Path(f"/proc/{process.pid}/status").read_text()
        resident_kb = int(status.partition("VmRSS:")[2].split()[0])
    assert len({place["port"] for place in where["devices"]}) == 3
    assert resident_kb < 160_000


async def test_fault_at_the_start_is_there_at_the_start() -> None:
    with running("inverter", "--start", NOON, "--fault", "all-zero") as (where, _):
        assert (await value(where, "701.W"), await value(where, "701.InvSt")) == (0, 6)


def test_grid_profile_is_followed(tmp_path: Path) -> None:
    profile = tmp_path / "grid.csv"
    profile.write_text("# s,pu,Hz\n600,0.8,60\n660,1.0,60\n")
    given = ["run", "inverter", "--irradiance", "1", "--hours", "0.25", "--grid-profile", str(profile)]
    done = subprocess.run([*COMMAND, *given], capture_output=True, text=True, check=True)
    tripped = json.loads(done.stdout)["devices"][0]
    assert tripped["power_w"] == 0.0
    assert tripped["injected_wh"] == pytest.approx(5_000 * 621 / 3600, abs=0.2)


def run_day(seed: int) -> dict[str, Any]:
    """What came of a day of a site."""
    given = ["run", "site", "--hours", "6", "--seed", str(seed), "--start", "2026-06-21"]
    done = subprocess.run([*COMMAND, *given], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.whole
def test_the_same_seed_gives_the_same_hash_and_another_one_another() -> None:
    first, again, other = run_day(7), run_day(7), run_day(8)
    assert first == again
    assert first["hash"] != other["hash"]


@pytest.mark.parametrize(
    ("arguments", "flaw"),
    [
        (["inverter", "--start", "yesterday"], "yesterday"),
        (["inverter", "--fault", "tsunami"], "tsunami: no such fault"),
        (["inverter", "--fault", "frozen-soc"], "frozen-soc: inverter cannot have that"),
        (["site", "--fault", "silent@cellar"], "cellar: no such device"),
        (["inverter", "--grid-profile", "nowhere.csv"], "nowhere.csv"),
        (["inverter", "--voltage-v", "0"], "argument --voltage-v: 0: a number from 1 to 900 is wanted"),
        (["inverter", "--max-w", "nan"], "argument --max-w: nan: a number from 1 to"),
        (["inverter", "--count", "1.5"], "argument --count: 1.5: a whole number is wanted"),
        (["inverter", "--fault", "wrong-scale=701.W_SF:x"], "x: not a number"),
        (["battery", "--profile", "nosuch"], "nosuch: profile: neither a file nor one of"),
        (["run", "battery", "--profile", "nosuch"], "nosuch: profile: neither a file nor one of"),
        (["run", "ev", "--max-w", "1", "--discharge-w", "1e6"], "cannot say these figures, choose others"),
        (["run", "site", "--cells", "0"], "argument --cells: 0: a number from 1 to"),
    ],
)
def test_wrong_wishes_are_told_and_end_with_2(arguments: list[str], flaw: str) -> None:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, flaw in done.stderr) == (2, True)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("line", ["0,nan,60", "0,1,0", "0,1e9,60"])
def test_grid_that_cannot_be_is_told(tmp_path: Path, line: str) -> None:
    profile = tmp_path / "grid.csv"
    profile.write_text(line + "\n")
    with pytest.raises(ValueError, match="per unit 0 to 2 and 10 to 300 Hz are wanted"):
        read_grid(profile)


@pytest.mark.parametrize(("what", "line"), [("list-models", "household"), ("list-faults", "thermal-runaway")])
def test_models_and_faults_are_listed(what: str, line: str) -> None:
    done = subprocess.run([*COMMAND, what], capture_output=True, text=True, check=True)
    assert line in done.stdout


def transport_to(where: dict[str, Any], settings: TransportSettings) -> ModbusTransport:
    """The first device of a simulation, over another line than plain TCP."""
    place = where["devices"][0]
    return ModbusTransport("127.0.0.1", place.get("port", 0), place["unit"], settings)


async def test_inverter_inside_tls_knows_its_clients_by_their_roles(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path / "pki", depth=2)
    pki.issue_modbus("inverter", hosts=["127.0.0.1"])
    own = pki.issue_modbus("monitor", role="ReadOnlySunSpec")
    tls = TlsSettings(certificate=own.certificate_path, key=own.key_path, roots=own.root_path)
    with running("inverter", "--tls", str(tmp_path / "pki" / "inverter")) as (where, _):
        client = transport_to(where, TransportSettings(timeout_s=5.0, tls=tls))
        marker, refused = await client.read(40000, 2), await client.write(40000, [1])
        await client.close()
    assert marker == (0x5375, 0x6E53)
    assert isinstance(refused, Failure)
    assert refused.code == 1


async def test_inverters_share_a_serial_line() -> None:
    with running("inverter", "--rtu", "--count", "2") as (where, _):
        settings = TransportSettings(timeout_s=5.0, serial=SerialSettings(port=where["serial_port"]))
        units = [ModbusTransport("", 0, place["unit"], settings) for place in where["devices"]]
        markers = [await unit.read(40000, 2) for unit in units]
        for unit in units:
            await unit.close()
    assert markers == [(0x5375, 0x6E53)] * 2


@pytest.mark.parametrize(
    ("arguments", "flaw"),
    [
        (("--rtu", "/dev/null"), "no serial port"),
        (("--rtu", "--count", "300"), "a serial line has 247 units at most"),
        (("--tls", "/nowhere/at/all"), "no such file"),
    ],
)
def test_line_that_cannot_be_had_is_told(arguments: tuple[str, ...], flaw: str) -> None:
    done = subprocess.run(
        [*COMMAND, "inverter", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, flaw in done.stderr) == (2, True)


def limited(soft: int, hard: int, *arguments: str) -> "subprocess.Popen[str]":
    """A simulation in a process that may open so many files."""
    command = ["sh", "-c", f'ulimit -Sn {soft} && ulimit -Hn {hard} && exec "$@"', "sh", *COMMAND, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_more_ports_than_the_soft_limit_of_open_files_are_opened() -> None:
    with limited(64, 1024, "inverter", "--count", "100") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert (process.wait(timeout=60), process.stderr.read()) == (0, "")
    assert len({place["port"] for place in json.loads(line)["devices"]}) == 100


def test_more_ports_than_the_system_allows_are_refused_with_the_way_out() -> None:
    with limited(256, 256, "inverter", "--count", "1000") as process:
        assert process.stderr is not None
        assert process.wait(timeout=60) == 2
        flaw = process.stderr.read()
    assert "1000 ports need 2064 open files and the system allows 256: use --one-port" in flaw
