"""Tariffs and granted flow reservations out of what is held of a server. Pure."""

from collections.abc import Iterator, Mapping

from der_client.discovery import Walk
from der_client.list_pages import items_of
from der_client.load_control import program_of
from der_client.nodes import combined_link
from der_client.offers import Offered
from der_client.price import Rate
from function_sets import Program
from schemas import (
    ConsumptionTariffInterval,
    DemandResponseProgram,
    DemandResponseProgramList,
    EndDeviceControl,
    FlowReservationResponse,
    FlowReservationResponseList,
    Link,
    RateComponent,
    ReadingType,
    Resource,
    TariffProfile,
    TariffProfileList,
    TimeTariffInterval,
)
from schemas.csip_aus import TimeTariffIntervalV13

Held = Mapping[str, Resource | None]


def offered_of(own: Walk, held: Held) -> Offered:
    """What is offered to one EndDevice, as far as it was read."""
    grants = [w.href for w in own.wants.values() if issubclass(w.type, FlowReservationResponseList)]
    tariffs = [w.href for w in own.wants.values() if issubclass(w.type, TariffProfileList)]
    loads = _load_programs(own, held)
    if not grants and not tariffs:
        return Offered(load_programs=loads)
    return Offered(
        load_programs=loads,
        rates=tuple(rate for href in tariffs for rate in _rates(held.get(href), held)),
        reservations=tuple(
            one
            for href in grants
            for one in items_of(held.get(href))
            if isinstance(one, FlowReservationResponse)
        ),
        reservations_href=grants[0] if grants else "",
    )


def _load_programs(own: Walk, held: Held) -> tuple[Program, ...] | None:
    """Programs of EndDeviceControls; None where it is not known which there are."""
    lists = [held.get(w.href) for w in own.wants.values() if issubclass(w.type, DemandResponseProgramList)]
    if None in lists or not (lists or own.assignments):
        return None
    programs = (one for found in lists for one in items_of(found) if isinstance(one, DemandResponseProgram))
    return tuple(program_of(one, _load_controls(one, held)) for one in programs)


def _load_controls(program: DemandResponseProgram, held: Held) -> tuple[EndDeviceControl, ...]:
    found = items_of(_behind(program.EndDeviceControlListLink_, held))
    return tuple(one for one in found if isinstance(one, EndDeviceControl))


def _rates(tariffs: Resource | None, held: Held) -> Iterator[Rate]:
    for tariff in items_of(tariffs):
        if not isinstance(tariff, TariffProfile):
            continue
        for component in items_of(_behind(tariff.RateComponentListLink_, held)):
            if isinstance(component, RateComponent):
                yield _rate(tariff, component, held)


def _rate(tariff: TariffProfile, component: RateComponent, held: Held) -> Rate:
    intervals = _intervals(tariff, component, held)
    reading_type = _behind(component.ReadingTypeLink_, held)
    return Rate(
        href=component.href or component.mRID,
        mrid=component.mRID,
        primacy=tariff.primacy,
        multiplier=tariff.pricePowerOfTenMultiplier or 0,
        reading_type=reading_type if isinstance(reading_type, ReadingType) else None,
        intervals=intervals,
        prices={one.mRID: _prices(one, held) for one in intervals},
    )


def _intervals(tariff: TariffProfile, component: RateComponent, held: Held) -> tuple[TimeTariffInterval, ...]:
    """Intervals of a component: out of the combined list of its tariff, else those behind its own link."""
    combined = items_of(_behind(combined_link(tariff), held))
    ours = [
        one
        for one in combined
        if isinstance(one, TimeTariffIntervalV13)
        and one.RateComponentLink is not None
        and one.RateComponentLink.href == component.href
    ]
    found = ours if combined else items_of(_behind(component.TimeTariffIntervalListLink_, held))
    return tuple(one for one in found if isinstance(one, TimeTariffInterval))


def _prices(interval: TimeTariffInterval, held: Held) -> tuple[ConsumptionTariffInterval, ...]:
    """Prices of an interval: those in it (CSIP-AUS v1.3), else those behind its link."""
    inline = (
        interval.ConsumptionTariffIntervalListSummary if isinstance(interval, TimeTariffIntervalV13) else None
    )
    listed = inline or _behind(interval.ConsumptionTariffIntervalListLink_, held)
    return tuple(one for one in items_of(listed) if isinstance(one, ConsumptionTariffInterval))


def _behind(link: Link | None, held: Held) -> Resource | None:
    return held.get(link.href) if link else None
