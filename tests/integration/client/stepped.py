"""A real server and the real parts of a client on one manual clock: minutes of a procedure in a second.

Session, poller, schedulers, spool and outbox are those of the client; only the pace is the test's.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from der_client import ServerSettings
from der_client.client_event import What
from der_client.device import Nameplate, WrittenPoint
from der_client.discovery import Identity
from der_client.outbox import Outbox, Way
from der_client.poller import Poller
from der_client.scheduler import Abilities, Scheduler, abilities_of
from der_client.scheduling import Scheduling
from der_client.senders import ResponseSender
from der_client.server_clock import ServerClock
from der_client.session import Session
from der_client.shelf import Party
from der_client.spool import Lane, Spool
from der_client.upstream import Upstream
from der_client.watched import Watched
from function_sets import Draw, Rules
from schemas import DefaultDERControl, DERControl, codes
from sep2_server.operator.desk import Desk
from sep2_server.operator.event_changes import cancel_event
from sep2_server.operator.tree import Plan, parts_of, put_item, put_single
from sep2_server.rows import Role, Row
from tests.integration.sep2_harness import START, Bench

POLL_S = 1
MOST_STEP_S = 30
POLLED = (
    "DeviceCapability",
    "EndDeviceList",
    "FunctionSetAssignmentsList",
    "DERProgramList",
    "GroupDERProgramList",
    "DERList",
    "Time",
)
FAST = dict.fromkeys(POLLED, POLL_S)
PLATE = Nameplate(
    manufacturer="Maker",
    model="One",
    serial="1",
    version="1",
    der_type=4,
    modes=frozenset(codes.DERControlType.__members__),
    max_w=10_000,
    max_va=10_000,
    max_var=4_400,
    max_var_neg=4_400,
    set_max_w=10_000,
    set_max_va=10_000,
    set_max_var=4_400,
    set_max_var_neg=4_400,
)
ABLE = abilities_of([PLATE])


def tell_nobody(
    what: What,
    detail: str,
    *,
    href: str | None = None,
    mrid: str | None = None,
    points: tuple[WrittenPoint, ...] = (),
) -> None:
    return None


@dataclass
class LocalClock:
    """The clock of the machine that the client runs on, s."""

    now_s: int = 0

    def __call__(self) -> float:
        return float(self.now_s)


@dataclass
class Procedure:
    """A server, a client of it with its EndDevices by name, and the one clock of both, s from the start."""

    bench: Bench
    poller: Poller
    spool: Spool
    outbox: Outbox
    schedules: dict[str, Scheduling]
    rows: dict[str, Row]
    local: LocalClock
    able: Abilities = ABLE
    holders: dict[str, list[tuple[int, str | None]]] = field(default_factory=dict)

    async def to(self, at_s: int) -> None:
        """Let time pass until `at_s`: steps of the schedules at their seconds, a poll each 30 s."""
        now_s = self.local.now_s
        while now_s < at_s:
            next_s = await self.step(now_s)
            now_s = min(at_s, now_s + MOST_STEP_S, at_s if next_s is None else next_s)
        await self.step(at_s)

    async def step(self, at_s: int) -> int | None:
        """Look at one second: read what is due, step, send. When a schedule changes next."""
        self.local.now_s = at_s
        self.bench.clock.set(START + at_s)
        await self._read()
        found = [await self._look(name, START + at_s) for name in self.schedules]
        await self._send()
        times = [one - START for one in found if one is not None]
        return min((one for one in times if one > at_s), default=None)

    async def _read(self) -> None:
        while (want := self.poller.shelf.next(self.local())) is not None:
            await self.poller._poll(want)

    async def _look(self, name: str, now: int) -> int | None:
        number = list(self.schedules).index(name)
        view, scheduling = self.poller.views[number].value, self.schedules[name]
        assert view is not None
        await scheduling.take(view)
        next_at = await scheduling.look(now, self.able)
        plan = scheduling.plan.value
        assert plan is not None
        held = plan.modes.get("opModFixedPFInjectW")
        self.holders.setdefault(name, []).append((self.local.now_s, held.mRID if held else "nobody"))
        return next_at

    async def _send(self) -> None:
        while (owed := self.spool.next(Lane.RESPONSE)) is not None:
            await self.outbox._deal_with(owed)

    def codes(self, name: str, mrids: Mapping[str, str]) -> dict[str, list[int | None]]:
        """Responses that the server has of one EndDevice, by the name of the event, in their order."""
        row = self.rows[name]
        found = {
            event: [
                one.status for one in self.bench.store.reader.reports(mrid) if one.end_device_id == row.id
            ]
            for event, mrid in mrids.items()
        }
        return {event: statuses for event, statuses in found.items() if statuses}

    def holder(self, name: str, at_s: int) -> str | None:
        """Which event had the power factor of an EndDevice at a second; None: the default."""
        return [mrid for since_s, mrid in self.holders[name] if since_s <= at_s][-1]


async def set_default(bench: Bench, program: Row, default: DefaultDERControl) -> None:
    """Give a program a default, or another."""

    def job(desk: Desk) -> None:
        row = desk.beside(program, "DefaultDERControl")
        if row is None:
            put_single(desk, "DefaultDERControl", parts_of(desk, program), program.id, Plan(value=default))
        else:
            put_item(desk, row, default)

    await bench.do(job)


async def cancel(bench: Bench, row: Row, *, randomized: bool = False) -> None:
    """Cancel a control as the operator does."""
    await bench.do(lambda desk: cancel_event(desk, row, randomized=randomized, reason=None))


@asynccontextmanager
async def procedure(
    bench: Bench,
    folder: Path,
    names: Sequence[str],
    *,
    rules: Rules,
    draw: Callable[[DERControl], Draw] = lambda _: Draw(),
) -> AsyncIterator[Procedure]:
    """A client of the EndDevices of these names, alone or (where they are several) as their aggregator."""
    is_alone = len(names) == 1
    own = bench.credentials(names[0] if is_alone else "aggregator")
    settings = ServerSettings(
        uri=f"https://127.0.0.1:{bench.server.port}/dcap",
        certificate=own.certificate_path,
        key=own.key_path,
        roots=own.root_path,
        poll_floor_s=0.5,
    )
    manager = None if is_alone else await bench.enrol("aggregator", role=Role.AGGREGATOR)
    rows = {name: await bench.enrol(name, aggregator=manager) for name in names}
    lfdis = {name: str(bench.credentials(name).lfdi) for name in names}
    parties = [Party(identity=Identity(lfdi=lfdis[name], sfdi=0), is_principal=is_alone) for name in names]
    spool = Spool(folder / "spool.sqlite")
    clock = Watched[ServerClock | None](None)
    local = LocalClock()
    async with Session(settings, local_s=local) as session:
        poller = Poller(session, parties, clock, tell=tell_nobody, spread=lambda: 0.0, local_s=local)
        ways: dict[str, Way] = {}
        schedules: dict[str, Scheduling] = {}
        for number, name in enumerate(names):
            part = spool.of(lfdis[name])
            upstream = Upstream(
                session=session,
                poller=poller,
                spool=part,
                tell=tell_nobody,
                lfdi=lfdis[name],
                spread=lambda: 0.0,
                local_s=local,
                party=number,
            )
            ways[lfdis[name]] = Way(upstream=upstream, send=ResponseSender(upstream))
            schedules[name] = Scheduling(
                Scheduler(rules, draw, records=part.records()),
                part,
                upstream.view,
                clock,
                lfdi=lfdis[name],
                tell=tell_nobody,
            )
        found = Procedure(
            bench=bench,
            poller=poller,
            spool=spool,
            outbox=Outbox(Lane.RESPONSE, spool, ways),
            schedules=schedules,
            rows=rows,
            local=local,
        )
        yield found
    spool.close()
