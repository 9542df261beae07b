"""Resources that an earlier version stored are what new ones are once their database is opened."""

import re
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert, select, update

from certs import Pki
from schemas import Configuration, DERControlList, DERProgram, EndDevice, Reading
from sep2_server import tables
from sep2_server.migrations import FORMAT_OPTION, MIGRATIONS
from sep2_server.notifications.subscribable import subscribable
from sep2_server.reader import Reader
from sep2_server.transaction import Transaction
from tests.integration.full_house import fill
from tests.integration.lived_in_house import SETTINGS
from tests.integration.lived_in_house import furnish as lived_in
from tests.integration.sep2_harness import START, Bench, make_control, running
from tests.integration.test_sep2_clock_back import agreed, program_of, until_active
from tests.integration.test_sep2_followers import A, B, base, kept, publish, put_default, until_kept
from tests.integration.test_sep2_mirror import mirror, reading_of

pytestmark = pytest.mark.usefixtures("each_database")
STEP = next(n for n, step in enumerate(MIGRATIONS) if step.name.startswith("resources say how"))
NEWEST = (
    "DROP TABLE removal",
    "DROP INDEX resource_points",
    "DROP TABLE linking",
    "DROP TABLE follower",
    "DROP TABLE answered",
    "DROP INDEX resource_by_start",
    "DROP INDEX resource_by_length",
)
LATER = ("DROP INDEX dead_letter_by_subscription", "DROP TABLE dropped_letter", "DROP TABLE lane", *NEWEST)
FOLLOWERS = next(n for n, step in enumerate(MIGRATIONS) if step.name.startswith("what hangs"))
RATES = next(n for n, step in enumerate(MIGRATIONS) if step.name.startswith("no pollRate"))
MARK = re.compile(rb' subscribable="[^"]*"')
ODD = 'a subscribable="2" <b>'
_BODIES = select(tables.resource.c.id, tables.resource.c.kind, tables.resource.c.body)
_PUT = (
    update(tables.resource)
    .where(tables.resource.c.id == bindparam("number"))
    .values(body=bindparam("new_body"))
)

Bodies = dict[int, tuple[str, bytes]]


def bodies(tx: Transaction) -> Bodies:
    """Kind and body of every resource by its row id."""
    return {number: (kind, bytes(body)) for number, kind, body in tx._db.all(tuple, _BODIES)}


def age(tx: Transaction) -> None:
    """Take the attribute out of every resource, as a version that did not know it left them."""
    for number, (_, body) in bodies(tx).items():
        tag, end, rest = body.partition(b">")
        tx._db.run(_PUT, number=number, new_body=MARK.sub(b"", tag) + end + rest)
    go_back(tx)


def go_back(tx: Transaction) -> None:
    """Leave the database as the step found it: what later ones made is gone."""
    for text in LATER:
        tx._db.control(text)
    tx.put_option(FORMAT_OPTION, str(STEP))


def go_back_to_11(tx: Transaction) -> None:
    """The database as before what format 12 added."""
    for text in NEWEST:
        tx._db.control(text)
    tx.put_option(FORMAT_OPTION, str(FOLLOWERS))


async def furnish(bench: Bench) -> str:
    """One of every resource; the URI of a program with a control."""
    device, client = await bench.device("old")
    await bench.do(partial(fill, device=device))
    posted = mirror(bench.credentials("old").lfdi, reading_of(5))
    posted.description = "2 < 3"
    assert (await client.post("/mup", posted)).status == 201
    _, program = await bench.group("feeder", "old")
    control = make_control("A1", START + 60, 60)
    control.description = ODD
    await bench.control(program, control)
    return program.href


async def test_old_rows_become_what_new_ones_are(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, profile="base") as bench:
        program = await furnish(bench)
        before = await bench.store.do(bodies)
        await bench.store.do(age)
        aged = await bench.store.do(bodies)
    told = {number for number, (kind, _) in before.items() if subscribable(kind)}
    single = {number for number in told if before[number][1]}
    assert {before[number][0] for number in single} >= {"EndDevice", "DERControl", "LatestReading", "DER"}
    assert all(aged[number] != before[number] for number in single)
    async with running(tmp_path, sep2_pki, profile="base") as bench:
        after = await bench.store.do(bodies)
        assert {n: after[n] for n in single} == {n: before[n] for n in single}
        client = await bench.client("old")
        row = bench.store.reader.client(bench.credentials("old").lfdi)
        assert row is not None
        assert (await client.read(f"/edev/{row.end_device_id}", EndDevice)).subscribable == 1
        assert (await client.read(program, DERProgram)).subscribable == 1
        (control,) = (await client.read(f"{program}/derc", DERControlList)).DERControl_
        assert (control.subscribable, control.description) == (1, ODD)
        (latest,) = bench.store.reader.of_kind("LatestReading")
        assert (await client.read(latest.href, Reading)).subscribable == 3


