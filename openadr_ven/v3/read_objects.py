"""JSON of a VTN into objects, but for events (`read_event`). Raises FlawError for what cannot be read."""

from typing import Final

from openadr_ven.events import Target
from openadr_ven.v3.errors import FlawError
from openadr_ven.v3.leniency import Leniency, Notes
from openadr_ven.v3.objects import (
    MqttBinding,
    Notification,
    PayloadDescriptor,
    Program,
    ReportDescriptor,
    ReportIntervals,
    ReportObject,
    ResourceObject,
    SubscriptionObject,
    VenObject,
)
from openadr_ven.v3.quantities import unit_words
from openadr_ven.v3.table import LONGEST_TEXT, Table, is_text, table_of
from openadr_ven.v3.version import OPERATIONS_301, ObjectType, Operation, Version

MOST_TARGETS: Final = 10_000
"""Of one object."""


def read_program(found: object, version: Version, notes: Notes) -> Program:
    """A program with the payload descriptors of its events."""
    table = object_of(found, ObjectType.PROGRAM, notes)
    return Program(
        id=id_of(table),
        programName=table.text("programName") or "",
        modification=times_of(table)[1],
        targets=targets_of(table, version),
        payloadDescriptors=payload_descriptors(table),
    )


def read_ven(found: object, version: Version, notes: Notes) -> VenObject:
    """A VEN."""
    table = object_of(found, ObjectType.VEN, notes)
    return VenObject(id=id_of(table), venName=table.word("venName"), targets=targets_of(table, version))


def read_resource(found: object, version: Version, notes: Notes) -> ResourceObject:
    """A resource."""
    table = object_of(found, ObjectType.RESOURCE, notes)
    return ResourceObject(
        id=id_of(table),
        resourceName=table.word("resourceName"),
        venID=table.identifier("venID") or "",
        targets=targets_of(table, version),
    )


def read_subscription(found: object, version: Version, notes: Notes) -> SubscriptionObject:
    """A subscription; its tokens are not read."""
    del version
    table = object_of(found, ObjectType.SUBSCRIPTION, notes)
    urls = tuple(one.text("callbackUrl") or "" for one in table.tables("objectOperations"))
    return SubscriptionObject(
        id=id_of(table),
        clientName=table.text("clientName") or "",
        programID=table.identifier("programID") or "",
        callbackUrls=urls,
    )


def read_report(found: object, version: Version, notes: Notes) -> ReportObject:
    """The head of a report."""
    del version
    table = object_of(found, ObjectType.REPORT, notes)
    return ReportObject(
        id=id_of(table),
        eventID=table.identifier("eventID") or "",
        clientName=table.text("clientName") or "",
        reportName=table.text("reportName") or "",
    )


def read_notification(found: object, version: Version, notes: Notes) -> Notification:
    """A notification in the words of its version, or of the other."""
    table = table_of(found, "notification", notes)
    kind, word = table.word("objectType"), table.word("operation")
    is_own = word in OPERATIONS_301 if version is Version.V301 else word in set(Operation)
    operation = OPERATIONS_301.get(word) or (Operation(word) if word in set(Operation) else None)
    if kind not in set(ObjectType) or operation is None:
        raise FlawError(f"notification: {kind[:40]!r} {word[:40]!r} is no kind and operation")
    if not is_own:
        notes.add(Leniency.OPERATION_WORD, "notification.operation")
    return Notification(objectType=ObjectType(kind), operation=operation, found=table.get("object"))


def read_mqtt(found: object, notes: Notes) -> MqttBinding | None:
    """The MQTT binding of /notifiers; None where the VTN has none. OpenADR 3.1.0."""
    binding = table_of(found, "notifiers", notes).inner("MQTT")
    if binding is None:
        return None
    way = binding.inner("authentication")
    return MqttBinding(
        URIS=tuple(uri for uri in binding.items("URIS") if isinstance(uri, str)),
        method="ANONYMOUS" if way is None else way.word("method"),
        username="" if way is None else way.text("username") or "",
    )


def problem_text(found: object) -> str:
    """A problem in one short line; what has another form is said to be none."""
    if not isinstance(found, dict):
        return "no problem object"
    parts = (found.get(key) for key in ("title", "detail", "error", "error_description"))
    return ": ".join(part[:200] for part in parts if isinstance(part, str)) or "no title"


