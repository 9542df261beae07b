import asyncio
from dataclasses import dataclass, field

import pytest

from der_client import Applied, Fault, FaultKind, Nameplate, Reversion, Setpoint
from der_client.crowd import Crowd
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
