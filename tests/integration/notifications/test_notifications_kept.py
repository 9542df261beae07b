"""Connections to listeners are kept for the next notification, but neither for ever nor without bound."""

import asyncio
from pathlib import Path
from typing import Any, cast

from certs import Pki
from tests.integration.notifications.listening import WAIT_S, Listener, listening, settled, subscribe
from tests.integration.sep2_harness import running

HERE: dict[str, Any] = {"notification_gap_ms": 0, "notification_hosts": "127.0.0.1"}


async def until_closed(listener: Listener) -> None:
    """Wait until the server has closed each connection to a listener."""
    transports = [cast("asyncio.Transport", one) for one in listener.connections]
    assert transports
    async with asyncio.timeout(WAIT_S):
        while True:
            if all(one.is_closing() for one in transports):
                return
            await asyncio.sleep(0.01)


async def test_a_connection_that_is_not_used_is_closed_and_the_next_change_still_told(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, **HERE, notification_idle_s=1) as bench:
        row, client = await bench.device("one")
        async with listening(bench.credentials("one")) as listener:
            await subscribe(client, row, f"{row.href}/fsa", listener.uri)
            await bench.group("first", "one")
            await listener.next()
            await until_closed(listener)
            await bench.group("second", "one")
            await listener.next()
            await settled(bench)
            assert len(listener.connections) == 2
            assert bench.store.reader.ledger.all_owed() == []


async def test_of_more_connections_than_may_be_kept_the_oldest_is_closed(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, **HERE, notification_kept=1) as bench:
        row, client = await bench.device("one")
        credentials = bench.credentials("one")
        async with listening(credentials) as first, listening(credentials) as second:
            await subscribe(client, row, f"{row.href}/fsa", first.uri)
            await bench.group("feeder", "one")
            await first.next()
            await settled(bench)
            await subscribe(client, row, row.href, second.uri)
            await bench.store.do(lambda tx: tx.replace(row, row))
            await second.next()
            await until_closed(first)
            assert not any(cast("asyncio.Transport", one).is_closing() for one in second.connections)


async def test_a_connection_that_is_old_enough_is_replaced_between_two_notifications(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, **HERE, notification_age_s=1) as bench:
        row, client = await bench.device("one")
        async with listening(bench.credentials("one")) as listener:
            await subscribe(client, row, row.href, listener.uri)
            changes = 0
            async with asyncio.timeout(WAIT_S):
                while len(listener.connections) < 2:
                    changes += 1
                    await bench.store.do(lambda tx: tx.replace(row, row))
                    await listener.next()
            await settled(bench)
            assert (len(listener.posted), bench.store.reader.ledger.count_owed()) == (changes, 0)
