"""What a client finds of its last run and cannot use, and clocks that were set back."""

import asyncio
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from der_client.client_event import What
from der_client.poller import Poller
from der_client.protocol_settings import SubscriptionSettings
from der_client.session import Session
from der_client.spool import Spool
from der_client.subscriber import Subscriber
from der_client.watched import Watched
from lineside.demo.ports import free_port
from schemas import MirrorMeterReadingList, Time
from tests.integration.client.harness import CODEC, Site


class Reached(asyncio.Event):
    """Notes that somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.by_somebody = asyncio.Event()

    async def wait(self) -> bool:  # type: ignore[override]
        self.by_somebody.set()
        return await super().wait()


def posted_starts(site: Site) -> list[int]:
    """Beginnings of all intervals whose readings were posted, server time, s."""
    lists = [one for _, one in site.script.posted if isinstance(one, MirrorMeterReadingList)]
    sets = [
        found for one in lists for reading in one.MirrorMeterReading_ for found in reading.MirrorReadingSet_
    ]
    return [one.timePeriod.start for one in sets]


@pytest.mark.parametrize("torn", ["{", "[]", '{"alarm 1": 5}', '{"held": {}}'])
async def test_notes_of_the_last_run_that_cannot_be_read_stop_no_client(site: Site, torn: str) -> None:
    spool = Spool(site.settings.spool)
    spool.remember("subscriptions", torn)
    spool.remember("incidents inverter", torn)
    spool.close()
    listening = SubscriptionSettings(host="127.0.0.1", bind="127.0.0.1", port=0)
    site.settings = replace(site.settings, subscription=listening)

    async with site.client():
        await site.script.until(lambda: site.inverter.holds(90.0) and site.heard(What.REPORT))


async def test_a_stop_while_old_subscriptions_are_ended_leaves_no_listener(site: Site) -> None:
    reached, port = Reached(), free_port()
    site.script.hangs = reached
    spool = Spool(site.settings.spool)
    spool.remember("subscriptions", '{"uri": "https://127.0.0.1:1/old", "held": {"/a/controls": "/a/sub"}}')
    wish = SubscriptionSettings(host="127.0.0.1", bind="127.0.0.1", port=port)

    async with Session(site.settings.server, CODEC) as session:
        poller = Poller(session, (), Watched(None), tell=lambda *_, **__: None, spread=lambda: 0.0)
        made = Subscriber(wish, session, poller, spool, poller._tell, now_s=time.time)
        task = asyncio.create_task(made.run())
        await reached.by_somebody.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    spool.close()

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_readings_go_on_when_the_clock_of_the_server_is_set_back(site: Site) -> None:
    known = site.script.resources["/a/time"]
    assert isinstance(known, Time)
    site.script.resources["/a/time"] = replace(known, pollRate=0)
    site.script.time_offset_s = 86_400

    async with site.client():
        await site.script.until(lambda: posted_starts(site))
        site.script.time_offset_s = 0
        await site.script.until(lambda: min(posted_starts(site)) < time.time() + 3_600)
