"""The task that keeps the schedule: rules of events against the server's clock, draws kept on disk first."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from der_client.absence import Absence
from der_client.ahead import Ahead, Armable
from der_client.client_event import Tell, What
from der_client.expected import are_expected
from der_client.flow import used_from
from der_client.load_control import DrawnBefore
from der_client.memory import (
    clock_from,
    clock_text,
    curves_from,
    curves_text,
    programs_from,
    programs_text,
)
from der_client.offer_keeping import DRAWN, USED, OfferKeeping
from der_client.offers import Offered, Offers, OfferStep, together
from der_client.opting import OptOuts
from der_client.plan import Plan
from der_client.quiet import until_quiet_is_over
from der_client.recalled import recalled
from der_client.response import response_of
from der_client.schedule_look import Look
from der_client.scheduler import Abilities, Scheduler, without_controls
from der_client.server_clock import ServerClock
from der_client.settings import ControlSettings
from der_client.spool import Lane, Owed, Spool, owed
from der_client.view import ServerView
from der_client.watched import Watched
from function_sets import ACTING, Due, EventRecord, Outcome, Program, Rules
from schemas import Codec, DERControlResponse, DERCurve, Response

if TYPE_CHECKING:
    from der_client.starts import Starts

log = logging.getLogger(__name__)

CODEC: Final = Codec()
"""One for all EndDevices of a process: it is large."""

TICK_S: Final = 1.0
LEAD_TICKS: Final = 2.5
LEAST_LEAD_S: Final = 4.0
MOST_LEAD_S: Final = 50.0
"""A change is prepared so long before its second: in that time each device has had a control period."""
PATIENCE_S: Final = 2.0
"""How long after its second a change that was prepared is looked at, if nobody wakes the schedule, s."""
PROGRAMS, CURVES, CLOCK, OPT_OUTS = "programs", "curves", "clock", "opt outs"


class Scheduling:
    """Publishes the `plan` of the devices; `queued` tells that Responses wait in the spool."""

    starts: "Starts | None" = None
    """Where changes are entered whose second is known; without one they are made when it has come."""
    ahead: Ahead | None = None
    """What holds from the next change on that is near and that time alone makes."""
    _foreseen: Look | None = None
    _armed: Look | None = None
    _begun: Plan | None = None
    doubt_s = ControlSettings().plan_wait_s / 2
    """How long a start waits for the server's time before it believes that of the last run, s."""
    _doubted_until = -math.inf
    _held: Look | None = None
    _is_held = False
    _held_from: int | None = None
    _held_s = 0

    def __init__(
        self,
        scheduler: Scheduler,
        spool: Spool,
        view: Watched[ServerView | None],
        clock: Watched[ServerClock | None],
        *,
        lfdi: str,
        tell: Tell,
        offers: Offers | None = None,
    ) -> None:
        self.plan: Watched[Plan | None] = Watched(None)
        self.queued: Watched[int] = Watched(0)
        self.looked_s: float | None = None
        self._scheduler = scheduler
        self._spool = spool
        self._view = view
        self._clock = clock
        self._offers = offers
        self.flow: Callable[[], float | None] = lambda: None
        """What storage gave since the start, Wh, negative where it took; None where nothing tells."""
        self.drawn: Callable[[], float | None] = lambda: None
        """What storage takes in, W; None where nothing tells."""
        self._keeping = None if offers is None else OfferKeeping(offers, spool)
        self._offered = Offered()
        self._lfdi = lfdi
        self.tick_s = TICK_S
        """How often what changes without a word is looked at, s: what devices make of events."""
        self.reversion_s = ControlSettings().reversion_s
        """After how long without a client devices fall back by themselves, s."""
        self.devices: Sequence[Armable] = ()
        """Who sends to each device what it prepared."""
        self.able: Callable[[], Abilities | None] = lambda: None
        self._left_at = spool.left_at
        self._tell = tell
        self._programs: tuple[Program, ...] = ()
        self._curves: Mapping[str, DERCurve] = {}
        self._seen = -1
        self._taken = 0
        self._looked: Look | None = None

    async def restore(self, local_s: Callable[[], float], system_s: Callable[[], float] = time.time) -> None:
        """Take up what the last run knew, to go on without the server: programs, curves, clock, opt-outs."""
        ahead_s = await recalled(self._spool, CLOCK, clock_from)
        self._programs = await recalled(self._spool, PROGRAMS, programs_from)
        self._curves = await recalled(self._spool, CURVES, curves_from)
        self._scheduler.opt_outs = await recalled(self._spool, OPT_OUTS, OptOuts.from_text)
        if self._keeping is not None:
            used = await recalled(self._spool, USED, used_from)
            self._keeping.restore(used, await recalled(self._spool, DRAWN, DrawnBefore.of))
        if ahead_s is not None and self._clock.value is None:
            clock = ServerClock(offset_s=ahead_s + system_s() - local_s(), is_remembered=True)
            self._doubted_until = clock.time_s(local_s()) + self.doubt_s
            self._clock.set(clock)

    async def opt_out(self, mrid: str | None = None, until: int | None = None) -> None:
        """Leave one event, or all (None), alone until server time `until`, or `opt_in`; kept on disk."""
        self._scheduler.opt_out(mrid, until)
        await self._keep_opt_outs(f"opted out of {mrid or 'all events'}")

    async def opt_in(self, mrid: str | None = None) -> None:
        """Take part in one event, or in all (None), again."""
        self._scheduler.opt_in(mrid)
        await self._keep_opt_outs(f"opted in to {mrid or 'all events'}")

    async def run(self, abilities: Callable[[], Abilities | None], local_s: Callable[[], float]) -> None:
        """Step at each change of the view and whenever time changes something; for ever."""
        self.able = abilities
        while True:
            self.looked_s = local_s()
            version, clock = self._view.version, self._clock.value
            able = abilities()
            if clock is None or able is None or not self._is_informed():
                await self._view.newer(version, TICK_S)
                continue
            await self._keep(local_s)
            next_at = await self.look(clock.now(local_s()), able)
            wait_s = self.tick_s if next_at is None else next_at - clock.time_s(local_s())
            wait_s += 0.0 if self.ahead is None else PATIENCE_S
            await self._pause(version, min(self.tick_s, max(0.001, wait_s)), local_s)

    def _is_informed(self) -> bool:
        """True once the server or the last run has told what there is: the time alone is no plan."""
        return self._view.value is not None or bool(self._programs) or bool(self._records())

    async def _pause(self, version: int, wait_s: float, local_s: Callable[[], float]) -> None:
        """Wait for something new, or for so long; news that change nothing of what is ahead wait for it."""
        end_s = local_s() + wait_s
        is_new = await self._view.newer(version, wait_s)
        while is_new and self.ahead is not None and self._is_as_expected():
            is_new = await self._view.newer(self._view.version, max(0.0, end_s - local_s()))
        await until_quiet_is_over()

    def _is_as_expected(self) -> bool:
        """True if what the server says now changes nothing of what was worked out."""
        view = self._view.value
        if view is None or self._view.version == self._seen:
            return True
        curves = self._scheduler.curves_after(self._curves, view.curves)
        return curves == self._curves and are_expected(self._programs, view.programs)

    async def look(self, now: int, able: Abilities) -> int | None:
        """One look at the clock, server time, s: a step where it may change something; when to look next."""
        if self._is_doubtful(now, able):
            return None
        await self._own_up(now)
        await self._count_flow()
        next_at = await self._looked_at(now, able)
        self._foresee(now, able)
        if any(one.phase in ACTING for one in self._records().values()):
            await self._spool.alive(now)
        return next_at

    def _is_doubtful(self, now: int, able: Abilities) -> bool:
        """Whether to leave all as it is: the time is that of the last run, and the server may still tell it.

        What the last run began goes on, if that time changes nothing of it, and is believed to its end. Else
        nothing is kept and nothing told: by a time that is wrong an event would be over for good.
        """
        clock = self._clock.value
        if clock is None or not clock.is_remembered or now >= self._doubted_until:
            return False
        is_taken_up = self._held_from is not None
        return self._goes_on(now, able) or not is_taken_up or self._taken > 0

    def _goes_on(self, now: int, able: Abilities) -> bool:
        """Publish what holds, if nothing changes by that; true if so. Worked out again once it may differ."""
        look = Look(now=now, able=able, taken=self._taken, opt_outs=self._scheduler.opt_outs)
        if self._held is None or not self._held.still_holds(look):
            is_offered = self._offers is not None and bool(self._offers.records)
            outcome = None if is_offered else self._scheduler.unchanged(self._programs, now, able)
            next_at = None if outcome is None else outcome.next_at
            self._held = replace(look, next_at=look.opt_outs.next_at(now, next_at))
            self._is_held = outcome is not None
            if outcome is not None:
                self._publish(self._plan_of(outcome, OfferStep(), now, able.modes))
                self._held_from = now if self._held_from is None else self._held_from
        if self._is_held and self._held_from is not None:
            self._held_s = now - self._held_from
        return self._is_held

    async def _count_flow(self) -> None:
        """Count what has flown towards the reservation that runs; once all has, it is looked at anew."""
        if self._keeping is not None and await self._keeping.count(self.flow):
            self._looked = None

    async def _looked_at(self, now: int, able: Abilities) -> int | None:
        look = Look(now=now, able=able, taken=self._taken, opt_outs=self._scheduler.opt_outs)
        former = self._looked
        if former is not None and former.still_holds(look):
            return former.next_at
        next_at = await self._step(now, able)
        self._looked = replace(look, next_at=look.opt_outs.next_at(now, next_at))
        return self._looked.next_at

    def _foresee(self, now: int, able: Abilities) -> None:
        """Work out what holds from the next change on, once it is near."""
        looked, starts, former = self._looked, self.starts, self.ahead
        lead_s = min(max(LEAD_TICKS * self.tick_s, LEAST_LEAD_S), MOST_LEAD_S)
        if starts is None or self._offers is not None or looked is None or looked is self._foreseen:
            return
        self.withdraw()
        if looked.next_at is None or not 0 < looked.next_at - now <= lead_s:
            return
        self._foreseen = looked
        outcome = self._scheduler.foreseen(self._programs, looked.next_at, able)
        if outcome is None:
            return
        plan = self._plan_of(outcome, OfferStep(), looked.next_at, able.modes)
        if plan != self.plan.value:
            ahead = Ahead(at=looked.next_at, plan=plan)
            self.ahead = former if former == ahead else ahead
            starts.enter(self, looked.next_at)

    def left_s(self, local_s: float) -> float | None:
        """How long it is at a local time to the second of what was worked out, s; None where nothing was."""
        ahead, clock = self.ahead, self._clock.value
        return None if ahead is None or clock is None else ahead.at - clock.time_s(local_s)

    def withdraw(self) -> None:
        """What was worked out does not hold, or is over."""
        self.ahead = None
        if self.starts is not None:
            self.starts.withdraw(self)

    def arm(self, at_s: float) -> None:
        """The second for which was worked out what holds is about to come, at `at_s`, local, s."""
        self._armed = self._basis()
        if self._armed is not None and self.ahead is not None:
            for device in self.devices:
                device.arm(self.ahead, at_s)

    def begin(self) -> Sequence[asyncio.Future[None]]:
        """Let the devices do what was worked out for this second; what is on its way to them.

        The draws are on disk since the event was received; that it has started is kept in the step that
        follows, and told to the server after that. Where anything else than the time has changed nothing is
        sent: then that step does it all.
        """
        armed, ahead, self._armed, self.ahead = self._armed, self.ahead, None, None
        if armed is None or ahead is None or armed != self._basis():
            return ()
        sent = [device.begin() for device in self.devices]
        if None in sent:
            self.plan.set(ahead.plan)
        else:
            self._begun = ahead.plan
        return [one for one in sent if one is not None]

    def _basis(self) -> Look | None:
        """What all that was worked out stands on; None where it is not what it was then."""
        looked, able = self._looked, self.able()
        if looked is None or looked is not self._foreseen or able is None or not self._is_as_expected():
            return None
        look = replace(looked, able=able, taken=self._taken, opt_outs=self._scheduler.opt_outs)
        return looked if looked.is_as(look) else None

    def wake(self) -> None:
        """Look at the clock now."""
        self._view.wake()

    async def _own_up(self, now: int) -> None:
        """Once, before the first step: mark on disk the events that devices left while no client ran."""
        if self._left_at is None:
            return
        absence = Absence(since=self._left_at, until=now - self._held_s, most_s=self.reversion_s)
        self._left_at, before = None, self._records()
        self._scheduler.records = absence.marked(self._scheduler.records)
        if self._offers is not None:
            self._offers.records = absence.marked(self._offers.records)
        marked = self._records()
        if marked == before:
            return
        await self._spool.committed(marked)
        for mrid in (mrid for mrid, one in marked.items() if one != before[mrid]):
            text = f"event {mrid} ran without the client for longer than devices hold it"
            log.warning("%s", text)
            self._tell(What.CONTROL, text, mrid=mrid, href=marked[mrid].program_href)

    def _records(self) -> dict[str, EventRecord]:
        """All records that are kept."""
        return {**self._scheduler.records, **(self._offers.records if self._offers else {})}

    async def take(self, view: ServerView) -> None:
        """Take up what the server says now, and keep it for a start without the server."""
        self._taken += 1
        self._offered = view.offered
        if view.programs != self._programs:
            self._programs = view.programs
            await self._spool.remembered(PROGRAMS, programs_text(view.programs))
        curves = self._scheduler.curves_after(self._curves, view.curves)
        if curves != self._curves:
            self._curves = curves
            await self._spool.remembered(CURVES, curves_text(curves))

    async def _step(self, now: int, able: Abilities) -> int | None:
        """One step of the schedule: on disk first, then to the devices; when time changes something next."""
        step = self._scheduler.step(self._programs, now, able, self._curves)
        offer = self._offer(now, able)
        if step.is_changed or offer.is_changed:
            bodies = [self._body(due, now) for due in step.owed]
            bodies += [self._body(one.due, now, one.response) for one in offer.owed]
            await self._spool.committed(self._records(), bodies)
        if self._keeping is not None:
            await self._keeping.keep_drawn()
        self._publish(self._plan_of(step.outcome, offer, now, able.modes))
        for news in step.news:
            log.info("%s", news.text)
            self._tell(What.CONTROL, news.text, mrid=news.mrid, href=news.program_href)
        if step.owed or offer.owed:
            self.queued.set(self.queued.version)
        times = [at for at in (step.outcome.next_at, offer.next_at) if at is not None]
        return min(times, default=None)

    def _offer(self, now: int, able: Abilities) -> OfferStep:
        """One step of prices and reservations, if they are followed."""
        if self._offers is None:
            return OfferStep()
        out = self._scheduler.opt_outs.leaves_out(self._offers.records, now)
        rules = Rules(opted_out=able.execution.is_local, opted_out_of=out)
        failing = able.execution.failing
        storage = replace(able.storage, drawn_w=self.drawn())
        return self._offers.step(self._offered, now, rules, storage, failing=failing)

    def _publish(self, plan: Plan) -> None:
        """Put out what the devices shall do, also where they have begun with it, or with something else."""
        begun, self._begun = self._begun, None
        if begun is not None or plan != self.plan.value:
            self.plan.set(begun if begun is not None and plan == begun else plan)

    def _plan_of(self, outcome: Outcome, offer: OfferStep, now: int, supported: frozenset[str]) -> Plan:
        """What the devices shall do; a power that a DERProgram sets goes before what is offered."""
        return Plan(
            modes=together(outcome.modes, offer.modes),
            defaults=without_controls(self._programs, now, supported),
            curves=self._curves,
            default=outcome.defaults,
        )

    def _body(self, due: Due, now: int, kind: type[Response] = DERControlResponse) -> Owed:
        body = CODEC.encode(response_of(due, self._lfdi, now, kind))
        return owed(Lane.RESPONSE, due.reply_to, due.mRID, body)

    async def _keep(self, local_s: Callable[[], float]) -> None:
        """Keep what the server said for a start without it."""
        view, version = self._view.value, self._view.version
        if view is None or version == self._seen:
            return
        self._seen = version
        await self.take(view)
        clock = self._clock.value
        if clock is not None:
            text = clock_text(clock.time_s(local_s()) - time.time())
            await self._spool.remembered(CLOCK, text)

    async def _keep_opt_outs(self, text: str) -> None:
        log.info("%s", text)
        self._tell(What.CONTROL, text)
        await self._spool.remembered(OPT_OUTS, self._scheduler.opt_outs.to_text())
