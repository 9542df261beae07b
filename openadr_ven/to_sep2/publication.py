"""What is to exist on the 2030.5 side: programs, events, curves and defaults, each with an mRID for life.

An mRID follows from VTN, event, signal, interval, target and what is said, so that whoever makes it again,
after a restart or in a later modification that leaves the interval alone, makes the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from function_sets import derived_mrid
from openadr_ven.to_sep2.programme import Programme
from openadr_ven.to_sep2.wishes import Flow, Goal, Note
from schemas import DERControlBase, Resource

PEN_DIGITS: Final = 8


class HomeKind(StrEnum):
    """What a publication hangs below."""

    DER = "DERProgram"
    DRLC = "DemandResponseProgram"
    TARIFF = "TariffProfile"
    COMPONENT = "RateComponent"
    MESSAGING = "MessagingProgram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A program for a group of the server, or a rate component of a tariff (`parent`)."""

    kind: HomeKind
    group: str
    programme: str
    mRID: str
    primacy: int
    locale: str = "en"
    currency: int | None = None
    flow: Flow | None = None
    parent: "Home | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One event or curve. `value` is without mRID: that is `mRID`, which a repetition may number anew.

    `below` hangs below it. `curves` names by mRID the curves that modes follow, whose hrefs only the server
    knows. `end` None is no time. `randomizes` says that devices spread its end if it is cancelled. Two that
    are `alike` differ in when they begin, and in nothing that counts once they have.
    """

    identity: str
    mRID: str
    home: Home
    value: Resource
    start: int
    end: int | None
    eventID: str
    devices: tuple[str, ...]
    below: tuple[Resource, ...] = ()
    curves: tuple[tuple[str, str], ...] = ()
    randomizes: bool = False
    alike: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """The DefaultDERControl of a program."""

    home: Home
    mRID: str
    base: DERControlBase


@dataclass(frozen=True, slots=True, kw_only=True)
class Publications:
    """All that is to exist, by identity, and the defaults by the mRID of their home.

    `unable` are by event the devices that can do nothing of it. `wake_at` is when time alone next changes
    something: translate again then.
    """

    items: Mapping[str, Publication] = field(default_factory=dict)
    defaults: Mapping[str, Default] = field(default_factory=dict)
    goals: tuple[Goal, ...] = ()
    notes: tuple[Note, ...] = ()
    unable: Mapping[str, frozenset[str]] = field(default_factory=dict)
    wake_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A publication that exists, as far as it is to be known later. `end` None is a curve."""

    identity: str
    mRID: str
    home: Home
    start: int
    end: int | None
    eventID: str
    randomizes: bool = False
    alike: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldDefault:
    """A default that is set: its program, and all that it says as text."""

    home: Home
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """So many mRIDs of one identity are used up; nobody asks for them after `until`."""

    times: int
    until: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What exists on the 2030.5 side by our doing: the state of a publisher, to be kept over restarts.

    `attempted` are those of which nobody knows whether they exist: no answer came back. `spent` says, by
    identity, which mRIDs were cancelled and are not to be used again.
    """

    items: Mapping[str, Record] = field(default_factory=dict)
    attempted: Mapping[str, Record] = field(default_factory=dict)
    defaults: Mapping[str, HeldDefault] = field(default_factory=dict)
    spent: Mapping[str, Spent] = field(default_factory=dict)


def home_of(
    programme: Programme, kind: HomeKind, group: str, currency: int | None = None, flow: Flow | None = None
) -> Home:
    """The program of a programme for a group; with a `flow` the rate component of its tariff."""
    parent = home_of(programme, HomeKind.TARIFF, group, currency) if kind is HomeKind.COMPONENT else None
    words = (programme.vtn, programme.marketContext, "home", kind, group, str(currency or ""), flow or "")
    return Home(
        kind=kind,
        group=group,
        programme=programme.name,
        mRID=derived_mrid("|".join(words), programme.pen),
        primacy=programme.primacy,
        locale=programme.locale,
        currency=currency,
        flow=flow,
        parent=parent,
    )


def mrid_of(identity: str, home: Home, attempt: int = 0) -> str:
    """The mRID of a publication, of the PEN of its home; each `attempt` after a cancellation has another."""
    return derived_mrid(f"{identity}|{attempt}", int(home.mRID[-PEN_DIGITS:], 16))


def told(value: object) -> str:
    """A value as text that tells all that is present of it: what an identity is made of."""
    names = _names_of(type(value))  # type: ignore[arg-type]  # all classes are hashable
    if names is not None:
        held = [(name, getattr(value, name)) for name in names]
        inside = ",".join([f"{name}={told(one)}" for name, one in held if one is not None])
        return f"{type(value).__name__}({inside})"
    if isinstance(value, list | tuple):
        return f"[{','.join([told(one) for one in value])}]"
    return str(value)


@cache
def _names_of(cls: type) -> tuple[str, ...] | None:
    """The fields of a declared class in their order; None for any other."""
    return tuple(one.name for one in fields(cls)) if is_dataclass(cls) else None
