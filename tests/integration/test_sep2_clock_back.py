"""The server's clock goes back: events say again what is true at its time. IEEE 2030.5-2018, 10.2.3."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from certs import Pki
from schemas import BillingPeriodList, DERControl, DERControlList, EventStatus, PrepayOperationStatus
from sep2_server import event_times
from sep2_server.operator import resources
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.router import Call
from sep2_server.rows import OVER, Row
from sep2_server.transaction import Transaction
from tests.integration.sep2_harness import START, Bench, Client, make_control, running

pytestmark = pytest.mark.usefixtures("each_database")
WAIT_S = 10


async def program_of(bench: Bench) -> tuple[Client, Row]:
    _, client = await bench.device("event-1")
    _, program = await bench.group("event", "event-1")
    return client, program


async def status_of(client: Client, href: str) -> EventStatus:
    return (await client.read(href, DERControl)).EventStatus_


async def seen(bench: Bench) -> None:
    """Wait until the clock task has seen what time it is."""
    async with asyncio.timeout(WAIT_S):
        while True:
            if bench.server.keeper._seen == bench.clock.now():
                return
            await asyncio.sleep(0.05)


async def until_it_says(client: Client, href: str, state: int) -> EventStatus:
    """The status of a control, once it is in a state."""
    async with asyncio.timeout(WAIT_S):
        while True:
            status = await status_of(client, href)
            if status.currentStatus == state:
                return status
            await asyncio.sleep(0.05)


async def test_a_control_that_has_not_begun_by_the_clock_is_scheduled_again(bench: Bench) -> None:
    client, program = await program_of(bench)
    row = await bench.control(program, make_control("A1", START + 100, 60))
    bench.clock.set(START + 120)
    assert (await status_of(client, row.href)).currentStatus == 1
    await seen(bench)
    bench.clock.set(START + 20)
    status = await until_it_says(client, row.href, 0)
    assert status.dateTime <= START + 20
    assert (await client.read(f"{program.href}/actderc", DERControlList)).all == 0
    bench.clock.set(START + 100)
    status = await status_of(client, row.href)
    assert (status.currentStatus, status.dateTime) == (1, START + 100)


async def test_a_server_that_starts_with_an_earlier_clock_says_what_is_true_then(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki) as bench:
        client, program = await program_of(bench)
        row = await bench.control(program, make_control("A2", START + 890, 60))
        bench.clock.set(START + 900)
        assert (await status_of(client, row.href)).currentStatus == 1
    async with running(tmp_path, sep2_pki, now=START + 20) as bench:
        client = await bench.client("event-1")
        assert (await status_of(client, row.href)).currentStatus == 0


async def test_a_control_that_runs_and_one_that_was_superseded_stay_so(bench: Bench) -> None:
    client, program = await program_of(bench)
    old = await bench.control(program, make_control("A1", START + 100, 600))
    new = await bench.control(program, make_control("A2", START + 200, 600, created=START + 1))
    runs = await bench.control(program, make_control("A3", START + 10, 60))
    bench.clock.set(START + 50)
    assert (await status_of(client, runs.href)).currentStatus == 1
    bench.clock.set(START + 200)
    assert (await status_of(client, old.href)).currentStatus == 4
    assert (await status_of(client, new.href)).currentStatus == 1
    await seen(bench)
    bench.clock.set(START + 150)
    await until_it_says(client, new.href, 0)
    assert (await status_of(client, old.href)).currentStatus == 4


async def test_all_are_written_however_few_at_a_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_times, "BATCH", 1)
    _, client = await bench.device("event-1")
    rows = []
    for number in range(3):
        _, program = await bench.group(f"event-{number}", "event-1")
        rows.append(await bench.control(program, make_control(f"A{number}", START + 100, 60)))
    bench.clock.set(START + 100)
    for row in rows:
        assert (await status_of(client, row.href)).currentStatus == 1
    await seen(bench)
    bench.clock.set(START + 99)
    for row in rows:
        await until_it_says(client, row.href, 0)


@pytest.fixture(params=[0, 3600])
def retention_s(request: pytest.FixtureRequest) -> int:
    """How long an event stays in its list after its end, s."""
    return int(request.param)


@pytest.fixture
async def kept(tmp_path: Path, sep2_pki: Pki, retention_s: int) -> AsyncIterator[Bench]:
    """A server with that."""
    async with running(
        tmp_path, sep2_pki, profile={"name": "csip", "event_retention_s": retention_s}
    ) as bench:
        yield bench


async def test_a_control_that_a_clock_ahead_has_ended_goes_on(
    kept: Bench, retention_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes back into its list, is counted there, gives way to a later one, and ends at its time."""
    monkeypatch.setattr(event_times, "BATCH", 2)
    client, program = await program_of(kept)
    listed = f"{program.href}/derc"
    first = await kept.control(program, make_control("A1", START + 100, 600))
    later = await kept.control(program, make_control("A2", START + 400, 600, created=START + 1))
    await kept.control(program, make_control("A3", START + 10, 20))
    kept.clock.set(START + 150)
    assert (await status_of(client, first.href)).currentStatus == 1
    await seen(kept)
    before = (await client.read(listed, DERControlList)).all
    kept.clock.set(START + 2000)
    left = 3 if retention_s else 0
    await over(kept, client, listed, left)
    kept.clock.set(START + 160)
    async with asyncio.timeout(WAIT_S):
        while True:
            active = (await client.read(f"{program.href}/actderc?l=9", DERControlList)).DERControl_
            if active:
                break
            await asyncio.sleep(0.05)
    assert [control.mRID for control in active] == ["A1"]
    assert active[0].EventStatus_.dateTime == START + 100
    assert (await status_of(client, later.href)).currentStatus == 0
    assert (await client.read(f"{listed}?l=9", DERControlList)).all == before == 2 + bool(retention_s)
    kept.clock.set(START + 400)
    assert (await status_of(client, first.href)).currentStatus == 4
    assert (await status_of(client, later.href)).currentStatus == 1
    kept.clock.set(START + 1000)
    await over(kept, client, listed, left)


