"""An oadrEvent of 2.0b to the neutral event. What makes no sense in one is its own flaw, not the message's.

OpenADR 2.0b, R1, R2, R3, R6, R19, R47, R100, R103, R105.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from openadr_ven.bounds import bounded_number, bounded_s
from openadr_ven.events import (
    Event,
    EventStatus,
    Interval,
    Profile,
    Randomization,
    Scaled,
    Signal,
    Target,
    Unit,
    Value,
    is_test_event,
    item_unit,
)
from openadr_ven.events.quantity import PRICES
from openadr_ven.iso8601 import instant
from openadr_ven.v2b.document import Element, child, local, named, needed, text

UNSCALED = Scaled(unit=Unit.UNKNOWN)
"""A signal without unit: its values are as they are."""
_STATUSES = frozenset(EventStatus)


def event_of(element: Element) -> Event:
    """The event of an oadrEvent. What cannot be read makes it one with a flaw: it is answered with 454."""
    inner = child(element, "eiEvent")
    descriptor = child(inner, "eventDescriptor")
    is_wanted = text(element, "oadrResponseRequired") == "always"
    eventID, number = needed(descriptor, "eventID"), int(needed(descriptor, "modificationNumber"))
    try:
        return _event(inner, descriptor, eventID, number, is_wanted=is_wanted)
    except (ValueError, ArithmeticError) as error:
        return Event(
            profile=Profile.V20B,
            eventID=eventID,
            modification=number,
            start=0,
            duration_s=None,
            signals=(),
            is_response_required=is_wanted,
            eventStatus=_status(descriptor),
            flaw=str(error),
        )


def _event(
    inner: Element | None, descriptor: Element | None, eventID: str, number: int, *, is_wanted: bool
) -> Event:
    period = child(inner, "eiActivePeriod", "properties")
    signals = child(inner, "eiEventSignals")
    length_s = bounded_s(needed(period, "duration", "duration")) or None
    priority = text(descriptor, "priority")
    baseline = child(signals, "eiEventBaseline")
    start = instant(needed(period, "dtstart", "date-time"))
    if start is None:
        raise ValueError("a dtstart in the year 1")
    return Event(
        profile=Profile.V20B,
        eventID=eventID,
        modification=number,
        start=start,
        duration_s=length_s,
        signals=tuple(_signal(one, length_s) for one in _listed(signals, "eiEventSignal")),
        marketContext=text(descriptor, "eiMarketContext", "marketContext") or "",
        createdDateTime=instant(needed(descriptor, "createdDateTime")) or 0,
        priority=None if priority is None else int(priority),
        is_test=is_test_event(text(descriptor, "testEvent")),
        eventStatus=_status(descriptor),
        vtnComment=text(descriptor, "vtnComment") or "",
        is_response_required=is_wanted,
        randomization=Randomization(late_s=_span(period, "tolerance", "tolerate", "startafter") or 0),
        notification_s=_span(period, "x-eiNotification", "duration"),
        ramp_up_s=_span(period, "x-eiRampUp", "duration") or 0,
        recovery_s=_span(period, "x-eiRecovery", "duration") or 0,
        targets=tuple(targets_of(child(inner, "eiTarget"))),
        baseline=None if baseline is None else _baseline(baseline),
    )


def _status(descriptor: Element | None) -> EventStatus:
    """A status that nobody knows is as good as none: a VEN works it out itself (R114)."""
    found = text(descriptor, "eventStatus")
    return EventStatus(found) if found in _STATUSES else EventStatus.NONE


def _span(period: Element | None, *names: str) -> int | None:
    found = text(period, *names)
    return None if found is None else bounded_s(found)


def _listed(element: Element | None, name: str) -> Iterator[Element]:
    return iter(()) if element is None else named(element, name)


def _signal(element: Element, event_s: int | None) -> Signal:
    """A signal in plain units: the scale of its itemBase always counts."""
    scaled, currency = unit_of(element)
    return Signal(
        signalID=needed(element, "signalID"),
        signalName=needed(element, "signalName"),
        signalType=needed(element, "signalType"),
        intervals=tuple(_intervals(element, scaled or UNSCALED, event_s)),
        unit=None if scaled is None else scaled.unit,
        currency=currency,
        device_classes=tuple(_classes(child(element, "eiTarget"))),
    )


def _baseline(element: Element) -> Signal:
    """A baseline, which begins at its own dtstart: the day of an event may be all of it."""
    scaled, currency = unit_of(element)
    length_s = bounded_s(needed(element, "duration", "duration")) or None
    begins = text(element, "dtstart", "date-time")
    start = None if begins is None else instant(begins)
    intervals = tuple(_intervals(element, scaled or UNSCALED, length_s))
    return Signal(
        signalID=needed(element, "baselineID"),
        signalName=needed(element, "baselineName"),
        signalType="",
        intervals=tuple(replace(one, start=start) for one in intervals[:1]) + intervals[1:],
        unit=None if scaled is None else scaled.unit,
        currency=currency,
    )


def _intervals(element: Element, scaled: Scaled, event_s: int | None) -> Iterator[Interval]:
    """Intervals; one of duration 0 has no end where the event has none (R47), a dtstart is not heeded (R103).

    One without a uid counts by its place; one without a duration lasts as long as the event.
    """
    for place, one in enumerate(_listed(child(element, "intervals"), "interval")):
        uid = text(one, "uid", "text")
        length = text(one, "duration", "duration")
        length_s = event_s if length is None else bounded_s(length)
        yield Interval(
            uid=place if not uid else int(uid),
            duration_s=None if event_s is None and not length_s else length_s,
            values=tuple(_values(one, scaled)),
        )


def _values(interval: Element, scaled: Scaled) -> Iterator[Value]:
    """The payloads of an interval; other than numbers they are none, so that the event is refused (R100)."""
    for payload in named(interval, "signalPayload"):
        found = text(payload, "payloadFloat", "value")
        if found is not None:
            yield scaled.plain(_number(found))


def _number(found: str) -> Decimal:
    try:
        return bounded_number(found)
    except InvalidOperation as error:
        raise ValueError(f"{found!r:.80} is no number") from error


def unit_of(element: Element) -> tuple[Scaled | None, str | None]:
    """Unit and currency of the itemBase in a signal or report description; None without one."""
    item = next((one for one in element if child(one, "itemUnits") is not None), None)
    if item is None:
        return None, None
    units = needed(item, "itemUnits")
    scaled = item_unit(local(item), units, text(item, "siScaleCode") or "none")
    return scaled, units if local(item) in PRICES else None


def _classes(target: Element | None) -> Iterator[str]:
    return (item.value for item in targets_of(target) if item.kind == "endDeviceAsset")


def targets_of(target: Element | None) -> Iterator[Target]:
    """Each item of an eiTarget, in the wire's word for it."""
    for item in target if target is not None else ():
        value = text(item, "mrid") or text(item, "node") or (item.text or "").strip()
        yield Target(kind=local(item), value=value)
