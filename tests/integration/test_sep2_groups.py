"""Groups of programs of every kind: who sees what, and what FunctionSetAssignments link to."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from certs import Pki
from function_sets import ROUTES
from schemas import (
    CustomerAccount,
    DemandResponseProgram,
    DERList,
    DERProgram,
    DERProgramList,
    DeviceCapability,
    EndDevice,
    File,
    FunctionSetAssignments,
    FunctionSetAssignmentsList,
    Link,
    MessagingProgram,
    Prepayment,
    Resource,
    TariffProfile,
    spec_of,
)
from sep2_server import settings_of
from sep2_server.extra_routes import PROGRAM_KINDS, group_list_of
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk
from sep2_server.operator.tree import Plan, insert_item
from sep2_server.rows import Group, Role, Row
from sep2_server.setting_values import SettingsError
from tests.integration.sep2_harness import START, Bench, Client, running


def blank_prepayment(mrid: str) -> Prepayment:
    """A Prepayment whose links the server is to make."""
    made: Prepayment = Prepayment.__new__(Prepayment)
    for f in spec_of(Prepayment):
        setattr(made, f.attr, [] if f.is_list else None)
    made.mRID, made.prepayMode = mrid, 0
    return made


MAKERS: dict[str, Callable[[str], Resource]] = {
    "DERProgram": lambda mrid: DERProgram(mRID=mrid, primacy=5),
    "DemandResponseProgram": lambda mrid: DemandResponseProgram(mRID=mrid, primacy=5),
    "TariffProfile": lambda mrid: TariffProfile(mRID=mrid, primacy=5, serviceCategoryKind=0),
    "MessagingProgram": lambda mrid: MessagingProgram(mRID=mrid, primacy=5, locale="en"),
    "CustomerAccount": lambda mrid: CustomerAccount(mRID=mrid, currency=978, pricePowerOfTenMultiplier=-2),
    "Prepayment": blank_prepayment,
    "File": lambda _: File(fileURI="/f", mfID=1, mfModel="m", mfVer="1", size=1, type="00"),
}
ALL_LINKS = [f.name.removesuffix("Link") for f in spec_of(DeviceCapability) if not f.is_attribute]
KINDS = pytest.mark.parametrize("kind", PROGRAM_KINDS)


@pytest.fixture
async def bench(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    """A server that offers every function set."""
    async with running(tmp_path, sep2_pki, function_sets="all") as bench:
        yield bench


def make(desk: Desk, group: Group, kind: str, mrid: str = "A1") -> Row:
    row = insert_item(desk, programs.root_list(desk, kind), Plan(value=MAKERS[kind](mrid)))
    programs.show(desk, group, row)
    return row


def leave(desk: Desk, group: Group, name: str) -> None:
    programs.unassign(desk, group, desk.client(name))


async def group_of(bench: Bench, name: str, *members: str) -> Group:
    def job(desk: Desk) -> Group:
        group = programs.add_group(desk, name)
        for member in members:
            programs.assign(desk, group, desk.client(member))
        return group

    return await bench.do(job)


async def assignments(client: Client, end_device: Row) -> list[FunctionSetAssignments]:
    page = await client.read(f"{end_device.href}/fsa?l=255", FunctionSetAssignmentsList)
    return page.FunctionSetAssignments_


def links_of(value: object) -> list[str]:
    """Names of the links that are there, in the order of the schema."""
    return [
        f.name.removesuffix("Link") for f in spec_of(type(value)) if isinstance(getattr(value, f.attr), Link)
    ]


@KINDS
async def test_a_member_sees_its_program_in_all_lists_and_others_do_not(bench: Bench, kind: str) -> None:
    _, client = await bench.device("member-1")
    _, other = await bench.device("other-1")
    group = await group_of(bench, "g", "member-1")
    row = await bench.do(lambda desk: make(desk, group, kind))
    group_list = bench.server.environment.uris.of(group_list_of(kind), (group.id,))
    for path in (f"{ROUTES[kind + 'List'].path}?l=9", f"{group_list}?l=9"):
        assert row.href.encode() in (await client.get(path)).body
    assert (await client.get(row.href)).status == 200
    assert (await other.get(row.href)).status == (await other.get(group_list)).status == 404
    assert b'all="0"' in (await other.get(f"{ROUTES[kind + 'List'].path}?l=9")).body


@KINDS
async def test_the_assignments_of_members_link_to_the_lists_that_are_there(bench: Bench, kind: str) -> None:
    end_device, client = await bench.device("member-1")
    group = await group_of(bench, "g", "member-1")
    bare = (await assignments(client, end_device))[0]
    bench.clock.advance(10)
    row = await bench.do(lambda desk: make(desk, group, kind))
    linked = (await assignments(client, end_device))[0]
    changed = (await client.read(end_device.href, EndDevice)).changedTime
    assert links_of(bare) == ["ResponseSetList", "Time", "UsagePointList"]
    assert sorted(links_of(linked)) == sorted([*links_of(bare), f"{kind}List"])
    assert (bare.version, linked.version, changed) == (0, 1, START + 10)
    await bench.do(lambda desk: programs.hide(desk, group, row))
    assert links_of((await assignments(client, end_device))[0]) == links_of(bare)
    assert (await client.get(row.href)).status == 404


async def test_the_counts_at_device_capability_are_those_of_the_viewer(bench: Bench) -> None:
    _, client = await bench.device("member-1")
    _, other = await bench.device("other-1")
    group = await group_of(bench, "g", "member-1")
    for number, kind in enumerate(PROGRAM_KINDS):
        await bench.do(partial(make, group=group, kind=kind, mrid=f"A{number}"))
    counts = []
    for who in (client, other):
        found = await who.read("/dcap", DeviceCapability)
        assert links_of(found) == ALL_LINKS
        links = [getattr(found, f"{kind}ListLink_") for kind in PROGRAM_KINDS]
        counts.append([link.all for link in links])
    assert counts == [[1] * 7, [0] * 7]


async def test_a_device_may_have_fifteen_assignments_and_a_program_may_be_in_several(bench: Bench) -> None:
    end_device, client = await bench.device("member-1")
    groups = [await group_of(bench, f"g{number}", "member-1") for number in range(15)]
    row = await bench.do(lambda desk: make(desk, groups[0], "DERProgram"))
    await bench.do(lambda desk: [programs.show(desk, group, row) for group in groups])
    found = await assignments(client, end_device)
    hrefs = {a.DERProgramListLink_.href for a in found if a.DERProgramListLink_}
    assert hrefs == {f"/fsa/{group.id}/derp" for group in groups}
    for group in groups[1:]:
        await bench.do(partial(programs.delete_group, group=group))
    assert (await client.get(row.href)).status == 200
    assert len(await assignments(client, end_device)) == 1


async def test_the_entry_of_a_device_says_when_its_assignments_have_changed(bench: Bench) -> None:
    row, client = await bench.device("group-new")
    changed = []
    for now, members in ((START + 50, ("group-new",)), (START + 70, ())):
        bench.clock.set(now)
        await bench.group(f"at {now}", *members)
        changed.append((await client.read(row.href, EndDevice)).changedTime)
    assert changed == [START + 50] * 2


async def test_who_joins_a_group_finds_its_programs_at_its_ders(bench: Bench) -> None:
    row, client = await bench.device("group-new")
    group, program = await bench.group("old")
    await bench.do(lambda desk: programs.assign(desk, group, desk.client("group-new")))
    (der,) = (await client.read(f"{row.href}/der", DERList)).DER_
    assert der.AssociatedDERProgramListLink_ is not None
    page = await client.read(der.AssociatedDERProgramListLink_.href, DERProgramList)
    assert [listed.href for listed in page.DERProgram_] == [program.href]


async def test_an_aggregator_sees_the_programs_of_its_devices(bench: Bench) -> None:
    aggregator = await bench.enrol("agg-1", role=Role.AGGREGATOR)
    await bench.enrol("managed-1", aggregator=aggregator)
    await bench.enrol("managed-2", aggregator=aggregator)
    client = await bench.client("agg-1")
    group = await group_of(bench, "g", "managed-1", "managed-2")
    row = await bench.do(lambda desk: make(desk, group, "TariffProfile"))
    statuses = [(await client.get(row.href)).status]
    for name in ("managed-1", "managed-2"):
        await bench.do(partial(leave, group=group, name=name))
        statuses.append((await client.get(row.href)).status)
    assert statuses == [200, 200, 404]


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({}, 404),
        ({"profile": "csip_aus"}, 404),
        ({"function_sets": "dr"}, 200),
        ({"profile": "base"}, 200),
        ({"profile": "base", "function_sets": "-dr"}, 404),
    ],
)
async def test_a_function_set_that_is_off_is_neither_there_nor_linked(
    tmp_path: Path, sep2_pki: Pki, settings: dict[str, Any], status: int
) -> None:
    async with running(tmp_path, sep2_pki, **settings) as bench:
        end_device, client = await bench.device("member-1")
        group = await group_of(bench, "g", "member-1")
        row = await bench.do(partial(make, group=group, kind="DemandResponseProgram"))
        paths = ("/dr", row.href, f"{row.href}/edc", f"/fsa/{group.id}/dr", f"{end_device.href}/lsl")
        assert [(await client.get(path)).status for path in paths] == [status] * 5
        places = ("/dcap", f"{end_device.href}/fsa?l=1", end_device.href)
        bodies = [(await client.get(path)).body for path in places]
        names = [b"DemandResponseProgramListLink"] * 2 + [b"LoadShedAvailabilityListLink"]
        linked = [name in body for name, body in zip(names, bodies, strict=True)]
        assert linked == [status == 200] * 3


async def test_the_method_does_not_matter_where_a_function_set_is_off(bench: Bench) -> None:
    _, client = await bench.device("member-1")
    assert (await client.send("DELETE", "/dr")).status == 405


@pytest.mark.parametrize("given", ["nothing", "+dr", "--dr"])
def test_an_unknown_function_set_is_refused(given: str) -> None:
    with pytest.raises(SettingsError, match="function_sets"):
        settings_of({"function_sets": given})


async def test_the_entry_of_a_device_says_when_it_has_left_a_group(bench: Bench) -> None:
    """What is subordinate to it has changed. IEEE 2030.5-2018, 10 (EndDevice)."""
    row, client = await bench.device("group-new")
    group, _ = await bench.group("feeder", "group-new")
    bench.clock.set(START + 9)
    await bench.do(lambda desk: programs.unassign(desk, group, desk.client("group-new")))
    bench.clock.advance(1)
    assert (await client.read(row.href, EndDevice)).changedTime == START + 9
