"""Which reports are owed when: requests against what we offer, and the periods that fall due. Pure.

OpenADR 2.0b, R306, R308, R315, R317, R318, R324, R325, R327, R340.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from openadr_ven.bounds import LONGEST_S
from openadr_ven.events import Code, Refusal
from openadr_ven.v2b.report_messages import (
    METADATA,
    NO_DATA,
    NO_NEW_VALUE,
    Datum,
    Report,
    ReportInterval,
    ReportName,
    ReportOffer,
    ReportRequest,
    ResourceStatus,
)

MOST_INTERVALS: Final = 10_000
"""More intervals than that in one report are too much asked for (R340)."""
BUFFER_S: Final = 86_400
"""How long data is taken to be kept, s, where metadata does not say it."""
ON_CHANGE_S: Final = 10
"""How often a value is looked at that is to be told on change, s, where metadata does not say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A request that is scheduled.

    `since` is from when on nothing was reported yet, `due` when the next report is made; both s.
    """

    request: ReportRequest
    since: int
    due: int

    @property
    def is_once(self) -> bool:
        """Whether one report is all (R324)."""
        return self.request.back_s == 0

    @property
    def end(self) -> int | None:
        """When the last period ends; None for ever (R325)."""
        request = self.request
        if request.duration_s is None or request.start is None:
            return None
        return request.start + request.duration_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A report to make: the periods of its intervals, s. A point in time has start and end alike."""

    request: ReportRequest
    offer: ReportOffer
    periods: tuple[tuple[int, int], ...]


def plain_name(offer: ReportOffer) -> str:
    """The name of a report with data (R313)."""
    return offer.reportName.removeprefix(f"{METADATA}_")


def digest_of(offers: Sequence[ReportOffer]) -> str:
    """What tells other metadata from the same; the time of its making does not count."""
    same = [replace(one, createdDateTime=0) for one in offers]
    return hashlib.sha256(repr(same).encode()).hexdigest()


def is_metadata(request: ReportRequest) -> bool:
    """Whether a request is for what can be reported (R327)."""
    return request.reportSpecifierID == METADATA


def refusal_of(request: ReportRequest, offers: Sequence[ReportOffer]) -> Refusal | None:
    """Why a request is not taken; None if it is."""
    if is_metadata(request):
        return None
    offer = _offer(request, offers)
    if offer is None:
        return Refusal(code=Code.REPORT_NOT_SUPPORTED, text=f"no report {request.reportSpecifierID!r:.80}")
    known = {point.rID for point in offer.points}
    unknown = [rID for rID, _ in request.points if rID not in known]
    if unknown:
        return Refusal(code=Code.INVALID_ID, text=f"no rID {unknown[0]!r:.80}")
    return _excess(request, offer)


def _excess(request: ReportRequest, offer: ReportOffer) -> Refusal | None:
    """What of a request is more than the metadata allows (R340)."""
    if max(request.granularity_s, request.back_s, request.duration_s or 0) > LONGEST_S:
        return Refusal(code=Code.INVALID_DATA, text="a duration beyond all bounds")
    if request.back_s == 0 and not request.duration_s and plain_name(offer) == ReportName.HISTORY_USAGE:
        return Refusal(code=Code.INVALID_DATA, text="a history once, whose reportInterval has no duration")
    wanted = {rID for rID, _ in request.points}
    rates = [one.sampling for one in offer.points if one.rID in wanted and one.sampling is not None]
    least_s = max((rate.least_s for rate in rates), default=0)
    if 0 < request.granularity_s < least_s:
        return Refusal(code=Code.INVALID_DATA, text=f"a granularity below {least_s} s")
    step_s = request.granularity_s or _sampling_s(offer)
    if 0 < request.back_s < step_s:
        return Refusal(code=Code.INVALID_DATA, text=f"a reportBackDuration below {step_s} s")
    if max(request.back_s, _history_s(request)) > MOST_INTERVALS * step_s:
        return Refusal(code=Code.INVALID_DATA, text=f"more than {MOST_INTERVALS} intervals in a report")
    return None


def _history_s(request: ReportRequest) -> int:
    return (request.duration_s or 0) if request.back_s == 0 else 0


def scheduled(request: ReportRequest, offers: Sequence[ReportOffer], now: int) -> Running:
    """A request that is taken: its first report is at once where it is the only one, else after a period."""
    start = now if request.start is None else request.start
    offer = _offer(request, offers)
    is_history = offer is not None and plain_name(offer) == ReportName.HISTORY_USAGE
    if request.back_s == 0:
        end = start + (request.duration_s or 0)
        due = max(now, end) if is_history else max(now, start)
        return Running(request=request, since=start if is_history else due, due=due)
    since = (
        start if is_history else max(start, now - (now - start) % request.back_s if now > start else start)
    )
    return Running(request=request, since=since, due=max(now, since + request.back_s))


def jobs_due(running: Running, offers: Sequence[ReportOffer], now: int) -> tuple[list[Job], Running | None]:
    """The reports that are due, and the request as it goes on; None once nothing more is owed.

    Periods that are longer ago than the buffer are left out: nothing is kept of them.
    """
    offer = _offer(running.request, offers)
    if offer is None:
        return [], None
    if running.is_once:
        once = _once(running, offer)
        return ([once] if once.periods else [], None) if running.due <= now else ([], running)
    jobs: list[Job] = []
    running = _remembered(running, offer, now)
    while running.due <= now:
        since, until = running.since, running.since + running.request.back_s
        if running.end is not None:
            until = min(until, running.end)
        if until > since:
            periods = _periods(running.request, offer, since, until)
            jobs.append(Job(request=running.request, offer=offer, periods=periods))
        if running.end is not None and until >= running.end:
            return jobs, None
        running = replace(running, since=until, due=until + running.request.back_s)
    return jobs, running


