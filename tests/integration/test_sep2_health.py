"""Whether a server says that it is ready, and what it says when it is not."""

import dataclasses
import json
import os
import time
from pathlib import Path
from sqlite3 import OperationalError

import pytest

from certs import Pki
from schemas import LogEvent
from sep2_server.kernel_sync import KernelSync
from sep2_server.process.boards import Boards
from sep2_server.process.pages import page
from sep2_server.reader import Reader
from tests.integration.sep2_harness import START, Bench, running

EVENT = LogEvent(
    createdDateTime=START, functionSet=11, logEventCode=4, logEventID=1, logEventPEN=1, profileID=2
)
YEARS_S = 200 * 31_536_000


def readiness(bench: Bench) -> tuple[int, dict[str, str]]:
    found = page(bench.server, "/readyz")
    assert found is not None
    return found.status, json.loads(found.body)["checks"]


async def test_a_server_that_serves_is_ready(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, now=int(time.time())) as bench:
        assert readiness(bench) == (
            200,
            {"store": "ok", "listener": "ok", "certificate": "ok", "workers": "ok"},
        )


async def test_a_server_that_stops_is_not_ready(bench: Bench) -> None:
    await bench.server.stop()
    status, checks = readiness(bench)
    assert (status, checks["listener"]) == (503, "the server is stopping")


async def test_a_certificate_that_is_not_valid_yet_makes_it_not_ready(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, now=1) as bench:
        status, checks = readiness(bench)
        assert status == 503
        assert checks["certificate"].startswith("not valid before 20")
        bench.clock.set(1 + YEARS_S)
        assert readiness(bench)[1]["certificate"].startswith(("expired on", "ok"))


async def test_a_disk_that_has_not_kept_what_was_written_makes_it_not_ready(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    flaw = OSError(5, "Input/output error")

    def broken(_: int) -> None:
        raise flaw

    end = KernelSync.end

    row, client = await bench.device("health-1")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", broken)
        patched.setattr(KernelSync, "end", lambda kernel: end(kernel) or flaw)
        assert (await client.post(f"{row.href}/lel", EVENT)).status == 503
    assert (await client.post(f"{row.href}/lel", EVENT)).status == 503
    assert (await client.get("/tm")).status == 200
    status, checks = readiness(bench)
    assert (status, "Input/output error; nothing more is written before" in checks["store"]) == (503, True)


async def test_a_file_that_cannot_be_read_makes_it_not_ready(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Reader) -> int:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(Reader, "last_change", broken)
    status, checks = readiness(bench)
    assert (status, checks["store"].endswith("the file cannot be read: disk I/O error")) == (503, True)


async def test_other_paths_are_no_page_of_monitoring(bench: Bench) -> None:
    assert page(bench.server, "/edev") is None
    found = page(bench.server, "/livez")
    assert found is not None
    assert found.status == 200


async def test_metrics_of_one_process_count_hits_and_misses(bench: Bench) -> None:
    _, client = await bench.device("health-1")
    for _ in range(3):
        assert (await client.get("/tm")).status == 200
    reads = bench.server.meter.samples()["lineside_cache_reads_total"]
    assert reads['lineside_cache_reads_total{result="hit"}'] >= 2
    found = page(bench.server, "/metrics")
    assert found is not None
    assert b'lineside_requests_total{method="GET",route="Time",status="200"} 3\n' in found.body


async def test_a_beat_counts_nothing_that_a_scrape_counts_once_for_all(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    boards, place = Boards.create(1), bench.server.place
    monkeypatch.setattr(bench.server, "place", dataclasses.replace(place, boards=boards))
    bench.server._beat()
    told = boards.read(0)[1]
    common = {"lineside_outbox_notifications", "lineside_due_events", "lineside_clock_lag_seconds"}
    assert told.keys() & {*common, "lineside_change_feed_lag"} == {"lineside_change_feed_lag"}
    found = page(bench.server, "/metrics")
    assert found is not None
    assert {line.partition(" ")[0].partition("{")[0] for line in found.body.decode().splitlines()} >= common
