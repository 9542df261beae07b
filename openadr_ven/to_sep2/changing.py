"""From what exists to what is to exist, step by step: what is new comes first, then the old goes.

Steps may be repeated: each does nothing where it was done. `done` says what exists after one, so that a
VEN that is interrupted goes on where it stopped. IEEE 2030.5-2018, 10.2.3: events are not edited.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from openadr_ven.to_sep2.publication import (
    Default,
    Held,
    HeldDefault,
    Home,
    Publication,
    Publications,
    Record,
    Spent,
    mrid_of,
    told,
)
from schemas import DateTimeInterval, Event, RandomizableEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensure:
    """Make sure that a program is there for its group, or a rate component in its tariff."""

    home: Home


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """Publish an event or a curve, unless its mRID is there."""

    publication: Publication


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDefault:
    """Set the modes of the DefaultDERControl of a program; without a base it has none of ours any more."""

    home: Home
    default: Default | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Cancel an event; `is_randomized` lets devices spread its end. One that is over stays as it is."""

    record: Record
    is_randomized: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Take a curve away that nothing follows any more."""

    record: Record


Step = Ensure | Create | SetDefault | Cancel | Remove


def changes(before: Held, after: Publications, now: int) -> tuple[Step, ...]:
    """What is to be done so that there is what `after` says, in this order.

    An event whose start is past begins now. What is the same in both keeps its mRID and is not touched;
    what was cancelled once comes back with another.
    """
    new = [one for key, one in after.items.items() if key not in before.items and _is_open(one, now)]
    known = frozenset(one.eventID for one in before.items.values() if _is_open(one, now))
    created = [_from_now(_renewed(one, before), now, known) for one in new]
    renamed = {one.mRID: _renewed(one, before).mRID for one in new}
    renamed |= {one.mRID: one.mRID for one in before.items.values()}
    known_to_be = {**before.attempted, **before.items}
    gone = [one for key, one in known_to_be.items() if key not in after.items and _is_open(one, now)]
    steps: list[Step] = [Ensure(home=home) for home in _homes(created, before, after)]
    steps += [Create(publication=one) for one in created if one.end is None]
    steps += [Create(publication=_following(one, renamed)) for one in created if one.end is not None]
    steps += [
        SetDefault(home=one.home, default=one) for one in _new_defaults(before.defaults, after.defaults)
    ]
    steps += [SetDefault(home=one.home) for key, one in before.defaults.items() if key not in after.defaults]
    steps += [_cancel(one, after) for one in gone if one.end is not None]
    steps += [Remove(record=one) for one in gone if one.end is None]
    return tuple(steps)


def adopted(held: Held, after: Publications, now: int) -> Held:
    """What exists, with what runs under the identity that it has now: it is the same but for its beginning.

    Where the better of two events ends, the other began earlier than it was published to begin. What is
    published lasts as long as what is wanted, or longer, and then what follows that takes over.
    """
    wanted = {
        (one.alike, one.home.mRID): one
        for key, one in after.items.items()
        if key not in held.items and one.alike and _is_running(one, now)
    }
    items: dict[str, Record] = {}
    for key, record in held.items.items():
        one = wanted.get((record.alike, record.home.mRID)) if _is_running(record, now) else None
        is_same = one is not None and key not in after.items and (record.end or 0) >= (one.end or 0)
        if one is not None and is_same and one.identity not in items:
            items[one.identity] = replace(record, identity=one.identity)
        else:
            items[key] = record
    return replace(held, items=items) if items.keys() != held.items.keys() else held


def done(held: Held, step: Step) -> Held:
    """What exists after a step."""
    return all_done(held, [step])


def all_done(held: Held, steps: Sequence[Step]) -> Held:
    """What exists after steps."""
    made = [record_of(step.publication) for step in steps if isinstance(step, Create)]
    gone = [step.record for step in steps if isinstance(step, Cancel | Remove)]
    defaults = {**held.defaults}
    for step in steps:
        if isinstance(step, SetDefault):
            defaults.pop(step.home.mRID, None)
            if step.default is not None:
                defaults[step.home.mRID] = HeldDefault(home=step.home, text=told(step.default.base))
    made_keys = {one.identity for one in made}
    after = replace(
        held,
        items={**held.items, **{one.identity: one for one in made}},
        attempted={key: one for key, one in held.attempted.items() if key not in made_keys},
        defaults=defaults,
    )
    return spend(after, gone) if gone else after


def begun(held: Held, steps: Iterable[Step]) -> Held:
    """What may exist once steps are on their way: to be kept before they are taken."""
    made = [record_of(step.publication) for step in steps if isinstance(step, Create)]
    return replace(held, attempted={**held.attempted, **{one.identity: one for one in made}})


def spend(held: Held, gone: Sequence[Record]) -> Held:
    """Without events whose mRIDs are used up: if one is wanted again, it comes back with another."""
    keys = {one.identity for one in gone}
    spent = {one.identity: Spent(times=attempts(held, one.identity) + 1, until=one.end) for one in gone}
    return replace(
        held,
        items={key: one for key, one in held.items.items() if key not in keys},
        attempted={key: one for key, one in held.attempted.items() if key not in keys},
        spent={**held.spent, **spent},
    )


def record_of(one: Publication) -> Record:
    """What is to be known of a publication later."""
    return Record(
        identity=one.identity,
        mRID=one.mRID,
        home=one.home,
        start=one.start,
        end=one.end,
        eventID=one.eventID,
        randomizes=one.randomizes,
        alike=one.alike,
    )


def forgotten(held: Held, now: int, keep_s: int = 86_400) -> Held:
    """Without what is over since a while. Curves stay until they are removed."""
    items = {key: one for key, one in held.items.items() if one.end is None or one.end + keep_s > now}
    attempted = {key: one for key, one in held.attempted.items() if _is_open(one, now)}
    spent = {key: one for key, one in held.spent.items() if one.until is None or one.until + keep_s > now}
    return replace(held, items=items, attempted=attempted, spent=spent)


def attempts(held: Held, identity: str) -> int:
    """How many mRIDs of what is so identified are used up."""
    spent = held.spent.get(identity)
    return 0 if spent is None else spent.times


def _is_open(one: Publication | Record, now: int) -> bool:
    return one.end is None or one.end > now


def _is_running(one: Publication | Record, now: int) -> bool:
    return one.end is not None and one.start <= now < one.end


def _renewed(one: Publication, before: Held) -> Publication:
    """With the mRID that was not yet used."""
    attempt = attempts(before, one.identity)
    return replace(one, mRID=mrid_of(one.identity, one.home, attempt)) if attempt else one


def _following(one: Publication, renamed: Mapping[str, str]) -> Publication:
    curves = tuple((mode, renamed.get(mrid, mrid)) for mode, mrid in one.curves)
    return replace(one, curves=curves) if curves else one


def _cancel(one: Record, after: Publications) -> Cancel:
    """Devices spread the end of an event that is gone, not of one that another takes over from."""
    is_gone = all(other.eventID != one.eventID for other in after.items.values())
    return Cancel(record=one, is_randomized=one.randomizes and is_gone)


def _from_now(one: Publication, now: int, known: frozenset[str]) -> Publication:
    """An event that begins now instead of in the past.

    What is left of its random window still counts, but not where it takes over from another: devices would
    fall to their default in between. Where nothing is left of it, devices spread the end alone.
    """
    if one.end is None or one.start >= now or not isinstance(one.value, Event):
        return one
    held = replace(one.value, interval=DateTimeInterval(duration=one.end - now, start=now))
    if not isinstance(held, RandomizableEvent) or not held.randomizeStart:
        return replace(one, value=held, start=now, randomizes=False)
    left_s = 0 if one.eventID in known else one.start + held.randomizeStart - now
    if left_s > 0:
        held.randomizeStart = left_s
    else:
        held.randomizeStart, held.randomizeDuration = None, held.randomizeStart
    return replace(one, value=held, start=now, randomizes=True)


def _homes(created: list[Publication], before: Held, after: Publications) -> Iterator[Home]:
    """Programs that new publications need, each before what hangs below it."""
    needed = [one.home for one in created]
    needed += [one.home for one in _new_defaults(before.defaults, after.defaults)]
    found: dict[str, Home] = {}
    for home in needed:
        if home.parent is not None:
            found.setdefault(home.parent.mRID, home.parent)
        found.setdefault(home.mRID, home)
    yield from found.values()


def _new_defaults(before: Mapping[str, HeldDefault], after: Mapping[str, Default]) -> Iterator[Default]:
    for key, one in after.items():
        held = before.get(key)
        if held is None or held.text != told(one.base):
            yield one
