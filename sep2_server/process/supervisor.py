"""The parent of the workers: starts them, replaces those that die, ends them. One thread, no event loop."""

import logging
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Final, NoReturn

from sep2_server.process.crew import Crew
from sep2_server.process.hangups import signals_held, take_ends, take_hangups
from sep2_server.process.life import BEYOND_S, UNFINISHED
from sep2_server.process.service import ServiceManager, end_with_parent

READY: Final = b"\0"
"""What a worker writes after all it has to say: it serves."""
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
GRACE_S: Final = BEYOND_S + 5.0
"""How much longer than `shutdown_s` workers may take to end: one with a hung database hears 2 s late."""
LOOK_S: Final = 5.0
"""How often it is looked whether workers live, s."""
STUCK_S: Final = 120.0
"""A worker that gives no sign of life for so long never will again: its connections hang."""
FINE: Final = 0

log = logging.getLogger(__name__)

Tell = Callable[[str], None]
Work = Callable[[int, Tell, Callable[[], None]], int]
"""Runs worker `number` until SIGTERM; it tells what it has to say, and then that it is ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """What the parent does for its server.

    `renew` reads the files again (False: they are bad), `close` stops listening, `shutdown_s` is how long
    workers may take to end, `silence_s` for how long a worker has given no sign of life.
    """

    work: Work
    say: Tell
    renew: Callable[[], bool]
    close: Callable[[], None]
    shutdown_s: Callable[[], float]
    silence_s: Callable[[int], float]
    manager: ServiceManager


@dataclass(slots=True)
class _Told:
    """What a worker has said so far."""

    text: bytes = b""
    number: int = 0


@dataclass(slots=True)
class Supervisor:
    """Keeps `count` workers alive until it is told to stop."""

    count: int
    duties: Duties
    _selector: selectors.DefaultSelector = field(default_factory=selectors.DefaultSelector)
    _told: dict[int, _Told] = field(default_factory=dict)
    _said: list[str] = field(default_factory=list)
    _stopping: bool = False
    _has_told: bool = False
    _look_at: float = 0.0
    _silent: set[int] = field(default_factory=set)
    _unfinished: bool = False

    def run(self) -> int:
        """Supervise until SIGTERM or SIGINT; the exit code."""
        crew = Crew(self.count, time.monotonic())
        woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for one in SIGNALS:
            signal.signal(one, _noted)
        take_hangups()
        self._selector.register(woken, selectors.EVENT_READ)
        code = FINE
        while not self._stopping:
            for number in crew.due(time.monotonic()):
                self._start(crew, number)
            self._look(crew, time.monotonic())
            if self._has_life(crew):
                self.duties.manager.alive()
            for key, _ in self._selector.select(self._wait_s(crew, time.monotonic())):
                if key.fd == woken:
                    code = self._signalled(crew, os.read(woken, 512)) or code
                else:
                    self._hear(crew, key.fd)
        return code or self._end(crew)

    def _signalled(self, crew: Crew, numbers: bytes) -> int:
        """Do what signals ask for; the exit code where a worker's end is that of the server."""
        if signal.SIGHUP in numbers:
            self._renew(crew)
        code = self._reap(crew) if signal.SIGCHLD in numbers else FINE
        if code or signal.SIGTERM in numbers or signal.SIGINT in numbers:
            self._stopping = True
        return code

    def _wait_s(self, crew: Crew, now: float) -> float:
        due_s = crew.wait_s(now)
        look_s = min(max(self._look_at - now, 0.0), self.duties.manager.beat_s)
        return look_s if due_s is None else min(due_s, look_s)

    def _look(self, crew: Crew, now: float) -> None:
        """Kill workers that gave no sign of life at two looks: after a pause of the machine none has."""
        if now < self._look_at:
            return
        self._look_at = now + LOOK_S
        before, self._silent = self._silent, set()
        for slot in crew.slots:
            silence_s = self.duties.silence_s(slot.number) if slot.is_ready else 0.0
            if silence_s < STUCK_S:
                continue
            self._silent.add(slot.pid)
            if slot.pid in before:
                told = "Worker %s (process %s) has given no sign of life for %.0f s: it is killed"
                log.error(told, slot.number, slot.pid, silence_s)
                _kill(slot.pid, signal.SIGKILL)

    def _has_life(self, crew: Crew) -> bool:
        """Whether some worker serves: without one this process does nothing for anybody."""
        return any(slot.is_ready and self.duties.silence_s(slot.number) < STUCK_S for slot in crew.slots)

    def _start(self, crew: Crew, number: int) -> None:
        """Make a worker. OSError where the first of all cannot be made; others are tried again later."""
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            heard, said = os.pipe2(os.O_CLOEXEC)
            with signals_held():
                pid = self._forked(heard, said)
                if pid == 0:
                    self._become_worker(number, parent, said)
        except OSError as flaw:
            if not crew.has_been_ready:
                raise
            log.log(logging.ERROR, "Worker %s cannot be started: %s", number, flaw)
            crew.failed(number, time.monotonic())
            return
        os.close(said)
        crew.started(number, pid, time.monotonic())
        self._told[heard] = _Told(number=number)
        self._selector.register(heard, selectors.EVENT_READ)

    def _forked(self, heard: int, said: int) -> int:
        """What `fork` gives; where it fails, the ends of the pipe are closed again."""
        try:
            return os.fork()
        except OSError:
            os.close(heard)
            os.close(said)
            raise

    def _become_worker(self, number: int, parent: int, said: int) -> NoReturn:
        """In the child: be a process of its own, work, and end without a trace of the parent."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for known in SIGNALS:
                signal.signal(known, signal.SIG_DFL)
            take_ends()
            end_with_parent(parent)
            self._selector.close()
            for heard in self._told:
                os.close(heard)
            code = self.duties.work(number, lambda line: _write(said, line), lambda: _finish(said))
        except Exception:
            log.exception("Worker %s failed", number)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            logging.shutdown()
            os._exit(code)

    def _hear(self, crew: Crew, heard: int) -> None:
        told = self._told[heard]
        part = os.read(heard, 65_536)
        told.text += part
        if part and not told.text.endswith(READY):
            return
        self._selector.unregister(heard)
        os.close(heard)
        del self._told[heard]
        if part:
            self._ready(crew, told)

    def _ready(self, crew: Crew, told: _Told) -> None:
        crew.ready(told.number, time.monotonic())
        log.info("Worker %s serves", told.number)
        self._said += told.text.rstrip(READY).decode().splitlines()
        if crew.is_ready and not self._has_told:
            self._has_told = True
            for line in self._said:
                self.duties.say(line)
            self.duties.manager.ready()

    def _reap(self, crew: Crew) -> int:
        """Take note of workers that ended. Where none has ever served, its exit code is the server's."""
        code = FINE
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                slot = crew.died(ended[0], time.monotonic())
                status = os.waitstatus_to_exitcode(ended[1])
                self._unfinished |= self._stopping and status == UNFINISHED
                if slot is not None and not self._stopping:
                    log.error("Worker %s (process %s) ended: %s", slot.number, ended[0], status)
                    code = code if crew.has_been_ready else (status if status > 0 else 1)
        return code

    def _renew(self, crew: Crew) -> None:
        self.duties.manager.reloading()
        try:
            is_renewed = self.duties.renew()
        except Exception:
            log.exception("Nothing was reloaded")
            is_renewed = False
        if is_renewed:
            _send(crew, signal.SIGHUP)
        self.duties.manager.ready()

    def _end(self, crew: Crew) -> int:
        """Accept nothing more, let the workers finish, and kill those that do not; the exit code."""
        self.duties.manager.stopping()
        self.duties.close()
        _send(crew, signal.SIGTERM)
        until = time.monotonic() + self.duties.shutdown_s() + GRACE_S
        while crew.pids and time.monotonic() < until:
            self._selector.select(max(until - time.monotonic(), 0))
            self._drain()
            self._reap(crew)
        for slot in crew.slots:
            if slot.pid:
                told = "Worker %s (process %s) had not ended %g s after it was told to: it is killed"
                log.critical(told, slot.number, slot.pid, self.duties.shutdown_s() + GRACE_S)
                self._unfinished = True
        _send(crew, signal.SIGKILL)
        while crew.pids:
            self._reap(crew)
        return UNFINISHED if self._unfinished else FINE

    def _drain(self) -> None:
        for key, _ in self._selector.select(0):
            if not os.read(key.fd, 65_536):
                self._selector.unregister(key.fd)


def _send(crew: Crew, number: signal.Signals) -> None:
    for pid in crew.pids:
        _kill(pid, number)


def _kill(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _write(said: int, line: str) -> None:
    os.write(said, line.encode() + b"\n")


def _finish(said: int) -> None:
    os.write(said, READY)
    os.close(said)


def _noted(number: int, frame: FrameType | None) -> None:
    """Nothing: the loop reads of the signal from the pipe."""
