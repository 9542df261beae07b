"""Prices and flow reservations between a client with storage and a server."""

import asyncio
import time
from dataclasses import replace

from der_client import DERClient, Nameplate
from der_client.device import Telemetry
from der_client.price import PriceSettings
from der_client.reservation import ReservationSettings
from schemas import (
    ActivePower,
    ConsumptionTariffInterval,
    ConsumptionTariffIntervalList,
    ConsumptionTariffIntervalListLink,
    DateTimeInterval,
    DefaultDERControl,
    DERControlBase,
    EndDeviceList,
    EventStatus,
    FlowReservationRequest,
    FlowReservationRequestList,
    FlowReservationRequestListLink,
    FlowReservationResponse,
    FlowReservationResponseList,
    FlowReservationResponseListLink,
    FlowReservationResponseResponse,
    FunctionSetAssignmentsList,
    PriceResponse,
    RateComponent,
    RateComponentList,
    RateComponentListLink,
    ReadingType,
    ReadingTypeLink,
    Response,
    SignedRealEnergy,
    TariffProfile,
    TariffProfileList,
    TariffProfileListLink,
    TimeTariffInterval,
    TimeTariffIntervalList,
    TimeTariffIntervalListLink,
)
from tests.integration.client.harness import Inverter, Script, Site

ACTIVE = EventStatus(currentStatus=1, dateTime=0, potentiallySuperseded=False)


def battery(site: Site) -> Inverter:
    """A device that charges with up to 5 kW."""
    plate = site.inverter.plate
    assert isinstance(plate, Nameplate)
    site.inverter.plate = replace(
        plate, der_type=80, modes=frozenset({"opModFixedW", "opModMaxLimW"}), max_charge_w=5_000.0
    )
    return site.inverter


def put_tariff(script: Script, price: int) -> None:
    """A tariff with one price, cents per kWh, for the next 5 s."""
    assignments = script.resources["/a/fsas"]
    assert isinstance(assignments, FunctionSetAssignmentsList)
    assignments.FunctionSetAssignments_[0].TariffProfileListLink_ = TariffProfileListLink(href="/a/tps")
    tariff = TariffProfile(
        mRID="AA",
        pricePowerOfTenMultiplier=-2,
        primacy=3,
        RateComponentListLink_=RateComponentListLink(href="/a/rcs"),
        serviceCategoryKind=0,
    )
    component = RateComponent(
        href="/a/rc",
        mRID="AB",
        ReadingTypeLink_=ReadingTypeLink(href="/a/rt"),
        roleFlags="0000",
        TimeTariffIntervalListLink_=TimeTariffIntervalListLink(href="/a/ttis"),
    )
    interval = TimeTariffInterval(
        href="/a/tti",
        replyTo="/a/replies",
        responseRequired="03",
        mRID="AC",
        creationTime=0,
        EventStatus_=ACTIVE,
        interval=DateTimeInterval(duration=5, start=int(time.time())),
        ConsumptionTariffIntervalListLink_=ConsumptionTariffIntervalListLink(href="/a/ctis"),
        touTier=1,
    )
    block = ConsumptionTariffInterval(consumptionBlock=0, price=price, startValue=0)
    script.resources |= {
        "/a/tps": TariffProfileList(all=1, results=1, TariffProfile_=[tariff]),
        "/a/rcs": RateComponentList(all=1, results=1, RateComponent_=[component]),
        "/a/rt": ReadingType(uom=72, powerOfTenMultiplier=3, flowDirection=1),
        "/a/ttis": TimeTariffIntervalList(all=1, results=1, TimeTariffInterval_=[interval]),
        "/a/ctis": ConsumptionTariffIntervalList(all=1, results=1, ConsumptionTariffInterval_=[block]),
    }


def replies(script: Script, kind: type[Response]) -> list[int | None]:
    return [one.status for _, one in script.posted if isinstance(one, kind)]


async def test_a_cheap_price_charges_storage_and_is_answered(site: Site) -> None:
    put_tariff(site.script, 5)
    site.settings = replace(site.settings, price=PriceSettings(charge_below=0.10, charge_pct=60.0))
    inverter = battery(site)
    async with site.client():
        await site.script.until(lambda: replies(site.script, PriceResponse) == [1, 2, 3])
    targets = [setpoint.target_w for setpoint, _ in inverter.applied]

    assert -3_000.0 in targets


async def test_a_default_that_sets_a_power_goes_before_the_price(site: Site) -> None:
    put_tariff(site.script, 5)
    site.script.resources["/a/default"] = DefaultDERControl(
        mRID="DD", DERControlBase_=DERControlBase(opModFixedW=2_000)
    )
    site.settings = replace(site.settings, price=PriceSettings(charge_below=0.10))
    inverter = battery(site)
    async with site.client():
        await site.script.until(lambda: replies(site.script, PriceResponse) == [1, 2, 3])

    assert {setpoint.target_w for setpoint, _ in inverter.applied} == {2_000.0}


