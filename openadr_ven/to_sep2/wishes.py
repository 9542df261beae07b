"""What one interval of one signal asks of one device, before events that meet on it are weighed."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from openadr_ven.events import Event, Interval, Rank, Refusal, Signal, Value
from openadr_ven.to_sep2.fleet import Device
from openadr_ven.to_sep2.programme import Programme, TargetMode
from schemas.codes import DERCurveType


class LimitKind(StrEnum):
    """What a limit bounds, each with the mode that carries it."""

    EXPORT = "opModExpLimW"
    IMPORT = "opModImpLimW"
    OUTPUT = "opModMaxLimW"
    CHARGE = "charge power"
    """No mode carries it: set points are clamped to it, and a battery that charges is set to it."""


class Flow(StrEnum):
    """What a price is for."""

    CONSUMPTION = "consumption"
    EXPORT = "export"
    DEMAND = "demand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A set point of active power, W, output positive. `for_s` is after how long it is 0, None for never."""

    output_w: int
    for_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """An upper bound, W; for `OUTPUT` hundredths of a percent of setMaxW. `mode` is for `CHARGE`."""

    kind: LimitKind
    most: int
    mode: TargetMode = TargetMode.TARGET_W


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """The most of the time that a load may run, %."""

    normalValue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Offsets of a load: tenths of a degree, hundredths of a percent. `is_forward` asks for more load."""

    cooling: int | None = None
    heating: int | None = None
    load: int | None = None
    is_forward: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Thermostat:
    """Set points of a thermostat, hundredths of a degree Celsius."""

    cooling: int | None = None
    heating: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """Less load by so many W, or more with `is_forward`."""

    power_w: int
    is_forward: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """A curve to follow: pairs of hundredths of a percent, or with an `excitation` of y in thousandths."""

    curveType: DERCurveType
    yRefType: int
    points: tuple[tuple[int, int], ...]
    excitation: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """A price in `currency`, times 10^-5."""

    flow: Flow
    currency: int
    price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A text to show."""

    text: str
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A limit that holds between events: part of the DefaultDERControl."""

    limit: Limit


Action = Target | Limit | Duty | Shift | Thermostat | Reduction | Follow | Price | Message | Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A state of charge to reach; a DER gets set points for it, a vehicle's flow reservation is answered.

    `energy_wh` is what flows into it, with a minus what flows out.
    """

    eventID: str
    device: str
    soc_at_end: Decimal
    energy_wh: int
    start: int
    end: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that a person may ask about: clamped, left out, only half done. One log line each."""

    eventID: str
    device: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One interval of a signal for the devices that are to keep it; `start` and `end` as they will be kept.

    `baseline_w` is the event's own, load positive. OpenADR 2.0b, eiEventBaseline. `ahead` are the intervals
    of the signal before it.
    """

    event: Event
    signal: Signal
    values: tuple[Value, ...]
    devices: tuple[Device, ...]
    programme: Programme
    start: int
    end: int | None
    baseline_w: Decimal | None = None
    ahead: tuple[Interval, ...] = ()

    @property
    def number(self) -> Decimal:
        """Its value. ValueError where it is no number."""
        value = self.values[0] if self.values else None
        if isinstance(value, Decimal) and value.is_finite():
            return value
        raise ValueError(f"{self.signal.signalName}: {value!r} is no number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a row of the table says to an `Ask`: actions and refusals, each by the name of a device."""

    actions: tuple[tuple[str, Action], ...] = ()
    refusals: tuple[tuple[str, Refusal], ...] = ()
    notes: tuple[Note, ...] = ()
    goals: tuple[Goal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An action for one device and a time, with all that decides whether it wins and how it is published.

    `randomize_s` is passed on to devices that begin it at `start`, `ramp_s` is how long they take to get
    there. `cause` identifies interval and signal.
    """

    device: Device
    action: Action
    start: int
    end: int | None
    rank: Rank
    cause: tuple[str, ...]
    event: Event
    programme: Programme
    randomize_s: int = 0
    ramp_s: int = 0
    classes: int = 0
