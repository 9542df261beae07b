"""Storage of CSIP-AUS v1.3 and its beta: what an operator asks of it and a device says of it, over TLS."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from certs import Pki
from schemas import (
    ActivePower,
    DefaultDERControl,
    DERCapability,
    DERControl,
    DERSettings,
    DERStatus,
    OperationalModeStatusType,
    Profile,
    WattHour,
    csip_aus,
)
from sep2_server.operator import resources
from sep2_server.operator.errors import BadRequest
from tests.integration.lived_in_house import operate
from tests.integration.sep2_harness import START, Bench, Client, running

NS = "https://csipaus.org/ns"
VERSIONS = {
    "/aus13": (csip_aus.CSIP_AUS_V1_3, f"{NS}/v1.3"),
    "/storage": (csip_aus.CSIP_AUS_V1_3_STORAGE, f"{NS}/v1.3-beta/storage"),
}
MOUNTS = {"/aus12": "csip_aus_v1.2", "/aus13": "csip_aus_v1.3", "/storage": "csip_aus_v1.3_storage"}
EACH = pytest.mark.parametrize("prefix", list(VERSIONS))
DRED = range(100, 109)
EXTENSIONS = {
    "dercap": ("doeModesSupported", "vppModesSupported"),
    "derg": ("doeModesEnabled", "vppModesEnabled", "setMinWh"),
}
POWER = ActivePower(multiplier=0, value=5000)
CONTROL: dict[str, object] = {"interval": {"start": "now", "duration": "1h"}}


@pytest_asyncio.fixture
async def bench(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    async with running(tmp_path, sep2_pki, profile="csip", mounts=MOUNTS) as started:
        await started.device("storage-1")
        yield started


def client_at(bench: Bench, prefix: str) -> Client:
    profile: Profile = VERSIONS[prefix][0]
    return Client(bench.clients["storage-1"]._session, profile)


async def publish(bench: Bench, modes: object) -> str:
    _, program = await bench.group("storage", "storage-1")
    body = {**CONTROL, "DERControlBase": modes}
    return str((await operate(bench, resources.add, body, href=f"{program.href}/derc"))["href"])


async def der_of(bench: Bench) -> str:
    row = bench.store.reader.of_kind("DER", limit=1)[0]
    return row.href


@EACH
@pytest.mark.parametrize(
    ("said", "wire"),
    [("5kW", (3, 5)), ("-2.5 kW", (2, -25)), ("0W", (0, 0)), ({"multiplier": 1, "value": -500}, (1, -500))],
)
async def test_a_target_for_the_storage_goes_to_clients_of_both_versions(
    bench: Bench, prefix: str, said: object, wire: tuple[int, int]
) -> None:
    href = await publish(bench, {"opModStorageTargetW": said})
    client = client_at(bench, prefix)
    shown: Any = await client.read(f"{prefix}{href}", DERControl)
    target = shown.DERControlBase_.opModStorageTargetW
    assert target.value * 10**target.multiplier == wire[1] * 10 ** wire[0]
    assert f'"{VERSIONS[prefix][1]}"'.encode() in (await client.get(f"{prefix}{href}")).body


async def test_older_versions_see_the_control_without_the_target(bench: Bench) -> None:
    href = await publish(bench, {"opModStorageTargetW": "5kW", "opModExpLimW": "1kW", "opModMaxLimW": "50%"})
    root = bench.clients["storage-1"]
    seen = {path: (await root.get(f"{path}{href}")).body for path in ("", "/aus12", "/aus13")}
    held = {
        path: (b"opModMaxLimW" in b, b"opModExpLimW" in b, b"StorageTarget" in b) for path, b in seen.items()
    }
    assert held == {"": (True, False, False), "/aus12": (True, True, False), "/aus13": (True, True, True)}


@EACH
async def test_a_default_may_hold_a_target_too(bench: Bench, prefix: str) -> None:
    _, program = await bench.group("storage", "storage-1")
    body = {"DERControlBase": {"opModStorageTargetW": "-1kW", "opModImpLimW": "3kW"}}
    told = await operate(bench, resources.change, body, href=f"{program.href}/dderc")
    shown: Any = await client_at(bench, prefix).read(f"{prefix}{told['href']}", DefaultDERControl)
    base = shown.DERControlBase_
    assert base.opModStorageTargetW.value * 10**base.opModStorageTargetW.multiplier == -1000
    assert base.opModImpLimW.value * 10**base.opModImpLimW.multiplier == 3000


@EACH
async def test_a_device_tells_the_modes_and_the_least_energy_of_its_storage(
    bench: Bench, prefix: str
) -> None:
    client, der = client_at(bench, prefix), await der_of(bench)
    capability = csip_aus.DERCapabilityV13(
        modesSupported="00100000", rtgMaxW=POWER, type=80, doeModesSupported="0F", vppModesSupported="01"
    )
    settings = csip_aus.DERSettingsV13(
        setGradW=27,
        setMaxW=POWER,
        updatedTime=START,
        doeModesEnabled="03",
        vppModesEnabled="01",
        setMinWh=WattHour(multiplier=1, value=150),
    )
    for path, value, cls in (("dercap", capability, DERCapability), ("derg", settings, DERSettings)):
        assert (await client.put(f"{prefix}{der}/{path}", value)).status in {201, 204}
        shown: Any = await client.read(f"{prefix}{der}/{path}", cls)
        assert {name: getattr(shown, name) for name in EXTENSIONS[path]} == {
            name: getattr(value, name) for name in EXTENSIONS[path]
        }


async def test_the_modes_of_operating_envelopes_are_mandatory(bench: Bench) -> None:
    client, der = client_at(bench, "/aus13"), await der_of(bench)
    plain = DERCapability(modesSupported="00100000", rtgMaxW=POWER, type=80)
    assert (await client.put(f"/aus13{der}/dercap", plain)).status == 400


@pytest.mark.parametrize("mode", DRED)
async def test_a_dred_mode_is_an_operational_mode(bench: Bench, mode: int) -> None:
    """CSIP-AUS 2.2: 100 to 108 are DRM0 to DRM8."""
    client, der = client_at(bench, "/aus13"), await der_of(bench)
    status = DERStatus(
        operationalModeStatus=OperationalModeStatusType(dateTime=START, value=mode), readingTime=START
    )
    assert (await client.put(f"/aus13{der}/ders", status)).status in {201, 204}
    shown = (await client.read(f"/aus13{der}/ders", DERStatus)).operationalModeStatus
    assert shown is not None
    assert shown.value == mode


@pytest.mark.parametrize("said", ["5", "5 kvar", "50%", "five kW", "123.456789 W"])
async def test_a_target_that_the_wire_cannot_hold_is_refused(bench: Bench, said: str) -> None:
    with pytest.raises(BadRequest):
        await publish(bench, {"opModStorageTargetW": said})
