"""Events in the store: status right at the second, and when it changes. IEEE 2030.5-2018, 10.2.3."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from function_sets import (
    Pressure,
    earliest_start,
    is_newer,
    is_newer_or_lower,
    is_over,
    latest_end,
    mrid_beyond,
    next_under,
    pressure_on,
    pressures,
    status_under,
)
from schemas import Event, EventStatus
from schemas.codes import EventState
from sep2_server.environment import Environment
from sep2_server.interval_times import INTERVAL_KINDS, moved
from sep2_server.known_events import known_event
from sep2_server.reader import Reader
from sep2_server.rows import OVER, Row, full_mrid
from sep2_server.supply import OPERATION, OVERRIDE, settle_due
from sep2_server.transaction import Transaction
from sep2_server.tree import remove_tree
from sep2_server.uris import route_named

BATCH: Final = 100
"""Rows that one repair writes at most, so that what devices write does not wait for it."""
_SCHEDULED: Final = re.compile(
    rb"<creationTime>(\d+)</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>\d+</dateTime>"
    rb"<potentiallySuperseded>false</potentiallySuperseded></EventStatus>"
)
"""An event as it is written that is scheduled and has no rival."""
_ACTIVE: Final = (
    b"<creationTime>%d</creationTime><EventStatus><currentStatus>1</currentStatus><dateTime>%d</dateTime>"
    b"<potentiallySuperseded>false</potentiallySuperseded></EventStatus>"
)
_SUPERSEDE_NONE: Final = frozenset({EventState.CANCELLED, EventState.CANCELLED_WITH_RANDOMIZATION})
"""States of events that no other event has to know of. IEEE 2030.5-2018, 10.2.3."""


def event_of(environment: Environment, row: Row) -> Event:
    """The event that a row holds."""
    event: Event = environment.codec.decode_fragment(row.body, route_named(row.kind).type)
    return event


def timed(environment: Environment, row: Row, event: Event, siblings: list[Event], now: int) -> Row:
    """The row of an event with status, body and times as they are at `now`.

    `siblings` are the other events of its list. Over means past its latest end; the event then leaves its
    list after `event_retention_s` and is forgotten after `event_history_s` more.
    """
    if is_over(event, now):
        row = row._replace(starts=earliest_start(event), ends=latest_end(event))
        return _over(environment, _begun(environment, row, event), now)
    is_higher = environment.settings.profile.mrid_tie_break == "higher"
    pressure = pressure_on(event, siblings, now, is_newer if is_higher else is_newer_or_lower)
    event.EventStatus_ = status_under(event, pressure, now)
    row = _with_times(row, event, event.EventStatus_, pressure, now)
    return row._replace(body=environment.codec.fragment(event))


def _with_times(row: Row, event: Event, status: EventStatus, pressure: Pressure, now: int) -> Row:
    """The row of an event that is not over, with all but the body as it is at `now`."""
    starts, ends = earliest_start(event), latest_end(event)
    change = next_under(event, status, pressure, now)
    next_at = ends if change is None else min(change, ends)
    if (row.starts, row.ends, row.status, row.next_at) == (starts, ends, status.currentStatus, next_at):
        return row
    return row._replace(starts=starts, ends=ends, status=status.currentStatus, next_at=next_at)


def _begun(environment: Environment, row: Row, event: Event) -> Row:
    """The row of an event that is over: nobody has written its beginning where nobody was there.

    Only what has not begun is scheduled, and it is listed on, or read as history. IEEE 2030.5-2018, 10.2.3.
    """
    held = event.EventStatus_
    if held.currentStatus == EventState.SCHEDULED:
        since = min(max(earliest_start(event), event.creationTime), latest_end(event))
        event.EventStatus_ = replace(held, currentStatus=int(EventState.ACTIVE), dateTime=since)
        return row._replace(body=environment.codec.fragment(event))
    return row


def _over(environment: Environment, row: Row, now: int) -> Row:
    leaves = (row.ends or now) + environment.settings.profile.event_retention_s
    forgotten = leaves + environment.settings.event_history_s
    if now < leaves:
        return row._replace(status=OVER, next_at=leaves)
    return row._replace(status=OVER, list_id=None, owner_id=row.owner_id, next_at=forgotten)


def repair(tx: Transaction, environment: Environment, rows: list[Row], now: int) -> None:
    """Write what time has changed in rows that are due.

    Those that only start are known by one question, so that they are written together at the end. Events that
    are over leave their list last: what they superseded before, and goes on, has to know of them. One without
    content is none: it says nothing, and is removed. With a TimeTariffInterval go its prices.
    """
    starting = {row.id: new for row in rows if (new := started(row, now)) is not None}
    ended = {row.id for row in rows if _has_ended(row, now)}
    rivalled = tx.with_siblings([*starting, *ended])
    crowded = [row for row in rows if _is_open(row, now) and (row.id in rivalled or row.id not in starting)]
    crowded += _going_on(tx, [row for row in rows if row.id in ended & rivalled], now)
    written = _renew_together(tx, environment, crowded, now)
    for row in rows:
        if row.id in written:
            continue
        if row.kind == OPERATION:
            settle_due(tx, environment, row, now)
        elif row.list_id is None or not row.body:
            remove_tree(tx, environment.uris, row)
        elif row.kind in INTERVAL_KINDS:
            tx.replace(row, moved(row, now))
        else:
            tx.renew(row, starting.get(row.id) or _timed_anew(tx, environment, row, now))


def repair_list(tx: Transaction, environment: Environment, list_id: int, now: int) -> None:
    """Write what time has changed in one list, or in a resource of its own."""
    own = tx.by_id(list_id)
    if own is not None and own.kind == OPERATION:
        settle_due(tx, environment, own, now)
    while due := tx.due_in_list(list_id, now, BATCH):
        repair(tx, environment, due, now)


def repair_due(tx: Transaction, environment: Environment, now: int) -> int:
    """Write what time has changed anywhere, a batch at most; how many rows that were."""
    due = tx.due(now, BATCH)
    repair(tx, environment, due, now)
    return len(due)


def repair_ahead(tx: Transaction, environment: Environment, now: int) -> int:
    """Schedule what is active and has not begun at `now` any more, a batch at most; how many rows that were.

    The clock went back since they were written. What was superseded stays so. IEEE 2030.5-2018, 10.2.3.
    """
    done = 0
    for row in tx.ahead(now, BATCH):
        if row.kind in INTERVAL_KINDS:
            done += _move_back(tx, environment, row, now) is not row
        else:
            done += tx.renew(row, _timed_anew(tx, environment, row, now)) is not row
    return done


def repair_spans(tx: Transaction, environment: Environment, now: int) -> int:
    """Reopen intervals that a clock that was ahead has ended, a batch at most; how many rows that were."""
    rows = tx.spans_ahead(now, BATCH)
    for row in rows:
        _move_back(tx, environment, row, now)
    return len(rows)


def over_ahead(reader: Reader, environment: Environment, now: int, after: int = 0) -> list[Row]:
    """Events that a clock that was ahead has ended before their time, a batch of those behind a row id."""
    retention_s = environment.settings.profile.event_retention_s
    until = now + (retention_s or environment.settings.event_history_s)
    return reader.over_ahead(now, until, after, BATCH)


def repair_over(tx: Transaction, environment: Environment, now: int, after: int) -> int | None:
    """Bring a batch of such events back; the last row id of it, None where there was none."""
    rows = over_ahead(tx, environment, now, after)
    back: list[Row] = []
    for row in rows:
        listed = _list_of(tx, environment, row) if row.list_id is None else None
        if row.list_id is not None or listed is not None:
            again = row if listed is None else row._replace(list_id=listed.id)
            back.append(tx.renew(row, _timed_anew(tx, environment, again, now)))
    for row in back:
        refresh_overlapping(tx, environment, row, now)
    return rows[-1].id if rows else None


def _list_of(reader: Reader, environment: Environment, row: Row) -> Row | None:
    """The list that an event was made in; None where that is gone."""
    place = environment.uris.find(row.href)
    above = None if place is None else environment.uris.parent(place)
    return None if above is None else reader.by_href(above)


def refresh_overlapping(tx: Transaction, environment: Environment, row: Row, now: int) -> None:
    """Bring the other events of a list up to date that may overlap with one that is new or has changed."""
    if row.list_id is not None and row.starts is not None and row.ends is not None:
        refresh_between(tx, environment, row.list_id, row.starts, row.ends, now, but=row.id)


def refresh_between(
    tx: Transaction, environment: Environment, list_id: int, starts: int, ends: int, now: int, but: int = 0
) -> list[Row]:
    """Bring the events of a list up to date that may be in force between two times; those that changed."""
    found = tx.overlapping(list_id, starts, ends)
    others = [other for other in found if other.id != but and not _has_ended(other, now)]
    first = min((other.starts or 0 for other in others), default=starts)
    last = max((other.ends or 0 for other in others), default=ends)
    if first < starts or last > ends:
        found = tx.overlapping(list_id, min(first, starts), max(last, ends))
    anew = zip(others, _beside(environment, others, found, now), strict=True)
    return [tx.renew(other, new) for other, new in anew if new is not other]


def siblings_of(tx: Transaction, environment: Environment, row: Row, event: Event) -> list[Event]:
    """The other events of a list that may overlap with one, and supersede it; to be read only."""
    if row.list_id is None:
        return []
    found = tx.overlapping(row.list_id, earliest_start(event), latest_end(event))
    able = [other for other in found if other.id != row.id and other.status not in _SUPERSEDE_NONE]
    return [known_event(environment, other).event for other in able]


def winning_mrid(
    reader: Reader,
    environment: Environment,
    list_id: int,
    event: Event,
    random_below: Callable[[int], int],
) -> str:
    """The mRID of a new event, made to win over those of its list that were made in the same second."""
    made = b"<creationTime>%d</creationTime>" % event.creationTime
    rows = reader.overlapping(list_id, earliest_start(event), latest_end(event))
    rivals = [full_mrid(row.mrid) for row in rows if row.mrid and made in row.body]
    is_higher = environment.settings.profile.mrid_tie_break == "higher"
    best = max if is_higher else min
    if not rivals or best([*rivals, full_mrid(event.mRID)]) == full_mrid(event.mRID):
        return event.mRID
    pen = environment.settings.pen
    return mrid_beyond(best(rivals), random_below, pen, is_higher=is_higher) or event.mRID


def started(row: Row, now: int) -> Row | None:
    """The row of an event without siblings that does nothing but start; None where more or less is so.

    Only the octets of its status change: most of the events that are due at one second are like that, and
    decoding them would cost most of the time that they take.
    """
    starts, ends = row.starts, row.ends
    if row.status != EventState.SCHEDULED or starts is None or ends is None or not starts <= now < ends:
        return None
    found = _SCHEDULED.search(row.body)
    if found is None:
        return None
    created = int(found[1])
    status = _ACTIVE % (created, min(now, max(starts, created)))
    body = row.body[: found.start()] + status + row.body[found.end() :]
    return row._replace(status=int(EventState.ACTIVE), next_at=ends, body=body)


def _is_event(row: Row) -> bool:
    """Whether a row is an event of a list that is not written as over."""
    is_one = row.kind not in INTERVAL_KINDS and row.kind != OPERATION
    return is_one and row.list_id is not None and row.ends is not None and row.status != OVER


def _has_ended(row: Row, now: int) -> bool:
    """Whether a row is an event whose end has come and was not written yet."""
    return _is_event(row) and (row.ends or 0) <= now


def _is_open(row: Row, now: int) -> bool:
    """Whether a row is an event that says something and whose end has not come."""
    return _is_event(row) and (row.ends or 0) > now and bool(row.body)


def _going_on(tx: Transaction, ended: list[Row], now: int) -> list[Row]:
    """The due events that go on beside those that have ended."""
    found = [
        other for list_id, rows in _by_list(ended).items() for other in tx.overlapping(list_id, *_span(rows))
    ]
    return [one for one in found if one.next_at is not None and one.next_at <= now and _is_open(one, now)]


def _renew_together(tx: Transaction, environment: Environment, rows: list[Row], now: int) -> set[int]:
    """Write events as they are at `now`, those of one list beside each other; their row ids."""
    for list_id, group in _by_list(rows).items():
        found = tx.overlapping(list_id, *_span(group))
        for row, new in zip(group, _beside(environment, group, found, now), strict=True):
            tx.renew(row, new)
    return {row.id for row in rows}


def _by_list(rows: list[Row]) -> dict[int, list[Row]]:
    """Events by their list, each once."""
    groups: dict[int, dict[int, Row]] = {}
    for row in rows:
        groups.setdefault(row.list_id or 0, {})[row.id] = row
    return {list_id: list(group.values()) for list_id, group in groups.items()}


def _span(rows: list[Row]) -> tuple[int, int]:
    """From the first start of some events to their last end."""
    return min(row.starts or 0 for row in rows), max(row.ends or 0 for row in rows)


def _move_back(tx: Transaction, environment: Environment, row: Row, now: int) -> Row:
    """Write the state of an interval at an earlier time; with an override the supply is what it was then."""
    new = tx.renew(row, moved(row, now))
    if row.kind == OVERRIDE:
        settle_due(tx, environment, row, now)
    return new


def _timed_anew(tx: Transaction, environment: Environment, row: Row, now: int) -> Row:
    """The row of an event as it is at `now`, beside the others of its list."""
    known = known_event(environment, row)
    is_alone = row.list_id is None or is_over(known.event, now)
    found = [] if is_alone else tx.overlapping(row.list_id or 0, known.starts, known.ends)
    return _beside(environment, [row], found, now)[0]


def _beside(environment: Environment, rows: list[Row], found: list[Row], now: int) -> list[Row]:
    """The rows of events of one list as they are at `now`; `found` are those that may overlap with them.

    Each event is decoded once, and encoded only where its status is another one.
    """
    known = {row.id: known_event(environment, row) for row in (*found, *rows)}
    felt = pressures(known, {row.id for row in rows}, now)
    return [_under(environment, row, known[row.id].event, felt[row.id], now) for row in rows]


def _under(environment: Environment, row: Row, event: Event, pressure: Pressure, now: int) -> Row:
    if is_over(event, now):
        return timed(environment, row, replace(event), [], now)
    status = status_under(event, pressure, now)
    row = _with_times(row, event, status, pressure, now)
    if status is event.EventStatus_:
        return row
    return row._replace(body=environment.codec.fragment(replace(event, EventStatus_=status)))
