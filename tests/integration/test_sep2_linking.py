"""Members of large groups get links to what their group has now, a part of them at a time."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from certs import LFDI, Pki
from schemas import DemandResponseProgram, EndDevice, FunctionSetAssignments
from sep2_server import keeper, linking
from sep2_server.end_devices import Enrolment, add_end_device
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk
from sep2_server.operator.tree import Plan, insert_item
from sep2_server.rows import Group, Row
from tests.integration.sep2_harness import START, Bench, running

pytestmark = pytest.mark.usefixtures("each_database")
MEMBERS = 25
LATER_S = 50
WAIT_S = 20


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "AT_ONCE", 10)


def enrolled(desk: Desk) -> Group:
    """A group with many members."""
    group = programs.add_group(desk, "large")
    programs.add_program(desk, group, primacy=5, description=None)
    for number in range(MEMBERS):
        enrolment = Enrolment(lfdi=LFDI(f"{number:040X}"), name=f"d{number}", pin=111115)
        add_end_device(desk.transaction, desk.environment, enrolment, desk.now)
        programs.assign(desk, group, desk.client(enrolment.name))
    return group


def load_program(desk: Desk, group: Group) -> Row:
    """The first program of another kind."""
    value = DemandResponseProgram(mRID=desk.new_mrid(), description="loads", version=0, primacy=1)
    row = insert_item(desk, programs.root_list(desk, "DemandResponseProgram"), Plan(value=value))
    programs.show(desk, group, row)
    return row


async def linked(bench: Bench, group: Group) -> list[tuple[bool, int, int]]:
    """Of each member: whether it has the link, the version of its assignments, and when its entry changed."""

    def job(desk: Desk) -> list[tuple[bool, int, int]]:
        found = []
        for assignment in desk.reader.assignments_of_group(group.id):
            row, entry = (
                desk.reader.by_id(assignment.assignments_id),
                desk.reader.by_id(assignment.end_device_id),
            )
            assert row is not None
            assert entry is not None
            value = desk.resource(row, FunctionSetAssignments)
            changed = desk.resource(entry, EndDevice).changedTime
            found.append((value.DemandResponseProgramListLink_ is not None, value.version or 0, changed))
        return found

    return await bench.do(job)


async def until_all(bench: Bench, group: Group, *, has_link: bool, version: int) -> None:
    async with asyncio.timeout(WAIT_S):
        while True:
            found = await linked(bench, group)
            if {(one[0], one[1]) for one in found} == {(has_link, version)}:
                return
            await asyncio.sleep(0.05)


async def test_all_members_are_linked_and_told_in_commits_of_a_bounded_size(bench: Bench) -> None:
    group = await bench.do(enrolled)
    touched: list[int] = []
    bench.store.listen(
        lambda changes: touched.append(sum(c.kind == "FunctionSetAssignments" for c in changes))
    )
    bench.clock.set(START + LATER_S)
    row = await bench.do(partial(load_program, group=group))
    await until_all(bench, group, has_link=True, version=1)
    assert {one[2] for one in await linked(bench, group)} == {START + LATER_S}
    assert sorted(filter(None, touched)) == [5, 10, 10]
    assert bench.store.reader.next_linking() is None
    await bench.do(lambda desk: programs.hide(desk, group, row))
    await until_all(bench, group, has_link=False, version=2)


async def test_a_server_that_was_ended_in_between_goes_on_at_its_next_start(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, sep2_pki) as bench:
        group = await bench.do(enrolled)
        with monkeypatch.context() as ended:
            ended.setattr(keeper, "WORKING_S", -1)
            await bench.do(partial(load_program, group=group))
            assert sum(one[0] for one in await linked(bench, group)) == 10
    async with running(tmp_path, sep2_pki) as bench:
        await until_all(bench, group, has_link=True, version=1)


async def test_a_change_meanwhile_is_for_all(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one begins with the first member again; nobody is left with what was so before."""
    group = await bench.do(enrolled)
    with monkeypatch.context() as held:
        held.setattr(keeper, "WORKING_S", -1)
        row = await bench.do(partial(load_program, group=group))
        await bench.do(lambda desk: programs.hide(desk, group, row))
        assert {one[0] for one in await linked(bench, group)} == {False}
    bench.server.keeper.wake()
    async with asyncio.timeout(WAIT_S):
        while bench.store.reader.next_linking() is not None:  # noqa: ASYNC110  what another task has written
            await asyncio.sleep(0.05)
    assert {one[0] for one in await linked(bench, group)} == {False}
    assert {one[1] for one in await linked(bench, group)} == {1, 2}


async def test_a_group_that_is_removed_meanwhile_is_forgotten(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = await bench.do(enrolled)
    with monkeypatch.context() as held:
        held.setattr(keeper, "WORKING_S", -1)
        await bench.do(partial(load_program, group=group))
        await bench.do(lambda desk: programs.delete_group(desk, group))
        assert bench.store.reader.next_linking() is not None
    bench.server.keeper.wake()
    async with asyncio.timeout(WAIT_S):
        while bench.store.reader.next_linking() is not None:  # noqa: ASYNC110  what another task has written
            await asyncio.sleep(0.05)