async def test_tariffs_are_not_read_unless_the_settings_ask_for_it(site: Site) -> None:
    put_tariff(site.script, 5)
    async with site.client():
        await site.script.until(lambda: site.inverter.holds(90.0))

    assert not any("/a/tps" in asked for asked in site.script.asked)


def offer_reservations(script: Script) -> None:
    devices = script.resources["/a/devices"]
    assert isinstance(devices, EndDeviceList)
    own = devices.EndDevice_[-1]
    own.FlowReservationRequestListLink_ = FlowReservationRequestListLink(href="/a/frq")
    own.FlowReservationResponseListLink_ = FlowReservationResponseListLink(href="/a/frp")
    script.resources |= {
        "/a/frq": FlowReservationRequestList(all=0, results=0),
        "/a/frp": FlowReservationResponseList(all=0, results=0, pollRate=0),
    }


def requests(script: Script) -> list[FlowReservationRequest]:
    return [one for _, one in script.posted if isinstance(one, FlowReservationRequest)]


async def test_a_flow_is_asked_for_once_followed_and_answered(site: Site) -> None:
    offer_reservations(site.script)
    asked = ReservationSettings(energy_wh=1_000.0, power_w=3_000.0, ahead_s=86_400)
    site.settings = replace(site.settings, reservation=asked)
    inverter = battery(site)
    async with site.client():
        await site.script.until(lambda: requests(site.script))
        grant = FlowReservationResponse(
            href="/a/frp/1",
            replyTo="/a/replies",
            responseRequired="03",
            mRID="B1",
            creationTime=0,
            EventStatus_=ACTIVE,
            interval=DateTimeInterval(duration=4, start=int(time.time())),
            energyAvailable=SignedRealEnergy(multiplier=0, value=1_000),
            powerAvailable=ActivePower(multiplier=0, value=2_500),
            subject=requests(site.script)[0].mRID,
        )
        site.script.resources["/a/frp"] = FlowReservationResponseList(
            all=1, results=1, pollRate=0, FlowReservationResponse_=[grant]
        )
        await site.script.until(lambda: replies(site.script, FlowReservationResponseResponse) == [1, 2, 3])
    async with site.client():
        await site.script.until(lambda: site.script.asked.count("PUT /a/capability") > 1)

    assert -2_500.0 in [setpoint.target_w for setpoint, _ in inverter.applied]
    assert len(requests(site.script)) == 1


async def test_a_flow_ends_when_its_energy_is_used(site: Site) -> None:
    """1 Wh at 100 W would take 36 s; at the 3.6 kW that the battery takes it is used within a few."""
    offer_reservations(site.script)
    asked = ReservationSettings(energy_wh=1_000.0, power_w=3_000.0, ahead_s=86_400)
    site.settings = replace(site.settings, reservation=asked)
    inverter = battery(site)
    assert isinstance(inverter.reading, Telemetry)
    inverter.reading = replace(inverter.reading, power_w=-3_600.0, injected_wh=None, absorbed_wh=None)
    grant = FlowReservationResponse(
        href="/a/frp/1",
        replyTo="/a/replies",
        responseRequired="03",
        mRID="B1",
        creationTime=0,
        EventStatus_=ACTIVE,
        interval=DateTimeInterval(duration=30, start=int(time.time())),
        energyAvailable=SignedRealEnergy(multiplier=0, value=1),
        powerAvailable=ActivePower(multiplier=0, value=100),
        subject="C1",
    )
    site.script.resources["/a/frp"] = FlowReservationResponseList(
        all=1, results=1, pollRate=0, FlowReservationResponse_=[grant]
    )
    began_s = time.monotonic()
    async with site.client():
        await site.script.until(lambda: -100.0 in targets(inverter))
        await site.script.until(lambda: targets(inverter)[-1] != -100.0)

    assert time.monotonic() - began_s < 25.0
    assert replies(site.script, FlowReservationResponseResponse) == [1, 2]


def targets(inverter: Inverter) -> list[float | None]:
    """The powers that a device was told, W."""
    return [setpoint.target_w for setpoint, _ in inverter.applied]


async def test_a_request_that_is_not_wanted_any_more_is_withdrawn(site: Site) -> None:
    offer_reservations(site.script)
    asked = ReservationSettings(energy_wh=1_000.0, power_w=3_000.0, ahead_s=86_400)
    wanting = DERClient(replace(site.settings, reservation=asked), [battery(site)], on_event=site.hear)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(wanting.run())
        await site.script.until(lambda: any("asked for" in event.detail for event in site.events))
        task.cancel()
    request = replace(requests(site.script)[0], href="/a/frq/1")
    site.script.resources["/a/frq"] = FlowReservationRequestList(
        all=1, results=1, FlowReservationRequest_=[request]
    )
    async with site.client():
        await site.script.until(lambda: "/a/frq/1" in site.script.put)
    withdrawn = site.script.put["/a/frq/1"]

    assert isinstance(withdrawn, FlowReservationRequest)
    assert withdrawn.RequestStatus_.requestStatus == 1
