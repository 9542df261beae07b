"""Resources that are made at read and never stored: Time and DeviceCapability."""

from typing import Final

from schemas import DeviceCapability, Link, Time, spec_of
from sep2_server.environment import Environment
from sep2_server.extra_routes import SELF_INFORMATION, SELF_STATUS
from sep2_server.time_zone import year_of, zone_in

_ENTRIES: Final = tuple(
    (f.attr, f.name.removesuffix("Link"), f.target)
    for f in spec_of(DeviceCapability)
    if f.target is not None and issubclass(f.target, Link)
)
"""Links of DeviceCapability: attribute, resource, class."""
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
    """Where clients start: links to all that the server offers, in the order of the schema.

    `has_room`: the client may add a MirrorUsagePoint. IEEE 2030.5-2018, 8 and 16.
    """
    without = set() if has_room else {"MirrorUsagePointList"}
    if environment.lfdi is None:
        without.add("SelfDevice")
    return _capability(environment, environment.offered_kinds - without)


def capability_for_unknown(environment: Environment, shown: frozenset[str]) -> DeviceCapability:
    """What a client sees that is not enrolled: links to what else it may read. IEEE 2030.5-2018, 10."""
    return _capability(environment, shown)


def _capability(environment: Environment, kinds: frozenset[str]) -> DeviceCapability:
    capability = DeviceCapability(href=environment.uris.of("DeviceCapability"))
    for attr, kind, link in _ENTRIES:
        if kind in kinds:
            setattr(capability, attr, link(href=environment.uris.of(kind)))
    return capability
