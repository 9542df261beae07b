"""One bus, one owner: the requests of all its units go over one connection, one at a time.

A connection is opened when it is first needed and again after it was lost, with a growing pause between
attempts that fail. Nothing is sent twice. Failures are values.
"""

import asyncio
import logging
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from certs import TlsError
from der_client.device import FaultKind
from der_client.sunspec.lines import Line, Link
from der_client.sunspec.requests import ACKNOWLEDGEMENT_SIZE, READ_HOLDING, described
from der_client.sunspec.scan import Failure
from der_client.sunspec.trace import trace_answer, trace_request, traces
from der_client.sunspec.turns import Silence, Turns, Urgency
from der_client.timing import Backoff

log = logging.getLogger(__name__)

BROADCAST: Final = 0
BROADCAST_PAUSE_S: Final = 0.1
RANDOM: Final = random.SystemRandom()

Outcome = bytes | Failure
Answer = asyncio.Future[Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class BusSettings:
    """Connecting takes `connect_s` at most; the pause after a failed attempt doubles from `backoff_s`.

    Half of that pause is random. `probe_s` bounds the pause of a unit that is silent on a shared bus.
    """

    connect_s: float = 1.0
    backoff_s: float = 0.5
    backoff_max_s: float = 30.0
    probe_s: float = 10.0


class _Waiting:
    """A request with the future of whoever asked."""

    __slots__ = ("future", "pdu", "timeout_s", "unit")

    def __init__(self, unit: int, pdu: bytes, timeout_s: float, future: Answer) -> None:
        self.unit = unit
        self.pdu = pdu
        self.timeout_s = timeout_s
        self.future = future

    def settle(self, outcome: Outcome) -> None:
        if not self.future.done():
            self.future.set_result(outcome)

    def fail(self, why: str, kind: FaultKind = FaultKind.NO_ANSWER) -> None:
        self.settle(Failure(kind, f"{described(self.pdu)}: {why}"))


class Bus:
    """A line with its units. `ask` may be called by any number of tasks of one loop."""

    def __init__(
        self, line: Line, settings: BusSettings | None = None, spread: Callable[[], float] = RANDOM.random
    ) -> None:
        """`spread` gives random numbers from 0 to 1 for the pause between attempts to connect."""
        self.line = line
        self.settings = settings or BusSettings()
        self._spread = spread
        self._turns: Turns[_Waiting] = Turns()
        self._silence = Silence(self.settings.backoff_s, self.settings.probe_s)
        self._units: dict[int, int] = {}
        self._link: Link | None = None
        self._opening: asyncio.Task[None] | None = None
        self._current: _Waiting | None = None
        self._has_heard = False
        self._deadline_s = 0.0
        self._used_s = 0.0
        self._idle_s: float | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._failures = 0
        self._next_attempt_s = 0.0

    @property
    def is_shared(self) -> bool:
        """True if more than one unit is behind this line."""
        return len(self._units) > 1

    @property
    def _may_rest(self) -> bool:
        """True if a unit that is silent has to rest, for its neighbours' sake.

        On a serial line it has to in any case: nothing but time tells a late answer from the next one.
        """
        return self.is_shared or not self.line.is_connection

    def join(self, unit: int) -> None:
        """Count a unit (once more) among those of the bus."""
        self._units[unit] = self._units.get(unit, 0) + 1

    async def leave(self, unit: int) -> None:
        """Count a unit once less; the last one closes the line. A later request opens it again."""
        left = self._units.get(unit, 0) - 1
        if left > 0:
            self._units[unit] = left
            return
        self._units.pop(unit, None)
        if not self._units:
            await self.close()

    def let_go_after(self, idle_s: float | None) -> None:
        """Close the connection after so long without requests, s; `None`: never. The next opens it again."""
        self._idle_s = idle_s
        if idle_s is not None and self._link is not None and self._current is None:
            self._wake_at(self._used_s + idle_s)

    def ask(self, unit: int, pdu: bytes, timeout_s: float, urgency: Urgency = Urgency.READ) -> Answer:
        """The PDU that answers a request, or a Failure. A broadcast counts as acknowledged once it is sent.

        A request whose future is cancelled before its turn is not sent; one on the line is waited for.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(unit, pdu, timeout_s, loop.create_future())
        if self._is_refused(waiting, loop.time()):
            return waiting.future
        self._turns.add(unit, urgency, waiting)
        if self._current is None:
            self._pump()
        return waiting.future

    async def close(self) -> None:
        """Close the line; what waits fails. A later request opens it again."""
        self._fail_all("the line was closed")
        for handle in (self._alarm, self._pause):
            if handle is not None:
                handle.cancel()
        self._alarm = self._pause = None
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            await asyncio.wait([opening])
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    def answered(self, pdu: bytes) -> None:
        """The answer to the current request came."""
        current, self._current = self._current, None
        if current is None:
            return
        self._has_heard = True
        self._silence.answered(current.unit)
        if traces():
            trace_answer(self.line.name, current.unit, current.pdu, pdu)
        current.settle(pdu)
        self._pump()

    def spoiled(self, detail: str) -> None:
        """Octets came that are no answer: nothing after them can be trusted."""
        current, self._current = self._current, None
        self._reset()
        if current is not None:
            current.fail(detail, FaultKind.MALFORMED)
        self._pump()

    def lost(self, detail: str) -> None:
        """The connection is gone."""
        self._link = None
        log.info("%s: %s", self.line.name, detail)
        current, self._current = self._current, None
        if current is not None:
            current.fail(detail)
            self._pump()

    def _is_refused(self, waiting: _Waiting, now_s: float) -> bool:
        """Settle what must not be sent now: without a connection for a while, or to a silent unit."""
        if self._link is None and self._opening is None and now_s < self._next_attempt_s:
            waiting.settle(Failure(FaultKind.NO_ANSWER, f"not connected to {self.line.name}"))
        elif self._may_rest and (silent_s := self._silence.remaining_s(waiting.unit, now_s)):
            waiting.fail(f"unit {waiting.unit} was silent, it is asked again in {silent_s:.1f} s")
        return waiting.future.done()

    def _pump(self) -> None:
        """Send the request whose turn it is, once the line is open and free."""
        if self._current is not None or self._opening is not None or self._pause is not None:
            return
        link, loop = self._link, asyncio.get_running_loop()
        if link is None:
            if self._turns:
                self._opening = loop.create_task(self._open())
            return
        now_s = loop.time()
        pause_s = link.pause_s(now_s)
        if pause_s > 0 and self._turns:
            self._pause = loop.call_later(pause_s, self._resume)
            return
        waiting = self._turns.take()
        while waiting is not None and waiting.future.done():
            waiting = self._turns.take()
        self._used_s = now_s
        if waiting is not None:
            self._send(link, waiting, now_s)
        elif self._idle_s is not None:
            self._wake_at(now_s + self._idle_s)

    def _resume(self) -> None:
        """The line was silent for long enough."""
        self._pause = None
        self._pump()

    def _send(self, link: Link, waiting: _Waiting, now_s: float) -> None:
        """Put a request on the line and bound the wait for its answer."""
        self._current = waiting
        if traces():
            trace_request(self.line.name, waiting.unit, waiting.pdu)
        wait_s = BROADCAST_PAUSE_S if self._is_broadcast(waiting) else waiting.timeout_s
        self._deadline_s = now_s + link.span_s(waiting.pdu) + wait_s
        self._wake_at(self._deadline_s)
        link.send(waiting.unit, waiting.pdu)

    def _wake_at(self, due_s: float) -> None:
        """Look at the clock no later than `due_s`; an alarm that is set already may ring earlier, in vain."""
        if self._alarm is not None:
            if self._alarm.when() <= due_s:
                return
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_at(due_s, self._check)

    def _check(self) -> None:
        """End what took too long: the wait for an answer, or the time without requests."""
        self._alarm = None
        now_s, idle_s = asyncio.get_running_loop().time(), self._idle_s
        if self._current is not None:
            if now_s < self._deadline_s:
                self._wake_at(self._deadline_s)
            else:
                self._timed_out(self._current, now_s)
        elif self._link is not None and idle_s is not None:
            if now_s < self._used_s + idle_s:
                self._wake_at(self._used_s + idle_s)
            else:
                log.info("%s: closed after %s s without requests", self.line.name, idle_s)
                self._drop_link()

    def _timed_out(self, current: _Waiting, now_s: float) -> None:
        """The answer did not come in time; whatever else waits for that unit would wait in vain too."""
        self._current = None
        if self._is_broadcast(current):
            current.settle(current.pdu[:ACKNOWLEDGEMENT_SIZE])
            self._pump()
            return
        for waiting in (current, *self._turns.drop(current.unit)):
            waiting.fail("no answer")
        if self._may_rest:
            pause_s = self._silence.missed(current.unit, now_s)
            log.debug("%s: unit %s rests for %s s", self.line.name, current.unit, pause_s)
        self._reset(keep=self.is_shared and self._has_heard)
        self._has_heard = False
        self._pump()

    def _is_broadcast(self, waiting: _Waiting) -> bool:
        return waiting.unit == BROADCAST and self.line.has_broadcast and waiting.pdu[0] != READ_HOLDING

    def _reset(self, *, keep: bool = False) -> None:
        """Take nothing for an answer that was on its way: wait for it no longer, or connect anew."""
        if self._link is not None and (keep or not self.line.is_connection):
            self._link.ignore()
        else:
            self._drop_link()

    def _drop_link(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.abort()

    async def _open(self) -> None:
        """Open the line, or begin a longer pause and fail what waits."""
        try:
            async with asyncio.timeout(self.settings.connect_s):
                link = await self.line.open(self)
        except (OSError, ValueError, RuntimeError) as error:  # a name that cannot be, no thread to look it up
            self._opening = None
            self._not_opened(reason_of(error))
            return
        self._opening = None
        if not link.is_open:
            self._not_opened("closed by the device")
            return
        self._link, self._failures, self._has_heard = link, 0, False
        log.info("connected to %s", self.line.name)
        self._pump()

    def _not_opened(self, reason: str) -> None:
        """Fail what waits and begin a longer pause."""
        self._failures += 1
        backoff = Backoff(first_s=self.settings.backoff_s, most_s=self.settings.backoff_max_s)
        pause_s = backoff.wait_s(self._failures, self._spread())
        self._next_attempt_s = asyncio.get_running_loop().time() + pause_s
        for waiting in self._turns.drop():
            waiting.settle(Failure(FaultKind.NO_ANSWER, f"cannot connect to {self.line.name}: {reason}"))

    def _fail_all(self, why: str) -> None:
        current, self._current = self._current, None
        for waiting in (*([current] if current else []), *self._turns.drop()):
            waiting.fail(why)


def reason_of(error: OSError | ValueError | RuntimeError) -> str:
    """Why a line could not be opened, as people say it."""
    if isinstance(error, UnicodeError):
        return f"name not known: {error}"
    if not isinstance(error, OSError):
        return str(error)
    if isinstance(error, TimeoutError) and error.errno is None:
        return "no answer"
    if isinstance(error, TlsError):
        return error.strerror or str(error)
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
