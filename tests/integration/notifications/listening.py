"""A client's listener: a real HTTPS server with a device's certificate that keeps what it is sent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from certs import Credentials, Door, server_context
from schemas import Codec, Notification, Profile, Subscription
from sep2_server.rows import Row
from tests.integration.sep2_harness import Bench, Client, Reply
from tests.schema_judge import SchemaJudge

WAIT_S = 15


@dataclass
class Posted:
    """One request that the listener got; `certificate` is the DER of who posted it, by which `suite`."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    certificate: bytes = b""
    suite: str = ""

    def decoded(self, profile: Profile | None = None) -> Notification:
        """The Notification in it."""
        codec = Codec(profile) if profile else Codec()
        return codec.decode(self.body, Notification)


@dataclass
class Listener:
    """What was posted, and what is answered: a status, or a function of the number of the request."""

    port: int = 0
    answer: int | Callable[[int], int] = 201
    headers: dict[str, str] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)
    queue: "asyncio.Queue[Posted]" = field(default_factory=asyncio.Queue)
    judge: SchemaJudge = field(default_factory=SchemaJudge)
    hold: asyncio.Event | None = None
    connections: set[object] = field(default_factory=set)

    @property
    def uri(self) -> str:
        """A notificationURI of this listener."""
        return f"https://127.0.0.1:{self.port}/ntfy"

    async def next(self) -> Notification:
        """The next notification, waited for."""
        async with asyncio.timeout(WAIT_S):
            return (await self.queue.get()).decoded()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Keep a request and answer it."""
        session = request.get_extra_info("ssl_object")
        posted = Posted(
            request.method,
            request.path_qs,
            dict(request.headers),
            await request.read(),
            session.getpeercert(binary_form=True),
            session.cipher()[0],
        )
        self.connections.add(request.transport)
        self.posted.append(posted)
        self.queue.put_nowait(posted)
        if self.hold is not None:
            await self.hold.wait()
        status = self.answer if isinstance(self.answer, int) else self.answer(len(self.posted))
        return web.Response(status=status, headers=self.headers)


@asynccontextmanager
async def listening(
    credentials: Credentials, *, port: int = 0, host: str = "127.0.0.1"
) -> AsyncIterator[Listener]:
    """A listener with a certificate, on a port that the system chooses."""
    listener = Listener()
    server = web.Server(listener.handle, access_log=None)
    context = server_context(credentials.certificate_path, credentials.key_path, credentials.root_path)
    door = Door.at(host, port, server, context)
    try:
        listener.port = door.port
        yield listener
    finally:
        await door.close()
        server.pre_shutdown()
        await server.shutdown(0.1)


def wish(resource: str, uri: str, *, limit: int = 100, level: str = "+S1") -> Subscription:
    """A Subscription as CSIP clients post it."""
    return Subscription(
        subscribedResource=resource, encoding=0, level=level, limit=limit, notificationURI=uri
    )


async def subscribe(client: Client, owner: Row, resource: str, uri: str, *, limit: int = 100) -> Reply:
    """POST a Subscription to the list of an EndDevice; it must be created."""
    reply = await client.post(f"{owner.href}/sub", wish(resource, uri, limit=limit))
    assert reply.status == 201, reply
    return reply


async def settled(bench: Bench) -> None:
    """Wait until nothing is owed, or what is owed waits for a later attempt."""
    async with asyncio.timeout(WAIT_S):
        while True:
            reader = bench.store.reader
            last = reader.last_change()
            due = reader.ledger.all_owed(limit=1000)
            now = 1000 * bench.clock.now()
            if bench.server.notifications.scanned >= last and all(
                one.due > now and one.claim is None for one in due
            ):
                return
            bench.server.notifications.wake()
            await asyncio.sleep(0.01)
