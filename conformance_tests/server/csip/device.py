"""What a DER client finds and tells of itself: CORE-009, 014 and BASIC-001, 027, 028, 029."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from conformance_tests.server.csip import steps
from conformance_tests.server.csip.rows import OPERATOR, row
from schemas import (
    ActivePower,
    ApparentPower,
    ConnectStatusType,
    DateTimeInterval,
    DERAvailability,
    DERCapability,
    DERSettings,
    DERStatus,
    DeviceCapability,
    InverterStatusType,
    LocalControlModeStatusType,
    LogEvent,
    LogEventList,
    ManufacturerStatusType,
    MirrorMeterReading,
    MirrorReadingSet,
    MirrorUsagePoint,
    MirrorUsagePointList,
    OperationalModeStatusType,
    PowerFactor,
    ReactivePower,
    Reading,
    ReadingType,
    StateOfChargeStatusType,
    StorageModeStatusType,
    VoltageRMS,
    spec_of,
)

if TYPE_CHECKING:
    from conformance_tests.server.bench import ServerBench, Viewer
    from schemas import DER

UNITS: Final = {38: 5000, 63: 300, 33: 6000, 29: 2400}
"""What is mirrored: W, var, Hz and V by their uom, with a value each."""
MODES: Final = "0001C006"
PEN: Final = 40732
_AUSTRALIAN: Final = {"doeModesSupported": "0F", "doeModesEnabled": "0F"}

T = TypeVar("T")


def capability() -> DERCapability:
    """Nameplate of an inverter with a battery."""
    return DERCapability(
        modesSupported=MODES,
        rtgMaxChargeRateW=ActivePower(multiplier=0, value=4000),
        rtgMaxDischargeRateW=ActivePower(multiplier=0, value=5000),
        rtgMaxVA=ApparentPower(multiplier=0, value=6000),
        rtgMaxVar=ReactivePower(multiplier=0, value=2600),
        rtgMaxVarNeg=ReactivePower(multiplier=0, value=-2600),
        rtgMaxW=ActivePower(multiplier=0, value=5000),
        rtgMinPFOverExcited=PowerFactor(displacement=850, multiplier=-3),
        rtgMinPFUnderExcited=PowerFactor(displacement=850, multiplier=-3),
        rtgVNom=VoltageRMS(multiplier=-1, value=2400),
        type=80,
    )


def settings_at(now_s: int) -> DERSettings:
    """Settings that the nameplate allows."""
    return DERSettings(
        modesEnabled=MODES,
        setGradW=27,
        setMaxChargeRateW=ActivePower(multiplier=0, value=3500),
        setMaxDischargeRateW=ActivePower(multiplier=0, value=4500),
        setMaxVA=ApparentPower(multiplier=0, value=5500),
        setMaxVar=ReactivePower(multiplier=0, value=2400),
        setMaxVarNeg=ReactivePower(multiplier=0, value=-2400),
        setMaxW=ActivePower(multiplier=0, value=4800),
        setMinPFOverExcited=PowerFactor(displacement=900, multiplier=-3),
        setMinPFUnderExcited=PowerFactor(displacement=900, multiplier=-3),
        setVRef=VoltageRMS(multiplier=-1, value=2400),
        updatedTime=now_s,
    )


def status_at(now_s: int) -> DERStatus:
    """State of an inverter with a battery that runs."""
    return DERStatus(
        genConnectStatus=ConnectStatusType(dateTime=now_s, value="07"),
        inverterStatus=InverterStatusType(dateTime=now_s, value=4),
        localControlModeStatus=LocalControlModeStatusType(dateTime=now_s, value=1),
        manufacturerStatus=ManufacturerStatusType(dateTime=now_s, value="OK"),
        operationalModeStatus=OperationalModeStatusType(dateTime=now_s, value=2),
        readingTime=now_s,
        stateOfChargeStatus=StateOfChargeStatusType(dateTime=now_s, value=5500),
        storageModeStatus=StorageModeStatusType(dateTime=now_s, value=1),
        storConnectStatus=ConnectStatusType(dateTime=now_s, value="07"),
    )


def availability_at(now_s: int) -> DERAvailability:
    """What it could give for an hour."""
    return DERAvailability(
        availabilityDuration=3600,
        readingTime=now_s,
        reservePercent=5000,
        statVarAvail=ReactivePower(multiplier=0, value=2000),
        statWAvail=ActivePower(multiplier=0, value=4000),
    )


def of_profile(viewer: Viewer, resource: T) -> T:
    """A report with what the profile adds to it and demands: the modes of CSIP-AUS."""
    cls = viewer.profile.resolve(type(resource))
    names = {f.attr for f in spec_of(cls)}
    given = {f.attr: getattr(resource, f.attr) for f in spec_of(type(resource))}
    more = {name: modes for name, modes in _AUSTRALIAN.items() if name in names}
    made: T = cls(**given, **more)
    return made


async def report(bench: ServerBench, viewer: Viewer, der: DER) -> None:
    """PUT the four reports of a DER and read each back."""
    now_s = await bench.now()
    for link, resource in (
        ("DERCapabilityLink", capability()),
        ("DERSettingsLink", settings_at(now_s)),
        ("DERStatusLink", status_at(now_s)),
        ("DERAvailabilityLink", availability_at(now_s)),
    ):
        place = steps.linked(bench, der, link)
        await steps.put_and_read_back(bench, viewer, place, of_profile(viewer, resource))


async def advanced_end_device(bench: ServerBench) -> None:
    """CORE-009: Registration, and the reports of the DER."""
    device = await steps.own(bench)
    await steps.check_pin(bench, bench.device, device)
    for der in await steps.ders(bench, bench.device, device):
        await report(bench, bench.device, der)


async def der_settings(bench: ServerBench) -> None:
    """CORE-014: capability and settings are kept, also when settings change."""
    device = await steps.own(bench)
    der = (await steps.ders(bench, bench.device, device))[0]
    place = steps.linked(bench, der, "DERCapabilityLink")
    await steps.put_and_read_back(bench, bench.device, place, of_profile(bench.device, capability()))
    place = steps.linked(bench, der, "DERSettingsLink")
    first = of_profile(bench.device, settings_at(await bench.now()))
    await steps.put_and_read_back(bench, bench.device, place, first)
    changed = replace(first, setMaxW=ActivePower(multiplier=0, value=4000), setMaxVar=None)
    await steps.put_and_read_back(bench, bench.device, place, changed)


async def identification(bench: ServerBench) -> None:
    """BASIC-001: the device finds itself by LFDI and SFDI, and its PIN."""
    device = await steps.own(bench)
    what = "EndDevice.sFDI is that of the certificate"
    bench.trial.check(device.sFDI == bench.device.sfdi, what, seen=device.sFDI)
    await steps.check_pin(bench, bench.device, device)
    again = await bench.device.read(device.href or "", type(device))
    what = "the EndDevice at its own href is the one of the list"
    same = [bench.device.uri(one.href or "") for one in (again, device)]
    bench.trial.check(again.lFDI == device.lFDI and same[0] == same[1], what, seen=again.href)


def log_event(number: int, at_s: int) -> LogEvent:
    """A LogEvent of the general function set."""
    return LogEvent(
        createdDateTime=at_s,
        details=f"alarm {number}",
        functionSet=0,
        logEventCode=1,
        logEventID=number,
        logEventPEN=PEN,
        profileID=2,
    )


async def alarms(bench: ServerBench) -> None:
    """BASIC-027: five LogEvents are taken, and shown the newest first."""
    device = await steps.own(bench)
    place = steps.linked(bench, device, "LogEventListLink")
    now_s = await bench.now()
    for number in range(5):
        exchange = await bench.device.post(place, log_event(number, now_s - 10 + number))
        location = await steps.created(bench, exchange, "a LogEvent")
        held = await bench.device.read(location, LogEvent)
        what = "the LogEvent at its Location is the one that was posted"
        bench.trial.check(held.logEventID == number, what, seen=held.logEventID)
    shown = await bench.device.items(place, LogEventList, LogEvent)
    times = [one.createdDateTime for one in shown]
    bench.trial.check(times == sorted(times, reverse=True), "LogEvents are the newest first", seen=times)
    mine = {now_s - 10 + number for number in range(5)}
    what = "the list has all five LogEvents"
    bench.trial.check(mine <= set(times), what, seen=times)


async def status(bench: ServerBench) -> None:
    """BASIC-028: DERStatus of a generator and of a storage is kept."""
    device = await steps.own(bench)
    der = (await steps.ders(bench, bench.device, device))[0]
    place = steps.linked(bench, der, "DERStatusLink")
    full = status_at(await bench.now())
    generator = replace(full, stateOfChargeStatus=None, storageModeStatus=None, storConnectStatus=None)
    await steps.put_and_read_back(bench, bench.device, place, generator)
    await steps.put_and_read_back(bench, bench.device, place, full)


def mirror(lfdi: str) -> MirrorUsagePoint:
    """The MirrorUsagePoint of a device with the readings of CSIP; its mRIDs are the same each time."""
    return MirrorUsagePoint(
        mRID=_mrid(lfdi, "point"),
        description="conformance",
        roleFlags="49",
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=lfdi,
        MirrorMeterReading_=[
            MirrorMeterReading(
                mRID=_mrid(lfdi, f"uom {uom}"),
                description=f"uom {uom}",
                ReadingType_=ReadingType(
                    accumulationBehaviour=12,
                    commodity=1,
                    dataQualifier=2,
                    flowDirection=1,
                    intervalLength=300,
                    kind=37,
                    powerOfTenMultiplier=0 if uom in {38, 63} else -2 if uom == 33 else -1,
                    uom=uom,
                ),
            )
            for uom in UNITS
        ],
    )


def _mrid(lfdi: str, name: str) -> str:
    return hashlib.sha256(f"{lfdi} {name}".encode()).hexdigest()[:24].upper() + f"{PEN:08X}"


async def monitoring(bench: ServerBench) -> None:
    """BASIC-029: a MirrorUsagePoint with its readings is taken; the same mRID again makes no second one."""
    await steps.own(bench)
    viewer, check = bench.device, bench.trial.check
    dcap = await viewer.read(bench.dcap, DeviceCapability)
    place = steps.linked(bench, dcap, "MirrorUsagePointListLink")
    point = mirror(viewer.lfdi)
    exchange = await viewer.post(place, point)
    what = "POST of a MirrorUsagePoint answers 201 (200 or 204 where it is known)"
    bench.trial.require(exchange.status in {200, 201, 204}, what, seen=exchange.status)
    location = exchange.header("Location") or ""
    bench.trial.require(location, "the answer to a MirrorUsagePoint has a Location", seen="none")
    now_s = await bench.now()
    for uom, value in UNITS.items():
        exchange = await viewer.post(location, _readings(viewer.lfdi, uom, value, now_s))
        what = f"POST of readings of uom {uom} answers 204 (201 is accepted)"
        check(exchange.status in {201, 204}, what, seen=exchange.status)
    await viewer.post(place, point)
    held = await viewer.items(place, MirrorUsagePointList, MirrorUsagePoint)
    same = [one for one in held if one.mRID.upper() == point.mRID]
    check(len(same) == 1, "the list has the MirrorUsagePoint once", seen=len(same))
    rate = same[0].postRate if same else None
    check(rate is None or rate > 0, "postRate, where it is told, is a time", seen=rate)


def _readings(lfdi: str, uom: int, value: int, now_s: int) -> MirrorMeterReading:
    period = DateTimeInterval(start=now_s - 300, duration=300)
    values = MirrorReadingSet(
        mRID=_mrid(lfdi, f"set {uom} {now_s}"),
        timePeriod=period,
        Reading_=[Reading(timePeriod=period, value=value)],
    )
    return MirrorMeterReading(mRID=_mrid(lfdi, f"uom {uom}"), MirrorReadingSet_=[values])


_REGISTERED: Final = ("the device is registered, with PIN 111115, where no operator is at hand",)
CASES: Final = (
    row(
        "CORE-009",
        "Advanced end device",
        "Registration tells the PIN; what is put of a DER is taken with 204 and read back identical.",
    ).case(advanced_end_device, needs=OPERATOR),
    row(
        "CORE-014", "Basic DER settings", "DERCapability and DERSettings are taken and read back identical."
    ).case(der_settings, needs=OPERATOR),
    row(
        "BASIC-001",
        "DER identification",
        "A device finds exactly one EndDevice with its LFDI and SFDI, and the PIN of its registration.",
    ).case(identification, needs=OPERATOR, preconditions=_REGISTERED),
    row(
        "BASIC-027",
        "Alarms (LogEvent)",
        "Each LogEvent is answered with 201 and Location; the list shows the newest first.",
    ).case(alarms, preconditions=_REGISTERED),
    row("BASIC-028", "DER status", "DERStatus is taken with 204 and read back identical.").case(
        status, preconditions=_REGISTERED
    ),
    row(
        "BASIC-029",
        "Monitor data (mirror usage point)",
        "A MirrorUsagePoint is answered with 201 and Location, its readings with 204 (or 201).",
    ).case(monitoring, preconditions=_REGISTERED),
)
