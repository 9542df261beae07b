"""What a resource leads to: its links, and what it holds that views are made of. Pure.

Worked out once when a resource is read, however many EndDevices share it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from der_client.list_pages import items_of
from schemas import (
    DER,
    ConsumptionTariffIntervalList,
    DefaultDERControl,
    DemandResponseProgram,
    DemandResponseProgramList,
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
    EndDeviceControlList,
    EndDeviceList,
    FlowReservationResponseList,
    FunctionSetAssignments,
    FunctionSetAssignmentsList,
    Link,
    MirrorUsagePointList,
    RateComponent,
    RateComponentList,
    ReadingType,
    Registration,
    Resource,
    ResponseSetList,
    TariffProfile,
    TariffProfileList,
    Time,
    TimeTariffInterval,
    TimeTariffIntervalList,
    csip_aus,
    spec_of,
)


@dataclass(frozen=True, slots=True)
class Follow:
    """A link to follow: the attribute that holds it and the class that it leads to."""

    attribute: str
    type: type[Resource]


FOLLOWS: Final[Mapping[type[Resource], tuple[Follow, ...]]] = {
    DeviceCapability: (
        Follow("TimeLink_", Time),
        Follow("EndDeviceListLink_", EndDeviceList),
        Follow("MirrorUsagePointListLink_", MirrorUsagePointList),
    ),
    EndDevice: (
        Follow("RegistrationLink_", Registration),
        Follow("FunctionSetAssignmentsListLink_", FunctionSetAssignmentsList),
        Follow("DERListLink_", DERList),
        Follow("FlowReservationResponseListLink_", FlowReservationResponseList),
    ),
    FunctionSetAssignments: (
        Follow("TimeLink_", Time),
        Follow("ResponseSetListLink_", ResponseSetList),
        Follow("DERProgramListLink_", DERProgramList),
        Follow("TariffProfileListLink_", TariffProfileList),
        Follow("DemandResponseProgramListLink_", DemandResponseProgramList),
    ),
    DemandResponseProgram: (Follow("EndDeviceControlListLink_", EndDeviceControlList),),
    TariffProfile: (
        Follow(csip_aus.COMBINED_LINK, TimeTariffIntervalList),
        Follow("RateComponentListLink_", RateComponentList),
    ),
    RateComponent: (
        Follow("ReadingTypeLink_", ReadingType),
        Follow("TimeTariffIntervalListLink_", TimeTariffIntervalList),
    ),
    TimeTariffInterval: (Follow("ConsumptionTariffIntervalListLink_", ConsumptionTariffIntervalList),),
    DERProgram: (
        Follow("DefaultDERControlLink_", DefaultDERControl),
        Follow("DERControlListLink_", DERControlList),
        Follow("DERCurveListLink_", DERCurveList),
    ),
}
"""Links that are polled, by the class that holds them; other links are only targets of PUT and POST."""
ON_REQUEST: Final[frozenset[type[Resource]]] = frozenset(
    {TariffProfileList, FlowReservationResponseList, MirrorUsagePointList, DemandResponseProgramList}
)
"""What is followed by those alone whose settings ask for it, with all below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What one resource means to the walk: own poll rate, links in their order, and parts for the view.

    `curve_hrefs` are the curves that its controls link to; `curves` are those that it holds, by their href.
    `combined` are lists with the intervals of all rate components, prices in them (CSIP-AUS v1.3).
    """

    poll_s: int | None = None
    links: tuple[tuple[str, type[Resource]], ...] = ()
    assignments: tuple[FunctionSetAssignments, ...] = ()
    programs: tuple[DERProgram, ...] = ()
    ders: tuple[DER, ...] = ()
    curve_hrefs: tuple[str, ...] = ()
    curves: tuple[DERCurve, ...] = ()
    combined: frozenset[str] = frozenset()


def node_of(resource: Resource) -> Node:
    """The node of a resource; the entries of an EndDeviceList are not entered."""
    items = () if isinstance(resource, EndDeviceList) else tuple(items_of(resource))
    parts = (*items, resource)
    return Node(
        poll_s=getattr(resource, "pollRate", None),
        links=tuple(link for part in parts for link in _links(part)),
        assignments=tuple(part for part in parts if isinstance(part, FunctionSetAssignments)),
        programs=tuple(part for part in items if isinstance(part, DERProgram)),
        ders=tuple(part for part in items if isinstance(part, DER)),
        curve_hrefs=tuple(curve_hrefs(resource)),
        curves=tuple(part for part in parts if isinstance(part, DERCurve) and part.href),
        combined=frozenset(link.href for part in parts if (link := combined_link(part)) is not None),
    )


def combined_link(part: Resource) -> Link | None:
    """The link of a tariff to the intervals of all its rate components, where it has one."""
    link = getattr(part, csip_aus.COMBINED_LINK, None)
    return link if isinstance(link, Link) else None


def curve_hrefs(resource: Resource) -> Iterator[str]:
    """Hrefs of the curves that a DERControlList or a DefaultDERControl links to."""
    holders: list[Resource] = [resource, *items_of(resource)]
    for holder in holders:
        if isinstance(holder, DERControl | DefaultDERControl):
            base: object = holder.DERControlBase_
            cls: type = type(base)
            values = (getattr(base, name) for name in _curve_modes(cls))
            yield from (value.href for value in values if isinstance(value, Link))


def _links(part: Resource) -> Iterator[tuple[str, type[Resource]]]:
    cls: type = type(part)
    for follow in _follows(cls):
        link = getattr(part, follow.attribute, None)
        if link is not None:
            yield link.href, follow.type


@cache
def _follows(cls: type) -> tuple[Follow, ...]:
    """Links to follow of a class or of the one that it extends."""
    return next((FOLLOWS[base] for base in cls.__mro__ if base in FOLLOWS), ())


@cache
def _curve_modes(cls: type) -> tuple[str, ...]:
    return tuple(f.attr for f in spec_of(cls) if f.target is DERCurveLink)
