"""The commands of `lineside device` against simulated devices over their buses."""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from der_client.can import BatterySettings, BmsSettings, PackSettings, ServedBattery, serve_battery
from der_client.commissioning import Finding, Report, Trial, Verdict
from der_client.device_cli import add_parser
from der_client.sunspec import SunSpecDevice
from der_client.sunspec.simulator import (
    FaultSwitches,
    Inverter,
    InverterHandle,
    InverterSettings,
    ModbusServer,
    ReplayStore,
    RtuServer,
    parse_image,
    serve_inverter,
)
from der_client.sunspec.simulator.bank import SilentUnitError
from der_client.sunspec.simulator.serve import ClockedStore

PV = InverterSettings(
    serial="PV-1", max_w=5_000, pv_w=5_000, enter_service_delay_s=0, enter_service_ramp_s=0
)  # fmt: skip


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(required=True))
    chosen = parser.parse_args(["device", *arguments])
    code: int = chosen.run(chosen)
    return code


async def device(*arguments: str) -> int:
    """The exit code of a command that runs beside this loop, as another process would."""
    return await asyncio.to_thread(run, *arguments)


@pytest.fixture
async def pv() -> AsyncIterator[InverterHandle]:
    handle = await serve_inverter(PV)
    yield handle
    await handle.close()


@pytest.fixture
async def pack() -> AsyncIterator[ServedBattery]:
    settings = BatterySettings(pack=PackSettings(soc_pct=60), bms=BmsSettings(period_s=0.05))
    battery = await serve_battery(settings)
    yield battery
    await battery.close()


def at(handle: InverterHandle) -> str:
    return f"127.0.0.1:{handle.port}"


def on(battery: ServedBattery) -> tuple[str, ...]:
    bus = ("--can", "can0", "--interface", "socketcand")
    return (*bus, "--set", "can.host=127.0.0.1", "--set", f"can.port={battery.can_port}")


async def test_scan_lists_the_models(pv: InverterHandle, capsys: pytest.CaptureFixture[str]) -> None:
    assert await device("scan", at(pv)) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Lineside Simulated inverter, serial PV-1, version 1.0"
    assert lines[1].startswith("map at 40000, ")
    assert any(line.split()[:3] == ["40070", "701", "153"] for line in lines)


async def test_scan_answers_in_json(pv: InverterHandle, capsys: pytest.CaptureFixture[str]) -> None:
    assert await device("scan", at(pv), "--json") == 0

    found = json.loads(capsys.readouterr().out)
    assert (found["serial"], found["base"], found["is_complete"]) == ("PV-1", 40000, True)
    assert {"id": 701, "address": 40070, "length": 153} in found["models"]


async def test_scan_of_a_closed_port_says_what_to_look_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert await device("scan", "127.0.0.1:1") == 1

    said = capsys.readouterr().err
    assert "cannot connect to 127.0.0.1:1" in said
    assert "is Modbus TCP switched on in the device" in said


