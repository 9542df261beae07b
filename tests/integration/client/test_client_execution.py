"""What the device makes of an event, and what the user says to it, reach the server as Responses."""

import asyncio
import time
from dataclasses import replace

from der_client import DERClient, Fault, FaultKind
from der_client.device import Telemetry
from der_client.interlocks import SafetyRules
from der_client.interlocks.rules_device import ResponseRules
from schemas import CurveData, DERControl, DERControlBase, DERCurve, DERCurveLink
from tests.integration.client.harness import Site, control, controls

REFUSED = Fault(kind=FaultKind.REFUSED, detail="exception 3", point="704.WMaxLimPct")


async def test_a_limit_that_the_device_turns_out_not_to_have_is_answered_with_252(site: Site) -> None:
    site.inverter.unsupported = frozenset({"max_w_pct"})
    site.script.resources["/a/controls"] = controls(control("C1", int(time.time()), 60, 5_000, status=1))
    async with site.client():
        await site.script.until(lambda: 252 in site.script.statuses("C1"))

    assert site.script.statuses("C1") == [1, 2, 252]


async def test_an_event_whose_limit_the_device_refuses_is_not_said_to_be_completed(site: Site) -> None:
    site.inverter.refusal = REFUSED
    now = int(time.time())
    short, marker = control("C1", now, 4, 5_000, status=1), control("FF", now + 5, 1, 5_000)
    later = replace(marker, DERControlBase_=DERControlBase(opModConnect=True))
    site.script.resources["/a/controls"] = controls(short, later)
    async with site.client():
        await site.script.until(lambda: 3 in site.script.statuses("FF"))

    assert site.script.statuses("C1") == [1, 2]
    assert "DERControl C1 not held" in [event.detail for event in site.events]


async def test_an_event_while_an_interlock_stops_the_device_is_not_said_to_be_completed(site: Site) -> None:
    reading = site.inverter.reading
    assert isinstance(reading, Telemetry)
    site.inverter.reading = replace(reading, inputs=frozenset({"emergency stop"}))
    site.settings = replace(site.settings, safety=SafetyRules(response=ResponseRules(settle_s=1.0)))
    now = int(time.time())
    target, limit = control("C1", now, 5, 5_000, status=1), control("FF", now, 5, 6_000, status=1)
    target = replace(target, DERControlBase_=DERControlBase(opModFixedW=5_000))
    site.script.resources["/a/controls"] = controls(target, limit)
    async with site.client():
        await site.script.until(lambda: 3 in site.script.statuses("FF"))
        await site.script.until(lambda: "DERControl C1 not held" in [one.detail for one in site.events])

    assert site.script.statuses("C1") == [1, 2]
    assert site.script.statuses("FF") == [1, 2, 3]


async def test_a_control_that_makes_no_sense_is_answered_with_253(site: Site) -> None:
    site.script.resources["/a/controls"] = controls(control("C1", int(time.time()), 60, 15_000, status=1))
    async with site.client():
        await site.script.until(lambda: site.script.statuses("C1"))

    assert site.script.statuses("C1") == [253]


async def test_an_operator_who_opts_out_is_answered_for_and_stays_out_after_a_restart(site: Site) -> None:
    event = replace(control("C1", int(time.time()), 8, 5_000, status=1), responseRequired="07")
    site.script.resources["/a/controls"] = controls(event)
    async with site.client() as client:
        await site.script.until(lambda: site.inverter.holds(50.0))
        await client.opt_out()
        await site.script.until(lambda: 4 in site.script.statuses("C1"))
        await site.script.until(lambda: site.inverter.holds(90.0))
    async with site.client():
        await site.script.until(lambda: 8 in site.script.statuses("C1"))

    assert site.script.statuses("C1") == [1, 2, 4, 8]


