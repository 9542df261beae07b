"""A real server over mutual TLS on loopback, and clients with real certificates."""

import io
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from aiohttp import ClientSession, TCPConnector

from certs import Credentials, Pki, client_context
from schemas import (
    BASE,
    Codec,
    DateTimeInterval,
    DERControl,
    DERControlBase,
    EventStatus,
    Profile,
)
from sep2_server import BodyCodecs, ManualClock, Sep2Server, Settings, Store, settings_of
from sep2_server.body_codecs import XML_ALONE
from sep2_server.end_devices import Enrolment, add_end_device
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk
from sep2_server.operator.tree import insert_in
from sep2_server.rows import Group, Role, Row
from sep2_server.transaction import Transaction

START = 1_700_000_000
"""Server time at which the tests begin, s since 1970 UTC."""
SEP_XML = "application/sep+xml"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def location(self) -> str:
        """Location header."""
        return self.headers["Location"]

    def decoded(self, cls: type[T], profile: Profile = BASE) -> T:
        """The resource in the body."""
        return Codec(profile).decode(self.body, cls)


class Client:
    """A 2030.5 client with one certificate and kept connections."""

    def __init__(self, session: ClientSession, profile: Profile) -> None:
        self._session = session
        self._profile = profile

    async def send(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """Send a request."""
        sent = {"Content-Type": SEP_XML} if body is not None else {}
        async with self._session.request(
            method,
            path,
            data=None if body is None else io.BytesIO(body),
            headers={**sent, **(headers or {})},
            allow_redirects=False,
        ) as response:
            return Reply(response.status, dict(response.headers), await response.read())

    async def get(self, path: str, **headers: str) -> Reply:
        """Send a GET."""
        return await self.send("GET", path, headers=headers)

    async def read(self, path: str, cls: type[T]) -> T:
        """The resource at a path, which must be there."""
        reply = await self.get(path)
        if reply.status != 200:
            raise AssertionError(f"GET {path}: {reply.status}")
        return reply.decoded(cls, self._profile)

    async def post(self, path: str, value: object) -> Reply:
        """POST a resource."""
        return await self.send("POST", path, Codec(self._profile).encode(value))

    async def put(self, path: str, value: object) -> Reply:
        """PUT a resource."""
        return await self.send("PUT", path, Codec(self._profile).encode(value))


@dataclass
class Bench:
    """A running server, its clock and store, and a PKI whose root it trusts."""

    server: Sep2Server
    store: Store
    clock: ManualClock
    pki: Pki
    stack: AsyncExitStack
    clients: dict[str, Client] = field(default_factory=dict)

    def desk(self, tx: Transaction) -> Desk:
        """What the operator's functions work with."""
        return Desk(tx, self.server.environment, self.clock.now(), secrets.randbelow)

    async def do(self, job: Callable[[Desk], T]) -> T:
        """Do something as the operator does it."""
        return await self.store.do(lambda tx: job(self.desk(tx)))

    async def enrol(
        self, name: str, *, role: Role = Role.DEVICE, aggregator: Row | None = None, pin: int | None = 111115
    ) -> Row:
        """Enrol the device whose certificate has this name; its EndDevice."""
        credentials = self.credentials(name)
        enrolment = Enrolment(
            lfdi=credentials.lfdi,
            name=name,
            role=role,
            pin=pin,
            aggregator_id=aggregator.id if aggregator else None,
        )
        return await self.do(
            lambda desk: add_end_device(desk.transaction, desk.environment, enrolment, desk.now)
        )

    def credentials(self, name: str) -> Credentials:
        """The certificate with this name, made where there is none."""
        if (self.pki.folder / name).is_dir():
            return self.pki.credentials(name)
        return self.pki.issue_device(name)

    async def client(self, name: str) -> Client:
        """A client with the certificate of this name."""
        if name not in self.clients:
            self.clients[name] = await self.connect(self.credentials(name))
        return self.clients[name]

    async def connect(self, credentials: Credentials) -> Client:
        """A client with other credentials."""
        context = client_context(credentials.certificate_path, credentials.key_path, credentials.root_path)
        session = ClientSession(f"https://127.0.0.1:{self.server.port}", connector=TCPConnector(ssl=context))
        await self.stack.enter_async_context(session)
        return Client(session, self.server.settings.xml_profile)

    async def device(self, name: str) -> tuple[Row, Client]:
        """An enrolled device and its client."""
        return await self.enrol(name), await self.client(name)

    async def group(self, name: str, *members: str, primacy: int = 5) -> tuple[Group, Row]:
        """A group with one program and these members; the group and the program."""

        def job(desk: Desk) -> tuple[Group, Row]:
            group = programs.add_group(desk, name)
            program = programs.add_program(desk, group, primacy=primacy, description=name)
            for member in members:
                programs.assign(desk, group, desk.client(member))
            return group, program

        return await self.do(job)

    async def control(self, program: Row, control: DERControl) -> Row:
        """Publish a control."""
        return await self.do(lambda desk: insert_in(desk, program, "DERControlList", control))


def make_control(
    mrid: str,
    start: int,
    duration: int,
    *,
    created: int = START,
    base: DERControlBase | None = None,
    randomize_start: int | None = None,
) -> DERControl:
    """A control that asks for Responses of bits 0 and 1."""
    return DERControl(
        mRID=mrid,
        responseRequired="03",
        creationTime=created,
        EventStatus_=EventStatus(currentStatus=0, dateTime=created, potentiallySuperseded=False),
        interval=DateTimeInterval(start=start, duration=duration),
        randomizeStart=randomize_start,
        DERControlBase_=base or DERControlBase(opModMaxLimW=5000),
    )


def sqlite_in(folder: Path) -> str:
    """The database of a test server in a folder, where nothing else is said."""
    return str(folder / "server.db")


@dataclass
class Databases:
    """Where the databases of test servers are, by the folder of the server."""

    of: Callable[[Path], str] = sqlite_in


DATABASES = Databases()


def server_settings(folder: Path, pki: Pki, **changes: object) -> Settings:
    """Settings of a test server in a folder."""
    if not (pki.folder / "server").is_dir():
        pki.issue_server("server", hosts=["127.0.0.1", "localhost"])
    server = pki.credentials("server")
    return settings_of(
        {
            "port": 0,
            "database": DATABASES.of(folder),
            "files_folder": str(folder / "files"),
            "certificate": str(server.certificate_path),
            "key": str(server.key_path),
            "roots": str(server.root_path),
            **changes,
        }
    )


@asynccontextmanager
async def running(folder: Path, pki: Pki, *, now: int = START, **changes: object) -> AsyncIterator[Bench]:
    """A server that runs inside from `now` on; `changes` are settings, `codecs` its BodyCodecs apart."""
    codecs = changes.pop("codecs", XML_ALONE)
    assert isinstance(codecs, BodyCodecs)
    settings = server_settings(folder, pki, **changes)
    store = Store.of(settings)
    clock = ManualClock(now)
    try:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(Sep2Server(settings, store, clock, codecs=codecs))
            async with AsyncExitStack() as clients:
                yield Bench(server, store, clock, pki, clients)
    finally:
        store.close()
