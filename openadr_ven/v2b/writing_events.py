"""An oadrDistributeEvent as a VTN of ours writes it: with units, notification and device classes.

OpenADR 2.0b, R22, R102, R103, R105. Values are in plain units, so that siScaleCode is none.
"""

from itertools import groupby

from openadr_ven.events import Event, Interval, Signal, Target, Unit
from openadr_ven.events.quantity import ITEMS, PRICES
from openadr_ven.v2b.element import leaf, message, nested, timed
from openadr_ven.v2b.messages import DistributeEvent
from openadr_ven.v2b.templating import at, span

ORDER = (
    "aggregatedPnode",
    "endDeviceAsset",
    "meterAsset",
    "pnode",
    "serviceDeliveryPoint",
    "groupID",
    "groupName",
    "resourceID",
    "venID",
    "partyID",
)
"""Items of an eiTarget in the order of the schema."""
_DESCRIPTIONS = {
    "powerReal": ("RealPower", "W"),
    "powerApparent": ("ApparentPower", "VA"),
    "powerReactive": ("ReactivePower", "VAR"),
    "energyReal": ("RealEnergy", "Wh"),
    "energyApparent": ("ApparentEnergy", "VAh"),
    "energyReactive": ("ReactiveEnergy", "VARh"),
}
_ITEM_OF = {unit: item for item, (_, unit) in ITEMS.items() if item in _DESCRIPTIONS}
_PRICE_OF = {unit: item for item, unit in PRICES.items()}


def distribute_event(one: DistributeEvent) -> str:
    """All events of a VEN."""
    response = one.response
    head = ""
    if response is not None:
        head = nested(
            "ei:eiResponse",
            leaf("ei:responseCode", response.code)
            + leaf("ei:responseDescription", response.text)
            + leaf("pyld:requestID", response.requestID),
        )
    events = "".join(_event(event) for event in one.events)
    ids = leaf("pyld:requestID", one.requestID) + leaf("ei:vtnID", one.vtnID)
    return message("oadrDistributeEvent", head + ids + events)


def _event(event: Event) -> str:
    signals = "".join(_signal(signal) for signal in event.signals)
    inner = (
        _descriptor(event) + _period(event) + nested("ei:eiEventSignals", signals) + _target(event.targets)
    )
    wanted = leaf("oadr:oadrResponseRequired", "always" if event.is_response_required else "never")
    return nested("oadr:oadrEvent", nested("ei:eiEvent", inner) + wanted)


def _descriptor(event: Event) -> str:
    context = nested("ei:eiMarketContext", leaf("emix:marketContext", event.marketContext))
    return nested(
        "ei:eventDescriptor",
        leaf("ei:eventID", event.eventID)
        + leaf("ei:modificationNumber", event.modification)
        + leaf("ei:priority", event.priority)
        + context
        + leaf("ei:createdDateTime", at(event.createdDateTime))
        + leaf("ei:eventStatus", event.eventStatus)
        + leaf("ei:testEvent", "true" if event.is_test else "false")
        + leaf("ei:vtnComment", event.vtnComment),
    )


def _period(event: Event) -> str:
    late_s, notice_s = event.randomization.late_s, event.notification_s
    startafter = nested("xcal:tolerate", leaf("xcal:startafter", span(late_s)))
    properties = (
        timed("xcal:dtstart", at(event.start or 0), "date-time")
        + timed("xcal:duration", span(event.duration_s))
        + (nested("xcal:tolerance", startafter) if late_s else "")
        + timed("ei:x-eiNotification", None if notice_s is None else span(notice_s))
        + timed("ei:x-eiRampUp", span(event.ramp_up_s) if event.ramp_up_s else None)
        + timed("ei:x-eiRecovery", span(event.recovery_s) if event.recovery_s else None)
    )
    return nested("ei:eiActivePeriod", nested("xcal:properties", properties) + "<xcal:components/>")


def _signal(signal: Signal) -> str:
    classes = tuple(Target(kind="endDeviceAsset", value=name) for name in signal.device_classes)
    return nested(
        "ei:eiEventSignal",
        nested("strm:intervals", "".join(_interval(one) for one in signal.intervals))
        + (_target(classes) if classes else "")
        + leaf("ei:signalName", signal.signalName)
        + leaf("ei:signalType", signal.signalType)
        + leaf("ei:signalID", signal.signalID)
        + _item_base(signal),
    )


def _interval(interval: Interval) -> str:
    values = "".join(
        nested("ei:signalPayload", nested("ei:payloadFloat", leaf("ei:value", str(value))))
        for value in interval.values
    )
    uid = nested("xcal:uid", leaf("xcal:text", interval.uid))
    return nested("ei:interval", timed("xcal:duration", span(interval.duration_s)) + uid + values)


def _item_base(signal: Signal) -> str:
    """The unit of a signal; one that 2.0b has no element for is not written."""
    unit = signal.unit
    if unit in _PRICE_OF:
        item = _PRICE_OF[unit]
        return nested(f"oadr:{item}", _unit(item, signal.currency or "USD", "oadr"))
    if unit not in _ITEM_OF:
        return ""
    item = _ITEM_OF[unit]
    description, units = _DESCRIPTIONS[item]
    mains = ""
    if unit in {Unit.W, Unit.VA, Unit.VAR}:
        mains = nested(
            "power:powerAttributes",
            leaf("power:hertz", 50) + leaf("power:voltage", 230) + leaf("power:ac", "true"),
        )
    return nested(f"power:{item}", _unit(description, units, "power") + mains)


def _unit(description: str, units: str, space: str) -> str:
    return (
        leaf(f"{space}:itemDescription", description)
        + leaf(f"{space}:itemUnits", units)
        + leaf("scale:siScaleCode", "none")
    )


def _target(targets: tuple[Target, ...]) -> str:
    ordered = sorted(targets, key=lambda one: ORDER.index(one.kind))
    return nested(
        "ei:eiTarget",
        "".join(
            _item(kind, one.value) for kind, ones in groupby(ordered, lambda one: one.kind) for one in ones
        ),
    )


def _item(kind: str, value: str) -> str:
    if kind in {"endDeviceAsset", "meterAsset"}:
        return nested(f"power:{kind}", leaf("power:mrid", value))
    if kind in {"aggregatedPnode", "pnode", "serviceDeliveryPoint"}:
        return nested(f"power:{kind}", leaf("power:node", value))
    return leaf(f"ei:{kind}", value)
