"""Resolved wishes as publications: in the program of the right group, ramped, and cut to a horizon."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from openadr_ven.to_sep2 import building
from openadr_ven.to_sep2.building import MOST_RAMP, RAMP_UNIT
from openadr_ven.to_sep2.fleet import Fleet
from openadr_ven.to_sep2.programme import TargetMode
from openadr_ven.to_sep2.publication import Home, HomeKind, Publication, home_of, mrid_of, told
from openadr_ven.to_sep2.resolving import mode_of
from openadr_ven.to_sep2.wishes import Follow, Limit, Message, Price, Target, Wish
from schemas import Event, EventStatus, RandomizableEvent, Resource

LONGEST_RAMP_S: Final = MOST_RAMP // RAMP_UNIT
MOST_STEPS: Final = 132
"""A ramp of a day in steps that the wire can say."""
LONGEST_EVENT_S: Final = 2**32 - 1
"""What the duration of an interval on the wire holds. IEEE 2030.5-2018, DateTimeInterval."""
OF_A_USER: Final = 0x04
"""The bit of responseRequired for what a user says."""
DER_ACTIONS: Final = (Target, Limit, Follow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One event for one device, with an end; `ramp_s` fits on the wire. `ahead` is when more follows."""

    wish: Wish
    start: int
    end: int
    number: int = 0


def publications(wishes: Iterable[Wish], fleet: Fleet, now: int) -> dict[str, Publication]:
    """All events and curves by identity; what is equal for all members of a group is published there."""
    alike: dict[str, list[Draft]] = {}
    for wish in wishes:
        for draft in _drafts(wish, now):
            alike.setdefault(_key(draft), []).append(draft)
    cover = _Cover(fleet)
    found: dict[str, Publication] = {}
    for drafts in alike.values():
        for group, held in cover.groups_for(drafts):
            for one in _published(group, held, now):
                found[one.identity] = one
    return found


