"""One server with several profiles, each at its path: what one client of each sees of the same store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from certs import Pki
from schemas import (
    BASE,
    ActivePower,
    DERCapability,
    DERControl,
    DERControlList,
    DERListLink,
    DERProgramList,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    Profile,
    csip_aus,
)
from sep2_server.errors import StoreError
from tests.integration.sep2_harness import START, Bench, Client, Reply, make_control, running

MOUNTS = {"/aus12": "csip_aus_v1.2", "/aus13": "csip_aus_v1.3"}
PROFILES = {"": BASE, "/aus12": csip_aus.CSIP_AUS_V1_2, "/aus13": csip_aus.CSIP_AUS_V1_3}
EVERY = pytest.mark.parametrize("prefix", list(PROFILES))
SALT = pytest.mark.parametrize("salt", ["", "pepper"])


@pytest.fixture
async def bench(tmp_path: Path, sep2_pki: Pki, salt: str) -> AsyncIterator[Bench]:
    async with running(tmp_path, sep2_pki, mounts=MOUNTS, uri_salt=salt) as started:
        yield started


def at(client: Client, profile: Profile) -> Client:
    return Client(client._session, profile)


async def walk(client: Client, prefix: str) -> EndDevice:
    """The client's EndDevice, found by links alone."""
    capability = await client.read(f"{prefix}/dcap", DeviceCapability)
    assert capability.EndDeviceListLink_ is not None
    assert capability.EndDeviceListLink_.href.startswith(prefix + "/")
    listed = await client.read(capability.EndDeviceListLink_.href, EndDeviceList)
    return listed.EndDevice_[0]


@EVERY
@SALT
async def test_a_client_walks_by_links_and_never_leaves_its_path(bench: Bench, prefix: str) -> None:
    _, root = await bench.device("mount-1")
    client = at(root, PROFILES[prefix])
    device = await walk(client, prefix)
    again = await client.read(device.href or "", EndDevice)
    assert (again.href or "").startswith(prefix + "/")
    link = getattr(again, "ConnectionPointLink", None)
    assert link is None or link.href.startswith(prefix + "/")


@SALT
async def test_each_profile_sees_of_a_control_what_it_knows(bench: Bench) -> None:
    _, root = await bench.device("mount-1")
    _, program = await bench.group("g", "mount-1")
    base = csip_aus.DERControlBaseV13(
        opModMaxLimW=1,
        opModExpLimW=ActivePower(multiplier=0, value=5),
        opModStorageTargetW=ActivePower(multiplier=0, value=6),
    )
    await bench.control(program, make_control("AB" * 16, START + 60, 60, base=base))
    seen = {}
    for prefix, profile in PROFILES.items():
        client = at(root, profile)
        capability = await client.read(f"{prefix}/dcap", DeviceCapability)
        assert capability.DERProgramListLink_ is not None
        programs = await client.read(capability.DERProgramListLink_.href, DERProgramList)
        link = programs.DERProgram_[0].DERControlListLink_
        assert link is not None
        assert link.all == 1
        controls = await client.read(link.href, DERControlList)
        seen[prefix] = controls.DERControl_[0]
        assert (seen[prefix].replyTo or "").startswith(prefix + "/")
    kinds = [type(control.DERControlBase_).__name__ for control in seen.values()]
    assert kinds == ["DERControlBase", "DERControlBaseV12", "DERControlBaseV13"]


@pytest.mark.parametrize("salt", [""])
async def test_a_put_replaces_what_another_profile_stored(bench: Bench) -> None:
    row, root = await bench.device("mount-1")
    device = await root.read(row.href, EndDevice)
    assert device.DERListLink_ is not None
    assert isinstance(device.DERListLink_, DERListLink)
    path = f"{row.href}/der/{bench.store.reader.of_kind('DER', limit=1)[0].id}/dercap"
    power = ActivePower(multiplier=0, value=1)
    aus = at(root, csip_aus.CSIP_AUS_V1_3)
    full = csip_aus.DERCapabilityV13(
        modesSupported="01", rtgMaxW=power, type=4, doeModesSupported="03", vppModesSupported="01"
    )
    assert (await aus.put(f"/aus13{path}", full)).status == 204
    assert (await root.read(path, DERCapability)).type == 4
    twelve = (await root.get(f"/aus12{path}")).decoded(DERCapability, csip_aus.CSIP_AUS_V1_2)
    assert isinstance(twelve, csip_aus.DERCapabilityV12)
    assert twelve.doeModesSupported == "03"
    assert (await root.put(path, DERCapability(modesSupported="01", rtgMaxW=power, type=5))).status == 204
    assert b"vppModes" not in (await root.get(f"/aus13{path}")).body


