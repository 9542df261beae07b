"""`lineside ven run` is killed at several points: the next process goes on, and does nothing twice."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from openadr_ven.events import Event
from openadr_ven.v2b import messages as m
from openadr_ven.v2b import report_messages as r
from openadr_ven.vtn.v2b import Reply, Vtn
from openadr_ven.vtn.v2b_http import VtnServer
from sep2_server import ManualClock
from tests.integration.openadr.ven_bench import Bench, has_device
from tests.unit.openadr_ven.house import dispatch, event

ROOT = Path(__file__).resolve().parents[3]
LIMIT_S = 60


@dataclass(slots=True)
class Losing(Vtn):
    """A VTN that loses what comes to some of its services."""

    losing: set[str] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)

    def answer(self, service: str, body: bytes, now: float, peer: bytes | None = None) -> Reply:
        if service in self.losing:
            self.lost.append(service)
            return Reply(status=503)
        return Vtn.answer(self, service, body, now, peer)


@pytest.fixture
def clock() -> ManualClock:
    """The other processes have the time of the system."""
    return ManualClock(int(time.time()))


@pytest.fixture
async def losing(bench: Bench) -> AsyncIterator[Losing]:
    made = Losing(poll_s=None)
    server = VtnServer(made, None, bench.now)
    await server.start()
    bench.vtn_url = f"http://127.0.0.1:{server.port}"
    yield made
    await server.stop()


@asynccontextmanager
async def killed_afterwards(bench: Bench) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of the VEN that is killed at the end of the block."""
    assert bench.settings.name
    words = ("-m", "lineside", "ven", "run", "--config", str(bench.folder / "ven.toml"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=bench.folder, env=environment)
    try:
        yield child
        assert child.returncode is None, "it ended by itself"
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def soon(fact: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not fact():  # noqa: ASYNC110 - another process makes them
            await asyncio.sleep(0.02)


async def controls(bench: Bench) -> dict[str, str]:
    """The status of each control by its mRID."""
    told: Any = await bench.ven.get("/groups/g-battery/controls")
    return {one["mRID"]: one["status"] for one in told["controls"]}


async def until(bench: Bench, *statuses: str) -> dict[str, str]:
    async with asyncio.timeout(LIMIT_S):
        while sorted((found := await controls(bench)).values()) != sorted(statuses):  # noqa: ASYNC110 - asked
            await asyncio.sleep(0.02)
    return found


def later() -> Event:
    """An hour of a set point, from in ten minutes on."""
    return event(dispatch(3000), start=int(time.time()) + 600)


def answered(vtn: Vtn) -> list[tuple[str, str]]:
    said = [one for one in vtn.heard if isinstance(one, m.CreatedEvent)]
    return [(answer.eventID, answer.optType) for one in said for answer in one.answers]


async def test_killed_after_publication_after_its_answer_and_with_reports_owed(
    bench: Bench, losing: Losing
) -> None:
    await has_device(bench)
    async with killed_afterwards(bench):
        await soon(lambda: losing.of(m.Poll))
        losing.losing = {"EiEvent"}
        losing.publish(later())
        published = await until(bench, "scheduled")
        await soon(lambda: losing.lost)
    assert answered(losing) == []
    losing.losing = set()
    async with killed_afterwards(bench):
        await soon(lambda: ("e1", "optIn") in answered(losing))
        assert await controls(bench) == published
        request = r.ReportRequest(
            reportRequestID="q",
            reportSpecifierID="status",
            granularity_s=0,
            back_s=1,
            points=(("battery status", "x-notApplicable"),),
            start=int(time.time()),
        )
        losing.send(m.CreateReport(requestID="r1", requests=(request,)))
        await soon(lambda: losing.of(m.CreatedReport))
        losing.losing, losing.lost = {"EiReport"}, []
        await soon(lambda: losing.lost)
    assert await controls(bench) == published
    losing.losing = set()
    reports = len(losing.of(m.UpdateReport))
    losing.drop("e1")
    async with killed_afterwards(bench):
        assert await until(bench, "cancelled") == dict.fromkeys(published, "cancelled")
        await soon(lambda: len(losing.of(m.UpdateReport)) > reports)
    assert len(losing.vens) == 1
    said = [one for one in losing.heard if isinstance(one, m.CreatePartyRegistration)]
    assert [one.registrationID for one in said] == [None, *["registration-1"] * 2]


@pytest.mark.whole
async def test_killed_before_publication(bench: Bench, losing: Losing) -> None:
    port = int(bench.utility.url.rpartition(":")[2])
    site = bench.utility.site
    bench.utility.site = replace(site, operator=replace(site.operator, port=port))
    async with killed_afterwards(bench):
        await soon(lambda: losing.of(m.Poll))
        await bench.utility.stop()
        losing.publish(later())
        await soon(lambda: ("e1", "optIn") in answered(losing))
    await bench.utility.start()
    assert await controls(bench) == {}
    async with killed_afterwards(bench):
        published = await until(bench, "scheduled")
    async with killed_afterwards(bench):
        polls = len(losing.of(m.Poll))
        await soon(lambda: len(losing.of(m.Poll)) > polls + 3)
        assert await controls(bench) == published
        losing.cancel("e1")
        await until(bench, "cancelled")


@pytest.mark.whole
async def test_killed_again_and_again_while_it_publishes(bench: Bench, losing: Losing) -> None:
    """Whatever is on its way when it is killed, each device has one control in the end."""
    count = 60
    names = [f"d{number}" for number in range(count)]
    for name in names:
        await bench.ven.post("/groups", {"name": name, "primacy": 89})
    bench.device = "".join(
        f'\n[[devices]]\nresource = "{name}"\nname = "{name}"\ngroup = "{name}"\nkind = "storage"\n'
        f"max_w = {5000 + number}\nmax_charge_w = 4000\nmax_discharge_w = 5000\n"
        for number, name in enumerate(names)
    )
    losing.publish(later())
    for pause_s in (1.0, 1.3, 1.6, 1.9, 2.2):
        async with killed_afterwards(bench):
            await asyncio.sleep(pause_s)
    async with killed_afterwards(bench):
        await soon(lambda: ("e1", "optIn") in answered(losing))
        async with asyncio.timeout(LIMIT_S):
            while len(await everywhere(bench)) < count + 1:  # noqa: ASYNC110 - asked
                await asyncio.sleep(0.1)
        polls = len(losing.of(m.Poll))
        await soon(lambda: len(losing.of(m.Poll)) > polls + 3)
        assert await everywhere(bench) == {name: ["scheduled"] for name in ["g-battery", *names]}


async def everywhere(bench: Bench) -> dict[str, list[str]]:
    """The statuses of all controls by group."""
    told: Any = await bench.ven.get("/controls")
    found: dict[str, list[str]] = {}
    for one in told["controls"]:
        found.setdefault(one["group"], []).append(one["status"])
    return found
