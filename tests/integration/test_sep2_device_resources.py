"""What a device keeps about itself: locales, network, configuration, log, power, what it can shed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from certs import Pki
from schemas import (
    IEEE_802_15_4,
    ActivePower,
    Configuration,
    DeviceInformation,
    DeviceStatus,
    EndDevice,
    Error,
    IPAddr,
    IPAddrList,
    IPInterface,
    IPInterfaceList,
    LLInterface,
    LLInterfaceList,
    LoadShedAvailability,
    LoadShedAvailabilityList,
    LogEvent,
    LogEventList,
    Neighbor,
    NeighborList,
    PEVInfo,
    PowerConfiguration,
    PowerStatus,
    PriceResponseCfg,
    PriceResponseCfgList,
    RateComponentLink,
    RealEnergy,
    RPLInstance,
    RPLInstanceList,
    RPLSourceRoutes,
    RPLSourceRoutesList,
    SelfDevice,
    SupportedLocale,
    SupportedLocaleList,
    Temperature,
    TimeConfiguration,
    TimeLink,
)
from sep2_server.operator import resources
from sep2_server.rows import Row
from tests.integration.lived_in_house import operate
from tests.integration.sep2_harness import START, Bench, Client, running


def device_information(lfdi: str) -> DeviceInformation:
    return DeviceInformation(
        lFDI=lfdi,
        mfDate=0,
        mfHwVer="1",
        mfID=1,
        mfModel="m",
        mfSerNum="s",
        primaryPower=1,
        secondaryPower=0,
        swActTime=0,
        swVer="1",
    )


def log_event(number: int, created: int = START) -> LogEvent:
    return LogEvent(
        createdDateTime=created,
        functionSet=0,
        logEventCode=1,
        logEventID=number,
        logEventPEN=40732,
        profileID=2,
    )


@pytest.fixture
async def bench(tmp_path: Path, sep2_pki: Pki) -> AsyncIterator[Bench]:
    """A server that offers every function set."""
    async with running(tmp_path, sep2_pki, function_sets="all") as bench:
        yield bench


@pytest.fixture
async def device(bench: Bench) -> tuple[Row, Client]:
    return await bench.device("self-1")


async def located(client: Client, path: str, value: object) -> str:
    reply = await client.post(path, value)
    assert reply.status == 201
    return reply.location


async def test_an_end_device_links_to_all_that_a_device_keeps(device: tuple[Row, Client]) -> None:
    row, client = device
    shown = await client.read(row.href, EndDevice)
    links = {
        "cfg": shown.ConfigurationLink_,
        "di": shown.DeviceInformationLink_,
        "dstat": shown.DeviceStatusLink_,
        "fs": shown.FileStatusLink_,
        "ns": shown.IPInterfaceListLink_,
        "lsl": shown.LoadShedAvailabilityListLink_,
        "lel": shown.LogEventListLink_,
        "ps": shown.PowerStatusLink_,
    }
    assert {end: link.href for end, link in links.items() if link} == {
        end: f"{row.href}/{end}" for end in links
    }


async def test_device_information_links_to_the_locales_and_their_number(
    bench: Bench, device: tuple[Row, Client]
) -> None:
    row, client = device
    assert (await client.post(f"{row.href}/di/loc", SupportedLocale(locale="en"))).status == 404
    await client.put(f"{row.href}/di", device_information(bench.credentials("self-1").lfdi))
    link = (await client.read(f"{row.href}/di", DeviceInformation)).SupportedLocaleListLink_
    assert link is not None
    assert (link.href, link.all) == (f"{row.href}/di/loc", 0)
    await located(client, link.href, SupportedLocale(locale="en-US"))
    link = (await client.read(f"{row.href}/di", DeviceInformation)).SupportedLocaleListLink_
    assert link is not None
    assert link.all == 1


async def test_a_locale_is_kept_once(bench: Bench, device: tuple[Row, Client]) -> None:
    row, client = device
    await client.put(f"{row.href}/di", device_information(bench.credentials("self-1").lfdi))
    first = await located(client, f"{row.href}/di/loc", SupportedLocale(locale="en-US"))
    again = await client.post(f"{row.href}/di/loc", SupportedLocale(locale="en-US"))
    assert (again.status, again.location) == (204, first)
    other = await located(client, f"{row.href}/di/loc", SupportedLocale(locale="fr-FR"))
    reply = await client.put(other, SupportedLocale(locale="en-US"))
    assert (reply.status, reply.decoded(Error).reasonCode) == (400, 1)
    assert (await client.put(other, SupportedLocale(locale="fr-FR"))).status == 204
    assert (await client.read(f"{row.href}/di/loc", SupportedLocaleList)).all == 2


async def test_changed_time_moves_with_what_a_status_says(bench: Bench, device: tuple[Row, Client]) -> None:
    row, client = device
    path = f"{row.href}/dstat"
    status = DeviceStatus(
        changedTime=START,
        opState=1,
        Temperature_=[
            Temperature(multiplier=-1, subject=0, value=-45),
            Temperature(multiplier=0, subject=1, value=60),
        ],
        TimeLink_=TimeLink(href="/tm"),
    )
    await client.put(path, status)
    bench.clock.set(START + 60)
    await client.put(path, status)
    stored = await client.read(path, DeviceStatus)
    assert (stored.changedTime, [one.value for one in stored.Temperature_]) == (START, [-45, 60])
    assert stored.TimeLink_ is not None
    status.opState, status.href = 2, None
    await client.put(path, status)
    assert (await client.read(path, DeviceStatus)).changedTime == START + 60
    status.opState, status.changedTime = 3, START + 50_000
    await client.put(path, status)
    assert (await client.read(path, DeviceStatus)).changedTime == START + 50_000


async def test_power_status_tells_of_a_vehicle(device: tuple[Row, Client]) -> None:
    row, client = device
    vehicle = PEVInfo(
        chargingPowerNow=ActivePower(multiplier=1, value=720),
        energyRequestNow=RealEnergy(multiplier=3, value=31),
        maxForwardPower=ActivePower(multiplier=1, value=1100),
        minimumChargingDuration=11_000,
        targetStateOfCharge=8000,
        timeChargeIsNeeded=START + 40_000,
        timeChargingStatusPEV=START,
    )
    status = PowerStatus(batteryStatus=1, changedTime=START, currentPowerSource=1, PEVInfo_=vehicle)
    assert (await client.put(f"{row.href}/ps", status)).status == 204
    assert (await client.read(f"{row.href}/ps", PowerStatus)).PEVInfo_ == vehicle
    assert (await client.send("DELETE", f"{row.href}/ps")).status == 405


def interface(index: int) -> IPInterface:
    return IPInterface(ifIndex=index, ifName=f"eth{index}")


def radio(eui64: str) -> LLInterface:
    chip = IEEE_802_15_4(capabilityInfo="00", shortAddress=7)
    return LLInterface(CRCerrors=0, EUI64=eui64, IEEE_802_15_4_=chip, linkLayerType=2)


def instance(dodag: int, number: int) -> RPLInstance:
    return RPLInstance(
        DODAGid=dodag,
        DODAGroot=False,
        flags=0,
        groundedFlag=True,
        MOP=1,
        PRF=0,
        rank=256,
        RPLInstanceID=number,
        versionNumber=1,
    )


async def test_a_device_keeps_its_network_as_a_tree_with_links_and_orders(device: tuple[Row, Client]) -> None:
    row, client = device
    ns = f"{row.href}/ns"
    second, first = [await located(client, ns, interface(index)) for index in (2, 1)]
    page = await client.read(f"{ns}?l=9", IPInterfaceList)
    assert [one.href for one in page.IPInterface_] == [first, second]
    for address in ("FE80" + "0" * 27 + "2", "FE80" + "0" * 27 + "1"):
        await located(client, f"{first}/addr", IPAddr(address=address))
    addresses = await client.read(f"{first}/addr?l=9", IPAddrList)
    assert [one.address[-1] for one in addresses.IPAddr_] == ["1", "2"]
    for eui64 in ("00000000000000B0", "00000000000000A0"):
        await located(client, f"{first}/ll", radio(eui64))
    radios = await client.read(f"{first}/ll?l=9", LLInterfaceList)
    assert [one.EUI64[-2:] for one in radios.LLInterface_] == ["A0", "B0"]
    chip = radios.LLInterface_[0].IEEE_802_15_4_
    assert chip is not None
    assert chip.NeighborListLink_ is not None
    for short in (9, 3):
        await located(
            client, chip.NeighborListLink_.href, Neighbor(isChild=False, linkQuality=200, shortAddress=short)
        )
    neighbors = await client.read(f"{chip.NeighborListLink_.href}?l=9", NeighborList)
    assert [one.shortAddress for one in neighbors.Neighbor_] == [3, 9]
    rpl = f"{addresses.IPAddr_[0].href}/rpl"
    for dodag, number in ((2, 1), (1, 2), (1, 1)):
        await located(client, rpl, instance(dodag, number))
    instances = (await client.read(f"{rpl}?l=9", RPLInstanceList)).RPLInstance_
    assert [(one.DODAGid, one.RPLInstanceID) for one in instances] == [(1, 1), (1, 2), (2, 1)]
    routes = instances[0].RPLSourceRoutesListLink_
    assert routes is not None
    for way, end in (("02", "01"), ("01", "02"), ("01", "01")):
        await located(client, routes.href, RPLSourceRoutes(DestAddress=end, SourceRoute=way))
    listed = await client.read(f"{routes.href}?l=9", RPLSourceRoutesList)
    assert [(one.SourceRoute, one.DestAddress) for one in listed.RPLSourceRoutes_] == [
        ("01", "01"),
        ("01", "02"),
        ("02", "01"),
    ]
    shown = await client.read(first, IPInterface)
    assert shown.IPAddrListLink_ is not None
    assert shown.LLInterfaceListLink_ is not None
    assert (shown.IPAddrListLink_.all, shown.LLInterfaceListLink_.all) == (2, 2)


async def test_a_deleted_interface_takes_all_below_it(bench: Bench, device: tuple[Row, Client]) -> None:
    row, client = device
    href = await located(client, f"{row.href}/ns", interface(1))
    address = await located(client, f"{href}/addr", IPAddr(address="0A"))
    rpl = await located(client, f"{address}/rpl", instance(1, 1))
    await located(client, f"{rpl}/srt", RPLSourceRoutes(DestAddress="01", SourceRoute="02"))
    radio_href = await located(client, f"{href}/ll", radio("AA"))
    await located(client, f"{radio_href}/nbh", Neighbor(isChild=True, linkQuality=1, shortAddress=1))
    assert (await client.send("DELETE", href)).status == 204
    for path in (href, f"{href}/addr", address, f"{address}/rpl", rpl, f"{rpl}/srt", radio_href):
        assert (await client.get(path)).status == 404
    left = [one.kind for one in bench.store.reader.of_owner(row.id) if one.href.startswith(f"{row.href}/ns/")]
    assert left == []
    assert (await client.read(f"{row.href}/ns", IPInterfaceList)).all == 0


async def test_a_put_interface_keeps_what_is_below_it(device: tuple[Row, Client]) -> None:
    row, client = device
    href = await located(client, f"{row.href}/ns", interface(1))
    await located(client, f"{href}/addr", IPAddr(address="0A"))
    changed = interface(1)
    changed.ifOperStatus = 1
    assert (await client.put(href, changed)).status == 204
    again = await client.post(f"{row.href}/ns", interface(1))
    assert (again.status, again.location) == (204, href)
    shown = await client.read(href, IPInterface)
    assert (shown.ifOperStatus, shown.IPAddrListLink_ and shown.IPAddrListLink_.all) == (None, 1)


async def test_log_events_come_newest_first_and_by_their_number(
    bench: Bench, device: tuple[Row, Client]
) -> None:
    row, client = device
    path = f"{row.href}/lel"
    for number, created in ((1, START), (3, START), (2, START), (7, START - 5)):
        await located(client, path, log_event(number, created))
    page = await client.read(f"{path}?l=9", LogEventList)
    assert [one.logEventID for one in page.LogEvent_] == [3, 2, 1, 7]
    later = await client.read(f"{path}?l=9&a={START - 1}", LogEventList)
    assert [one.logEventID for one in later.LogEvent_] == [3, 2, 1]
    href = page.LogEvent_[0].href
    assert (await client.put(str(href), log_event(3))).status == 405
    assert (await client.send("DELETE", str(href))).status == 204
    assert (await client.read(f"{path}?l=9", LogEventList)).all == 3


def configuration(name: str = "north") -> Configuration:
    return Configuration(
        currentLocale="en-US",
        PowerConfiguration_=PowerConfiguration(lowChargeThreshold=600),
        TimeConfiguration_=TimeConfiguration(
            dstEndRule="B2A9C000", dstOffset=3600, dstStartRule="A2A9C000", tzOffset=-28_800
        ),
        userDeviceName=name,
    )


async def test_a_device_keeps_its_configuration(device: tuple[Row, Client]) -> None:
    row, client = device
    path = f"{row.href}/cfg"
    assert (await client.get(path)).status == 404
    assert (await client.put(path, configuration())).status == 204
    stored = await client.read(path, Configuration)
    assert stored.PriceResponseCfgListLink_ is not None
    assert stored.PriceResponseCfgListLink_.href == f"{path}/prcfg"
    assert (stored.TimeConfiguration_, stored.PowerConfiguration_) == (
        configuration().TimeConfiguration_,
        configuration().PowerConfiguration_,
    )
    assert (await client.send("DELETE", path)).status == 405


async def test_price_responses_are_about_rate_components_that_the_device_knows(
    device: tuple[Row, Client],
) -> None:
    row, client = device
    await client.put(f"{row.href}/cfg", configuration())
    path = f"{row.href}/cfg/prcfg"
    foreign = PriceResponseCfg(
        consumeThreshold=-5, maxReductionThreshold=90, RateComponentLink_=RateComponentLink(href="/tp/1/rc/1")
    )
    assert (await client.post(path, foreign)).status == 400
    elsewhere = RateComponentLink(href="https://tariffs.example/tp/1/rc/1")
    known = PriceResponseCfg(consumeThreshold=-5, maxReductionThreshold=90, RateComponentLink_=elsewhere)
    href = await located(client, path, known)
    known.consumeThreshold, known.href = -9, None
    again = await client.post(path, known)
    assert (again.status, again.location) == (204, href)
    page = await client.read(f"{path}?l=9", PriceResponseCfgList)
    assert [one.consumeThreshold for one in page.PriceResponseCfg_] == [-9]
    assert page.PriceResponseCfg_[0].RateComponentLink_.href == elsewhere.href
    assert (await client.send("DELETE", href)).status == 204


@pytest.mark.parametrize(("member", "status"), [("self-1", 201), ("self-2", 400)])
async def test_a_rate_component_of_others_is_none_of_the_device(
    bench: Bench, device: tuple[Row, Client], member: str, status: int
) -> None:
    row, client = device
    await bench.enrol("self-2")
    group, _ = await bench.group("rates", member)
    part = {"roleFlags": "00", "ReadingType": {"uom": 72}}
    tariff = {"primacy": 1, "serviceCategoryKind": 0, "RateComponent": [part]}
    await operate(bench, resources.add, tariff, href=f"/fsa/{group.id}/tp")
    [component] = bench.store.reader.of_kind("RateComponent")
    await client.put(f"{row.href}/cfg", configuration())
    wanted = PriceResponseCfg(
        consumeThreshold=1, maxReductionThreshold=9, RateComponentLink_=RateComponentLink(href=component.href)
    )
    assert (await client.post(f"{row.href}/cfg/prcfg", wanted)).status == status


async def test_a_device_says_nothing_of_another(bench: Bench, device: tuple[Row, Client]) -> None:
    row, client = device
    await bench.enrol("self-2")
    told = [device_information(bench.credentials(name).lfdi) for name in ("self-2", "self-1")]
    assert [(await client.put(f"{row.href}/di", one)).status for one in told] == [403, 204]
    lower = device_information(bench.credentials("self-1").lfdi.lower())
    assert (await client.put(f"{row.href}/di", lower)).status == 204


async def test_what_a_device_can_shed_is_one_entry_for_each_program(device: tuple[Row, Client]) -> None:
    row, client = device
    path = f"{row.href}/lsl"
    first = await located(client, path, LoadShedAvailability(sheddablePercent=1000))
    again = await client.post(path, LoadShedAvailability(sheddablePercent=2000, availabilityDuration=3600))
    assert (again.status, again.location) == (204, first)
    page = await client.read(f"{path}?l=9", LoadShedAvailabilityList)
    assert [one.sheddablePercent for one in page.LoadShedAvailability_] == [2000]
    assert (await client.put(first, LoadShedAvailability(sheddablePercent=1))).status == 204
    assert (await client.send("DELETE", first)).status == 204
    assert (await client.read(path, LoadShedAvailabilityList)).all == 0


async def test_the_server_shows_itself_with_what_it_serves(bench: Bench, device: tuple[Row, Client]) -> None:
    _, client = device
    shown = await client.read("/sdev", SelfDevice)
    assert shown.DeviceInformationLink_ is not None
    assert shown.DeviceStatusLink_ is not None
    information = await client.read(shown.DeviceInformationLink_.href, DeviceInformation)
    assert (information.lFDI, information.mfModel) == (bench.server.environment.lfdi, "Lineside")
    status = await client.read(shown.DeviceStatusLink_.href, DeviceStatus)
    assert (status.changedTime, status.opState) == (START, 2)
    assert status.TimeLink_ is not None
    assert (await client.send("PUT", shown.DeviceStatusLink_.href, b"<x/>")).status == 405


async def test_no_device_writes_about_another(bench: Bench, device: tuple[Row, Client]) -> None:
    row, _ = device
    _, stranger = await bench.device("self-2")
    for path, value in (("cfg", configuration()), ("ns", interface(1)), ("lel", log_event(1))):
        method = stranger.put if path == "cfg" else stranger.post
        assert (await method(f"{row.href}/{path}", value)).status == 404
