"""An oadrCreateOpt: one target that holds our venID and every resource. OpenADR 2.0b, R206, R210."""

from openadr_ven.events import CreateOpt, Window
from openadr_ven.v2b.element import leaf, message, nested, timed
from openadr_ven.v2b.messages import CreateOptMessage
from openadr_ven.v2b.templating import at, span


def create_opt(one: CreateOptMessage) -> str:
    """An opt of an event has neither schedule nor market context (R206)."""
    opt = one.opt
    return message(
        "oadrCreateOpt",
        leaf("ei:optID", opt.optID)
        + leaf("ei:optType", opt.optType)
        + leaf("ei:optReason", opt.reason)
        + (leaf("emix:marketContext", opt.marketContext) if opt.marketContext and not opt.eventID else "")
        + leaf("ei:venID", one.venID)
        + _schedule(opt)
        + leaf("ei:createdDateTime", at(one.createdDateTime))
        + leaf("pyld:requestID", one.requestID)
        + _event(opt)
        + nested("ei:eiTarget", _resources(opt) + leaf("ei:venID", one.venID)),
    )


def _resources(opt: CreateOpt) -> str:
    return "".join(leaf("ei:resourceID", name) for name in opt.resources)


def _event(opt: CreateOpt) -> str:
    named = leaf("ei:eventID", opt.eventID) + leaf("ei:modificationNumber", opt.modification)
    return nested("ei:qualifiedEventID", named) if opt.eventID else ""


def _schedule(opt: CreateOpt) -> str:
    if opt.eventID or not opt.windows:
        return ""
    parts = "".join(_available(window) for window in opt.windows)
    return nested("xcal:vavailability", nested("xcal:components", parts))


def _available(window: Window) -> str:
    times = timed("xcal:dtstart", at(window.start), "date-time") + timed(
        "xcal:duration", span(window.duration_s)
    )
    return nested("xcal:available", nested("xcal:properties", times))
