"""The store: durable writes by one writer thread, reads that see what was committed last.

The database is a SQLite file or a PostgreSQL database, behind the same readers and transactions. Reads of a
file are so fast that the event loop does them itself; those of PostgreSQL are done in a few reader threads
(`ask`). `store.reader` may be used on the thread of the event loop, where it makes that wait; other threads
make their own with `new_reader`.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from sqlite3 import DatabaseError
from typing import Any, Final, TypeVar

from sep2_server.address import PostgresAddress, is_url
from sep2_server.borrowed import BorrowedConnection
from sep2_server.commit_marks import CommitMarks, is_quiet
from sep2_server.commits import Job, Observer
from sep2_server.connection import Connection
from sep2_server.disk import Disk
from sep2_server.errors import StoreError
from sep2_server.feed import Feed, Listener
from sep2_server.log_syncer import LogSyncer
from sep2_server.loop_writer import PATIENCE_S, Here, LoopWriter, PostgresHere, SqliteHere
from sep2_server.migrations import migrate
from sep2_server.postgres import PostgresConnection
from sep2_server.reader import Reader
from sep2_server.settings import Settings
from sep2_server.sqlite import SqliteConnection
from sep2_server.writer import Writer

T = TypeVar("T")
READERS: Final = 4
"""Threads that read from PostgreSQL."""
FEED_PATIENCE_S: Final = 3.0
"""How long the session of the change feed may give no answer: its thread then opens another one."""
STILL_S: Final = 2.0
"""How long the event loop may stand still for what it reads itself from PostgreSQL."""
MOST_ASKED: Final = 32_768
"""Questions that wait for them at most: more than there are connections, each of which has one."""


class Store:
    """The database of a server, every acknowledged write of it durable; `feed` tells what is committed."""

    def __init__(
        self,
        database: str | Path,
        *,
        password: str | None = None,
        is_shared: bool = False,
        patience_s: float = PATIENCE_S,
        marks: CommitMarks | None = None,
        process: int = 0,
    ) -> None:
        """Open a database, or make its tables. StoreError where that cannot be.

        `is_shared`: other processes write to the same file; to PostgreSQL they always may. Who waits for an
        answer longer than `patience_s` is told StoreError. With `marks` all who write to the file mark their
        commits there, this one as `process`.
        """
        self._patience_s = patience_s
        self._asked = 0
        self.address = PostgresAddress.of(str(database), password) if is_url(database) else Path(database)
        self.is_inline = isinstance(self.address, Path)
        self.is_shared = is_shared or not self.is_inline
        self._connections: list[Connection] = []
        self.feed = Feed()
        self._own = threading.local()
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="sep2-reader")
        self._version = 0
        self._marks = marks
        self._seen: bytes | None = None
        self._writers: set[int] = set()
        self._disk = Disk()
        self._watched = self._connection_of_feed() if self.is_shared else None
        self._prepare()
        self.reader = self._main_reader()
        self.feed.start_at(self.reader.last_change())
        writing = open_connection(self.address, self._writers, self._disk)
        self._mark_commits(process, self._connections[0], writing)
        self._writer = Writer(writing, self.feed, is_shared=self.is_shared)
        self._syncer: LogSyncer | None = None
        self._loop_writer = self._writer_of_loop()
        self._watch()

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        is_shared: bool = False,
        marks: CommitMarks | None = None,
        process: int = 0,
    ) -> "Store":
        """The store that settings name."""
        return cls(
            settings.database,
            password=settings.database_password,
            is_shared=is_shared,
            patience_s=settings.answer_s,
            marks=marks,
            process=process,
        )

    def new_reader(self) -> Reader:
        """A reader for another thread; it closes with the store."""
        connection = open_connection(self.address)
        self._connections.append(connection)
        return Reader(connection)

    async def ask(self, question: Callable[[Reader], T]) -> T:
        """What a question to a reader gives. The event loop goes on meanwhile, but for the file of SQLite."""
        if self.is_inline:
            return self.look(question)
        if self._asked >= MOST_ASKED:
            raise StoreError(f"{self._asked} questions wait for the database")
        self._asked += 1
        answer = asyncio.get_running_loop().run_in_executor(self._pool, self._answer, question)
        answer.add_done_callback(self._answered)
        try:
            async with asyncio.timeout(self._patience_s):
                return await asyncio.shield(answer)
        except TimeoutError as flaw:
            raise StoreError(f"the store gave no answer within {self._patience_s:g} s") from flaw

    def look(self, question: Callable[[Reader], T]) -> T:
        """What a question gives at once; for the event loop's thread. StoreError for an unreadable file."""
        try:
            return question(self.reader)
        except DatabaseError as flaw:
            raise StoreError(f"{self.address}: the file cannot be read: {flaw}") from flaw

    def refresh(self) -> None:
        """Hear now what other processes have committed. For the thread of the event loop.

        StoreError where that cannot be read from the file, or from PostgreSQL was not heard for too long.
        """
        if not self.is_inline:
            self.feed.require_current()
            return
        seen = None if self._marks is None else self._marks.seen()
        if seen is not None and seen == self._seen:
            return
        self.look(self._hear_others)
        if seen is not None:
            self._seen = seen if is_quiet(seen) else None

    def _hear_others(self, reader: Reader) -> None:
        connection = self._connections[0]
        if self._watched is not None and isinstance(connection, SqliteConnection):
            version = connection.data_version
            if version != self._version:
                self.feed.catch_up(reader)
                self._version = version

    def submit(self, job: Job[T]) -> Future[T]:
        """Run a job in the writer; the future is done once what it wrote is durable."""
        return self._writer.submit(job)

    def write(self, job: Job[T]) -> T:
        """Run a job in the writer and wait until what it wrote is durable. Not for the event loop."""
        return self._writer.submit(job).result()

    async def do(self, job: Job[T]) -> T:
        """Run a job in the writer and let the event loop go on until what it wrote is durable."""
        return await asyncio.wrap_future(self._writer.submit(job))

    async def do_short(self, job: Job[T]) -> T:
        """As `do`, for a job of less than a millisecond: on SQLite the event loop runs it where it can."""
        return await self.begin_short(job)

    def begin_short(self, job: Job[T]) -> asyncio.Future[T]:
        """As `do_short`: a promise of the running loop."""
        return self._loop_writer.do(job)

    def require_durable(self) -> None:
        """Raise StoreError where the disk has not kept what was written."""
        self._disk.require()

    @property
    def is_durable(self) -> bool:
        """Whether the disk has kept what was written, as far as this process knows."""
        try:
            self.require_durable()
        except StoreError:
            return False
        return True

    async def let_loop_go(self) -> None:
        """Finish the short jobs of the running loop; what it holds open of the database is closed."""
        await self._loop_writer.close()

    @property
    def waiting_jobs(self) -> int:
        """How many jobs wait for a writer."""
        return self._writer.waiting_jobs + self._loop_writer.waiting_jobs

    @property
    def unfinished_jobs(self) -> int:
        """How many jobs wait for a writer or have been begun, as far as this process knows."""
        return self._writer.unfinished_jobs + self._loop_writer.unfinished_jobs

    def observe(self, observer: Observer) -> None:
        """Tell `observer`, in whatever thread, how many jobs each commit had and how long it took, s."""
        self._writer.observer = observer
        self._loop_writer.observer = observer

    def listen(self, listener: Listener) -> None:
        """Tell `listener` the changes of each commit, those of this process before they are acknowledged."""
        self.feed.listen(listener)

    def unlisten(self, listener: Listener) -> None:
        """No longer tell `listener`."""
        self.feed.unlisten(listener)

    def close(self) -> None:
        """Finish what is waiting and close the database."""
        self._writer.close()
        if self._syncer is not None:
            self._syncer.close()
        self.feed.stop()
        self._pool.shutdown()
        with ThreadPoolExecutor(1) as closing:
            closing.submit(self._close_connections).result()

    def _mark_commits(self, process: int, *writing: Connection) -> None:
        if self._marks is not None:
            for writer, connection in enumerate(writing):
                if isinstance(connection, SqliteConnection):
                    connection.mark_commits(self._marks.mark(process, writer))

    def _close_connections(self) -> None:
        """Close all that is open; no thread uses them any more, and this one runs no event loop."""
        for connection in (*self._connections, *([self._watched] if self._watched else [])):
            connection.close()

    def _prepare(self) -> None:
        connection = self._elsewhere()
        try:
            migrate(connection)
        finally:
            connection.close()

    def _connection_of_feed(self) -> SqliteConnection | PostgresConnection:
        """The connection of the change feed, which is lost before the feed is late where it alone hangs."""
        return open_connection(self.address, self._writers, patience_s=FEED_PATIENCE_S)

    def _main_reader(self) -> Reader:
        self._connections.append(self._elsewhere(STILL_S))
        return Reader(self._connections[0])

    def _writer_of_loop(self) -> LoopWriter:
        """Writes of a file on the loop's own connection, so that its pages stay good for the reads."""
        connection = self._connections[0]
        here: Here | None = None
        if isinstance(self.address, PostgresAddress):
            here = PostgresHere(self.address, self.feed, self._writers)
        elif isinstance(connection, SqliteConnection):
            self._syncer = LogSyncer(self.address, self._disk)
            here = SqliteHere(connection, self.feed, self._syncer, is_shared=self.is_shared)
        return LoopWriter(self._writer.submit_all, here, self._patience_s)

    def _elsewhere(self, patience_s: float | None = None) -> Connection:
        """A connection that the thread of an event loop may use, which waits so long for an answer."""
        if self.is_inline:
            return open_connection(self.address, disk=self._disk)
        return BorrowedConnection(lambda: open_connection(self.address), patience_s)

    def _watch(self) -> None:
        if self._watched is not None:
            self.feed.watch(self._watched, Reader(self._watched))

    def _answered(self, answer: asyncio.Future[Any]) -> None:
        """A thread is free for the next question; nobody may wait for this one any more."""
        self._asked -= 1
        if not answer.cancelled():
            answer.exception()

    def _answer(self, question: Callable[[Reader], T]) -> T:
        if not hasattr(self._own, "reader"):
            self._own.reader = self.new_reader()
        reader: Reader = self._own.reader
        try:
            return question(reader)
        except self._connections[0].failures as flaw:
            raise StoreError(f"{self.address}: the database cannot be read: {flaw}") from flaw


def open_connection(
    address: Path | PostgresAddress,
    writers: set[int] | None = None,
    disk: Disk | None = None,
    patience_s: float | None = None,
) -> SqliteConnection | PostgresConnection:
    """A connection to a database, `patience_s` for PostgreSQL. StoreError where it cannot be opened."""
    if isinstance(address, Path):
        return SqliteConnection(address, disk)
    return PostgresConnection(address, writers, patience_s)
