"""The listener of the runner: HTTPS with the certificate of a client, where a server sends notifications."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from certs import TlsError, TlsSession, server_context
from certs.ending import cut
from conformance_tests.case import Level
from conformance_tests.client.http import Answer, BadRequestError, Request, read_request, written
from conformance_tests.errors import TargetError, UsageError
from conformance_tests.evidence import Exchange, kept
from conformance_tests.server.judged import check_valid
from conformance_tests.server.notice_laws import flaws_of
from conformance_tests.server.wire import tls_facts
from schemas import MEDIA_TYPE, Malformed, Notification

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from certs import Credentials
    from conformance_tests.judge import Judge
    from conformance_tests.trial import Trial
    from schemas import Codec

BOUND_S: Final = 120.0
IDLE_S: Final = 600.0
_MOST_HELD: Final = 10_000


@dataclass(slots=True, kw_only=True)
class Listener:
    """What the server sent to `uri`, or to another path below `origin`.

    `status` is what is answered from now on, but for paths of `statuses`. `taken` are requests that were
    answered with 2xx, by their paths.
    """

    origin: str = ""
    status: int = 201
    statuses: dict[str, int] = field(default_factory=dict)
    taken: dict[str, list[Request]] = field(default_factory=dict)
    trial: Trial
    codec: Codec
    judge: Judge
    _held: asyncio.Queue[Request] = field(default_factory=lambda: asyncio.Queue(_MOST_HELD))

    @property
    def uri(self) -> str:
        """Where notifications go, unless a subscription has a path of its own."""
        return f"{self.origin}/notifications"

    async def next(self, bound_s: float = BOUND_S) -> Notification:
        """The next notification; TargetError where none comes, or what comes is none."""
        try:
            async with asyncio.timeout(bound_s):
                request = await self._held.get()
        except TimeoutError:
            raise TargetError(f"no notification within {bound_s:g} s") from None
        return self._read(request)

    def _read(self, request: Request) -> Notification:
        """The Notification in a request, held against what must be so of any."""
        check_valid(self.trial, self.judge.judge(request.body), "a Notification", only_flaws=True)
        try:
            told = self.codec.decode(request.body, Notification)
        except Malformed as flaw:
            raise TargetError(f"what was sent to the listener is no Notification: {flaw}") from None
        found = "; ".join(flaws_of(told))
        self.trial.check(not found, "status, counts and URIs of a Notification are right", seen=found)
        media = request.header("content-type").partition(";")[0].strip()
        if media != MEDIA_TYPE:
            what = f"a Notification is {MEDIA_TYPE}"
            self.trial.check(held=False, what=what, seen=media or "no Content-Type", level=Level.SHOULD)
        return told

    async def about(self, subscribed: str, bound_s: float = BOUND_S) -> Notification:
        """The next notification of a resource; those of others that come before it are passed over."""
        path = urlsplit(subscribed).path
        while True:
            found = await self.next(bound_s)
            if urlsplit(found.subscribedResource).path.endswith(path):
                return found

    async def everything(self) -> list[Notification]:
        """All notifications that came until now and were not asked for."""
        return [await self.next() for _ in range(self._held.qsize())]

    async def silent(self, seconds: float) -> bool:
        """Whether nothing comes within a time, s."""
        try:
            async with asyncio.timeout(seconds):
                await self._held.get()
        except TimeoutError:
            return True
        return False

    def forget(self) -> None:
        """Pass over what came so far."""
        while not self._held.empty():
            self._held.get_nowait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it ends or stays idle."""
        session = cast("TlsSession | None", writer.get_extra_info("ssl_object"))
        with contextlib.suppress(BadRequestError, OSError, EOFError, TimeoutError, TlsError):
            while True:
                async with asyncio.timeout(IDLE_S):
                    request = await read_request(reader, writer)
                if request is None:
                    break
                status = self.statuses.get(request.path, self.status)
                self._keep(request, status, session)
                writer.write(written(Answer(status=status), formatdate(usegmt=True)))
                await writer.drain()
        writer.close()

    def _keep(self, request: Request, status: int, session: TlsSession | None) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._held.put_nowait(request)
        if 200 <= status < 300:
            self.taken.setdefault(request.path, []).append(request)
        self.trial.exchange(
            Exchange(
                at_s=self.trial.now(),
                by="server under test",
                method=request.method,
                uri=f"{self.origin}{request.path}",
                request_headers=request.headers,
                request_body=kept(request.body),
                status=status,
                tls=tls_facts(session),
            )
        )


@asynccontextmanager
async def listening(
    place: tuple[str, int], credentials: Credentials, trial: Trial, codec: Codec, judge: Judge
) -> AsyncIterator[Listener]:
    """A listener at a host and port (0: the system chooses) that presents these credentials.

    UsageError where the address cannot be listened at.
    """
    held = Listener(trial=trial, codec=codec, judge=judge)
    context = server_context(credentials.certificate_path, credentials.key_path, credentials.root_path)
    host, port = place
    open_: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_.add(writer)
        try:
            await held.serve(reader, writer)
        finally:
            open_.discard(writer)

    try:
        server = await asyncio.start_server(serve, host, port, ssl=context)
    except OSError as flaw:
        raise UsageError(f"--listen {host}:{port}: {flaw}; give a free port of this machine") from None
    actual: int = server.sockets[0].getsockname()[1]
    held.origin = f"https://{f'[{host}]' if ':' in host else host}:{actual}"
    try:
        yield held
    finally:
        server.close()
        for writer in list(open_):
            cut(writer.transport)
