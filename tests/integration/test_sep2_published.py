"""What an operator publishes in DRLC, Pricing, Messaging and Flow Reservation is what a device sees over TLS.

The device walks from DeviceCapability by links. Status and supersession of the events are by the rules of DER
controls. IEEE 2030.5-2018, 10.2.3, 10.3, 10.5, 10.6, 10.9.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from certs import Pki
from schemas import (
    ActivePower,
    ConsumptionTariffIntervalList,
    DateTimeInterval,
    DemandResponseProgramList,
    DERProgramList,
    EndDeviceControl,
    EndDeviceControlList,
    EndDeviceList,
    Event,
    FlowReservationRequest,
    FlowReservationResponse,
    FlowReservationResponseList,
    FunctionSetAssignments,
    FunctionSetAssignmentsList,
    MessagingProgramList,
    RateComponentList,
    RequestStatus,
    SignedRealEnergy,
    TariffProfileList,
    TextMessage,
    TextMessageList,
    TimeTariffInterval,
    TimeTariffIntervalList,
    spec_of,
)
from sep2_server.operator import controls, flows, happenings, load_controls, messages, tariffs
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import Conflict
from sep2_server.operator.router import Answer, Call
from tests.integration.sep2_harness import START, Bench, Client, running

pytestmark = pytest.mark.usefixtures("each_database")
SCHEDULED, ACTIVE, CANCELLED, RANDOMIZED, SUPERSEDED = range(5)
Operation = Callable[[Desk, Call], Answer]


@dataclass(frozen=True)
class Kind:
    """One function set: how an event is published in it, and how a device finds its list."""

    publish: Callable[["Market", dict[str, Any]], Any]
    find: Callable[["Market"], Any]
    event: type[Event]
    supersedes: bool = True
    is_random: bool = True


class Market:
    """A server with a group of one device, and what the operator made in it."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.component = ""

    @property
    def client(self) -> Client:
        return self.bench.clients["public-1"]

    async def operate(self, run: Operation, body: object = None, **names: str) -> Answer:
        def job(desk: Desk) -> Answer:
            return run(desk, Call(names={"group": "public", **names}, body=body, now=desk.now))

        return await self.bench.do(job)

    async def assignments(self) -> FunctionSetAssignments:
        device = (await self.client.read("/edev", EndDeviceList)).EndDevice_[0]
        link = device.FunctionSetAssignmentsListLink_
        assert link is not None
        return (await self.client.read(link.href, FunctionSetAssignmentsList)).FunctionSetAssignments_[0]

    async def first(self, link: Any, cls: type) -> Any:  # noqa: ANN401
        """The first item of the list that a link leads to."""
        assert link is not None
        page: Any = await self.client.read(link.href, cls)
        (field,) = (f for f in spec_of(cls) if f.is_list)
        return getattr(page, field.attr)[0]

    async def seen(self, kind: Kind) -> list[Any]:
        """The events of the list as the device sees them, each of which is the same at its own URI."""
        page: Any = await kind.find(self)
        (field,) = (f for f in spec_of(type(page)) if f.is_list)
        events: list[Any] = getattr(page, field.attr)
        for event in events:
            assert await self.client.read(event.href, kind.event) == event
        return events

    async def states(self, kind: Kind) -> dict[str, int]:
        return {event.description: event.EventStatus_.currentStatus for event in await self.seen(kind)}


async def publish_load(market: Market, times: dict[str, Any]) -> object:
    body = {"deviceCategory": "water_heater", "DutyCycle": {"normalValue": "50 %"}, **times}
    return await market.operate(load_controls.publish_control, body)


async def find_loads(market: Market) -> object:
    link = (await market.assignments()).DemandResponseProgramListLink_
    program = await market.first(link, DemandResponseProgramList)
    return await market.client.read(f"{program.EndDeviceControlListLink_.href}?l=9", EndDeviceControlList)