def _remembered(running: Running, offer: ReportOffer, now: int) -> Running:
    """A request without the periods of which nothing is kept any more: those that ended before the buffer."""
    back_s = running.request.back_s
    skipped = max(0, (_oldest(offer, now) - running.since) // back_s)
    since = running.since + skipped * back_s
    return replace(running, since=since, due=since + back_s) if skipped else running


def _oldest(offer: ReportOffer, now: int) -> int:
    """From when on something is kept, s."""
    return now - (BUFFER_S if offer.buffer_s is None else offer.buffer_s)


def last_job(running: Running, offers: Sequence[ReportOffer], now: int) -> Job | None:
    """What was not reported yet of a request that is cancelled; None if that is nothing.

    What is longer ago than the buffer, or than one report holds (R340), is left out.
    """
    request, offer = running.request, _offer(running.request, offers)
    if offer is None or now <= running.since:
        return None
    most_s = MOST_INTERVALS * (request.granularity_s or _sampling_s(offer))
    since = max(running.since, _oldest(offer, now), now - most_s)
    periods = _periods(request, offer, since, now)
    return Job(request=request, offer=offer, periods=periods) if periods else None


def _once(running: Running, offer: ReportOffer) -> Job:
    """One report: of telemetry one interval that ends now, of history all that was asked for (R324)."""
    request = running.request
    if plain_name(offer) == ReportName.HISTORY_USAGE:
        periods = _periods(request, offer, running.since, running.since + (request.duration_s or 0))
    else:
        periods = ((running.due - request.granularity_s, running.due),)
    return Job(request=request, offer=offer, periods=_points(offer, periods))


def _periods(request: ReportRequest, offer: ReportOffer, start: int, end: int) -> tuple[tuple[int, int], ...]:
    """Intervals of a report; the last is shorter where the whole is no multiple."""
    step_s = request.granularity_s or _sampling_s(offer)
    periods = tuple((at, min(at + step_s, end)) for at in range(start, end, step_s))
    return _points(offer, periods)


def _points(offer: ReportOffer, periods: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """A status is of a point in time: that at the end of its period (R315)."""
    if plain_name(offer) != ReportName.TELEMETRY_STATUS:
        return periods
    return tuple((end, end) for _, end in periods)


def _sampling_s(offer: ReportOffer) -> int:
    rates = [point.sampling.least_s for point in offer.points if point.sampling is not None]
    return max((one for one in rates if one > 0), default=ON_CHANGE_S)


def _offer(request: ReportRequest, offers: Sequence[ReportOffer]) -> ReportOffer | None:
    return next((one for one in offers if one.reportSpecifierID == request.reportSpecifierID), None)


def report_of(
    job: Job, found: Mapping[tuple[int, int], Sequence[Datum]], *, now: int, eiReportID: str
) -> Report:
    """The report of a job from the data of each of its periods.

    What has no data gets a placeholder of bad quality (R318). On change only what changed is told; where
    nothing did, the last value once, as such (R317).
    """
    rIDs = [rID for rID, _ in job.request.points] or [point.rID for point in job.offer.points]
    is_status = plain_name(job.offer) == ReportName.TELEMETRY_STATUS
    intervals = tuple(
        ReportInterval(
            start=start,
            duration_s=None if end == start else end - start,
            data=tuple(_filled(rIDs, found.get((start, end), ()), is_status=is_status)),
        )
        for start, end in job.periods
    )
    if job.request.granularity_s == 0 and job.request.back_s:
        intervals = tuple(_changes(intervals))
    return Report(
        reportRequestID=job.request.reportRequestID,
        reportSpecifierID=job.request.reportSpecifierID,
        reportName=plain_name(job.offer),
        createdDateTime=now,
        start=intervals[0].start or 0,
        intervals=intervals,
        eiReportID=eiReportID,
    )


def _filled(rIDs: Sequence[str], data: Sequence[Datum], *, is_status: bool) -> Iterator[Datum]:
    values = {one.rID: one for one in data}
    nothing = ResourceStatus(is_online=False, is_overridden=False) if is_status else Decimal(0)
    for rID in rIDs:
        yield values.get(rID, Datum(rID=rID, value=nothing, quality=NO_DATA))


def _changes(intervals: Sequence[ReportInterval]) -> Iterator[ReportInterval]:
    """Intervals in which something changed; the last one as it is where nothing did."""
    before: dict[str, Datum] = {}
    changed = []
    for one in intervals:
        news = tuple(datum for datum in one.data if before.get(datum.rID) != datum)
        before.update({datum.rID: datum for datum in one.data})
        if news and one is not intervals[0]:
            changed.append(replace(one, data=news))
    if changed:
        yield from (intervals[0], *changed)
        return
    last = intervals[-1]
    yield replace(last, data=tuple(_unchanged(datum) for datum in last.data))


def _unchanged(datum: Datum) -> Datum:
    return datum if datum.quality == NO_DATA else replace(datum, quality=NO_NEW_VALUE)
