"""Who takes part in an event: by its own opts, those of its resources, and availability schedules.

OpenADR 2.0b, R206, R210.
"""

from openadr_ven.events.answer import CreateOpt, OptType
from openadr_ven.events.record import EventRecord, State
from openadr_ven.events.timing import overlap_end


def participants(state: State, record: EventRecord) -> tuple[tuple[str, ...], ...]:
    """The resources of each signal that take part; none in a refused event.

    What an oadrCreateOpt said of a resource in the event stands (R206); else a schedule that meets the event,
    the newest first, else what was decided for the event.
    """
    if record.refusal is not None:
        return tuple(() for _ in record.resources)
    opted = {one.resource: one.optType for one in record.opted}
    schedules = [one for one in reversed(state.schedules) if _meets(one, record)]
    names = {name for part in record.resources for name in part}
    inside = {name for name in names if _opt(name, opted, schedules, record) is OptType.IN}
    return tuple(tuple(name for name in part if name in inside) for part in record.resources)


def opt_of(state: State, record: EventRecord) -> OptType:
    """What we answer for a whole event: in, if anyone takes part. A cancelled one is complied with (R36)."""
    if record.cancellation is not None:
        return OptType.IN
    return OptType.IN if any(participants(state, record)) else OptType.OUT


def is_carried_out(state: State, record: EventRecord) -> bool:
    """Whether devices are told anything: the event is no test, not refused, and someone takes part."""
    return not record.event.is_test and any(participants(state, record))


def _opt(name: str, opted: dict[str, OptType], schedules: list[CreateOpt], record: EventRecord) -> OptType:
    if name in opted:
        return opted[name]
    scheduled = (one.optType for one in schedules if not one.resources or name in one.resources)
    return next(scheduled, record.optType)


def _meets(schedule: CreateOpt, record: EventRecord) -> bool:
    """Whether a schedule says something of the time and the programme of an event; ends are exclusive."""
    event = record.event
    if schedule.marketContext and schedule.marketContext != event.marketContext:
        return False
    start, end = record.start - event.randomization.early_s, overlap_end(event, record.start)
    return any(
        (end is None or window.start < end)
        and (window.duration_s is None or start < window.start + window.duration_s)
        for window in schedule.windows
    )
