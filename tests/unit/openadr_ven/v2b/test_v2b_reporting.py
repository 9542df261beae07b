"""Which reports are owed when. Pure: no VTN in sight."""

from dataclasses import replace
from decimal import Decimal

import pytest

from openadr_ven.v2b.report_messages import (
    NO_DATA,
    NO_NEW_VALUE,
    Datum,
    Report,
    ReportOffer,
    ReportRequest,
    ResourceStatus,
)
from openadr_ven.v2b.reporting import (
    Job,
    Running,
    jobs_due,
    last_job,
    refusal_of,
    report_of,
    scheduled,
)
from tests.unit.openadr_ven.v2b.conversations import HISTORY, NOW, POWER_POINT, STATUS, USAGE

OFFERS = (USAGE, STATUS, HISTORY)
PERIODIC = ReportRequest(
    reportRequestID="q1",
    reportSpecifierID="usage",
    granularity_s=60,
    back_s=300,
    points=(("battery-w", "Direct Read"),),
    start=NOW,
    duration_s=900,
)


def due(request: ReportRequest, at: int, now: int = NOW) -> tuple[list[Job], Running | None]:
    return jobs_due(scheduled(request, OFFERS, now), OFFERS, at)


def made(request: ReportRequest, at: int, *values: Decimal | ResourceStatus | None) -> Report:
    (job,), _ = due(request, at)
    rID = request.points[0][0]
    data = [() if value is None else (Datum(rID=rID, value=value),) for value in values]
    return report_of(job, dict(zip(job.periods, data, strict=True)), now=at, eiReportID="p1")


def test_first_report_is_due_after_one_period() -> None:
    jobs, rest = due(PERIODIC, NOW + 299)

    assert jobs == []
    assert rest is not None
    assert rest.due == NOW + 300


def test_report_has_an_interval_for_each_granule() -> None:
    (job,), rest = due(PERIODIC, NOW + 300)

    assert job.periods == tuple((NOW + at, NOW + at + 60) for at in range(0, 300, 60))
    assert rest is not None
    assert (rest.since, rest.due) == (NOW + 300, NOW + 600)


def test_last_report_ends_the_request() -> None:
    jobs, rest = due(PERIODIC, NOW + 900)

    assert [one.periods[0][0] for one in jobs] == [NOW, NOW + 300, NOW + 600]
    assert rest is None


def test_r325_request_of_duration_0_goes_on_for_ever() -> None:
    _, rest = due(replace(PERIODIC, duration_s=None), NOW + 1_000_000)

    assert rest is not None
    assert rest.due > NOW + 1_000_000


def test_periods_that_are_longer_ago_than_the_buffer_are_left_out() -> None:
    jobs, rest = due(replace(PERIODIC, duration_s=None), NOW + 36_000)

    assert jobs[0].periods[0][0] >= NOW + 36_000 - 3600 - 300
    assert rest is not None


def test_r324_request_of_back_duration_0_is_one_report_of_one_interval_now() -> None:
    request = replace(PERIODIC, back_s=0, start=None)

    (job,), rest = due(request, NOW)

    assert job.periods == ((NOW - 60, NOW),)
    assert rest is None


def test_r324_history_comes_at_once_and_as_a_whole() -> None:
    request = replace(
        PERIODIC, reportSpecifierID="history", back_s=0, start=NOW - 7200, duration_s=3600, granularity_s=900
    )

    (job,), rest = due(request, NOW)

    assert [start for start, _ in job.periods] == [NOW - 7200, NOW - 6300, NOW - 5400, NOW - 4500]
    assert rest is None


def test_r315_dtstart_of_an_interval_is_the_start_of_its_period() -> None:
    report = made(PERIODIC, NOW + 300, *[Decimal(one) for one in range(5)])

    assert [(one.start, one.duration_s) for one in report.intervals][:2] == [(NOW, 60), (NOW + 60, 60)]
    assert report.start == NOW


def test_r315_value_of_a_point_in_time_has_no_duration() -> None:
    request = replace(
        PERIODIC, reportSpecifierID="status", points=(("battery", "x-notApplicable"),), granularity_s=150
    )
    state = ResourceStatus(is_online=True, is_overridden=False)

    report = made(request, NOW + 300, state, state)

    assert [(one.start, one.duration_s) for one in report.intervals] == [(NOW + 150, None), (NOW + 300, None)]


def test_r313_report_has_its_start_its_intervals_and_its_plain_name() -> None:
    report = made(PERIODIC, NOW + 300, *[Decimal(1)] * 5)

    assert (report.start, len(report.intervals), report.reportName) == (NOW, 5, "TELEMETRY_USAGE")


def test_r318_what_has_no_data_gets_a_placeholder_of_bad_quality() -> None:
    report = made(PERIODIC, NOW + 300, Decimal(5), None, None, Decimal(7), None)

    found = [one.data[0].quality for one in report.intervals]
    assert found == [None, NO_DATA, NO_DATA, None, NO_DATA]
    assert NO_DATA.startswith("Quality Bad - ")


def test_r317_on_change_only_what_changed_is_told() -> None:
    request = replace(PERIODIC, granularity_s=0, back_s=50)
    values = [Decimal(one) for one in (5, 5, 7, 7, 5)]

    report = made(request, NOW + 50, *values)

    assert [(one.start, one.data[0].value) for one in report.intervals] == [
        (NOW, Decimal(5)),
        (NOW + 20, Decimal(7)),
        (NOW + 40, Decimal(5)),
    ]


