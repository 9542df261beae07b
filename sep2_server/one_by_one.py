"""What a unit of work writes at its end, where that is not one statement for all of it."""

from typing import cast

from sep2_server import statements as q
from sep2_server import tables
from sep2_server.batches import by_places, parts
from sep2_server.connection import Amounts, Connection, Writes, Written
from sep2_server.rows import Change


def one_by_one(db: Connection, writes: Writes) -> Written:
    """Write, a statement for each part."""
    for names, updates in writes.updates.items():
        db.run_many(q.update_resource(names), updates)
    if writes.reports_gone:
        db.run_many(q.DELETE_REPORT, writes.reports_gone)
    for table, columns, rows in writes.inserts:
        db.insert_many(table, columns, rows)
    amounts: Amounts = []
    for some in parts(writes.moves):
        counted = db.run(q.move_tallies(db.dialect, len(some)), **by_places(some))
        amounts += cast("Amounts", counted.fetchall())
    if not writes.changes:
        return Written(amounts, [])
    changes = [change[1:] for change in writes.changes]
    return Written(amounts, db.insert_many(tables.change, Change._fields[1:], changes))
