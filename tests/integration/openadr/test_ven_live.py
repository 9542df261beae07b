"""What a device tells of itself on a real server counts for an event of a VTN, and nothing that is old."""

from decimal import Decimal
from typing import Any

import pytest

from lineside.ven.state import StateFolder
from openadr_ven.events import Event, Unit
from openadr_ven.v2b import messages as m
from openadr_ven.vtn.v2b import Vtn
from schemas import DERStatus, StateOfChargeStatusType
from tests.integration.openadr.ven_bench import Bench, codes_of, has_device, opts_of, posts, soon
from tests.unit.openadr_ven.house import HOUR, event, signal


async def tells(bench: Bench, soc: int, *, age_s: int = 0) -> None:
    """The battery tells its state of charge, in hundredths of a percent."""
    shown: Any = await bench.ven.get("/devices/battery")
    at = bench.clock.now() - age_s
    status = DERStatus(readingTime=at, stateOfChargeStatus=StateOfChargeStatusType(dateTime=at, value=soc))
    await posts(bench, "PUT", f"{shown['DER'][0]['href']}/ders", status)


def charge() -> Event:
    return event(signal("CHARGE_STATE", "setpoint", Decimal(8000), unit=Unit.WH))


async def test_charge_starts_from_what_the_battery_told_and_does_not_move(bench: Bench, vtn: Vtn) -> None:
    bench.device = "max_wh = 10000"
    await has_device(bench)
    await tells(bench, 6000)
    async with bench.running():
        await soon(lambda: vtn.vens)
        vtn.publish(charge())
        await bench.until_status("scheduled")
        await tells(bench, 7000)
        await soon(lambda: vtn.of(m.CreatedEvent))
    async with bench.running():
        vtn.publish(charge())
        await soon(lambda: len(vtn.of(m.CreatedEvent)) > 1)
        ((start, duration, status, base),) = await bench.controls()
    assert (start, duration, status) == (0, HOUR, "scheduled")
    assert base["opModTargetW"] == {"multiplier": 0, "value": -2000}
    assert StateFolder(bench.settings.state).file.bases()["e1"].devices["battery"].soc == Decimal("0.6")
    assert codes_of(vtn) == {200}


@pytest.mark.parametrize("age_s", [None, 1000])
async def test_charge_without_a_state_of_charge_of_late_is_refused(
    bench: Bench, vtn: Vtn, age_s: int | None
) -> None:
    bench.device = "max_wh = 10000"
    await has_device(bench)
    if age_s is not None:
        await tells(bench, 6000, age_s=age_s)
    async with bench.running():
        await soon(lambda: vtn.vens)
        vtn.publish(charge())
        await soon(lambda: vtn.of(m.CreatedEvent))
    assert codes_of(vtn) == {460}
    assert await bench.controls() == []


OTHER = """max_wh = 10000
[[devices]]
resource = "other"
name = "other"
group = "g-pv"
kind = "storage"
max_w = 5000
max_wh = 10000
"""


async def test_resource_that_cannot_do_it_is_opted_out_beside_the_one_that_can(
    bench: Bench, vtn: Vtn
) -> None:
    bench.device = OTHER
    await has_device(bench)
    await tells(bench, 6000)
    async with bench.running():
        await soon(lambda: vtn.vens)
        vtn.publish(charge())
        await bench.until_status("scheduled")
        await soon(lambda: opts_of(vtn))
    assert opts_of(vtn) == [("optOut", "notParticipating", ("other",))]
    assert codes_of(vtn) == {200}
