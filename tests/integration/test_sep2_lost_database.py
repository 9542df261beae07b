"""PostgreSQL dies and comes back: requests get 503 meanwhile, and nothing acknowledged is lost."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

import sep2_server.feed
from certs import Pki
from schemas import Codec, LogEvent, LogEventList
from sep2_server import Store
from sep2_server.errors import StoreError
from sep2_server.postgres import PostgresConnection
from sep2_server.process.pages import page
from sep2_server.reader import Reader
from sep2_server.rows import Blocked
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


async def test_where_the_session_of_the_change_feed_alone_hangs_writes_go_on_and_a_block_counts_soon(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Postgres.running() as server:
        name = server.make()
        monkeypatch.setattr(DATABASES, "of", lambda _: server.url(name))
        async with running(tmp_path, sep2_pki, answer_s=3) as bench:
            row, client = await bench.device("deaf-1")
            _, stolen = await bench.device("deaf-2")
            assert (await stolen.get("/tm")).status == 200
            other = await asyncio.to_thread(Store, server.url(name))
            watched = bench.store._watched
            assert isinstance(watched, PostgresConnection)
            assert watched._backend is not None
            os.kill(hung := watched._backend, signal.SIGSTOP)
            try:
                lfdi = str(bench.credentials("deaf-2").lfdi)
                await other.do(lambda tx: tx.put_blocked(Blocked(lfdi, "stolen", START)))
                async with asyncio.timeout(2):
                    assert (await client.post(f"{row.href}/lel", event(1))).status == 201
                    assert (await stolen.get("/tm")).status == 403, "heard with the write before"
                await other.do(lambda tx: tx.delete_blocked(lfdi))
                begun = time.monotonic()
                while (await stolen.get("/tm")).status != 200:
                    assert time.monotonic() - begun < DISTURBANCE_S
                    await asyncio.sleep(0.05)
            finally:
                os.kill(hung, signal.SIGCONT)
                await asyncio.to_thread(other.close)


async def test_a_server_that_hears_nothing_of_others_serves_nobody_by_old_rights(
    tmp_path: Path, sep2_pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Postgres.running() as server:
        name = server.make()
        monkeypatch.setattr(DATABASES, "of", lambda _: server.url(name))
        async with running(tmp_path, sep2_pki) as bench:
            _, client = await bench.device("deaf-3")
            assert (await client.get("/tm")).status == 200
            with monkeypatch.context() as patched:
                patched.setattr(sep2_server.feed, "MOST_LATE_S", 0.2)
                patched.setattr(bench.store.feed, "catch_up", deaf)
                begun = time.monotonic()
                while (reply := await client.get("/tm")).status == 200:
                    assert time.monotonic() - begun < DISTURBANCE_S
                assert (reply.status, reply.headers["Retry-After"]) == (503, "30")
                told = page(bench.server, "/readyz")
                assert told is not None
                assert (told.status, b"was not heard for" in told.body) == (503, True)
            begun = time.monotonic()
            while (await client.get("/tm")).status != 200:
                assert time.monotonic() - begun < DISTURBANCE_S


def deaf(_: Reader) -> None:
    raise StoreError("no answer")
