"""How a database comes to have the tables of `tables`: numbered steps, each run once, in order.

To change a table: change `tables.py`, then append a `Migration` to MIGRATIONS with the operations that bring
a database of the step before to the new one. Never change a step that is on main. Operations are those of
SQLAlchemy (`CreateTable`, `CreateIndex`, `DropIndex`, `created` for a table with its indexes), `AddColumn`,
`Only` for one kind of database, and statements of SQLAlchemy Core without parameters (to move data). A table
in an operation is of `tables`, as long as no later step changes it; then freeze a copy, as `format_1` does.
`test_sep2_migrations` proves that old databases become new ones. All steps of a database run in one
transaction under the lock of its writers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Index, Table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql.ddl import ExecutableDDLElement
from sqlalchemy.sql.expression import ClauseElement

from sep2_server import (
    format_1,
    format_3,
    format_5,
    format_7,
    format_11,
    format_12,
    format_13,
    format_14,
    statements_rights,
    tables,
)
from sep2_server import statements as q
from sep2_server.connection import Connection
from sep2_server.errors import StoreError

FORMAT_OPTION: Final = "format"
"""Option with the number of the last migration of a database."""


class AddColumn(ExecutableDDLElement):
    """ALTER TABLE ADD COLUMN; the column may be null, or has a server default."""

    inherit_cache = False

    def __init__(self, column: Column[Any]) -> None:
        self.column = column


@compiles(AddColumn)
def _add_column(element: AddColumn, compiler: Any, **_: object) -> str:  # noqa: ANN401
    table = compiler.preparer.format_table(element.column.table)
    return f"ALTER TABLE {table} ADD COLUMN {compiler.get_column_specification(element.column)}"


@dataclass(frozen=True, slots=True)
class Only:
    """A text that one kind of database alone needs; `dialect` is sqlite or postgresql."""

    dialect: str
    text: str


Operation = ClauseElement | Only


@dataclass(frozen=True, slots=True)
class Migration:
    """One step, and what it is for; `recounted` are the tables that have more or fewer rows behind it."""

    name: str
    operations: tuple[Operation, ...]
    recounted: frozenset[str] = frozenset()


def created(*tables: Table) -> tuple[Operation, ...]:
    """The operations that make tables and their indexes."""
    made: list[Operation] = []
    for table in tables:
        made.append(CreateTable(table))
        made += [CreateIndex(index) for index in sorted(table.indexes, key=lambda index: str(index.name))]
    return tuple(made)


def _indexes(*names: str) -> list[Index]:
    """Indexes of resources with these names."""
    return [index for index in tables.resource.indexes if index.name in names]


MIGRATIONS: Final[tuple[Migration, ...]] = (
    Migration("the first tables", created(*format_1.metadata.sorted_tables)),
    Migration("leases, and consumers of the change feed", created(tables.lease, tables.consumer)),
    Migration(
        "subscriptions and notifications",
        created(
            tables.subscription,
            tables.watch,
            format_3.outbox,
            format_3.dead_letter,
            tables.notification_host,
        ),
    ),
    Migration(
        "blocked certificates, disabled devices, the network as operators see it",
        (*created(tables.blocked, tables.disabled, tables.node), statements_rights.COUNT_MEMBERS),
        recounted=frozenset({"tally"}),
    ),
    Migration(
        "programs of every kind in groups",
        (
            *created(*format_5.metadata.sorted_tables),
            *format_5.MOVED,
            Only("sqlite", format_5.NO_LIST),
            Only("postgresql", format_5.NO_LIST),
        ),
    ),
    Migration(
        "readings by day",
        (
            AddColumn(tables.reading.c.day),
            *(Only(dialect, "UPDATE reading SET day = time / 86400") for dialect in ("sqlite", "postgresql")),
            *map(CreateIndex, tables.reading.indexes),
        ),
    ),
    Migration(
        "resources say how they may be subscribed to",
        (
            *(Only("sqlite", text) for text in format_7.SQLITE),
            *(Only("postgresql", text) for text in format_7.POSTGRESQL),
        ),
    ),
    Migration(
        "resources by mRID and owner",
        (
            *(Only(dialect, "DROP INDEX resource_by_mrid") for dialect in ("sqlite", "postgresql")),
            *(CreateIndex(index) for index in tables.resource.indexes if index.name == "resource_by_mrid"),
        ),
    ),
    Migration(
        "dead letters by subscription, and how many were dropped",
        (
            *(
                CreateIndex(index)
                for index in tables.dead_letter.indexes
                if index.name == "dead_letter_by_subscription"
            ),
            *created(tables.dropped_letter),
        ),
    ),
    Migration(
        "one notifier at a time for a subscriber",
        (
            *created(tables.lane),
            *(Only(dialect, "DROP INDEX outbox_due") for dialect in ("sqlite", "postgresql")),
            *(CreateIndex(index) for index in tables.outbox.indexes if index.name == "outbox_due"),
        ),
    ),
    Migration(
        "no pollRate of a device",
        (
            *(Only("sqlite", text) for text in format_11.SQLITE),
            *(Only("postgresql", text) for text in format_11.POSTGRESQL),
        ),
    ),
    Migration(
        "what hangs on what, what operators were answered, and events by their times",
        (
            *created(tables.follower, tables.answered),
            *(CreateIndex(index) for index in _indexes("resource_by_length", "resource_by_start")),
            *(Only("sqlite", text) for text in format_12.SQLITE),
            *(Only("postgresql", text) for text in format_12.POSTGRESQL),
            *(Only(dialect, format_12.SPANS) for dialect in ("sqlite", "postgresql")),
        ),
    ),
    Migration(
        "programs of a device are shown at its DERs, not listed there; members that have yet to be linked",
        (
            *created(tables.linking),
            *(Only(dialect, text) for text in format_13.TEXTS for dialect in ("sqlite", "postgresql")),
        ),
        recounted=frozenset({"watch", "tally", "member"}),
    ),
    Migration(
        "days of readings that every database can hold, no links to other servers, no prices of what is gone",
        (
            *(Only("sqlite", text) for text in (*format_14.DAYS, *format_14.PRICES_SQLITE)),
            *(Only("postgresql", text) for text in format_14.PRICES_POSTGRESQL),
            *(Only(dialect, format_14.FOREIGN) for dialect in ("sqlite", "postgresql")),
        ),
        recounted=frozenset({"follower", "tally", "resource"}),
    ),
    Migration(
        "what is gone, and of which something has yet to be removed; usage points of a device",
        (*created(tables.removal), *map(CreateIndex, _indexes("resource_points"))),
    ),
)


def pending(db: Connection, migrations: Sequence[Migration] = MIGRATIONS) -> Sequence[Migration]:
    """The steps that a database has not had yet. StoreError for one that is newer than the program."""
    number = format_of(db)
    if number > len(migrations):
        raise StoreError(f"the database has format {number}; this program reads up to {len(migrations)}")
    return migrations[number:]


def migrate(db: Connection, migrations: Sequence[Migration] = MIGRATIONS) -> Sequence[Migration]:
    """Run the steps that a database has not had yet, all or none of them; the steps that were run."""
    if not pending(db, migrations):
        return ()
    db.begin()
    try:
        steps = apply(db, migrations)
        db.commit()
    finally:
        db.roll_back()
    return steps


def apply(db: Connection, migrations: Sequence[Migration]) -> Sequence[Migration]:
    """As `migrate`, inside of a transaction that was begun."""
    steps = pending(db, migrations)
    _run(db, steps, is_new=len(steps) == len(migrations))
    db.run(q.DELETE_OPTION, name=FORMAT_OPTION)
    db.run(q.INSERT_OPTION, name=FORMAT_OPTION, value=str(len(migrations)))
    return steps


def format_of(db: Connection) -> int:
    """Number of the last step that a database has had; 0 for an empty one."""
    if not db.has_table("option"):
        return 0
    found = db.one(lambda row: str(row[0]), q.OPTION, name=FORMAT_OPTION)
    return 0 if found is None else int(found)


def _run(db: Connection, steps: Sequence[Migration], *, is_new: bool) -> None:
    for step in steps:
        for operation in step.operations:
            _apply(db, operation)
    if is_new:
        db.run(q.INSERT_SEQUENCE, name="resource", value=0)


def _apply(db: Connection, operation: Operation) -> None:
    if not isinstance(operation, Only):
        db.control(db.ddl(operation))
    elif operation.dialect == db.dialect:
        db.control(operation.text)
