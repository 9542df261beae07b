"""An oadrCreateOpt, as a VTN of ours reads it. OpenADR 2.0b, R206, R210."""

from openadr_ven.events import CreateOpt, OptReason, OptType, Window
from openadr_ven.iso8601 import duration_s, instant
from openadr_ven.v2b.document import Element, child, needed, text
from openadr_ven.v2b.messages import CreateOptMessage
from openadr_ven.v2b.reading_events import targets_of


def create_opt_of(element: Element) -> CreateOptMessage:
    """An opt of an event, or a schedule: windows of duration 0 have no end."""
    event = child(element, "qualifiedEventID")
    reason = needed(element, "optReason")
    components = child(element, "vavailability", "components")
    opt = CreateOpt(
        optID=needed(element, "optID"),
        optType=OptType(needed(element, "optType")),
        reason=OptReason(reason) if reason in set(OptReason) else OptReason.SCHEDULE,
        resources=tuple(
            one.value for one in targets_of(child(element, "eiTarget")) if one.kind == "resourceID"
        ),
        eventID=text(event, "eventID") or "",
        modification=int(text(event, "modificationNumber") or 0),
        requestID=needed(element, "requestID"),
        windows=() if components is None else tuple(_window(one) for one in components),
        marketContext=text(element, "marketContext") or "",
    )
    return CreateOptMessage(
        venID=needed(element, "venID"),
        requestID=needed(element, "requestID"),
        createdDateTime=instant(needed(element, "createdDateTime")) or 0,
        opt=opt,
    )


def _window(component: Element) -> Window:
    found = child(component, "properties")
    return Window(
        start=instant(needed(found, "dtstart", "date-time")) or 0,
        duration_s=duration_s(needed(found, "duration", "duration")) or None,
    )