async def publish_price(market: Market, times: dict[str, Any]) -> object:
    if not market.component:
        tariff = await market.operate(tariffs.add_tariff, {"currency": 978})
        part = await market.operate(tariffs.add_component, {}, tariff=str(tariff["mRID"]))
        market.component = str(part["mRID"])
    body = {"ConsumptionTariffInterval": [{"price": "0.25"}], "touTier": 1, **times}
    return await market.operate(tariffs.add_interval, body, component=market.component)


async def find_prices(market: Market) -> object:
    link = (await market.assignments()).TariffProfileListLink_
    tariff = await market.first(link, TariffProfileList)
    component = await market.first(tariff.RateComponentListLink_, RateComponentList)
    return await market.client.read(
        f"{component.TimeTariffIntervalListLink_.href}?l=9", TimeTariffIntervalList
    )


async def publish_text(market: Market, times: dict[str, Any]) -> object:
    return await market.operate(messages.send, {"textMessage": "storm", "priority": "critical", **times})


async def find_texts(market: Market) -> object:
    link = (await market.assignments()).MessagingProgramListLink_
    program = await market.first(link, MessagingProgramList)
    return await market.client.read(f"{program.TextMessageListLink_.href}?l=9", TextMessageList)


KINDS = {
    "drlc": Kind(publish_load, find_loads, EndDeviceControl),
    "tariff": Kind(publish_price, find_prices, TimeTariffInterval),
    "message": Kind(publish_text, find_texts, TextMessage, supersedes=False, is_random=False),
}
EACH = pytest.mark.parametrize("kind", [pytest.param(kind, id=name) for name, kind in KINDS.items()])


@pytest_asyncio.fixture
async def market(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Market]:
    async with running(tmp_path, sep2_pki, profile="base", function_sets="all") as bench:
        await bench.device("public-1")
        await bench.group("public", "public-1", primacy=9)
        yield Market(bench)


@EACH
async def test_a_device_finds_the_event_by_links(market: Market, kind: Kind) -> None:
    await kind.publish(market, {"in": 60, "duration": "10m", "description": "one"})
    (event,) = await market.seen(kind)
    assert (event.interval.start, event.interval.duration) == (START + 60, 600)
    assert (event.EventStatus_.currentStatus, event.EventStatus_.potentiallySuperseded) == (SCHEDULED, False)
    assert (event.description, event.version, event.creationTime) == ("one", 0, START)
    assert (event.responseRequired, event.replyTo is not None) == ("03", True)
    assert event.mRID[-8:] == f"{market.bench.server.settings.pen:08X}"


@EACH
async def test_an_event_is_scheduled_active_and_gone(market: Market, kind: Kind) -> None:
    await kind.publish(market, {"in": 60, "duration": 120, "description": "one"})
    seen = []
    for _ in range(4):
        seen.append(await market.states(kind))
        market.bench.clock.advance(60)
    assert seen == [{"one": SCHEDULED}, {"one": ACTIVE}, {"one": ACTIVE}, {}]


@EACH
async def test_a_newer_event_supersedes_the_one_it_overlaps_but_for_texts(market: Market, kind: Kind) -> None:
    await kind.publish(market, {"duration": 600, "description": "older"})
    market.bench.clock.advance(1)
    await kind.publish(market, {"in": 60, "duration": 60, "description": "newer"})
    assert await market.states(kind) == {"older": ACTIVE, "newer": SCHEDULED}
    market.bench.clock.advance(60)
    rest = SUPERSEDED if kind.supersedes else ACTIVE
    assert await market.states(kind) == {"older": rest, "newer": ACTIVE}


@EACH
async def test_events_that_do_not_overlap_stay(market: Market, kind: Kind) -> None:
    await kind.publish(market, {"duration": 60, "description": "one"})
    market.bench.clock.advance(1)
    await kind.publish(market, {"in": 59, "duration": 60, "description": "two"})
    assert await market.states(kind) == {"one": ACTIVE, "two": SCHEDULED}
    market.bench.clock.advance(59)
    assert await market.states(kind) == {"two": ACTIVE}


