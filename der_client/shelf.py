"""The resources that a client holds, when each was read, and which to read next. Pure; one task owns it.

An aggregator has one shelf for all of its EndDevices: what they share is held and read once, and a change
makes only those be looked at again that use what has changed.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from der_client.discovery import Above, Identity, Walk, Want, walk_above, walk_device
from der_client.entries import Entries
from der_client.nodes import Node, node_of
from der_client.tariff_lists import outdated
from der_client.timetable import Timetable
from der_client.timing import due_s
from der_client.view import Programs, ServerView, view_of_walk
from schemas import EndDevice, EndDeviceList, Resource, Time

ENTRY_REST_S: Final = 0.02
"""For so long, for each entry, a list of EndDevices that is told to change rests between two reads, s.

Each entry costs both ends up to a millisecond, and a thousand that are being registered all change it.
"""
ABOVE: Final = -1
"""Stands for what is above the EndDevices, among the users of a resource."""


@dataclass(frozen=True, slots=True)
class ReadAt:
    """When a resource was read, local time in s, and the jitter (0 to 1) drawn for its next poll.

    One that is to be read next was read at no time; it is not read again before `rests_until_s`.
    """

    at_s: float
    spread: float
    rests_until_s: float = -math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An EndDevice that the client is interested in.

    `pin` is compared with its Registration. Of a `registration_alone` one nothing but that is read: the
    EndDevice of an aggregator itself. `is_principal` is the one of the client's certificate. `also` are
    lists that are followed on request alone: tariffs, granted flow reservations.
    """

    identity: Identity
    pin: int | None = None
    registration_alone: bool = False
    is_principal: bool = True
    also: frozenset[type[Resource]] = frozenset()


