"""The task that keeps the schedule: rules of events against the server's clock, draws kept on disk first."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from der_client.client_event import Tell, What
from der_client.memory import clock_from, clock_text, programs_from, programs_text
from der_client.plan import Plan
from der_client.response import response_of
from der_client.scheduler import Abilities, Scheduler, Step, without_controls
from der_client.server_clock import ServerClock
from der_client.spool import Lane, Owed, Spool, owed
from der_client.view import ServerView
from der_client.watched import Watched
from function_sets import Due, Program
from schemas import Codec

log = logging.getLogger(__name__)

TICK_S: Final = 1.0
PROGRAMS, CLOCK = "programs", "clock"


class Scheduling:
    """Publishes the `plan` of the devices; `queued` tells that Responses wait in the spool."""

    def __init__(
        self,
        scheduler: Scheduler,
        spool: Spool,
        view: Watched[ServerView | None],
        clock: Watched[ServerClock | None],
        *,
        lfdi: str,
        tell: Tell,
    ) -> None:
        self.plan: Watched[Plan | None] = Watched(None)
        self.queued: Watched[int] = Watched(0)
        self._scheduler = scheduler
        self._spool = spool
        self._view = view
        self._clock = clock
        self._lfdi = lfdi
        self._tell = tell
        self._codec = Codec()
        self._programs: tuple[Program, ...] = ()
        self._kept = -1

    async def restore(self, local_s: Callable[[], float], system_s: Callable[[], float] = time.time) -> None:
        """Take up the programs and the clock of the last run, to go on without the server."""
        text = await asyncio.to_thread(self._spool.recall, CLOCK)
        self._programs = programs_from(await asyncio.to_thread(self._spool.recall, PROGRAMS), self._codec)
        if text is not None and self._clock.value is None:
            self._clock.set(ServerClock(offset_s=clock_from(text) + system_s() - local_s()))

    async def run(self, abilities: Callable[[], Abilities | None], local_s: Callable[[], float]) -> None:
        """Step at each change of the view and whenever time changes something; for ever."""
        while True:
            version, clock = self._view.version, self._clock.value
            able = abilities()
            if clock is None or able is None:
                await self._view.newer(version, TICK_S)
                continue
            await self._keep(local_s)
            step = await self._step(clock.now(local_s()), able)
            next_at = step.outcome.next_at
            wait_s = TICK_S if next_at is None else next_at - clock.time_s(local_s())
            await self._view.newer(version, min(TICK_S, max(0.001, wait_s)))

    async def _step(self, now: int, able: Abilities) -> Step:
        """One step of the schedule: on disk first, then to the devices."""
        step = self._scheduler.step(self._programs, now, able)
        if step.is_changed:
            bodies = [self._body(due, now) for due in step.owed]
            await asyncio.to_thread(self._spool.commit, self._scheduler.records, bodies)
        self._publish(step, now, able.modes)
        for news in step.news:
            log.info("%s", news.text)
            self._tell(What.CONTROL, news.text, mrid=news.mrid, href=news.program_href)
        if step.owed:
            self.queued.set(self.queued.version)
        return step

    def _publish(self, step: Step, now: int, supported: frozenset[str]) -> None:
        view = self._view.value
        plan = Plan(
            modes=step.outcome.modes,
            defaults=without_controls(self._programs, now, supported),
            curves=view.curves if view else {},
            default=step.outcome.defaults,
        )
        if plan != self.plan.value:
            self.plan.set(plan)

    def _body(self, due: Due, now: int) -> Owed:
        body = self._codec.encode(response_of(due, self._lfdi, now))
        return owed(Lane.RESPONSE, due.reply_to, due.mRID, body)

    async def _keep(self, local_s: Callable[[], float]) -> None:
        """Keep what the server said for a start without it."""
        view, version = self._view.value, self._view.version
        if view is None or version == self._kept:
            return
        self._kept = version
        self._programs = view.programs
        await asyncio.to_thread(self._spool.remember, PROGRAMS, programs_text(self._programs, self._codec))
        clock = self._clock.value
        if clock is not None:
            text = clock_text(clock.time_s(local_s()) - time.time())
            await asyncio.to_thread(self._spool.remember, CLOCK, text)