@EACH
async def test_a_cancelled_event_stays_until_its_end_with_the_reason(market: Market, kind: Kind) -> None:
    told = await kind.publish(market, {"duration": 600, "description": "one"})
    market.bench.clock.advance(5)
    await market.operate(happenings.cancel, {"reason": "over"}, event=str(told["mRID"]))
    (event,) = await market.seen(kind)
    status = event.EventStatus_
    assert (status.currentStatus, status.dateTime, status.reason) == (CANCELLED, START + 5, "over")
    market.bench.clock.advance(600)
    assert await market.seen(kind) == []


@EACH
async def test_only_an_event_with_random_parts_is_cancelled_at_random(market: Market, kind: Kind) -> None:
    times = {"duration": 600, "description": "one"} | ({"randomizeDuration": 60} if kind.is_random else {})
    told = await kind.publish(market, times)
    body = {"randomized": True}
    if kind.is_random:
        await market.operate(happenings.cancel, body, event=str(told["mRID"]))
        assert await market.states(kind) == {"one": RANDOMIZED}
        return

    with pytest.raises(Conflict):
        await market.operate(happenings.cancel, body, event=str(told["mRID"]))
    assert await market.states(kind) == {"one": ACTIVE}


async def test_load_controls_of_other_categories_run_side_by_side(market: Market) -> None:
    """Another device category is another thing to control: potentiallySuperseded tells where some overlap."""
    kind = KINDS["drlc"]
    for second, category in enumerate(("water_heater,sauna", "pool_pump", "sauna")):
        market.bench.clock.set(START + second)
        await kind.publish(market, {"duration": 600, "description": category, "deviceCategory": category})
    events = {event.description: event.EventStatus_ for event in await market.seen(kind)}
    assert {name: (s.currentStatus, s.potentiallySuperseded) for name, s in events.items()} == {
        "water_heater,sauna": (ACTIVE, True),
        "pool_pump": (ACTIVE, False),
        "sauna": (ACTIVE, False),
    }


async def test_a_load_control_is_what_was_asked_for(market: Market) -> None:
    await market.operate(
        load_controls.publish_control,
        {
            "duration": "1h",
            "deviceCategory": "00000010",
            "drProgramMandatory": True,
            "loadShiftForward": True,
            "SetPoint": {"coolingSetpoint": "26.5 degC"},
            "TargetReduction": {"type": "KW", "value": 3},
            "overrideDuration": "10m",
            "randomizeStart": -60,
        },
    )
    (event,) = await market.seen(KINDS["drlc"])
    assert (event.deviceCategory, event.drProgramMandatory, event.loadShiftForward) == (
        "00000010",
        True,
        True,
    )
    assert (event.SetPoint_.coolingSetpoint, event.SetPoint_.heatingSetpoint) == (2650, None)
    assert (event.TargetReduction_.type, event.TargetReduction_.value) == (1, 3)
    assert (event.overrideDuration, event.randomizeStart) == (600, -60)


async def test_the_price_of_an_interval_is_on_the_wire_in_steps_of_the_tariff(market: Market) -> None:
    await KINDS["tariff"].publish(market, {"duration": "1h"})
    (interval,) = await market.seen(KINDS["tariff"])
    link = interval.ConsumptionTariffIntervalListLink_
    block = await market.first(link, ConsumptionTariffIntervalList)
    assert (interval.touTier, link.all) == (1, 1)
    assert (block.consumptionBlock, block.startValue, block.price) == (0, 0, 2500)


