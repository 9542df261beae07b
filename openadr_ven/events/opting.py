"""Opting in and out on our side: a whole event, some of its resources, or a schedule.

OpenADR 2.0b, R206, R210, R211.
"""

from collections.abc import Collection
from dataclasses import replace

from openadr_ven.events.answer import Answer, Code, CreateOpt, OptReason, OptType
from openadr_ven.events.clockwork import advance, change
from openadr_ven.events.errors import OptError
from openadr_ven.events.event import Profile
from openadr_ven.events.record import EventRecord, Phase, ResourceOpt, State
from openadr_ven.events.step import ChangeKind, Step
from openadr_ven.events.taking_part import is_carried_out, opt_of, participants


def opt_event(state: State, eventID: str, opt: OptType, now: int) -> Step:
    """A whole event, in or out, told by another oadrCreatedEvent. Resources opted before keep theirs (R206).

    Raises OptError for an event that nobody knows, that was refused, or that is over or cancelled.
    """
    before = advance(state, now)
    record = _open(before.state, eventID)
    after = replace(record, optType=opt)
    return _decided(before, {eventID: after}, now, told={eventID})


def opt_resources(
    state: State,
    eventID: str,
    resources: tuple[str, ...],
    opt: OptType,
    now: int,
    *,
    optID: str,
    reason: OptReason,
) -> Step:
    """Some resources of an event, in or out, told by an oadrCreateOpt; none named are all of them.

    Raises OptError for an event that may not be qualified, and for a resource that it is not for (R206).
    """
    before = advance(state, now)
    record = _open(before.state, eventID)
    event = record.event
    if event.profile is Profile.V20B and not event.is_response_required:
        raise OptError(f"event {eventID} wants no response: it may not be qualified")
    names = tuple(dict.fromkeys(name for part in record.resources for name in part))
    strange = [name for name in resources if name not in names]
    if strange:
        raise OptError(f"event {eventID} is not for {', '.join(strange)}")
    chosen = resources or names
    kept = tuple(one for one in record.opted if one.resource not in chosen)
    opted = tuple(ResourceOpt(resource=name, optType=opt, optID=optID) for name in chosen)
    step = _decided(before, {eventID: replace(record, opted=(*kept, *opted))}, now, told=())
    if event.profile is not Profile.V20B:
        return step
    told = CreateOpt(
        optID=optID,
        optType=opt,
        reason=reason,
        resources=resources,
        eventID=eventID,
        modification=event.modification,
        requestID=record.requestID,
    )
    return replace(step, opts=(told,))


def add_schedule(state: State, schedule: CreateOpt, now: int) -> Step:
    """An availability schedule. Events whose answer it turns are answered again.

    Raises OptError for one that names an event, has no window, or an optID that is in use.
    """
    if schedule.eventID or not schedule.windows:
        raise OptError("a schedule names no event, and has at least one window")
    if any(one.optID == schedule.optID for one in state.schedules):
        raise OptError(f"opt {schedule.optID} is there already")
    step = _rescheduled(state, (*state.schedules, schedule), now)
    return replace(step, opts=(schedule,))


def cancel_opt(state: State, optID: str, now: int) -> Step:
    """A schedule is taken back. Raises OptError for one that is none: an opt of an event stays (R211)."""
    if all(one.optID != optID for one in state.schedules):
        raise OptError(f"opt {optID} is no schedule of ours")
    step = _rescheduled(state, tuple(one for one in state.schedules if one.optID != optID), now)
    return replace(step, cancelled_opts=(optID,))


def opts_of(state: State) -> tuple[CreateOpt, ...]:
    """What was said of resources in the open events of 2.0b, as it was told, for a VTN that lost it."""
    found: list[CreateOpt] = []
    for eventID, record in state.records.items():
        if not _is_open(record) or not _is_answered(record):
            continue
        for optID, opt in dict.fromkeys((one.optID, one.optType) for one in record.opted):
            named = tuple(one.resource for one in record.opted if (one.optID, one.optType) == (optID, opt))
            found.append(
                CreateOpt(
                    optID=optID,
                    optType=opt,
                    reason=OptReason.PARTICIPATING if opt is OptType.IN else OptReason.OVERRIDE_STATUS,
                    resources=named,
                    eventID=eventID,
                    modification=record.event.modification,
                    requestID=record.requestID,
                )
            )
    return tuple(found)


def _rescheduled(state: State, schedules: tuple[CreateOpt, ...], now: int) -> Step:
    before = advance(state, now)
    planned = replace(before.state, schedules=schedules)
    turned = {
        eventID
        for eventID, record in planned.records.items()
        if _is_open(record) and opt_of(planned, record) is not opt_of(before.state, record)
    }
    return _decided(replace(before, state=planned), {}, now, told=turned, old=before.state)


def _decided(
    before: Step,
    changed: dict[str, EventRecord],
    now: int,
    *,
    told: Collection[str],
    old: State | None = None,
) -> Step:
    """What follows of other opts: who takes part now, who is told, and what begins or ends by it."""
    old = old or before.state
    state = replace(before.state, records={**before.state.records, **changed})
    settled = {eventID: _settled(state, record) for eventID, record in state.records.items()}
    state = replace(state, records=settled)
    opted = [
        change(ChangeKind.OPTED, record, now, opt_of(state, record).value)
        for eventID, record in settled.items()
        if _is_open(record) and participants(state, record) != participants(old, old.records[eventID])
    ]
    answers = [_answer(state, settled[eventID]) for eventID in told if _is_answered(settled[eventID])]
    after = advance(state, now)
    return replace(
        after,
        answers=tuple(answers),
        changes=(*before.changes, *opted, *after.changes),
        opts=(),
        cancelled_opts=(),
    )


def _settled(state: State, record: EventRecord) -> EventRecord:
    """An event that runs and in which nobody takes part any more waits, and may begin again."""
    if record.phase is Phase.STARTED and not is_carried_out(state, record):
        return replace(record, phase=Phase.PENDING)
    return record


def _answer(state: State, record: EventRecord) -> Answer:
    return Answer(
        requestID=record.requestID,
        eventID=record.event.eventID,
        modification=record.event.modification,
        code=Code.OK,
        optType=opt_of(state, record),
    )


def _is_answered(record: EventRecord) -> bool:
    return record.event.profile is Profile.V20B and record.event.is_response_required


def _open(state: State, eventID: str) -> EventRecord:
    record = state.records.get(eventID)
    if record is None or not _is_open(record):
        raise OptError(f"event {eventID} is not open to an opt")
    return record


def _is_open(record: EventRecord) -> bool:
    is_live = record.phase is not Phase.ENDED and record.cancellation is None
    return is_live and record.refusal is None
