"""Removes what is below something that is gone, in short commits: years of readings of one device.

What is gone left its list with the write that removed it, and nobody is shown what was below it from then on:
sets of readings because their list is gone (`location`), what a device had because it is enrolled no more
(`access`). It is written that the rest has yet to go, and the clock task goes on from there after a restart.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sep2_server.rows import EVERYBODY, Row
from sep2_server.transaction import READING_SET, Transaction

AT_ONCE: Final = 100
"""Rows that one commit removes."""
FEW: Final = 32
"""So many are removed with what they are below."""
_METER_READING: Final = "MeterReading"


def remove_sets(tx: Transaction, listed: Row) -> None:
    """Remove the ReadingSets of a list that goes: few at once, many later."""
    sets = tx.items(listed.id, limit=FEW + 1)
    if len(sets) > FEW:
        tx.put_removal(listed.id)
    else:
        tx.delete_items(sets)


def remove_readings(tx: Transaction, row: Row) -> None:
    """Remove the values of a ReadingSet or MeterReading that goes: those of a MeterReading later if many."""
    if row.kind == _METER_READING and len(tx.readings(row.id, limit=FEW + 1)) > FEW:
        tx.put_removal(row.id)
    else:
        tx.delete_readings(row.id)


def remove_below(tx: Transaction, end_device_id: int, *, later: bool) -> None:
    """Remove what an EndDevice has that is gone: the oldest with it, unless `later`, and the rest then."""
    most = 0 if later else AT_ONCE
    rows = tx.first_of_owner(end_device_id, most + 1)
    _remove_owned(tx, rows[:most])
    if len(rows) > most:
        tx.put_removal(end_device_id)


def remove_on(tx: Transaction) -> None:
    """Go on with one of those of which something is left; one of which nothing is left is done."""
    number = tx.next_removal()
    if number is not None and not _remove_some(tx, number):
        tx.delete_tallies(number)
        tx.delete_removal(number)


def _remove_some(tx: Transaction, number: int) -> bool:
    """Remove a part of what was in a list, of a MeterReading or of a device; False where nothing is left."""
    sets = tx.items(number, limit=AT_ONCE)
    if sets:
        tx.delete_items(list(map(_out_of_list, sets)))
        return True
    readings = tx.readings(number, limit=AT_ONCE)
    if readings:
        tx.delete_readings_unto(number, readings[-1].sort_key)
        return True
    rows = tx.first_of_owner(number, AT_ONCE)
    _remove_owned(tx, rows)
    return bool(rows)


def _remove_owned(tx: Transaction, rows: Sequence[Row]) -> None:
    """Remove rows of one device: the oldest come first, and so a list before its items."""
    own = _lists_of(tx, rows)
    leaving = [_out_of_list(row) if row.list_id in own else row for row in rows]
    tx.delete_items([row for row in leaving if row.kind == READING_SET])
    for row in leaving:
        if row.kind != READING_SET:
            if row.kind == _METER_READING:
                remove_readings(tx, row)
            tx.delete(row)


def _lists_of(tx: Transaction, rows: Iterable[Row]) -> set[int]:
    """The lists that rows of one device are in and that are, or were, its own: nobody counts those again."""
    owners = {row.list_id: row.owner_id for row in rows if row.list_id is not None}
    listed = {number: tx.by_id(number) for number in owners}
    return {number for number, row in listed.items() if row is None or row.owner_id == owners[number]}


def _out_of_list(row: Row) -> Row:
    return row._replace(list_id=None, scope=EVERYBODY)
