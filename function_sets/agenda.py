"""The events of one client as they pass through time: every step that is due, in order, once.

IEEE 2030.5-2018, 10.2.3.
"""

from collections.abc import Mapping
from dataclasses import replace

from function_sets.lifecycle import TRANSITIONS, Happening, due_of
from function_sets.phases import ACTING, READY, RUNNING, TERMINAL, UNSTARTED, Phase
from function_sets.records import Due, EventRecord, Rules
from function_sets.rivalry import (
    Claims,
    bridged_modes,
    by_rank,
    claims_of,
    is_waiting_for_rival,
    keeper_of,
    superseded_code,
    taken_from,
)
from schemas.codes import EventState


class Agenda:
    """Records of events and the Responses that their steps owe; made for one advance and then left."""

    def __init__(self, records: Mapping[str, EventRecord], rules: Rules) -> None:
        self.records = dict(records)
        self.due: list[Due] = []
        self.rules = rules
        self._ranked: list[str] = []
        """The mRIDs of all records, the best first; empty where that has to be found out."""
        self._claims: Claims | None = None
        """What `claims_of` tells of the live events as they are; None where that has to be found out."""

    def live(self) -> list[EventRecord]:
        """Events that are not over, the best first."""
        if not self._ranked:
            self._ranked = [record.mRID for record in by_rank(self.records.values())]
        ranked = (self.records[mrid] for mrid in self._ranked)
        return [record for record in ranked if record.phase not in TERMINAL]

    def put(self, record: EventRecord) -> None:
        """Take up a record in the place of the one before."""
        held = self.records.get(record.mRID)
        if held == record:
            return
        if held is None or held.rank != record.rank:
            self._ranked = []
        self._claims = None
        self.records[record.mRID] = record

    def claims(self) -> Claims:
        """Modes that each live event may begin."""
        if self._claims is None:
            self._claims = claims_of(self.live())
        return self._claims

    def owe(self, record: EventRecord, status: int, at: int) -> None:
        """Owe a Response, if the event asks for it."""
        self.due.extend(due_of(record, status, at))

    def happen(self, record: EventRecord, happening: Happening, at: int, code: int | None = None) -> None:
        """Move an event to its next phase; `code` is owed in the place of the usual one.

        An event that devices did not hold owes nothing at its end: it was not completed.
        """
        if happening is Happening.END and record.is_unheld and record.phase in ACTING:
            self.put(replace(record, phase=Phase.FAILED))
            return
        phase, usual = TRANSITIONS[record.phase, happening]
        self.put(replace(record, phase=phase))
        self.owe(record, usual if code is None else code, at)

    def run_to(self, now: int) -> None:
        """Let all pass that time alone brings until `now`, each step at its own second."""
        for at in sorted({at for record in self.live() for at in times_of(record) if at <= now}):
            self.settle(at)

    def settle(self, at: int) -> None:
        """Let all happen that is due at one second, until nothing changes any more."""
        before: dict[str, EventRecord] = {}
        while before != self.records:
            before = dict(self.records)
            self._cancel(at)
            self._end(at)
            self._start(at)
            self._give_over(at)

    def next_at(self, now: int) -> int | None:
        """When time alone next changes something."""
        times = (at for record in self.live() for at in times_of(record))
        return min((at for at in times if at > now), default=None)

    def _cancel(self, at: int) -> None:
        """Act on the status that the server gave: cancelled, or superseded by an event not known here."""
        for record in self.live():
            if record.cancel_at is not None and (record.cancel_at <= at or not _is_delayed(record)):
                self.happen(record, Happening.CANCEL, at)
            elif _is_superseded(record) and not is_waiting_for_rival(record, self.live()):
                self.happen(record, Happening.SUPERSEDE, at)

    def _end(self, at: int) -> None:
        """End what has run its time, unless only the random part of its successor would leave a gap."""
        live = self.live()
        over = [record for record in live if record.end <= at]
        claims = self.claims() if over else {}
        for record in over:
            if record.phase in READY:
                self._end_unstarted(record, at)
                continue
            kept = bridged_modes(record, live, claims, at) if record.phase in RUNNING else frozenset()
            if kept:
                self.put(replace(record, superseded_modes=record.superseded_modes | (record.modes - kept)))
            else:
                self.happen(record, Happening.END, at)

    def _end_unstarted(self, record: EventRecord, at: int) -> None:
        """End an event that never ran: kept back by another, or left no time by its own random part."""
        live, claims = self.live(), self.claims()
        if claims[record.mRID]:
            self._start_one(record, claims[record.mRID], at)
            self.happen(self.records[record.mRID], Happening.END, at)
            return
        keeper = keeper_of(record, live, claims)
        self.happen(record, Happening.SUPERSEDE, at, superseded_code(record, keeper, self.rules))

    def _start(self, at: int) -> None:
        """Start what is due, and let running events take up modes that came free."""
        live, claims = self.live(), self.claims()
        for record in live:
            claimed = claims[record.mRID]
            if record.phase in READY and record.start <= at and claimed:
                self._start_one(record, claimed, at)
            elif record.phase in RUNNING:
                self.put(replace(record, begun_modes=record.begun_modes | claimed))

    def _start_one(self, record: EventRecord, modes: frozenset[str], at: int) -> None:
        self.happen(record, Happening.START, at)
        self.put(replace(self.records[record.mRID], begun_modes=modes))

    def _give_over(self, at: int) -> None:
        """Give modes from losers to winners that run; an event without any mode left is over."""
        for mrid in [record.mRID for record in self.live() if record.phase in RUNNING]:
            winner = self.records[mrid]
            for loser in self.live():
                taken = taken_from(loser, winner)
                if taken:
                    self._lose(loser, winner, taken, at)

    def _lose(self, loser: EventRecord, winner: EventRecord, taken: frozenset[str], at: int) -> None:
        left = replace(loser, superseded_modes=loser.superseded_modes | taken)
        self.put(left)
        if left.modes - left.superseded_modes:
            return
        if loser.phase in RUNNING and loser.specified_end <= winner.specified_start:
            self.happen(left, Happening.END, at)
        else:
            self.happen(left, Happening.SUPERSEDE, at, superseded_code(left, winner, self.rules))


def times_of(record: EventRecord) -> tuple[int, ...]:
    """Seconds at which time alone may change a live event."""
    starts = (record.start,) if record.phase in UNSTARTED else ()
    cancels = () if record.cancel_at is None else (record.cancel_at,)
    return (*starts, record.end, *cancels)


def _is_delayed(record: EventRecord) -> bool:
    return record.control.EventStatus_.currentStatus == EventState.CANCELLED_WITH_RANDOMIZATION


def _is_superseded(record: EventRecord) -> bool:
    return record.control.EventStatus_.currentStatus == EventState.SUPERSEDED