async def test_scan_of_a_wrong_unit_says_what_to_look_for(
    pv: InverterHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await device("scan", at(pv), "--unit", "9") == 1
    assert "nobody is behind that unit id" in capsys.readouterr().err


async def test_scan_of_a_device_without_sunspec_says_what_to_look_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = ModbusServer({1: ReplayStore(dict.fromkeys(range(60_000), 0))}, FaultSwitches())
    await server.start("127.0.0.1", 0)

    assert await device("scan", f"127.0.0.1:{server.port}", "--json") == 1
    await server.close()
    said = capsys.readouterr()
    assert "its registers are no SunSpec map" in said.err
    assert json.loads(said.out)["fault"] == "malformed answer"


async def test_scan_of_a_silent_device_says_what_to_look_for(
    pv: InverterHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    pv.inverter.faults.silent = True

    assert await device("scan", at(pv), "--timeout", "0.2") == 1
    assert "another client may hold its only connection" in capsys.readouterr().err


async def test_read_prints_ratings_and_readings(
    pv: InverterHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await device("read", at(pv), "--count", "2", "--every", "0.01") == 0

    lines = capsys.readouterr().out.splitlines()
    assert "  max W          5000 W" in lines
    assert lines.count("  power_w            5000") == 2


async def test_read_answers_in_json(pv: InverterHandle, capsys: pytest.CaptureFixture[str]) -> None:
    assert await device("read", at(pv), "--json") == 0

    plate, reading = map(json.loads, capsys.readouterr().out.splitlines())
    assert plate["max_w"] == 5000
    assert "opModMaxLimW" in plate["modes"]
    assert reading["power_w"] == 5000


async def test_apply_without_yes_writes_nothing(
    pv: InverterHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await device("apply", at(pv), "--limit-pct", "40") == 1

    assert "nothing was written: --yes does it" in capsys.readouterr().out
    assert pv.inverter.bank.models[704].integer("WMaxLimPctEna") == 0


async def test_apply_writes_and_shows_what_was_read_back(
    pv: InverterHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await device("apply", at(pv), "--limit-pct", "40", "--for", "90", "--no-connect", "--yes") == 0

    lines = capsys.readouterr().out.splitlines()
    assert "  connect False, max_w_pct 40.0" in lines
    assert any(line.endswith("704.WMaxLimPctRvrtTms = 90 (0000 005A), read back") for line in lines)
    assert lines[-2].startswith("  NOT GUARDED: connect stays until --connect")
    assert lines[-1] == "  the device falls back by itself after 90 s: max_w_pct"
    assert pv.inverter.bank.models[704].number("WMaxLimPct") == 0


@pytest.mark.parametrize(
    "options", [("--connect",), ("--no-connect",), ("--release",), ("--limit-pct", "100")]
)
async def test_apply_promises_no_fallback_that_does_not_come(
    pv: InverterHandle, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    assert await device("apply", at(pv), *options, "--yes") == 0
    assert "falls back" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "options",
    [
        ("apply", "--limit-pct", "40", "--for", "0"),
        ("apply", "--limit-pct", "40", "--for=-5"),
        ("apply", "--limit-pct", "40", "--for", "65535"),
        ("test", "--reversion", "0"),
    ],
)
async def test_reversion_time_that_no_timer_takes_is_wrong_usage(
    pv: InverterHandle, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    command, *others = options
    assert await device(command, at(pv), *others, "--yes") == 2
    assert "outside 1 to 65534" in capsys.readouterr().err
    assert pv.inverter.bank.models[704].integer("WMaxLimPctEna") == 0


@pytest.mark.parametrize(
    ("options", "flaw"),
    [
        (("apply", "--limit-pct=-5"), "argument --limit-pct: -5: a number from 0 to 100 is wanted"),
        (("apply", "--limit-pct=nan"), "argument --limit-pct: nan: a number from 0 to 100 is wanted"),
        (("apply", "--target-w=much"), "argument --target-w: much: a number from"),
        (("apply", "--pf=5"), "argument --pf: 5: a number from -1 to 1 is wanted"),
        (("apply", "--pf=0"), "argument --pf: 0: a power factor is not 0"),
        (("read", "--count=1.5"), "argument --count: 1.5: a whole number is wanted"),
        (("test", "--min-soc=nan"), "argument --min-soc: nan: a number from 0 to 100 is wanted"),
    ],
)
def test_figure_that_cannot_be_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], flaw: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(options[0], "127.0.0.1", *options[1:])
    assert ended.value.code == 2
    assert flaw in capsys.readouterr().err


def test_map_outside_the_address_space_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("scan", "127.0.0.1", "--base", "70000") == 2
    assert "bases: 70000 is outside 0 to 65533" in capsys.readouterr().err


async def test_apply_says_what_falls_back(pv: InverterHandle, capsys: pytest.CaptureFixture[str]) -> None:
    assert await device("apply", at(pv), "--limit-pct", "40", "--for", "65534", "--yes") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "  the device falls back by itself after 65534 s"


async def test_apply_names_what_the_device_cannot_do(
    pv: InverterHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await device("apply", at(pv), "--target-w=-1000", "--yes") == 1
    assert "NOT SUPPORTED by this device: target_w" in capsys.readouterr().out


async def test_apply_of_nothing_is_wrong_usage(pv: InverterHandle) -> None:
    assert await device("apply", at(pv), "--yes") == 2


async def test_a_dump_served_again_is_the_same_device(
    pv: InverterHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await device("dump", at(pv)) == 0
    server = ModbusServer({1: ReplayStore(parse_image(capsys.readouterr().out))}, FaultSwitches())
    await server.start("127.0.0.1", 0)
    copy = SunSpecDevice("copy", "127.0.0.1", server.port)

    found = await copy.scan()
    await copy.close()
    await server.close()
    original = SunSpecDevice("pv", "127.0.0.1", pv.port)
    seen = await original.scan()
    await original.close()
    assert [(m.model_id, m.address, m.length) for m in getattr(found, "models", ())] == [
        (m.model_id, m.address, m.length) for m in getattr(seen, "models", ())
    ]


async def test_dump_can_leave_the_serial_number_out(
    pv: InverterHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await device("dump", at(pv), "--hide-serial") == 0
    words = parse_image(capsys.readouterr().out)
    assert {40051, 40068} <= set(words)
    assert not set(range(40052, 40068)) & set(words)


async def test_dump_that_breaks_off_is_printed_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    class FallingSilent(Inverter):
        def read(self, address: int, count: int) -> list[int]:
            if address >= self.bank.models[704].address:
                raise SilentUnitError
            return super().read(address, count)

    server = ModbusServer({1: ClockedStore(FallingSilent(PV, 0.0), lambda: 1.0)}, FaultSwitches())
    await server.start("127.0.0.1", 0)
    code = await device("dump", f"127.0.0.1:{server.port}", "--timeout", "0.1")
    await server.close()
    printed = capsys.readouterr()
    assert code == 1
    assert printed.out.startswith("# SunSpec map at 40000: models 1 (66), ")
    assert printed.out.splitlines()[-1].startswith("# NOT COMPLETE: read ")
    assert "no answer" in printed.err


async def test_dump_of_nothing_says_why(capsys: pytest.CaptureFixture[str], unused_tcp_port: int) -> None:
    assert await device("dump", f"127.0.0.1:{unused_tcp_port}") == 1
    assert "Connection refused" in capsys.readouterr().err


async def test_device_on_a_serial_line_is_found_by_its_port(capsys: pytest.CaptureFixture[str]) -> None:
    server = RtuServer({3: ClockedStore(Inverter(PV, 0.0), lambda: 1.0)})
    path = server.start_on_pty()
    code = await device(
        "scan", path, "--unit", "3", "--set", "transport.serial.baud=115200", "--timeout", "5"
    )
    server.close()
    assert code == 0
    assert "serial PV-1" in capsys.readouterr().out


async def test_trace_shows_every_request_and_answer(
    pv: InverterHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await device("scan", at(pv), "--trace") == 0
    lines = capsys.readouterr().err.splitlines()
    where = f"127.0.0.1:{pv.port} unit 1"
    assert lines[:2] == [f"{where} > read 40000+2", f"{where} < read 40000+2: 5375 6E53"]


async def test_dump_of_points_shows_values(pv: InverterHandle, capsys: pytest.CaptureFixture[str]) -> None:
    assert await device("dump", at(pv), "--points") == 0
    assert "702.WMaxRtg = 5000" in capsys.readouterr().out


async def test_test_without_yes_reads_only(pv: InverterHandle, capsys: pytest.CaptureFixture[str]) -> None:
    assert await device("test", at(pv)) == 1
    assert "NOT DONE  sign: nothing is written without --yes" in capsys.readouterr().out


async def test_test_reports_in_text_and_json(
    pv: InverterHandle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    options = ("--reversion", "3", "--settle", "15", "--report", str(report))

    assert await device("test", at(pv), "--yes", *options) == 0

    text = capsys.readouterr().out
    assert "PASSED    limit: the limit is kept" in text
    assert text.endswith("verdict: passed\n")
    kept = json.loads(report.read_text())
    assert [finding["test"] for finding in kept["findings"]] == [
        "identity", "readings", "limit", "sign", "ramp", "loss of communication", "restored",
    ]  # fmt: skip
    assert kept["identity"]["serial"] == "PV-1"


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ((Verdict.PASSED, Verdict.PASSED, Verdict.PASSED), 0),
        ((Verdict.PASSED, Verdict.PASSED, Verdict.NOT_DONE), 0),
        ((Verdict.WARNING, Verdict.PASSED, Verdict.NOT_DONE), 0),
        ((Verdict.PASSED, Verdict.NOT_DONE, Verdict.NOT_DONE), 1),
        ((Verdict.WARNING, Verdict.NOT_DONE, Verdict.NOT_DONE), 1),
        ((Verdict.PASSED, Verdict.PASSED, Verdict.FAILED), 1),
        ((Verdict.PASSED, Verdict.PASSED, Verdict.ABORTED), 1),
    ],
)
async def test_exit_code_of_a_test(
    pv: InverterHandle, monkeypatch: pytest.MonkeyPatch, verdicts: tuple[Verdict, ...], code: int
) -> None:
    found = zip(("identity", "sign", "limit"), verdicts, strict=True)
    findings = tuple(Finding(test=name, verdict=verdict, words="") for name, verdict in found)

    async def run_of(trial: Trial) -> Report:
        return Report(device="der", started_s=0, findings=findings)

    monkeypatch.setattr(Trial, "run", run_of)
    assert await device("test", at(pv), "--yes") == code


async def test_kinds_prints_what_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert await device("kinds") == 0

    lines = capsys.readouterr().out.splitlines()
    assert '  can.profile                  str            default "pylontech_lv"' in lines
    assert any(line.startswith("sunspec (lineside ") for line in lines)


async def test_an_unknown_kind_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert await device("read", "127.0.0.1", "--kind", "kettle") == 2
    assert "'kettle' is none of battery, sunspec" in capsys.readouterr().err


async def test_neither_address_nor_bus_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert await device("scan") == 2
    assert "HOST or --can CHANNEL is wanted" in capsys.readouterr().err


async def test_scan_of_a_bus_names_the_profile_that_fits(
    pack: ServedBattery, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await device("scan", *on(pack), "--listen", "0.6") == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("profile pylontech_lv fits: it reads 100% of them")
    assert any(line.split()[:2] == ["351", "Limits"] for line in lines)


async def test_read_of_a_bms(pack: ServedBattery, capsys: pytest.CaptureFixture[str]) -> None:
    assert await device("read", *on(pack), "--json") == 0
    assert json.loads(capsys.readouterr().out)["soc_pct"] == 60


async def test_read_of_a_bms_in_words(pack: ServedBattery, capsys: pytest.CaptureFixture[str]) -> None:
    assert await device("read", *on(pack)) == 0
    assert "soc_pct              60" in capsys.readouterr().out.splitlines()


async def test_test_of_a_healthy_bms(
    pack: ServedBattery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "bms.json"
    assert await device("test", *on(pack), "--listen", "0.6", "--report", str(report)) == 0

    assert "verdict: passed" in capsys.readouterr().out
    assert json.loads(report.read_text())["identity"]["manufacturer"] == "LINESIDE"


async def test_test_of_a_bms_with_an_alarm_fails(
    pack: ServedBattery, capsys: pytest.CaptureFixture[str]
) -> None:
    pack.bms.raise_alarm("high_temperature")

    assert await device("test", *on(pack), "--listen", "0.6") == 1
    assert "FAILED    alarms: high_temperature" in capsys.readouterr().out


async def test_test_with_the_wrong_profile_says_what_is_missing(
    pack: ServedBattery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = tmp_path / "other.toml"
    profile.write_text(
        'name = "other"\ndbc = "lv_35x.dbc"\n[values]\nsoc = { signal = "BatteryInfo.AvailableCapacity" }\n'
        "[constants]\nvoltage = 50\ncurrent = 0\nsoh = 100\ntemp = 20\nccl = 0\ndcl = 0\ncvl = 50\n"
    )

    assert await device("test", *on(pack), "--profile", str(profile), "--listen", "0.4") == 1
    assert "not heard: BatteryInfo; is other the right profile?" in capsys.readouterr().out


async def test_a_bus_that_is_not_there_fails(capsys: pytest.CaptureFixture[str]) -> None:
    bus = ("--can", "can0", "--interface", "socketcand", "--set", "can.port=1")

    assert await device("test", *bus, "--listen", "0.3") == 1
    assert "FAILED    bus: socketcand can0" in capsys.readouterr().out


async def test_dump_of_a_bus_is_a_candump(pack: ServedBattery, capsys: pytest.CaptureFixture[str]) -> None:
    assert await device("dump", *on(pack), "--listen", "0.3") == 0

    first = capsys.readouterr().out.splitlines()[0]
    stamp, channel, frame = first.split()
    assert (stamp[0], stamp[-1], channel) == ("(", ")", "can0")
    assert "#" in frame


async def test_a_bms_takes_no_setpoints(pack: ServedBattery, capsys: pytest.CaptureFixture[str]) -> None:
    assert await device("apply", *on(pack), "--limit-pct", "50", "--yes") == 2
    assert "a BMS takes no setpoints" in capsys.readouterr().err


async def test_inverter_and_bms_are_read_as_one_device(
    pack: ServedBattery, capsys: pytest.CaptureFixture[str]
) -> None:
    storage = InverterSettings(serial="B-1", charge_w=4_000, discharge_w=5_000, capacity_wh=10_000)
    handle = await serve_inverter(storage)

    code = await device("read", at(handle), *on(pack), "--count", "3", "--every", "0.3", "--json")
    await handle.close()

    assert code == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["battery"]["soc_pct"] == 60
