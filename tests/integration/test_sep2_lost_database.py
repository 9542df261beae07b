"""PostgreSQL dies and comes back: requests get 503 meanwhile, and nothing acknowledged is lost."""

import asyncio
import time
from pathlib import Path

import pytest

from certs import Pki
from schemas import LogEvent, LogEventList
from tests.integration.sep2_harness import DATABASES, START, running
from tests.postgres import Postgres

DISTURBANCE_S = 5


def event(number: int) -> LogEvent:
    return LogEvent(
        createdDateTime=START + number,
        functionSet=11,
        logEventCode=0,
        logEventID=number % 65536,
        logEventPEN=40732,
        profileID=2,
    )


async def test_a_killed_database_disturbs_for_5_s_once_it_is_back_and_loses_nothing(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Postgres.running(is_durable=True) as server:
        name = server.make()
        monkeypatch.setattr(DATABASES, "of", lambda _: server.url(name))
        async with running(tmp_path, sep2_pki) as bench:
            row, client = await bench.device("lost-1")
            href = f"{row.href}/lel"
            replies = [await client.post(href, event(n)) for n in range(5)]
            acknowledged = {reply.location for reply in replies}
            await asyncio.to_thread(server.kill)
            reply = await client.post(href, event(10))
            assert (reply.status, reply.headers["Retry-After"]) == (503, "30")
            assert (await client.get(f"{href}?l=254")).status == 503
            await asyncio.to_thread(server.start)
            back = time.monotonic()
            while (reply := await client.post(href, event(20))).status == 503:
                assert time.monotonic() - back < DISTURBANCE_S
            assert reply.status == 201
            while (reply := await client.get(f"{href}?l=255")).status == 503:
                assert time.monotonic() - back < DISTURBANCE_S
            there = {found.href for found in reply.decoded(LogEventList).LogEvent_}
            assert acknowledged <= there
            assert len(there) == 6
