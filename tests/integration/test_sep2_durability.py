"""What was acknowledged is there, whatever happens to the process after that."""

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from certs import Pki, client_context
from schemas import Codec, LogEvent, LogEventList
from sep2_server import Store
from sep2_server.postgres import PostgresConnection
from sep2_server.rows import Span
from sep2_server.sqlite import SqliteConnection
from tests.integration.sep2_harness import DATABASES, SEP_XML, START, Bench, running

pytestmark = pytest.mark.usefixtures("each_database")
ROOT = Path(__file__).resolve().parents[2]
POSTERS = 4


class Victim:
    """A server process, and a device that posts to it until it dies."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port
        self.acknowledged: set[str] = set()
        self.sent = 0

    @classmethod
    async def start(cls, folder: Path, pki: Pki) -> "Victim":
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.integration.sep2_child",
            str(folder),
            str(pki.folder),
            DATABASES.of(folder),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        async with asyncio.timeout(20):
            return cls(process, int(await process.stdout.readline()))

    async def post(self, session: aiohttp.ClientSession, href: str, *, until: int) -> None:
        """Post until the server is gone; kill it at the acknowledgement number `until`."""
        while True:
            self.sent += 1
            body = Codec().encode(event(self.sent))
            try:
                headers = {"Content-Type": SEP_XML}
                async with session.post(href, data=body, headers=headers) as response:
                    self.acknowledged.add(response.headers["Location"])
            except aiohttp.ClientError:
                return
            if len(self.acknowledged) == until:
                self.process.kill()


@pytest.mark.parametrize("until", [1, 13, 60])
async def test_every_acknowledged_write_survives_a_kill(tmp_path: Path, sep2_pki: Pki, until: int) -> None:
    async with running(tmp_path, sep2_pki) as bench:
        row = await bench.enrol("kill-1")
        credentials = bench.credentials("kill-1")
    victim = await Victim.start(tmp_path, sep2_pki)
    context = client_context(credentials.certificate_path, credentials.key_path, credentials.root_path)
    connector = aiohttp.TCPConnector(ssl=context)
    url = f"https://127.0.0.1:{victim.port}"
    async with aiohttp.ClientSession(url, connector=connector) as session, asyncio.TaskGroup() as posters:
        for _ in range(POSTERS):
            posters.create_task(victim.post(session, f"{row.href}/lel", until=until))
    await victim.process.wait()
    async with running(tmp_path, sep2_pki) as bench:
        client = await bench.client("kill-1")
        page = await client.read(f"{row.href}/lel?l=255", LogEventList)
        there = {event.href for event in page.LogEvent_}
    assert len(victim.acknowledged) >= until
    assert victim.acknowledged <= there
    assert page.all == len(there) <= victim.sent


async def test_everything_is_there_after_a_restart(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki) as bench:
        row, client = await bench.device("kill-1")
        reply = await client.post(f"{row.href}/lel", event(7))
        before = await client.get(reply.location)
    async with running(tmp_path, sep2_pki) as bench:
        client = await bench.client("kill-1")
        assert (await client.get(reply.location)).body == before.body


async def test_many_writers_share_commits_and_none_is_lost(bench: Bench) -> None:
    row, client = await bench.device("kill-1")
    commits: list[int] = []
    bench.store.listen(lambda changes: commits.append(len(changes)))
    async with asyncio.TaskGroup() as posters:
        tasks = [posters.create_task(client.post(f"{row.href}/lel", event(n))) for n in range(40)]
    assert {task.result().status for task in tasks} == {201}
    assert len({task.result().location for task in tasks}) == 40
    assert len(commits) < 40
    listed = bench.store.reader.by_href(f"{row.href}/lel")
    assert listed is not None
    assert bench.store.reader.count(Span(list_id=listed.id)) == 40


@pytest.mark.parametrize("when", ["begin", "commit"])
async def test_a_store_that_cannot_write_is_503_with_a_time_to_wait(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    row, client = await bench.device("kill-1")

    def broken(*_: object) -> None:
        raise OSError("disk full")

    if when == "begin":
        monkeypatch.setattr(SqliteConnection, "try_begin", lambda _: False)

    for kind in (SqliteConnection, PostgresConnection):
        monkeypatch.setattr(kind, when, broken)
    reply = await client.post(f"{row.href}/lel", event(1))
    monkeypatch.undo()
    assert (reply.status, reply.headers["Retry-After"]) == (503, "30")
    assert b"<maxRetryDuration>30</maxRetryDuration><reasonCode>2</reasonCode>" in reply.body
    assert (await client.post(f"{row.href}/lel", event(1))).status == 201
    assert (await client.read(f"{row.href}/lel", LogEventList)).all == 1


async def test_the_server_starts_and_stops_more_than_once(tmp_path: Path, sep2_pki: Pki) -> None:
    ports = set()
    for _ in range(2):
        async with AsyncExitStack() as stack:
            bench = await stack.enter_async_context(running(tmp_path, sep2_pki))
            ports.add(bench.server.port)
    assert len(ports) >= 1
    store = Store(tmp_path / "server.db")
    store.close()


def event(number: int) -> LogEvent:
    return LogEvent(
        createdDateTime=START + number,
        functionSet=11,
        logEventCode=0,
        logEventID=number % 65536,
        logEventPEN=40732,
        profileID=2,
    )
