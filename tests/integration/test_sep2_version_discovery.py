"""`/.well-known/csipaus`: a client of CSIP-AUS v1.3 finds the DeviceCapability of its version. SDVN-01."""

import json
from pathlib import Path

import pytest

from certs import Pki
from schemas import Codec, DeviceCapability, EndDevice, csip_aus
from tests.integration.sep2_harness import Client, running

WELL_KNOWN = "/.well-known/csipaus"
NS = "https://csipaus.org/ns"


@pytest.mark.parametrize(
    ("profile", "mounts", "versions"),
    [
        ("csip_aus_v1.3", {}, {f"{NS}/v1.3": ["/dcap"]}),
        (
            "csip",
            {"/a": "csip_aus_v1.2", "/b": "csip_aus_v1.3", "/c": "csip_aus_v1.3"},
            {NS: ["/a/dcap"], f"{NS}/v1.3": ["/b/dcap", "/c/dcap"]},
        ),
        ("csip_aus_v1.3_storage", {}, {f"{NS}/v1.3-beta/storage": ["/dcap"]}),
    ],
)
async def test_the_versions_are_listed_with_their_paths(
    tmp_path: Path, sep2_pki: Pki, profile: str, mounts: dict[str, str], versions: dict[str, list[str]]
) -> None:
    async with running(tmp_path, sep2_pki, profile=profile, mounts=mounts) as bench:
        stranger = await bench.client("sdvn-1")
        reply = await stranger.get(WELL_KNOWN, Accept="application/json")
        assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
        listed = json.loads(reply.body)["supportedSchemaVersions"]
        assert listed == {version: {"dcap": paths} for version, paths in versions.items()}
        head = await stranger.send("HEAD", WELL_KNOWN)
        assert (head.status, head.body) == (200, b"")
        assert (await stranger.send("PUT", WELL_KNOWN, b"x")).status == 405


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"profile": "csip"}, 404),
        ({"profile": "csip_aus_v1.2"}, 410),
        ({"profile": "csip_aus_v1.1a"}, 410),
        ({"profile": "csip_aus_v1.2", "version_discovery_status": 404}, 404),
    ],
)
async def test_where_no_later_version_is_spoken_there_is_no_document(
    tmp_path: Path, sep2_pki: Pki, settings: dict[str, object], status: int
) -> None:
    async with running(tmp_path, sep2_pki, **settings) as bench:  # type: ignore[arg-type]
        assert (await (await bench.client("sdvn-1")).get(WELL_KNOWN)).status == status


async def test_a_client_registers_by_the_path_that_it_found(tmp_path: Path, sep2_pki: Pki) -> None:
    mounts = {"/aus13": {"name": "csip_aus_v1.3", "in_band_registration": True}}
    async with running(tmp_path, sep2_pki, mounts=mounts) as bench:
        stranger = await bench.client("sdvn-2")
        client = Client(stranger._session, csip_aus.CSIP_AUS_V1_3)
        listed = json.loads((await client.get(WELL_KNOWN)).body)["supportedSchemaVersions"]
        capability = await client.read(listed[f"{NS}/v1.3"]["dcap"][0], DeviceCapability)
        assert capability.EndDeviceListLink_ is not None
        own = bench.credentials("sdvn-2")
        made = await client.post(
            capability.EndDeviceListLink_.href, EndDevice(lFDI=own.lfdi, sFDI=own.sfdi, changedTime=0)
        )
        assert (made.status, made.location.startswith("/aus13/edev/")) == (201, True)
        device = await client.read(made.location, csip_aus.EndDeviceV12)
        assert device.ConnectionPointLink is not None
        point = csip_aus.ConnectionPoint(connectionPointId="NMI")
        assert (await client.put(device.ConnectionPointLink.href, point)).status == 201
        assert (
            Codec(csip_aus.CSIP_AUS_V1_3)
            .decode((await client.get(device.ConnectionPointLink.href)).body, csip_aus.ConnectionPoint)
            .connectionPointId
            == "NMI"
        )
