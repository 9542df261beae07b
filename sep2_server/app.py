"""The server as part of a process: TLS, HTTP and the clock around the dispatcher. No domain rule is here."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from http import HTTPStatus
from time import perf_counter, time
from typing import TYPE_CHECKING, Final, Self

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from certs import listen
from function_sets import Clock
from schemas.codes import ErrorReason
from sep2_server.answering import Answering
from sep2_server.body_codecs import XML_ALONE, BodyCodecs
from sep2_server.bootstrap import prepare
from sep2_server.clock import ShiftedClock, SystemClock
from sep2_server.discovery.announcer import Announcer
from sep2_server.dispatch import READS, Dispatcher
from sep2_server.environment import Environment
from sep2_server.errors import BadRequest, Forbidden, LimitReached, RemoteError, StoreError
from sep2_server.feed import EVERYTHING
from sep2_server.files.downloads import Downloads
from sep2_server.files.stored import sweep_contents
from sep2_server.keeper import Keeper
from sep2_server.messages import Answer, Download, Request
from sep2_server.negotiation import require_plain_coding
from sep2_server.notifications.service import Notifications
from sep2_server.process.gauges import watch
from sep2_server.process.listener import Bounds, Listener
from sep2_server.process.log_lines import Access
from sep2_server.process.place import Place, alone
from sep2_server.process.pulse import Pulse
from sep2_server.process.sockets import places
from sep2_server.protocol import Connection, Connections, accept_of, body_of, identity_of, response_of
from sep2_server.quick_handler import Desk
from sep2_server.redirection import Redirection
from sep2_server.rows import Change
from sep2_server.settings import Settings, needing_restart, reloaded
from sep2_server.shortcut import Asked, Known
from sep2_server.store import Store
from sep2_server.uris import normal, target_of

if TYPE_CHECKING:
    from sep2_server.process.log_writer import AccessLog

WITH_BODY: Final = frozenset({"PUT", "POST"})

log = logging.getLogger(__name__)


class Sep2Server:
    """An IEEE 2030.5 server: `async with` it, or `start` and `stop`."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock | None = None,
        *,
        place: Place | None = None,
        codecs: BodyCodecs = XML_ALONE,
    ) -> None:
        """Get ready to serve a store, which stays the caller's to close, alone or at a place of many."""
        self.store = store
        self.place = place or alone(settings)
        self.settings = settings = self.place.in_force(settings)
        self.meter = self.place.meter
        self.clock = ShiftedClock(clock or SystemClock())
        self.environment = Environment.of(settings, self.place.tls, self.clock.now(), codecs)
        self._dispatcher = Dispatcher(self.environment)
        self.downloads = Downloads(
            settings.downloads_at_once,
            settings.download_retry_s,
            settings.download_stall_s,
            settings.download_turn_s,
        )
        mounted = {path: Dispatcher(one) for path, one in self.environment.mounted().items()}
        all_of_them = {"": self._dispatcher, **mounted}
        self.dispatchers: tuple[Dispatcher, ...] = (self._dispatcher, *mounted.values())
        """One for each profile that is served."""
        self.answering = Answering(self.environment, store, self.clock, all_of_them, self._be_current)
        self.keeper = Keeper(self.environment, store, self.clock)
        self.notifications = Notifications(self.environment, store, self.clock, all_of_them)
        self._connections: Connections | None = None
        self._listener: Listener | None = None
        self.redirection: Redirection | None = None
        self._announcer: Announcer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.pulse = Pulse(self._beat)
        self.is_stopping, self._thread = False, 0
        self.access: AccessLog | None = None
        self._heard: deque[Sequence[Change]] = deque()
        self._shares_file = store.is_shared and store.is_inline

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._listener is None:
            raise StoreError("the server has not been started")
        return self._listener.port

    @property
    def is_listening(self) -> bool:
        """Whether devices can connect."""
        return self._listener is not None and self._listener.is_open

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return 0 if self._listener is None else self._listener.connections

    async def __aenter__(self) -> Self:
        """Start; what was started is stopped again where the rest fails."""
        async with AsyncExitStack() as started:
            started.push_async_callback(self.stop)
            await self.start()
            started.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Prepare the store, bring its events up to date and listen."""
        settings = self.settings
        self.is_stopping = False
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        await self.store.do(partial(prepare, environment=self.environment))
        await sweep_contents(self.store, self.environment, time())
        self.store.listen(self._hear)
        for dispatcher in self.dispatchers:
            dispatcher.load(self.store.reader, self.store.feed.rights)
        self.clock.offset_s = self._dispatcher.run_time.time_offset_s
        await self.keeper.start()
        await self.notifications.start()
        self._connections = Connections(
            self._handle,
            environment=self.environment,
            issuers=self.place.tls.issuers,
            desk=Desk(self.answering, self.meter, self.note),
            keep_alive_s=settings.keep_alive_s,
        )
        self._listener = Listener(
            self.place.sockets or listen(settings.host, settings.port),
            self._connections.receive,
            self.place.tls,
            bounds=_bounds(settings, self.place.of),
            watcher=self.meter,
        )
        await self._redirect()
        await self._announce()
        watch(self)
        self.pulse.start()
        self._beat()
        log.info("IEEE 2030.5 on %s port %s", settings.host, self.port)

    async def stop(self) -> None:
        """Stop listening, let requests end, write what is due."""
        if self.is_stopping:
            return
        self.is_stopping = True
        self.pulse.stop()
        if self._listener is not None:
            await self._listener.close()
        async with asyncio.TaskGroup() as ending:
            ending.create_task(self.notifications.stop())
            if self._connections is not None:
                ending.create_task(self._connections.end(self.settings.shutdown_s))
        if self._announcer is not None:
            await self._announcer.stop()
        if self.redirection is not None:
            await self.redirection.stop()
        await self.keeper.stop()
        self.store.unlisten(self._hear)
        await self.store.let_loop_go()
        log.info("IEEE 2030.5 stopped")

    def unfinished(self) -> str:
        """What is left of a server that is about to end, in words, for any thread."""
        jobs = self.store.unfinished_jobs
        return f"{jobs} jobs of the database, {self.connections} connections"

    def renew(self, settings: Settings) -> None:
        """Use certificate, key and roots as their files now are, and of the settings what `RELOADABLE` names.

        CertsError or SettingsError: they are no good, and the old stay in force.
        """
        fresh = self.place.renewed(reloaded(self.settings, settings))
        self.settings = fresh
        self.answering.heads.clear()
        for dispatcher in self.dispatchers:
            dispatcher.changed([EVERYTHING])
        self.notifications.renew(fresh)
        if self.access is not None:
            self.access.is_on = fresh.access_log
        if self._listener is not None and self._connections is not None:
            self._listener.bounds = _bounds(fresh, self.place.of)
            self._connections.bound(fresh)
        for name in needing_restart(fresh, settings):
            log.warning("%s was changed: it counts from the next start on", name)

    async def _announce(self) -> None:
        """Tell the network of the server, where the settings say so: the first of many processes does."""
        if self.settings.discovery and self.place.is_first:
            plain = 0 if self.redirection is None else self.redirection.port
            self._announcer = Announcer(self.environment, self.store, self.port, plain)
            await self._announcer.start()

    async def _redirect(self) -> None:
        """Listen for plain HTTP too, where the settings say so."""
        settings = self.settings
        if settings.redirect_port >= 0 and self.place.is_first:
            status = settings.profile.redirect_status
            self.redirection = Redirection(settings.host, settings.redirect_port, self.port, status=status)
            await self.redirection.start()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        began = perf_counter()
        received, known = 0, None
        response: web.StreamResponse
        try:
            asked = await self._request_of(request)
            received = len(asked.body)
            dispatcher, asked = self.answering.dispatcher_of(asked)
            answer = await self.answering.respond_by(dispatcher, asked)
            if answer.status < HTTPStatus.MULTIPLE_CHOICES:
                known = Known(asked._replace(body=b""), request.raw_path, received, dispatcher)
        except RemoteError as flaw:
            answer = self._dispatcher.refusal(flaw, accept_of(request))
        if isinstance(answer, Download):
            response, known = await self._send(request, answer), None
        else:
            response = response_of(answer)
        if identity_of(request) is None or "Upgrade" in request.headers or self.is_stopping:
            response.force_close()
        elif isinstance(request.protocol, Connection):
            request.protocol.learn(request, known)
        who = Asked(request.method, request.raw_path, identity_of(request) or "", request.remote or "")
        if response.status != answer.status:
            answer = Answer(response.status, route=answer.route)
        self.note(who, answer, response.content_length or 0, perf_counter() - began, received)
        return response

    def note(self, asked: Asked, answer: Answer, sent: int, seconds: float, received: int) -> None:
        """Count a request, and write a line about it where that is wanted."""
        status, route = answer.status, answer.route
        self.meter.request(asked.method, route, status, seconds=seconds, received=received, sent=sent)
        if self.access is not None and self.access.is_on:
            self.access.put(
                Access(
                    at=time(),
                    number=self.access.number(),
                    lfdi=asked.lfdi,
                    remote=asked.remote,
                    method=asked.method,
                    target=asked.target,
                    route=route,
                    status=status,
                    seconds=seconds,
                    received=received,
                    sent=sent,
                )
            )

    async def _send(self, request: web.BaseRequest, answer: Download) -> web.StreamResponse:
        try:
            return await self.downloads.send(request, answer)
        except RemoteError as flaw:
            return response_of(self._dispatcher.refusal(flaw, accept_of(request)))

    async def _request_of(self, request: web.BaseRequest) -> Request:
        """The request without HTTP. RemoteError: no Host, no certificate, too large."""
        lfdi = identity_of(request)
        if lfdi is None and not self._is_open(request.method):
            raise Forbidden("no certificate, or one that is refused")
        if lfdi is not None and self._dispatcher.is_blocked(lfdi):
            raise Forbidden(f"{lfdi} is blocked")
        headers = request.headers
        if "Host" not in headers:
            raise BadRequest("no Host header", ErrorReason.INVALID_FORMAT)
        path, _, query = target_of(request.raw_path).partition("?")
        return Request(
            method=request.method,
            path=normal(path),
            query=query,
            lfdi=lfdi or "",
            body=await self._body_of(request) if request.method in WITH_BODY else b"",
            content_type=headers.get("Content-Type"),
            accept=accept_of(request),
            now=self.clock.now(),
            authority=headers["Host"],
        )

    def _is_open(self, method: str) -> bool:
        """Whether something is shown without a certificate; the dispatcher says what."""
        return method in READS and any(p.open_capability for p in self.settings.all_profiles.values())

    async def _body_of(self, request: web.BaseRequest) -> bytes:
        """The body. RemoteError for one that is too large, compressed, or not whole in time."""
        require_plain_coding(",".join(request.headers.getall("Content-Encoding", ())))
        most = self.settings.most_octets
        if (request.content_length or 0) > most:
            raise LimitReached(f"{request.content_length} octets, at most {most} are read")
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            async with asyncio.timeout(self.settings.body_s):
                return await body_of(request, most)
        except TimeoutError as flaw:
            raise BadRequest(f"no whole body within {self.settings.body_s} s") from flaw
        except HttpProcessingError as flaw:
            raise BadRequest("a body that is no HTTP", ErrorReason.INVALID_FORMAT) from flaw

    def _beat(self) -> None:
        """Let the other workers know how this one is."""
        if self.place.boards is not None:
            self.place.boards.live(self.place.number)
            self.place.boards.write(self.place.number, self.meter.own_samples())

    def _hear(self, changes: Sequence[Change]) -> None:
        """Hear of a commit in whatever thread learns of it; the loop forgets what it has made wrong."""
        self._heard.append(changes)
        if self._loop is None:
            return
        if threading.get_ident() == self._thread:  # nobody has to be woken
            self._loop.call_soon(self._take_in)
        else:
            self._loop.call_soon_threadsafe(self._take_in)

    def _take_in(self) -> None:
        """Forget what the commits have made wrong that were heard of and not yet taken in."""
        while self._heard:
            changes = self._heard.popleft()
            for dispatcher in self.dispatchers:
                dispatcher.changed(changes)
            self._load()
            self.keeper.hear(changes)
            self.notifications.hear(changes)
            if self._announcer is not None:
                self._announcer.hear(changes)

    def _load(self) -> None:
        """Read again what was set at run time, where that has changed; the next request tries what failed."""
        try:
            for dispatcher in self.dispatchers:
                if dispatcher.is_load_due:
                    dispatcher.load(self.store.reader)
        except StoreError as flaw:
            log.warning("What was set at run time cannot be read: %s", flaw)
        self.clock.offset_s = self._dispatcher.run_time.time_offset_s

    def _be_current(self) -> None:
        """Know of every commit that was acknowledged before now, also by another process to one file."""
        if self._shares_file:
            self.store.refresh()
        if self._heard:
            self._take_in()


def _bounds(settings: Settings, workers: int) -> Bounds:
    """The share that one of the workers has of the connections of all."""
    return Bounds(
        connections=places(-(-settings.connections // workers)),
        per_address=settings.connections_per_address,
        handshake_s=settings.handshake_s,
    )