async def test_programs_of_new_kinds_are_beside_those_of_der(market: Market) -> None:
    """The device keeps its DERProgram; the programs have the primacy of that of the group."""
    await market.operate(
        controls.publish, {"DERControlBase": {"opModMaxLimW": "50 %"}, "duration": 60, "description": "der"}
    )
    await KINDS["drlc"].publish(market, {"duration": 60})
    await KINDS["message"].publish(market, {"duration": 60})
    found = await market.assignments()
    der = await market.first(found.DERProgramListLink_, DERProgramList)
    load = await market.first(found.DemandResponseProgramListLink_, DemandResponseProgramList)
    text = await market.first(found.MessagingProgramListLink_, MessagingProgramList)
    assert [one.primacy for one in (der, load, text)] == [9, 9, 9]
    assert text.locale == "en"


async def test_what_is_published_for_a_group_is_for_its_members_alone(market: Market) -> None:
    _, other = await market.bench.device("public-2")
    for kind in KINDS.values():
        told = await kind.publish(market, {"duration": 60})
        assert (await other.get(str(told["href"]))).status == 404


async def ask(market: Market, mrid: str, *, start: int = 600) -> str:
    """The device asks for 20 kWh at 11 kW in the hour that begins in `start` s; the URI of its request."""
    device = (await market.client.read("/edev", EndDeviceList)).EndDevice_[0]
    link = device.FlowReservationRequestListLink_
    assert link is not None
    wanted = FlowReservationRequest(
        mRID=mrid,
        creationTime=market.bench.clock.now(),
        energyRequested=SignedRealEnergy(multiplier=3, value=20),
        intervalRequested=DateTimeInterval(start=START + start, duration=3600),
        powerRequested=ActivePower(multiplier=3, value=11),
        RequestStatus_=RequestStatus(dateTime=START, requestStatus=0),
    )
    reply = await market.client.post(link.href, wanted)
    assert reply.status == 201
    return reply.location


async def answers(market: Market) -> list[FlowReservationResponse]:
    device = (await market.client.read("/edev", EndDeviceList)).EndDevice_[0]
    link = device.FlowReservationResponseListLink_
    assert link is not None
    page = await market.client.read(f"{link.href}?l=9", FlowReservationResponseList)
    return page.FlowReservationResponse_


async def test_a_device_gets_what_it_asks_for_as_an_event(market: Market) -> None:
    await ask(market, "F1")
    told = await market.operate(flows.answer, {"energyAvailable": "10 kWh"}, request="F1")
    (event,) = await answers(market)
    assert (event.subject, event.EventStatus_.currentStatus) == ("F1", SCHEDULED)
    assert event.energyAvailable.value * 10**event.energyAvailable.multiplier == 10_000
    assert (event.interval.start, event.interval.duration) == (START + 600, 3600)
    assert told["answers"] == [told["answer"]]
    market.bench.clock.advance(600)
    assert [one.EventStatus_.currentStatus for one in await answers(market)] == [ACTIVE]
    market.bench.clock.advance(3600)
    assert await answers(market) == []


async def test_a_request_that_the_device_took_back_is_not_answered(market: Market) -> None:

    href = await ask(market, "F1")
    request = await market.client.read(href, FlowReservationRequest)
    request.RequestStatus_.requestStatus = 1
    assert (await market.client.put(href, request)).status == 204
    with pytest.raises(Conflict):
        await market.operate(flows.answer, {}, request="F1")
    listed = await market.operate(flows.list_flows)
    assert [one["status"] for one in listed["requests"]] == ["cancelled"]  # type: ignore[index,call-overload,union-attr]


async def test_a_later_grant_that_overlaps_supersedes_the_earlier(market: Market) -> None:
    """10.2.3: both are events of one list, for all that the device takes."""
    await ask(market, "F1")
    await ask(market, "F2", start=1200)
    await market.operate(flows.answer, {}, request="F1")
    market.bench.clock.advance(1)
    await market.operate(flows.answer, {}, request="F2")
    market.bench.clock.set(START + 1200)
    found = {one.subject: one.EventStatus_.currentStatus for one in await answers(market)}
    assert found == {"F1": SUPERSEDED, "F2": ACTIVE}
