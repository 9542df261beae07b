"""A VEN with a fleet behind it, as the tests of the translation need it: events in, publications out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from openadr_ven.events import (
    Answer,
    Enrolment,
    Event,
    Interval,
    Ports,
    Profile,
    Randomization,
    Resource,
    Signal,
    Snapshot,
    State,
    Unit,
    Value,
    plans_of,
    receive,
)
from openadr_ven.to_sep2 import (
    Device,
    Fleet,
    Home,
    Kind,
    Programme,
    Publication,
    Publications,
    judge_of,
    translate,
)
from schemas import ActivePower, DERControl, DERControlBase, EndDeviceControl

T0 = 1_700_000_000
"""When the events of the tests start, s."""
HOUR = 3600
CONTEXT = "http://dr/one"
PEN = 37_244
PROGRAMME = Programme(
    vtn="vtn-1", marketContext=CONTEXT, name="Demand response", pen=PEN, primacy=5, currency=978
)
BATTERY = Device(
    resource="battery",
    name="battery",
    group="g-battery",
    kind=Kind.STORAGE,
    lFDI="AA",
    setMaxW=5000,
    setMaxChargeRateW=4000,
    setMaxDischargeRateW=5000,
    setMaxWh=10_000,
)
PV = Device(resource="pv", name="pv", group="g-pv", kind=Kind.GENERATION, lFDI="BB", setMaxW=5000)
EVSE = Device(resource="evse", name="evse", group="g-evse", kind=Kind.EVSE, lFDI="CC", setMaxChargeRateW=7200)
HEATING = Device(resource="heating", name="heating", group="g-heating", kind=Kind.THERMOSTAT, lFDI="DD")
LOAD = Device(resource="load", name="load", group="g-load", kind=Kind.LOAD, lFDI="EE")


def series(*values: Value, length_s: int | None = HOUR) -> tuple[Interval, ...]:
    """Intervals of equal length, one value each."""
    return tuple(Interval(uid=uid, duration_s=length_s, values=(one,)) for uid, one in enumerate(values))


def signal(
    name: str,
    kind: str,
    *values: Value,
    unit: Unit | None = None,
    length_s: int | None = HOUR,
    **more: object,
) -> Signal:
    plain = Signal(
        signalID=f"{name} {kind}".strip(),
        signalName=name,
        signalType=kind,
        unit=unit,
        intervals=series(*values, length_s=length_s),
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def dispatch(*watts: int, **more: object) -> Signal:
    """LOAD_DISPATCH setpoint."""
    return signal("LOAD_DISPATCH", "setpoint", *(Decimal(one) for one in watts), unit=Unit.W, **more)  # type: ignore[arg-type]


def simple(*levels: int) -> Signal:
    return signal("SIMPLE", "level", *(Decimal(one) for one in levels))


def event(*signals: Signal, **more: object) -> Event:
    """An event of 2.0b that starts at T0 and lasts as long as its first signal."""
    length = [one.duration_s for one in signals[0].intervals]
    known = [one for one in length if one is not None]
    plain = Event(
        profile=Profile.V20B,
        eventID="e1",
        modification=0,
        start=T0,
        duration_s=sum(known) if len(known) == len(length) else None,
        signals=signals,
        marketContext=CONTEXT,
        is_response_required=True,
        notification_s=0,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def event_3(*signals: Signal, **more: object) -> Event:
    return event(*signals, **{"profile": Profile.V310, **more})


@dataclass(slots=True)
class House:
    """A VEN, its fleet and its programmes."""

    devices: tuple[Device, ...] = (BATTERY,)
    programme: Programme = PROGRAMME
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    offset_s: int = 0
    state: State = field(default_factory=State)

    @property
    def fleet(self) -> Fleet:
        return Fleet(devices=self.devices, groups=self.groups)

    @property
    def programmes(self) -> dict[str, Programme]:
        return {self.programme.marketContext: self.programme}

    def hears(self, *events: Event, at: int = T0 - HOUR) -> tuple[Answer, ...]:
        """What is answered to a full list of events."""
        names = dict.fromkeys(device.resource for device in self.devices)
        enrolment = Enrolment(ven_id="ven-1", resources=tuple(Resource(name=name) for name in names))
        ports = Ports(enrolment=enrolment, draw=self._draw, judge=judge_of(self.fleet, self.programmes))
        step = receive(self.state, Snapshot(events=events, is_full=True), at, ports)
        self.state = step.state
        return step.answers

    def translated(self, at: int = T0 - HOUR) -> Publications:
        return translate(plans_of(self.state, at), self.fleet, self.programmes, at)

    def makes(self, *events: Event, at: int = T0 - HOUR) -> Publications:
        """What is to exist for these events, which are taken."""
        assert all(answer.code == 200 for answer in self.hears(*events, at=at))
        return self.translated(at)

    def _draw(self, _: str, window: Randomization) -> int:
        return max(-window.early_s, min(self.offset_s, window.late_s))


def ordered(found: Publications) -> list[Publication]:
    """Publications by start, then by group."""
    return sorted(found.items.values(), key=lambda one: (one.start, one.home.group, one.mRID))


def bases(found: Publications) -> list[DERControlBase]:
    return [one.value.DERControlBase_ for one in ordered(found) if isinstance(one.value, DERControl)]


def watts(found: Publications) -> list[int | None]:
    """The set points, W."""
    targets = [base.opModTargetW for base in bases(found)]
    return [None if one is None else one.value * 10**one.multiplier for one in targets]


def load_controls(found: Publications) -> list[EndDeviceControl]:
    return [one.value for one in ordered(found) if isinstance(one.value, EndDeviceControl)]


def spans(found: Publications) -> list[tuple[int, int | None]]:
    """Start and end, s after T0."""
    return [(one.start - T0, None if one.end is None else one.end - T0) for one in ordered(found)]


def texts(found: Publications) -> str:
    """All notes."""
    return "\n".join(note.text for note in found.notes)


def homes(found: Publications) -> Iterable[Home]:
    return dict.fromkeys(one.home for one in found.items.values())


def said(value: object, name: str) -> object:
    """A field of a resource, or the number of W in it, whatever class it is."""
    held = getattr(value, name)
    return held.value * 10**held.multiplier if isinstance(held, ActivePower) else held
