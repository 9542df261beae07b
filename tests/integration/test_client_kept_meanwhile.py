"""What must outlast a restart is on disk while the device is still being told, and holds up no stop."""

import asyncio
from queue import SimpleQueue

from tests.integration.control_bench import OUT, Bench, Notes, Rig
from tests.integration.slow_bench import SlowNotes, WaitingRig

LATCHED, TAKEN_OUT = "latched of cellar", "taken out of cellar"
FAR_OVER = "cell far over voltage"


class Noticed(Notes):
    """A disk that tells what it took, as it takes it."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: SimpleQueue[tuple[str, str]] = SimpleQueue()

    def remember(self, name: str, body: str) -> None:
        super().remember(name, body)
        self.taken.put((name, body))


async def killed_at_the_stop(notes: Noticed) -> None:
    """A run that dies while its battery, far over voltage, has not answered the stop yet."""
    rig = WaitingRig()
    bench = Bench(rig, notes)
    await bench.begin()
    rig.says(cell_v_max=3.70)
    cycle = asyncio.ensure_future(bench.cycle())
    await asyncio.wait_for(rig.asked.wait(), 10)
    try:
        taken = [await asyncio.to_thread(notes.taken.get, timeout=10) for _ in range(2)]
    finally:
        cycle.cancel()
        await asyncio.wait([cycle])

    assert rig.told[-1][0] == OUT
    assert sorted(taken) == [(LATCHED, f'["{FAR_OVER}"]'), (TAKEN_OUT, '["energize"]')]


async def test_a_latched_trip_holds_over_a_kill_before_the_device_has_answered_the_stop() -> None:
    notes = Noticed()
    await killed_at_the_stop(notes)
    bench = Bench(Rig(), notes)
    await bench.begin()
    bench.rig.says(cell_v_max=3.40)

    assert await bench.cycle() == OUT
    assert bench.loop.latched == {FAR_OVER}


async def test_what_was_stopped_before_a_kill_is_brought_back_after_its_reset() -> None:
    notes = Noticed()
    await killed_at_the_stop(notes)
    bench = Bench(Rig(), notes)
    await bench.begin()
    bench.rig.says(cell_v_max=3.40)
    await bench.cycle()
    bench.loop.reset()
    for _ in range(4):
        await bench.cycle()

    assert list(dict.fromkeys(told.energize for told, _ in bench.rig.told)) == [False, True, None]
    assert notes[LATCHED] == "[]"


async def test_a_stop_does_not_wait_for_the_disk() -> None:
    rig, disk = WaitingRig(), SlowNotes(LATCHED, "[]")
    bench = Bench(rig, disk)
    disk.asked.set()
    await bench.begin()
    disk.asked.clear()
    rig.says(cell_v_max=3.70)
    cycle = asyncio.ensure_future(bench.cycle())
    async with asyncio.timeout(10):
        await asyncio.to_thread(disk.asked.wait, 10)
        await rig.asked.wait()
        told = rig.told[-1][0]
        disk.free.set()
        rig.free.set()
        await cycle

    assert told == OUT
    assert disk.taken == [f'["{FAR_OVER}"]']
