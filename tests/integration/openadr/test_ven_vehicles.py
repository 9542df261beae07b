"""A vehicle asks a real server for energy, and gets what an event of the VTN says."""

from decimal import Decimal
from typing import Any

from openadr_ven.events import Event
from openadr_ven.v2b import messages as m
from openadr_ven.vtn.v2b import Vtn
from schemas import ActivePower, DateTimeInterval, FlowReservationRequest, RequestStatus, SignedRealEnergy
from tests.integration.openadr.test_ven_live import tells
from tests.integration.openadr.ven_bench import Bench, codes_of, has_device, posts, soon
from tests.unit.openadr_ven.house import HOUR, T0, event, signal

REQUEST = FlowReservationRequest(
    mRID="00000000000000000000000A0000007B",
    creationTime=T0 - HOUR,
    durationRequested=HOUR,
    energyRequested=SignedRealEnergy(multiplier=3, value=6),
    intervalRequested=DateTimeInterval(start=T0 - 600, duration=4 * HOUR),
    powerRequested=ActivePower(multiplier=0, value=4000),
    RequestStatus_=RequestStatus(dateTime=T0 - HOUR, requestStatus=0),
)


def charge(share: str, **more: object) -> Event:
    return event(signal("CHARGE_STATE", "multiplier", Decimal(share)), **more)


async def answers_on(bench: Bench) -> list[tuple[str, int, int, int]]:
    """Status, start, length and energy of the answers to the request, the newest last."""
    told: Any = await bench.ven.get("/flows", device="battery")
    return [
        (
            one["status"],
            one["start"] - T0,
            one["duration"],
            one["resource"]["energyAvailable"]["value"]
            * 10 ** one["resource"]["energyAvailable"]["multiplier"],
        )
        for request in told["requests"]
        for one in sorted(request["answers"], key=lambda one: (one["status"] != "cancelled", one["mRID"]))
    ]


async def test_vehicle_is_granted_what_an_event_says_and_not_twice_over_a_restart(
    bench: Bench, vtn: Vtn
) -> None:
    bench.kind, bench.device = "EVSE", "max_wh = 10000"
    await has_device(bench)
    await tells(bench, 6000)
    shown: Any = await bench.ven.get("/devices/battery")
    await posts(bench, "POST", f"{shown['href']}/frq", REQUEST)
    async with bench.running():
        await soon(lambda: vtn.vens)
        vtn.publish(charge("0.9"))
        await bench.until(lambda: answers_on(bench), [("scheduled", 0, HOUR, 3000)])
        assert codes_of(vtn) == {200}
    async with bench.running():
        await soon(lambda: len(vtn.of(m.RequestEvent)) > 1)
        vtn.publish(charge("0.7", modification=1))
        changed = [("cancelled", 0, HOUR, 3000), ("scheduled", 0, HOUR, 1000)]
        await bench.until(lambda: answers_on(bench), changed)
        vtn.cancel("e1")
        gone = [("cancelled", 0, HOUR, 1000), ("cancelled", 0, HOUR, 3000)]
        await bench.until(lambda: _sorted(bench), gone)
    assert await bench.controls() == []


async def _sorted(bench: Bench) -> list[tuple[str, int, int, int]]:
    return sorted(await answers_on(bench))
