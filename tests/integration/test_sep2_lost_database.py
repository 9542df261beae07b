"""PostgreSQL dies and comes back: requests get 503 meanwhile, and nothing acknowledged is lost."""

import asyncio
import time
from pathlib import Path

import pytest

from certs import Pki
from schemas import Codec, LogEvent, LogEventList
from sep2_server.process.pages import page
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


async def test_a_database_that_hangs_is_not_waited_for_and_is_used_again_when_it_goes_on(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in memory is served meanwhile; all else is 503 in time, and what had not begun is not done."""
    with Postgres.running() as server:
        name = server.make()
        monkeypatch.setattr(DATABASES, "of", lambda _: server.url(name))
        async with running(tmp_path, sep2_pki, answer_s=1) as bench:
            row, client = await bench.device("hung-1")
            others = [(await bench.device(f"hung-{number}")) for number in range(2, 6)]
            href = f"{row.href}/lel"
            assert (await client.post(href, event(1))).status == 201
            assert (await client.get("/tm")).status == 200
            server.pause()
            try:
                first = asyncio.create_task(client.post(href, event(2)))
                await asyncio.sleep(0.2)
                large = Codec().encode(event(4)) + b"<!--" + b"x" * 300_000 + b"-->"
                asked = [other.post(f"{own.href}/lel", event(3)) for own, other in others]
                asked.append(others[0][1].get(f"{others[0][0].href}/lel?l=254"))
                asked.append(others[1][1].send("POST", f"{others[1][0].href}/lel", large))
                begun = time.monotonic()
                assert {reply.status for reply in await asyncio.gather(first, *asked)} == {503}
                assert time.monotonic() - begun < 5
                assert (await client.get("/tm")).status == 200
                assert bench.store.waiting_jobs <= 1
                for path, status in (("/readyz", 503), ("/metrics", 200)) * 3:
                    told = page(bench.server, path)
                    assert told is not None
                    assert told.status == status
                assert time.monotonic() - begun < 10
            finally:
                server.resume()
            back = time.monotonic()
            while (await client.post(href, event(5))).status == 503:
                assert time.monotonic() - back < DISTURBANCE_S
            for own, other in others:
                assert (await other.read(f"{own.href}/lel", LogEventList)).all == 0
            found = {one.logEventID for one in (await client.read(f"{href}?l=9", LogEventList)).LogEvent_}
            assert {1, 5} <= found <= {1, 2, 5}
