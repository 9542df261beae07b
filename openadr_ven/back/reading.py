"""The shell that reads what goes back up: readings, status and Responses, from the operator API.

One request tells which devices have something new; where none has, it is the only one. Only those are read,
and of series and Responses only what is new. One task owns a `Reading`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from urllib.parse import quote

from function_sets import Refused, Unreachable
from openadr_ven.back.known import FRESH_S, DeviceKnown, Known, Series
from openadr_ven.back.parsing import ders_of, samples_of, series_of, with_samples
from openadr_ven.back.replies import Heard, Reply, hear
from openadr_ven.operator_api import OperatorApi
from openadr_ven.to_sep2 import Fleet, Held, HomeKind

log = logging.getLogger(__name__)

AT_ONCE: Final = 16
"""So many requests are on their way at a time."""
KEEP_S: Final = 86_400
"""So long readings are kept, unless something else is asked for."""
MOST_VALUES: Final = 10_000
MOST_REPLIES: Final = 1_000
ANSWERED: Final = frozenset({HomeKind.DER, HomeKind.DRLC})
"""Events in programs of these kinds are carried out by devices, which answer."""
RESPONSE: Final = "Response"
"""How the kinds of all Responses end."""
READING: Final = "Reading"
"""What the kinds have in common whose changes bring values."""
BACK_S: Final = 3_600
GONE: Final = frozenset({"EndDevice"})
"""Kinds of changes after which a name may be of nobody, or of another device."""
MOST_CHANGES: Final = 10_000
LATE_S: Final = 3_600
"""So long after the end of a control its Responses are still read."""
Told = dict[str, Any]
T = TypeVar("T")


def members_of(fleet: Fleet) -> dict[str, tuple[str, ...]]:
    """The devices behind each resource of the VTN, by their names on the server."""
    return {name: tuple(one.name for one in devices) for name, devices in fleet.by_resource().items()}


def controls_of(held: Held, now: int) -> dict[str, tuple[str, ...]]:
    """The mRIDs of the controls of each event to which devices may still answer."""
    found: dict[str, list[str]] = {}
    for one in held.items.values():
        if one.home.kind in ANSWERED and one.end is not None and one.end + LATE_S > now:
            found.setdefault(one.eventID, []).append(one.mRID)
    return {eventID: tuple(mrids) for eventID, mrids in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """What changed up to a place of the change feed: kinds by device. `devices` None are all of them."""

    place: int
    devices: Mapping[str, frozenset[str]] | None = None
    kinds: frozenset[str] = frozenset()

    @property
    def has_replies(self) -> bool:
        """Whether there may be new Responses."""
        return self.devices is None or any(kind.endswith(RESPONSE) for kind in self.kinds)

    def has(self, name: str) -> bool:
        """Whether there may be something new of a device, also by its coming or going."""
        return self.devices is None or name in self.devices or not self.kinds.isdisjoint(GONE)

    def is_measured(self, name: str) -> bool:
        """Whether there may be new values of a device, be they of long ago."""
        return self.devices is None or any(READING in kind for kind in self.devices.get(name, ()))


class Reading:
    """What the server knows, read again and again. `known` and `heard` are values to be used freely."""

    def __init__(
        self,
        api: OperatorApi,
        members: Mapping[str, tuple[str, ...]],
        heard: Heard,
        keep: Callable[[Heard], Awaitable[None]],
        *,
        keep_s: int = KEEP_S,
        fresh_s: int = FRESH_S,
    ) -> None:
        """`keep` stores what was heard; `keep_s` is how far back reports may reach."""
        self.known = Known(members=members, fresh_s=fresh_s)
        self.heard = heard
        self._api = api
        self._keep = keep
        self._keep_s = keep_s
        self._place: int | None = None
        self._asked: Mapping[str, tuple[str, ...]] = {}
        self._said: set[str] = set()
        self._read_at: dict[str, int] = {}
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def look(self, now: int, controls: Mapping[str, tuple[str, ...]]) -> bool:
        """Read what is new; `controls` are the mRIDs of the controls of each event.

        False where the server gave no answer: what is known is stale then, and stays.
        """
        try:
            news = await self._news()
            await self._read(now, news, controls)
            self._place, self._asked = news.place, dict(controls)
        except (Unreachable, Refused, KeyError, TypeError, ExceptionGroup) as flaw:
            lost = _lost(flaw) if isinstance(flaw, ExceptionGroup) else flaw
            if not self.known.is_stale:
                log.warning("what devices tell is stale: %r", lost)
            self.known = replace(self.known, is_stale=True)
            return False
        self.known = replace(self.known, is_stale=False, at=now)
        return True

    async def _news(self) -> _News:
        """What changed since the last time; everything, where nobody can tell."""
        if self._place is None:
            return _News(place=(await self._api.told("/status"))["changes"])
        place, kinds = self._place, set[str]()
        devices: dict[str, set[str]] = {}
        while True:
            told = await self._api.told("/changes", after=str(place), limit=str(MOST_CHANGES))
            place = told["next"]
            for one in told["changed"]:
                kinds |= set(one["kinds"])
                if one["device"] is not None:
                    devices.setdefault(one["device"], set()).update(one["kinds"])
            if not told["complete"]:
                return _News(place=place)
            if not told["more"]:
                held = {name: frozenset(some) for name, some in devices.items()}
                return _News(place=place, devices=held, kinds=frozenset(kinds))

    async def _read(self, now: int, news: _News, controls: Mapping[str, tuple[str, ...]]) -> None:
        """Everything that may have changed. Values are put in place once all of them are there."""
        names = dict.fromkeys(name for one in self.known.members.values() for name in one)
        before = self.known.devices
        new = [name for name in names if news.has(name)]
        found = await self._all(new, lambda name: self._device(name, now, news.is_measured(name)))
        events = {mrid: event for event, mrids in controls.items() for mrid in mrids}
        old = set() if news.has_replies else {one for mrids in self._asked.values() for one in mrids}
        replies = await self._all([mrid for mrid in events if mrid not in old], self._replies)
        heard = self.heard
        for mrid, told in replies.items():
            heard = hear(heard, events[mrid], told) if told else heard
        if heard != self.heard:
            await self._keep(heard)
            self.heard = heard
        kept = {name: one for name, one in before.items() if name in names and name not in new}
        self.known = replace(self.known, devices={**kept, **found})

    async def _all(self, names: Iterable[str], ask: Callable[[str], Awaitable[T]]) -> dict[str, T]:
        """What is told of each name; what the server refuses to tell is said once and left out."""
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(self._one(name, ask)) for name in names}
        found = {name: task.result() for name, task in tasks.items()}
        return {name: one for name, one in found.items() if one is not None}

    async def _one(self, name: str, ask: Callable[[str], Awaitable[T]]) -> T | None:
        async with self._gate:
            try:
                return await ask(name)
            except (Refused, KeyError, TypeError, ValueError) as flaw:
                if str(flaw) not in self._said:
                    self._said.add(str(flaw))
                    log.warning("the 2030.5 server does not tell of %s: %r", name, flaw)
                return None

    async def _device(self, name: str, now: int, is_measured: bool) -> DeviceKnown:
        since = self._since(name, now) if is_measured else None
        path = f"/devices/{_part(name)}"
        told = await self._api.told(path)
        readings: list[Told] = (await self._api.told(f"{path}/readings"))["readings"]
        logged: list[Told] = (await self._api.told(f"{path}/logevents", limit="1"))["LogEvent"]
        before = self.known.devices.get(name, DeviceKnown())
        held = {one.mRID: one for one in before.series}
        return DeviceKnown(
            series=tuple(
                [await self._series(path, one, held.get(str(one["mRID"])), now, since) for one in readings]
            ),
            ders=ders_of(told),
            log_event_at=max((one["createdDateTime"] for one in logged), default=None),
            is_enabled=bool(told["enabled"]),
        )

    def _since(self, name: str, now: int) -> int:
        """How far behind the newest value others are looked for, s: a device may post what it missed late.

        Each time an hour is read again, and once an hour all that is kept.
        """
        if now - self._read_at.get(name, 0) < BACK_S:
            return BACK_S
        self._read_at[name] = now
        return self._keep_s

    async def _series(
        self, path: str, told: Told, held: Series | None, now: int, back_s: int | None
    ) -> Series:
        """A series with what is new in it, and with what came late; `back_s` None where nothing came."""
        made, since = series_of(told), now - self._keep_s
        latest = tuple(samples_of([told], without_time_at=told.get("lastUpdateTime")))
        before = () if held is None else held.samples
        if not latest or (latest[0] in before and back_s is None):
            return with_samples(made, before, latest, since)
        after = max(since, before[-1].start - (back_s or 0) - 1 if before else 0)
        query = {"after": str(max(0, after)), "limit": str(MOST_VALUES)}
        values = (await self._api.told(f"{path}/readings/{_part(made.mRID)}", **query))["values"]
        return with_samples(made, before, (*samples_of(values), *latest), since)

    async def _replies(self, mrid: str) -> list[tuple[str, Reply]]:
        """Responses to a control behind those that are known, all pages of them."""
        found: list[tuple[str, Reply]] = []
        after = self.heard.cursors.get(mrid, 0)
        while True:
            query = {"after": str(after), "limit": str(MOST_REPLIES)}
            told: list[Told] = (await self._api.told(f"/events/{mrid}/responses", **query))["responses"]
            found += _replies_in(mrid, told)
            if len(told) < MOST_REPLIES:
                return found
            after = told[-1]["id"]


def _replies_in(mrid: str, told: list[Told]) -> Iterator[tuple[str, Reply]]:
    for one in told:
        if one["device"] is not None and one["status"] is not None:
            yield one["device"], Reply(id=one["id"], control=mrid, status=one["status"])


def _lost(group: ExceptionGroup[Exception]) -> Exception:
    """The lost answer among what went wrong. Whatever else did is raised as it is."""
    lost, others = group.split(Unreachable)
    if others is not None or lost is None:
        raise group
    return lost.exceptions[0]


def _part(text: str) -> str:
    return quote(text, safe="")
