"""Fills a store with a fleet: the rows of `add_end_device`, recorded once and stamped for each device.

The first device of each load is stored by `add_end_device` itself into a recorder, and another one is held
against its stamp, so that what is loaded is what the server would have stored. The change feed of the load is
left out, as if it had been shortened since.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from certs import LFDI, sfdi_of
from function_sets import sort_key
from schemas import EndDevice
from sep2_server import tables
from sep2_server.end_devices import Enrolment, add_end_device
from sep2_server.rows import Client, Row
from sep2_server.transaction import Transaction
from sep2_server.uris import route_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sep2_server import Store
    from sep2_server.environment import Environment
    from sep2_server.reader import Reader

MANAGED: Final = 1000
"""So many of the devices belong to the aggregator."""
CHUNK: Final = 5000
MARK: Final = 900_000_000_000
"""Row ids of the recorded device; no database gets there."""


class Recorder(Transaction):
    """A transaction that writes nothing and remembers what it was told to."""

    def __init__(self, reader: Reader, first_id: int) -> None:
        super().__init__(reader._db)  # noqa: SLF001 - the load stands beside the store
        self._next = first_id
        self.rows: list[Row] = []
        self.made: Client | None = None

    def next_id(self, count: int = 1) -> int:
        """The next ids of the record."""
        self._next += count
        return self._next - count

    def insert(self, row: Row) -> Row:
        """Remember a row."""
        self.rows.append(row)
        return row

    def put_client(self, client: Client) -> None:
        """Remember the client."""
        self.made = client

    def client_of(self, end_device_id: int) -> Client | None:
        """The client of the record, or one of the store."""
        is_own = self.made is not None and self.made.end_device_id == end_device_id
        return self.made if is_own else super().client_of(end_device_id)

    def by_href(self, href: str) -> Row | None:
        """A row of the record, or one of the store."""
        return next((row for row in self.rows if row.href == href), None) or super().by_href(href)


@dataclass(frozen=True, slots=True)
class Stamped:
    """What one device is in the tables."""

    rows: list[Row]
    client: Client


class Stamp:
    """Makes the rows of any device from those of one."""

    def __init__(
        self, reader: Reader, environment: Environment, *, now: int, aggregator_id: int | None
    ) -> None:
        self._reader = reader
        self._environment = environment
        self._now = now
        self._aggregator_id = aggregator_id
        self._lfdi = lfdi_for(0)
        self._model = self.recorded(0, MARK)
        self.ids = len(self._model.rows)
        made, wanted = self.of(7, 4_000), self.recorded(7, 4_000)
        if made != wanted:
            raise RuntimeError("a stamped device is not what add_end_device stores")

    def recorded(self, number: int, first_id: int) -> Stamped:
        """What add_end_device stores."""
        recorder = Recorder(self._reader, first_id)
        enrolment = Enrolment(
            lfdi=lfdi_for(number), name=f"fleet-{number}", pin=111115, aggregator_id=self._aggregator_id
        )
        add_end_device(recorder, self._environment, enrolment, self._now)
        if recorder.made is None:
            raise RuntimeError("add_end_device stored no client")
        return Stamped(recorder.rows, recorder.made)

    def of(self, number: int, first_id: int) -> Stamped:
        """What a device is in the tables, its first row id given."""
        lfdi = lfdi_for(number)
        sfdi = sfdi_of(lfdi)
        texts = {str(MARK + n): str(first_id + n) for n in range(20)}
        texts |= {self._lfdi: lfdi, str(sfdi_of(self._lfdi)): str(sfdi)}
        octets = [(old.encode(), new.encode()) for old, new in texts.items()]
        shift = first_id - MARK
        rows = []
        for row in self._model.rows:
            href, body, key = row.href, row.body, row.sort_key
            for old, new in texts.items():
                if old in href:
                    href = href.replace(old, new)
            for mark, value in octets:
                if mark in body:
                    body = body.replace(mark, value)
                if mark in key:
                    key = key.replace(mark, value)
            if row.kind == "EndDevice":
                device = EndDevice(href=href, lFDI=lfdi, sFDI=sfdi, changedTime=self._now)
                key = sort_key(route_named("EndDeviceList"), device)
            rows.append(
                row._replace(
                    id=row.id + shift,
                    href=href,
                    list_id=_moved(row.list_id, shift),
                    scope=_moved(row.scope, shift) or 0,
                    owner_id=_moved(row.owner_id, shift),
                    sort_key=key,
                    body=body,
                )
            )
        client = self._model.client._replace(
            lfdi=lfdi, sfdi=sfdi, name=f"fleet-{number}", end_device_id=first_id
        )
        return Stamped(rows, client)


def fill(store: Store, environment: Environment, devices: int, *, now: int, aggregator_id: int) -> None:
    """Store a fleet, the first MANAGED devices as those of the aggregator; in PostgreSQL one by one."""
    if not store.is_inline:
        _enrol_each(store, environment, devices, now=now)
        return
    first = store.write(lambda tx: tx.next_id(devices * 20))
    loader = _Loader(str(environment.settings.database))
    managed = min(MANAGED, devices)
    for start, end, owner in ((0, managed, aggregator_id), (managed, devices, None)):
        stamp = Stamp(store.reader, environment, now=now, aggregator_id=owner)
        for low in range(start, end, CHUNK):
            numbers = range(low, min(low + CHUNK, end))
            loader.load([stamp.of(number, first + number * 20) for number in numbers])
    loader.close()


def _enrol_each(store: Store, environment: Environment, devices: int, *, now: int) -> None:
    def enrol(tx: Transaction) -> None:
        for number in range(devices):
            enrolment = Enrolment(lfdi=lfdi_for(number), name=f"fleet-{number}", pin=111115)
            add_end_device(tx, environment, enrolment, now)

    store.write(enrol)


def lfdi_for(number: int) -> LFDI:
    """The LFDI of a device of the fleet; its SFDI differs from those of the others."""
    return LFDI(f"{(number * 2_654_435_761 + 0x5EED) % 2**36:09X}{number:031X}")


def _moved(number: int | None, shift: int) -> int | None:
    return number + shift if number is not None and number >= MARK else number


class _Loader:
    """Writes stamped devices to a file of SQLite, many at a time."""

    def __init__(self, database: str) -> None:
        self._db = sqlite3.connect(database, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=OFF", "cache_size=-1000000"):
            self._db.execute(f"PRAGMA {pragma}")

    def load(self, devices: list[Stamped]) -> None:
        rows = [row for device in devices for row in device.rows]
        self._db.execute("BEGIN IMMEDIATE")
        self._insert(tables.resource.name, Row._fields, rows)
        self._insert(tables.client.name, Client._fields, [device.client for device in devices])
        self._db.executemany(
            "INSERT INTO tally (list_id, scope, amount) VALUES (?, ?, 1)"
            " ON CONFLICT (list_id, scope) DO UPDATE SET amount = amount + 1",
            _tallied(rows),
        )
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()

    def _insert(self, table: str, names: tuple[str, ...], rows: list[Any]) -> None:
        marks = ", ".join("?" * len(names))
        self._db.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)  # noqa: S608


def _tallied(rows: list[Row]) -> Iterator[tuple[int, int]]:
    return ((row.list_id, row.scope) for row in rows if row.list_id is not None)
