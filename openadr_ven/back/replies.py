"""What devices answered to the controls of an event: who takes part, and how many did what. Pure.

The same reply heard again, or replies heard in another order, make the same state: each has a number that
the server gives it. IEEE 2030.5-2018, 10.2.3 (Response.status).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, cast

from openadr_ven.events import OptReason, OptType, State
from openadr_ven.rows import Texts

RECEIVED, STARTED, COMPLETED, OPTED_OUT, OPTED_IN, CANCELLED, SUPERSEDED = 1, 2, 3, 4, 5, 6, 7
PARTLY_OUT, PARTLY_IN = 8, 9
REJECTIONS: Final = frozenset({252, 253, 254})
OUTS: Final = frozenset({OPTED_OUT, PARTLY_OUT})
INS: Final = frozenset({OPTED_IN, PARTLY_IN})
BEGUN: Final = frozenset({STARTED, COMPLETED, PARTLY_OUT, PARTLY_IN})
VERSION: Final = 2
"""Of the stored form."""


class RepliesError(ValueError):
    """What was stored of replies cannot be read."""


class Stance(StrEnum):
    """Whether a device takes part in an event, by what it said last; one that is late could say nothing."""

    IN = "in"
    OUT = "out"
    REJECTED = "rejected"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A Response of a device to a control. `id` is the server's number for it, higher for later ones."""

    id: int
    control: str
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Opt:
    """What the VTN was told of a resource."""

    optType: OptType
    reason: OptReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """All that was heard, to be kept over restarts.

    `replies` by eventID and name of the device, in the order of their ids, one for each control and status;
    `cursors` by mRID of the control: the last id that was read; `told` by eventID and resource, in the
    registration `told_to`, "" for none yet.
    """

    replies: Mapping[str, Mapping[str, tuple[Reply, ...]]] = field(default_factory=dict)
    cursors: Mapping[str, int] = field(default_factory=dict)
    told: Mapping[str, Mapping[str, Opt]] = field(default_factory=dict)
    told_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How many of the devices that an event is for did what. One that has completed has started, too.

    `opted_out` and `rejected` are those that stand so now; `silent` have said nothing at all.
    """

    eventID: str
    asked: int
    received: int
    started: int
    completed: int
    opted_out: int
    rejected: int
    superseded: int
    cancelled: int
    silent: int

    @property
    def is_partial(self) -> bool:
        """Whether some take part and others do not."""
        return 0 < self.opted_out + self.rejected < self.asked


def hear(heard: Heard, eventID: str, found: Iterable[tuple[str, Reply]]) -> Heard:
    """With replies to the controls of an event, each with the name of its device."""
    devices = {name: list(held) for name, held in heard.replies.get(eventID, {}).items()}
    cursors = dict(heard.cursors)
    for name, reply in found:
        held = devices.setdefault(name, [])
        same = [one for one in held if (one.control, one.status) == (reply.control, reply.status)]
        cursors[reply.control] = max(reply.id, cursors.get(reply.control, 0))
        if not same or same[0].id < reply.id:
            devices[name] = [*(one for one in held if one not in same), reply]
    ordered = {name: tuple(sorted(held, key=lambda one: one.id)) for name, held in devices.items()}
    return replace(heard, replies={**heard.replies, eventID: ordered}, cursors=cursors)


def stance_of(replies: Iterable[Reply]) -> Stance:
    """Whether a device takes part, by its replies in their order.

    Who opted out is in again by opting in, or by starting another control of the event; who rejected one,
    by starting any.
    """
    stance, control = Stance.IN, ""
    for one in replies:
        if one.status in OUTS:
            stance, control = Stance.OUT, one.control
        elif one.status in REJECTIONS:
            stance, control = Stance.REJECTED, one.control
        elif one.status in INS or (
            one.status == STARTED and (stance is Stance.REJECTED or one.control != control)
        ):
            stance = Stance.IN
    return stance


def stances(heard: Heard, eventID: str) -> dict[str, Stance]:
    """Of each device that answered to an event, whether it takes part."""
    return {name: stance_of(held) for name, held in heard.replies.get(eventID, {}).items()}


def summary(heard: Heard, eventID: str, devices: Iterable[str]) -> Summary:
    """How many of these devices did what in an event."""
    names = tuple(dict.fromkeys(devices))
    held = heard.replies.get(eventID, {})
    said = {name: {one.status for one in held.get(name, ())} for name in names}
    stand = [stance_of(held.get(name, ())) for name in names]
    return Summary(
        eventID=eventID,
        asked=len(names),
        received=sum(bool(statuses) for statuses in said.values()),
        started=sum(bool(statuses & BEGUN) for statuses in said.values()),
        completed=sum(bool(statuses & {COMPLETED, PARTLY_IN}) for statuses in said.values()),
        opted_out=stand.count(Stance.OUT),
        rejected=stand.count(Stance.REJECTED),
        superseded=sum(SUPERSEDED in statuses for statuses in said.values()),
        cancelled=sum(CANCELLED in statuses for statuses in said.values()),
        silent=sum(not statuses for statuses in said.values()),
    )


def forgotten(heard: Heard, state: State) -> Heard:
    """Without events that nobody knows any more, and their controls."""
    replies = {name: held for name, held in heard.replies.items() if name in state.records}
    controls = {one.control for devices in replies.values() for held in devices.values() for one in held}
    return replace(
        heard,
        replies=replies,
        cursors={mrid: at for mrid, at in heard.cursors.items() if mrid in controls},
        told={name: held for name, held in heard.told.items() if name in state.records},
    )


def told_anew(heard: Heard, registration: str) -> Heard:
    """What was told counts in one registration: in another nothing was told yet."""
    if heard.told_to in {"", registration}:
        return replace(heard, told_to=registration)
    return replace(heard, told={}, told_to=registration)


def heard_table(heard: Heard, texts: Texts | None = None) -> dict[str, Any]:
    """The state as texts by event, each for a row of its own; `texts` are those of the last time."""
    texts = texts or Texts()
    texts.begin()
    return {
        "version": VERSION,
        "replies": {event: texts.of(devices, _replies_text) for event, devices in heard.replies.items()},
        "cursors": dict(heard.cursors),
        "told": {event: texts.of(held, _told_text) for event, held in heard.told.items()},
        "told_to": heard.told_to,
    }


def heard_of(table: object) -> Heard:
    """The state that was stored; nothing at all for None. RepliesError where it is none."""
    if table is None:
        return Heard()
    try:
        found = cast("dict[str, Any]", table)
        if found["version"] != VERSION:
            raise RepliesError("not a state of this version")
        return _heard(found)
    except (KeyError, TypeError, ValueError, AttributeError) as flaw:
        raise RepliesError(f"what was heard cannot be read: {flaw!r}") from flaw


def _replies_text(devices: Mapping[str, tuple[Reply, ...]]) -> str:
    return json.dumps({name: [[r.id, r.control, r.status] for r in held] for name, held in devices.items()})


def _told_text(held: Mapping[str, Opt]) -> str:
    return json.dumps({name: [opt.optType, opt.reason] for name, opt in held.items()})


def _heard(found: Mapping[str, Any]) -> Heard:
    return Heard(
        replies={
            event: {
                name: tuple(Reply(id=int(n), control=str(c), status=int(s)) for n, c, s in held)
                for name, held in json.loads(text).items()
            }
            for event, text in found["replies"].items()
        },
        cursors={str(mrid): int(at) for mrid, at in found["cursors"].items()},
        told={
            event: {
                name: Opt(optType=OptType(o), reason=OptReason(r))
                for name, (o, r) in json.loads(text).items()
            }
            for event, text in found["told"].items()
        },
        told_to=str(found.get("told_to", "")),
    )
