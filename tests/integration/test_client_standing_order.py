"""What a local operator orders while the control loop waits, for its device or for its disk, holds."""

import asyncio

import pytest

from der_client.override import Override, override_from, override_text
from tests.integration.control_bench import Bench, Notes, Rig
from tests.integration.slow_bench import SlowNotes, WaitingRig

STOP = Override(target_w=0.0, energize=False, is_kept=True, by="uid 0")
GIVE = Override(target_w=1_000.0, is_kept=True)
NAME = "override of cellar"


@pytest.mark.parametrize("former", [None, Override(target_w=500.0, until_s=1_001.0)], ids=["none", "over"])
async def test_an_override_that_comes_while_the_device_is_written_to_holds(former: Override | None) -> None:
    rig, notes = WaitingRig(), Notes()
    bench = Bench(rig, notes)
    await bench.begin()
    if former is not None:
        await bench.loop.override(former, lambda: 1_000.0)
        bench.now += 2.0
    async with asyncio.timeout(10):
        cycle = asyncio.ensure_future(bench.cycle())
        await rig.asked.wait()
        await bench.loop.override(STOP)
        rig.free.set()
        before = await cycle
        after = await bench.cycle()

    assert (before.target_w, before.energize) == (3_000.0, None)
    assert (after.target_w, after.energize) == (0.0, False)
    assert override_from(notes[NAME]) == STOP


async def test_an_override_that_replaces_another_while_the_device_is_written_to_holds() -> None:
    rig, notes = WaitingRig(), Notes()
    bench = Bench(rig, notes)
    await bench.loop.override(Override(target_w=500.0, until_s=1_001.0), lambda: 1_000.0)
    await bench.begin()
    async with asyncio.timeout(10):
        cycle = asyncio.ensure_future(bench.cycle())
        await rig.asked.wait()
        bench.now += 5.0
        await bench.loop.override(STOP)
        rig.free.set()
        before = await cycle
        after = await bench.cycle()

    assert before.target_w == 500.0
    assert (after.target_w, after.energize) == (0.0, False)
    assert override_from(notes[NAME]) == STOP


@pytest.mark.parametrize("order", [None, STOP], ids=["release", "stop"])
async def test_what_is_ordered_while_an_earlier_run_is_taken_up_holds(order: Override | None) -> None:
    disk = SlowNotes(NAME, override_text(GIVE))
    bench = Bench(Rig(), disk)
    async with asyncio.timeout(10):
        start = asyncio.ensure_future(bench.begin())
        await asyncio.to_thread(disk.asked.wait, 10)
        ordered = asyncio.ensure_future(bench.loop.override(order))
        await asyncio.sleep(0)
        disk.free.set()
        await asyncio.gather(start, ordered)
    held = await bench.cycle()

    assert held.energize is (None if order is None else False)
    assert held.target_w == (3_000.0 if order is None else 0.0)
    assert override_from(disk[NAME]) == order


async def test_what_is_ordered_before_the_disk_is_known_is_kept_all_the_same() -> None:
    bench = Bench(Rig(), Notes({NAME: override_text(GIVE)}))
    await bench.loop.override(STOP)
    await bench.begin()
    again = bench.made()
    await again.restore(bench.memory)
    await again.cycle()

    assert bench.rig.told[-1][0].energize is False


async def test_an_order_is_kept_after_the_end_of_the_one_before_it() -> None:
    disk = SlowNotes(NAME)
    bench = Bench(Rig(), disk)
    disk.asked.set()
    await bench.begin()
    await bench.loop.override(GIVE)
    await bench.loop.override(Override(target_w=500.0, until_s=1_001.0), lambda: 1_000.0)
    bench.now += 2.0
    disk.asked.clear()
    async with asyncio.timeout(10):
        cycle = asyncio.ensure_future(bench.cycle())
        await asyncio.to_thread(disk.asked.wait, 10)
        ordered = asyncio.ensure_future(bench.loop.override(STOP))
        await asyncio.sleep(0)
        disk.free.set()
        await asyncio.gather(cycle, ordered)

    assert [override_from(text) for text in disk.taken] == [GIVE, None, None, STOP]
    assert (await bench.cycle()).energize is False