class Shelf:
    """What a client holds of one server. Resources no longer linked are put away at the next look."""

    def __init__(self, root: str, parties: Sequence[Party], *, floor_s: float) -> None:
        self.root = root
        self.parties = tuple(parties)
        self._floor_s = floor_s
        self._held: dict[str, Resource | None] = {}
        self._nodes: dict[str, Node] = {}
        self._read: dict[str, ReadAt] = {}
        self._users: dict[str, dict[int, int]] = {}
        self._wants: dict[str, Want] = {}
        self._missing: dict[str, Want] = {}
        self._slow_s: dict[str, float] = {}
        self._timetable = Timetable()
        self._entries = Entries([party.identity for party in parties])
        self._programs = Programs()
        self._also = frozenset[type[Resource]]().union(*(party.also for party in parties))
        self._above = self._kept_above = Above()
        self._walks: list[Walk] = [Walk() for _ in parties]
        self._barred: set[int] = set()
        self._dirty: set[int] = {ABOVE}
        self._fresh: set[int] = set(range(len(self.parties)))
        self._shortest_s = math.inf
        self.revision = 0
        """Changes with what is wanted, and with what is held of it."""
        self._look()

    def restart(self, party: int | None = None) -> None:
        """Forget what a party uses, or everything, and begin again at DeviceCapability: rediscovery."""
        if party is None:
            self._entries.clear()
            self._programs = Programs()
            self._kept_above = Above()
        users = range(len(self.parties)) if party is None else (party,)
        wanted = {href for user in users for href in self._walks[user].wants} | self._above.walk.wants.keys()
        for href in wanted:
            self._forget(href)
        self._dirty |= {ABOVE, *users}
        self._look()

    def begin_at(self, root: str) -> None:
        """Begin at another DeviceCapability; nothing happens where it is the same."""
        if root == self.root:
            return
        self.root = root
        self.restart()

    def put(self, href: str, resource: Resource, now: float, spread: float) -> bool:
        """Hold a resource that was read at `now`.

        True for one that is polled slowly, because the server tells of its changes, and has changed unheard.
        """
        if href not in self._wants:
            return False
        former, was_hurried = self._held.get(href), self._is_hurried(href)
        self._held[href] = resource
        self._read_at(href, now, spread)
        for components in outdated(href, resource, self._held):
            self.hurry(components)
        if former is not None and _means_the_same(former, resource):
            return False
        self._nodes[href] = node_of(resource)
        self._touched(href)
        return former is not None and href in self._slow_s and not was_hurried

    def put_entry(self, entry: EndDevice) -> None:
        """Take one EndDevice anew, as it would stand in its list."""
        for want, resource in self._lists():
            resource.EndDevice_ = [entry if one.href == entry.href else one for one in resource.EndDevice_]
            self._held[want.href] = resource
        number = self._entries.put_one(entry)
        if number is not None:
            self._dirty.add(number)
            self.revision += 1
            self._look()

    def entries_in(self, href: str) -> int | None:
        """How many EndDevices the list at `href` has, None where it is not held."""
        held = self._held.get(href)
        return len(held.EndDevice_) if isinstance(held, EndDeviceList) else None

    def miss(self, href: str, now: float, spread: float) -> bool:
        """Take note that the server has no such resource; True if it was there before: rediscover then."""
        was_there = self._held.get(href) is not None
        if href in self._wants:
            self._held[href] = None
            self._nodes.pop(href, None)
            self._read_at(href, now, spread)
            self._touched(href)
        return was_there

    def postpone(self, href: str, now: float, spread: float) -> None:
        """Go on with what is held of a resource whose poll was refused, until its next poll."""
        if href not in self._wants:
            return
        is_new = href not in self._held
        self._held.setdefault(href, None)
        self._read_at(href, now, spread)
        if is_new:
            self._touched(href)

    def hurry(self, href: str) -> None:
        """Read a resource next: it is said to have changed; a long list of EndDevices after a rest."""
        read = self._read.get(href)
        if read is not None and not self._is_hurried(href):
            rest_s = ENTRY_REST_S * (self.entries_in(href) or 0)
            self._read[href] = ReadAt(-math.inf, 0.0, read.at_s + rest_s)
            self._schedule(href)

    def slow_down(self, href: str, poll_s: float | None) -> None:
        """Poll a resource that the server tells of only every `poll_s`; at its own rate again with None."""
        if self._slow_s.get(href) == poll_s:
            return
        if poll_s is None:
            self._slow_s.pop(href, None)
        else:
            self._slow_s[href] = poll_s
        self._schedule(href)

    def bar(self, party: int, *, is_barred: bool) -> None:
        """Read of a party nothing but its Registration, whose PIN is wrong; or all again."""
        if is_barred != (party in self._barred):
            self._barred ^= {party}
            self._dirty.add(party)
            self._look()

    def is_barred(self, party: int) -> bool:
        """True for a party whose PIN is wrong."""
        return party in self._barred

    @property
    def is_incomplete(self) -> bool:
        """True while something that is wanted was not read yet."""
        return bool(self._missing)

    def holds(self, href: str) -> bool:
        """True if a resource was read, or found to be missing."""
        return href in self._held

    def resource(self, href: str) -> Resource | None:
        """A resource as it was read last, or None."""
        return self._held.get(href)

    def held(self) -> Iterator[tuple[Want, Resource]]:
        """Every resource that was read and is wanted."""
        found = ((want, self._held.get(href)) for href, want in self._wants.items())
        return ((want, resource) for want, resource in found if resource is not None)

    def wanted(self, href: str) -> Want | None:
        """The want of an href, or None."""
        return self._wants.get(href)

    def users(self, href: str) -> tuple[int, ...]:
        """The parties that a resource is about."""
        return tuple(user for user in self._users.get(href, ()) if user != ABOVE)

    def next(self, now: float) -> Want | None:
        """What to read now: what is missing in the order of the walk, then what is most overdue."""
        for want in self._missing.values():
            return want
        due, href = self._timetable.first()
        return self._wants[href] if href is not None and due <= now else None

    def wait_s(self, now: float) -> float:
        """Time until the next read is due, s; a new poll rate counts from the last read on."""
        if self._missing:
            return 0.0
        due, href = self._timetable.first()
        return 0.0 if href is None else max(0.0, due - now)

    def take_fresh(self) -> tuple[int, ...]:
        """The parties whose part may have changed since the last call."""
        fresh, self._fresh = tuple(sorted(self._fresh)), set()
        return fresh

    def view(self, party: int = 0) -> ServerView | None:
        """The picture of the server as a party sees it, or None while something is missing."""
        if party in self._barred:
            return ServerView()
        own = self._walks[party]
        hrefs = (*self._above.walk.wants, *own.wants)
        if self._missing and any(href in self._missing for href in hrefs):
            return None
        return view_of_walk(self._above, own, self._held, self._nodes, self._programs)

    def shortest_poll_s(self) -> float:
        """The fastest poll rate that the server asks for, s; infinite before there is any."""
        return self._shortest_s

    def fastest_poll_s(self) -> float:
        """How often at least one resource is polled, s: what the server tells of itself is slowed down."""
        return min((self._poll_s(want) for want in self._wants.values()), default=math.inf)

    def _lists(self) -> Iterator[tuple[Want, EndDeviceList]]:
        found = ((want, self._held.get(want.href)) for want in self._above.walk.wants.values())
        return ((want, one) for want, one in found if isinstance(one, EndDeviceList))

    def _is_hurried(self, href: str) -> bool:
        read = self._read.get(href)
        return read is not None and read.at_s == -math.inf

    def _read_at(self, href: str, now: float, spread: float) -> None:
        self._missing.pop(href, None)
        self._read[href] = ReadAt(now, spread)
        self._schedule(href)

    def _schedule(self, href: str) -> None:
        read, want = self._read.get(href), self._wants.get(href)
        if read is not None and want is not None:
            due_at_s = due_s(read.at_s, self._poll_s(want), read.spread)
            self._timetable.put(href, max(due_at_s, read.rests_until_s))

    def _poll_s(self, want: Want) -> float:
        return max(float(want.poll_s), self._floor_s, self._slow_s.get(want.href, 0.0))

    def _touched(self, href: str) -> None:
        """Look again at all who use a resource that has changed."""
        self._dirty.update(self._users.get(href, ()))
        self.revision += 1
        self._look()

    def _forget(self, href: str) -> None:
        self._held.pop(href, None)
        self._nodes.pop(href, None)
        self._read.pop(href, None)
        self._timetable.drop(href)
        if href in self._wants:
            self._missing[href] = self._wants[href]

    def _look(self) -> None:
        changed: set[str] = set()
        if ABOVE in self._dirty:
            self._dirty.discard(ABOVE)
            self._look_above(changed)
        for user in sorted(self._dirty):
            is_alone = self.parties[user].registration_alone or user in self._barred
            own = walk_device(
                self._entries.of(user),
                self._above,
                self._nodes,
                registration_alone=is_alone,
                also=self.parties[user].also,
            )
            self._replace(user, self._walks[user].wants, own.wants, changed)
            self._walks[user] = own
        self._fresh |= self._dirty
        self._dirty.clear()
        for href in changed:
            self._settle(href)
        if changed:
            self.revision += 1
            self._shortest_s = min((float(want.poll_s) for want in self._wants.values()), default=math.inf)

    def _look_above(self, changed: set[str]) -> None:
        """Walk from the root; what that changes for a party makes it be looked at too."""
        former, walked = self._above, walk_above(self.root, self._held, self._nodes, self._also)
        lists = [w for w in walked.walk.wants.values() if issubclass(w.type, EndDeviceList)]
        is_known = walked.dcap is not None and all(want.href in self._held for want in lists)
        self._kept_above = walked if is_known else self._kept_above
        self._above = replace(self._kept_above, walk=walked.walk)
        self._replace(ABOVE, former.walk.wants, walked.walk.wants, changed)
        if is_known:
            self._dirty |= self._entries.put(walked.entries)
        everybody = set(range(len(self.parties)))
        self._fresh |= everybody
        if _handed_down(former) != _handed_down(self._above):
            self._dirty |= everybody

    def _replace(
        self, user: int, before: Mapping[str, Want], after: Mapping[str, Want], changed: set[str]
    ) -> None:
        for href in before.keys() - after.keys():
            self._users[href].pop(user, None)
            changed.add(href)
        for href, want in after.items():
            users = self._users.setdefault(href, {})
            if users.get(user) != want.poll_s or href not in self._wants:
                users[user] = want.poll_s
                self._wants.setdefault(href, want)
                changed.add(href)
            if href not in self._held:
                self._missing.setdefault(href, want)

    def _settle(self, href: str) -> None:
        """Bring the rate of a resource up to date, or put it away where nobody uses it any more."""
        users = self._users[href]
        if not users:
            self._forget(href)
            for table in (self._users, self._wants, self._missing, self._slow_s):
                table.pop(href, None)
            return
        poll_s = min(users.values())
        if self._wants[href].poll_s != poll_s:
            self._wants[href] = replace(self._wants[href], poll_s=poll_s)
        self._schedule(href)


def _handed_down(above: Above) -> tuple[object, ...]:
    return above.dcap, above.root_poll_s, above.list_poll_s


def _means_the_same(one: Resource, other: Resource) -> bool:
    """True if nothing that is made of a resource changes with it; of Time only the rate is used."""
    if isinstance(one, Time) and isinstance(other, Time):
        return one.pollRate == other.pollRate
    return one == other
