"""One OpenADR event for many resources: from its message, read, to the last control on a real server.

The server is a process of its own, its operator API on loopback; each device has a group of its own, as set
points that differ need, and its program is there. The way of the message to the VEN is not in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from bench.filling import lfdi_for
from bench.measure import Result
from bench.stand import Filler, make_stand
from lineside.demo.ports import free_port
from openadr_ven.events import (
    Enrolment,
    Event,
    Interval,
    Ports,
    Profile,
    Resource,
    Signal,
    Snapshot,
    State,
    Target,
    Unit,
    plans_of,
    receive,
)
from openadr_ven.operator_api import OperatorApi, operator_session
from openadr_ven.publishing import Publishing
from openadr_ven.rows import RowFile, RowMemory, Texts
from openadr_ven.to_sep2 import (
    Device,
    Fleet,
    Held,
    Kind,
    Programme,
    held_table,
    judge_of,
    translate,
    usual_homes,
)
from sep2_server import Store
from sep2_server.operator import programs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.stand import Running
    from sep2_server.operator.desk import Desk

DEVICES: Final = 1_000
FEW: Final = 200
RUNS: Final = 5
BAR_MS: Final = 1_000
CONTEXT: Final = "http://bench/one"
PROGRAMME: Final = Programme(
    vtn="bench", marketContext=CONTEXT, name="Bench", pen=32_473, primacy=5, currency=978
)
HOUR_S: Final = 3_600


@dataclass(frozen=True, slots=True)
class _Site:
    """A server that runs, with the URL of its operator API and a secret."""

    url: str
    secret: str
    server: Running
    state: Path
    """What the VEN keeps."""


@dataclass(frozen=True, slots=True)
class _Cost:
    """What an event took: time, and CPU of VEN and server."""

    wall_s: float
    cpu_s: float


def measure(folder: Path, devices: int = DEVICES) -> list[Result]:
    """The promise, and fewer resources of the same fleet."""
    with _site(folder, devices) as site:
        found = asyncio.run(_measured(site, devices))
    load = f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
    return [
        Result(
            name=f"an event for {count:,} of {devices:,} resources, to the last control",
            ours=1e3 * statistics.median(one.wall_s for one in costs),
            bar=BAR_MS,
            note=f"CPU {1e3 * statistics.median(one.cpu_s for one in costs):.0f} ms, {load}",
        )
        for count, costs in found.items()
    ]


@contextlib.contextmanager
def _site(folder: Path, devices: int) -> Iterator[_Site]:
    """A server with a group for each device."""
    stand = make_stand(folder, devices=devices)
    store = Store(stand.settings.database)
    Filler(store, stand.settings, stand.pki).do(lambda desk: _group(desk, devices))
    store.close()
    port, file = free_port(), folder / "server" / "server.toml"
    head, section, rest = file.read_text().partition("[operator]")
    file.write_text(head + section + rest.replace("port = 0", f"port = {port}"))
    with stand.server() as server:
        secret = (folder / "server" / "operator" / "operator.token").read_text().strip()
        yield _Site(f"http://127.0.0.1:{port}", secret, server, folder / "ven.db")


def _group(desk: Desk, devices: int) -> None:
    for number in range(devices):
        group = programs.add_group(desk, f"group-{number}")
        programs.assign(desk, group, desk.client(f"fleet-{number}"))


@dataclass(slots=True)
class _Ven:
    """What a VEN does with each list of events, without its wire."""

    fleet: Fleet
    publishing: Publishing
    state: State = field(default_factory=State)

    async def hears(self, *events: Event) -> float:
        """How long it takes until the server has all that they ask for, s."""
        begin, now = time.perf_counter(), int(time.time())
        by_context = {CONTEXT: PROGRAMME}
        names = dict.fromkeys(one.resource for one in self.fleet.devices)
        ports = Ports(
            enrolment=Enrolment(ven_id="ven", resources=tuple(Resource(name=name) for name in names)),
            draw=lambda *_: 0,
            judge=judge_of(self.fleet, by_context),
        )
        self.state = receive(self.state, Snapshot(events=events, is_full=True), now, ports).state
        wanted = translate(plans_of(self.state, now), self.fleet, by_context, now)
        outcome = await self.publishing.bring_about(wanted, now)
        if not outcome.is_done or outcome.refused:
            raise RuntimeError(f"not published: {outcome}")
        return time.perf_counter() - begin


async def _measured(site: _Site, devices: int) -> dict[int, list[_Cost]]:
    """Events by how many resources they name; each is cancelled before the next comes."""
    found: dict[int, list[_Cost]] = {devices: [], FEW: []}
    fleet = Fleet(devices=tuple(_device(number) for number in range(devices)))
    async with operator_session(site.secret) as session:
        memory, texts = RowMemory(RowFile(site.state), "published"), Texts()

        async def keep(held: Held) -> None:
            await memory.save(held_table(held, texts))

        ven = _Ven(fleet, Publishing(OperatorApi(session, site.url), Held(), keep))
        await ven.publishing.prepare(usual_homes(fleet, [PROGRAMME]))
        for run in range(RUNS):
            for number, (count, costs) in enumerate(found.items()):
                one = _event(run * len(found) + number, count)
                cpu_s = site.server.cpu_s() + time.process_time()
                wall_s = await ven.hears(one)
                costs.append(_Cost(wall_s, site.server.cpu_s() + time.process_time() - cpu_s))
                if len(ven.publishing.held.items) != count:
                    raise RuntimeError(f"{one.eventID}: not one control for each of {count}")
                await ven.hears()
    return found


def _device(number: int) -> Device:
    return Device(
        resource=f"r{number}",
        name=f"fleet-{number}",
        group=f"group-{number}",
        kind=Kind.STORAGE,
        lFDI=lfdi_for(number),
        setMaxW=5_000 + number,
        setMaxChargeRateW=4_000,
        setMaxDischargeRateW=5_000 + number,
        setMaxWh=10_000,
    )


def _event(number: int, count: int) -> Event:
    """An hour of a set point that is split over so many resources."""
    signal = Signal(
        signalID="s",
        signalName="LOAD_DISPATCH",
        signalType="setpoint",
        unit=Unit.W,
        intervals=(Interval(uid=0, duration_s=HOUR_S, values=(Decimal(-1000 * count),)),),
    )
    return Event(
        profile=Profile.V20B,
        eventID=f"e{number}",
        modification=0,
        start=int(time.time()) // HOUR_S * HOUR_S + 2 * HOUR_S * (number + 1),
        duration_s=HOUR_S,
        signals=(signal,),
        targets=tuple(Target(kind="resourceID", value=f"r{one}") for one in range(count)),
        marketContext=CONTEXT,
        is_response_required=True,
        notification_s=0,
    )
