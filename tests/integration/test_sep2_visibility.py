"""What a device sees is its own and what it is assigned; everything else might as well not be there."""

import contextlib
from pathlib import Path
from typing import cast

import pytest

from certs import Pki
from schemas import (
    Configuration,
    DERProgramList,
    DERStatus,
    DeviceCapability,
    DeviceInformation,
    EndDeviceList,
    Error,
    FunctionSetAssignmentsList,
    PowerStatus,
)
from sep2_server.access import Viewer
from sep2_server.configurations import want
from sep2_server.errors import NotFound
from sep2_server.location import locate
from sep2_server.reader import Reader
from sep2_server.rows import Role, Row
from sep2_server.visibility import require_visible
from tests.integration.sep2_harness import START, Bench, Client, make_control, running

pytestmark = pytest.mark.usefixtures("each_database")
OWNED = [
    "",
    "/rg",
    "/der",
    "/fsa",
    "/lel",
    "/sub",
    "/dstat",
    "/di",
    "/ps",
    "/frq",
    "/frp",
    "/cfg",
    "/ns",
    "/lsl",
]
WRITES = [
    pytest.param("PUT", "/dstat", b"<DeviceStatus", id="DeviceStatus"),
    pytest.param("PUT", "/ps", b"<PowerStatus", id="PowerStatus"),
    pytest.param("POST", "/lel", b"<LogEvent", id="LogEvent"),
    pytest.param("POST", "/frq", b"<FlowReservationRequest", id="FlowReservationRequest"),
    pytest.param("DELETE", "", None, id="EndDevice"),
]


async def two_devices(bench: Bench) -> tuple[Row, Row, Client, Client]:
    one, one_client = await bench.device("eye-1")
    two, two_client = await bench.device("eye-2")
    return one, two, one_client, two_client


@pytest.mark.parametrize("suffix", OWNED)
async def test_what_belongs_to_another_device_is_404(bench: Bench, suffix: str) -> None:
    one, _, _, two_client = await two_devices(bench)
    reply = await two_client.get(f"{one.href}{suffix}")
    missing = await two_client.get(f"/edev/999999{suffix}")
    assert (reply.status, reply.decoded(Error).reasonCode) == (404, 1)
    assert reply.body == missing.body


@pytest.mark.parametrize(("method", "suffix", "start"), WRITES)
async def test_a_write_to_another_device_is_404(
    bench: Bench, method: str, suffix: str, start: bytes | None
) -> None:
    one, _, _, two_client = await two_devices(bench)
    body = None if start is None else start + b' xmlns="urn:ieee:std:2030.5:ns"/>'
    reply = await two_client.send(method, f"{one.href}{suffix}", body)
    assert (reply.status, reply.decoded(Error).reasonCode) == (404, 1)


async def test_what_hangs_on_the_der_of_another_device_is_404(bench: Bench) -> None:
    one, _, one_client, two_client = await two_devices(bench)
    der = next(row for row in bench.store.reader.of_owner(one.id) if row.kind == "DER")
    status = DERStatus(readingTime=START)
    assert (await one_client.put(f"{der.href}/ders", status)).status == 204
    assert (await two_client.put(f"{der.href}/ders", DERStatus(readingTime=1))).status == 404
    assert (await two_client.get(f"{der.href}/ders")).status == 404
    assert (await one_client.read(f"{der.href}/ders", DERStatus)).readingTime == START


async def test_hidden_resources_are_403_where_the_settings_say_so(
    tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki
) -> None:
    async with running(tmp_path_factory.mktemp("hidden"), sep2_pki, hidden_status=403) as bench:
        one, _, _, two_client = await two_devices(bench)
        assert (await two_client.get(one.href)).status == 403
        assert (await two_client.get("/edev/999999")).status == 404


async def test_what_operators_alone_see_is_404_whatever_is_hidden_how(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, hidden_status=403, function_sets="all") as bench:
        row, client = await bench.device("eye-1")
        configuration = Configuration(currentLocale="en", userDeviceName="north")
        assert (await client.put(f"{row.href}/cfg", configuration)).status == 204
        await bench.do(lambda desk: want(desk.transaction, desk.environment, row.id, configuration))
        assert bench.store.reader.by_href(f"{row.href}/cfg/reported") is not None
        assert (await client.get(f"{row.href}/cfg/reported")).status == 404


