"""How a server reaches PostgreSQL: by verified TLS where that is wanted, one that writes, never for ever."""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from certs import Pki, operator_context
from sep2_server import Store
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


class Front:
    """Speaks TLS before a PostgreSQL that does not, as its clients ask for it; `port` is where."""

    def __init__(self, postgres: Postgres, folder: Path, named: str) -> None:
        own = Pki.open(folder / "ca").credentials(named)
        self._context = operator_context(own.certificate_path, own.key_path)
        self._behind = postgres.port
        self._loop = asyncio.new_event_loop()
        self._is_ready = threading.Event()
        self.port = 0
        self.asked = 0
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve()])

    def __enter__(self) -> "Front":
        self._thread.start()
        self._is_ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        async with await asyncio.start_server(self._front, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            self._is_ready.set()
            await self._over.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0.05)

    async def _front(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(contextlib.suppress(OSError, asyncio.IncompleteReadError))
            stack.callback(_abort, writer)
            assert await reader.readexactly(8) == SSL_REQUEST
            writer.write(b"S")
            await writer.start_tls(self._context)
            self.asked += 1
            inner, outer = await asyncio.open_connection("127.0.0.1", self._behind)
            stack.callback(_abort, outer)
            both = [asyncio.ensure_future(one) for one in (_pass(reader, outer), _pass(inner, writer))]
            for one in both:
                stack.callback(one.cancel)
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)


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
