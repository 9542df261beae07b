"""Which resources a device polls and when: found by links from DeviceCapability alone. Pure.

`now_s` is local time, poll rates are those of the server divided by `speed`. CSIP 1.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schemas import (
    DefaultDERControl,
    DERControlList,
    DERList,
    DERProgram,
    DERProgramList,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignments,
    FunctionSetAssignmentsList,
    List,
    SubscribableList,
    Time,
    spec_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas import Resource

POLL_S: Final = 900
"""Poll rate where the server gives none. IEEE 2030.5-2018, pollRate."""
JITTER: Final = 0.1
"""Share of a poll rate by which polls come later, drawn anew each time."""

LINKS: Final[Mapping[type[Resource], Mapping[str, type[Resource]]]] = {
    DeviceCapability: {"TimeLink_": Time, "EndDeviceListLink_": EndDeviceList},
    EndDevice: {
        "FunctionSetAssignmentsListLink_": FunctionSetAssignmentsList,
        "DERListLink_": DERList,
    },
    FunctionSetAssignments: {"TimeLink_": Time, "DERProgramListLink_": DERProgramList},
    DERProgram: {"DefaultDERControlLink_": DefaultDERControl, "DERControlListLink_": DERControlList},
}
"""Links that are followed, by the resource that holds them."""


@dataclass(slots=True)
class Stop:
    """A resource that is polled: where, what, how often and when next, s."""

    href: str
    type: type[Resource]
    poll_s: float
    due_s: float


class Tour:
    """All resources that one device polls."""

    def __init__(self, root: str, *, lfdi: str, sfdi: int, now_s: float, speed: float = 1.0) -> None:
        self._root = root
        self._lfdi = lfdi
        self._sfdi = sfdi
        self._speed = speed
        self.stops: dict[str, Stop] = {}
        self.end_device: EndDevice | None = None
        self._add(root, DeviceCapability, POLL_S, now_s)

    def due(self, now_s: float) -> list[Stop]:
        """What is to be polled now."""
        return [stop for stop in self.stops.values() if stop.due_s <= now_s]

    @property
    def next_s(self) -> float:
        """When the next poll is due."""
        return min(stop.due_s for stop in self.stops.values())

    def hasten(self, now_s: float) -> None:
        """Poll everything now."""
        for stop in self.stops.values():
            stop.due_s = min(stop.due_s, now_s)

    def took(self, stop: Stop, resource: Resource, now_s: float, spread: float) -> None:
        """Take what a poll gave; what it links to is polled too. `spread`, 0 to 1, is drawn."""
        rate = getattr(resource, "pollRate", None)
        if rate is not None:
            stop.poll_s = max(rate, 1) / self._speed
        stop.due_s = now_s + stop.poll_s * (1 + JITTER * spread)
        self._follow(resource, stop.poll_s * self._speed, now_s)

    def put_off(self, stop: Stop, now_s: float) -> None:
        """Poll again at the next turn: it failed."""
        stop.due_s = now_s + stop.poll_s

    def drop(self, stop: Stop) -> None:
        """Poll no more what is not there; a link brings it back. DeviceCapability stays."""
        if stop.href != self._root:
            self.stops.pop(stop.href, None)

    def owns(self, end_device: EndDevice) -> bool:
        """True for the EndDevice of this device."""
        if end_device.lFDI:
            return end_device.lFDI.upper() == self._lfdi.upper()
        return end_device.sFDI == self._sfdi

    def _follow(self, resource: Resource, poll_s: float, now_s: float) -> None:
        for item in items_of(resource):
            if not isinstance(item, EndDevice) or self.owns(item):
                self._follow(item, poll_s, now_s)
        if isinstance(resource, EndDevice):
            self.end_device = resource
        for cls, links in LINKS.items():
            if isinstance(resource, cls):
                for attribute, target in links.items():
                    link = getattr(resource, attribute)
                    if link is not None:
                        self._add(link.href, target, poll_s, now_s)

    def _add(self, href: str, cls: type[Resource], poll_s: float, now_s: float) -> None:
        if href not in self.stops:
            self.stops[href] = Stop(href, cls, poll_s / self._speed, now_s)


def items_of(resource: object) -> list[Resource]:
    """The items of a list; nothing for another resource."""
    if not isinstance(resource, List | SubscribableList):
        return []
    attribute = next(f.attr for f in spec_of(type(resource)) if f.is_list)
    items: list[Resource] = getattr(resource, attribute)
    return items