@pytest.mark.parametrize("salt", [""])
async def test_a_change_on_one_mount_is_seen_on_the_others_at_once(bench: Bench) -> None:
    row, root = await bench.device("mount-1")
    aus = at(root, csip_aus.CSIP_AUS_V1_3)
    path = f"{row.href}/cp"

    async def put(prefix: str, text: str) -> Reply:
        return await aus.put(f"{prefix}{path}", csip_aus.ConnectionPoint(connectionPointId=text))

    created = await put("/aus13", "one")
    assert (created.status, created.location) == (201, f"/aus13{path}")
    for prefix in ("/aus12", "/aus13"):
        assert b">one<" in (await root.get(f"{prefix}{path}")).body
    twelve = at(root, csip_aus.CSIP_AUS_V1_2)
    assert (
        await twelve.put(f"/aus12{path}", csip_aus.ConnectionPoint(connectionPointId="two"))
    ).status == 204
    assert b">two<" in (await root.get(f"/aus13{path}")).body
    assert (await root.get(path)).status == 404


async def test_rules_are_those_of_the_mount(tmp_path: Path, sep2_pki: Pki) -> None:
    mounts = {"/open": {"name": "base", "in_band_registration": True, "hidden_status": 403}}
    async with running(tmp_path, sep2_pki, mounts=mounts) as bench:
        stranger = await bench.client("mount-2")
        assert (await stranger.get("/dcap")).status == 403
        assert (await stranger.get("/open/dcap")).status == 200
        other, client = await bench.device("mount-1")
        hidden = await bench.enrol("mount-3")
        assert (await client.get(hidden.href)).status == 404
        assert (await client.get(f"/open{hidden.href}")).status == 403
        assert (await client.get(f"/open{other.href}")).status == 200
        assert (await client.get("/opened/dcap")).status == 404
        assert (await client.get("/open")).status == 404


@pytest.mark.parametrize("salt", [""])
async def test_a_body_in_the_namespace_of_another_version_is_refused(bench: Bench) -> None:
    row, root = await bench.device("mount-1")
    twelve = at(root, csip_aus.CSIP_AUS_V1_2)
    value = csip_aus.ConnectionPoint(connectionPointId="x")
    assert (await twelve.put(f"/aus13{row.href}/cp", value)).status in {400, 422}


@pytest.mark.parametrize("salt", [""])
async def test_a_client_of_the_base_level_gets_no_extension_anywhere(bench: Bench) -> None:
    _, root = await bench.device("mount-1")
    _, program = await bench.group("g", "mount-1")
    base = csip_aus.DERControlBaseV12(opModExpLimW=ActivePower(multiplier=0, value=5))
    control = await bench.control(program, make_control("AB" * 16, START + 60, 60, base=base))
    reply = await root.get(f"/aus13{control.href}", Accept="application/sep+xml;level=-S1")
    assert reply.status == 200
    assert b"opModExpLimW" not in reply.body
    assert reply.decoded(DERControl).href == f"/aus13{control.href}"


@pytest.mark.parametrize(
    ("before", "after"),
    [("csip_aus_v1.2", "csip"), ("csip", "csip_aus_v1.2"), ("csip_aus_v1.2", "csip_aus_v1.3")],
)
async def test_a_database_of_other_extensions_is_not_opened(
    tmp_path: Path, sep2_pki: Pki, before: str, after: str
) -> None:
    async with running(tmp_path, sep2_pki, profile=before):
        pass
    with pytest.raises(StoreError, match="other extensions"):
        async with running(tmp_path, sep2_pki, profile=after):
            pass
    mounts = {"/": before, "/more": after}
    async with running(tmp_path, sep2_pki, mounts=mounts) as bench:
        _, client = await bench.device("m-1")
        assert (await client.get("/dcap")).status == 200


async def test_profiles_with_the_same_extensions_share_a_database(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, profile="base"):
        pass
    async with running(tmp_path, sep2_pki, profile="csip") as bench:
        assert bench.server.port > 0


async def test_a_path_below_another_is_the_longer_ones(tmp_path: Path, sep2_pki: Pki) -> None:
    mounts = {"/aus": "csip_aus_v1.2", "/aus/v13": "csip_aus_v1.3"}
    async with running(tmp_path, sep2_pki, mounts=mounts) as bench:
        _, client = await bench.device("mount-1")
        for prefix in ("", *mounts):
            told = (await client.get(f"{prefix}/dcap")).body
            assert f'href="{prefix}/dcap"'.encode() in told
