"""Series brought to the periods of a report: means of power, differences of energy. Exact, and pure.

Energy of counters and of deltas is the same here: amounts of periods, from which a part goes where it lies.
So whatever the granularity, the sum over all periods is the energy that was counted.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

from openadr_ven.back.known import Grade, Sample, Series
from schemas.codes_metering import AccumulationBehaviourType as Accumulation
from schemas.codes_metering import DataQualifierType as Qualifier

COUNTERS: Final = frozenset({Accumulation.CUMULATIVE, Accumulation.SUMMATION})
COUNTED: Final = COUNTERS | {Accumulation.DELTADATA}
EXTREMES: Final = frozenset(
    {
        Qualifier.MAXIMUM,
        Qualifier.MINIMUM,
        Qualifier.STANDARD_DEVIATION_OF_POPULATION,
        Qualifier.STANDARD_DEVIATION_OF_SAMPLE,
    }
)
"""Of these no mean and no sum can be made."""
ZERO: Final = Decimal(0)
STEP: Final = Decimal("0.000001")
"""Parts of an amount are told in such steps, Wh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What was measured in a period: its `value`, the s of it that are known, the worst grade.

    `known_s` 0 has no value: the device itself calls all that it told bad. `age_s` is, of a moment, for how
    long nothing was told.
    """

    value: Decimal
    known_s: int
    grade: Grade
    age_s: int = 0


_BAD: Final = Amount(value=ZERO, known_s=0, grade=Grade.BAD)


@dataclass(frozen=True, slots=True)
class Track:
    """A series as it is read over and over: pieces by start, without overlap, and where they start."""

    pieces: tuple[Sample, ...]
    starts: tuple[int, ...]

    def within(self, start: int, end: int) -> list[Sample]:
        """The pieces that lie in a period, at least in part."""
        first = max(0, bisect_right(self.starts, start) - 1)
        behind = bisect_left(self.starts, end, first)
        found = self.pieces[first:behind]
        return [one for one in found if one.start >= start or one.start + one.duration_s > start]


def power_track(series: Series) -> Track:
    """Powers as they hold in time; of two that overlap the later one wins from its start on."""
    return _track(_without_overlap(series.samples))


def energy_track(series: Series) -> Track:
    """Energy of a counter or of deltas as amounts of periods. What counts neither has none.

    Between two states of a counter lies their difference; where it fell, it was reset or replaced, and of
    that time nothing is known.
    """
    behaviour = series.accumulationBehaviour
    if behaviour in COUNTERS:
        return _track(_differences(series.samples))
    if behaviour == Accumulation.DELTADATA:
        return _track([one for one in _first_of_overlap(series.samples) if one.duration_s])
    return Track((), ())


def mean(track: Track, start: int, end: int) -> Amount | None:
    """The mean over a period, weighted by time; of a moment (start = end) the value that holds then.

    A value without duration counts as one of its moment: among such the mean is plain.
    """
    if start == end:
        return _at(track, start)
    weighted, known_s, grade = ZERO, 0, Grade.GOOD
    pieces = track.within(start, end)
    good = [one for one in pieces if one.grade is not Grade.BAD]
    for piece in good:
        part_s = min(piece.end, end) - max(piece.start, start)
        weighted, known_s, grade = weighted + piece.value * part_s, known_s + part_s, min(grade, piece.grade)
    if known_s:
        return Amount(value=weighted / known_s, known_s=known_s, grade=grade)
    if good:
        value = sum((one.value for one in good), ZERO) / len(good)
        return Amount(value=value, known_s=end - start, grade=min(one.grade for one in good))
    return _BAD if pieces else None


def total(track: Track, start: int, end: int) -> Amount | None:
    """The energy of a period: of an amount that lies in it in part, that part."""
    value, known_s, grade = ZERO, 0, Grade.GOOD
    pieces = track.within(start, end)
    for piece in pieces:
        part_s = min(piece.end, end) - max(piece.start, start)
        if part_s <= 0 or piece.grade is Grade.BAD:
            continue
        value += piece.value if part_s == piece.duration_s else _until(piece, end) - _until(piece, start)
        known_s, grade = known_s + part_s, min(grade, piece.grade)
    if known_s:
        return Amount(value=value, known_s=known_s, grade=grade)
    return _BAD if pieces else None


def _until(piece: Sample, at: int) -> Decimal:
    """How much of an amount lies before a time: rounded, so that what lies between times adds up exactly."""
    if at <= piece.start:
        return ZERO
    if at >= piece.end:
        return piece.value
    return (piece.value * (at - piece.start) / piece.duration_s).quantize(STEP)


def _at(track: Track, at: int) -> Amount | None:
    """The last value that had begun: it holds until another does, and gets old."""
    index = bisect_right(track.starts, at) - 1
    if index < 0:
        return None
    piece = track.pieces[index]
    if piece.grade is Grade.BAD:
        return _BAD
    return Amount(value=piece.value, known_s=1, grade=piece.grade, age_s=max(0, at - piece.end))


def _track(pieces: Sequence[Sample]) -> Track:
    return Track(tuple(pieces), tuple(one.start for one in pieces))


def _without_overlap(samples: Sequence[Sample]) -> list[Sample]:
    """Samples cut off where the next begins."""
    found: list[Sample] = []
    for one in samples:
        if found and found[-1].end > one.start:
            last = found.pop()
            if last.start < one.start:
                found.append(_cut(last, one.start))
        found.append(one)
    return found


def _cut(one: Sample, end: int) -> Sample:
    return Sample(start=one.start, duration_s=end - one.start, value=one.value, grade=one.grade)


def _first_of_overlap(samples: Sequence[Sample]) -> list[Sample]:
    """Samples without those that begin before the last one has ended: energy is not counted twice."""
    found: list[Sample] = []
    for one in samples:
        if not found or one.start >= found[-1].end:
            found.append(one)
    return found


def _differences(samples: Sequence[Sample]) -> list[Sample]:
    found: list[Sample] = []
    ordered = sorted((one for one in samples if one.grade is not Grade.BAD), key=lambda one: one.end)
    for before, after in pairwise(ordered):
        if after.end > before.end and after.value >= before.value:
            found.append(
                Sample(
                    start=before.end,
                    duration_s=after.end - before.end,
                    value=after.value - before.value,
                    grade=min(before.grade, after.grade),
                )
            )
    return found
