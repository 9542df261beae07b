"""The 2.0b client: registers, tells what it can report, asks for events, polls, and sends what it owes.

Two tasks: one lets time pass for the events, one talks to the VTN, so that a VTN that hangs delays nothing.
OpenADR 2.0b, R37, R301, R309, R405, R500.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Final

from openadr_ven.events import (
    CreateOpt,
    Draw,
    Enrolment,
    Judge,
    OptReason,
    OptType,
    Ports,
    Step,
    add_schedule,
    advance,
    cancel_opt,
    opt_event,
    opt_resources,
)
from openadr_ven.events.receiving import takes_all
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.answering import Answering
from openadr_ven.v2b.desk import Desk, with_owed
from openadr_ven.v2b.errors import MessageError, NotExpected, TransportError, Unknown
from openadr_ven.v2b.exchange import Exchange
from openadr_ven.v2b.kept import Kept, Owed, Registration
from openadr_ven.v2b.pace import Pace
from openadr_ven.v2b.ports import Clock, Source
from openadr_ven.v2b.registering import LOST, Registrar, Rejected
from openadr_ven.v2b.report_messages import Datum, Report, ReportOffer
from openadr_ven.v2b.reporting import Job, Running, digest_of, jobs_due, report_of
from openadr_ven.v2b.sending import Sender

log = logging.getLogger(__name__)
LONGEST_PAUSE_S: Final = 3600.0
"""After so long a time a VEN looks again whether something is due, s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a VEN is at a VTN. `poll_s` is its own pace, where the VTN asks for none."""

    venName: str
    enrolment: Enrolment
    draw: Draw
    judge: Judge = takes_all
    offers: tuple[ReportOffer, ...] = ()
    poll_s: float = 10.0
    is_report_only: bool = False


class Ven:
    """One VEN at one VTN. `run` returns only when it is cancelled."""

    def __init__(
        self,
        settings: Settings,
        exchange: Exchange,
        desk: Desk,
        clock: Clock,
        source: Source,
        *,
        chance: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._settings = settings
        self._exchange = exchange
        self._desk = desk
        self._clock = clock
        self._source = source
        self._chance = chance
        self._new_id = new_id
        self.pace = Pace(interval_s=settings.poll_s)
        self._is_registered = False
        self._is_behind = False
        """Whether the answer to a poll was lost, which the VTN does not send again."""
        self._turned = asyncio.Event()
        self._answering = Answering(
            desk=desk,
            ports=self._ports,
            offers=self._offers,
            report=self._report,
            new_id=new_id,
            now=clock.now,
            again=self._again,
        )
        self._registrar = Registrar(settings.venName, exchange, desk, new_id, settings.is_report_only)
        self._sender = Sender(exchange, desk, self._answering)

    @property
    def kept(self) -> Kept:
        """What is known and owed now."""
        return self._desk.kept

    async def run(self) -> None:
        """Take up what was kept, and go on until cancelled. Raises KeptError for what cannot be read."""
        await self._desk.open()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._let_time_pass())
            tasks.create_task(self._converse())

    async def opt_event(self, eventID: str, opt: OptType) -> Step:
        """Take part in an event or not. Raises OptError."""
        return await self._decide(lambda state, now: opt_event(state, eventID, opt, now))

    async def opt_resources(
        self, eventID: str, resources: tuple[str, ...], opt: OptType, reason: OptReason
    ) -> Step:
        """Some resources take part or not; none named are all. Raises OptError."""
        optID = self._new_id()
        return await self._decide(
            lambda state, now: opt_resources(state, eventID, resources, opt, now, optID=optID, reason=reason)
        )

    async def add_schedule(self, schedule: CreateOpt) -> Step:
        """An availability schedule. Raises OptError."""
        return await self._decide(lambda state, now: add_schedule(state, schedule, now))

    async def cancel_opt(self, optID: str) -> Step:
        """A schedule is taken back. Raises OptError."""
        return await self._decide(lambda state, now: cancel_opt(state, optID, now))

    async def cancel_registration(self) -> None:
        """End the registration on our side: all that runs stops once the VTN agreed."""
        known = self.kept.registration
        if known is not None:
            await self._desk.owe(
                m.Service.REGISTER_PARTY,
                m.CancelPartyRegistration(
                    requestID=self._new_id(), registrationID=known.registrationID, venID=known.venID
                ),
            )

    async def register(self) -> None:
        """Begin a new registration after one was cancelled."""
        self._is_registered = False
        self.pace.next_at = self._clock.now()
        await self._desk.change(lambda kept: replace(kept, is_cancelled=False))

    async def _decide(self, decide: Callable[..., Step]) -> Step:
        step = await self._desk.decide(decide)
        self._turned.set()
        return step

    async def _let_time_pass(self) -> None:
        """Begin and end events when they are due, whatever the VTN does."""
        while True:
            self._turned.clear()
            step = await self._desk.decide(advance)
            now = self._clock.now()
            at = now + LONGEST_PAUSE_S
            await self._clock.wait(
                self._turned, (at if step.next_at is None else min(at, step.next_at)) - now
            )

    async def _converse(self) -> None:
        while True:
            self._desk.changed.clear()
            await self._make_reports()
            is_due = not self.pace.left_s(self._clock.now())
            if is_due or (self.kept.owed and not self.pace.failures):
                await self._try(is_due=is_due)
            await self._clock.wait(self._desk.changed, self._pause_s())

    def _pause_s(self) -> float:
        """Until the next poll or report. Who is not registered waits for a person."""
        now = self._clock.now()
        if self.kept.is_cancelled and not self.kept.owed:
            return LONGEST_PAUSE_S
        dues = [one.due for one in self.kept.running]
        return max(0.0, min([now + self.pace.left_s(now), now + LONGEST_PAUSE_S, *dues]) - now)

    async def _try(self, *, is_due: bool) -> None:
        """Talk to the VTN; what fails is said once, and tried again more and more slowly."""
        failures = self.pace.failures
        try:
            await self._talk(is_due=is_due)
            if failures and not self.pace.failures:
                log.info("the VTN answers again")
        except MessageError as error:
            log.warning("answer of the VTN not taken: %s %s", int(error.code), error)
            self._is_registered = self._is_registered and not isinstance(error, Unknown)
            self._fail()
        except Rejected as error:
            level = logging.DEBUG if self.pace.failures else logging.ERROR
            log.log(level, "the VTN does not register this VEN: %s", error)
            self._fail()
        except TransportError as error:
            level = logging.DEBUG if self.pace.failures else logging.WARNING
            log.log(level, "the VTN does not answer: %s", error)
            self._fail()

    def _fail(self) -> None:
        self.pace.failed(self._clock.now(), self._chance())

    async def _talk(self, *, is_due: bool) -> None:
        if self.kept.is_cancelled:
            await self._sender.flush()
            self.pace.quiet(self._clock.now(), self._chance())
            return
        if not self._is_registered:
            await self._begin()
        await self._sender.flush()
        if is_due and self._is_behind and (known := self.kept.registration) is not None:
            await self._request_events(known)
        if is_due:
            await self._poll()

    async def _begin(self) -> None:
        """Registration, metadata, events: in this order after boot (R301, R309, R405).

        Metadata that the VTN has already is not told again.
        """
        is_new = await self._registrar.register()
        known = self.kept.registration
        if known is None:
            raise NotExpected("no registration")
        self.pace.interval_s = known.poll_s or self._settings.poll_s
        if is_new or self.kept.offered != digest_of(self._settings.offers):
            is_untold = is_new or not self.kept.offered
            await self._answering.offer(known)
            if is_untold:
                await self._desk.owe_opts()
            await self._sender.flush()
        await self._request_events(known)
        self._is_registered = True

    async def _request_events(self, known: Registration) -> None:
        """All events, without a limit, so that the list is a full one (R50)."""
        request = m.RequestEvent(requestID=self._new_id(), venID=known.venID)
        answer = await self._exchange.ask(m.Service.EVENT, request)
        if isinstance(answer, m.DistributeEvent):
            await self._take(answer)
            await self._sender.flush()
        elif not isinstance(answer, m.Response) or not answer.response.is_good:
            raise NotExpected(f"{type(answer).__name__} where events belong")
        self._is_behind = False

    async def _take(self, message: m.Message) -> None:
        await self._answering.take(message)
        self._turned.set()

    async def _poll(self) -> None:
        """Poll at once as long as there is more (R500)."""
        while self._is_registered and (known := self.kept.registration) is not None:
            self._is_behind = True
            answer = await self._exchange.ask(m.Service.POLL, m.Poll(venID=known.venID))
            self._is_behind = False
            if isinstance(answer, m.Response):
                self._settle(answer.response)
                return
            await self._take(answer)
            await self._sender.flush()
            if not self.pace.more(self._clock.now()):
                log.warning("the VTN sends without end: polled once a second")
                return

    def _settle(self, response: m.EiResponse) -> None:
        """Nothing is waiting; or the VTN does not know us, and we register again with our IDs."""
        if response.code in LOST:
            raise Unknown(f"the VTN does not know this VEN: {response.code} {response.text}")
        if not response.is_good:
            raise NotExpected(f"poll refused: {response.code} {response.text}")
        self.pace.quiet(self._clock.now(), self._chance())

    def _again(self) -> None:
        self._is_registered = False

    def _ports(self, known: Registration) -> Ports:
        enrolment = replace(
            self._settings.enrolment,
            ven_id=known.venID,
            names=self._settings.enrolment.names | {self._settings.venName},
        )
        return Ports(enrolment=enrolment, draw=self._settings.draw, judge=self._settings.judge)

    def _offers(self) -> tuple[ReportOffer, ...]:
        now = int(self._clock.now())
        return tuple(replace(one, createdDateTime=now) for one in self._settings.offers)

    async def _make_reports(self) -> None:
        """Make what fell due, and owe it to the VTN in the moment in which the request goes on."""
        now = int(self._clock.now())
        for running in self.kept.running:
            jobs, rest = jobs_due(running, self._settings.offers, now)
            if rest is not running:
                made = [Owed(service=m.Service.REPORT, message=await self._report(job)) for job in jobs]
                await self._desk.change(partial(_gone_on, old=running, new=rest, owed=made))

    async def _report(self, job: Job) -> m.UpdateReport:
        """One report with the data that the source has."""
        found: dict[tuple[int, int], Sequence[Datum]] = {}
        rIDs = [rID for rID, _ in job.request.points]
        for start, end in job.periods:
            found[start, end] = await self._source.read(job.offer.reportSpecifierID, rIDs, start, end)
        made: Report = report_of(job, found, now=int(self._clock.now()), eiReportID=self._new_id())
        known = self.kept.registration
        return m.UpdateReport(
            requestID=self._new_id(), reports=(made,), venID=None if known is None else known.venID
        )


def _gone_on(kept: Kept, *, old: Running, new: Running | None, owed: Sequence[Owed]) -> Kept:
    """A request after its reports, which are owed from the same moment on; none where they were the last."""
    after = tuple(new if one is old else one for one in kept.running)
    made = replace(kept, running=tuple(one for one in after if one is not None))
    return reduce(with_owed, owed, made)
