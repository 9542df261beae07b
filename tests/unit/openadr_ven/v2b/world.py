"""A VEN and a VTN in one process and in virtual time, with nothing but octets between them."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from openadr_ven.events import Enrolment, Resource, Step, uniform
from openadr_ven.memory import InMemory
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.client import Settings, Ven
from openadr_ven.v2b.desk import Desk
from openadr_ven.v2b.errors import Malformed, Refused, TransportError
from openadr_ven.v2b.exchange import Exchange
from openadr_ven.v2b.http import TRANSIENT
from openadr_ven.v2b.ports import SystemClock
from openadr_ven.v2b.report_messages import Datum, ReportOffer, ResourceStatus
from openadr_ven.v2b.signature import Signer, Verifier
from openadr_ven.vtn.v2b import Fault, Vtn
from tests.unit.openadr_ven.v2b.conversations import HISTORY, STATUS, USAGE
from tests.virtual_time import VirtualTime

LONG_S = 20_000.0
"""Virtual seconds after which a fact is not waited for any more."""
SITE = Enrolment(
    ven_id="",
    resources=(
        Resource(name="battery", device_classes=frozenset({"Storage"})),
        Resource(name="charger", device_classes=frozenset({"EVSE"})),
    ),
)


@dataclass(slots=True)
class Wire:
    """The transport: `sent` are times, services and octets; `is_up` False is a VTN that is down."""

    vtn: Vtn
    now: Callable[[], float]
    certificate: bytes | None = None
    peer: bytes | None = None
    is_up: bool = True
    sent: list[tuple[float, str, bytes]] = field(default_factory=list)

    async def send(self, service: m.Service, body: bytes) -> bytes:
        self.sent.append((self.now(), service.value, body))
        if not self.is_up:
            raise TransportError("connection refused")
        if Fault.HANGING in self.vtn.faults:
            await asyncio.sleep(15)
            raise TransportError("timed out")
        reply = self.vtn.answer(service, body, self.now(), self.certificate)
        if reply.status in TRANSIENT:
            raise TransportError(f"HTTP {reply.status}")
        if reply.status != 200:
            raise Refused(reply.status)
        if reply.content_type != "application/xml":
            raise Malformed(f"content type {reply.content_type}")
        return reply.body


@dataclass(slots=True)
class Meters:
    """The source of report data: what each rID reads; a missing one has no data."""

    values: dict[str, Decimal | ResourceStatus] = field(default_factory=dict)
    asked: list[tuple[str, int, int]] = field(default_factory=list)

    async def read(self, specifier: str, rIDs: Sequence[str], start: int, end: int) -> Sequence[Datum]:
        self.asked.append((specifier, start, end))
        return [Datum(rID=one, value=self.values[one]) for one in rIDs if one in self.values]


@dataclass(slots=True)
class World:
    """Everything that a test looks at."""

    clock: VirtualTime
    vtn: Vtn
    wire: Wire
    ven: Ven
    memory: InMemory
    meters: Meters
    steps: list[Step]

    @property
    def now(self) -> float:
        return self.clock.time()

    async def until(self, fact: Callable[[], object]) -> None:
        """Wait until something is so; virtual time that passes in vain ends the test."""
        begin = self.now
        while not fact():
            assert self.now < begin + LONG_S, "waited in vain"
            await asyncio.sleep(0.25 if self.now < begin + 70 else 20)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def heard(self) -> list[str]:
        """Kinds of what the VTN heard, polls left out."""
        return [type(one).__name__ for one in self.vtn.heard if not isinstance(one, m.Poll)]

    def polls(self) -> list[float]:
        """When the VEN polled."""
        return [at for at, service, _ in self.wire.sent if service == "OadrPoll"]

    def changes(self) -> list[tuple[str, str]]:
        """What became of events, in order."""
        return [(one.kind.value, one.eventID) for step in self.steps for one in step.changes]

    async def registered(self) -> None:
        """Wait for the first poll."""
        await self.until(self.polls)


@dataclass(slots=True, kw_only=True)
class Plan:
    """What a world is made of."""

    vtn: Vtn = field(default_factory=Vtn)
    enrolment: Enrolment = SITE
    offers: tuple[ReportOffer, ...] = (USAGE, STATUS, HISTORY)
    memory: InMemory = field(default_factory=InMemory)
    signer: Signer | None = None
    verifier: Verifier | None = None
    certificate: bytes | None = None
    peer: bytes | None = None
    is_up: bool = True
    ids: "itertools.count[int]" = field(default_factory=itertools.count)
    clock: VirtualTime = field(default_factory=VirtualTime)

    def world(self) -> World:
        clock = SystemClock(self.clock.time)
        wire = Wire(self.vtn, self.clock.time, self.certificate, self.peer, self.is_up)
        meters, steps = Meters(), list[Step]()

        async def told(step: Step) -> None:
            steps.append(step)

        exchange = Exchange(wire, clock.now, lambda: f"n{next(self.ids)}", self.signer, self.verifier)
        desk = Desk(self.memory, clock, lambda: f"id{next(self.ids)}", told)
        settings = Settings(
            venName="Site", enrolment=self.enrolment, draw=uniform(lambda: 0.5), offers=self.offers
        )
        ven = Ven(
            settings,
            exchange,
            desk,
            clock,
            meters,
            chance=lambda: 0.5,
            new_id=lambda: f"id{next(self.ids)}",
        )
        return World(self.clock, self.vtn, wire, ven, self.memory, meters, steps)


def play(scenario: Callable[[World], Awaitable[None]], plan: Plan | None = None) -> World:
    """Let a VEN run while a scenario goes on, and stop it like a process that is killed."""
    plan = plan or Plan()

    async def main() -> None:
        task = asyncio.create_task(world.ven.run())
        try:
            await scenario(world)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if task.done() and not task.cancelled() and task.exception() is not None:
            raise task.exception() or AssertionError

    world = plan.world()
    plan.clock.run(main())
    return world
