"""Simulations on lines of every kind, read by the real drivers: TLS, serial, a meter, a battery bank."""

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
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from certs import Pki
from der_client.device import Fault, FaultKind, Nameplate, SiteReading, Telemetry
from der_client.device_factory import meter_of
from der_client.settings import load_settings
from der_client.sunspec import DeviceMap, SunSpecDevice, SunSpecSettings, TransportSettings
from der_client.sunspec.meter import SunSpecMeter
from der_client.sunspec.serial_port import SerialSettings
from der_client.sunspec.settings import MeterSettings
from der_client.sunspec.transport import TlsSettings

FULL_SUN = ("--irradiance", "1", "--max-w", "8000")
EVENING = ("--start", "2026-06-21T19:30", "--phases", "3")
SERVER = '[server]\nuri = "https://server/dcap"\ncertificate = "c"\nkey = "k"\nroots = "r"\n'
PATIENT = TransportSettings(timeout_s=10.0)
MOVING = {"WH", "TotWhInj", "TotWhExp", "TotWhImp", "DERHb", "Hb", "ActWh", "W", "A", "VA", "VAR", "PF"}
"""Points that go on between two readers."""


@contextmanager
def running(*arguments: str) -> Iterator[dict[str, Any]]:
    """A simulation that runs; what its first line said."""
    command = [sys.executable, "-m", "lineside", "sim", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


async def power_of(device: SunSpecDevice) -> float:
    """The power that a driver reads."""
    try:
        plate, reading = await device.identify(), await device.read()
    finally:
        await device.close()
    assert isinstance(plate, Nameplate), plate
    assert isinstance(reading, Telemetry), reading
    return reading.power_w


async def test_inverter_inside_tls_is_read_by_a_client_with_a_role(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path / "pki", depth=3)
    pki.issue_modbus("inverter", hosts=["127.0.0.1"])
    own = pki.issue_modbus("controller", role="GridServiceSunSpec")
    tls = TlsSettings(certificate=own.certificate_path, key=own.key_path, roots=own.root_path)
    settings = SunSpecSettings(transport=TransportSettings(timeout_s=10.0, tls=tls))
    with running("inverter", *FULL_SUN, "--tls", str(tmp_path / "pki" / "inverter")) as where:
        device = SunSpecDevice("der", "127.0.0.1", where["modbus_port"], settings=settings)
        assert await power_of(device) == 8_000


async def test_two_inverters_share_a_serial_line() -> None:
    with running("inverter", *FULL_SUN, "--count", "2", "--rtu", "pty") as where:
        serial = SerialSettings(port=where["serial_port"])
        settings = SunSpecSettings(transport=TransportSettings(timeout_s=10.0, serial=serial))
        powers = [await power_of(SunSpecDevice("der", "", 0, unit, settings)) for unit in (1, 2)]
        assert [place["unit"] for place in where["devices"]] == [1, 2]
    assert powers == [8_000, 8_000]


@pytest.mark.parametrize("positive", ["import", "export"])
async def test_the_meter_of_a_household_tells_what_it_takes(positive: str) -> None:
    with running("load", *EVENING, *(["--export-positive"] if positive == "export" else [])) as where:
        settings = MeterSettings(meter_positive=positive, transport=PATIENT)
        meter = SunSpecMeter("meter", "127.0.0.1", where["modbus_port"], settings=settings)
        reading = await meter.read()
        await meter.close()
    assert isinstance(reading, SiteReading), reading
    assert -9_000 < reading.power_w < -100
    assert reading.frequency_hz == 60.0


async def read_by(settings: str, folder: Path) -> SiteReading | Fault:
    """What the meter of a configuration file reads."""
    (configured,) = load_settings(SERVER + settings, folder=folder).meters
    meter = meter_of(configured)
    try:
        return await meter.read()
    finally:
        await meter.close()


async def test_the_meter_of_a_file_is_read_inside_tls(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path / "pki", depth=3)
    pki.issue_modbus("load", hosts=["127.0.0.1"])
    own = pki.issue_modbus("controller", role="GridServiceSunSpec")
    with running("load", *EVENING, "--tls", str(tmp_path / "pki" / "load")) as where:
        files = f'certificate = "{own.certificate_path}", key = "{own.key_path}", roots = "{own.root_path}"'
        transport = f"timeout_s = 10.0, tls = {{ {files} }}"
        place = f'host = "127.0.0.1"\nport = {where["modbus_port"]}'
        reading = await read_by(f"[meter]\n{place}\ntransport = {{ {transport} }}\n", tmp_path)
    assert isinstance(reading, SiteReading), reading
    assert -9_000 < reading.power_w < -100


async def test_the_meter_of_a_file_is_read_over_a_serial_line(tmp_path: Path) -> None:
    with running("load", *EVENING, "--rtu", "pty") as where:
        transport = f'timeout_s = 10.0, serial = {{ port = "{where["serial_port"]}" }}'
        reading = await read_by(f"[[meters]]\nunit = 1\ntransport = {{ {transport} }}\n", tmp_path)
    assert isinstance(reading, SiteReading), reading
    assert -9_000 < reading.power_w < -100


async def test_a_battery_of_high_voltage_shows_its_bank() -> None:
    options = ("--model-802", "--profile", "pylontech_hv", "--cells", "90", "--soc-pct", "55")
    with running("battery", *options) as where:
        settings = SunSpecSettings(transport=PATIENT, controller_heartbeat=False)
        device = SunSpecDevice("der", "127.0.0.1", where["modbus_port"], settings=settings)
        plate, reading = await device.identify(), await device.read()
        await device.close()
    assert isinstance(plate, Nameplate), plate
    assert isinstance(reading, Telemetry), reading
    assert (reading.soc_pct, plate.capacity_wh) == (55, 10_000)


@pytest.mark.parametrize(("option", "value"), [("--tls", "nowhere/inverter"), ("--rtu", "/dev/nowhere")])
def test_a_line_that_cannot_be_had_is_told_and_ends_with_2(option: str, value: str) -> None:
    command = [sys.executable, "-m", "lineside", "sim", "inverter", option, value]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, "nowhere" in done.stderr) == (2, True)


