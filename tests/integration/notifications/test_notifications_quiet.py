"""While nobody has subscribed to anything, writes wake no notifications; the first one is not missed."""

import pytest

from tests.integration.notifications.conftest import Subscriber
from tests.integration.notifications.listening import subscribe
from tests.integration.sep2_harness import Bench

STORED = pytest.mark.usefixtures("each_database")
"""Of tests that lean on the store: on SQLite and on PostgreSQL."""


async def look(bench: Bench) -> None:
    """Have the matcher look at the change feed now, with nothing waiting."""
    bench.server.notifications._woken.clear()
    await bench.server.notifications._scan()


def is_quiet(bench: Bench) -> bool:
    """Whether the matcher has nothing to look at."""
    return bench.server.notifications._is_quiet


@STORED
async def test_a_write_wakes_nothing_while_nobody_has_subscribed(told: Bench) -> None:
    await told.device("one")
    await look(told)
    before = told.server.notifications.scanned
    await told.group("some", "one")
    assert not told.server.notifications._woken.is_set()
    assert told.server.notifications.scanned == told.store.reader.last_change() > before


@STORED
async def test_the_first_subscription_wakes_them_and_is_told_of_the_next_change(
    told: Bench, subscriber: Subscriber
) -> None:
    await look(told)
    row = subscriber.row
    await told.group("before", "one")
    assert is_quiet(told)
    await subscribe(subscriber.client, row, f"{row.href}/fsa", subscriber.listener.uri)
    assert not is_quiet(told)
    await told.group("after", "one")
    note = await subscriber.listener.next()
    assert note.subscribedResource == f"{row.href}/fsa"