async def test_who_opts_out_before_the_start_takes_no_part(site: Site) -> None:
    event = replace(control("C1", int(time.time()), 60, 5_000, status=1), responseRequired="07")
    site.script.resources["/a/controls"] = controls(event)
    client = DERClient(site.settings, [site.inverter], on_event=site.hear)
    await client.opt_out()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(client.run())
        await site.script.until(lambda: 4 in site.script.statuses("C1"))
        task.cancel()

    assert site.script.statuses("C1") == [1, 4]
    assert not any(setpoint.max_w_pct == 50.0 for setpoint, _ in site.inverter.applied)


async def test_who_comes_back_before_the_start_takes_part(site: Site) -> None:
    event = replace(control("C1", int(time.time()), 60, 5_000, status=1), responseRequired="07")
    site.script.resources["/a/controls"] = controls(event)
    client = DERClient(site.settings, [site.inverter], on_event=site.hear)
    await client.opt_out(end_device="0" * 40)
    await client.opt_out("C1", end_device=site.lfdi)
    await client.opt_in("C1")
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(client.run())
        await site.script.until(lambda: site.inverter.holds(50.0))
        task.cancel()


async def test_an_operator_may_come_back(site: Site) -> None:
    event = replace(control("C1", int(time.time()), 6, 5_000, status=1), responseRequired="07")
    site.script.resources["/a/controls"] = controls(event)
    async with site.client() as client:
        await site.script.until(lambda: 2 in site.script.statuses("C1"))
        await client.opt_out("C1")
        await site.script.until(lambda: 4 in site.script.statuses("C1"))
        await client.opt_in("C1")
        await site.script.until(lambda: 9 in site.script.statuses("C1"))

    assert site.script.statuses("C1") == [1, 2, 4, 5, 9]


async def test_local_control_at_the_device_leaves_the_event(site: Site) -> None:
    event = replace(control("C1", int(time.time()), 60, 5_000, status=1), responseRequired="07")
    site.script.resources["/a/controls"] = controls(event)
    reading = site.inverter.reading
    assert isinstance(reading, Telemetry)
    async with site.client():
        await site.script.until(lambda: 2 in site.script.statuses("C1"))
        site.inverter.reading = replace(reading, local_control=True)
        await site.script.until(lambda: 4 in site.script.statuses("C1"))

    assert site.script.statuses("C1") == [1, 2, 4]


def curved(site: Site, at: int, duration: int) -> DERControl:
    """An event with a curve, for a device that follows curves."""
    plate = site.inverter.plate
    assert not isinstance(plate, Fault)
    site.inverter.plate = replace(plate, modes=plate.modes | {"opModVoltVar"})
    base = DERControlBase(opModVoltVar=DERCurveLink(href="/a/curves/1"))
    return replace(control("C1", at, duration, 5_000, status=1), DERControlBase_=base)


async def test_an_event_whose_curve_is_not_there_is_not_said_to_be_completed(site: Site) -> None:
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(curved(site, now, 3), control("FF", now + 4, 1, 5_000))
    async with site.client():
        await site.script.until(lambda: 3 in site.script.statuses("FF"))

    assert site.script.statuses("C1") == [1, 2]
    assert "DERControl C1 not held" in [event.detail for event in site.events]


async def test_an_event_that_is_gone_from_its_list_keeps_its_curve(site: Site) -> None:
    points = [CurveData(xvalue=92, yvalue=44), CurveData(xvalue=108, yvalue=-44)]
    site.script.resources["/a/curves/1"] = DERCurve(
        mRID="CC", creationTime=0, CurveData_=points, curveType=11, xMultiplier=0, yMultiplier=0, yRefType=2
    )
    now = int(time.time())
    site.script.resources["/a/controls"] = controls(curved(site, now, 60))
    async with site.client():
        await site.script.until(lambda: bool(site.inverter.applied and site.inverter.applied[-1][0].curves))
        site.script.resources["/a/controls"] = controls(control("FF", now, 60, 5_000, status=1))
        await site.script.until(lambda: site.inverter.holds(50.0))

    assert [one.mode for one in site.inverter.applied[-1][0].curves] == ["opModVoltVar"]
