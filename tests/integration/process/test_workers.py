"""Several processes on one port: sessions resume on any, a dead one is replaced, all end when they should."""

import os
import signal
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from certs import Pki
from schemas import Codec, LogEvent, LogEventList
from tests.integration.process.site_process import (
    SiteProcess,
    Wire,
    context_of,
    is_alive,
    site_process,
    until,
)

WORKERS = "--workers=3"


def test_a_session_of_one_worker_resumes_on_every_other(tmp_path: Path, process_pki: Pki) -> None:
    with site_process(tmp_path, process_pki, WORKERS) as site:
        credentials = site.enrol("resume-1")
        context = context_of(credentials)
        first = site.connect(credentials, context)
        assert first.ask("GET", "/tm")[0] == 200
        owners = {site.owner_of(first)}
        wires = [Wire(site.port, context, first.session) for _ in range(40)]
        owners |= {site.owner_of(wire) for wire in wires}
        assert [wire.is_resumed for wire in wires] == [True] * 40
        assert [wire.ask("GET", "/tm")[0] for wire in wires] == [200] * 40
        assert owners == set(site.workers)
        for wire in (first, *wires):
            wire.close()


def test_a_replaced_worker_resumes_sessions_of_before(tmp_path: Path, process_pki: Pki) -> None:
    with site_process(tmp_path, process_pki, "--workers=2") as site:
        credentials = site.enrol("resume-2")
        context = context_of(credentials)
        first = site.connect(credentials, context)
        before = site.workers
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        until(lambda: len(site.workers) == 2 and not set(before) & set(site.workers), 2.0)
        wires = [Wire(site.port, context, first.session) for _ in range(10)]
        assert [(wire.is_resumed, wire.ask("GET", "/tm")[0]) for wire in wires] == [(True, 200)] * 10
        for wire in (first, *wires):
            wire.close()


def event(number: int) -> bytes:
    return Codec().encode(
        LogEvent(
            createdDateTime=1_700_000_000,
            functionSet=11,
            logEventCode=0,
            logEventID=number % 65_536,
            logEventPEN=40_732,
            profileID=2,
        )
    )


class Poster(threading.Thread):
    """Posts events on one connection, again where that is lost, and notes what is acknowledged."""

    def __init__(self, site: SiteProcess, name: str, href: str) -> None:
        super().__init__(daemon=True)
        self._site = site
        self._context = context_of(site.pki.credentials(name))
        self._href = href
        self.acknowledged: set[str] = set()
        self.failures: list[tuple[float, str]] = []
        self.is_over = threading.Event()

    def run(self) -> None:
        wire: Wire | None = None
        number = 0
        while not self.is_over.is_set():
            number += 1
            try:
                wire = wire or Wire(self._site.port, self._context)
                status, _, headers = wire.ask("POST", f"{self._href}/lel", event(number))
            except OSError as flaw:
                self.failures.append((time.monotonic(), repr(flaw)))
                if wire is not None:
                    wire.close()
                wire = None
                continue
            if status == 201:
                self.acknowledged.add(headers["location"])
            else:
                self.failures.append((time.monotonic(), str(status)))
        if wire is not None:
            wire.close()


def href_of(site: SiteProcess, name: str) -> str:
    return str(site.api.get("devices", name)["href"])


def until_each_posts(posters: list[Poster], more: int) -> None:
    """Wait until so many further posts of each were acknowledged."""
    done = {poster: len(poster.acknowledged) for poster in posters}
    until(lambda: all(len(poster.acknowledged) >= done[poster] + more for poster in posters))


def test_a_worker_killed_under_load_loses_nothing_and_is_replaced(
    tmp_path: Path, process_pki: Pki, database: str
) -> None:
    settings = f"{database}\nlog_events_kept = 100000"
    with site_process(tmp_path, process_pki, WORKERS, settings=settings) as site:
        site.enrol("kill-w")
        href = href_of(site, "kill-w")
        posters = [Poster(site, "kill-w", href) for _ in range(6)]
        for poster in posters:
            poster.start()
        until(lambda: all(len(poster.acknowledged) >= 5 for poster in posters))
        victim = site.workers[1]
        os.kill(victim, signal.SIGKILL)
        until(lambda: victim not in site.workers and len(site.workers) == 3)
        until_each_posts(posters, 5)
        settled = time.monotonic()
        until_each_posts(posters, 5)
        for poster in posters:
            poster.is_over.set()
        for poster in posters:
            poster.join()
        failures = [failure for poster in posters for failure in poster.failures]
        assert [failure for failure in failures if failure[0] > settled] == []
        acknowledged = set().union(*(poster.acknowledged for poster in posters))
        wire = site.connect(site.pki.credentials("kill-w"))
        there: set[str] = set()
        while len(there) < (page := _page(wire, f"{href}/lel?s={len(there)}&l=255")).all:
            there |= {str(entry.href) for entry in page.LogEvent_}
        wire.close()
        assert acknowledged <= there


def _page(wire: Wire, path: str) -> LogEventList:
    status, body, _ = wire.ask("GET", path)
    assert status == 200
    return Codec().decode(body, LogEventList)


def test_a_killed_parent_takes_its_workers_with_it(tmp_path: Path, process_pki: Pki) -> None:
    with site_process(tmp_path, process_pki, WORKERS) as site:
        workers = site.workers
        assert len(workers) == 3
        site.kill(signal.SIGKILL)
        until(lambda: not any(is_alive(pid) for pid in workers))


@pytest.mark.parametrize("options", [("--workers=1",), (WORKERS,)], ids=["one", "three"])
def test_sigterm_ends_everything_and_the_exit_code_is_fine(
    tmp_path: Path, process_pki: Pki, options: tuple[str, ...]
) -> None:
    with site_process(tmp_path, process_pki, *options) as site:
        workers = site.workers
        credentials = site.enrol("term-1")
        wire = site.connect(credentials)
        assert wire.ask("GET", "/tm")[0] == 200
        site.kill(signal.SIGTERM)
        assert site.process.wait(10) == 0
        assert not any(is_alive(pid) for pid in workers)
        with pytest.raises(ConnectionRefusedError):
            site.connect(credentials)
        wire.close()


def test_a_server_that_cannot_start_ends_with_a_code_and_says_why(tmp_path: Path, process_pki: Pki) -> None:
    (tmp_path / "lineside.db").write_bytes(b"this is no database" * 100)
    with (
        pytest.raises(AssertionError, match="cannot serve"),
        site_process(tmp_path, process_pki, WORKERS),
    ):
        pass


def test_what_one_worker_writes_every_other_answers_soon(
    tmp_path: Path, process_pki: Pki, database: str
) -> None:
    with site_process(tmp_path, process_pki, WORKERS, settings=database) as site:
        credentials = site.enrol("feed-1")
        href = href_of(site, "feed-1")
        context = context_of(credentials)
        wires: dict[int, Wire] = {}
        while len(wires) < 3:
            wire = Wire(site.port, context)
            wires.setdefault(site.owner_of(wire), wire)
            if wire not in wires.values():
                wire.close()
        writer, *readers = wires.values()

        def is_counted(number: int) -> bool:
            return [_page(reader, f"{href}/lel?l=1").all for reader in readers] == [number] * 2

        for number in range(1, 30):
            assert writer.ask("POST", f"{href}/lel", event(number))[0] == 201
            until(partial(is_counted, number), 5.0 if "://" in database else 0.0)
        for wire in wires.values():
            wire.close()
