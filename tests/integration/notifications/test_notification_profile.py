"""The rules of a profile about Notifications, each with two values over the wire. IEEE 2030.5-2018, 14."""

from pathlib import Path
from typing import Any

import pytest

from certs import Pki
from schemas import DERControlList, SubscriptionList
from sep2_server.notifications.counters import Result
from tests.integration.notifications.listening import listening, settled, subscribe
from tests.integration.sep2_harness import START, make_control, running

OPEN: dict[str, Any] = {"notification_gap_ms": 0, "notification_hosts": "127.0.0.1"}


async def told(folder: Path, pki: Pki, answer: int, rule: str, statuses: list[int]) -> tuple[int, int]:
    """How many Notifications have arrived and how many subscriptions are left, after one was answered."""
    changes = {**OPEN, rule: statuses}
    async with running(folder, pki, **changes) as bench:
        row, client = await bench.device("one")
        _, program = await bench.group("feeder", "one")
        async with listening(bench.credentials("one")) as listener:
            listener.answer = answer
            await subscribe(client, row, f"{program.href}/derc", listener.uri)
            await bench.control(program, make_control("A1", START + 60, 60))
            await listener.next()
            await settled(bench)
        left = (await client.read(f"{row.href}/sub", SubscriptionList)).all
    return bench.server.notifications.counters.deliveries[Result.DELIVERED], left


@pytest.mark.parametrize(("statuses", "arrived"), [([201], 0), ([201, 202], 1)])
async def test_notification_statuses_say_what_has_arrived(
    tmp_path: Path, sep2_pki: Pki, statuses: list[int], arrived: int
) -> None:
    assert await told(tmp_path, sep2_pki, 202, "notification_statuses", statuses) == (arrived, 1)


@pytest.mark.parametrize(("statuses", "left"), [([400], 1), ([400, 410], 0)])
async def test_notification_end_statuses_end_the_subscription(
    tmp_path: Path, sep2_pki: Pki, statuses: list[int], left: int
) -> None:
    assert await told(tmp_path, sep2_pki, 410, "notification_end_statuses", statuses) == (0, left)


@pytest.mark.parametrize(
    ("rule", "limit", "items"),
    [("empty_list", 0, 0), ("nothing", 0, None), ("nothing", 1, 1)],
)
async def test_notification_limit_0_leaves_an_empty_list_or_nothing(
    tmp_path: Path, sep2_pki: Pki, rule: str, limit: int, items: int | None
) -> None:
    async with running(tmp_path, sep2_pki, **OPEN, notification_limit_0=rule) as bench:
        row, client = await bench.device("one")
        _, program = await bench.group("feeder", "one")
        async with listening(bench.credentials("one")) as listener:
            await subscribe(client, row, f"{program.href}/derc", listener.uri, limit=limit)
            await bench.control(program, make_control("A1", START + 60, 60))
            note = await listener.next()
    held = note.Resource_
    assert (held.results if isinstance(held, DERControlList) else None) == items
