"""What a server says of events as their time comes, and what changes nothing that was worked out. Pure."""

from dataclasses import dataclass, replace

from function_sets import Program
from schemas import DERControl
from schemas.codes import EventState


@dataclass(slots=True)
class _Last:
    """The pair that was compared last: all EndDevices of a program see the same two, one after the other."""

    old: Program | None = None
    new: Program | None = None
    is_expected: bool = False


_LAST = _Last()


def are_expected(old: tuple[Program, ...], new: tuple[Program, ...]) -> bool:
    """True if all that is new are events that are active by now, or over and not listed any more.

    An event goes by the client's clock, not by its status, and one that is not listed any more goes on.
    IEEE 2030.5-2018, 10.2.3.
    """
    return len(old) == len(new) and all(map(_is_expected, old, new))


def _is_expected(old: Program, new: Program) -> bool:
    if old is new:
        return True
    if _LAST.old is not old or _LAST.new is not new:
        _LAST.old, _LAST.new, _LAST.is_expected = old, new, _differs_as_expected(old, new)
    return _LAST.is_expected


def _differs_as_expected(old: Program, new: Program) -> bool:
    if replace(old, controls=()) != replace(new, controls=()):
        return False
    before = {control.mRID: control for control in old.controls}
    return all(one.mRID in before and _has_begun(before[one.mRID], one) for one in new.controls)


def _has_begun(old: DERControl, new: DERControl) -> bool:
    """True for an event that is as it was, or active where it was scheduled."""
    if old == new:
        return True
    was, status = old.EventStatus_, new.EventStatus_
    if (was.currentStatus, status.currentStatus) != (EventState.SCHEDULED, EventState.ACTIVE):
        return False
    is_same = was.potentiallySuperseded == status.potentiallySuperseded
    return is_same and replace(new, EventStatus_=was) == old
