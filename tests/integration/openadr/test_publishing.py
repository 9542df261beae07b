"""What a VEN publishes stands on a real server: made, changed, cancelled, never twice."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

from openadr_ven.events import EventStatus, Point, Signal, Unit
from openadr_ven.operator_api import OperatorApi
from openadr_ven.to_sep2 import Motion
from schemas.codes import DERCurveType
from tests.integration.openadr.conftest import Utility, Ven
from tests.unit.openadr_ven.house import (
    BATTERY,
    EVSE,
    HOUR,
    LOAD,
    PROGRAMME,
    PV,
    T0,
    dispatch,
    event,
    event_3,
    series,
    signal,
    simple,
)


async def controls(ven: Ven, group: str = "g-battery") -> list[tuple[int, int, str, Any]]:
    """Start after T0, duration, status, and modes of the DERControls of a group."""
    told: Any = await ven.get(f"/groups/{group}/controls")
    return [
        (one["start"] - T0, one["duration"], one["status"], one["DERControl"]["DERControlBase"])
        for one in told["controls"]
    ]


def target(watt: int) -> dict[str, dict[str, int]]:
    return {"opModTargetW": {"multiplier": 0, "value": watt}}


async def test_an_event_becomes_a_control_in_a_program_of_its_programme(ven: Ven) -> None:
    assert (await ven.hears(event(dispatch(3000, 1000)))).is_done
    assert await controls(ven) == [
        (0, HOUR, "scheduled", target(-3000)),
        (HOUR, HOUR, "scheduled", target(-1000)),
    ]
    told: Any = await ven.get("/groups/g-battery/programs")
    assert [(one["description"], one["primacy"]) for one in told["programs"]] == [
        ("Demand response", 5),
        (None, 89),
    ]


async def test_the_same_again_changes_nothing(ven: Ven) -> None:
    await ven.hears(event(dispatch(3000)))
    before: Any = await ven.get("/status")
    await ven.hears(event(dispatch(3000)))
    assert (await ven.get("/status"))["changes"] == before["changes"]


async def test_a_modification_leaves_what_is_unchanged_and_cancels_the_rest(ven: Ven) -> None:
    await ven.hears(event(dispatch(3000, 1000)))
    await ven.hears(event(dispatch(3000, 2000), modification=1))
    assert sorted(await controls(ven), key=str) == sorted(
        [
            (0, HOUR, "scheduled", target(-3000)),
            (HOUR, HOUR, "cancelled", target(-1000)),
            (HOUR, HOUR, "scheduled", target(-2000)),
        ],
        key=str,
    )


async def test_a_running_interval_is_taken_over_from_now(ven: Ven) -> None:
    await ven.hears(event(dispatch(3000)))
    ven.clock.set(T0 + 600)
    await ven.hears(event(dispatch(2000), modification=1))
    held = await controls(ven)
    assert (600, HOUR - 600, "active", target(-2000)) in held
    assert [one[2] for one in held if one[3] == target(-3000)] in [["superseded"], ["cancelled"]]


async def test_a_cancelled_event_is_cancelled(ven: Ven) -> None:
    await ven.hears(event(dispatch(3000)))
    assert (await ven.hears(event(dispatch(3000), modification=1, eventStatus=EventStatus.CANCELLED))).is_done
    assert [one[2] for one in await controls(ven)] == ["cancelled"]


async def test_after_a_restart_nothing_is_made_twice(ven: Ven) -> None:
    await ven.hears(event(dispatch(3000, 1000)), event(simple(2), eventID="e2"))
    before = await controls(ven)
    ven.begin()
    assert (await ven.acts()).is_done
    ven.begin(from_disk=False)
    assert (await ven.acts()).is_done
    assert await controls(ven) == before


async def test_a_restart_cancels_what_was_taken_back_meanwhile(ven: Ven) -> None:
    await ven.hears(event(dispatch(3000)))
    ven.begin()
    await ven.hears()
    assert [one[2] for one in await controls(ven)] == ["cancelled"]


async def test_a_lost_disk_does_not_bring_a_cancelled_mrid_back(ven: Ven) -> None:
    ven.house.devices = (replace(BATTERY, motion=Motion.CHARGING),)
    await ven.hears(event(simple(2)))
    ven.house.devices = (BATTERY,)
    await ven.acts()
    ven.begin(from_disk=False)
    ven.house.devices = (replace(BATTERY, motion=Motion.CHARGING),)
    assert (await ven.acts()).is_done
    assert sorted(one[2] for one in await controls(ven)) == ["cancelled", "scheduled"]


async def test_what_a_server_that_was_down_missed_is_published_when_it_is_back(
    ven: Ven, utility: Utility
) -> None:
    port = int(utility.url.rpartition(":")[2])
    utility.site = replace(utility.site, operator=replace(utility.site.operator, port=port))
    await utility.stop()
    assert not (await ven.hears(event(dispatch(3000, 1000)))).is_done
    ven.clock.set(T0 + 300)
    await utility.start()
    assert (await ven.acts()).is_done
    assert await controls(ven) == [
        (300, HOUR - 300, "active", target(-3000)),
        (HOUR, HOUR, "scheduled", target(-1000)),
    ]


async def test_a_group_that_is_not_there_is_said_and_the_others_are_served(ven: Ven) -> None:
    ven.house.devices = (BATTERY, replace(PV, group="nowhere"))
    found = await ven.hears(event(dispatch(-3000)))
    assert found.is_done
    assert found.refused == ("DERProgram: no group is named 'nowhere'",)
    assert len(await controls(ven)) == 1


async def test_loads_prices_and_texts_have_programs_of_their_own(ven: Ven) -> None:
    ven.house.devices = (EVSE,)
    alert = signal("ALERT_GRID_EMERGENCY", "", "stage 3")
    price = signal("PRICE", "", Decimal("0.31"), Decimal("-0.05"), unit=Unit.CURRENCY_PER_KWH, currency="EUR")
    shed = signal("SIMPLE", "", Decimal(2))
    assert (await ven.hears(event_3(alert, price, shed, duration_s=2 * HOUR))).refused == ()
    loads: Any = await ven.get("/groups/g-evse/loadcontrols")
    assert [one["resource"]["DutyCycle"] for one in loads["events"]] == [{"normalValue": 50}] * 2
    texts: Any = await ven.get("/groups/g-evse/messages")
    assert [one["resource"]["textMessage"] for one in texts["events"]] == ["stage 3"] * 2
    (tariff,) = (await tariffs(ven))["tariffs"]
    assert tariff["TariffProfile"]["currency"] == 978
    assert tariff["TariffProfile"]["pricePowerOfTenMultiplier"] == -5
    assert re.findall(r"'price': '([^']+)'", str(tariff)) == ["0.31", "-0.05"]


async def tariffs(ven: Ven) -> dict[str, Any]:
    return await ven.get("/groups/g-evse/tariffs")


async def test_a_curve_is_followed_and_taken_away(ven: Ven) -> None:
    ven.house.devices = (PV,)
    ven.house.programme = replace(PROGRAMME, curve_type=DERCurveType.opModVoltVar)
    shape: Signal = replace(
        signal("CURVE", ""),
        intervals=(
            replace(
                series(Decimal(0))[0],
                values=(Point(x=Decimal("0.92"), y=Decimal("0.44")), Point(x=Decimal("1.08"), y=Decimal(0))),
            ),
        ),
    )
    assert (await ven.hears(event_3(shape))).refused == ()
    (control,) = await controls(ven, "g-pv")
    told: Any = await ven.get("/groups/g-pv/curves")
    assert [one["href"] for one in told["curves"]] == [control[3]["opModVoltVar"]["href"]]
    assert (await ven.hears()).refused == ()
    assert (await ven.get("/groups/g-pv/curves"))["curves"] == []


async def test_a_default_is_set_and_taken_away(ven: Ven) -> None:
    ven.house.devices = (PV,)
    right = signal("EXPORT_CAPACITY_SUBSCRIPTION", "", Decimal(2000), unit=Unit.W)
    ven.clock.set(T0)
    assert (await ven.hears(event_3(right))).refused == ()
    held = await defaults(ven)
    assert held["DefaultDERControl"]["DERControlBase"] == {"opModMaxLimW": 4000}
    assert (await ven.hears()).refused == ()
    assert (await defaults(ven))["DefaultDERControl"] is None


async def defaults(ven: Ven) -> dict[str, Any]:
    return await ven.get("/groups/g-pv/default", program="Demand response")


async def test_a_wrong_token_is_said_and_nothing_is_lost(ven: Ven) -> None:
    ven.session.headers["Authorization"] = "Bearer wrong"
    found = await ven.hears(event(dispatch(3000)))
    assert (found.is_done, "401" in found.refused[0]) == (True, True)


async def test_a_load_without_anything_to_do_makes_no_program(ven: Ven) -> None:
    ven.house.devices = (LOAD,)
    await ven.hears(event(simple(0)))
    assert (await ven.get("/groups/g-load/resources"))["items"] != []
    told: Any = await ven.get("/groups/g-load/loadcontrols")
    assert told["events"] == []


async def test_a_program_takes_the_primacy_that_its_programme_has_now(ven: Ven) -> None:
    await ven.hears(event(dispatch(3000)))
    ven.house.programme = replace(PROGRAMME, primacy=3)
    await ven.hears(event(dispatch(2000), modification=1))
    told: Any = await ven.get("/groups/g-battery/programs")
    assert [one["primacy"] for one in told["programs"]] == [3, 89]


async def program_href(ven: Ven) -> str:
    told: Any = await ven.get("/groups/g-battery/programs")
    (href,) = [one["href"] for one in told["programs"] if one["description"] == "Demand response"]
    return str(href)


async def test_a_program_that_an_operator_removed_is_made_again(ven: Ven) -> None:
    await ven.hears(event(dispatch(3000)))
    query = {"href": await program_href(ven), "force": "true"}
    async with ven.session.delete(f"{ven.url}/resources", params=query) as response:
        assert response.status == 200, await response.text()
    assert (await ven.hears(event(dispatch(2000), modification=1))).refused == ()
    assert await controls(ven) == [(0, HOUR, "scheduled", target(-2000))]


async def test_a_program_that_is_there_is_shown_to_its_group_again(ven: Ven) -> None:
    await ven.hears(event(dispatch(3000)))
    query = {"href": await program_href(ven)}
    async with ven.session.delete(f"{ven.url}/groups/g-battery/resources", params=query) as response:
        assert response.status == 200, await response.text()
    ven.api = OperatorApi(ven.session, ven.url)
    ven.begin()
    assert (await ven.hears(event(dispatch(2000), modification=1))).refused == ()
    assert (0, HOUR, "scheduled", target(-2000)) in await controls(ven)
