"""The walk from DeviceCapability: which resources a client needs, found by links alone. Pure.

`walk` looks at what is held so far and says what belongs to the client's part of the server; the shell
fetches what is missing and walks again until nothing is. No URI is ever built.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from der_client.list_pages import items_of
from der_client.timing import DEFAULT_POLL_S
from schemas import (
    DefaultDERControl,
    DERControl,
    DERControlList,
    DERCurve,
    DERCurveLink,
    DERCurveList,
    DERList,
    DERProgram,
    DERProgramList,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignments,
    FunctionSetAssignmentsList,
    Link,
    Registration,
    Resource,
    ResponseSetList,
    Time,
    spec_of,
)


@dataclass(frozen=True, slots=True)
class Follow:
    """A link to follow: the attribute that holds it and the class that it leads to."""

    attribute: str
    type: type[Resource]


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """A resource that the client needs: where it is, what it is, and how often to poll it, s."""

    href: str
    type: type[Resource]
    poll_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the client is at the server: LFDI (40 hex digits) and SFDI of its certificate."""

    lfdi: str
    sfdi: int

    def owns(self, end_device: EndDevice) -> bool:
        """True for the EndDevice of this client: by LFDI, or by SFDI where the entry has no LFDI."""
        if end_device.lFDI:
            return end_device.lFDI.upper() == self.lfdi.upper()
        return end_device.sFDI == self.sfdi


FOLLOWS: Final[Mapping[type[Resource], tuple[Follow, ...]]] = {
    DeviceCapability: (Follow("TimeLink_", Time), Follow("EndDeviceListLink_", EndDeviceList)),
    EndDevice: (
        Follow("RegistrationLink_", Registration),
        Follow("FunctionSetAssignmentsListLink_", FunctionSetAssignmentsList),
        Follow("DERListLink_", DERList),
    ),
    FunctionSetAssignments: (
        Follow("TimeLink_", Time),
        Follow("ResponseSetListLink_", ResponseSetList),
        Follow("DERProgramListLink_", DERProgramList),
    ),
    DERProgram: (
        Follow("DefaultDERControlLink_", DefaultDERControl),
        Follow("DERControlListLink_", DERControlList),
        Follow("DERCurveListLink_", DERCurveList),
    ),
}
"""Links that are polled, by the class that holds them; other links are only targets of PUT and POST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Result of one walk: all `wants` that could be seen, by href, parents before what they lead to."""

    wants: Mapping[str, Want]
    end_device: EndDevice | None = None
    assignments: tuple[FunctionSetAssignments, ...] = ()

    def missing(self, held: Mapping[str, Resource | None]) -> tuple[Want, ...]:
        """Wants that are not held yet; `None` holds the place of a resource that the server does not have."""
        return tuple(want for want in self.wants.values() if want.href not in held)


def walk(root: str, held: Mapping[str, Resource | None], identity: Identity) -> Walk:
    """What the client needs of a server whose DeviceCapability is at `root`, as far as `held` shows it.

    Links in the FunctionSetAssignments take precedence over those of DeviceCapability; the programs there
    are used only by a device without a FunctionSetAssignmentsListLink. IEEE 2030.5-2018 (discovery).
    """
    walker = _Walker(held, identity)
    walker.want(root, DeviceCapability, DEFAULT_POLL_S)
    walker.follow_fallbacks(root)
    walker.follow_curves()
    return Walk(
        wants=walker.wants, end_device=walker.end_device, assignments=tuple(walker.assignments.values())
    )


class _Walker:
    """One walk; collects what it passes."""

    def __init__(self, held: Mapping[str, Resource | None], identity: Identity) -> None:
        self.held = held
        self.identity = identity
        self.wants: dict[str, Want] = {}
        self.end_device: EndDevice | None = None
        self.assignments: dict[str, FunctionSetAssignments] = {}

    def want(self, href: str, cls: type[Resource], poll_s: int) -> None:
        """Note a want and, where it is held, everything below it with the poll rate that it hands down."""
        if href in self.wants:
            return
        resource = self.held.get(href)
        rate = getattr(resource, "pollRate", None)
        poll_s = poll_s if rate is None else rate
        self.wants[href] = Want(href=href, type=cls, poll_s=poll_s)
        if resource is not None:
            self.visit(resource, poll_s)

    def visit(self, resource: Resource, poll_s: int) -> None:
        """Follow the links of a resource, or those of the items of a list."""
        for item in items_of(resource):
            if not isinstance(item, EndDevice) or self.identity.owns(item):
                self.visit(item, poll_s)
        if isinstance(resource, FunctionSetAssignments):
            self.assignments[resource.href or resource.mRID] = resource
        if isinstance(resource, EndDevice):
            if resource.enabled is False:
                return
            self.end_device = resource
        for follow in FOLLOWS.get(type(resource), ()):
            self.follow(resource, follow, poll_s)

    def follow(self, resource: Resource, follow: Follow, poll_s: int) -> None:
        """Want what one link leads to, if the resource has that link."""
        link = getattr(resource, follow.attribute)
        if link is not None:
            self.want(link.href, follow.type, poll_s)

    def follow_fallbacks(self, root: str) -> None:
        """Use links of DeviceCapability for what no FunctionSetAssignments gives."""
        dcap = self.held.get(root)
        if not isinstance(dcap, DeviceCapability) or self.end_device is None:
            return
        poll_s = self.wants[root].poll_s
        if self.end_device.FunctionSetAssignmentsListLink_ is None:
            self.follow(dcap, Follow("DERProgramListLink_", DERProgramList), poll_s)
        if not any(a.ResponseSetListLink_ for a in self.assignments.values()):
            self.follow(dcap, Follow("ResponseSetListLink_", ResponseSetList), poll_s)

    def follow_curves(self) -> None:
        """Want the curves that controls link to and that no curve list holds."""
        known = {c.href for _, r in self._held_wants() for c in items_of(r) if isinstance(c, DERCurve)}
        for want, resource in self._held_wants():
            for href in curve_hrefs(resource):
                if href not in known:
                    self.want(href, DERCurve, want.poll_s)

    def _held_wants(self) -> list[tuple[Want, Resource]]:
        found = ((want, self.held.get(href)) for href, want in self.wants.items())
        return [(want, resource) for want, resource in found if resource is not None]


def curve_hrefs(resource: Resource) -> Iterator[str]:
    """Hrefs of the curves that a DERControlList or a DefaultDERControl links to."""
    holders: list[Resource] = [resource, *items_of(resource)]
    for holder in holders:
        if isinstance(holder, DERControl | DefaultDERControl):
            base: object = holder.DERControlBase_
            cls: type = type(base)
            values = (getattr(base, f.attr) for f in spec_of(cls) if f.target is DERCurveLink)
            yield from (value.href for value in values if isinstance(value, Link))


def is_elsewhere(root: str, href: str) -> bool:
    """True for a link to another host than that of DeviceCapability: its failure says nothing of ours."""
    return urlsplit(href).netloc not in {"", urlsplit(root).netloc}