@pytest.mark.parametrize("status", [403, 404])
async def test_what_is_hidden_is_told_alike_for_all_methods_and_again_and_again(
    tmp_path_factory: pytest.TempPathFactory, sep2_pki: Pki, status: int
) -> None:
    """And what is not there, or nobody's but the operator's, is 404 either way."""
    settings = {"hidden_status": status, "function_sets": "all"}
    async with running(tmp_path_factory.mktemp("alike"), sep2_pki, **settings) as bench:  # type: ignore[arg-type]
        one, _, one_client, two_client = await two_devices(bench)
        group, program = await bench.group("eye", "eye-1")
        control = await bench.control(program, make_control("A1", START + 10, 10))
        hidden = [program.href, f"{program.href}/derc", control.href, f"/fsa/{group.id}/derp"]
        hidden += [f"{one.href}{suffix}" for suffix in ("", "/der", "/fsa", "/rg", "/lel")]
        missing = ["/derp/999999", f"{program.href}/derc/999999", "/edev/999999/lel", f"{one.href}/nothing"]
        for _ in range(2):
            assert [(await one_client.get(href)).status for href in hidden] == [200] * len(hidden)
            assert [(await two_client.get(href)).status for href in hidden] == [status] * len(hidden)
            assert [(await two_client.get(href)).status for href in missing] == [404] * len(missing)
        for method, suffix, start in cast(
            "list[tuple[str, str, bytes | None]]", [one.values for one in WRITES]
        ):
            body = None if start is None else start + b' xmlns="urn:ieee:std:2030.5:ns"/>'
            assert (await two_client.send(method, f"{one.href}{suffix}", body)).status == status
            assert (await two_client.send(method, f"/edev/999999{suffix}", body)).status == 404


async def test_the_list_of_end_devices_shows_each_client_its_own(bench: Bench) -> None:
    one, two, one_client, two_client = await two_devices(bench)
    first = await one_client.read("/edev?l=255", EndDeviceList)
    second = await two_client.read("/edev?l=255", EndDeviceList)
    assert ([d.href for d in first.EndDevice_], first.all) == ([one.href], 1)
    assert ([d.href for d in second.EndDevice_], second.all) == ([two.href], 1)


async def test_a_program_is_seen_by_those_who_are_assigned(bench: Bench) -> None:
    one, _, one_client, two_client = await two_devices(bench)
    group, program = await bench.group("eye", "eye-1")
    control = await bench.control(program, make_control("A1", START + 10, 10))
    paths = [
        program.href,
        f"{program.href}/derc",
        f"{program.href}/actderc",
        f"{program.href}/dc",
        control.href,
    ]
    paths += [f"/fsa/{group.id}/derp"]
    assert [(await one_client.get(path)).status for path in paths] == [200] * 6
    assert [(await two_client.get(path)).status for path in paths] == [404] * 6
    fsa = await one_client.read(f"{one.href}/fsa?l=255", FunctionSetAssignmentsList)
    link = fsa.FunctionSetAssignments_[0].DERProgramListLink_
    assert link is not None
    assert (link.href, link.all) == (f"/fsa/{group.id}/derp", 1)


async def test_the_list_of_programs_shows_each_client_what_it_is_assigned(bench: Bench) -> None:
    _, _, one_client, two_client = await two_devices(bench)
    _, mine = await bench.group("eye-a", "eye-1")
    await bench.group("eye-b", "eye-2")
    page = await one_client.read("/derp?l=255", DERProgramList)
    assert ([p.href for p in page.DERProgram_], page.all) == ([mine.href], 1)
    capability = await two_client.read("/dcap", DeviceCapability)
    assert capability.DERProgramListLink_ is not None
    assert capability.DERProgramListLink_.all == 1


async def test_a_program_that_is_taken_away_is_gone_at_once(bench: Bench) -> None:
    from sep2_server.operator import programs

    _, _, one_client, _ = await two_devices(bench)
    group, program = await bench.group("eye", "eye-1")
    assert (await one_client.get(program.href)).status == 200
    assert (await one_client.read("/derp", DERProgramList)).all == 1
    await bench.do(lambda desk: programs.unassign(desk, group, desk.client("eye-1")))
    assert (await one_client.get(program.href)).status == 404
    assert (await one_client.read("/derp", DERProgramList)).all == 0


