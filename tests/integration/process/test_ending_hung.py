"""The end of a server whose database hangs: in time, told, and without loss."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from certs import Pki
from sep2_server.process.life import BEYOND_S, UNFINISHED
from tests.integration.process.hung_disk import HAND, MARK
from tests.integration.process.site_process import SiteProcess, Wire, site_process, until
from tests.integration.process.test_ending import EVENT
from tests.integration.process.test_workers import href_of
from tests.postgres import Postgres

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

SHUTDOWN_S = 1
CROWDED_S = 6.0
"""How much longer a process may need on a machine with other work."""
Hung = Callable[[], "AbstractContextManager[None]"]


@pytest.fixture(params=["sqlite", "postgresql"])
def hung(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Hung]]:
    """A line of the settings that names a database, and what lets that hang meanwhile."""
    if request.param == "sqlite":
        yield 'database = "lineside.db"', lambda: locked(tmp_path / "lineside.db")
        return
    with Postgres.running(is_durable=True) as server:
        yield f'database = "{server.url(server.make())}"', lambda: paused(server)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of the writers of a file."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.close()


@contextmanager
def paused(server: Postgres) -> Iterator[None]:
    """Stop all processes of a database."""
    server.pause()
    try:
        yield
    finally:
        server.resume()


def sent(wire: Wire, href: str) -> None:
    """Post a log event, and do not wait for what comes of it."""
    head = f"POST {href}/lel HTTP/1.1\r\nHost: a\r\nContent-Type: application/sep+xml\r\n"
    wire.tls.sendall(f"{head}Content-Length: {len(EVENT)}\r\n\r\n".encode() + EVENT)


def ended(site: SiteProcess) -> tuple[int, float]:
    """The exit code of a server that is told to end, and how long that takes, s."""
    began = time.monotonic()
    site.kill(signal.SIGTERM)
    return site.process.wait(60), time.monotonic() - began


def require_kept(site: SiteProcess, pki: Pki, href: str) -> None:
    """What was acknowledged is there, with or without what was under way; and the server ends well."""
    again = site.connect(pki.credentials("hung-1"))
    status, body, _ = again.ask("GET", f"{href}/lel?l=9")
    assert (status, 3 <= body.count(b"<logEventID>") <= 4) == (200, True)
    again.close()
    assert ended(site)[0] == 0


@pytest.mark.parametrize("options", [(), ("--workers=2",)], ids=["one", "two"])
def test_a_server_whose_database_hangs_ends_in_time_and_loses_nothing(
    tmp_path: Path, process_pki: Pki, hung: tuple[str, Hung], options: tuple[str, ...]
) -> None:
    line, hanging = hung
    settings = f"shutdown_s = {SHUTDOWN_S}\n{line}"
    with site_process(tmp_path, process_pki, *options, settings=settings) as site:
        wire = site.connect(site.enrol("hung-1"))
        href = href_of(site, "hung-1")
        acknowledged = [wire.ask("POST", f"{href}/lel", EVENT) for _ in range(3)]
        assert [status for status, *_ in acknowledged] == [201] * 3
        with hanging():
            sent(wire, href)
            code, took_s = ended(site)
        wire.close()
        told = (tmp_path / "stderr").read_text()
        assert (code, took_s < SHUTDOWN_S + BEYOND_S + CROWDED_S) == (UNFINISHED, True)
        assert f"not finished within {SHUTDOWN_S + BEYOND_S:g} s" in told
        assert "job" in told.rpartition("not finished within")[2]
    with site_process(tmp_path, process_pki, *options, settings=settings) as site:
        require_kept(site, process_pki, href)


@pytest.mark.parametrize(
    ("hand", "options"),
    [("kernel", ()), ("thread", ()), ("kernel", ("--workers=2",))],
    ids=["kernel", "thread", "two"],
)
def test_a_server_whose_disk_hangs_ends_in_time_and_loses_nothing(
    tmp_path: Path, process_pki: Pki, hand: str, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HAND, hand)
    settings, module = f"shutdown_s = {SHUTDOWN_S}", "tests.integration.process.hung_disk"
    with site_process(tmp_path, process_pki, *options, settings=settings, module=module) as site:
        wire = site.connect(site.enrol("hung-1"))
        href = href_of(site, "hung-1")
        acknowledged = [wire.ask("POST", f"{href}/lel", EVENT) for _ in range(3)]
        assert [status for status, *_ in acknowledged] == [201] * 3
        mark = tmp_path / MARK
        mark.touch()
        sent(wire, href)
        until(lambda: not mark.exists())
        code, took_s = ended(site)
        wire.close()
        told = (tmp_path / "stderr").read_text()
        assert (code, took_s < SHUTDOWN_S + BEYOND_S + CROWDED_S) == (UNFINISHED, True), told
        assert f"not finished within {SHUTDOWN_S + BEYOND_S:g} s" in told
    with site_process(tmp_path, process_pki, *options, settings=settings) as site:
        require_kept(site, process_pki, href)


def test_a_worker_that_does_not_end_is_told_of_by_its_parent(tmp_path: Path, process_pki: Pki) -> None:
    settings = f"shutdown_s = {SHUTDOWN_S}"
    with site_process(tmp_path, process_pki, "--workers=2", settings=settings) as site:
        until(lambda: len(site.workers) == 2)
        victim = site.workers[1]
        os.kill(victim, signal.SIGSTOP)
        code, _ = ended(site)
        told = (tmp_path / "stderr").read_text()
        assert (code, f"(process {victim}) had not ended" in told) == (UNFINISHED, True)
