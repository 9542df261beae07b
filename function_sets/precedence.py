"""What a client does at one moment with all programs and events that it knows. Pure.

`advance` is called at every change of what the server says and at `Outcome.next_at`.
IEEE 2030.5-2018, 10.2.3 and 10.10.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from function_sets.agenda import Agenda
from function_sets.events import OPEN_STATES, Draw, categories_of, controls_of
from function_sets.lifecycle import Happening, admitted, interval_of, is_open_again
from function_sets.phases import ACTING, TERMINAL, UNSTARTED, Phase
from function_sets.records import Due, EventRecord, Program, Rules
from function_sets.sources import ModeSource, modes_in_force, programs_by_primacy
from schemas import DefaultDERControl, DERControl
from schemas.codes import EventState

__all__ = [
    "ACTING",
    "TERMINAL",
    "Draw",
    "Due",
    "EventRecord",
    "ModeSource",
    "Outcome",
    "Phase",
    "Program",
    "Rules",
    "advance",
]

_CANCELLED: Final = frozenset({EventState.CANCELLED, EventState.CANCELLED_WITH_RANDOMIZATION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What holds from now on.

    `due` are Responses that became owed since the step before, in their order; `next_at` is when time alone
    changes something. `defaults` is the default of the best program that has one: its settings (setGradW and
    so on) hold even while an event runs.
    """

    records: Mapping[str, EventRecord]
    modes: Mapping[str, ModeSource]
    due: tuple[Due, ...]
    next_at: int | None
    defaults: DefaultDERControl | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """An event and the program whose list shows it."""

    control: DERControl
    program: Program


def advance(
    programs: Sequence[Program],
    records: Mapping[str, EventRecord],
    now: int,
    *,
    rules: Rules,
    draw: Callable[[DERControl], Draw],
    device_category: int = 0,
    supported: frozenset[str] | None = None,
) -> Outcome:
    """The state of all events at `now`, with the modes in force and the Responses owed.

    `programs` are all that are assigned: one that is missing has been lost, and its events end; an event that
    is missing in the list of its program goes on. `records` are those of the step before. `device_category`
    is a bitmap: events for other categories are ignored. `supported` are the modes of the DER (None: all).
    Steps may be far apart: what fell between happens first, each at its own second. A second call with its
    own records owes nothing; what is owed stands in the order of its times. IEEE 2030.5-2018, 10.2.3.
    """
    agenda = Agenda(records, rules)
    ordered = programs_by_primacy(programs)
    listed = _listed(ordered, device_category)
    _drop_cancelled(agenda, listed, now)
    agenda.run_to(now)
    _leave_lost(agenda, ordered, listed, now)
    for one in listed.values():
        _take_up(agenda, one, now, draw=draw, supported=supported)
    _refuse(agenda, now, rules.refused_modes)
    _opt(agenda, now, rules)
    _note_failing(agenda, rules.failing_modes)
    if agenda.records != records:
        agenda.settle(now)
    return Outcome(
        records=agenda.records,
        modes=modes_in_force(
            ordered, agenda.records.values(), supported=supported, defaults_per_mode=rules.defaults_per_mode
        ),
        due=tuple(sorted(agenda.due, key=lambda due: due.at)),
        next_at=agenda.next_at(now),
        defaults=next((p.default for p in ordered if p.default is not None), None),
    )


def _listed(programs: Sequence[Program], device_category: int) -> dict[str, _Listed]:
    """Events that concern the device, each once, in the best program that lists it."""
    found: dict[str, _Listed] = {}
    for program in programs:
        for control in program.controls:
            wanted = categories_of(control)
            if not wanted or wanted & device_category:
                found.setdefault(control.mRID, _Listed(control=control, program=program))
    return found


def _drop_cancelled(agenda: Agenda, listed: Mapping[str, _Listed], now: int) -> None:
    """Cancel events whose start has come and that were cancelled by then: the status is looked at first.

    IEEE 2030.5-2018, 10.2.3.
    """
    for record in agenda.live():
        one = listed.get(record.mRID)
        if one is None or record.phase not in UNSTARTED:
            continue
        status = one.control.EventStatus_
        if status.currentStatus in _CANCELLED and status.dateTime <= record.start <= now:
            agenda.happen(record, Happening.CANCEL, now)