def object_of(found: object, kind: ObjectType, notes: Notes) -> Table:
    """The table of an object of this kind: an objectType of another kind is a flaw."""
    table = table_of(found, kind.lower(), notes)
    word = table.text("objectType")
    if word == kind:
        return table
    if word is not None and not (word.startswith(("BL_", "VEN_")) and kind in word):
        raise FlawError(f"{table.place}.objectType: {word[:40]!r} stands among {kind}")
    notes.add(Leniency.OBJECT_TYPE, f"{table.place}.objectType")
    return table


def id_of(table: Table) -> str:
    """The id, which every object of a VTN has."""
    found = table.identifier("id")
    if found is None:
        raise table.flaw("id", "missing")
    return found


def times_of(table: Table) -> tuple[int, int]:
    """CreatedDateTime, s, and modificationDateTime, microseconds, since 1970."""
    created_us = _time_us(table, "createdDateTime")
    if created_us is None:
        table.notes.add(Leniency.NO_CREATED, table.place)
    modified_us = _time_us(table, "modificationDateTime")
    if modified_us is None:
        table.notes.add(Leniency.NO_MODIFICATION, table.place)
        modified_us = created_us
    return (created_us or 0) // 1_000_000, max(0, modified_us or 0)


def targets_of(table: Table, version: Version) -> tuple[Target, ...]:
    """Targets: strings in 3.1.0, kinds with their values in 3.0.1."""
    targets: list[Target] = []
    found = table.items("targets")
    if len(found) > MOST_TARGETS:
        raise table.flaw("targets", f"{len(found)} are too many")
    for number, one in enumerate(found):
        place = f"{table.place}.targets[{number}]"
        if isinstance(one, str):
            is_own, kind, values = version is Version.V310, "", [_target_value(one, place)]
        else:
            inner = table_of(one, place, table.notes)
            is_own, kind = version is Version.V301, inner.word("type")
            values = [_target_value(value, place) for value in inner.items("values")]
        if not is_own:
            table.notes.add(Leniency.TARGET_FORM, place)
        targets += (Target(kind=kind, value=value) for value in values)
    return tuple(targets)


def _target_value(found: object, place: str) -> str:
    is_value = isinstance(found, str | int) and not isinstance(found, bool)
    text = str(found)
    if not is_value or len(text) > LONGEST_TEXT or not is_text(text):
        raise FlawError(f"{place}: no value of a target")
    return text


def payload_descriptors(table: Table) -> dict[str, PayloadDescriptor]:
    """Descriptors of event payloads by type. Those of reports stand beside them in programs."""
    read: dict[str, PayloadDescriptor] = {}
    for found in table.items("payloadDescriptors"):
        try:
            one = table_of(found, f"{table.place}.payloadDescriptors", table.notes)
            if one.text("objectType") == "REPORT_PAYLOAD_DESCRIPTOR":
                continue
            if one.text("objectType") is None:
                table.notes.add(Leniency.OBJECT_TYPE, one.place)
            units, currency = unit_words(one)
            kind = one.word("payloadType")
        except FlawError as flaw:
            table.notes.add(Leniency.DESCRIPTOR_LEFT_OUT, str(flaw))
        else:
            read[kind] = PayloadDescriptor(payloadType=kind, units=units, currency=currency)
    return read


def report_descriptors(table: Table, version: Version) -> tuple[ReportDescriptor, ...]:
    """The reports that an event asks for; one that cannot be read is left out."""
    read: list[ReportDescriptor] = []
    for number, found in enumerate(table.items("reportDescriptors")):
        try:
            one = table_of(found, f"{table.place}.reportDescriptors[{number}]", table.notes)
            read.append(_report_descriptor(one, version))
        except FlawError as flaw:
            table.notes.add(Leniency.DESCRIPTOR_LEFT_OUT, str(flaw))
    return tuple(read)


def _report_descriptor(one: Table, version: Version) -> ReportDescriptor:
    way = one.text("reportIntervals") or ReportIntervals.INTERVALS
    if way not in set(ReportIntervals):
        raise one.flaw("reportIntervals", f"{way[:40]!r} is unknown")
    counts = {
        name: one.whole(name, default) or 0
        for name, default in (("startInterval", -1), ("numIntervals", -1), ("frequency", -1), ("repeat", 1))
    }
    if min(counts.values()) < -1:
        raise one.flaw("startInterval", "a count below -1")
    return ReportDescriptor(
        payloadType=one.word("payloadType"),
        readingType=one.text("readingType"),
        units=unit_words(one)[0],
        targets=targets_of(one, version),
        aggregate=one.flag("aggregate", default=False),
        historical=one.flag("historical", default=True),
        reportIntervals=ReportIntervals(way),
        **counts,
    )


def _time_us(table: Table, name: str) -> int | None:
    try:
        return table.instant_us(name)
    except FlawError:
        return None
