"""Reports are made from what a meter says, and sent until the VTN has them: once, whatever happens."""

import logging
from typing import Final

from openadr_ven.v3.errors import RefusedError, UnreadableError
from openadr_ven.v3.kept import Owed
from openadr_ven.v3.leniency import Notes
from openadr_ven.v3.objects import ReportDescriptor
from openadr_ven.v3.owing import Wanted, on_wire, unit_of
from openadr_ven.v3.paging import walk
from openadr_ven.v3.ports import Ask, Measured, Meter
from openadr_ven.v3.read_list import read_list
from openadr_ven.v3.read_objects import read_report
from openadr_ven.v3.report import (
    DataQuality,
    Payload,
    Report,
    ReportInterval,
    ReportPayloadDescriptor,
    ResourceReport,
    wrong_payload,
)
from openadr_ven.v3.version import LIMIT
from openadr_ven.v3.wire import Wire

log: Final = logging.getLogger(__name__)


async def report_of(one: Wanted, clientName: str, meter: Meter) -> Report | None:
    """A report with what the meter says; None where no resource of ours is asked for."""
    if not one.resources:
        return None
    word, _ = unit_of(one.descriptor)
    rows = [
        ResourceReport(resourceName=name, intervals=await _intervals(one, names, meter))
        for name, names in one.rows
    ]
    descriptor = ReportPayloadDescriptor(
        payloadType=one.descriptor.payloadType, readingType=one.descriptor.readingType, units=word
    )
    return Report(
        eventID=one.eventID,
        programID=one.programID,
        clientName=clientName,
        reportName=one.name,
        resources=tuple(rows),
        payloadDescriptors=(descriptor,),
    )


async def _intervals(one: Wanted, names: tuple[str, ...], meter: Meter) -> tuple[ReportInterval, ...]:
    rows: list[ReportInterval] = []
    for slot in one.due.slots:
        end = slot.start if slot.end is None else slot.end
        ask = Ask(
            payloadType=one.descriptor.payloadType,
            readingType=one.descriptor.readingType,
            resources=names,
            start=slot.start,
            end=end,
            unit=unit_of(one.descriptor)[1],
        )
        payloads = _payloads(one.descriptor, await meter.measured(ask))
        length_s = None if slot.end is None else end - slot.start
        rows.append(ReportInterval(id=slot.id, start=slot.start, duration_s=length_s, payloads=payloads))
    return tuple(rows)


def _payloads(descriptor: ReportDescriptor, found: Measured | None) -> tuple[Payload, ...]:
    """The value, and how good it is where that has to be said. What may not be sent is missing."""
    missing = (Payload(type="DATA_QUALITY", values=(DataQuality.MISSING.value,)),)
    if found is None:
        return missing
    payload = Payload(type=descriptor.payloadType, values=(on_wire(found.value, unit_of(descriptor)[0]),))
    wrong = wrong_payload(payload)
    if wrong is not None:
        log.warning("a value is left out of a report: %s %s", descriptor.payloadType, wrong)
        return missing
    if found.quality is DataQuality.OK:
        return (payload,)
    return payload, Payload(type="DATA_QUALITY", values=(found.quality.value,))


async def send(wire: Wire, owed: Owed, clientName: str) -> bool:
    """Send a report that may have been sent before; False where the VTN refuses it for good.

    A VTN that does not let a VEN read reports may get one twice: better than none at all.
    """
    if owed.tries > 1 and await _is_there(wire, owed, clientName):
        log.info("report %s had arrived before", owed.reportName)
        return True
    try:
        await wire.post("/reports", owed.body)
    except RefusedError as error:
        log.warning("report %s is refused: %s", owed.reportName, error)
        return False
    except UnreadableError as error:
        if owed.tries <= 1:
            raise
        log.warning("report %s was taken twice with no answer that can be read: %s", owed.reportName, error)
    return True


async def _is_there(wire: Wire, owed: Owed, clientName: str) -> bool:
    query = [("eventID", owed.eventID), ("clientName", clientName)]

    async def page(skip: int) -> object:
        return await wire.get("/reports", [*query, ("skip", str(skip)), ("limit", str(LIMIT))])

    try:
        walked = await walk(page)
    except (RefusedError, UnreadableError) as error:
        log.warning("whether report %s has arrived cannot be seen: %s", owed.reportName, error)
        return False
    found = read_list(
        list(walked.items), lambda one: read_report(one, wire.version, Notes()), most=len(walked.items)
    )
    return any(one.reportName == owed.reportName and one.eventID == owed.eventID for one in found.objects)