def _leave_lost(agenda: Agenda, programs: Sequence[Program], listed: Mapping[str, _Listed], now: int) -> None:
    """End the events of programs that are not assigned any more. IEEE 2030.5-2018, 10.2.3."""
    primacies = {program.href: program.primacy for program in programs}
    for record in agenda.live():
        primacy = primacies.get(record.program_href)
        if primacy is not None:
            agenda.put(replace(record, primacy=primacy))
        elif record.mRID not in listed:
            agenda.happen(record, Happening.CANCEL, now)


def _take_up(
    agenda: Agenda,
    listed: _Listed,
    now: int,
    *,
    draw: Callable[[DERControl], Draw],
    supported: frozenset[str] | None,
) -> None:
    """Admit an event that is new here, bring a known one up to date, or take up one that is open again."""
    record = agenda.records.get(listed.control.mRID)
    if record is None:
        status = listed.control.EventStatus_.currentStatus
        is_unseen = status in _CANCELLED and agenda.rules.answers_unseen
        if status in OPEN_STATES or is_unseen:
            is_valid = listed.control.mRID not in agenda.rules.invalid
            taken, code = admitted(
                listed.control, listed.program, now, draw=draw, supported=supported, is_valid=is_valid
            )
            if is_unseen and taken.phase is not Phase.RECEIVED:
                return
            agenda.put(taken)
            agenda.owe(taken, code, now)
            if is_unseen:
                agenda.happen(taken, Happening.CANCEL, now)
    elif record.phase not in TERMINAL:
        fresh = _refreshed(record, listed, now, supported)
        agenda.put(fresh)
        if fresh.phase in UNSTARTED and fresh.end <= now:
            agenda.happen(fresh, Happening.CANCEL, now)
    elif is_open_again(record, listed.control, now):
        fresh = _refreshed(record, listed, now, supported)
        agenda.put(replace(fresh, phase=Phase.RECEIVED, start=max(fresh.start, now), begun_modes=frozenset()))


def _refreshed(
    record: EventRecord, listed: _Listed, now: int, supported: frozenset[str] | None
) -> EventRecord:
    """A record with what the server says of the event now; its draw stays, and its start once it runs."""
    control, program = listed.control, listed.program
    named = controls_of(control)
    modes = named if supported is None else named & supported
    fresh = replace(
        record,
        control=control,
        program_href=program.href,
        primacy=program.primacy,
        modes=modes,
    )
    if control.interval == record.control.interval:
        return fresh
    when = interval_of(control, record.draw, now)
    return replace(fresh, start=when.start if record.phase in UNSTARTED else record.start, end=when.end)


def _refuse(agenda: Agenda, now: int, refused: frozenset[str]) -> None:
    """Reject what was taken up and of which the devices turned out to be able to do nothing."""
    for record in agenda.live():
        if record.modes and record.modes <= refused:
            agenda.happen(record, Happening.REFUSE, now)


def _note_failing(agenda: Agenda, failing: frozenset[str]) -> None:
    """Remember of each event that runs whether devices fail to hold a mode of it."""
    for record in agenda.live():
        if record.phase in ACTING and record.active_modes & failing:
            agenda.put(replace(record, is_unheld=True))


def _opt(agenda: Agenda, now: int, rules: Rules) -> None:
    """Let the user leave events, or take part in them again."""
    for record in agenda.live():
        is_out = record.phase in {Phase.DECLINED, Phase.LEFT}
        opted_out = rules.opted_out or record.mRID in rules.opted_out_of
        if opted_out and not is_out:
            agenda.happen(record, Happening.OPT_OUT, now)
        elif is_out and not opted_out:
            is_early = record.phase is Phase.DECLINED and now <= record.start
            agenda.happen(record, Happening.OPT_IN if is_early else Happening.OPT_IN_LATE, now)
