"""What the operations on resources of any function set answer."""

from typing import NotRequired, TypedDict

from sep2_server.operator.answers import Response, Wire
from sep2_server.operator.errors import Problem


class ImportedReadings(TypedDict):
    """How many values were stored, usage points and meter readings made; what is wrong with which item."""

    points: int
    meterReadings: int
    values: int
    problems: list[Problem]


class Ensured(TypedDict):
    """A resource that is there; `created` tells whether it is new, `status` is that of an event."""

    item: int
    mRID: str
    href: str
    created: bool
    status: NotRequired[str]


class EnsuredResources(TypedDict):
    """What is there by `item`, counted from 1, and what is wrong with which item."""

    items: list[Ensured]
    problems: list[Problem]


class Ended(TypedDict):
    """An event and its status, null where there is none; `cancelled` tells whether it was open until now."""

    item: int
    mRID: str
    status: str | None
    cancelled: bool


class EndedEvents(TypedDict):
    """What became of events by `item`, counted from 1, and what is wrong with which item."""

    items: list[Ended]
    problems: list[Problem]


class ChangedDefault(TypedDict):
    """A program and the mRID of its DefaultDERControl, null where it has none."""

    item: int
    program: str
    mRID: str | None


class ChangedDefaults(TypedDict):
    """What became of defaults by `item`, counted from 1, and what is wrong with which item."""

    items: list[ChangedDefault]
    problems: list[Problem]


class Place(TypedDict):
    """Where what was done away with has been."""

    href: str


class AnyResource(TypedDict):
    """A resource of any function set; `status` of events, `replaces` the mRID of the event it supersedes."""

    href: str
    kind: str
    mRID: NotRequired[str]
    status: NotRequired[str]
    replaces: NotRequired[str]
    resource: Wire | None


class FoundResource(TypedDict):
    """A resource, or a list with its `items`."""

    href: str
    kind: str
    mRID: NotRequired[str]
    status: NotRequired[str]
    resource: NotRequired[Wire | None]
    items: NotRequired[list[AnyResource]]


class EventResponses(TypedDict):
    """A page of the Responses to an event, and how many there are of each status in all.

    `next` is what to give as `after` for more.
    """

    href: str
    counts: dict[str, int]
    responses: list[Response]
    next: int | None


class AssignedResources(TypedDict):
    """The programs of all kinds of a group."""

    name: str
    items: list[AnyResource]


class Shared(TypedDict):
    """A program and a group; `changed` is false where it was so before."""

    group: str
    href: str
    changed: bool
