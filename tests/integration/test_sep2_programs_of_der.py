"""Programs associated with a DER are those of the groups of its EndDevice. IEEE 2030.5-2018, 10.10."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certs import LFDI
from schemas import DERList, DERProgramList
from sep2_server import Environment, Store, settings_of
from sep2_server.bootstrap import prepare
from sep2_server.end_devices import Enrolment, add_end_device
from sep2_server.operator import programs, resources
from sep2_server.operator.defaults import change
from sep2_server.operator.desk import Desk
from sep2_server.operator.router import Call
from sep2_server.rows import Role, Row
from sep2_server.transaction import Transaction
from tests.integration.sep2_harness import START, Bench, Client


async def list_of(client: Client, device: Row) -> str:
    """URI of the list of the first DER of a device."""
    return f"{(await client.read(f'{device.href}/der', DERList)).DER_[0].href}/derp"


async def shown(client: Client, href: str) -> list[int]:
    """Primacies in a list, and how many the link to it tells."""
    page = await client.read(f"{href}?l=9", DERProgramList)
    (der,) = (await client.read(href.rpartition("/der/")[0] + "/der", DERList)).DER_
    assert der.AssociatedDERProgramListLink_ is not None
    assert der.AssociatedDERProgramListLink_.all == page.all == len(page.DERProgram_)
    return [program.primacy for program in page.DERProgram_]


@pytest.mark.usefixtures("each_database")
async def test_the_list_is_right_after_each_change_for_who_has_read_it_before(bench: Bench) -> None:
    boss = await bench.enrol("boss", role=Role.AGGREGATOR)
    device = await bench.enrol("one", aggregator=boss)
    await bench.enrol("two")
    clients = [await bench.client(name) for name in ("one", "boss")]
    href = await list_of(clients[0], device)
    group, _ = await bench.group("feeder", "one", primacy=5)
    other, _ = await bench.group("other", "two", primacy=3)

    async def both() -> list[int]:
        mine, aggregators = [await shown(client, href) for client in clients]
        assert mine == aggregators
        return mine

    assert await both() == [5]
    added = await bench.do(lambda desk: programs.add_program(desk, group, primacy=7, description=None))
    assert await both() == [5, 7]
    await bench.do(lambda desk: programs.assign(desk, other, desk.client("one")))
    assert await both() == [3, 5, 7]
    await bench.do(lambda desk: programs.show(desk, other, added))
    assert await both() == [3, 5, 7], "a program of two groups is there once"
    await bench.do(lambda desk: programs.hide(desk, group, added))
    assert await both() == [3, 5, 7]
    call = Call(query={"href": added.href}, body={"primacy": 1}, now=START)
    await bench.do(lambda desk: resources.change(desk, call))
    assert await both() == [1, 3, 5]
    call = Call(query={"href": href}, now=START)
    told = await bench.do(lambda desk: resources.show(desk, call))
    told_of: Any = told["items"]
    assert [item["resource"]["primacy"] for item in told_of] == [1, 3, 5]
    await bench.do(lambda desk: programs.unassign(desk, other, desk.client("one")))
    assert await both() == [5]
    await bench.do(lambda desk: programs.delete_group(desk, group))
    assert await both() == []


def written(folder: Path, members: int) -> dict[str, int]:
    """How many changes each deed of an operator tells of a group of so many devices."""
    environment = Environment.of(settings_of({"pen": 1}))
    store = Store(folder / f"{members}.db")

    def told(job: Callable[[Desk], object]) -> int:
        before = store.reader.last_change()
        store.write(lambda tx: job(Desk(tx, environment, START, secrets.randbelow)))
        return store.reader.last_change() - before

    def enrol(tx: Transaction) -> None:
        prepare(tx, environment)
        desk = Desk(tx, environment, START, secrets.randbelow)
        group = programs.add_group(desk, "all")
        programs.add_program(desk, group, primacy=5, description="first")
        for number in range(members):
            name = f"d{number}"
            add_end_device(
                tx, environment, Enrolment(lfdi=LFDI(f"{number:040X}"), name=name, pin=111115), START
            )
            programs.assign(desk, group, desk.client(name))

    def put_default(desk: Desk) -> None:
        change(
            desk, Call(names={"group": "all"}, query={"program": "first"}, body={"setGradW": 50}, now=START)
        )

    def hide(desk: Desk) -> None:
        programs.hide(desk, desk.group("all"), desk.programs(desk.group("all"))[0])

    store.write(enrol)
    counted = {
        "a further program": told(
            lambda desk: programs.add_program(desk, desk.group("all"), primacy=7, description=None)
        ),
        "its default": told(put_default),
        "one that is taken away": told(hide),
    }
    store.close()
    return counted


def test_what_operators_do_with_programs_costs_the_same_however_many_devices_a_group_has(
    tmp_path: Path,
) -> None:
    few, many = (written(tmp_path, members) for members in (101, 202))
    assert few == many
    assert max(many.values()) < 30
