"""A connection that answers requests whose heads are known; the HTTP library answers all others."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final, cast

from aiohttp import StreamReader, web

from sep2_server.answering import Answering
from sep2_server.errors import LimitReached
from sep2_server.messages import Answer
from sep2_server.process.ending import EndingConnection, EndingServer
from sep2_server.process.meter import Meter
from sep2_server.shortcut import (
    END,
    LONG,
    MOST_OCTETS,
    Asked,
    Known,
    head_of,
    is_plain,
    octets_behind,
    octets_of,
)

MOST_HELD: Final = 65_536
"""Octets of later requests that are held while one is carried out; more are not read meanwhile."""
MOST_HEAD: Final = 16_384
"""Octets of a head: twice what the library allows a line. The heads of devices have a tenth of that."""
REST_S: Final = 0.5
"""How long the rest of a body is waited for before the parser, with its own patience, sees what has come."""
PROMISED_S: Final = 3600.0
"""How long a connection is not idle while its request is carried out, which never takes so long."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Who answers requests and counts; `note` is told octets of an answer, its s, octets received."""

    answering: Answering
    meter: Meter
    note: Callable[[Asked, Answer, int, float, int], None]


class QuickHandler(EndingConnection):
    """Requests whose heads are known go past the parser, as long as that has been given whole ones alone."""

    def __init__(self, server: web.Server, desk: Desk, **settings: Any) -> None:  # noqa: ANN401
        super().__init__(server, **settings)
        self.lfdi: str | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._desk = desk
        self._is_whole = True
        """Whether the parser has been given whole requests alone, all of them answered or on their way."""
        self._is_fed = False
        """Whether the parser has been given anything; if not, there is no task of the library."""
        self._last: tuple[bytes, int] | None = None
        """The head that the parser was given last, alone, and the number of octets behind it."""
        self._broken: StreamReader | None = None
        """The body that turned out to be no HTTP."""
        self._promise: asyncio.Future[Answer] | None = None
        self._held = b""
        self._head = b""
        """What has come of a head that has not ended."""
        self._part = b""
        """A head and what has come of its body."""
        self._rest: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin as the library does, but for its task: only what is given to the parser needs that.

        The options of TCP that the library sets here are those of the listening socket.
        """
        self.transport = cast("asyncio.Transport", transport)
        if self._manager is not None:
            self._manager.connection_made(self, self.transport)
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        self._keepalive_handle = self._loop.call_at(self._next_keepalive_close_time, self._process_keepalive)

    def _process_keepalive(self) -> None:
        """Close where nothing has come for too long; the library does so once its task runs."""
        close_at = self._next_keepalive_close_time
        if self._task_handler is not None:
            super()._process_keepalive()
        elif self._loop.time() < close_at:
            self._keepalive_handle = self._loop.call_at(close_at, self._process_keepalive)
        else:
            self.force_close()

    @property
    def is_busy(self) -> bool:
        """Whether the head of a request has come, and its answer has not been sent."""
        return self._promise is not None or bool(self._part) or super().is_busy

    @property
    def serving(self) -> asyncio.Future[Any] | None:
        """What ends after the last answer, None where that has been."""
        return super().serving if self._promise is None else self._promise

    def data_received(self, data: bytes) -> None:
        """Answer a request whose head is known; the parser sees all others."""
        if not data:  # the library's own way to go on
            self._parse(data)
            return
        if self._promise is not None:
            self._hold(data)
            return
        due_s = None if self._rest is None else self._rest.when()
        if self._part:
            data = self._taken() + data
        self._last = None
        if self._is_whole and not self._messages and self._current_request is None:
            end = data.find(END) + len(END)
            if end >= len(END):
                head, octets = data[:end], len(data) - end
                known = self._desk.answering.heads.get(head)
                if known is not None and known.octets == octets and self._answered(known, data[end:]):
                    return
                if octets < (octets_behind(head) if known is None else known.octets) <= MOST_OCTETS:
                    self._wait_for_rest(data, due_s)
                    return
                self._last = head, octets
        self._feed(data)

    def _feed(self, data: bytes) -> None:
        """Give something to the parser."""
        self._is_whole, self._is_fed = False, True
        is_in_head = self._task_handler is None or (self._waiter is not None and not self._waiter.done())
        if is_in_head and self._is_too_long(data):
            return
        if self._task_handler is None and self._manager is not None:
            self._task_handler = self._loop.create_task(self.start())
        self._parse(data)

    def _parse(self, data: bytes) -> None:
        """Have the library take something; what comes behind a broken body is no request."""
        if self._broken is None:
            super().data_received(data)
            self._end_broken_body()

    def _end_broken_body(self) -> None:
        """Where a body turned out to be no HTTP, end it: the library would wait for the rest of it.

        Its request is the last that is answered.
        """
        flaw = getattr(self._messages[-1][0], "exc", None) if self._messages else None
        if flaw is None:
            return
        request = self._current_request
        bodies = ([] if request is None else [request.content]) + [body for _, body in self._messages]
        broken = next((body for body in bodies if not body.is_eof()), None)
        if broken is None:
            return
        self._messages.pop()
        self._broken = broken
        broken.set_exception(flaw)
        broken.feed_eof()
        if request is not None and request.content is broken:
            self.close()

    async def _handle_request(
        self,
        request: web.BaseRequest,
        start_time: float | None,
        request_handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    ) -> tuple[web.StreamResponse, bool]:
        """Answer a request; behind one whose body was no HTTP the connection is closed."""
        if request.content is self._broken:
            self.close()
        return await super()._handle_request(request, start_time, request_handler)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget what was held."""
        self._taken()
        super().connection_lost(exc)

    def let_in(self) -> None:
        """Give a part of a request to the parser, without its rest."""
        part = self._taken()
        if part:
            self._feed(part)

    def _wait_for_rest(self, data: bytes, due_s: float | None) -> None:
        """Hold a head and a part of its body, until `due_s`: many clients send them one after the other."""
        self._part = data
        due_s = self._loop.time() + REST_S if due_s is None else due_s
        self._rest = self._loop.call_at(due_s, self.let_in)
        self._next_keepalive_close_time = max(self._next_keepalive_close_time, due_s + REST_S)

    def _taken(self) -> bytes:
        """What was held, which is held no longer."""
        part, self._part = self._part, b""
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        return part

    def _is_too_long(self, data: bytes) -> bool:
        """Whether a head is, or has not ended for as long: it is refused before it takes more memory."""
        begun = self._head
        end = (begun[-len(END) :] + data).find(END)
        octets = len(begun) + (len(data) if end < 0 else end)
        if octets <= MOST_HEAD:
            self._head = b"" if end >= 0 else begun + data
            return False
        self._head = b""
        answer = self._desk.answering.refused(LimitReached(f"a head of more than {MOST_HEAD} octets"))
        if self.transport is not None:
            self.transport.write(octets_of(answer))
        self._desk.note(Asked("UNKNOWN", "/", self.lfdi or "", ""), answer, len(answer.body), 0.0, 0)
        self.force_close()
        return True

    def learn(self, request: web.BaseRequest, known: Known | None) -> None:
        """Hear what the parser has made of the last head; where that was granted, `known` is kept.

        It is not where the body was not received: that of a GET is not, and is still to be waited for.
        """
        last, self._last = self._last, None
        if last is None or not is_plain(request, *last):
            return
        self._is_whole = True
        if known is not None and known.octets == last[1]:
            self._desk.answering.heads.add(last[0], known)

    def _answered(self, known: Known, body: bytes) -> bool:
        """Answer a request, now or later; False where that cannot be here."""
        is_waiting = not self._is_fed or (self._waiter is not None and not self._waiter.done())
        if not is_waiting or self._close or self._force_close or self._stalled or self.lfdi is None:
            return False
        if isinstance(self._manager, EndingServer) and self._manager.is_ending:
            return False
        began = perf_counter()
        reply = self._desk.answering.reply(known, self.lfdi, body)
        if reply is None:
            return False
        if isinstance(reply, Answer):
            self._tell(known, reply, began, len(body))
        else:
            self._promise = reply
            self._next_keepalive_close_time = self._loop.time() + PROMISED_S
            reply.add_done_callback(lambda promise: self._keep(known, promise, began, len(body)))
        return True

    def _keep(self, known: Known, promise: asyncio.Future[Answer], began: float, received: int) -> None:
        """Tell what a promise has come to, and go on with what has come meanwhile."""
        self._promise = None
        self._tell(known, self._desk.answering.kept(known, promise), began, received)
        held, self._held = self._held, b""
        if len(held) >= MOST_HELD and self.transport is not None:
            self.transport.resume_reading()
        if held and self.transport is not None:
            self.data_received(held)

    def _tell(self, known: Known, answer: Answer, began: float, received: int) -> None:
        if self.transport is not None:
            if len(answer.body) > LONG:
                self.transport.writelines((head_of(answer), answer.body))
            else:
                self.transport.write(octets_of(answer))
            self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        peer = self.peername
        remote = peer[0] if isinstance(peer, tuple) else ""
        asked = Asked(known.request.method, known.target, self.lfdi or "", remote)
        self._desk.note(asked, answer, len(answer.body), perf_counter() - began, received)

    def _hold(self, data: bytes) -> None:
        """Keep what comes while a request is carried out."""
        before = len(self._held)
        self._held += data
        if before < MOST_HELD <= len(self._held) and self.transport is not None:
            self.transport.pause_reading()
