"""Which of several events governs a mode, and when one takes it from another. IEEE 2030.5-2018, 10.2.3."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from function_sets.phases import RUNNING, UNSTARTED, ResponseStatus
from function_sets.records import EventRecord, Rules

Claims: TypeAlias = Mapping[str, frozenset[str]]
"""Modes that each event, by its mRID, may begin."""


def overlaps_specified(one: EventRecord, other: EventRecord) -> bool:
    """True if the intervals overlap without random parts: only then one event supersedes the other."""
    return one.specified_start < other.specified_end and other.specified_start < one.specified_end


def yields_to(loser: EventRecord, winner: EventRecord) -> bool:
    """True if `loser` gives shared modes to `winner` once that runs.

    Where the specified intervals overlap, the rank decides. Where only the random parts make them meet, the
    earlier event ends as the later one starts, whatever the ranks.
    """
    if overlaps_specified(loser, winner):
        return loser.rank < winner.rank
    return loser.specified_start < winner.specified_start


def by_rank(records: Iterable[EventRecord]) -> list[EventRecord]:
    """Records, the best first."""
    return sorted(records, key=lambda record: record.rank, reverse=True)


def claims_of(live: Iterable[EventRecord]) -> dict[str, frozenset[str]]:
    """Modes that each live event may begin, as far as is known now; `live`: the best first.

    A mode is kept back for a better event that overlaps (see `keeps_back`). An event that is itself kept
    back keeps nobody back. A mode that has begun stays until another event takes it, whatever the claims.
    """
    claims: dict[str, frozenset[str]] = {}
    claimed: dict[str, _Claimed] = {}
    for record in live:
        kept_back = {
            mode
            for mode in record.modes
            if mode in claimed and any(keeps_back(o, record) for o in claimed[mode].near(record))
        }
        claims[record.mRID] = record.modes - kept_back - record.superseded_modes
        for mode in claims[record.mRID]:
            claimed.setdefault(mode, _Claimed()).add(record)
    return claims


class _Claimed:
    """Events that claim one mode, by their start: of a whole day of them few are near any one."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._records: list[EventRecord] = []
        self._longest = 0

    def add(self, record: EventRecord) -> None:
        """Count an event among them."""
        at = bisect_right(self._starts, record.specified_start)
        self._starts.insert(at, record.specified_start)
        self._records.insert(at, record)
        self._longest = max(self._longest, record.specified_end - record.specified_start)

    def near(self, record: EventRecord) -> Iterable[EventRecord]:
        """All that overlap with an event as specified, and few that do not."""
        first = bisect_left(self._starts, record.specified_start - self._longest)
        last = bisect_left(self._starts, record.specified_end)
        return self._records[first:last]


def keeps_back(better: EventRecord, record: EventRecord) -> bool:
    """True if a better event that is known before keeps `record` from starting.

    One of another program does wherever they overlap (CSIP BASIC-021). In the same program the older event
    runs until the newer one starts, as its status says on the server, unless the newer one starts first.
    """
    if not overlaps_specified(better, record):
        return False
    return better.program_href != record.program_href or better.specified_start <= record.specified_start


def keeper_of(record: EventRecord, live: Iterable[EventRecord], claims: Claims) -> EventRecord | None:
    """The best event that keeps `record` back, None where none does; `live`: the best first."""
    rivals = (
        other
        for other in live
        if other.rank > record.rank and keeps_back(other, record) and claims[other.mRID] & record.modes
    )
    return next(rivals, None)


def taken_from(loser: EventRecord, winner: EventRecord) -> frozenset[str]:
    """Modes that `loser` has to give to `winner` now."""
    if winner.phase not in RUNNING or loser.mRID == winner.mRID:
        return frozenset()
    shared = winner.active_modes & (loser.modes - loser.superseded_modes)
    return shared if shared and yields_to(loser, winner) else frozenset()


def bridged_modes(
    record: EventRecord, live: Iterable[EventRecord], claims: Claims, now: int
) -> frozenset[str]:
    """Modes in which an event whose end has come goes on until its successor starts.

    The successor was to follow without a gap, and only its random part delays it.
    IEEE 2030.5-2018, 10.2.3.
    """
    successors = (
        other
        for other in live
        if other.phase in UNSTARTED
        and other.start > now
        and other.specified_start <= record.specified_end <= other.specified_end
    )
    return record.active_modes & frozenset[str]().union(*(claims[other.mRID] for other in successors))


def is_waiting_for_rival(record: EventRecord, live: Iterable[EventRecord]) -> bool:
    """True if a better event of the same program, not started yet, will take modes of `record`."""
    return any(
        other.phase in UNSTARTED
        and other.program_href == record.program_href
        and other.rank > record.rank
        and overlaps_specified(other, record)
        and other.modes & record.modes
        for other in live
    )


def superseded_code(loser: EventRecord, winner: EventRecord | None, rules: Rules) -> int:
    """The code of the Response for an event that gave its last mode to `winner`."""
    if winner is None or winner.program_href == loser.program_href:
        return ResponseStatus.SUPERSEDED
    if loser.phase in UNSTARTED:
        return rules.other_program_before_start
    return rules.other_program_after_start
