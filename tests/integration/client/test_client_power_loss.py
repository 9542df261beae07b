"""A client process that dies at chosen points; what it owes arrives all the same, in order, once."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise

import pytest

from schemas import MirrorMeterReadingList, Time
from tests.integration.client.harness import Site, control, controls


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine takes its time to start processes."""
    monkeypatch.setattr("tests.integration.client.harness.PATIENCE_S", 60.0)


SCRIPT = "tests.integration.client.mortal_client"
KILLED = -9
DURATION_S = 600
"""How long the event lasts on the server's clock; the server's time leaps over what is left of it."""


@asynccontextmanager
async def living(site: Site) -> AsyncIterator[None]:
    """A client that lives until the end of the block."""
    process = await started(site)
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def started(site: Site, point: str = "never", times: int = 1) -> asyncio.subprocess.Process:
    server = site.settings.server
    arguments = (server.uri, site.settings.spool, server.certificate, server.key, server.roots, point, times)
    return await asyncio.create_subprocess_exec(sys.executable, "-m", SCRIPT, *map(str, arguments))


async def dies(site: Site, point: str, times: int = 1) -> None:
    """A client that runs until it kills itself at a point."""
    process = await started(site, point, times)
    try:
        async with asyncio.timeout(30):
            assert await process.wait() == KILLED
    finally:
        if process.returncode is None:
            process.kill()


@pytest.mark.parametrize(
    ("point", "times"),
    [
        ("before the responses are kept", 1),
        ("when the responses are kept", 1),
        ("before a response is sent", 1),
        ("when a response was accepted", 1),
        ("when a response was accepted", 2),
    ],
)
async def test_responses_arrive_in_order_once(site: Site, point: str, times: int) -> None:
    event = control("C1", int(time.time()), DURATION_S, 5_000, status=1)
    clock = site.script.resources["/a/time"]
    assert isinstance(clock, Time)
    site.script.resources |= {"/a/controls": controls(event), "/a/time": replace(clock, pollRate=1)}
    await dies(site, point, times)
    before = len(site.script.asked)
    async with living(site):
        await site.script.until(lambda: 2 in site.script.statuses("C1"))
        await site.script.until(lambda: "PUT /a/status" in site.script.asked[before:])
        site.script.time_offset_s = DURATION_S
        await site.script.until(lambda: 3 in site.script.statuses("C1"))

    assert site.script.statuses("C1") == [1, 2, 3]


def starts(site: Site) -> list[int]:
    """Beginnings of the intervals whose readings came, in the order in which they came."""
    lists = [one for _, one in site.script.posted if isinstance(one, MirrorMeterReadingList)]
    sets = [one.MirrorMeterReading_[0].MirrorReadingSet_[0] for one in lists]
    return [one.timePeriod.start for one in sets]


async def test_readings_that_were_taken_offline_arrive_later_in_order_once(site: Site) -> None:
    site.script.status["/a/mirror"] = 503
    await dies(site, "when readings are kept", 3)
    died = int(time.time())
    async with living(site):
        await site.script.until(lambda: site.script.asked.count("POST /a/mirror") >= 2)
        site.script.status.clear()
        await site.script.until(lambda: len(starts(site)) >= 5)
    found = starts(site)

    assert len([start for start in found if start < died]) >= 3
    assert all(earlier < later for earlier, later in pairwise(found))


async def test_readings_that_were_accepted_without_our_knowing_are_repeated_under_their_own_mrid(
    site: Site,
) -> None:
    await dies(site, "when readings were accepted")
    async with living(site):
        await site.script.until(lambda: len(starts(site)) >= 3)
    first, second = [one for _, one in site.script.posted if isinstance(one, MirrorMeterReadingList)][:2]

    assert first == second
    assert starts(site)[2] > starts(site)[1]
