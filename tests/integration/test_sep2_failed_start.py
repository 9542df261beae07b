"""A start that fails leaves nothing running; a listener that fails takes nobody with it."""

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from certs import Pki
from schemas import Time
from sep2_server import ManualClock, Sep2Server, Store
from sep2_server.rows import Change
from tests.integration.sep2_harness import START, Bench, server_settings


async def test_a_port_that_is_taken_leaves_no_task_and_no_listener(tmp_path: Path, sep2_pki: Pki) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = server_settings(tmp_path, sep2_pki, port=taken.getsockname()[1])
        store = Store(settings.database)
        before = asyncio.all_tasks()
        with pytest.raises(OSError, match="in use"):
            await Sep2Server(settings, store, ManualClock(START)).__aenter__()
        assert asyncio.all_tasks() == before
        store.close()


async def test_the_store_of_a_failed_start_serves_the_next_one(tmp_path: Path, sep2_pki: Pki) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = server_settings(tmp_path, sep2_pki, port=taken.getsockname()[1])
        store = Store(settings.database)
        with pytest.raises(OSError, match="in use"):
            await Sep2Server(settings, store, ManualClock(START)).__aenter__()
    async with Sep2Server(settings, store, ManualClock(START)) as server:
        assert server.port == settings.port
    store.close()


async def test_a_listener_that_fails_keeps_the_writer_and_the_others(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Change] = []

    def fail(_: Sequence[Change]) -> None:
        raise RuntimeError("no loop any more")

    bench.store.listen(fail)
    bench.store.listen(heard.extend)
    await bench.enrol("listen-1")
    client = await bench.client("listen-1")
    bench.store.unlisten(fail)
    assert (await client.read("/tm", Time)).currentTime == START
    assert heard != []
    assert {record.message for record in caplog.records} >= {"A listener failed"}
