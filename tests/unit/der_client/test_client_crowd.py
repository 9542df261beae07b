import asyncio
from dataclasses import dataclass, field

import pytest

from der_client import Applied, Fault, FaultKind, Nameplate, Reversion, Setpoint
from der_client.crowd import Crowd, Places
from der_client.device import Telemetry
from der_client.protected import may_write_grid_code

WANTED = Setpoint(max_w_pct=40.0), Reversion(after_s=30)
SILENT = Fault(kind=FaultKind.NO_ANSWER, detail="silent")


@dataclass
class Slow:
    """A device that answers when it is told to."""

    name: str = "slow"
    go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[object] = field(default_factory=list)
    closed: bool = False

    async def identify(self) -> Nameplate | Fault:
        return SILENT

    async def read(self) -> Telemetry | Fault:
        self.asked.append("read")
        await self.go.wait()
        return SILENT

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        self.asked.append((setpoint, reversion))
        return Applied(unsupported=frozenset({"connect"}))

    async def close(self) -> None:
        self.closed = True


async def test_a_device_in_a_crowd_gets_and_gives_what_it_would_alone() -> None:
    device = Slow()
    one = Crowd().join(device)

    assert one.name == "slow"
    assert await one.apply(*WANTED) == Applied(unsupported=frozenset({"connect"}))
    assert await one.identify() == SILENT
    await one.close()
    assert device.asked == [WANTED]
    assert device.closed


@dataclass
class Permitted(Slow):
    """A device whose installer lets settings of the grid code through, or not."""

    allow_grid_code_writes: bool = True


@pytest.mark.parametrize(
    ("device", "may"),
    [
        pytest.param(Permitted(), True, id="given"),
        pytest.param(Permitted(allow_grid_code_writes=False), False, id="not given"),
        pytest.param(Slow(), False, id="knows of none"),
    ],
)
def test_the_installers_permission_reaches_through_the_crowd(device: Slow, may: bool) -> None:
    assert may_write_grid_code(Crowd().join(device)) is may


async def test_no_more_devices_act_at_once_than_the_crowd_lets() -> None:
    crowd = Crowd(most=2)
    devices = [Slow() for _ in range(3)]
    async with asyncio.TaskGroup() as tasks:
        for device in devices:
            tasks.create_task(crowd.join(device).read())
        await asyncio.sleep(0)
        assert [device.asked for device in devices] == [["read"], ["read"], []]
        devices[0].go.set()
        devices[1].go.set()
        devices[2].go.set()

    assert devices[2].asked == ["read"]


PLATE = Nameplate(
    manufacturer="", model="", serial="", version="", der_type=4, modes=frozenset(),
    max_w=1.0, max_va=1.0, max_var=0.0, max_var_neg=0.0,
    set_max_w=1.0, set_max_va=1.0, set_max_var=0.0, set_max_var_neg=0.0,
)  # fmt: skip


@dataclass
class Knocked(Slow):
    """A device that is silent for as long as the test wants, and counts the scans of its crowd."""

    is_dead: bool = True
    scans: list[str] = field(default_factory=list)

    async def knock(self) -> Fault | None:
        if self.is_dead:
            await self.go.wait()
            return SILENT
        return None

    async def identify(self) -> Nameplate | Fault:
        self.scans.append(self.name)
        return PLATE


async def test_fifty_dead_devices_do_not_delay_one_that_returns() -> None:
    crowd, hung = Crowd(), asyncio.Event()
    back = Knocked("back")
    back.go.set()
    joined = crowd.join(back)
    assert await joined.identify() == SILENT
    dead = [Knocked(f"dead {number}", go=hung) for number in range(50)]
    async with asyncio.TaskGroup() as tasks:
        for device in dead:
            tasks.create_task(crowd.join(device).identify())
        await asyncio.sleep(0)
        back.is_dead = False
        async with asyncio.timeout(1):
            found = await joined.identify()
        hung.set()

    assert (found, back.scans) == (PLATE, ["back"])
    assert not any(device.scans for device in dead)


async def test_devices_that_were_silent_never_wait_for_each_other() -> None:
    crowd, hung = Crowd(most=2), asyncio.Event()
    dead = [Knocked(f"dead {number}") for number in range(5)]
    joined = [crowd.join(device) for device in dead]
    for device, one in zip(dead, joined, strict=True):
        device.go.set()
        assert await one.identify() == SILENT
        device.go = hung
    back = crowd.join(Knocked("back", is_dead=False))
    async with asyncio.TaskGroup() as tasks:
        for one in joined:
            tasks.create_task(one.identify())
        await asyncio.sleep(0)
        async with asyncio.timeout(1):
            assert await back.identify() == PLATE
        hung.set()


class Line:
    """Those who wait for the only place, and the order in which they had it."""

    def __init__(self) -> None:
        self.places = Places(1)
        self.had: list[str] = []
        self.may_go = asyncio.Event()

    async def stand(self, name: str, *, is_late: bool = False) -> None:
        async with self.places.taken(is_late=is_late):
            self.had.append(name)
            await self.may_go.wait()


async def test_those_that_are_late_have_the_next_places() -> None:
    line = Line()
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(5):
        for name in ("first", "second", "late", "late too"):
            tasks.create_task(line.stand(name, is_late=name.startswith("late")))
        await asyncio.sleep(0)
        line.may_go.set()
    assert line.had == ["first", "late", "late too", "second"]


@pytest.mark.parametrize("is_given", [True, False], ids=["as it gets the place", "as it waits"])
async def test_a_place_of_one_that_gives_up_goes_to_the_next(is_given: bool) -> None:
    line = Line()
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(5):
        first = tasks.create_task(line.stand("first"))
        gone = tasks.create_task(line.stand("gone"))
        tasks.create_task(line.stand("next"))
        await asyncio.sleep(0)
        if is_given:
            first.cancel()
            await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
        line.may_go.set()
    assert line.had == ["first", "next"]
    async with asyncio.timeout(5):
        await line.stand("whoever comes then")
