"""PostgreSQL: asyncpg behind the connection of the store, on the thread that uses it.

Each connection owns an event loop that runs while one of its calls does, so that it may not be used on a
thread whose own loop runs; `borrowed` has the connection for those. A lost connection is a StoreError until
the database is back; each statement is prepared once in each session.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Mapping, Sequence
from functools import cache
from types import ModuleType
from typing import Any, Final, TypeVar, cast

import uvloop
from sqlalchemy import ARRAY, Table, Text, bindparam, func, insert, select, text
from sqlalchemy import cast as cast_to
from sqlalchemy.dialects.postgresql import OID
from sqlalchemy.dialects.postgresql import asyncpg as dialect_of
from sqlalchemy.engine import Compiled, Dialect
from sqlalchemy.sql.expression import ClauseElement
from sqlalchemy.util import await_only

from sep2_server.address import PostgresAddress
from sep2_server.connection import Connection, Writes, Written, counts
from sep2_server.errors import StoreError, UndecidedError
from sep2_server.postgres_session import CONNECT_S, opened
from sep2_server.postgres_writes import parts_of, statement_of, written

T = TypeVar("T")

DIALECT: Final[Dialect] = cast("Any", dialect_of).dialect()
LOCK: Final = 0x53455032
"""Number of the advisory lock that one writer at a time holds."""
CHANNEL: Final = "sep2_change"
"""Channel on which a commit tells the last place in the change feed."""
PAUSE_S: Final = 0.25
"""How long a connection that could not be made is not tried again."""
_SESSION: Final = {
    "application_name": "lineside",
    "synchronous_commit": "on",
    "jit": "off",
    "idle_in_transaction_session_timeout": "60000",
}
_OF_DEVICES: Final = {**_SESSION, "plan_cache_mode": "force_generic_plan"}
"""Rows that devices read and write are found by unique indexes: no plan is better for other values."""
_HAS_TABLE: Final = select(cast_to(func.to_regclass(cast_to(bindparam("name"), Text)), OID))
_CLOCK_MS: Final = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
_TEXTS: Final[dict[ClauseElement, tuple[str, tuple[str, ...]]]] = {}

log = logging.getLogger(__name__)


def driver() -> ModuleType:
    """Asyncpg, which is an extra. StoreError where it is not installed."""
    try:
        import asyncpg  # noqa: PLC0415
    except ImportError as flaw:
        raise StoreError("PostgreSQL needs asyncpg: pip install 'lineside[postgres]'") from flaw
    return cast("ModuleType", asyncpg)


class Outcome:
    """What a statement gave."""

    def __init__(self, rows: Sequence[Any], status: str) -> None:
        self._rows = rows
        self._status = status
        self._next = 0

    @property
    def rowcount(self) -> int:
        """How many rows the statement wrote."""
        return int(self._status.rpartition(" ")[2])

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row of the result."""
        if self._next == len(self._rows):
            return None
        self._next += 1
        return cast("tuple[Any, ...]", self._rows[self._next - 1])

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows of the result."""
        return cast("list[tuple[Any, ...]]", self._rows)


class PostgresConnection(Connection):
    """A connection to a PostgreSQL database, made when it is first used and again when it was lost."""

    dialect = "postgresql"
    settings: Mapping[str, str] = _SESSION

    def __init__(
        self, address: PostgresAddress, writers: set[int] | None = None, patience_s: float | None = None
    ) -> None:
        """`writers`: those of its processes that serve who tells its own commits; lost after `patience_s`."""
        self.address = address
        self._patience_s = patience_s
        self._writers = set() if writers is None else writers
        self._asyncpg = driver()
        errors = self._asyncpg
        self._lost = (
            OSError,
            TimeoutError,
            errors.InterfaceError,
            errors.PostgresConnectionError,
            errors.CannotConnectNowError,
            errors.AdminShutdownError,
            errors.CrashShutdownError,
            errors.TooManyConnectionsError,
            errors.IdleInTransactionSessionTimeoutError,
            errors.DiskFullError,
            errors.ReadOnlySQLTransactionError,
        )
        self.failures = (errors.PostgresError,)
        self._refusals = (errors.DiskFullError, errors.ReadOnlySQLTransactionError)
        self._loop = self._made_loop()
        self._session: Any | None = None
        self._prepared: dict[ClauseElement, tuple[Any, tuple[str, ...]]] = {}
        self._is_writing = False
        self._is_moment_due = False
        self._not_before = 0.0
        self._notified = asyncio.Event()
        self._listening: Any | None = None
        self._backend: int | None = None

    def open(self) -> None:
        """Connect now. StoreError where that cannot be."""
        self._connected()

    def run(self, statement: ClauseElement, **parameters: object) -> Outcome:
        """Execute a statement with named parameters."""
        if self._is_moment_due:
            self._begin_moment()
        session = self._connected()
        try:
            prepared, names = self._prepared.get(statement) or self._prepare(session, statement)
            rows = self._wait(prepared.fetch(*[parameters[name] for name in names]))
            return Outcome(rows, prepared.get_statusmsg())
        except self._lost as flaw:
            raise self._loss(flaw) from flaw

    def run_many(self, statement: ClauseElement, rows: Sequence[dict[str, object]]) -> None:
        """Execute a statement once for each of many sets of parameters, in one trip."""
        _, names = _text_of(statement)
        self._run_rows(statement, [[row[name] for name in names] for row in rows])

    def _run_rows(self, statement: ClauseElement, rows: Sequence[Sequence[object]]) -> None:
        """Execute a statement once for each of many sequences of parameters in its own order."""
        session = self._connected()
        try:
            prepared, _ = self._prepared.get(statement) or self._prepare(session, statement)
            if len(rows) == 1:
                self._wait(prepared.fetch(*rows[0]))
            else:
                self._wait(prepared.executemany(rows))
        except self._lost as flaw:
            raise self._loss(flaw) from flaw

    def insert_many(self, table: Table, names: Sequence[str], rows: Sequence[Sequence[object]]) -> list[int]:
        """Insert rows of values in the order of `names`, in one trip; the numbers that they got."""
        if not rows:
            return []
        if counts(table):
            arrays = {f"c{n}": column for n, column in enumerate(zip(*rows, strict=True))}
            return [int(row[0]) for row in self.run(_unnested(table, tuple(names)), **arrays).fetchall()]
        statement = _inserted(table, tuple(names))
        _, order = _text_of(statement)
        if order != tuple(names):
            places = [names.index(name) for name in order]
            rows = [[row[place] for place in places] for row in rows]
        self._run_rows(statement, rows)
        return []

    def together(self, writes: Writes) -> Written | None:
        """Write in one trip; None where one statement after the other is as good."""
        found = parts_of(writes)
        if found is None:
            return None
        shape, values = found
        return written(self.run(statement_of(shape), **values).fetchall())

    def _prepare(self, session: Any, statement: ClauseElement) -> tuple[Any, tuple[str, ...]]:  # noqa: ANN401
        sql, names = _text_of(statement)
        found = self._prepared[statement] = self._wait(session.prepare(sql)), names
        return found

    def control(self, command: str) -> None:
        """Execute commands without parameters or result, in one trip."""
        self._command(command)

    def _command(self, command: str) -> str:
        """Execute commands without parameters; the status of the last one."""
        session = self._connected()
        try:
            return cast("str", self._wait(session.execute(command)))
        except self._lost as flaw:
            raise self._loss(flaw) from flaw

    def begin(self, question: str = "") -> bool:
        """Take the lock of the database until the end of all; whether a SELECT then finds a row."""
        told = self._command(f"BEGIN; SELECT pg_advisory_xact_lock({LOCK}); {question}")
        self._is_writing = True
        return bool(question) and told != "SELECT 0"

    def finds(self, question: str) -> bool:
        """Whether a SELECT finds a row."""
        return bool(question) and self._command(question) != "SELECT 0"

    def commit(self, last_change: int | None = None) -> None:
        """Make what was written durable, and notify everybody who listens."""
        told = "" if last_change is None else f"NOTIFY {CHANNEL}, '{last_change}'; "
        session = self._connected()
        try:
            self._wait(session.execute(f"{told}COMMIT"))
        except self._lost as flaw:
            loss = self._loss(flaw)
            if isinstance(flaw, self._refusals):
                raise loss from flaw
            raise UndecidedError(f"nobody knows whether it was stored: {loss}") from flaw
        self._is_writing = False

    def roll_back(self) -> None:
        """Undo what has not been committed, if anything."""
        self._is_writing = False
        if self._session is not None and self._session.is_in_transaction():
            try:
                self.control("ROLLBACK")
            except StoreError as flaw:
                log.debug("Nothing to undo: %s", flaw)

    def hold_still(self) -> None:
        """Begin to read one moment, that of the first question."""
        self._is_moment_due = True

    def _begin_moment(self) -> None:
        """Take the moment; what asks nothing pays no trip for it."""
        self._is_moment_due = False
        self.control("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        self._is_writing = True

    def let_go(self) -> None:
        """End it."""
        self._is_moment_due = False
        self.roll_back()

    def wait_for_commit(self, timeout_s: float) -> None:
        """Return once somebody has committed, or the time is over, or `wake` was called.

        What was committed while the connection was lost is not told: look behind the last known place.
        """
        session = self._connected()
        try:
            if session is not self._listening:
                self._wait(session.add_listener(CHANNEL, self._hear))
                self._listening = session
                return
            self._wait(self._notice(timeout_s))
        except self._lost as flaw:
            raise self._loss(flaw) from flaw

    def _hear(self, _: object, backend: int, *__: object) -> None:
        """Somebody has committed: not one of our own sessions, whose commits are told without this."""
        if backend not in self._writers:
            self._notified.set()

    def wake(self) -> None:
        """End the waiting of another thread."""
        self._loop.call_soon_threadsafe(self._notified.set)

    async def _notice(self, timeout_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._notified.wait(), timeout_s)
        self._notified.clear()

    def clock_ms(self) -> int:
        """The time of the database."""
        return self.number(_CLOCK_MS) or 0

    def has_table(self, name: str) -> bool:
        """Whether the database has a table."""
        return self.number(_HAS_TABLE, name=f'"{name}"') is not None

    def ddl(self, operation: ClauseElement) -> str:
        """The text of a definition."""
        return str(operation.compile(dialect=DIALECT))

    def close(self) -> None:
        """Close the connection."""
        if not self._loop.is_closed():
            self._forget()
            self._loop.close()

    def _made_loop(self) -> asyncio.AbstractEventLoop:
        return uvloop.new_event_loop()

    def _wait(self, awaited: Awaitable[T]) -> T:
        return self._loop.run_until_complete(asyncio.wait_for(awaited, self._patience_s))

    def _connected(self) -> Any:  # noqa: ANN401
        session = self._session
        if session is not None and not session.is_closed():
            return session
        if self._is_writing:
            raise self._loss(ConnectionError("the connection was lost in a transaction"))
        if time.monotonic() < self._not_before:
            raise StoreError(f"{self.address} cannot be reached")
        return self._connect()

    def _connect(self) -> Any:  # noqa: ANN401
        address, errors = self.address, self._asyncpg
        self._forget()
        try:
            self._session = self._wait(opened(self._asyncpg, address, self._loop, self.settings))
            self._backend = self._session.get_server_pid()
            self._writers.add(self._backend)
        except (*self._lost, errors.PostgresError, errors.TargetServerAttributeNotMatched) as flaw:
            self._not_before = time.monotonic() + PAUSE_S
            raise StoreError(f"{address}: the database cannot be opened: {flaw}") from flaw
        return cast("Any", self._session)

    def _loss(self, flaw: BaseException) -> StoreError:
        """What to raise where the connection, and any transaction with it, is lost."""
        self._is_writing = False
        self._forget()
        return StoreError(f"{self.address} failed: {flaw}")

    def _forget(self) -> None:
        """Drop the session; the next use makes another one."""
        session = self._parted()
        if session is not None and not session.is_closed():
            session.terminate()
            self._loop.run_until_complete(asyncio.sleep(0))

    def _parted(self) -> Any:  # noqa: ANN401
        """The session, which is not this connection's any more."""
        self._prepared.clear()
        if self._backend is not None:
            self._writers.discard(self._backend)
        session, self._session, self._backend = self._session, None, None
        return session


