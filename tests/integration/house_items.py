"""Valid items that a client posts, by the list that they are for: each number gives another one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from certs import parse_lfdi, sfdi_of
from schemas import (
    IEEE_802_15_4,
    ActivePower,
    Configuration,
    DateTimeInterval,
    DemandResponseProgramLink,
    DERAvailability,
    DERCapability,
    DERControlResponse,
    DERSettings,
    DERStatus,
    DeviceInformation,
    DeviceStatus,
    DrResponse,
    EndDevice,
    FileLink,
    FileStatus,
    FlowReservationRequest,
    FlowReservationResponseResponse,
    IPAddr,
    IPInterface,
    LLInterface,
    LoadShedAvailability,
    LogEvent,
    MirrorMeterReading,
    MirrorReadingSet,
    MirrorUsagePoint,
    Neighbor,
    PowerConfiguration,
    PowerStatus,
    PriceResponse,
    PriceResponseCfg,
    Profile,
    RateComponentLink,
    Reading,
    ReadingType,
    RequestStatus,
    Resource,
    Response,
    RPLInstance,
    RPLSourceRoutes,
    SignedRealEnergy,
    Subscription,
    SupportedLocale,
    TextResponse,
    TimeConfiguration,
    csip_aus,
)
from sep2_server.extra_routes import CONNECTION_POINT

LOCALES: Final = ("en-US", "de-DE", "fr-FR", "nl-NL", "it-IT", "es-ES", "pt-PT", "sv-SE")
WATT: Final = ReadingType(commodity=1, kind=37, uom=38, powerOfTenMultiplier=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What items refer to: the device's LFDI, an event that it knows, what it may link to, the time in s."""

    lfdi: str
    event: str
    subscribable: str
    rate_component: str
    load_program: str
    file: str
    now: int
    profile: Profile


def subscription(known: Known, number: int) -> Subscription:
    return Subscription(
        subscribedResource=known.subscribable,
        encoding=0,
        level="+S1",
        limit=1,
        notificationURI=f"https://127.0.0.1:9/ntfy/{number}",
    )


def log_event(known: Known, number: int) -> LogEvent:
    return LogEvent(
        createdDateTime=known.now + number,
        functionSet=11,
        logEventCode=0,
        logEventID=number,
        logEventPEN=40732,
        profileID=2,
    )


def link_layer(_: Known, number: int) -> LLInterface:
    radio = IEEE_802_15_4(capabilityInfo="00", shortAddress=number)
    return LLInterface(CRCerrors=0, EUI64=f"{number:016X}", IEEE_802_15_4_=radio, linkLayerType=2)


def rpl_instance(_: Known, number: int) -> RPLInstance:
    return RPLInstance(
        DODAGid=number // 2,
        DODAGroot=False,
        flags=0,
        groundedFlag=True,
        MOP=1,
        PRF=0,
        rank=256,
        RPLInstanceID=number,
        versionNumber=1,
    )


def source_route(_: Known, number: int) -> RPLSourceRoutes:
    return RPLSourceRoutes(DestAddress=f"{number:032X}", SourceRoute=f"{number // 2:032X}")


def price_answer(known: Known, number: int) -> PriceResponseCfg:
    """How the device answers a price: here, and as further ones, those of other servers."""
    href = known.rate_component if number == 0 else f"https://tariffs.example/tp/1/rc/{number}"
    return PriceResponseCfg(
        consumeThreshold=-number, maxReductionThreshold=90, RateComponentLink_=RateComponentLink(href=href)
    )


def load_shed(known: Known, number: int) -> LoadShedAvailability:
    href = known.load_program if number == 0 else f"https://loads.example/dr/{number}"
    link = DemandResponseProgramLink(href=href)
    return LoadShedAvailability(DemandResponseProgramLink_=link, sheddablePercent=100 * number)


def meter_reading(known: Known, number: int) -> MirrorMeterReading:
    """Two sets of readings; the number is their meter's."""
    sets = [reading_set(known, 16 * number + n, n) for n in range(2)]
    return MirrorMeterReading(
        mRID=f"C{number:03X}", MirrorReadingSet_=sets, Reading_=Reading(value=number), ReadingType_=WATT
    )


def reading_set(known: Known, number: int, later: int) -> MirrorReadingSet:
    """Three readings of a minute each, `later` times three minutes after now."""
    start = known.now + 180 * later
    periods = [DateTimeInterval(start=start + 60 * n, duration=60) for n in range(3)]
    readings = [Reading(localID=f"{n:02X}", timePeriod=period, value=n) for n, period in enumerate(periods)]
    whole = DateTimeInterval(start=start, duration=180)
    return MirrorReadingSet(mRID=f"D{number:03X}", timePeriod=whole, Reading_=readings)


def mirror(known: Known, number: int) -> MirrorUsagePoint:
    return MirrorUsagePoint(
        mRID=f"B{number:03X}",
        roleFlags="49",
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=known.lfdi,
        MirrorMeterReading_=[meter_reading(known, number)],
    )


