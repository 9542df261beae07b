"""Several events on one device: at any second one set point, and each limit once, the tightest.

A limit wins over a set point. Of set points the rank decides, of equal limits too.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from openadr_ven.events import Rank
from openadr_ven.to_sep2.amounts import FULL, towards_zero
from openadr_ven.to_sep2.fleet import Envelope, Motion
from openadr_ven.to_sep2.programme import TargetMode
from openadr_ven.to_sep2.wishes import (
    Duty,
    Follow,
    Limit,
    LimitKind,
    Message,
    Note,
    Price,
    Reduction,
    Shift,
    Standing,
    Target,
    Thermostat,
    Wish,
)

Slot = tuple[str, ...]
FOREVER = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What holds on all devices: wishes that no longer meet, and what was changed on the way."""

    wishes: tuple[Wish, ...]
    notes: tuple[Note, ...]


def slot_of(wish: Wish) -> Slot:
    """What a wish is about: two of one slot cannot hold on a device at once."""
    match wish.action:
        case Limit(kind=kind) | Standing(limit=Limit(kind=kind)):
            return (type(wish.action).__name__, kind)
        case Follow(curveType=curve_type):
            return ("Follow", curve_type.name)
        case Price(flow=flow, currency=currency):
            return ("Price", flow, str(currency), wish.programme.name)
        case Message():
            return ("Message", *wish.cause)
        case Shift(load=load):
            return ("Shift", "load" if load is not None else "degrees")
        case Duty() | Reduction() | Target() | Thermostat() as other:
            return (type(other).__name__,)


def resolved(wishes: Iterable[Wish], now: int) -> Resolved:
    """Wishes of any number of events as what is to hold from `now` on."""
    slots: dict[tuple[str, Slot], list[Wish]] = {}
    for wish in without_plain_levels(wishes):
        if wish.end is None or wish.end > now:
            slots.setdefault((wish.device.name, slot_of(wish)), []).append(wish)
    pieces: dict[tuple[str, Slot], list[Wish]] = {key: pieces_of(held) for key, held in slots.items()}
    done: list[Wish] = []
    notes: list[Note] = []
    for (name, slot), held in pieces.items():
        if slot == ("Target",):
            limits = [
                one
                for kind in (LimitKind.CHARGE, LimitKind.OUTPUT)
                for one in pieces.get((name, ("Limit", kind)), [])
            ]
            done += clamped(held, limits, notes)
        elif slot == ("Limit", LimitKind.CHARGE):
            done += charge_targets(held, pieces.get((name, ("Target",)), []))
        else:
            done += held
    return Resolved(wishes=tuple(done), notes=tuple(dict.fromkeys(notes)))


def without_plain_levels(wishes: Iterable[Wish]) -> list[Wish]:
    """SIMPLE says less than the other signals of its event: a device that has those does not heed it."""
    held = list(wishes)
    richer = {(one.device.name, one.event.eventID) for one in held if _is_power(one) and not _is_simple(one)}
    return [one for one in held if not (_is_simple(one) and (one.device.name, one.event.eventID) in richer)]


def _is_simple(wish: Wish) -> bool:
    signal = next((one for one in wish.event.signals if one.signalID == wish.cause[1]), None)
    return signal is not None and signal.signalName.upper() == "SIMPLE"


def _is_power(wish: Wish) -> bool:
    return not isinstance(wish.action, Price | Message | Follow | Standing)


def pieces_of(held: Sequence[Wish]) -> list[Wish]:
    """Wishes of one slot, cut so that one holds at a time; what touches and is of one wish stays whole."""
    if len(held) == 1:
        return list(held)
    order = sorted(held, key=_key)
    edges = sorted({edge for wish in held for edge in (wish.start, _end(wish))})
    pieces: list[Wish] = []
    last: Wish | None = None
    for start, end in pairwise(edges):
        best = next((one for one in order if one.start <= start and _end(one) >= end), None)
        if best is not None and best is last:
            pieces[-1] = replace(pieces[-1], end=None if end == FOREVER else end)
        elif best is not None:
            pieces.append(cut(best, start, end))
        last = best
    return pieces


