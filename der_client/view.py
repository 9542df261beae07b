"""An immutable picture of the server as the rest of the client sees it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from der_client.discovery import Identity, Walk, Want, walk
from der_client.list_pages import items_of
from function_sets import Program
from schemas import (
    DER,
    DefaultDERControl,
    DERControl,
    DERCurve,
    DERProgram,
    DeviceCapability,
    EndDevice,
    FunctionSetAssignments,
    Link,
    Registration,
    Resource,
    Time,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerView:
    """What the server says at one moment: programs with their controls, curves, and where to report.

    `wants` are all polled resources with their rates; `time_href` is the clock that the events run on, that
    of the FunctionSetAssignments before that of DeviceCapability; `post_rate_s` is EndDevice.postRate.
    """

    end_device: EndDevice | None = None
    registration: Registration | None = None
    assignments: tuple[FunctionSetAssignments, ...] = ()
    programs: tuple[Program, ...] = ()
    curves: Mapping[str, DERCurve] = field(default_factory=dict)
    ders: tuple[DER, ...] = ()
    wants: Mapping[str, Want] = field(default_factory=dict)
    time_href: str | None = None
    mirror_href: str | None = None
    log_event_href: str | None = None
    device_information_href: str | None = None
    post_rate_s: int | None = None

    @property
    def is_registered(self) -> bool:
        """True if the server has an enabled EndDevice for this client."""
        return self.end_device is not None


def view_of(root: str, held: Mapping[str, Resource | None], identity: Identity) -> ServerView | None:
    """The picture that the held resources give, or None while the walk still misses some."""
    seen = walk(root, held, identity)
    dcap = held.get(root)
    if seen.missing(held) or not isinstance(dcap, DeviceCapability):
        return None
    device = seen.end_device
    return ServerView(
        end_device=device,
        registration=_registration(device, held),
        assignments=seen.assignments,
        programs=_programs(seen, held),
        curves=_curves(seen, held),
        ders=tuple(item for want in seen.wants for item in items_of(held[want]) if isinstance(item, DER)),
        wants=seen.wants,
        time_href=_time_href(seen, dcap),
        mirror_href=_href(dcap.MirrorUsagePointListLink_),
        log_event_href=_href(device.LogEventListLink_) if device else None,
        device_information_href=_href(device.DeviceInformationLink_) if device else None,
        post_rate_s=device.postRate if device else None,
    )


def pin_flaw(view: ServerView, pin: int | None) -> str | None:
    """Why the server must not be used, or None: the PIN of its Registration is not the one given to us.

    Without a RegistrationLink, or without a PIN of our own, the client goes on.
    IEEE 2030.5-2018 (Registration).
    """
    if pin is None or view.registration is None or view.registration.pIN == pin:
        return None
    return "the PIN of the server's Registration is not the PIN that this client was given"


def _href(link: Link | None) -> str | None:
    return None if link is None else link.href


def _registration(device: EndDevice | None, held: Mapping[str, Resource | None]) -> Registration | None:
    link = device.RegistrationLink_ if device else None
    found = held.get(link.href) if link else None
    return found if isinstance(found, Registration) else None


def _time_href(seen: Walk, dcap: DeviceCapability) -> str | None:
    links = [a.TimeLink_ for a in seen.assignments if a.TimeLink_] + [dcap.TimeLink_]
    of_time = (link.href for link in links if link and seen.wants[link.href].type is Time)
    return next(of_time, None)


def _programs(seen: Walk, held: Mapping[str, Resource | None]) -> tuple[Program, ...]:
    """Programs of all assignments, each once even where several assignments link to it."""
    listed = [item for want in seen.wants for item in items_of(held[want]) if isinstance(item, DERProgram)]
    by_href = {item.href or item.mRID: item for item in listed}
    return tuple(_program(href, item, held) for href, item in by_href.items())


def _program(href: str, program: DERProgram, held: Mapping[str, Resource | None]) -> Program:
    default = held.get(program.DefaultDERControlLink_.href) if program.DefaultDERControlLink_ else None
    controls = held.get(program.DERControlListLink_.href) if program.DERControlListLink_ else None
    return Program(
        href=href,
        mRID=program.mRID,
        primacy=program.primacy,
        default=default if isinstance(default, DefaultDERControl) else None,
        controls=tuple(item for item in items_of(controls) if isinstance(item, DERControl)),
    )


def _curves(seen: Walk, held: Mapping[str, Resource | None]) -> dict[str, DERCurve]:
    """All curves by href, from curve lists and from links of their own."""
    found = [r for want in seen.wants for r in (held[want], *items_of(held[want]))]
    return {curve.href: curve for curve in found if isinstance(curve, DERCurve) and curve.href}
