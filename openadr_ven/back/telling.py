"""What a VTN is to be told of who takes part: opts of single resources, by what their devices answered.

The controls of a device whose user opted out are left alone, so that the user may opt in again; that is why
this goes beside the state machine of events, which would take them back. OpenADR 2.0b, R206.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from openadr_ven.back.points import Standing
from openadr_ven.back.replies import BEGUN, COMPLETED, Heard, Opt, Stance, Summary, stances, summary
from openadr_ven.events import (
    CreateOpt,
    Event,
    EventRecord,
    OptReason,
    OptType,
    Phase,
    Profile,
    State,
    participants,
)

IN: Final = Opt(optType=OptType.IN, reason=OptReason.PARTICIPATING)
"""What a VTN takes a resource for that takes part in an event and of which it heard nothing else."""
REASONS: Final = {
    Stance.OUT: OptReason.OVERRIDE_STATUS,
    Stance.REJECTED: OptReason.NOT_PARTICIPATING,
    Stance.LATE: OptReason.OUTAGE_RUN_STATUS,
}
"""What a VTN is told of a resource that is out, the weightiest first."""
Late = Mapping[str, Collection[str]]
"""By event, devices: of one that has begun, those whose control is not on the server."""
NOTHING_LATE: Final[Late] = MappingProxyType({})
Members = Mapping[str, tuple[str, ...]]
"""The devices behind each resource."""


def owed_opts(
    heard: Heard, state: State, members: Members, late: Late = NOTHING_LATE, unable: Late = NOTHING_LATE
) -> tuple[CreateOpt, ...]:
    """The oadrCreateOpts that are due. Nothing is told twice: `told` keeps what was.

    A resource is out once none of its devices takes part: while one does, the rest is for reports. `unable`
    are by event the devices that can do nothing of it. 3.x has no opts. An opt has the same optID whenever it
    is made again from the same replies.
    """
    found: list[CreateOpt] = []
    for eventID, record in state.records.items():
        is_known = any(eventID in one for one in (heard.replies, heard.told, late, unable))
        if is_known and _may_be_qualified(record):
            stand = _stances(heard, eventID, late, unable)
            found += _opts_of(heard, record, _taking_part(state, record), members, stand)
    return tuple(found)


def out_resources(
    heard: Heard, state: State, members: Members, late: Late = NOTHING_LATE, unable: Late = NOTHING_LATE
) -> dict[str, dict[str, OptReason]]:
    """By event that is open, the resources that do not take part, and why.

    That is also for 3.x, where OPERATING_STATE has to tell it.
    """
    found: dict[str, dict[str, OptReason]] = {}
    for eventID, record in state.records.items():
        if not _is_open(record):
            continue
        stand = _stances(heard, eventID, late, unable)
        opts = {name: _opt_of(stand, members.get(name, ())) for name in _taking_part(state, record)}
        out = {name: one.reason for name, one in opts.items() if one.optType is OptType.OUT}
        if out:
            found[eventID] = out
    return found


def told(heard: Heard, opts: Iterable[CreateOpt]) -> Heard:
    """With opts that are on their way: to be kept in the same moment as they are owed."""
    after = {event: dict(held) for event, held in heard.told.items()}
    for one in opts:
        new = Opt(optType=one.optType, reason=one.reason)
        after.setdefault(one.eventID, {}).update(dict.fromkeys(one.resources, new))
    return replace(heard, told=after)


def summary_of(heard: Heard, state: State, eventID: str, members: Members) -> Summary:
    """How many devices of an event did what; of one that nobody knows, nobody was asked."""
    record = state.records.get(eventID)
    resources = () if record is None else _named(record.resources)
    return summary(heard, eventID, _devices(resources, members))


def standing_of(heard: Heard, state: State, members: Members, late: Late = NOTHING_LATE) -> Standing:
    """Who opted out of the events that run, and who carries one out: for the status of resources."""
    opted_out: set[str] = set()
    curtailed: set[str] = set()
    for eventID, record in state.records.items():
        if record.phase is not Phase.STARTED:
            continue
        stand = _stances(heard, eventID, late)
        for name in _devices(_named(record.resources), members):
            if stand.get(name, Stance.IN) in {Stance.OUT, Stance.LATE}:
                opted_out.add(name)
            elif _carries_out(heard, eventID, name, stand):
                curtailed.add(name)
    return Standing(opted_out=frozenset(opted_out), curtailed=frozenset(curtailed - opted_out))


def _carries_out(heard: Heard, eventID: str, name: str, stand: Mapping[str, Stance]) -> bool:
    """Whether a control of an event was begun and not completed."""
    if stand.get(name) is not Stance.IN:
        return False
    by_control: dict[str, set[int]] = {}
    for one in heard.replies.get(eventID, {}).get(name, ()):
        by_control.setdefault(one.control, set()).add(one.status)
    return any(said & BEGUN and COMPLETED not in said for said in by_control.values())


def _opts_of(
    heard: Heard,
    record: EventRecord,
    resources: Sequence[str],
    members: Members,
    stand: Mapping[str, Stance],
) -> Iterator[CreateOpt]:
    event = record.event
    before = heard.told.get(event.eventID, {})
    due: dict[Opt, list[str]] = {}
    for name in resources:
        wanted = _opt_of(stand, members.get(name, ()))
        if wanted.optType is not before.get(name, IN).optType:
            due.setdefault(wanted, []).append(name)
    for opt, names in due.items():
        yield CreateOpt(
            optID=_opt_id(heard, event, opt, names, members),
            optType=opt.optType,
            reason=opt.reason,
            resources=tuple(names),
            eventID=event.eventID,
            modification=event.modification,
            requestID=record.requestID,
        )


def _opt_of(stand: Mapping[str, Stance], devices: Sequence[str]) -> Opt:
    """In while any device is; else out, by a user where there was one, then by a refusal."""
    found = {stand.get(name, Stance.IN) for name in devices}
    if not found or Stance.IN in found:
        return IN
    return Opt(optType=OptType.OUT, reason=next(REASONS[one] for one in REASONS if one in found))


def _stances(heard: Heard, eventID: str, late: Late, unable: Late = NOTHING_LATE) -> dict[str, Stance]:
    """By what devices said; of one that has not heard of the event, that it is late, or can do nothing."""
    cannot = dict.fromkeys(unable.get(eventID, ()), Stance.REJECTED)
    return {**stances(heard, eventID), **cannot, **dict.fromkeys(late.get(eventID, ()), Stance.LATE)}


def _opt_id(heard: Heard, event: Event, opt: Opt, names: Sequence[str], members: Members) -> str:
    """An id that follows from what it says and from the last reply that led to it."""
    replies = heard.replies.get(event.eventID, {})
    last = [one.id for name in _devices(names, members) for one in replies.get(name, ())]
    words = (
        event.eventID,
        str(event.modification),
        opt.optType,
        opt.reason,
        *names,
        str(max(last, default=0)),
    )
    return hashlib.sha256("|".join(words).encode()).hexdigest()[:32]


def _may_be_qualified(record: EventRecord) -> bool:
    """Whether an oadrCreateOpt may name an event: it is open, ours, and wants responses (R206)."""
    event = record.event
    return (
        _is_open(record)
        and event.profile is Profile.V20B
        and event.is_response_required
        and not event.is_test
    )


def _is_open(record: EventRecord) -> bool:
    return record.phase is not Phase.ENDED and record.cancellation is None and record.refusal is None


def _taking_part(state: State, record: EventRecord) -> tuple[str, ...]:
    """Resources that we opted in: of others a person has said already that they are out."""
    return _named(participants(state, record))


def _named(parts: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts for name in part))


def _devices(resources: Iterable[str], members: Members) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in resources for name in members.get(one, ())))
