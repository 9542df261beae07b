"""Which of our resources an event is for: its items are OR'd, device classes AND'd. Case counts (R512).

OpenADR 2.0b, R22, R111, R112.
"""

from typing import Final

from openadr_ven.events.answer import Code, Refusal
from openadr_ven.events.enrolment import Enrolment
from openadr_ven.events.event import Event, Profile, Signal, Target

VEN_KINDS: Final = frozenset({"venID", "VEN_NAME"})
RESOURCE_KINDS: Final = frozenset({"resourceID", "RESOURCE_NAME"})
CLASS_KINDS: Final = frozenset({"endDeviceAsset"})
OTHER_KINDS: Final = frozenset({"EVENT_NAME", "PROGRAM_NAME"})
"""What 3.0.1 lists beside those for whom an event is."""


def resolved(event: Event, enrolment: Enrolment) -> tuple[str, ...] | Refusal:
    """The resources that an event is for, in the order of the enrolment; a refusal where it is not for us.

    No target is all of us. A resourceID of 2.0b that is not ours is refused with 469, unless the event is for
    other VENs too; in 3.x it is left alone, since the VTN tells everyone the same.
    """
    items = [item for item in event.targets if item.kind not in OTHER_KINDS]
    if not items:
        return tuple(one.name for one in enrolment.resources)
    unknown = _unknown(event, items, enrolment)
    if unknown:
        return Refusal(code=Code.DEPLOYMENT_OTHER, text=f"no resource {', '.join(unknown)} here")
    found = _addressed(items, enrolment)
    if not found:
        return Refusal(code=Code.TARGET_MISMATCH, text="the target is not this VEN")
    return tuple(one.name for one in enrolment.resources if one.name in found)


def shared(signal: Signal, resources: tuple[str, ...], enrolment: Enrolment) -> tuple[str, ...]:
    """Those of the event's resources that are of a device class of the signal; all where it names none."""
    if not signal.device_classes:
        return resources
    wanted = frozenset(signal.device_classes)
    classes = {one.name: one.device_classes for one in enrolment.resources}
    return tuple(name for name in resources if wanted & classes.get(name, frozenset()))


def _unknown(event: Event, items: list[Target], enrolment: Enrolment) -> list[str]:
    ours = {one.name for one in enrolment.resources}
    vens = {item.value for item in items if item.kind in VEN_KINDS}
    if event.profile is not Profile.V20B or vens - _own_names(enrolment):
        return []
    return [item.value for item in items if item.kind in RESOURCE_KINDS and item.value not in ours]


def _addressed(items: list[Target], enrolment: Enrolment) -> set[str]:
    """Names of the resources that any of the items addresses."""
    names = {item.value for item in items if item.kind in RESOURCE_KINDS | {""}}
    classes = {item.value for item in items if item.kind in CLASS_KINDS}
    others = [item for item in items if item.kind not in RESOURCE_KINDS | CLASS_KINDS]
    tags = {item.value for item in others if item.kind not in VEN_KINDS}
    is_all = any(item.value in _own_names(enrolment) for item in others)
    return {
        one.name
        for one in enrolment.resources
        if is_all
        or one.name in names
        or not classes.isdisjoint(one.device_classes)
        or not tags.isdisjoint(one.targets)
    }


def _own_names(enrolment: Enrolment) -> frozenset[str]:
    return enrolment.names | {enrolment.ven_id}
