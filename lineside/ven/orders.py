"""What a person may tell a VEN that runs: an order as a table of JSON, read, checked and handed on."""

import uuid
from dataclasses import dataclass
from typing import Protocol

from openadr_ven.events import CreateOpt, Enrolment, OptError, OptReason, OptType, Window
from openadr_ven.iso8601 import duration_s, instant


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOpt:
    """Take part in an event, or with resources of it, or not."""

    event: str
    opt: OptType
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Take part in all events of some time, or in none. OpenADR 2.0b, R210."""

    opt: OptType
    windows: tuple[Window, ...]
    resources: tuple[str, ...]
    market_context: str

    def told(self, opt_id: str) -> CreateOpt:
        """The schedule as an oadrCreateOpt."""
        return CreateOpt(
            optID=opt_id,
            optType=self.opt,
            reason=OptReason.SCHEDULE,
            resources=self.resources,
            windows=self.windows,
            marketContext=self.market_context,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unschedule:
    """Take a schedule back."""

    opt_id: str


Order = EventOpt | Schedule | Unschedule


def order_of(table: object) -> Order:
    """The order that a table is. ValueError says what is wrong with it."""
    if not isinstance(table, dict):
        table = {}
    keys = set(table)
    if keys == {"event", "opt", "resources"}:
        event, opt = table["event"], _opt(table["opt"])
        if not isinstance(event, str):
            raise ValueError("event: the eventID is wanted as a text")
        return EventOpt(event=event, opt=opt, resources=_names(table["resources"]))
    if keys == {"schedule", "opt", "resources", "marketContext"}:
        context, windows = table["marketContext"], _names(table["schedule"], "schedule")
        if not isinstance(context, str):
            raise ValueError("marketContext: a text is wanted")
        return Schedule(
            opt=_opt(table["opt"]),
            windows=tuple(window_of(one) for one in windows),
            resources=_names(table["resources"]),
            market_context=context,
        )
    if keys == {"unschedule"} and isinstance(table["unschedule"], str):
        return Unschedule(opt_id=table["unschedule"])
    raise ValueError(
        "an order is event, opt, resources; or schedule, opt, resources, marketContext; or unschedule"
    )


def window_of(text: str) -> Window:
    """A time as START/DURATION or START/END; START alone has no end. ValueError for anything else."""
    begins, _, rest = text.partition("/")
    start = instant(begins)
    has_zone = begins.endswith("Z") or begins[-6:-5] in {"+", "-"}
    if start is None or not has_zone:
        raise ValueError(f"window: {begins!r} is no time with its zone; add Z for UTC")
    if not rest:
        return Window(start=start, duration_s=None)
    if rest.startswith("P"):
        length_s = duration_s(rest)
    else:
        end = instant(rest)
        length_s = None if end is None else end - start
    if length_s is not None and length_s <= 0:
        raise ValueError(f"window: {text!r} ends before it begins")
    return Window(start=start, duration_s=length_s)


def checked(schedule: Schedule, enrolment: Enrolment) -> Schedule:
    """The schedule, if it is of resources and programmes of ours. Raises OptError."""
    ours = {one.name for one in enrolment.resources}
    strange = [name for name in schedule.resources if name not in ours]
    if strange:
        raise OptError(f"no resource {', '.join(strange)} here; there are {', '.join(sorted(ours))}")
    contexts = enrolment.market_contexts or ()
    if schedule.market_context and schedule.market_context not in contexts:
        raise OptError(
            f"no programme {schedule.market_context} here; there are {', '.join(sorted(contexts))}"
        )
    return schedule


class Obedient(Protocol):
    """Who carries orders out: the client of a VTN. All of it raises OptError."""

    async def opt(self, event: str, opt: OptType, resources: tuple[str, ...]) -> None:
        """Opt an event, or resources of it, in or out; kept on return."""
        ...

    async def add_schedule(self, schedule: CreateOpt) -> None:
        """An availability schedule; kept on return."""
        ...

    async def cancel_opt(self, opt_id: str) -> None:
        """A schedule is taken back; kept on return."""
        ...


async def obeyed(order: Order, whom: Obedient, enrolment: Enrolment) -> dict[str, object]:
    """What is answered once an order is carried out and kept. Raises OptError where it cannot be."""
    match order:
        case EventOpt():
            await whom.opt(order.event, order.opt, order.resources)
            return {"ok": True}
        case Schedule():
            made = checked(order, enrolment).told(uuid.uuid4().hex)
            await whom.add_schedule(made)
            return {"ok": True, "optID": made.optID}
        case Unschedule():
            await whom.cancel_opt(order.opt_id)
            return {"ok": True}


def _opt(found: object) -> OptType:
    if not isinstance(found, str) or found not in set(OptType):
        raise ValueError(f"opt: one of {', '.join(OptType)} is wanted")
    return OptType(found)


def _names(found: object, key: str = "resources") -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError(f"{key}: a list of texts is wanted")
    return tuple(found)
