"""What a VTN of 3.x keeps, as a VEN reads it: programs, VENs, resources, descriptors, notifications.

Whatever the version: the words of the wire are gone, but for the names of its fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from openadr_ven.events import Event, Target
from openadr_ven.v3.version import ObjectType, Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadDescriptor:
    """Units and currency (ISO 4217 letters) of one payload type of events."""

    payloadType: str
    units: str | None = None
    currency: str | None = None


class ReportIntervals(StrEnum):
    """Which intervals a report has. OpenADR 3.1.0, reportDescriptor."""

    INTERVALS = "INTERVALS"
    SUB_INTERVALS = "SUB_INTERVALS"
    OPEN_INTERVALS = "OPEN_INTERVALS"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDescriptor:
    """What report an event asks for. Counts are of intervals; -1 as the standard says. OpenADR 3.1.0."""

    payloadType: str
    readingType: str | None = None
    units: str | None = None
    targets: tuple[Target, ...] = ()
    aggregate: bool = False
    startInterval: int = -1
    numIntervals: int = -1
    historical: bool = True
    frequency: int = -1
    repeat: int = 1
    reportIntervals: ReportIntervals = ReportIntervals.INTERVALS


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program; `modification` is in microseconds since 1970."""

    id: str
    programName: str
    modification: int = 0
    targets: tuple[Target, ...] = ()
    payloadDescriptors: Mapping[str, PayloadDescriptor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventObject:
    """An event as the state machine takes it, and the reports that it asks for."""

    event: Event
    eventName: str = ""
    reportDescriptors: tuple[ReportDescriptor, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VenObject:
    """A VEN as its VTN holds it; `targets` are what the VTN granted it."""

    id: str
    venName: str
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceObject:
    """A resource of a VEN."""

    id: str
    resourceName: str
    venID: str = ""
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionObject:
    """A subscription with the URLs that it calls."""

    id: str
    clientName: str
    programID: str = ""
    callbackUrls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportObject:
    """A report that a VTN holds."""

    id: str
    eventID: str
    clientName: str
    reportName: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What happened to which object; `found` is the object as JSON, still to be read."""

    objectType: ObjectType
    operation: Operation
    found: object


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttBinding:
    """Where the notifications of a VTN are by MQTT. OpenADR 3.1.0, /notifiers."""

    URIS: tuple[str, ...]
    method: str
    username: str = ""
