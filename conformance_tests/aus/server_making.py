"""The resources that a client of a procedure sends: EndDevice, DER reports, mirrors, readings, Responses."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from conformance_tests.aus.server_deeds import Location, Reading
from conformance_tests.aus.server_resolve import power
from schemas import (
    ConnectStatusType,
    DateTimeInterval,
    DERCapability,
    DERControlResponse,
    DERSettings,
    DERStatus,
    EndDevice,
    MirrorMeterReading,
    MirrorMeterReadingList,
    MirrorReadingSet,
    MirrorUsagePoint,
    OperationalModeStatusType,
    ReadingType,
    Subscription,
)
from schemas import Reading as OneReading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance_tests.aus.server_client import Client
    from conformance_tests.aus.server_deeds import Mirror, PutCapability, PutSettings, PutStatus

ROLE: Final = {Location.SITE: "0003", Location.DEVICE: "0049"}
"""roleFlags: mirror and premises aggregation; mirror, DER and submeter. IEEE 2030.5-2018, B.2.3.4."""

UNIT: Final = {Reading.ACTIVE: 38, Reading.REACTIVE: 63, Reading.FREQUENCY: 33, Reading.VOLTAGE: 29}
"""UomType: W, var, Hz, V. IEEE 2030.5-2018, B.2.3.4."""
KIND: Final = {Reading.ACTIVE: 37, Reading.REACTIVE: 37}
"""KindType: power where it is one."""
TENTHS: Final = frozenset({Reading.FREQUENCY, Reading.VOLTAGE})
"""What has one digit after the point."""
AVERAGE: Final = 2
"""DataQualifierType."""
INTERVAL_S: Final = 300
ENERGY: Final = 1
"""ServiceKind: electricity is 0; commodity 1 is electricity metered at the secondary side."""


def new_mrid(client: Client) -> str:
    """A new mRID that ends with the enterprise number of the client. IEEE 2030.5-2018, 7."""
    return secrets.token_hex(12).upper() + client.lfdi[-8:]


def end_device(client: Client, lfdi: str, sfdi: int, now_s: int) -> EndDevice:
    """An EndDevice to register."""
    made: EndDevice = client.viewer.profile.resolve(EndDevice)(
        lFDI=lfdi, sFDI=sfdi, changedTime=now_s, enabled=True
    )
    return made


def der_status(deed: PutStatus, now_s: int) -> DERStatus:
    """DERStatus as a deed wants it."""
    connected = None
    if deed.connected is not None:
        connected = ConnectStatusType(dateTime=now_s, value=f"{deed.connected:02X}")
    mode = None
    if deed.operational is not None:
        mode = OperationalModeStatusType(dateTime=now_s, value=deed.operational)
    return DERStatus(genConnectStatus=connected, operationalModeStatus=mode, readingTime=now_s)


def der_capability(client: Client, deed: PutCapability) -> DERCapability:
    """DERCapability as a deed wants it."""
    made: DERCapability = client.viewer.profile.resolve(DERCapability)(
        modesSupported=f"{deed.modes:08X}",
        rtgMaxW=power(deed.max_w),
        type=deed.kind,
        doeModesSupported=f"{deed.doe_modes:02X}",
    )
    return made


def der_settings(client: Client, deed: PutSettings, now_s: int) -> DERSettings:
    """DERSettings as a deed wants them."""
    made: DERSettings = client.viewer.profile.resolve(DERSettings)(
        modesEnabled=f"{deed.modes:08X}",
        setGradW=deed.ramp,
        setMaxW=power(deed.max_w),
        updatedTime=now_s,
        doeModesEnabled=f"{deed.doe_modes:02X}",
    )
    return made


def reading_type(what: Reading, multiplier: int | None) -> ReadingType:
    """The ReadingType of an average; without a power of ten its own, one digit for volts and hertz."""
    return ReadingType(
        commodity=ENERGY,
        dataQualifier=AVERAGE,
        intervalLength=INTERVAL_S,
        kind=KIND.get(what),
        powerOfTenMultiplier=multiplier_of(what, multiplier),
        uom=UNIT[what],
    )


def multiplier_of(what: Reading, multiplier: int | None) -> int:
    """The power of ten of readings."""
    if multiplier is not None:
        return multiplier
    return -1 if what in TENTHS else 0


def usage_point(client: Client, deed: Mirror) -> MirrorUsagePoint:
    """A MirrorUsagePoint as a deed wants it; mRIDs are new where it has none."""
    mrids = deed.reading_mrids or tuple(new_mrid(client) for _ in deed.types)
    return MirrorUsagePoint(
        mRID=deed.mrid or new_mrid(client),
        description=str(deed.location),
        roleFlags=ROLE[deed.location],
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=client.lfdi,
        MirrorMeterReading_=[
            MirrorMeterReading(
                mRID=mrid, description=str(what), ReadingType_=reading_type(what, deed.multiplier)
            )
            for what, mrid in zip(deed.types, mrids, strict=True)
        ],
    )


def readings(
    client: Client,
    values: Mapping[Reading, Sequence[int]],
    mrids: Mapping[Reading, str],
    now_s: int,
) -> MirrorMeterReadingList:
    """Sets of readings that end now, each value of INTERVAL_S."""
    sets = [
        MirrorMeterReading(mRID=mrids[what], MirrorReadingSet_=[_set(client, row, now_s)])
        for what, row in values.items()
    ]
    return MirrorMeterReadingList(all=len(sets), results=len(sets), MirrorMeterReading_=sets)


def _set(client: Client, row: Sequence[int], now_s: int) -> MirrorReadingSet:
    begun_s = now_s - INTERVAL_S * len(row)
    return MirrorReadingSet(
        mRID=new_mrid(client),
        timePeriod=DateTimeInterval(duration=now_s - begun_s, start=begun_s),
        Reading_=[
            OneReading(
                timePeriod=DateTimeInterval(duration=INTERVAL_S, start=begun_s + INTERVAL_S * at), value=value
            )
            for at, value in enumerate(row)
        ],
    )


def subscription(resource: str, uri: str) -> Subscription:
    """A Subscription as the public tester makes it: XML, level +S1, lists of 100 items at most."""
    return Subscription(subscribedResource=resource, encoding=0, level="+S1", limit=100, notificationURI=uri)


def control_response(lfdi: str, mrid: str, status: int, now_s: int) -> DERControlResponse:
    """A Response to a control."""
    return DERControlResponse(createdDateTime=now_s, endDeviceLFDI=lfdi, status=status, subject=mrid)