def test_r317_where_nothing_changed_the_last_value_comes_with_its_quality() -> None:
    report = made(replace(PERIODIC, granularity_s=0, back_s=50), NOW + 50, *[Decimal(5)] * 5)

    (only,) = report.intervals
    assert only.data == (Datum(rID="battery-w", value=Decimal(5), quality=NO_NEW_VALUE),)


def test_r308_rid_stands_once_within_a_specifier() -> None:
    with pytest.raises(ValueError, match="twice"):
        ReportOffer(
            reportSpecifierID="usage",
            reportName="TELEMETRY_USAGE",
            buffer_s=60,
            points=(POWER_POINT, POWER_POINT),
        )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"reportSpecifierID": "nothing"}, 461),
        ({"points": (("strange", "Direct Read"),)}, 452),
        ({"granularity_s": 5}, 454),
        ({"granularity_s": 600}, 454),
        ({"granularity_s": 10, "back_s": 100_001}, 454),
        ({"granularity_s": 0, "back_s": 100_001}, 454),
        ({"granularity_s": 0, "back_s": 1}, 454),
        ({"reportSpecifierID": "history", "granularity_s": 0, "back_s": 0, "duration_s": 10**8}, 454),
        ({"reportSpecifierID": "history", "back_s": 0, "duration_s": None}, 454),
        ({"granularity_s": 10**400, "back_s": 10**400}, 454),
        ({"duration_s": 10**400}, 454),
    ],
    ids=[
        "specifier",
        "rID",
        "too fine",
        "longer than the period",
        "too many intervals",
        "too many looks",
        "too often",
        "too long ago",
        "history once without a length",
        "beyond all bounds",
        "a length beyond all bounds",
    ],
)
def test_r340_too_much_or_unknown_is_refused(change: dict[str, object], code: int) -> None:
    refusal = refusal_of(replace(PERIODIC, **change), OFFERS)  # type: ignore[arg-type]

    assert refusal is not None
    assert refusal.code == code


def test_r327_metadata_may_be_asked_for_at_any_time() -> None:
    request = replace(PERIODIC, reportSpecifierID="METADATA", points=(("0", "x-notApplicable"),))

    assert refusal_of(request, ()) is None


def test_request_of_the_past_begins_with_the_period_that_runs() -> None:
    running = scheduled(replace(PERIODIC, duration_s=None), OFFERS, NOW + 700)

    assert (running.since, running.due) == (NOW + 600, NOW + 900)


def test_request_of_the_future_waits_for_its_start() -> None:
    running = scheduled(replace(PERIODIC, start=NOW + 1000), OFFERS, NOW)

    assert (running.since, running.due) == (NOW + 1000, NOW + 1300)


def test_last_report_of_a_cancelled_request_has_what_was_not_told_yet() -> None:
    running = scheduled(PERIODIC, OFFERS, NOW)

    job = last_job(running, OFFERS, NOW + 130)

    assert job is not None
    assert job.periods == ((NOW, NOW + 60), (NOW + 60, NOW + 120), (NOW + 120, NOW + 130))
    assert last_job(running, OFFERS, NOW) is None


def test_request_of_what_is_offered_no_more_ends() -> None:
    assert jobs_due(scheduled(PERIODIC, OFFERS, NOW), (), NOW + 300) == ([], None)


def test_history_of_all_time_costs_no_more_than_the_buffer() -> None:
    request = replace(PERIODIC, reportSpecifierID="history", start=0, duration_s=None)

    jobs, rest = jobs_due(scheduled(request, OFFERS, NOW), OFFERS, NOW)

    assert rest is not None
    assert rest.due > NOW
    assert 280 <= len(jobs) <= 290


def test_years_of_absence_cost_no_more_than_the_buffer() -> None:
    request = replace(PERIODIC, granularity_s=10, back_s=10, duration_s=None)

    jobs, rest = jobs_due(scheduled(request, OFFERS, NOW), OFFERS, NOW + 315_360_000)

    assert rest is not None
    assert len(jobs) <= 362


def test_request_that_ended_long_ago_is_over() -> None:
    running = Running(request=PERIODIC, since=NOW, due=NOW + 300)

    assert jobs_due(running, OFFERS, NOW + 315_360_000) == ([], None)


def test_history_once_without_a_length_that_was_kept_ends_without_a_report() -> None:
    request = replace(PERIODIC, reportSpecifierID="history", back_s=0, start=None, duration_s=None)

    assert due(request, NOW) == ([], None)


def test_last_report_of_a_history_of_all_time_costs_no_more_than_the_buffer() -> None:
    request = replace(
        PERIODIC, reportSpecifierID="history", granularity_s=10, back_s=10, start=0, duration_s=None
    )

    job = last_job(scheduled(request, OFFERS, NOW), OFFERS, NOW)

    assert job is not None
    assert HISTORY.buffer_s is not None
    assert (job.periods[0][0], job.periods[-1][1]) == (NOW - HISTORY.buffer_s, NOW)
    assert len(job.periods) == min(HISTORY.buffer_s // 10, 10_000)


def test_last_report_holds_no_more_intervals_than_any_other() -> None:
    request = replace(
        PERIODIC, reportSpecifierID="history", granularity_s=10, back_s=10, start=0, duration_s=None
    )
    offers = (replace(HISTORY, buffer_s=31_536_000),)

    job = last_job(scheduled(request, offers, NOW), offers, NOW)

    assert job is not None
    assert len(job.periods) == 10_000
    assert job.periods[-1][1] == NOW