def next_piece(wishes: Iterable[Wish], now: int) -> int | None:
    """When the next piece of an event that comes in pieces is to be published; None if there is none."""
    times = []
    for wish in wishes:
        if not _is_whole(wish):
            horizon_s = wish.programme.horizon_s
            last = max((piece_end for _, piece_end, _ in _pieces(wish, now)), default=wish.end)
            if last is not None and last != wish.end:
                times.append(last - horizon_s // 2)
    return min(times, default=None)


def _is_whole(wish: Wish) -> bool:
    """Whether one event on the wire can hold it: it has an end, and that is not too far away."""
    return wish.end is not None and wish.end - wish.start <= LONGEST_EVENT_S


def _drafts(wish: Wish, now: int) -> Iterator[Draft]:
    for start, end, number in _pieces(wish, now):
        held = replace(wish, ramp_s=wish.ramp_s if not number else 0)
        held = replace(held, randomize_s=wish.randomize_s if not number else 0)
        yield from _ramp(held, start, end, number)


def _pieces(wish: Wish, now: int) -> Iterator[tuple[int, int, int]]:
    """Start, end and number: one for what is whole, else what is to exist until half a horizon is left."""
    if wish.end is not None and _is_whole(wish):
        yield wish.start, wish.end, 0
        return
    horizon_s = wish.programme.horizon_s
    number = max(0, (now - wish.start) // horizon_s)
    while number == 0 or wish.start + number * horizon_s <= now + horizon_s // 2:
        start = wish.start + number * horizon_s
        end = start + horizon_s if wish.end is None else min(start + horizon_s, wish.end)
        if max(start, now) < end:
            yield start, end, number
        number += 1


def _ramp(wish: Wish, start: int, end: int, number: int) -> Iterator[Draft]:
    """One event, or for a ramp that the wire cannot say several that lead there. Limits hold at once."""
    target = wish.action
    if wish.ramp_s <= LONGEST_RAMP_S or not isinstance(target, Target):
        held = wish if wish.ramp_s <= LONGEST_RAMP_S else replace(wish, ramp_s=0)
        yield Draft(wish=held, start=start, end=end, number=number)
        return
    first = _begun_at(wish)
    count = min(-(-wish.ramp_s // LONGEST_RAMP_S), MOST_STEPS)
    for step in range(count):
        output = first + (target.output_w - first) * (step + 1) // count
        begins = start + wish.ramp_s * step // count
        stops = start + wish.ramp_s * (step + 1) // count if step < count - 1 else end
        if begins < min(stops, end):
            held = replace(
                wish,
                action=Target(output_w=output),
                ramp_s=min(wish.ramp_s // count, LONGEST_RAMP_S),
                randomize_s=wish.randomize_s,
                cause=(*wish.cause, f"ramp {step}"),
            )
            yield Draft(wish=held, start=begins, end=min(stops, end), number=number)


def _begun_at(wish: Wish) -> int:
    """The power that a ramp begins at, W, as far as a set point can say it: what draws at rest cannot."""
    device = wish.device
    power = int(device.power_w or 0)
    most = device.most_out_w if power > 0 else device.most_in_w
    if most is None:
        most = 0 if mode_of(wish) is TargetMode.FIXED_W else abs(power)
    return max(-most, min(power, most))


class _Cover:
    """Groups of the server that reach exactly devices of which the same is asked."""

    def __init__(self, fleet: Fleet) -> None:
        order = sorted(fleet.groups.items(), key=lambda one: (-len(one[1]), one[0]))
        self._groups = [(name, members) for name, members in order if len(members) > 1]

    def groups_for(self, drafts: list[Draft]) -> Iterator[tuple[str, list[Draft]]]:
        """Each group with the drafts that are published to it; what no group covers goes to its own."""
        left = {draft.wish.device.name: draft for draft in drafts}
        for name, members in self._groups if len(left) > 1 else ():
            if members <= left.keys():
                yield name, [left.pop(member) for member in sorted(members)]
        for draft in left.values():
            yield draft.wish.device.group, [draft]


def _key(draft: Draft) -> str:
    """What must be equal for two drafts to be one event."""
    wish = draft.wish
    mode = mode_of(wish) if isinstance(wish.action, Target | Limit) else ""
    percent = _base_text(wish)
    words = (draft.start, draft.end, draft.number, wish.cause, wish.randomize_s, wish.ramp_s, wish.classes)
    envelope = wish.device.envelope if isinstance(wish.action, DER_ACTIONS) else ""
    text = percent or told(wish.action)
    return f"{wish.programme.marketContext}|{words}|{text}|{mode}|{envelope}"


def _base_text(wish: Wish) -> str:
    """The modes as the wire has them: equal percentages of different ratings are equal."""
    if not isinstance(wish.action, Target | Limit):
        return ""
    base = building.base_of(wish.device)
    building.put_mode(base, wish.device, wish.action, mode_of(wish))
    return told(base)


def _published(group: str, held: list[Draft], now: int) -> Iterator[Publication]:
    """The event for a group, with the curve that it follows."""
    wish = held[0].wish
    action, programme = wish.action, wish.programme
    given = building.event_fields(
        start=held[0].start,
        end=held[0].end,
        now=now,
        description=wish.event.eventID,
        responseRequired=_asked(wish),
    )
    category = 0
    for draft in held:
        category |= draft.wish.device.category
    names = tuple(draft.wish.device.name for draft in held)
    match action:
        case Price():
            home = home_of(programme, HomeKind.COMPONENT, group, action.currency, action.flow)
            interval = building.tariff_interval(given)
            yield _made(held, home, interval, names, below=(building.consumption(action),))
        case Message():
            home = home_of(programme, HomeKind.MESSAGING, group)
            message = building.text_message(action, programme.name, given)
            yield _made(held, home, message, names)
        case Follow():
            home = home_of(programme, HomeKind.DER, group)
            yield from _curve(held, home, action, given, names, now)
        case Target() | Limit():
            home = home_of(programme, HomeKind.DER, group)
            base = building.base_of(wish.device)
            building.put_mode(base, wish.device, action, mode_of(wish))
            base.rampTms = wish.ramp_s * RAMP_UNIT or None
            yield _made(held, home, building.der_control(base, wish.classes, given), names)
        case _:
            home = home_of(programme, HomeKind.DRLC, group)
            yield _made(held, home, building.load_control(action, category, given), names)


def _asked(wish: Wish) -> str:
    """The Responses that an event asks for: of a control also those of a user, who may opt out and in.

    That is no part of its identity. IEEE 2030.5-2018, 10.2.3 (responseRequired).
    """
    asked = wish.programme.responseRequired
    return asked if isinstance(wish.action, Price | Message) else f"{int(asked, 16) | OF_A_USER:02X}"


def _curve(
    held: list[Draft],
    home: Home,
    action: Follow,
    given: dict[str, object],
    names: tuple[str, ...],
    now: int,
) -> Iterator[Publication]:
    wish = held[0].wish
    curve = building.der_curve(action, wish.event.eventID, now)
    identity = _identity(wish, home, replace(curve, creationTime=0))
    mrid = mrid_of(identity, home)
    yield Publication(
        identity=identity,
        mRID=mrid,
        home=home,
        value=curve,
        start=held[0].start,
        end=None,
        eventID=wish.event.eventID,
        devices=names,
    )
    control = building.der_control(building.base_of(wish.device), wish.classes, given)
    yield _made(held, home, control, names, curves=((action.curveType.name, mrid),))


def _made(
    held: list[Draft],
    home: Home,
    value: Event,
    names: tuple[str, ...],
    below: tuple[Resource, ...] = (),
    curves: tuple[tuple[str, str], ...] = (),
) -> Publication:
    draft = held[0]
    if draft.wish.randomize_s and isinstance(value, RandomizableEvent):
        value.randomizeStart = draft.wish.randomize_s
    identity = _identity(draft.wish, home, _timeless(value, draft.wish), *below, curves, draft.number)
    return Publication(
        identity=identity,
        mRID=mrid_of(identity, home),
        home=home,
        value=value,
        start=draft.start,
        end=draft.end,
        eventID=draft.wish.event.eventID,
        devices=names,
        below=below,
        curves=curves,
        randomizes=bool(draft.wish.randomize_s),
        alike=_likeness(held, home),
    )


def _likeness(held: list[Draft], home: Home) -> str:
    """What is said until when, whenever it began: what an event and its further part have in common."""
    wish = held[0].wish
    text = _base_text(wish) or told(wish.action)
    devices = [draft.wish.device.category for draft in held]
    return _identity(wish, home, text, wish.end, wish.classes, wish.device.envelope, devices)


def _timeless(value: Event, wish: Wish) -> Resource:
    """An event without the second at which it was made, and without what it asks of users."""
    never = EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False)
    asked = wish.programme.responseRequired
    return replace(value, creationTime=0, EventStatus_=never, responseRequired=asked)


def _identity(wish: Wish, home: Home, *parts: object) -> str:
    words = (wish.programme.vtn, *wish.cause, home.mRID, *(told(part) for part in parts))
    return hashlib.sha256("|".join(words).encode()).hexdigest()
