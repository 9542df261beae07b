"""The client of 3.x: a task that keeps a VEN at its VTN, whatever the VTN does.

One task owns the desk; polling, reporting and the webhook hand it what they have through one bounded queue,
and read immutable values from it. Nothing is told or sent before it is kept.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from openadr_ven.events import CreateOpt, EventError, OptType, Step, uniform
from openadr_ven.memory import Memory
from openadr_ven.rows import Texts
from openadr_ven.v3.desk import Desk, Round
from openadr_ven.v3.errors import FlawError, V3Error
from openadr_ven.v3.http import Http
from openadr_ven.v3.kept import Kept, kept_of, value_of
from openadr_ven.v3.listener import Listener
from openadr_ven.v3.mqtt import Mqtt
from openadr_ven.v3.objects import Notification
from openadr_ven.v3.owing import wanted
from openadr_ven.v3.pace import Backoff
from openadr_ven.v3.polling import Polling
from openadr_ven.v3.ports import Settings, Surroundings
from openadr_ven.v3.reporting import report_of, send
from openadr_ven.v3.version import Version
from openadr_ven.v3.wire import Wire

log: Final = logging.getLogger(__name__)
MOST_WAITING: Final = 200
"""So many inputs wait for the desk at most; a VTN that floods us is told to come again."""
MOST_AT_ONCE: Final = 100
"""So many reports are made at once."""

Work = Callable[[int], Step | None]
"""What is to be done at the desk at this time; the step that came of it."""


@dataclass(slots=True)
class Input:
    """Something for the desk. `done` is set once what came of it is kept; `error` is what it raised."""

    work: Work
    done: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None


class VenClient:
    """A VEN at one VTN. `run` it as a task; cancel that to stop.

    The listener of steps is awaited by the owner of the desk: it must be quick, and not await `opt`.
    """

    def __init__(self, settings: Settings, memory: Memory, surroundings: Surroundings | None = None) -> None:
        self._settings, self._memory = settings, memory
        self._texts = Texts()
        self._ports = surroundings or Surroundings()
        self._http = Http(settings.tls, timeout_s=settings.timeout_s)
        self._wire = Wire(self._http, settings.url, settings.version, settings.credentials)
        self._desk = Desk(
            version=settings.version,
            venName=settings.venName,
            base=settings.enrolment,
            draw=uniform(self._ports.random),
            judge=self._ports.judge,
            is_running_out=settings.is_running_out,
        )
        self._inbox: asyncio.Queue[Input] = asyncio.Queue(MOST_WAITING)
        self._knock, self._owing = asyncio.Event(), asyncio.Event()
        self._next_at: int | None = None
        self._polling = Polling(settings, self._wire, self._ports, self)
        self._listener: Listener | None = None

    @property
    def kept(self) -> Kept:
        """What is kept now."""
        return self._desk.kept

    @property
    def desk(self) -> Desk:
        """For those who read; only the owner changes it."""
        return self._desk

    @property
    def webhook_port(self) -> int:
        """Where our listener listens; 0 without one."""
        return 0 if self._listener is None else self._listener.port

    async def run(self) -> None:
        """Be a VEN until cancelled. Raises KeptError for a memory that cannot be read, OSError for a port."""
        self._desk.kept = kept_of(await self._memory.load())
        if not self._desk.kept.token:
            self._desk.kept = replace(self._desk.kept, token=secrets.token_urlsafe(32))
        await self._http.open()
        try:
            await self._listen()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._own())
                group.create_task(self._polling.run())
                group.create_task(self._report())
                if self._settings.is_mqtt and self._settings.version is Version.V310:
                    group.create_task(self._mqtt())
        finally:
            if self._listener is not None:
                await self._listener.close()
            await self._http.close()

    async def opt(self, eventID: str, opt: OptType, resources: tuple[str, ...] = ()) -> None:
        """Opt an event, or resources of it, in or out; kept on return. Raises OptError."""
        await self.hand_in(lambda now: self._desk.opt(eventID, opt, resources, now))

    async def add_schedule(self, schedule: CreateOpt) -> None:
        """An availability schedule; kept on return. Raises OptError."""
        await self.hand_in(lambda now: self._desk.add_schedule(schedule, now))

    async def cancel_opt(self, optID: str) -> None:
        """A schedule is taken back; kept on return. Raises OptError."""
        await self.hand_in(lambda now: self._desk.cancel_opt(optID, now))

    async def stay_away(self, away: Mapping[str, tuple[str, ...]]) -> None:
        """By event, all resources whose devices do not take part, for OPERATING_STATE; kept on return."""
        if away != self._desk.kept.away:
            await self.hand_in(lambda now: self._desk.stay_away(away, now))

    async def hand_in(self, work: Work) -> None:
        """Have something done at the desk; it is kept on return. Raises what the work raises of ours."""
        one = Input(work)
        await self._inbox.put(one)
        self._knock.set()
        await one.done.wait()
        if one.error is not None:
            raise one.error

    async def _listen(self) -> None:
        if self._settings.webhook is not None:
            token = self._desk.kept.token
            self._listener = Listener(self._settings.webhook, self._settings.version, token, self._notified)
            await self._listener.open()

    async def _mqtt(self) -> None:
        mqtt = Mqtt(self._settings, self._wire, self._ports, self._notified, self._polling.broker_changed)
        await mqtt.run(lambda: self._desk.kept.ven_id)

    def _notified(self, notice: Notification) -> bool:
        """Take a notification, if there is room; without room the VTN is looked at soon."""
        try:
            self._inbox.put_nowait(Input(lambda now: self._notice(notice, now)))
        except asyncio.QueueFull:
            self._polling.look_soon()
            return False
        self._knock.set()
        return True

    def _notice(self, notice: Notification, now: int) -> Step | None:
        try:
            step = self._desk.take_notice(notice, now)
        except FlawError as flaw:
            log.warning("the object of a notification cannot be read: %s", flaw)
            step = None
        if step is None:
            self._polling.look_soon(is_wide=True)
        return step

    async def _own(self) -> None:
        """The owner of the desk: inputs one after the other, and time."""
        await self._decide([], self._now())
        while True:
            now = self._ports.time()
            wait_s = None if self._next_at is None else max(0.0, self._next_at - now)
            await self._ports.wait(self._knock, wait_s)
            self._knock.clear()
            inputs: list[Input] = []
            while not self._inbox.empty():
                inputs.append(self._inbox.get_nowait())
            await self._decide(inputs, self._now())

    async def _decide(self, inputs: list[Input], now: int) -> None:
        """Work through inputs and time, keep what came of it, and only then tell it."""
        before = self._desk.kept
        steps = [step for one in inputs if (step := self._worked(one, now)) is not None]
        last = self._desk.pass_time(now)
        await self._make_reports(now)
        self._next_at = self._desk.next_at(last, now)
        if self._desk.kept != before:
            await self._memory.save(value_of(self._desk.kept, self._texts))
        for one in inputs:
            one.done.set()
        for step in (*steps, last):
            if step.changes:
                await self._ports.listener(step)
        if self._desk.kept.owed:
            self._owing.set()

    def _worked(self, one: Input, now: int) -> Step | None:
        try:
            return one.work(now)
        except (V3Error, EventError) as error:
            one.error = error
            return None

    async def _make_reports(self, now: int) -> None:
        due = wanted(self._desk.kept, self._desk.enrolment, now)
        for one in [found for found, _ in zip(due, range(MOST_AT_ONCE), strict=False)]:
            report = await report_of(one, self._settings.venName, self._ports.meter)
            self._desk.made(one, report)

    async def _report(self) -> None:
        """Send what is owed, the oldest first; what cannot be sent waits."""
        backoff = Backoff(self._settings.poll_s)
        while True:
            await self._owing.wait()
            self._owing.clear()
            try:
                while self._desk.kept.owed:
                    await self._send(self._desk.kept.owed[0].reportName)
                backoff.worked()
            except V3Error as error:
                pause_s = backoff.failed(self._ports.random(), getattr(error, "retry_after_s", None))
                log.warning("a report has to wait %.0f s: %s", pause_s, error)
                await self._ports.wait(asyncio.Event(), pause_s)
                self._owing.set()

    async def _send(self, reportName: str) -> None:
        await self.hand_in(lambda _: self._desk.tried(reportName))
        owed = next((one for one in self._desk.kept.owed if one.reportName == reportName), None)
        if owed is not None:
            await send(self._wire, owed, self._settings.venName)
            await self.hand_in(lambda _: self._desk.sent(reportName))

    def _now(self) -> int:
        return int(self._ports.time())

    async def take_round(self, found: Round) -> None:
        """A look at the VTN, for the desk."""
        await self.hand_in(lambda now: self._desk.take_round(found, now))
