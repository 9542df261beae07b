"""How a server reaches PostgreSQL: by verified TLS where that is wanted, one that writes, never for ever."""

import asyncio
import contextlib
import io
import os
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Self

import pytest

from certs import Pki, operator_context
from sep2_server import Store, postgres_session
from sep2_server.address import PostgresAddress
from sep2_server.errors import StoreError
from sep2_server.postgres import PostgresConnection
from sep2_server.postgres_session import SILENT_S
from tests.postgres import Postgres

SSL_REQUEST = bytes.fromhex("0000000804d2162f")


@pytest.fixture
def name(postgres: Postgres) -> Iterator[str]:
    """A database of its own."""
    name = postgres.make()
    yield name
    postgres.drop(name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two roots, `ca` and `other`, and certificates of the first for the address and for another host."""
    folder = tmp_path_factory.mktemp("roots")
    for root in ("ca", "other"):
        pki = Pki.create(folder / root)
        pki.issue_server("here", hosts=["127.0.0.1"])
        pki.issue_server("elsewhere", hosts=["db.example.org"])
    return folder


class Relay:
    """Stands before a PostgreSQL on a thread of its own, and passes on what is said; `port` is where."""

    def __init__(self, postgres: Postgres) -> None:
        self._behind = postgres.port
        self._loop = asyncio.new_event_loop()
        self._is_ready = threading.Event()
        self.port = 0
        self.asked = 0
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=[self._serve()], daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        self._is_ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        async with await self._listen():
            self._is_ready.set()
            await self._over.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0.05)

    async def _listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What is said before anything is passed on."""

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(contextlib.suppress(OSError, asyncio.IncompleteReadError))
            stack.callback(_abort, writer)
            await self._meet(reader, writer)
            self.asked += 1
            inner, outer = await asyncio.open_connection("127.0.0.1", self._behind)
            stack.callback(_abort, outer)
            both = [asyncio.ensure_future(one) for one in (_pass(reader, outer), _pass(inner, writer))]
            for one in both:
                stack.callback(one.cancel)
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)


class Front(Relay):
    """Speaks TLS before a PostgreSQL that does not, as its clients ask for it."""

    def __init__(self, postgres: Postgres, folder: Path, named: str) -> None:
        super().__init__(postgres)
        own = Pki.open(folder / "ca").credentials(named)
        self._context = operator_context(own.certificate_path, own.key_path)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(8) == SSL_REQUEST
        writer.write(b"S")
        await writer.start_tls(self._context)


class Door(Relay):
    """A socket in a folder, as a PostgreSQL of the same machine has one."""

    def __init__(self, postgres: Postgres, folder: Path) -> None:
        super().__init__(postgres)
        self.port = 1
        self._path = folder / ".s.PGSQL.1"

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_unix_server(self._relay, self._path)