def cut(wish: Wish, start: int, end: int) -> Wish:
    """A part of a wish; only the part that begins with it begins at random, or with a ramp."""
    is_first = start == wish.start
    return replace(
        wish,
        start=start,
        end=None if end == FOREVER else end,
        randomize_s=wish.randomize_s if is_first else 0,
        ramp_s=wish.ramp_s if is_first else 0,
    )


def clamped(targets: Sequence[Wish], limits: Sequence[Wish], notes: list[Note]) -> list[Wish]:
    """Set points that keep the limits of their device, cut where a limit begins or ends."""
    found: list[Wish] = []
    for wish in targets:
        inside = [one for one in limits if one.start < _end(wish) and _end(one) > wish.start]
        edges = sorted(
            {wish.start, _end(wish)}
            | {min(max(edge, wish.start), _end(wish)) for one in inside for edge in (one.start, _end(one))}
        )
        parts = []
        for start, end in pairwise(edges):
            active = [one for one in inside if one.start <= start and _end(one) >= end]
            parts.append(_kept(cut(wish, start, end), active, notes))
        found += _merged(parts)
    return found


def _kept(wish: Wish, limits: Sequence[Wish], notes: list[Note]) -> Wish:
    target = wish.action
    if not isinstance(target, Target):
        return wish
    output = target.output_w
    for one in limits:
        limit = one.action
        if isinstance(limit, Limit) and limit.kind is LimitKind.CHARGE:
            output = max(output, -limit.most)
        elif isinstance(limit, Limit) and wish.device.setMaxW is not None:
            output = min(output, limit.most * wish.device.setMaxW // FULL)
    if output == target.output_w:
        return wish
    text = f"{target.output_w} W clamped to {output} W by a limit"
    notes.append(Note(eventID=wish.event.eventID, device=wish.device.name, text=text))
    return replace(wish, action=Target(output_w=output))


def _merged(parts: Sequence[Wish]) -> list[Wish]:
    found: list[Wish] = []
    for part in parts:
        if found and found[-1].action == part.action and found[-1].end == part.start:
            found[-1] = replace(found[-1], end=part.end)
        else:
            found.append(part)
    return found


def charge_targets(limits: Sequence[Wish], targets: Sequence[Wish]) -> list[Wish]:
    """What a limit of the charge power asks of a battery that no set point leads: only of one that charges.

    It never charges more than it did.
    """
    found: list[Wish] = []
    for wish in limits:
        device, limit = wish.device, wish.action
        if not isinstance(limit, Limit) or device.motion is not Motion.CHARGING:
            continue
        if device.envelope is not Envelope.CSIP:
            continue
        most = limit.most
        drawn_w = device.drawn_w
        if drawn_w is None and device.power_w is not None:
            drawn_w = max(-device.power_w, Decimal(0))
        if drawn_w is not None:
            most = min(most, towards_zero(drawn_w))
        for start, end in _gaps(wish, targets):
            held = cut(wish, start, end)
            found.append(replace(held, action=replace(limit, most=most)))
    return found


def mode_of(wish: Wish) -> TargetMode:
    """The mode of a set point, or of the limit of a charge that stands for one."""
    if isinstance(wish.action, Limit) and wish.action.most:
        return wish.action.mode
    return TargetMode.TARGET_W if isinstance(wish.action, Limit) else wish.programme.target_mode


def _gaps(wish: Wish, others: Sequence[Wish]) -> Iterator[tuple[int, int]]:
    at = wish.start
    for one in sorted(others, key=lambda other: other.start):
        if _end(one) <= at or one.start >= _end(wish):
            continue
        if one.start > at:
            yield at, one.start
        at = max(at, _end(one))
    if at < _end(wish):
        yield at, _end(wish)


def _key(wish: Wish) -> tuple[int, Rank, bool, int, tuple[str, ...]]:
    """Order of wishes of one slot: the first wins."""
    return (_tightness(wish), wish.rank, _is_simple(wish), -wish.start, wish.cause)


def _tightness(wish: Wish) -> int:
    match wish.action:
        case Limit(most=most) | Standing(limit=Limit(most=most)):
            return most
        case Duty(normalValue=most):
            return most
        case _:
            return 0


def _end(wish: Wish) -> int:
    return FOREVER if wish.end is None else wish.end
