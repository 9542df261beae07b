"""What the operations answer: one TypedDict per shape. The OpenAPI document is made of them.

Fields with the names of resources (`EndDevice`, `DERControl`) hold those in wire form.
"""

from typing import NotRequired, TypedDict

Wire = dict[str, object]
"""A resource of the standard, its fields by their names."""


class Named(TypedDict):
    """The name of what was done away with."""

    name: str


class Device(TypedDict):
    """Identity and groups of a device; times in s since 1970 UTC."""

    name: str
    role: str
    lFDI: str
    sFDI: int
    href: str
    aggregator: str | None
    groups: list[str]
    enabled: bool
    enrolled: int


class Devices(TypedDict):
    """One page of devices; `next` is what to give as `after` for more."""

    devices: list[Device]
    next: str | None


class EnrolledDevice(Device):
    """A device that is enrolled; the pIN only where the server has just made it."""

    created: bool
    pIN: NotRequired[int]
    findings: NotRequired[list[str]]


class ShownDevice(Device):
    """A device with its place in the network, its EndDevice and what its DERs report, in natural units."""

    place: str | None
    EndDevice: Wire
    DER: list[Wire]


class RemovedDevice(TypedDict):
    """A device that is gone."""

    name: str
    lFDI: str | None
    removed: list[str]


class EnsuredDevice(Device):
    """A device as it is to be; `changed` are the fields that were not so."""

    created: bool
    changed: list[str]
    pIN: NotRequired[int]


class Forgotten(TypedDict):
    """How many resources of how many devices are gone."""

    name: str
    devices: int
    forgotten: int


class PostRate(TypedDict):
    """How often a device posts, s, and how many mirrors it has whose rate was set."""

    name: str
    postRate: int | None
    mirrors: int


class Series(TypedDict):
    """What a MeterReading holds."""

    mRID: str
    description: str | None
    unit: str | None
    uom: int | None
    kind: int | None
    flowDirection: int | None
    phase: int | None
    dataQualifier: int | None
    accumulationBehaviour: int | None
    roleFlags: str | None
    powerOfTenMultiplier: int


class LatestReading(Series):
    """A MeterReading and its latest value."""

    time: int | None
    value: float | None
    duration: NotRequired[int | None]
    quality: NotRequired[str | None]
    lastUpdateTime: int | None
    nextUpdateTime: int | None
    late: bool


class Readings(TypedDict):
    """The latest values of a device."""

    readings: list[LatestReading]


class Value(TypedDict):
    """One value; `time` and `duration` in s."""

    time: int | None
    duration: int | None
    value: float | None
    quality: str | None


class SeriesValues(Series):
    """A MeterReading and its values, the newest first."""

    values: list[Value]


class LogEvents(TypedDict):
    """Log events, the newest first."""

    LogEvent: list[Wire]


class Configuration(TypedDict):
    """What the operator wants of a device (null: nothing) and what the device reports."""

    name: str
    wanted: Wire | None
    reported: Wire | None


class WithdrawnConfiguration(Configuration):
    """A Configuration of which nothing is wanted any more."""

    withdrawn: bool


class Program(TypedDict):
    """A DERProgram of a group."""

    mRID: str
    description: str | None
    primacy: int
    href: str
    hasDefault: bool
    openControls: int


class GroupProgram(Program):
    """A DERProgram and its group."""

    group: str


class Group(TypedDict):
    """A group: how many devices, and its programs."""

    name: str
    devices: int
    programs: list[Program]


class Groups(TypedDict):
    """One page of groups by name; `next` is what to give as `after` for more."""

    groups: list[Group]
    next: str | None


class Members(TypedDict):
    """One page of the devices of a group; `next` is what to give as `after` for more."""

    devices: list[Device]
    next: int | None


class Added(TypedDict):
    """A membership; `added` is false where it was there already."""

    group: str
    device: str
    added: bool


class Assigned(Added):
    """A membership and the program that the device has by it; `created`: the group is new."""

    created: bool
    program: Program


class TakenOut(TypedDict):
    """A membership that is gone; `removed` is false where there was none."""

    group: str
    device: str
    removed: bool


class Programs(TypedDict):
    """Programs by group, the best primacy first; `next` is what to give as `after` for more groups."""

    programs: list[GroupProgram]
    next: str | None


class Default(TypedDict):
    """A DefaultDERControl in natural units and in wire form; empty where none is set."""

    mRID: str | None
    natural: Wire
    DefaultDERControl: Wire | None


class Curve(TypedDict):
    """A DERCurve with its points in natural units, and in wire form."""

    mRID: str
    description: str | None
    curveType: int
    yRefType: int
    points: list[object]
    href: str | None
    DERCurve: Wire


class Curves(TypedDict):
    """The curves of a group."""

    curves: list[Curve]


class Mrid(TypedDict):
    """The mRID of what was done away with."""

    mRID: str


class Control(TypedDict):
    """A DERControl: status now, times, modes in natural units, and its wire form."""

    mRID: str
    description: str | None
    program: str | None
    status: str | int | None
    start: int
    duration: int
    modes: Wire
    href: str
    DERControl: Wire


class ChangedControl(Control):
    """A control and the mRID of the one in whose place it stands; without it nothing had to be changed."""

    replaces: NotRequired[str]


class ShownControl(Control):
    """A control and how many Responses of each status came."""

    responses: dict[str, int]


class ListedControl(Control):
    """A control and its group."""

    group: str
    responses: NotRequired[dict[str, int]]


class Controls(TypedDict):
    """Controls in the order of their lists; `next` is what to give as `after` for more groups."""

    controls: list[ListedControl]
    next: str | None


class Cancelled(TypedDict):
    """The controls that are cancelled."""

    cancelled: int
    mRIDs: list[str]


class Response(TypedDict):
    """A Response of a device. `id` is higher for later ones, also where a device repeats itself."""

    id: int
    device: str | None
    endDeviceLFDI: str | None
    status: int | None
    meaning: str | None
    createdDateTime: int | None
    received: int


class Responses(TypedDict):
    """A page of the Responses to a control as they came; `next` is what to give as `after` for more."""

    mRID: str
    responses: list[Response]
    next: int | None


class Status(TypedDict):
    """How the server is; numbers of devices are null where there are too many to count at once."""

    time: int
    profile: str
    devices: int | None
    aggregators: int | None
    groups: int
    changes: int
    nextEventChange: int | None
    warnings: list[str]


class Changed(TypedDict):
    """The kinds of what changed of a device; null is of nobody, or of a device that is gone."""

    device: str | None
    kinds: list[str]


class Changes(TypedDict):
    """What changed; with `more` there is more behind `next`. Not `complete`: anything may have changed."""

    changed: list[Changed]
    next: int
    more: bool
    complete: bool


class Rates(TypedDict):
    """The pollRate by resource, and the postRate of what is new, s."""

    pollRate: dict[str, int]
    postRate: dict[str, int]
