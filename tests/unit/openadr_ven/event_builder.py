"""Events, VENs and steps of the tests: each says only what it is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from openadr_ven.events import (
    Answer,
    Change,
    Code,
    Enrolment,
    Event,
    EventStatus,
    Interval,
    OptType,
    Ports,
    Profile,
    Randomization,
    Resource,
    Signal,
    Snapshot,
    State,
    Step,
    Unit,
    Value,
    advance,
    receive,
)
from openadr_ven.events.receiving import takes_all

T0 = 10_000
"""When the events of the tests start by default, s."""
HOUR = 3600
BATTERY = Resource(name="battery", device_classes=frozenset({"Storage"}), targets=frozenset({"east"}))
CHARGER = Resource(name="charger", device_classes=frozenset({"EVSE"}), targets=frozenset({"east", "cars"}))
VEN = Enrolment(ven_id="ven-1", names=frozenset({"Site One"}), resources=(BATTERY, CHARGER))
BOTH = ("battery", "charger")


def interval(uid: int = 0, duration_s: int | None = HOUR, *values: Value, **more: object) -> Interval:
    return Interval(uid=uid, duration_s=duration_s, values=values or (Decimal(3000),), **more)  # type: ignore[arg-type]


def dispatch_signal(*intervals: Interval, **more: object) -> Signal:
    """LOAD_DISPATCH setpoint in W."""
    plain = Signal(
        signalID="s1",
        signalName="LOAD_DISPATCH",
        signalType="setpoint",
        unit=Unit.W,
        intervals=intervals or (interval(),),
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def signal(name: str, kind: str, unit: Unit | None = None, value: Value = Decimal(1)) -> Signal:
    return Signal(
        signalID="s1", signalName=name, signalType=kind, unit=unit, intervals=(interval(0, HOUR, value),)
    )


def event(eventID: str = "e1", modification: int = 0, /, **more: object) -> Event:
    """An hour of 3 kW of load from T0 on, in 2.0b, that wants an answer."""
    plain = Event(
        profile=Profile.V20B,
        eventID=eventID,
        modification=modification,
        start=T0,
        duration_s=HOUR,
        signals=(dispatch_signal(),),
        marketContext="http://dr/one",
        is_response_required=True,
        notification_s=0,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def event_3(eventID: str = "e1", modification: int = 0, /, **more: object) -> Event:
    """The same in 3.1: an import limit of 3 kW."""
    limit = Signal(
        signalID="IMPORT_CAPACITY_LIMIT",
        signalName="IMPORT_CAPACITY_LIMIT",
        signalType="",
        unit=Unit.W,
        intervals=(interval(),),
    )
    return replace(
        event(eventID, modification, profile=Profile.V310, signals=(limit,), is_response_required=False),
        **more,  # type: ignore[arg-type]
    )


def cancelled_event(eventID: str = "e1", modification: int = 1, /, **more: object) -> Event:
    return event(eventID, modification, eventStatus=EventStatus.CANCELLED, **more)


def late(seconds: int) -> Randomization:
    """A start that may be delayed."""
    return Randomization(late_s=seconds)


@dataclass(slots=True)
class Ven:
    """A VEN in a test: what it holds, what it said, and what its chance is (the offset of each event)."""

    enrolment: Enrolment = VEN
    offsets: Mapping[str, int] = field(default_factory=dict)
    state: State = field(default_factory=State)
    drawn: list[tuple[str, Randomization]] = field(default_factory=list)
    ports: Ports = field(init=False)

    def __post_init__(self) -> None:
        self.ports = Ports(enrolment=self.enrolment, draw=self._draw, judge=takes_all)

    def _draw(self, eventID: str, window: Randomization) -> int:
        self.drawn.append((eventID, window))
        return self.offsets.get(eventID, window.late_s)

    def hears(self, *events: Event, at: int = 0, full: bool = True, request: str = "r1") -> Step:
        return self.takes(Snapshot(events=events, is_full=full, requestID=request), at)

    def takes(self, snapshot: Snapshot, at: int = 0) -> Step:
        return self.keeps(receive(self.state, snapshot, at, self.ports))

    def waits(self, until: int) -> Step:
        return self.keeps(advance(self.state, until))

    def keeps(self, step: Step) -> Step:
        self.state = step.state
        return step


def said(step: Step) -> list[tuple[str, int, int, OptType]]:
    """Event, number, code and opt of each answer."""
    return [(one.eventID, one.modification, int(one.code), one.optType) for one in step.answers]


def kinds(step: Step) -> list[tuple[str, str]]:
    return [(one.kind.value, one.eventID) for one in step.changes]


def only(answers: tuple[Answer, ...]) -> Answer:
    (answer,) = answers
    return answer


def first(changes: tuple[Change, ...]) -> Change:
    return changes[0]


OK_IN = (Code.OK, OptType.IN)