async def test_an_aggregator_sees_and_writes_for_its_devices(bench: Bench) -> None:
    aggregator = await bench.enrol("eye-agg", role=Role.AGGREGATOR)
    managed = await bench.enrol("eye-managed", aggregator=aggregator)
    other, _, other_client, _ = await two_devices(bench)
    client = await bench.client("eye-agg")
    page = await client.read("/edev?l=255", EndDeviceList)
    assert {d.href for d in page.EndDevice_} == {aggregator.href, managed.href}
    status = PowerStatus(batteryStatus=1, changedTime=START, currentPowerSource=1)
    assert (await client.put(f"{managed.href}/ps", status)).status == 204
    assert (await client.put(f"{other.href}/ps", status)).status == 404
    assert (await other_client.get(managed.href)).status == 404


async def test_a_managed_device_that_connects_itself_sees_itself_alone(bench: Bench) -> None:
    aggregator = await bench.enrol("eye-agg", role=Role.AGGREGATOR)
    managed = await bench.enrol("eye-managed", aggregator=aggregator)
    client = await bench.client("eye-managed")
    assert (await client.get(managed.href)).status == 200
    assert (await client.get(aggregator.href)).status == 404


async def test_a_device_that_is_removed_is_refused_at_once(bench: Bench) -> None:
    from sep2_server.end_devices import remove_end_device

    row, client = await bench.device("eye-1")
    await bench.group("eye", "eye-1")
    info = DeviceInformation(
        lFDI=bench.credentials("eye-1").lfdi,
        mfDate=0,
        mfHwVer="1",
        mfID=1,
        mfModel="m",
        mfSerNum="s",
        primaryPower=1,
        secondaryPower=0,
        swActTime=0,
        swVer="1",
    )
    assert (await client.put(f"{row.href}/di", info)).status == 204
    assert (await client.read(f"{row.href}/di", DeviceInformation)).mfModel == "m"
    await bench.store.do(lambda tx: remove_end_device(tx, row))
    assert (await client.get(f"{row.href}/di")).status == 403
    assert bench.store.reader.of_owner(row.id) == []
    assert bench.store.reader.assignments_of_device(row.id) == []


async def test_a_managed_device_that_connects_itself_finds_its_own_entry_alone(bench: Bench) -> None:
    boss = await bench.enrol("eye-boss", role=Role.AGGREGATOR)
    row = await bench.enrol("eye-1", aggregator=boss)
    await bench.enrol("eye-2", aggregator=boss)
    client, boss_client = await bench.client("eye-1"), await bench.client("eye-boss")
    page = await client.read("/edev?l=255", EndDeviceList)
    capability = await client.read("/dcap", DeviceCapability)
    assert capability.EndDeviceListLink_ is not None
    assert (page.all, page.results, capability.EndDeviceListLink_.all) == (1, 1, 1)
    assert page.EndDevice_[0].href == row.href
    assert (await boss_client.read("/edev?l=255", EndDeviceList)).all == 3
    await bench.group("late", "eye-1")
    bench.clock.advance(1)
    await bench.group("later", "eye-1")
    again = await client.read("/edev?l=255", EndDeviceList)
    assert again.EndDevice_[0].changedTime == START + 1


async def test_what_a_stranger_may_find_is_what_is_open_to_strangers(bench: Bench) -> None:
    """Also where its request was let in before it was removed."""
    row, _ = await bench.device("eye-1")
    _, program = await bench.group("eyes", "eye-1")
    hrefs = ["/dcap", "/tm", "/edev", "/mup", "/derp", "/rsps", row.href, program.href, f"{row.href}/der"]

    def found(reader: Reader) -> set[str]:
        environment, stranger = bench.server.environment, Viewer("AB" * 20, None)
        targets = [locate(reader, environment.uris, href) for href in hrefs]
        shown = set()
        for target in targets:
            assert target is not None
            with contextlib.suppress(NotFound):
                require_visible(reader, environment, stranger, target)
                shown.add(target.href)
        return shown

    assert await bench.store.ask(found) == {"/dcap", "/tm", "/edev", "/mup"}
