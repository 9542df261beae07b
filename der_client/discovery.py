"""The walk from DeviceCapability: which resources a client needs, found by links alone. Pure.

What is above the EndDevices and the part of each EndDevice are walked apart, so that an aggregator walks
anew only what has changed. The shell fetches what is missing and walks again until nothing is. No URI is
ever built.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from der_client.nodes import FOLLOWS, ON_REQUEST, Follow, Node, node_of
from der_client.timing import DEFAULT_POLL_S
from schemas import (
    ConsumptionTariffIntervalList,
    DemandResponseProgramList,
    DERCurve,
    DERProgramList,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignments,
    Resource,
    ResponseSetList,
    TimeTariffIntervalList,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """A resource that the client needs: where it is, what it is, and how often to poll it, s."""

    href: str
    type: type[Resource]
    poll_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who an EndDevice is: LFDI (40 hex digits; empty where it is not known) and SFDI."""

    lfdi: str
    sfdi: int

    def owns(self, end_device: EndDevice) -> bool:
        """True for the EndDevice of this identity: by LFDI, or by SFDI where one of them has no LFDI."""
        if end_device.lFDI and self.lfdi:
            return end_device.lFDI.upper() == self.lfdi.upper()
        return end_device.sFDI == self.sfdi


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Result of one walk: all `wants` that could be seen, by href, parents before what they lead to."""

    wants: Mapping[str, Want] = field(default_factory=dict)
    end_device: EndDevice | None = None
    assignments: tuple[FunctionSetAssignments, ...] = ()

    def missing(self, held: Mapping[str, Resource | None]) -> tuple[Want, ...]:
        """Wants that are not held yet; `None` holds the place of a resource that the server does not have."""
        return tuple(want for want in self.wants.values() if want.href not in held)


@dataclass(frozen=True, slots=True, kw_only=True)
class Above:
    """What is above the EndDevices: its walk, DeviceCapability, all entries, and the rates handed down, s."""

    walk: Walk = field(default_factory=Walk)
    dcap: DeviceCapability | None = None
    entries: tuple[EndDevice, ...] = ()
    root_poll_s: int = DEFAULT_POLL_S
    list_poll_s: int = DEFAULT_POLL_S


def walk_above(
    root: str,
    held: Mapping[str, Resource | None],
    nodes: Mapping[str, Node],
    also: frozenset[type[Resource]] = frozenset(),
) -> Above:
    """What the client needs whoever it is, of a server whose DeviceCapability is at `root`."""
    walker = _Walker(nodes, ON_REQUEST - also)
    walker.want(root, DeviceCapability, DEFAULT_POLL_S)
    lists = [want for want in walker.wants.values() if issubclass(want.type, EndDeviceList)]
    found = [(want, held.get(want.href)) for want in lists]
    entries = [entry for _, one in found if isinstance(one, EndDeviceList) for entry in one.EndDevice_]
    dcap = held.get(root)
    return Above(
        walk=Walk(wants=walker.wants),
        dcap=dcap if isinstance(dcap, DeviceCapability) else None,
        entries=tuple(entries),
        root_poll_s=walker.wants[root].poll_s,
        list_poll_s=lists[0].poll_s if lists else DEFAULT_POLL_S,
    )


def walk_device(
    device: EndDevice | None,
    above: Above,
    nodes: Mapping[str, Node],
    *,
    registration_alone: bool = False,
    also: frozenset[type[Resource]] = frozenset(),
) -> Walk:
    """What the client needs of one EndDevice; nothing of one that is not enabled.

    `also` are those of ON_REQUEST that are followed too.
    Links in the FunctionSetAssignments take precedence over those of DeviceCapability; the programs there
    are used only by a device without a FunctionSetAssignmentsListLink. IEEE 2030.5-2018 (discovery).
    """
    if device is None or device.enabled is False:
        return Walk()
    walker = _Walker(nodes, ON_REQUEST - also)
    if registration_alone:
        walker.follow(device, FOLLOWS[EndDevice][0], above.list_poll_s)
    else:
        walker.enter(node_of(device), above.list_poll_s)
        walker.follow_fallbacks(device, above)
        walker.follow_curves()
    return Walk(wants=walker.wants, end_device=device, assignments=tuple(walker.assignments))


def walk(root: str, held: Mapping[str, Resource | None], identity: Identity) -> Walk:
    """What a client of one EndDevice needs, as far as `held` shows it."""
    nodes = {href: node_of(resource) for href, resource in held.items() if resource is not None}
    above = walk_above(root, held, nodes)
    own = walk_device(entry_of(identity, above.entries), above, nodes)
    return Walk(
        wants={**above.walk.wants, **own.wants}, end_device=own.end_device, assignments=own.assignments
    )


def entry_of(identity: Identity, entries: Iterable[EndDevice]) -> EndDevice | None:
    """The entry of an identity, an enabled one before one that is not."""
    own = [entry for entry in entries if identity.owns(entry)]
    return next((entry for entry in own if entry.enabled is not False), own[0] if own else None)


class _Walker:
    """One walk; collects what it passes."""

    def __init__(self, nodes: Mapping[str, Node], besides: frozenset[type[Resource]] = frozenset()) -> None:
        self.nodes = nodes
        self.besides = besides
        self.wants: dict[str, Want] = {}
        self.combined: frozenset[str] = frozenset()
        self.assignments: list[FunctionSetAssignments] = []

    def want(self, href: str, cls: type[Resource], poll_s: int) -> None:
        """Note a want and, where it is held, everything below it with the poll rate that it hands down."""
        if href in self.wants:
            return
        node = self.nodes.get(href)
        if node is not None and node.poll_s is not None:
            poll_s = node.poll_s
        self.wants[href] = Want(href=href, type=cls, poll_s=poll_s)
        if node is not None:
            self.enter(node, poll_s)

    def enter(self, node: Node, poll_s: int) -> None:
        """Follow the links of a resource, or those of the items of a list."""
        self.assignments += node.assignments
        self.combined |= node.combined
        for href, cls in node.links:
            if cls not in self.besides and not (self.combined and self.is_in_combined(href, cls)):
                self.want(href, cls, poll_s)

    def is_in_combined(self, href: str, cls: type[Resource]) -> bool:
        """True for a list whose items stand in a combined one as well. CSIP-AUS PRC-01."""
        return cls in {TimeTariffIntervalList, ConsumptionTariffIntervalList} and href not in self.combined

    def follow(self, resource: Resource, follow: Follow, poll_s: int) -> None:
        """Want what one link leads to, if the resource has that link."""
        link = getattr(resource, follow.attribute)
        if link is not None:
            self.want(link.href, follow.type, poll_s)

    def follow_fallbacks(self, device: EndDevice, above: Above) -> None:
        """Use links of DeviceCapability for what no FunctionSetAssignments gives."""
        if above.dcap is None:
            return
        if device.FunctionSetAssignmentsListLink_ is None:
            self.follow(above.dcap, Follow("DERProgramListLink_", DERProgramList), above.root_poll_s)
            if DemandResponseProgramList not in self.besides:
                link = Follow("DemandResponseProgramListLink_", DemandResponseProgramList)
                self.follow(above.dcap, link, above.root_poll_s)
        if not any(a.ResponseSetListLink_ for a in self.assignments):
            self.follow(above.dcap, Follow("ResponseSetListLink_", ResponseSetList), above.root_poll_s)

    def follow_curves(self) -> None:
        """Want the curves that controls link to and that no curve list holds."""
        held = [(want, self.nodes[href]) for href, want in self.wants.items() if href in self.nodes]
        known = {curve.href for _, node in held for curve in node.curves}
        for want, node in held:
            for href in node.curve_hrefs:
                if href not in known:
                    self.want(href, DERCurve, want.poll_s)


def is_elsewhere(root: str, href: str) -> bool:
    """True for a link to another host than that of DeviceCapability: its failure says nothing of ours."""
    return urlsplit(href).netloc not in {"", urlsplit(root).netloc}
