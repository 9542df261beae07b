"""Events that were made while the clock was ahead, and whose creationTime has yet to come.

Of two events of a program the one that was made later wins (IEEE 2030.5-2018, 10.2.3): such an event would
win over all that are published once the clock is right, until that time has come. So it is dated again: the
last of them as made now, those before so much earlier that they keep their order.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from function_sets import sort_key
from sep2_server.environment import Environment
from sep2_server.event_times import event_of, refresh_overlapping, siblings_of, timed
from sep2_server.reader import Reader
from sep2_server.transaction import Transaction
from sep2_server.uris import route_named

_MADE: Final = re.compile(rb"<creationTime>(\d+)</creationTime>")


class Dating(NamedTuple):
    """An event by its row id, its creationTime and the one that it is to have."""

    number: int
    was: int
    becomes: int


def made_ahead(reader: Reader, numbers: Sequence[int], now: int) -> dict[int, int]:
    """The creationTime of those of the rows with these ids that it is still to come for."""
    made = ((number, _MADE.search(body)) for number, body in reader.bodies(numbers))
    times = {number: int(found[1]) for number, found in made if found is not None}
    return {number: time for number, time in times.items() if time > now}


def datings(made: Mapping[int, int], now: int) -> list[Dating]:
    """What events with these creationTimes are to have, the earliest first.

    A run that was broken off after some of them is taken up by the next: the rest are later still.
    """
    times = sorted(set(made.values()))
    becomes = {time: now - len(times) + place for place, time in enumerate(times, 1)}
    order = sorted(made, key=lambda number: (made[number], number))
    return [Dating(number, made[number], becomes[made[number]]) for number in order]


def date_again(tx: Transaction, environment: Environment, wanted: Sequence[Dating], now: int) -> None:
    """Give events another creationTime, those that have left their list or have another one by now apart."""
    for dating in wanted:
        row = tx.by_id(dating.number)
        listed = None if row is None or row.list_id is None else tx.by_id(row.list_id)
        if row is None or listed is None:
            continue
        event = event_of(environment, row)
        if event.creationTime != dating.was:
            continue
        event.creationTime = dating.becomes
        placed = row._replace(sort_key=sort_key(route_named(listed.kind), event))
        new = timed(environment, placed, event, siblings_of(tx, environment, placed, event), now)
        refresh_overlapping(tx, environment, tx.renew(row, new), now)