def _abort(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while octets := await reader.read(65_536):
        writer.write(octets)


@contextlib.asynccontextmanager
async def stored(database: str) -> AsyncIterator[Store]:
    store = Store(database)
    try:
        yield store
    finally:
        await store.let_loop_go()
        store.close()


async def test_a_database_is_known_by_its_root_and_its_host(
    postgres: Postgres, name: str, folder: Path
) -> None:
    root = Pki.open(folder / "ca").credentials("here").root_path
    with Front(postgres, folder, "here") as front:
        url = f"postgresql://lineside@127.0.0.1:{front.port}/{name}?sslmode=verify-full&sslrootcert={root}"
        async with stored(url) as store:
            await store.do_short(lambda tx: tx.put_option("colour", "red"))
            await store.do(lambda tx: tx.put_option("shape", "round"))
            assert await store.ask(lambda reader: reader.option("colour")) == "red"
        assert front.asked > 2


@pytest.mark.parametrize(
    ("named", "root", "mode"),
    [
        ("here", "other", "verify-full"),
        ("here", "other", "verify-ca"),
        ("elsewhere", "ca", "verify-full"),
    ],
)
def test_another_root_or_host_is_told_nothing(
    postgres: Postgres, name: str, folder: Path, named: str, root: str, mode: str
) -> None:
    path = Pki.open(folder / root).credentials("here").root_path
    with Front(postgres, folder, named) as front:
        url = f"postgresql://lineside@127.0.0.1:{front.port}/{name}?sslmode={mode}&sslrootcert={path}"
        with pytest.raises(StoreError, match=r"cannot be opened: .*certificate"):
            Store(url)
        assert front.asked == 0


async def test_a_database_of_the_same_machine_is_reached_by_the_socket_in_its_folder(
    postgres: Postgres, name: str, tmp_path: Path
) -> None:
    with Door(postgres, tmp_path) as door:
        async with stored(f"postgresql://lineside@:1/{name}?host={tmp_path}") as store:
            await store.do_short(lambda tx: tx.put_option("colour", "red"))
            await store.do(lambda tx: tx.put_option("shape", "round"))
            assert await store.ask(lambda reader: reader.option("shape")) == "round"
        assert door.asked > 2


def test_a_database_without_tls_is_refused_where_tls_is_wanted(postgres: Postgres, name: str) -> None:
    with pytest.raises(StoreError, match="rejected SSL upgrade"):
        Store(f"{postgres.url(name)}?sslmode=require")


def test_what_only_reads_is_no_database_of_a_server(postgres: Postgres, name: str) -> None:
    """As a standby is, and what was the first of two until a moment ago."""
    postgres.admin(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(StoreError, match=r"cannot be opened: .*read-write"):
        Store(postgres.url(name))
    postgres.admin(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    Store(postgres.url(name)).close()


def test_a_session_in_which_nothing_can_be_written_any_more_is_replaced(
    postgres: Postgres, name: str
) -> None:
    db = PostgresConnection(PostgresAddress.of(postgres.url(name)))
    db.control("SET default_transaction_read_only = on")
    first = db._session
    with pytest.raises(StoreError, match="read-only"):
        db.control("CREATE TABLE a (b int)")
    db.control("CREATE TABLE a (b int)")
    assert db._session is not first
    db.close()


class Asker:
    """Listens as PostgreSQL, and asks whoever comes for a password, which is the wrong one; or says nothing.

    `told` is what was told: user, database, password and the like. `was_left` is whether who came went first.
    """

    def __init__(self, *, is_mute: bool = False) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._is_mute = is_mute
        self.was_left = False
        self.port = int(self._listener.getsockname()[1])
        self.told: dict[str, str] = {}
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "Asker":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(20)
        self._listener.close()

    def _serve(self) -> None:
        session, _ = self._listener.accept()
        session.settimeout(10)
        with session, session.makefile("rb") as spoken:
            if self._is_mute:
                with contextlib.suppress(TimeoutError):
                    while spoken.read(1):
                        pass
                    self.was_left = True
                return
            if (first := _message(spoken)) == SSL_REQUEST[4:]:
                session.sendall(b"N")
                first = _message(spoken)
            texts = [text.decode() for text in first[4:].split(b"\0")]
            self.told = dict(zip(texts[::2], texts[1::2], strict=False))
            session.sendall(b"R" + (8).to_bytes(4) + (3).to_bytes(4))
            assert spoken.read(1) == b"p"
            self.told["password"] = _message(spoken).rstrip(b"\0").decode()
            flaw = b"SFATAL\0C28P01\0Mpassword authentication failed\0\0"
            session.sendall(b"E" + (len(flaw) + 4).to_bytes(4) + flaw)


def _message(spoken: io.BufferedReader) -> bytes:
    return spoken.read(int.from_bytes(spoken.read(4)) - 4)


@pytest.mark.parametrize("tls", ["", "?sslmode=disable", "?sslmode=prefer"])
def test_the_database_is_told_user_name_and_password_and_nobody_else_the_last(tls: str) -> None:
    with Asker() as asker:
        url = f"postgresql://lines:sec%20ret@127.0.0.1:{asker.port}/grid{tls}"
        with pytest.raises(StoreError, match="password authentication failed") as caught:
            Store(url)
        told = {name: asker.told[name] for name in ("user", "database", "password", "application_name")}
    wanted = {"user": "lines", "database": "grid", "password": "sec ret", "application_name": "lineside"}
    assert told == wanted
    assert "ret" not in str(caught.value)


def test_a_database_that_says_nothing_is_waited_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_session, "CONNECT_S", 0.2)
    with Asker(is_mute=True) as asker, pytest.raises(StoreError, match="cannot be"):
        Store(f"postgresql://lineside@127.0.0.1:{asker.port}/grid")
    assert asker.was_left


def test_the_system_ends_a_connection_whose_other_end_is_silent(postgres: Postgres, name: str) -> None:
    db = PostgresConnection(PostgresAddress.of(postgres.url(name)))
    db.open()
    assert db._session is not None
    with socket.socket(fileno=os.dup(db._session._transport.get_extra_info("socket").fileno())) as own:
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1000 * SILENT_S
        assert own.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        idle_s, probe_s, probes = (own.getsockopt(socket.IPPROTO_TCP, name) for name in names)
        assert idle_s + probe_s * probes == SILENT_S
    db.close()
