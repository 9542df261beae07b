"""Who follows a curve is kept with what is written, and never differs from it. IEEE 2030.5-2018, 10.10."""

import asyncio
import secrets
from contextlib import suppress
from functools import partial

import pytest
from sqlalchemy import select

from schemas import DefaultDERControl, DERControlBase, DERCurveLink
from sep2_server import tables
from sep2_server.followers import FOLLOWING, followed
from sep2_server.operator import defaults
from sep2_server.operator.desk import Desk
from sep2_server.operator.tree import Plan, insert_in, parts_of, put_item, put_single
from sep2_server.rows import Row
from sep2_server.transaction import Transaction
from sep2_server.tree import remove_tree
from tests.integration.sep2_harness import START, Bench, make_control

pytestmark = pytest.mark.usefixtures("each_database")
WAIT_S = 10
A, B = "/derp/7/dc/1", "/derp/7/dc/2"
NO_LINK = 'ä\\ <DERControlBase href="/3"'
Followers = set[tuple[str, int]]


def base(one: str | None = None, other: str | None = None) -> DERControlBase:
    """Modes that follow a curve, or two, or none."""
    return DERControlBase(
        opModMaxLimW=5000,
        opModVoltVar=DERCurveLink(href=one) if one else None,
        opModVoltWatt=DERCurveLink(href=other) if other else None,
    )


def followers(tx: Transaction) -> Followers:
    """The whole table."""
    return {(href, number) for href, number in tx._db.all(tuple, select(tables.follower))}


def true_followers(tx: Transaction) -> Followers:
    """What the table should hold, by what is stored."""
    rows = [row for kind in sorted(FOLLOWING) for row in tx.of_kind(kind, limit=1000)]
    return {(href, row.id) for row in rows for href in followed(row)}


async def kept(bench: Bench) -> Followers:
    """The table, which at any moment is as what is stored."""
    found, wanted = await bench.store.do(lambda tx: (followers(tx), true_followers(tx)))
    assert found == wanted
    return found


async def publish(bench: Bench, program: Row, number: int, modes: DERControlBase) -> Row:
    """A control of a minute, which begins so many minutes from the start on."""
    control = make_control(f"A{number}", START + 60 * number, 60, base=modes)
    control.description = NO_LINK
    return await bench.control(program, control)


def put_default(desk: Desk, program: Row, modes: DERControlBase) -> Row:
    """A default of a program."""
    value = DefaultDERControl(mRID="DD", DERControlBase_=modes)
    return put_single(desk, "DefaultDERControl", parts_of(desk, program), program.id, Plan(value=value))


async def program_of(bench: Bench) -> Row:
    _, program = await bench.group("feeder")
    return program


async def test_a_control_follows_each_of_its_curves_once(bench: Bench) -> None:
    program = await program_of(bench)
    one = await publish(bench, program, 1, base(A, B))
    both = await publish(bench, program, 2, base(A, A))
    await publish(bench, program, 3, base())
    assert await kept(bench) == {(A, one.id), (B, one.id), (A, both.id)}
    found = await bench.store.ask(lambda reader: reader.followers(A))
    assert [row.id for row in found] == [one.id, both.id]
    found = await bench.store.ask(lambda reader: reader.followers(A, after_id=one.id, limit=1))
    assert [row.id for row in found] == [both.id]


async def test_a_control_that_is_changed_follows_what_it_names_then(bench: Bench) -> None:
    program = await program_of(bench)
    row = await publish(bench, program, 1, base(A))

    def change(desk: Desk) -> Row:
        control = desk.control_of(row)
        control.DERControlBase_ = base(None, B)
        return put_item(desk, row, control)

    await bench.do(change)
    assert await kept(bench) == {(B, row.id)}


@pytest.mark.parametrize("link", ["https://tariffs.example/", "/"])
async def test_what_links_to_another_server_is_stored_and_follows_nothing_here(
    bench: Bench, link: str
) -> None:
    """The link may be longer than what an index of PostgreSQL holds, packed as it is."""
    far = link + secrets.token_urlsafe(7_000)
    program = await program_of(bench)
    row = await publish(bench, program, 1, base(A, far))
    assert await kept(bench) == {(A, row.id)}
    await bench.do(lambda desk: remove_tree(desk.transaction, desk.environment.uris, program))
    assert await kept(bench) == set()


async def test_what_is_over_follows_nothing_until_the_clock_goes_back(bench: Bench) -> None:
    program = await program_of(bench)
    row = await publish(bench, program, 1, base(A))
    later = await publish(bench, program, 100, base(A))
    await until_kept(bench, {(A, row.id), (A, later.id)})
    bench.clock.set(START + 130)
    await until_kept(bench, {(A, later.id)})
    bench.clock.set(START + 20)
    await until_kept(bench, {(A, row.id), (A, later.id)})


async def until_kept(bench: Bench, wanted: Followers) -> None:
    """Wait until the clock task has written what time changes, and has seen what time it is."""
    async with asyncio.timeout(WAIT_S):
        while True:
            if await kept(bench) == wanted and bench.server.keeper._seen == bench.clock.now():
                return
            await asyncio.sleep(0.05)


async def test_what_is_removed_follows_nothing(bench: Bench) -> None:
    program = await program_of(bench)
    await publish(bench, program, 1, base(A))
    held = await bench.do(partial(put_default, program=program, modes=base(B)))
    assert (B, held.id) in await kept(bench)
    await bench.do(lambda desk: defaults.take_away(desk, program))
    assert {href for href, _ in await kept(bench)} == {A}
    await bench.do(lambda desk: remove_tree(desk.transaction, desk.environment.uris, program))
    assert await kept(bench) == set()


async def test_what_was_only_tried_follows_nothing(bench: Bench) -> None:
    program = await program_of(bench)

    def attempt(desk: Desk) -> None:
        with suppress(ZeroDivisionError), desk.transaction.attempt():
            row = insert_in(desk, program, "DERControlList", make_control("A1", START + 60, 60, base=base(A)))
            assert followers(desk.transaction) == {(A, row.id)}
            raise ZeroDivisionError

    await bench.do(attempt)
    assert await kept(bench) == set()
