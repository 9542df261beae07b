"""Which resources of a DER are to be stored at the server now. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from der_client.device_view import DeviceView
from der_client.interlocks import SafetyRules
from der_client.report_extensions import extended
from der_client.report_ratings import capability_of, information_of, settings_of
from der_client.report_status import availability_of, status_of
from der_client.view import ServerView
from schemas import (
    BASE,
    DefaultDERControl,
    DERAvailability,
    DERCapability,
    DERSettings,
    DERStatus,
    DeviceInformation,
    Link,
    Profile,
    Resource,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A resource as it is to stand at `href`."""

    href: str
    resource: Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A report that the server has, since local time `at_s`."""

    report: Report
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Who is reported: the LFDI and PEN, the software version, the rules, and the default in force.

    `schema` says which elements the documents may have beyond the standard's. `devices` stand behind the
    EndDevice; `is_joint` is about all of them together, for a server that has fewer DERs than that. The
    `is_first` of them tells who made them; `functions` are client function sets beyond those of every client.
    Ratings and settings are stored again after `ratings_s`; None: on change alone. `demand_response`: the
    operational mode is the instruction of demand response that is held.
    """

    lfdi: str
    pen: int
    version: str
    rules: SafetyRules
    default: DefaultDERControl | None = None
    schema: Profile = BASE
    devices: int = 1
    is_joint: bool = False
    is_first: bool = True
    functions: frozenset[int] = frozenset()
    ratings_s: float | None = None
    demand_response: bool = False


def reports_of(
    device: DeviceView,
    server: ServerView,
    place: int | None,
    now: int,
    about: About,
    former: DERStatus | None,
) -> tuple[Report, ...]:
    """All reports that the server has room for, of the DER at `place` of the DERList (None: none), at `now`.

    IEEE 2030.5-2018, 10.10.
    """
    found: list[tuple[str | None, Resource | None]] = []
    if about.devices > 1 and about.is_joint != (len(server.ders) < about.devices):
        return ()
    if place is not None and place < len(server.ders):
        der = server.ders[place]
        plate, reserve_pct = device.nameplate, about.rules.reserve_pct
        if plate is not None:
            enters = "enter_service" not in device.unsupported
            settings = settings_of(plate, now=now, default=about.default, enters=enters)
            found += [
                (
                    _href(der.DERCapabilityLink_),
                    extended(capability_of(plate), plate, about.schema, reserve_pct),
                ),
                (_href(der.DERSettingsLink_), extended(settings, plate, about.schema, reserve_pct)),
            ]
        status = status_of(device, now, former, instructed=about.demand_response)
        found += [
            (_href(der.DERStatusLink_), status),
            (_href(der.DERAvailabilityLink_), availability_of(device, about.rules, now)),
        ]
    if about.is_first and device.nameplate is not None:
        info = information_of(
            device.nameplate, about.lfdi, pen=about.pen, version=about.version, also=about.functions
        )
        found.append((server.device_information_href, info))
    return tuple(Report(href=href, resource=resource) for href, resource in found if href and resource)


def is_due(
    report: Report,
    stored: Mapping[str, Stored],
    local_s: float,
    post_rate_s: float,
    ratings_s: float | None = None,
) -> bool:
    """True for a report that differs from what the server has, or is to be stored anew by rate.

    `post_rate_s` is that of status and availability, `ratings_s` that of ratings and settings (None: never).
    """
    held = stored.get(report.href)
    if held is None:
        return True
    match report.resource:
        case DERStatus() | DERAvailability():
            rate_s: float | None = post_rate_s
        case DERCapability() | DERSettings():
            rate_s = ratings_s
        case _:
            rate_s = None
    is_old = rate_s is not None and local_s - held.at_s >= rate_s
    return is_old or not _same(report.resource, held.report.resource)


def _same(one: Resource, other: Resource) -> bool:
    """True if two reports say the same, apart from when they were made."""
    match one, other:
        case DERStatus(), DERStatus():
            return replace(one, readingTime=other.readingTime) == other
        case DERSettings(), DERSettings():
            return replace(one, updatedTime=other.updatedTime) == other
        case DERAvailability(), DERAvailability():
            return _near(one, other)
        case DeviceInformation(), DeviceInformation():
            return replace(one, swActTime=other.swActTime) == other
    return one == other


def _near(one: DERAvailability, other: DERAvailability) -> bool:
    """True if the available power differs by less than a tenth."""
    former, present = _power_w(other), _power_w(one)
    return abs(present - former) <= 0.1 * max(abs(former), abs(present))


def _power_w(availability: DERAvailability) -> float:
    power = availability.statWAvail
    return 0.0 if power is None else float(power.value * 10.0**power.multiplier)


def _href(link: Link | None) -> str | None:
    return None if link is None else link.href
