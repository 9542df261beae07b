"""From requests to answers in a process: read at once or by a thread, written and durable."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeVar

from function_sets import Clock
from sep2_server.dispatch import READS, Dispatcher
from sep2_server.environment import Environment
from sep2_server.errors import Busy, RemoteError, StoreError
from sep2_server.event_times import repair_list
from sep2_server.listing import RepairDue
from sep2_server.messages import Answer, Request
from sep2_server.shortcut import Heads, Known, Reply
from sep2_server.store import Store
from sep2_server.version_discovery import WELL_KNOWN, version_discovery
from sep2_server.work import Work

T = TypeVar("T")

log = logging.getLogger(__name__)


class Answering:
    """Answers requests by the dispatcher of the profile at their path.

    `be_current` is called before each look at what is kept.
    """

    def __init__(
        self,
        environment: Environment,
        store: Store,
        clock: Clock,
        dispatchers: Mapping[str, Dispatcher],
        be_current: Callable[[], None],
    ) -> None:
        """`dispatchers` by the path of their mount, the one at the root by an empty path."""
        self._environment = environment
        self._store = store
        self._clock = clock
        self._dispatchers = dispatchers
        paths = sorted(filter(None, dispatchers), key=len, reverse=True)
        self._mounted = [(prefix, dispatchers[prefix]) for prefix in paths]
        self._be_current = be_current
        self.heads = Heads()

    async def respond(self, request: Request) -> Answer:
        """The answer to a request: read at once, or written and durable."""
        return await self.respond_by(*self.dispatcher_of(request))

    def dispatcher_of(self, request: Request) -> tuple[Dispatcher, Request]:
        """Who answers a request, and the request without the path of a mount."""
        for prefix, mounted in self._mounted:
            if request.path.startswith(prefix + "/"):
                return mounted, request._replace(path=request.path[len(prefix) :])
        return self._dispatchers[""], request

    async def respond_by(self, dispatcher: Dispatcher, request: Request) -> Answer:
        """The answer of one of the dispatchers."""
        if request.path == WELL_KNOWN and not dispatcher.is_blocked(request.lfdi) and request.lfdi:
            return version_discovery(self._environment.settings, request.method)
        try:
            return await self._found(dispatcher, request)
        except (RemoteError, StoreError) as flaw:
            return self._refusal(dispatcher, flaw, request.accept)

    async def _found(self, dispatcher: Dispatcher, request: Request) -> Answer:
        while True:
            self._be_current()
            try:
                answer = dispatcher.answer_at_once(request)
                if answer is None:
                    answer = await self._store.ask(partial(dispatcher.answer, request=request))
            except RepairDue as due:
                job = partial(
                    repair_list, environment=self._environment, list_id=due.list_id, now=request.now
                )
                await self._in_time(self._store.do(job))
                continue
            if not isinstance(answer, Work):
                return answer
            if answer.is_short:
                return await self._store.do_short(answer)
            return await self._in_time(self._store.do(answer))

    async def _in_time(self, doing: Awaitable[T]) -> T:
        """What a job in the writer's thread gives; one that has not begun in time never will. StoreError."""
        patience_s = self._environment.settings.answer_s
        try:
            async with asyncio.timeout(patience_s):
                return await doing
        except TimeoutError as flaw:
            raise StoreError(f"the store gave no answer within {patience_s} s") from flaw

    def refused(self, flaw: RemoteError) -> Answer:
        """The answer to what is no request."""
        return self._environment.refusal(flaw)

    def reply(self, known: Known, lfdi: str, body: bytes) -> Reply | None:
        """The answer to a request whose head is known, or its promise; None for the long way."""
        try:
            self._be_current()
        except StoreError:
            return None
        request = known.asked(lfdi, body, self._clock.now())
        answer = known.dispatcher.answer_at_once(request)
        if isinstance(answer, Work):
            return self._store.begin_short(answer) if answer.is_short else None
        if answer is None and request.method in READS:
            return self._read(known.dispatcher, request)
        return answer

    def _read(self, dispatcher: Dispatcher, request: Request) -> Reply:
        """The answer to a GET that is not kept, or its promise where the store takes its time."""
        if self._store.is_inline and request.path != WELL_KNOWN:
            with contextlib.suppress(RepairDue, StoreError):  # both are for the other way
                answer = self._store.look(partial(dispatcher.answer, request=request))
                if isinstance(answer, Answer):
                    return answer
        return asyncio.ensure_future(self.respond_by(dispatcher, request))

    def kept(self, known: Known, promise: asyncio.Future[Answer]) -> Answer:
        """The answer that a promise has come to; a failure where the end of the process has cancelled it."""
        if promise.cancelled():
            return self._environment.failure
        flaw = promise.exception()
        if flaw is None:
            return promise.result()
        if not isinstance(flaw, RemoteError | StoreError):
            log.error("A request failed", exc_info=flaw)
            return self._environment.failure
        return self._refusal(known.dispatcher, flaw, known.request.accept)

    def _refusal(self, dispatcher: Dispatcher, flaw: RemoteError | StoreError, accept: str | None) -> Answer:
        if isinstance(flaw, RemoteError):
            return dispatcher.refusal(flaw, accept)
        log.warning("The store failed: %s", flaw)
        return dispatcher.refusal(Busy("the store failed"), accept)
