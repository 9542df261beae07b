"""Goals of vehicles as answers to what they ask for: FlowReservationRequests. Pure.

An answer says in its description for which goal it is, so that nothing is to be kept: what is on the server
tells what was done. IEEE 2030.5-2018, 10.9; OpenADR 2.0b, CHARGE_STATE.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from openadr_ven.to_sep2.wishes import Goal

HOUR_S: Final = 3_600
LEAST_S: Final = 60
"""What overlaps a goal by less than this is not answered for it."""
SIGN: Final = "OpenADR "
DIGITS: Final = 20
OPEN: Final = frozenset({"scheduled", "active"})
OVER: Final = frozenset({"cancelled", "cancelled with randomization", "superseded"})
FOREVER: Final = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An event that answers a request: the energy that it grants, Wh, positive for charging."""

    mRID: str
    status: str
    description: str
    energy_wh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a vehicle asks for, positive for charging: so long (`length_s`), between `start` and `until`."""

    mRID: str
    device: str
    energy_wh: int
    power_w: int
    start: int
    until: int
    length_s: int
    is_asked: bool = True
    answers: tuple[Answered, ...] = field(default_factory=tuple)

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.is_asked and not any(one.status in OPEN for one in self.answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """An answer to give: 0 Wh declines."""

    request: Request
    tag: str
    start: int
    length_s: int
    energy_wh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What is to be done: mRIDs of answers to cancel, first, and answers to give."""

    cancelled: tuple[str, ...] = ()
    given: tuple[Grant, ...] = ()


def tag_of(vtn: str, goal: Goal) -> str:
    """What the description of an answer for a goal says: 32 characters hold it."""
    words = (vtn, goal.eventID, goal.device, goal.start, goal.end, goal.energy_wh)
    return SIGN + hashlib.sha256("|".join(map(str, words)).encode()).hexdigest()[:DIGITS]


def answers_of(
    vtn: str, goals: Iterable[Goal], requests: Mapping[str, Sequence[Request]], now: int
) -> Answers:
    """What is to be done so that vehicles are granted what the goals say; `requests` by device.

    Answers for goals that are not there any more are cancelled; their requests are answered for another goal
    the next time.
    """
    wanted: dict[str, list[Goal]] = {}
    for goal in goals:
        wanted.setdefault(goal.device, []).append(goal)
    tags = {tag_of(vtn, goal) for held in wanted.values() for goal in held}
    gone = [
        answer.mRID
        for held in requests.values()
        for one in held
        for answer in one.answers
        if answer.status in OPEN and answer.description.startswith(SIGN) and answer.description not in tags
    ]
    given: list[Grant] = []
    for device, held in requests.items():
        taken = {grant.request.mRID for grant in given}
        for goal in sorted(wanted.get(device, ()), key=lambda one: one.start):
            news = list(_grants(tag_of(vtn, goal), goal, [one for one in held if one.mRID not in taken], now))
            taken |= {one.request.mRID for one in news}
            given += news
    return Answers(cancelled=tuple(gone), given=tuple(given))


def _grants(tag: str, goal: Goal, requests: Sequence[Request], now: int) -> Iterator[Grant]:
    """Answers for one goal, the earliest first: what is left of its energy, and nothing beyond it."""
    granted = (
        answer.energy_wh
        for one in requests
        for answer in one.answers
        if answer.description == tag and answer.status not in OVER
    )
    left = abs(goal.energy_wh) - sum(abs(one) for one in granted)
    way = 1 if goal.energy_wh >= 0 else -1
    for one in sorted(requests, key=lambda request: (request.start, request.mRID)):
        start = max(one.start, goal.start, now)
        end = min(one.until, FOREVER if goal.end is None else goal.end)
        if not one.is_open or end - start < LEAST_S:
            continue
        length_s = min(one.length_s, end - start)
        most = abs(one.power_w) * length_s // HOUR_S
        energy = max(0, min(left, one.energy_wh * way, most))
        left -= energy
        yield Grant(request=one, tag=tag, start=start, length_s=length_s, energy_wh=energy * way)
