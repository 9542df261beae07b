"""Several devices of one EndDevice share what is asked of it."""

import asyncio
import time
from dataclasses import dataclass, field, replace

from der_client import DERClient, Fault, FaultKind
from der_client.device import Nameplate, SiteReading, Telemetry
from schemas import ActivePower, DERControlBase
from tests.integration.client.harness import Inverter, Script, Site, control, controls


@dataclass
class Meter:
    """A meter that reads what the test says."""

    script: Script
    name: str = "meter"
    reading: SiteReading | Fault = field(default_factory=lambda: SiteReading(power_w=0.0))
    reads: int = 0
    closed: bool = False

    async def read(self) -> SiteReading | Fault:
        self.reads += 1
        self.script.tell()
        return self.reading

    async def close(self) -> None:
        self.closed = True


def targets(*inverters: Inverter) -> list[float | None]:
    return [one.applied[-1][0].target_w if one.applied else None for one in inverters]


async def test_a_target_of_the_end_device_is_split_over_its_devices(site: Site) -> None:
    base = DERControlBase(opModTargetW=ActivePower(multiplier=0, value=6_000))
    event = replace(control("C1", int(time.time()), 60, 5_000, status=1), DERControlBase_=base)
    site.script.resources["/a/controls"] = controls(event)
    plate = site.inverter.plate
    assert not isinstance(plate, Fault)
    able = replace(plate, modes=plate.modes | {"opModTargetW"})
    one = Inverter(site.script, name="one", plate=able)
    two = Inverter(site.script, name="two", plate=replace(able, max_w=20_000, set_max_w=20_000))
    meter = Meter(site.script)
    client = DERClient(site.settings, [one, two], on_event=site.hear, meter=meter)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(client.run())
        await site.script.until(lambda: targets(one, two) == [2_000.0, 4_000.0])
        meter.reading = Fault(kind=FaultKind.NO_ANSWER, detail="gone")
        reads = meter.reads
        await site.script.until(lambda: meter.reads > reads + 1)
        task.cancel()

    assert meter.closed
    assert {reversion.to.max_w_pct for _, reversion in (one.applied[-1], two.applied[-1])} == {90.0}


@dataclass
class Late(Inverter):
    """A device that is identified once the test lets it be."""

    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    reads: int = 0

    async def identify(self) -> Nameplate | Fault:
        await self.may_answer.wait()
        return await super().identify()

    async def read(self) -> Telemetry | Fault:
        self.reads += 1
        self.script.tell()
        return await super().read()


async def test_an_event_for_a_device_that_is_identified_after_its_neighbour_waits_for_it(site: Site) -> None:
    plate = site.inverter.plate
    assert not isinstance(plate, Fault)
    limited = replace(plate, modes=frozenset({"opModMaxLimW"}))
    stored = replace(limited, der_type=80, modes=plate.modes | {"opModTargetW"}, max_charge_w=5_000.0)
    pv, battery = Late(site.script, name="pv", plate=limited), Late(site.script, name="cellar", plate=stored)
    pv.may_answer.set()
    base = DERControlBase(opModTargetW=ActivePower(multiplier=0, value=-3_000))
    event = replace(control("C1", int(time.time()), 60, 5_000, status=1), DERControlBase_=base)
    site.script.resources["/a/controls"] = controls(event)
    async with site.running(DERClient(site.settings, [pv, battery], on_event=site.hear)):
        await site.script.until(lambda: "GET /a/controls" in site.script.asked)
        reads = pv.reads
        await site.script.until(lambda: pv.reads > reads + 10)
        battery.may_answer.set()
        await site.script.until(lambda: targets(battery) == [-3_000.0])
        await site.script.until(lambda: 2 in site.script.statuses("C1"))

    assert site.script.statuses("C1") == [1, 2]
