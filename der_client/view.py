"""An immutable picture of the server as the rest of the client sees it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import is_

from der_client.discovery import Above, Identity, Walk, Want, entry_of, walk_above, walk_device
from der_client.list_pages import items_of
from der_client.nodes import Node, node_of
from der_client.offer_view import offered_of
from der_client.offers import Offered
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
    MirrorUsagePointList,
    Registration,
    Resource,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerView:
    """What the server says at one moment: programs with their controls, curves, and where to report.

    `wants` are all polled resources with their rates; `time_href` is the clock that the events run on, that
    of the FunctionSetAssignments before that of DeviceCapability; `post_rate_s` is EndDevice.postRate.
    `offered` are tariffs and granted reservations, where they are followed.
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
    mirrors: MirrorUsagePointList | None = None
    log_event_href: str | None = None
    device_information_href: str | None = None
    subscription_list_href: str | None = None
    post_rate_s: int | None = None
    offered: Offered = field(default_factory=Offered)
    reservation_requests_href: str | None = None

    @property
    def is_registered(self) -> bool:
        """True if the server has an enabled EndDevice for this client."""
        return self.end_device is not None


class Programs:
    """The Program of each href, made once however many EndDevices see it."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[tuple[object, ...], Program]] = {}

    def of(self, listed: DERProgram, held: Mapping[str, Resource | None]) -> Program:
        """The Program that a DERProgram makes with what its links lead to."""
        href = listed.href or listed.mRID
        default = held.get(listed.DefaultDERControlLink_.href) if listed.DefaultDERControlLink_ else None
        controls = held.get(listed.DERControlListLink_.href) if listed.DERControlListLink_ else None
        parts = (listed, default, controls)
        former = self._made.get(href)
        if former is not None and all(map(is_, former[0], parts)):
            return former[1]
        made = Program(
            href=href,
            mRID=listed.mRID,
            primacy=listed.primacy,
            default=default if isinstance(default, DefaultDERControl) else None,
            controls=tuple(item for item in items_of(controls) if isinstance(item, DERControl)),
        )
        self._made[href] = (parts, made)
        return made


def view_of_walk(
    above: Above,
    own: Walk,
    held: Mapping[str, Resource | None],
    nodes: Mapping[str, Node],
    programs: Programs,
) -> ServerView | None:
    """The picture that the held resources give of one EndDevice, or None without DeviceCapability.

    Programs of all assignments, each once even where several assignments link to it.
    """
    dcap, device = above.dcap, own.end_device
    if dcap is None:
        return None
    seen = [nodes[href] for href in own.wants if href in nodes]
    listed = {item.href or item.mRID: item for node in seen for item in node.programs}
    return ServerView(
        end_device=device,
        registration=_registration(device, held),
        assignments=own.assignments,
        programs=tuple(programs.of(item, held) for item in listed.values()),
        curves={curve.href: curve for node in seen for curve in node.curves if curve.href},
        ders=tuple(der for node in seen for der in node.ders),
        wants={**above.walk.wants, **own.wants},
        time_href=_time_href(own, dcap),
        mirror_href=_href(dcap.MirrorUsagePointListLink_),
        mirrors=_mirrors(dcap, held),
        log_event_href=_href(device.LogEventListLink_) if device else None,
        device_information_href=_href(device.DeviceInformationLink_) if device else None,
        subscription_list_href=_href(device.SubscriptionListLink_) if device else None,
        post_rate_s=device.postRate if device else None,
        offered=offered_of(own, held),
        reservation_requests_href=_href(device.FlowReservationRequestListLink_) if device else None,
    )


def view_of(root: str, held: Mapping[str, Resource | None], identity: Identity) -> ServerView | None:
    """The picture that the held resources give, or None while the walk still misses some."""
    nodes = {href: node_of(resource) for href, resource in held.items() if resource is not None}
    above = walk_above(root, held, nodes)
    own = walk_device(entry_of(identity, above.entries), above, nodes)
    if above.walk.missing(held) or own.missing(held):
        return None
    return view_of_walk(above, own, held, nodes, Programs())


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


def _mirrors(dcap: DeviceCapability, held: Mapping[str, Resource | None]) -> MirrorUsagePointList | None:
    """The mirror usage points, where they are polled."""
    found = held.get(_href(dcap.MirrorUsagePointListLink_) or "")
    return found if isinstance(found, MirrorUsagePointList) else None


def _time_href(own: Walk, dcap: DeviceCapability) -> str | None:
    links = [a.TimeLink_ for a in own.assignments if a.TimeLink_] + [dcap.TimeLink_]
    return next((link.href for link in links if link), None)
