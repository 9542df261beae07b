"""Hours in seconds: an event loop whose clock stands while there is work, and jumps to the next timer if not.

Nothing ever times out because the machine is slow: time passes only when every task waits for time, no socket
has octets, and no thread works. Server, client and simulators must be in this one process.

Either give `VirtualTime.monotonic` and `.time` to what takes a clock and run on `VirtualTime.loop()`; or call
`install()` before anything else is imported (a process of its own), and unchanged code runs on it.
"""

from __future__ import annotations

import asyncio
import queue
import selectors
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import FrameType

GRACE_S: Final = 0.0002
"""Real time in which the kernel may still bring octets before time jumps."""
IDLE_LOOKS: Final = 3
"""So many looks in a row must find nobody at work: a thread that was just given work still seems to wait."""
LONGEST_WORK_S: Final = 30.0
"""Real time for which a thread may work on before time goes on without it."""
WAITING: Final = frozenset(
    {
        ("threading.py", "wait"),
        ("threading.py", "_wait_for_tstate_lock"),
        ("thread.py", "_worker"),
        ("writer.py", "_work"),
        ("log_syncer.py", "_work"),
        ("log_writer.py", "_work"),
        ("selectors.py", "select"),
        ("socketserver.py", "serve_forever"),
        ("virtual_time.py", "select"),
    }
)
"""Where a thread stands that waits for work: file and function of its innermost frame."""


class VirtualTime:
    """The clock: it begins at the real time, and is moved by its loop alone."""

    def __init__(self, *, least_jump_s: float = 0.0) -> None:
        """A clock that jumps `least_jump_s` or more: timers within that time go off together, and late."""
        self.least_jump_s = least_jump_s
        self._passed_s = 0.0
        self._time_s = time.time()
        self._monotonic_s = time.monotonic()
        self.real_monotonic = time.monotonic
        self.others = frozenset(sys._current_frames())
        """Threads that were there before, such as those of the test runner: nobody waits for their work."""

    def time(self) -> float:
        """What `time.time` would say, s since 1970."""
        return self._time_s + self._passed_s

    def monotonic(self) -> float:
        """What `time.monotonic` would say, s."""
        return self._monotonic_s + self._passed_s

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self._passed_s += seconds

    def loop(self) -> VirtualLoop:
        """A new event loop on this clock."""
        return VirtualLoop(self)

    def run(self, main: Coroutine[Any, Any, object]) -> object:
        """Run a coroutine on a loop of this clock to its end."""
        with asyncio.Runner(loop_factory=self.loop) as runner:
            return runner.run(main)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop on a virtual clock."""

    def __init__(self, clock: VirtualTime) -> None:
        self.clock = clock
        self._handed_over: set[object] = set()
        super().__init__(JumpingSelector(clock, self._handed_over))

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # noqa: ANN401  as the loop's own
        """Work for a thread: until one has taken it, time stands."""
        mark = object()

        def taken() -> object:
            self._handed_over.discard(mark)
            return func(*args)

        self._handed_over.add(mark)
        future = super().run_in_executor(executor, taken)
        future.add_done_callback(lambda _: self._handed_over.discard(mark))
        return future

    def time(self) -> float:
        """The loop's clock, s."""
        return self.clock.monotonic()


class JumpingSelector(selectors.EpollSelector):
    """Waits for octets as long as somebody works, and lets time jump when nobody does."""

    def __init__(self, clock: VirtualTime, handed_over: set[object]) -> None:
        super().__init__()
        self._clock = clock
        self._handed_over = handed_over

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; nothing once the virtual `timeout` has passed."""
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        until_s = self._clock.real_monotonic() + LONGEST_WORK_S
        looks = 0
        while looks < IDLE_LOOKS:
            is_busy = bool(self._handed_over) or somebody_works(self._clock.others)
            working = is_busy and self._clock.real_monotonic() < until_s
            time.sleep(GRACE_S)
            found = super().select(0)
            if found:
                return found
            looks = 0 if working else looks + 1
        self._clock.pass_by(max(timeout, self._clock.least_jump_s))
        return []


def somebody_works(others: frozenset[int] = frozenset()) -> bool:
    """True while the kernel syncs, or a thread works that is neither this one nor one of `others`."""
    left = others | {threading.get_ident()}
    kernel = sys.modules.get("sep2_server.kernel_sync")
    if kernel is not None and kernel.KernelSync.under_way:
        return True
    return any(not _waits(frame) for ident, frame in sys._current_frames().items() if ident not in left)


def _waits(frame: FrameType) -> bool:
    code = frame.f_code
    place = code.co_filename.rpartition("/")[2], code.co_name
    return place in WAITING and not any(one.qsize() for one in _queues(frame))


def _queues(frame: FrameType) -> list[queue.SimpleQueue[object]]:
    """Queues at hand where a thread stands: with something in one, it is about to work."""
    held = dict(frame.f_locals)
    held.update(getattr(held.get("self"), "__dict__", {}))
    return [one for one in held.values() if isinstance(one, queue.SimpleQueue)]


def install() -> VirtualTime:
    """Put this process on virtual time: `time.time`, `time.monotonic` and new event loops are of it.

    Call it before the modules are imported whose functions have these clocks as defaults.
    """
    clock = VirtualTime()
    time.time = clock.time
    time.monotonic = clock.monotonic
    time.time_ns = lambda: int(clock.time() * 1e9)
    time.monotonic_ns = lambda: int(clock.monotonic() * 1e9)

    class Policy(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self) -> asyncio.AbstractEventLoop:
            return clock.loop()

    asyncio.set_event_loop_policy(Policy())
    return clock
