"""Resources that are made at read and never stored: Time and DeviceCapability."""

from schemas import (
    DERProgramListLink,
    DeviceCapability,
    EndDeviceListLink,
    MirrorUsagePointListLink,
    ResponseSetListLink,
    SelfDeviceLink,
    Time,
    TimeLink,
    UsagePointListLink,
)
from sep2_server.environment import Environment
from sep2_server.time_zone import year_of, zone_in
from sep2_server.uris import SELF_INFORMATION, SELF_STATUS

BUILT_KINDS = frozenset({"Time", "DeviceCapability", "SelfDevice", SELF_INFORMATION, SELF_STATUS})


def time_at(environment: Environment, now: int, *, quality: int | None = None) -> Time:
    """The clock of the server with its time zone; the quality is that of the settings unless given.

    IEEE 2030.5-2018, 9 (Time).
    """
    settings = environment.settings
    zone = zone_in(settings.zone, year_of(now))
    return Time(
        href=environment.uris.of("Time"),
        currentTime=now,
        dstEndTime=zone.dst_end,
        dstOffset=zone.dst_offset_s,
        dstStartTime=zone.dst_start,
        localTime=zone.local(now),
        quality=settings.time_quality if quality is None else quality,
        tzOffset=zone.offset_s,
    )


def device_capability(environment: Environment, *, has_room: bool) -> DeviceCapability:
    """Where clients start. `has_room`: the client may add a MirrorUsagePoint. IEEE 2030.5-2018, 8 and 16."""
    of = environment.uris.of
    return DeviceCapability(
        href=of("DeviceCapability"),
        DERProgramListLink_=DERProgramListLink(href=of("DERProgramList")),
        ResponseSetListLink_=ResponseSetListLink(href=of("ResponseSetList")),
        TimeLink_=TimeLink(href=of("Time")),
        UsagePointListLink_=UsagePointListLink(href=of("UsagePointList")),
        EndDeviceListLink_=EndDeviceListLink(href=of("EndDeviceList")),
        MirrorUsagePointListLink_=(
            MirrorUsagePointListLink(href=of("MirrorUsagePointList")) if has_room else None
        ),
        SelfDeviceLink_=SelfDeviceLink(href=of("SelfDevice")) if environment.lfdi else None,
    )


def capability_for_unknown(environment: Environment) -> DeviceCapability:
    """What a client sees that is not enrolled and may register in-band. IEEE 2030.5-2018, 10."""
    of = environment.uris.of
    return DeviceCapability(
        href=of("DeviceCapability"),
        TimeLink_=TimeLink(href=of("Time")),
        EndDeviceListLink_=EndDeviceListLink(href=of("EndDeviceList")),
    )