def as_pysunspec2_sees(port: int, unit: int) -> dict[int, dict[str, object]]:
    """Points of all models of a device as pysunspec2's own client reads them; repeated groups left out."""
    client = SunSpecModbusClientDeviceTCP(slave_id=unit, ipaddr="127.0.0.1", ipport=port, timeout=20)
    client.scan()
    seen = {
        number: {name: point.cvalue for name, point in found[0].points.items() if point.cvalue is not None}
        for number, found in client.models.items()
        if isinstance(number, int)
    }
    client.close()
    return seen


@pytest.mark.parametrize(
    ("arguments", "models"),
    [
        (
            ("inverter", "--series", "100", "--phases", "3", *FULL_SUN),
            [1, 103, 120, 121, 122, 123, 126, 127, 131, 132, 134, 160],
        ),
        (("battery", "--series", "100"), [1, 101, 120, 121, 122, 123, 124, 126, 127, 131, 132, 134, 160]),
        (("battery", "--model-802"), [1, *range(701, 716), 802]),
        (("load", "--phases", "3"), [1, 203]),
        (("load", "--phases", "2", "--float-meter"), [1, 212]),
    ],
    ids=["older inverter", "older battery", "battery bank", "meter", "float meter"],
)
async def test_pysunspec2_reads_the_simulation_and_agrees(
    arguments: tuple[str, ...], models: list[int]
) -> None:
    with running(*arguments, "--start", "2026-06-21T19:30") as where:
        place = where["devices"][0]
        theirs = await asyncio.to_thread(as_pysunspec2_sees, place["port"], place["unit"])
        settings = SunSpecSettings(transport=PATIENT, controller_heartbeat=False)
        device = SunSpecDevice("der", "127.0.0.1", place["port"], place["unit"], settings)
        ours = await device.scan()
        await device.close()
    assert isinstance(ours, DeviceMap), ours
    assert sorted(theirs) == models
    compared = {
        (model.model_id, point.name): (value, theirs[model.model_id].get(point.name))
        for model in ours.models
        for point, value in model.values()
        if "." not in point.name and point.name not in MOVING
    }
    assert {name: pair for name, pair in compared.items() if pair[0] != pytest.approx(pair[1])} == {}


@pytest.mark.parametrize(
    ("fault", "kind"), [("silent@2", FaultKind.NO_ANSWER), ("exception=6@2", FaultKind.REFUSED)]
)
async def test_one_bad_unit_leaves_its_neighbours_on_the_port_alone(fault: str, kind: FaultKind) -> None:
    options = ("--count", "3", "--one-port", "--fault", fault)
    with running("inverter", *FULL_SUN, *options) as where:
        port = where["modbus_port"]
        quick = SunSpecSettings(transport=TransportSettings(timeout_s=0.5))
        bad = SunSpecDevice("bad", "127.0.0.1", port, 2, quick)
        seen = await bad.identify()
        await bad.close()
        settings = SunSpecSettings(transport=PATIENT)
        powers = [await power_of(SunSpecDevice("der", "127.0.0.1", port, unit, settings)) for unit in (1, 3)]
    assert isinstance(seen, Fault)
    assert (seen.kind, powers) == (kind, [8_000, 8_000])