def flow_request(known: Known, number: int) -> FlowReservationRequest:
    return FlowReservationRequest(
        mRID=f"F{number:03X}",
        creationTime=known.now,
        durationRequested=600,
        energyRequested=SignedRealEnergy(multiplier=3, value=20),
        intervalRequested=DateTimeInterval(start=known.now + 60 * number, duration=3600),
        powerRequested=ActivePower(multiplier=3, value=11),
        RequestStatus_=RequestStatus(dateTime=known.now, requestStatus=0),
    )


def end_device(known: Known, number: int) -> EndDevice:
    """A device that the aggregator registers: its LFDI is made of the number."""
    lfdi = parse_lfdi(f"{number + 1:040X}")
    return EndDevice(lFDI=lfdi, sFDI=sfdi_of(lfdi), changedTime=known.now)


ITEMS: Final[Mapping[str, Callable[[Known, int], Resource]]] = {
    "EndDeviceList": end_device,
    "SubscriptionList": subscription,
    "ResponseList": lambda known, number: Response(
        createdDateTime=known.now + number, endDeviceLFDI=known.lfdi, status=1, subject=known.event
    ),
    "SupportedLocaleList": lambda _, number: SupportedLocale(locale=LOCALES[number]),
    "IPInterfaceList": lambda _, number: IPInterface(ifIndex=number, ifName=f"eth{number}"),
    "IPAddrList": lambda _, number: IPAddr(address=f"FE80{number:028X}"),
    "RPLInstanceList": rpl_instance,
    "RPLSourceRoutesList": source_route,
    "LLInterfaceList": link_layer,
    "NeighborList": lambda _, number: Neighbor(isChild=False, linkQuality=200, shortAddress=number),
    "LogEventList": log_event,
    "PriceResponseCfgList": price_answer,
    "LoadShedAvailabilityList": load_shed,
    "MirrorUsagePointList": mirror,
    "MirrorUsagePoint": meter_reading,
    "FlowReservationRequestList": flow_request,
}
"""By the id of what is posted to."""


def file_status(known: Known) -> FileStatus:
    return FileStatus(
        FileLink_=FileLink(href=known.file),
        loadPercent=0,
        nextRequestAttempt=known.now,
        request503Count=0,
        requestFailCount=0,
        status=0,
        statusTime=known.now,
    )


def device_information(known: Known) -> DeviceInformation:
    return DeviceInformation(
        lFDI=known.lfdi,
        mfDate=0,
        mfHwVer="1",
        mfID=40732,
        mfModel="m",
        mfSerNum="s",
        primaryPower=1,
        secondaryPower=0,
        swActTime=0,
        swVer="1",
    )


def configuration(_: Known) -> Configuration:
    return Configuration(
        currentLocale="en-US",
        PowerConfiguration_=PowerConfiguration(lowChargeThreshold=600),
        TimeConfiguration_=TimeConfiguration(
            dstEndRule="B2A9C000", dstOffset=3600, dstStartRule="A2A9C000", tzOffset=-28_800
        ),
        userDeviceName="north",
    )


def capability(known: Known) -> DERCapability:
    """The nameplate; CSIP-AUS asks for the modes of operating envelopes in it."""
    cls: type[DERCapability] = known.profile.resolve(DERCapability)
    aus: dict[str, Any] = {} if cls is DERCapability else {"doeModesSupported": "0F"}
    return cls(modesSupported="00000000", rtgMaxW=ActivePower(multiplier=3, value=5), type=83, **aus)


SINGLES: Final[Mapping[str, Callable[[Known], Resource]]] = {
    "DeviceInformation": device_information,
    "DeviceStatus": lambda known: DeviceStatus(changedTime=known.now, opState=1),
    "PowerStatus": lambda known: PowerStatus(batteryStatus=1, changedTime=known.now, currentPowerSource=1),
    "Configuration": configuration,
    "FileStatus": file_status,
    "DERCapability": capability,
    "DERSettings": lambda known: DERSettings(
        setGradW=100, setMaxW=ActivePower(multiplier=3, value=5), updatedTime=known.now
    ),
    "DERStatus": lambda known: DERStatus(readingTime=known.now),
    "DERAvailability": lambda known: DERAvailability(readingTime=known.now),
    CONNECTION_POINT: lambda _: csip_aus.ConnectionPoint(connectionPointId="NMI"),
}
"""Resources that a device puts, by their id."""
RESPONSES: Final = {
    "Response": (Response, "DERControl"),
    "DERControlResponse": (DERControlResponse, "DERControl"),
    "DrResponse": (DrResponse, "EndDeviceControl"),
    "PriceResponse": (PriceResponse, "TimeTariffInterval"),
    "TextResponse": (TextResponse, "TextMessage"),
    "FlowReservationResponseResponse": (FlowReservationResponseResponse, "FlowReservationResponse"),
}
"""Each kind of Response with the kind of event that it answers."""