class LoopConnection(PostgresConnection):
    """A connection on a running loop, for calls by `greenlet_spawn`: others run while one waits."""

    settings = _OF_DEVICES

    async def let_loop_go(self) -> None:
        """Close the connection in its loop."""
        session = self._parted()
        if session is not None and not session.is_closed():
            await session.close(timeout=CONNECT_S)

    def close(self) -> None:
        """Nothing: the loop of the connection closes it."""

    def _made_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def _wait(self, awaited: Awaitable[T]) -> T:
        return await_only(awaited)

    def _forget(self) -> None:
        session = self._parted()
        if session is not None and not session.is_closed():
            session.terminate()


@cache
def _inserted(table: Table, names: tuple[str, ...]) -> ClauseElement:
    """The statement that inserts a row of values, which stand there in the order of the table."""
    return insert(table).values({name: bindparam(name, type_=table.c[name].type) for name in names}).inline()


@cache
def _unnested(table: Table, names: tuple[str, ...]) -> ClauseElement:
    """The statement that inserts rows out of an array for each column, and numbers them in their order."""
    arrays = [bindparam(f"c{n}", type_=ARRAY(table.c[name].type)) for n, name in enumerate(names)]
    given = func.unnest(*arrays).table_valued(*names, name="given").render_derived()
    made = insert(table).from_select(list(names), select(*given.c), include_defaults=False)
    return made.returning(*table.primary_key)


def _text_of(statement: ClauseElement) -> tuple[str, tuple[str, ...]]:
    """The text of a statement and the names of its parameters in their order; compiled once."""
    found = _TEXTS.get(statement)
    if found is None:
        compiled = cast("Any", statement.compile(dialect=DIALECT))
        found = _TEXTS[statement] = str(compiled), _names_of(compiled)
    return found


def _names_of(compiled: Compiled) -> tuple[str, ...]:
    return tuple(cast("Any", compiled).positiontup or ())
