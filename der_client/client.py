"""The client of one EndDevice with its devices: the tasks, wired. No rule is here."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from der_client.client_event import ClientEvent, OnEvent, What
from der_client.control import Controller
from der_client.device import Device, WrittenPoint
from der_client.execution import execution_of
from der_client.identity import identity_of
from der_client.mirror import Mirror
from der_client.outbox import LogEventSender, Outbox, ResponseSender
from der_client.plan import Plan
from der_client.poller import Poller
from der_client.recorder import Recorder
from der_client.reporter import Reporter
from der_client.reports import About
from der_client.safety import Surroundings
from der_client.scheduler import Abilities, Scheduler, abilities_of
from der_client.scheduling import Scheduling
from der_client.server_clock import ServerClock
from der_client.session import Session
from der_client.settings import ClientSettings
from der_client.spool import Lane, Spool
from der_client.upstream import Upstream
from der_client.watched import Watched
from function_sets import Draw, Rules, draw_for
from schemas import DERControl

log = logging.getLogger(__name__)

RANDOM: Final = random.SystemRandom()


class DERClient:
    """An IEEE 2030.5 DER client: `run` until cancelled; then the devices' reversion timers stay armed.

    `devices` stand in the order of the server's DERList. `on_event` is called with everything that a
    person would ask about; it must not block. `local_s` is a monotonic clock, `spread` gives random numbers
    from 0 to 1 for jitter and randomized events.
    """

    def __init__(
        self,
        settings: ClientSettings,
        devices: Sequence[Device],
        *,
        on_event: OnEvent | None = None,
        local_s: Callable[[], float] = time.monotonic,
        spread: Callable[[], float] = RANDOM.random,
    ) -> None:
        self.settings = settings
        self.identity = identity_of(settings.server.certificate)
        self._devices = tuple(devices)
        self._on_event = on_event
        self._local_s = local_s
        self._spread = spread
        self._clock = Watched[ServerClock | None](None)
        self._schedules: list[Scheduling] = []

    async def run(self) -> None:
        """Discover, follow, control and report, for ever."""
        spool = await asyncio.to_thread(Spool, self.settings.spool)
        try:
            async with Session(self.settings.server, local_s=self._local_s) as session:
                await self._run(session, spool)
        finally:
            await asyncio.to_thread(spool.close)

    def now_s(self) -> float:
        """Server time, s since 1970 UTC; the system's while the server's is not known."""
        clock = self._clock.value
        return time.time() if clock is None else clock.time_s(self._local_s())

    async def opt_out(self, mrid: str | None = None, until: int | None = None) -> None:
        """Leave one event, or all (None), alone until server time `until`, s, or until `opt_in`.

        For a local operator; kept on disk. IEEE 2030.5-2018, 10.2.3.
        """
        for scheduling in self._schedules:
            await scheduling.opt_out(mrid, until)

    async def opt_in(self, mrid: str | None = None) -> None:
        """Take part in one event, or in all (None), again."""
        for scheduling in self._schedules:
            await scheduling.opt_in(mrid)

    async def _run(self, session: Session, spool: Spool) -> None:
        poller = Poller(
            session,
            self.identity,
            self._clock,
            tell=self._tell,
            spread=self._spread,
            local_s=self._local_s,
        )
        upstream = Upstream(
            session=session,
            poller=poller,
            spool=spool,
            tell=self._tell,
            lfdi=self.identity.lfdi,
            spread=self._spread,
            local_s=self._local_s,
        )
        scheduling = await self._scheduling(upstream)
        mirror = Mirror(upstream, self.settings.report)
        controllers = [self._controller(device, scheduling, poller) for device in self._devices]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(poller.run(), name="poller")
            tasks.create_task(
                scheduling.run(lambda: self._abilities(controllers, scheduling.plan.value), self._local_s),
                name="scheduling",
            )
            self._send(tasks, upstream, scheduling.queued, mirror)
            for index, controller in enumerate(controllers):
                tasks.create_task(controller.run(), name=f"control {controller.view.value.name}")
                self._report(tasks, index, controller, scheduling.plan, mirror)

    async def _scheduling(self, upstream: Upstream) -> Scheduling:
        report = self.settings.report
        scheduler = Scheduler(
            Rules(
                other_program_before_start=report.other_program_before_start,
                other_program_after_start=report.other_program_after_start,
            ),
            self._draw,
            records=await asyncio.to_thread(upstream.spool.records),
        )
        scheduling = Scheduling(
            scheduler,
            upstream.spool,
            upstream.poller.view,
            self._clock,
            lfdi=upstream.lfdi,
            tell=self._tell,
        )
        await scheduling.restore(self._local_s)
        self._schedules.append(scheduling)
        return scheduling

    def _controller(self, device: Device, scheduling: Scheduling, poller: Poller) -> Controller:
        rules = self.settings.safety
        return Controller(
            device,
            self.settings.control,
            scheduling.plan,
            surroundings=lambda: Surroundings(rules=rules, server_silent_share=poller.silent_share()),
            tell=self._tell,
            local_s=self._local_s,
        )

    def _send(
        self, tasks: asyncio.TaskGroup, upstream: Upstream, responses: Watched[int], mirror: Mirror
    ) -> None:
        """Start the tasks that send what the spool holds."""
        outboxes = (
            (Outbox(Lane.RESPONSE, upstream, ResponseSender(upstream)), responses),
            (Outbox(Lane.LOG_EVENT, upstream, LogEventSender(upstream)), mirror.queued),
            (Outbox(Lane.READING, upstream, mirror), mirror.queued),
        )
        for outbox, queued in outboxes:
            tasks.create_task(outbox.run(queued), name=f"outbox {outbox.lane}")

    def _report(
        self,
        tasks: asyncio.TaskGroup,
        index: int,
        controller: Controller,
        plan: Watched[Plan | None],
        mirror: Mirror,
    ) -> None:
        """Start the tasks that record and report one device."""
        name, upstream, pen = controller.view.value.name, mirror.upstream, self.settings.report.pen
        recorder = Recorder(
            controller.view,
            self._clock,
            upstream.spool,
            mirror.queued,
            lfdi=upstream.lfdi,
            pen=pen,
            post_rate_s=mirror.post_rate_s,
        )
        about = About(lfdi=upstream.lfdi, pen=pen, version=software_version(), rules=self.settings.safety)
        reporter = Reporter(index, controller.view, plan, upstream, about, post_rate_s=mirror.post_rate_s)
        tasks.create_task(recorder.run(self._local_s), name=f"recorder {name}")
        tasks.create_task(reporter.run(), name=f"reports {name}")

    def _abilities(self, controllers: Sequence[Controller], plan: Plan | None) -> Abilities | None:
        """What the devices can do together, and do; None until one has been identified."""
        views = [controller.view.value for controller in controllers]
        plates = [view.nameplate for view in views if view.nameplate is not None]
        if not plates:
            return None
        does = execution_of(views, plan, self._local_s(), self.settings.control.reversion_s)
        return replace(abilities_of(plates, self.settings.report.device_category), execution=does)

    def _draw(self, control: DERControl) -> Draw:
        return draw_for(control, self._spread)

    def _tell(
        self,
        what: What,
        detail: str,
        *,
        href: str | None = None,
        mrid: str | None = None,
        points: tuple[WrittenPoint, ...] = (),
    ) -> None:
        if self._on_event is not None:
            event = ClientEvent(
                time_s=self.now_s(), what=what, detail=detail, href=href, mrid=mrid, points=points
            )
            self._on_event(event)


def software_version() -> str:
    """Version of this software."""
    try:
        return version("lineside")
    except PackageNotFoundError:
        return "0"
