"""Events that were made while the server's clock was ahead, once it is right. IEEE 2030.5-2018, 10.2.3."""

import asyncio
from pathlib import Path

import pytest

from certs import Pki
from conformance_tests.server.event_laws import flaws_of
from schemas import DERControl, DERControlList
from sep2_server import keeper
from sep2_server.errors import StoreError
from sep2_server.rows import Row
from sep2_server.store import Store
from tests.integration.sep2_harness import START, Bench, Client, make_control, running
from tests.integration.test_sep2_clock_back import WAIT_S, program_of, seen

pytestmark = pytest.mark.usefixtures("each_database")
AHEAD_S = 1000


async def publish(bench: Bench, program: Row, mrid: str, start: int, duration: int = 600) -> Row:
    """A control that is made now."""
    return await bench.control(program, make_control(mrid, start, duration, created=bench.clock.now()))


async def listed(client: Client, program: Row) -> list[DERControl]:
    return list((await client.read(f"{program.href}/derc?l=99", DERControlList)).DERControl_)


async def until_none_is_to_come(bench: Bench, client: Client, program: Row) -> dict[str, DERControl]:
    """The controls of a program by mRID, once none says that it will be made."""
    async with asyncio.timeout(WAIT_S):
        while True:
            controls = await listed(client, program)
            if all(control.creationTime <= bench.clock.now() for control in controls):
                return {control.mRID: control for control in controls}
            await asyncio.sleep(0.05)


async def made_in_turn(bench: Bench, program: Row) -> None:
    """A0 by the right clock, A1 to A3 by one that is ahead, two of them in one second; all overlap."""
    await publish(bench, program, "A0", START + 5000)
    bench.clock.set(START + AHEAD_S)
    await publish(bench, program, "A1", START + 5100)
    bench.clock.set(START + AHEAD_S + 50)
    await publish(bench, program, "A3", START + 5300)
    await publish(bench, program, "A2", START + 5200)
    await seen(bench)


async def test_a_control_that_is_published_after_the_correction_wins_over_all_before(bench: Bench) -> None:
    client, program = await program_of(bench)
    await made_in_turn(bench, program)
    bench.clock.set(START + 100)
    made = {mrid: control.creationTime for mrid, control in (await dated(bench, client, program)).items()}
    assert made == {"A0": START, "A1": START + 99, "A2": START + 100, "A3": START + 100}
    bench.clock.set(START + 110)
    await publish(bench, program, "A4", START + 5050, 1000)
    bench.clock.set(START + 5400)
    states = {control.mRID: control.EventStatus_.currentStatus for control in await listed(client, program)}
    assert states == {"A0": 4, "A1": 4, "A2": 4, "A3": 4, "A4": 1}


async def dated(bench: Bench, client: Client, program: Row) -> dict[str, DERControl]:
    """The same, and nothing that a client is told of them lies in the future, or out of order."""
    found = await until_none_is_to_come(bench, client, program)
    now = bench.clock.now()
    controls = await listed(client, program)
    assert list(flaws_of(controls, now, now, is_active_view=False)) == []
    assert [control.mRID for control in controls] == sorted(
        found, key=lambda mrid: (found[mrid].interval.start, -found[mrid].creationTime)
    )
    return found


async def test_a_server_that_starts_with_a_clock_that_was_corrected_dates_them_too(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki) as bench:
        client, program = await program_of(bench)
        await made_in_turn(bench, program)
    async with running(tmp_path, sep2_pki, now=START + 100) as bench:
        client = await bench.client("event-1")
        found = await dated(bench, client, program)
        assert [found[f"A{number}"].creationTime - START for number in range(4)] == [0, 99, 100, 100]


async def test_the_first_look_is_at_what_was_there_before_the_start(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However late it comes: what is made after the start is made by the clock that is."""
    monkeypatch.setattr(keeper, "PACE_S", 1.0)
    async with running(tmp_path, sep2_pki) as bench:
        client, program = await program_of(bench)
        await bench.control(program, make_control("A1", START + 100, 100, created=START + 50))
        looked = [bench.server.keeper._has_dated]
        while not looked[-1] and len(looked) < 20 * WAIT_S:
            await asyncio.sleep(0.05)
            looked.append(bench.server.keeper._has_dated)
        assert (looked[0], looked[-1]) == (False, True)
        assert [one.creationTime for one in await listed(client, program)] == [START + 50]


async def test_what_was_made_by_a_right_clock_and_what_is_over_stays_as_it_is(bench: Bench) -> None:
    client, program = await program_of(bench)
    await publish(bench, program, "A0", START + 5000)
    bench.clock.set(START + AHEAD_S)
    over = await publish(bench, program, "A1", START + AHEAD_S, 10)
    kept = await publish(bench, program, "A2", START + 9000)
    bench.clock.set(START + AHEAD_S + 20)
    assert over.href not in {control.href for control in await listed(client, program)}
    await seen(bench)
    versions = {row.id: row.version for row in bench.store.reader.items(kept.list_id or 0)}
    bench.clock.set(START + 100)
    found = await dated(bench, client, program)
    assert {mrid: control.version for mrid, control in found.items()} == dict.fromkeys(found)
    changed = {
        row.id for row in bench.store.reader.items(kept.list_id or 0) if versions.get(row.id) != row.version
    }
    assert kept.id in changed
    assert found["A0"].creationTime == START


async def test_all_are_dated_however_few_at_a_time_and_though_the_store_fails_meanwhile(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "DATED_AT_ONCE", 1)
    monkeypatch.setattr(keeper, "LOOKED_AT_ONCE", 2)
    monkeypatch.setattr(keeper, "PAUSE_S", 0.01)
    client, program = await program_of(bench)
    bench.clock.set(START + AHEAD_S)
    for number in range(5):
        bench.clock.set(START + AHEAD_S + number)
        await publish(bench, program, f"A{number}", START + 5000 + 1000 * number)
    await seen(bench)
    failures = iter([False, True, False, False, True])
    do = Store.do

    async def failing(store: Store, job: object) -> object:
        if getattr(getattr(job, "func", None), "__name__", "") == "date_again" and next(failures, False):
            raise StoreError("away")
        return await do(store, job)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "do", failing)
    bench.clock.set(START + 100)
    found = await dated(bench, client, program)
    times = [found[f"A{number}"].creationTime for number in range(5)]
    assert times == sorted(set(times))
    assert times[-1] == START + 100