async def test_the_step_changes_nothing_that_says_it_already(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, profile="base") as bench:
        await furnish(bench)
        before = await bench.store.do(bodies)
        await bench.store.do(go_back)
    async with running(tmp_path, sep2_pki, profile="base") as bench:
        assert await bench.store.do(bodies) == before


@pytest.mark.parametrize("attributes", [b' href="%s" pollRate="7"', b' pollRate="700" href="%s"'])
async def test_a_poll_rate_that_a_device_has_put_is_gone(
    tmp_path: Path, sep2_pki: Pki, attributes: bytes
) -> None:
    """The server puts in its own; the words of a text are none."""
    text = b'>\xc3\xa4 pollRate=&quot;7&quot; x pollRate="9"<'

    async with running(tmp_path, sep2_pki, profile="base", function_sets="all") as bench:
        row, client = await bench.device("old")
        await client.put(f"{row.href}/cfg", Configuration(currentLocale="en", userDeviceName="X"))
        (held,) = bench.store.reader.of_kind("Configuration")
        plain = held.body.replace(b">X<", text)
        head = plain.partition(b" ")[0]
        aged = head + attributes % held.href.encode() + b">" + plain.partition(b">")[2]

        def age_rates(tx: Transaction) -> None:
            tx._db.run(_PUT, number=held.id, new_body=aged)
            for text in NEWEST:
                tx._db.control(text)
            tx.put_option(FORMAT_OPTION, str(RATES))

        await bench.store.do(age_rates)
        wanted = head + b' href="%s">' % held.href.encode() + plain.partition(b">")[2]
    async with running(tmp_path, sep2_pki, profile="base", function_sets="all") as bench:
        (found,) = bench.store.reader.of_kind("Configuration")
        assert found.body == wanted


async def test_what_follows_a_curve_is_found_by_it_once_an_old_database_is_opened(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    """What is over follows none, what two modes follow is there once, and a text is no link."""
    async with running(tmp_path, sep2_pki) as bench:
        _, program = await bench.group("feeder")
        for number, modes in enumerate((base(A, B), base(A, A), base(), base(A)), 1):
            await publish(bench, program, number, modes)
        await bench.do(partial(put_default, program=program, modes=base(B)))
        first = await publish(bench, program, 0, base(A, B))
        bench.clock.set(START + 60)
        await until_kept(bench, before := {one for one in await kept(bench) if one[1] != first.id})
        assert sorted(href for href, _ in before) == [A, A, A, B, B]
        await bench.store.do(go_back_to_11)
    async with running(tmp_path, sep2_pki, now=START + 60) as bench:
        assert await kept(bench) == before


async def test_what_devices_say_is_found_by_what_it_is_about_once_an_old_database_is_opened(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    def kinds(reader: Reader) -> set[str]:
        return {row.kind for _, number in before if (row := reader.by_id(number))}

    async with running(tmp_path, sep2_pki, **SETTINGS, profile="base") as bench:
        await lived_in(bench)
        before = await kept(bench)
        assert await bench.store.ask(kinds) >= {"PriceResponseCfg", "LoadShedAvailability"}
        await bench.store.do(go_back_to_11)
    async with running(tmp_path, sep2_pki, **SETTINGS, profile="base") as bench:
        assert await kept(bench) == before


async def test_who_followed_what_is_on_another_server_is_forgotten_once_an_old_database_is_opened(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    def go_back_to_13(tx: Transaction) -> None:
        for href in ("https://tariffs.example/tp/1", "/" + "x" * 1000):
            tx._db.run(insert(tables.follower), href=href, resource_id=1)
        tx._db.control("DROP TABLE removal")
        tx._db.control("DROP INDEX resource_points")
        tx.put_option(FORMAT_OPTION, "13")

    async with running(tmp_path, sep2_pki) as bench:
        _, program = await bench.group("feeder")
        await publish(bench, program, 1, base(A))
        before = await kept(bench)
        await bench.store.do(go_back_to_13)
    async with running(tmp_path, sep2_pki) as bench:
        assert await kept(bench) == before


async def test_intervals_that_were_over_in_an_old_database_come_back_when_the_clock_does(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    """An older version kept no time at which they would be looked at again."""

    def forget(tx: Transaction) -> None:
        tx._db.control("UPDATE resource SET next_at = NULL WHERE kind = 'BillingPeriod' AND status = 5")
        go_back_to_11(tx)

    async with running(tmp_path, sep2_pki, function_sets="all") as bench:
        client, _ = await program_of(bench)
        agreement = await agreed(bench, (0, 100))
        bench.clock.set(START + 900)
        await until_active(client, f"{agreement}/actbp")
        await bench.store.do(forget)
    async with running(tmp_path, sep2_pki, now=START + 20, function_sets="all") as bench:
        await until_active(await bench.client("event-1"), f"{agreement}/actbp", START)
