"""Of log events and Responses those that came last are kept, whatever times they tell."""

from dataclasses import replace
from pathlib import Path

import pytest

from certs import Pki
from schemas import LogEvent, LogEventList
from tests.integration.sep2_harness import START, running
from tests.integration.test_sep2_durability import event
from tests.integration.test_sep2_responses import event_for, response

pytestmark = pytest.mark.usefixtures("each_database")
KEPT = 10


def said(number: int, at: int) -> LogEvent:
    """A log event by its number, and the time that the clock of the device told."""
    return replace(event(number), createdDateTime=at)


@pytest.mark.parametrize("ahead_s", [86_400, -86_400, 0])
async def test_an_alarm_that_was_taken_is_kept_whatever_the_clock_of_the_device_said_before(
    tmp_path: Path, sep2_pki: Pki, ahead_s: int
) -> None:
    async with running(tmp_path, sep2_pki, log_events_kept=KEPT) as bench:
        row, client = await bench.device("logs-1")
        for number in range(KEPT):
            early = said(number, START + ahead_s + number)
            assert (await client.post(f"{row.href}/lel", early)).status == 201
        for number in range(100, 103):
            reply = await client.post(f"{row.href}/lel", said(number, START + number))
            assert (reply.status, (await client.get(reply.location)).status) == (201, 200)
        page = await client.read(f"{row.href}/lel?s=0&l=99", LogEventList)
        kept = {one.logEventID for one in page.LogEvent_}
        assert {100, 101, 102} <= kept
        assert KEPT <= len(kept) <= KEPT + 3
        assert kept >= {*range(10 - (KEPT - 3), 10)}
        times = [one.createdDateTime for one in page.LogEvent_]
        assert times == sorted(times, reverse=True)


async def test_a_response_without_a_time_is_kept_as_any_other(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, responses_kept=2) as bench:
        _, client = await bench.device("answers-1")
        href = await event_for(bench, "answers-1")
        lfdi = bench.credentials("answers-1").lfdi
        for status in (1, 2, 3):
            posted = replace(response(lfdi, status), createdDateTime=None)
            reply = await client.post(href, posted)
            assert (reply.status, (await client.get(reply.location)).status) == (201, 200)