async def test_ended_events_whose_list_is_gone_keep_no_others_from_coming_back(
    kept: Bench, retention_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_times, "BATCH", 1)
    client, program = await program_of(kept)

    def orphan(tx: Transaction) -> None:
        for number in range(3):
            row = Row(tx.next_id(), f"/derp/999999/derc/{number}", "DERControl", status=OVER)
            tx.insert(row._replace(starts=START + 100, ends=START + 700, next_at=START + 10**9))

    await kept.store.do(orphan)
    row = await kept.control(program, make_control("A1", START + 100, 600))
    kept.clock.set(START + 150)
    await until_it_says(client, row.href, 1)
    await seen(kept)
    kept.clock.set(START + 2000)
    await over(kept, client, f"{program.href}/derc", int(bool(retention_s)))
    kept.clock.set(START + 160)
    async with asyncio.timeout(WAIT_S):
        while True:
            if (await client.read(f"{program.href}/actderc", DERControlList)).all == 1:
                break
            await asyncio.sleep(0.05)


async def test_a_control_comes_back_into_a_list_whose_uri_is_scrambled(tmp_path: Path, sep2_pki: Pki) -> None:
    async def until_listed(amount: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while True:
                if (await client.read(listed, DERControlList)).all == amount:
                    return
                await asyncio.sleep(0.05)

    async with running(tmp_path, sep2_pki, uri_salt="pepper") as bench:
        client, program = await program_of(bench)
        listed = bench.server.environment.uris.of("DERControlList", (program.id,))
        await bench.control(program, make_control("A1", START + 100, 600))
        for now, amount in ((START + 2000, 0), (START + 160, 1)):
            bench.clock.set(now)
            bench.server.keeper.wake()
            await seen(bench)
            await until_listed(amount)


async def over(bench: Bench, client: Client, listed: str, left: int) -> None:
    """Wait until no control is active and so many are listed."""
    await seen(bench)
    async with asyncio.timeout(WAIT_S):
        while True:
            if (await client.read(listed, DERControlList)).all == left:
                break
            await asyncio.sleep(0.05)
    assert (await client.read(listed.replace("derc", "actderc"), DERControlList)).all == 0


@pytest.fixture
async def utility(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    """A server of all function sets."""
    async with running(tmp_path, sep2_pki, function_sets="all") as bench:
        yield bench


async def added(bench: Bench, href: str, body: object, **query: str) -> str:
    """Add an item to a list as an operator does; where it is."""
    call = Call(query={"href": href, **query}, body=body, now=bench.clock.now())
    return str((await bench.do(lambda desk: resources.add(desk, call)))["href"])


async def agreed(bench: Bench, *spans: tuple[int, int]) -> str:
    """A CustomerAgreement with BillingPeriods: when each begins, s from the start on, and how long it is."""
    body = {"currency": 978, "pricePowerOfTenMultiplier": -2}
    account = await added(bench, "/bill", body, group="event")
    agreement = await added(bench, f"{account}/ca", {"serviceLocation": "here"})
    for begins, duration in spans:
        span = {"start": START + begins, "duration": duration}
        await added(bench, f"{agreement}/bp", {"interval": span})
    return agreement


async def until_active(client: Client, href: str, *starts: int) -> None:
    """Wait until a list of what is active has the intervals that begin at some times."""
    async with asyncio.timeout(WAIT_S):
        while True:
            listed = await client.get(f"{href}?l=9")
            if [int(start) for start in re.findall(rb"<start>(\d+)</start>", listed.body)] == [*starts]:
                return
            await asyncio.sleep(0.05)


async def test_billing_periods_that_a_clock_ahead_has_ended_are_active_again(
    utility: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_times, "BATCH", 1)
    client, _ = await program_of(utility)
    spans = ((-100, 150), (-50, 1000), (500, 100), (510, 300), (900, 100))
    agreement = await agreed(utility, *spans)
    active = f"{agreement}/actbp"
    utility.clock.set(START + 60)
    await until_active(client, active, START - 50)
    await seen(utility)
    utility.clock.set(START + 2000)
    await until_active(client, active)
    await seen(utility)
    utility.clock.set(START + 550)
    await until_active(client, active, START + 510, START + 500, START - 50)
    await seen(utility)
    utility.clock.set(START + 60)
    await until_active(client, active, START - 50)
    utility.clock.set(START + 900)
    await until_active(client, active, START + 900, START - 50)
    utility.clock.set(START + 5000)
    await until_active(client, active)


async def test_the_supply_that_a_clock_ahead_has_cut_is_there_again(utility: Bench) -> None:
    client, _ = await program_of(utility)
    account = await added(utility, "/ppy", {"prepayMode": 0}, group="event")
    span = {"interval": {"start": START + 100, "duration": 200}}
    await added(utility, f"{account}/si", span)

    async def supplied(status: int, change: tuple[int, int] | None) -> None:
        async with asyncio.timeout(WAIT_S):
            while True:
                held = await client.read(f"{account}/os", PrepayOperationStatus)
                told = held.serviceChange and (held.serviceChange.newStatus, held.serviceChange.startTime)
                if (held.serviceStatus, told) == (status, change):
                    return
                await asyncio.sleep(0.05)

    await supplied(1, (0, START + 100))
    utility.clock.set(START + 1000)
    await supplied(1, None)
    await until_active(client, f"{account}/actsi")
    await seen(utility)
    utility.clock.set(START + 150)
    await supplied(0, (1, START + 300))
    await until_active(client, f"{account}/actsi", START + 100)
    await seen(utility)
    utility.clock.set(START + 50)
    await supplied(1, (0, START + 100))
    await until_active(client, f"{account}/actsi")
    utility.clock.set(START + 100)
    await supplied(0, (1, START + 300))


async def test_the_supply_is_written_at_its_second_though_nobody_reads_it(utility: Bench) -> None:
    await program_of(utility)
    account = await added(utility, "/ppy", {"prepayMode": 0}, group="event")
    await added(utility, f"{account}/si", {"interval": {"start": START + 100, "duration": 200}})
    href = f"{account}/os"
    before = await utility.store.ask(lambda reader: reader.by_href(href))
    assert before is not None
    assert before.next_at == START + 100
    utility.clock.set(START + 100)
    async with asyncio.timeout(WAIT_S):
        while True:
            row = await utility.store.ask(lambda reader: reader.by_href(href))
            if row is not None and row.next_at == START + 300:
                break
            await asyncio.sleep(0.05)
    assert b"<serviceStatus>0</serviceStatus>" in row.body


async def test_the_supply_is_right_at_the_second_for_who_reads_it(utility: Bench) -> None:
    client, _ = await program_of(utility)
    account = await added(utility, "/ppy", {"prepayMode": 0}, group="event")
    await added(utility, f"{account}/si", {"interval": {"start": START + 100, "duration": 200}})
    await utility.server.keeper.stop()
    statuses = []
    for time in (START + 99, START + 100, START + 299, START + 300):
        utility.clock.set(time)
        async with asyncio.timeout(WAIT_S):
            held = await client.read(f"{account}/os", PrepayOperationStatus)
        statuses.append(held.serviceStatus)
    assert statuses == [1, 0, 0, 1]


async def test_a_server_that_starts_with_an_earlier_clock_has_the_periods_of_then(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, function_sets="all") as bench:
        client, _ = await program_of(bench)
        agreement = await agreed(bench, (0, 100))
        bench.clock.set(START + 900)
        await until_active(client, f"{agreement}/actbp")
    async with running(tmp_path, sep2_pki, now=START + 20, function_sets="all") as bench:
        await until_active(await bench.client("event-1"), f"{agreement}/actbp", START)


async def test_old_readings_are_forgotten_after_a_clock_that_was_ahead(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, reading_retention_s=86_400) as bench:
        await bench.enrol("event-1")
        bench.clock.set(START + 10 * 86_400)
        await forgetting_again_at(bench, START + 10 * 86_400 + 3600)
        bench.clock.set(START)
        await forgetting_again_at(bench, START + 3600)


async def forgetting_again_at(bench: Bench, time: int) -> None:
    """Wait until the clock task has forgotten old readings and will do so again at a time."""
    async with asyncio.timeout(WAIT_S):
        while True:
            if bench.server.keeper._forget_at == time:
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("start", [-(2**60) - 10, -(2**62), -(2**63)])
async def test_a_period_of_long_before_1970_is_over_for_good(utility: Bench, start: int) -> None:
    """It was due again as soon as it was written: to read its list took for ever."""
    client, _ = await program_of(utility)
    agreement = await agreed(utility, (start - START, 10))
    environment = utility.server.environment
    assert await utility.store.do(lambda tx: event_times.repair_due(tx, environment, START)) == 0
    assert (await client.read(f"{agreement}/bp", BillingPeriodList)).all == 1


@pytest.mark.parametrize("kind", ["BillingPeriod", "SupplyInterruptionOverride"])
async def test_what_ends_beyond_64_bits_is_refused(utility: Bench, kind: str) -> None:
    await program_of(utility)
    if kind == "BillingPeriod":
        href = f"{await agreed(utility)}/bp"
    else:
        href = f"{await added(utility, '/ppy', {'prepayMode': 0}, group='event')}/si"
    last = {"interval": {"start": 2**63 - 11, "duration": 10}}
    at = await added(utility, href, last)
    beyond = {"interval": {"start": 2**63 - 10, "duration": 10}}
    with pytest.raises(BadRequest, match="interval: the end is beyond 64 bits"):
        await added(utility, href, beyond)
    call = Call(query={"href": at}, body=beyond, now=START)
    with pytest.raises(BadRequest, match="interval: the end is beyond 64 bits"):
        await utility.do(lambda desk: resources.change(desk, call))
