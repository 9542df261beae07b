"""What the device makes of an event, and what the user says to it, reach the server as Responses."""

import time
from dataclasses import replace

from der_client import Fault, FaultKind
from der_client.device import Telemetry
from schemas import DERControlBase
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
