"""The store: durable writes by one writer thread, reads that see what was committed last.

Readers are for one thread each: `store.reader` belongs to the thread of the event loop; other threads make
their own with `new_reader`.
"""

import asyncio
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from sep2_server.connection import Connection
from sep2_server.errors import StoreError
from sep2_server.reader import Reader
from sep2_server.tables import FORMAT, metadata
from sep2_server.transaction import Transaction
from sep2_server.writer import Job, Listener, Writer

T = TypeVar("T")


class Store:
    """The database of a server: one SQLite file in WAL mode, every acknowledged write on the disk."""

    def __init__(self, path: Path) -> None:
        """Open a database, or make a new one. StoreError where that cannot be."""
        self.path = path
        self._engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
        try:
            metadata.create_all(self._engine)
            self._connections = [Connection(self._engine)]
            self._writer = Writer(Connection(self._engine))
        except DBAPIError as flaw:
            raise StoreError(f"{path}: the database cannot be opened: {flaw.orig}") from flaw
        self.reader = Reader(self._connections[0])
        self._writer.submit(_prepare).result()

    def new_reader(self) -> Reader:
        """A reader for another thread; it closes with the store."""
        connection = Connection(self._engine)
        self._connections.append(connection)
        return Reader(connection)

    def submit(self, job: Job[T]) -> Future[T]:
        """Run a job in the writer; the future is done once what it wrote is durable."""
        return self._writer.submit(job)

    def write(self, job: Job[T]) -> T:
        """Run a job in the writer and wait until what it wrote is durable. Not for the event loop."""
        return self._writer.submit(job).result()

    async def do(self, job: Job[T]) -> T:
        """Run a job in the writer and let the event loop go on until what it wrote is durable."""
        return await asyncio.wrap_future(self._writer.submit(job))

    def listen(self, listener: Listener) -> None:
        """Tell `listener`, in the writer's thread, the changes of each commit before it is acknowledged."""
        self._writer.listen(listener)

    def unlisten(self, listener: Listener) -> None:
        """No longer tell `listener`."""
        self._writer.unlisten(listener)

    def close(self) -> None:
        """Finish what is waiting and close the database."""
        self._writer.close()
        for connection in self._connections:
            connection.close()
        self._engine.dispose()


def _prepare(transaction: Transaction) -> None:
    """Give a new database its version and first number; refuse one of another version."""
    found = transaction.option("format")
    if found is None:
        transaction.start_numbers()
        transaction.put_option("format", str(FORMAT))
    elif found != str(FORMAT):
        raise StoreError(f"the database has format {found}; this program reads format {FORMAT}")
