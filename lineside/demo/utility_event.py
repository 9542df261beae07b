"""An event of the utility, as an OpenADR VTN sends it and as it hears of it again. Pure.

Powers are load positive, as OpenADR counts them: what a battery gives is less than nothing drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from lineside.demo.story import MARKET_CONTEXT, STATUS, USAGE
from openadr_ven.events import Event, Interval, Profile, Signal, Target, Unit
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.report_messages import Datum, ReportInterval, ReportRequest, ResourceStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineside.demo.steps import Line
    from openadr_ven.v2b.report_messages import Measure, Report, ReportOffer

LEAST_STEP_S: Final = 2
MOST_STEPS: Final = 16
A_REPORT: Final = 4
"""Periods in one report: a device tells of a period only after it, so that the last one may have no data."""
READING_TYPES: Final = {USAGE: "Direct Read", STATUS: "x-notApplicable"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a person at the VTN asks for: a load of `watts` at a resource, `in_s` from now, `for_s` long."""

    resource: str
    watts: int
    in_s: int
    for_s: int


def order_of(table: object) -> Order:
    """The order in a table of JSON. ValueError says what is wrong with it."""
    names = ("resource", "watts", "in_s", "for_s")
    if not isinstance(table, dict) or set(table) != set(names):
        raise ValueError(f"an object with {', '.join(names)} is wanted")
    wrong = next((name for name in names[1:] if type(table[name]) is not int), None)
    if wrong is not None:
        raise ValueError(f"{wrong}: a whole number is wanted, not {table[wrong]!r}")
    if not isinstance(table["resource"], str) or table["in_s"] < 0 or table["for_s"] < 1:
        raise ValueError("resource: a name is wanted; in_s: 0 or more; for_s: 1 or more")
    return Order(**table)


def event_of(order: Order, name: str, now: int) -> Event:
    """The event: LOAD_DISPATCH setpoint, one interval, an answer wanted. OpenADR 2.0b, Table 1."""
    interval = Interval(uid=0, duration_s=order.for_s, values=(Decimal(order.watts),))
    signal = Signal(
        signalID="dispatch",
        signalName="LOAD_DISPATCH",
        signalType="setpoint",
        unit=Unit.W,
        intervals=(interval,),
    )
    return Event(
        profile=Profile.V20B,
        eventID=name,
        modification=0,
        start=now + order.in_s,
        duration_s=order.for_s,
        signals=(signal,),
        marketContext=MARKET_CONTEXT,
        createdDateTime=now,
        is_response_required=True,
        notification_s=0,
        targets=(Target(kind="resourceID", value=order.resource),),
    )


def requests_of(order: Order, event: Event) -> tuple[ReportRequest, ...]:
    """The telemetry that goes with an event: power and status of its resource, while it lasts."""
    step_s = max(LEAST_STEP_S, -(-order.for_s // MOST_STEPS))
    points = {USAGE: f"{order.resource} power", STATUS: f"{order.resource} status"}
    return tuple(
        ReportRequest(
            reportRequestID=f"{event.eventID} {kind}",
            reportSpecifierID=kind,
            granularity_s=step_s,
            back_s=A_REPORT * step_s,
            points=((rID, READING_TYPES[kind]),),
            start=event.start,
            duration_s=order.for_s,
        )
        for kind, rID in points.items()
    )


def lines_of(message: m.Message, answer: m.Message, offers: tuple[ReportOffer, ...]) -> Iterator[Line]:
    """What is worth telling of a message that a VEN sent; nothing of one that was refused.

    `offers` is what the VEN said that it can report, with the unit of each value.
    """
    response = getattr(answer, "response", None)
    if isinstance(response, m.EiResponse) and not response.is_good:
        return
    if isinstance(message, m.CreatePartyRegistration) and isinstance(answer, m.CreatedPartyRegistration):
        signed = ", signed" if message.is_signed else ""
        yield {"what": "registered", "detail": f"{message.venName} is {answer.venID}{signed}"}
    elif isinstance(message, m.RegisterReport):
        names = [f"{one.reportSpecifierID} ({len(one.points)} values)" for one in message.offers]
        yield {"what": "offered", "detail": f"{message.venID} can report {', '.join(names)}"}
    elif isinstance(message, m.CreatedEvent):
        yield from _opts(message)
    elif isinstance(message, m.CreateOptMessage):
        opt, of = message.opt, ", ".join(message.opt.resources) or "all"
        detail = f"{message.venID}: {opt.optType} of {of} to {opt.eventID or 'a schedule'}, {opt.reason}"
        yield {"what": "opt changed", "detail": detail, "event": opt.eventID, "opt": str(opt.optType)}
    elif isinstance(message, m.UpdateReport):
        for report in message.reports:
            yield from _told(report, offers)


def _opts(message: m.CreatedEvent) -> Iterator[Line]:
    for one in message.answers:
        yield {
            "what": "opt",
            "detail": f"{message.venID}: {one.optType} to {one.eventID}, {int(one.code)}",
            "event": one.eventID,
            "opt": str(one.optType),
            "code": int(one.code),
        }


def _told(report: Report, offers: tuple[ReportOffer, ...]) -> Iterator[Line]:
    """A line for each value of a report with data; it says to which event the report belongs."""
    points = (p for o in offers if o.reportSpecifierID == report.reportSpecifierID for p in o.points)
    measures = {point.rID: point.measure for point in points}
    event = report.reportRequestID.rpartition(" ")[0]
    for interval in report.intervals:
        for datum in interval.data:
            yield _line_of(datum, interval, event, _unit(measures.get(datum.rID)))


def _unit(measure: Measure | None) -> str:
    if measure is None:
        return ""
    return measure.units if measure.scale == "none" else f"{measure.scale}{measure.units}"


def _line_of(datum: Datum, interval: ReportInterval, event: str, unit: str) -> Line:
    common: Line = {
        "event": event,
        "rID": datum.rID,
        "start": interval.start,
        "duration_s": interval.duration_s,
        "quality": datum.quality,
    }
    value = datum.value
    if isinstance(value, ResourceStatus):
        online = "online" if value.is_online else "not online"
        detail = f"{datum.rID}: {online}, {'' if value.is_overridden else 'not '}overridden"
        facts = {"is_online": value.is_online, "is_overridden": value.is_overridden}
        return {"what": STATUS, "detail": f"{detail} ({datum.quality})", **facts, **common}
    detail = f"{datum.rID}: {value:.0f} {unit} over {interval.duration_s} s ({datum.quality})"
    return {"what": USAGE, "detail": detail, "value": float(value), "unit": unit, **common}
