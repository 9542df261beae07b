"""Events that overlap in one list: each is as it was found by itself, and few are decoded."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from function_sets import earliest_start, is_over, latest_end
from schemas import Codec, DateTimeInterval, DERControl, DERControlBase, EventStatus
from sep2_server import Environment, Store, settings_of
from sep2_server.event_times import event_of, refresh_overlapping, repair, siblings_of, timed
from sep2_server.rows import Row
from sep2_server.transaction import Transaction
from tests.crowded_events import NOW, TIMES, controls
from tests.inputs import inputs
from tests.integration.sep2_harness import DATABASES

pytestmark = pytest.mark.usefixtures("each_database")

ENVIRONMENTS = {
    rule: Environment.of(settings_of({"profile": {"mrid_tie_break": rule}})) for rule in ("higher", "lower")
}
ENVIRONMENT = ENVIRONMENTS["higher"]


Way = Callable[[Transaction, list[Row]], None]


class Undo(Exception):
    """What was written is not to stay."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(DATABASES.of(tmp_path))
    yield store
    store.close()


def listed(tx: Transaction, events: list[DERControl]) -> list[Row]:
    """The rows of events in a list of their own, as they are, whether they are right or not."""
    list_id = tx.next_id()
    tx.insert(Row(list_id, f"/derp/{list_id}/derc", "DERControlList"))
    rows = []
    for event in events:
        number = tx.next_id()
        row = Row(
            number,
            f"/derp/{list_id}/derc/{number}",
            "DERControl",
            list_id=list_id,
            mrid=event.mRID,
            status=event.EventStatus_.currentStatus,
            starts=earliest_start(event),
            ends=latest_end(event),
            next_at=latest_end(event),
            body=ENVIRONMENT.codec.fragment(event),
        )
        rows.append(tx.insert(row))
    return rows


def refresh_each(tx: Transaction, environment: Environment, row: Row, now: int) -> None:
    """Look at each event that overlaps with one by itself, beside all that overlap with it."""
    assert row.list_id is not None
    for other in tx.overlapping(row.list_id, row.starts or 0, row.ends or 0):
        event = event_of(environment, other)
        if other.id == row.id or is_over(event, now):
            continue
        found = tx.overlapping(row.list_id, earliest_start(event), latest_end(event))
        able = [one for one in found if one.id != other.id and one.status not in {2, 3}]
        siblings = [event_of(environment, one) for one in able]
        tx.renew(other, timed(environment, other, event, siblings, now))


def require_alike(store: Store, prepare: Callable[[Transaction], list[Row]], *ways: Way) -> None:
    """Require that several ways of work leave the same rows; nothing of it stays."""
    seen: list[list[Row | None]] = []

    def job(tx: Transaction) -> None:
        rows = prepare(tx)
        for way in ways:
            with contextlib.suppress(Undo), tx.attempt():
                way(tx, rows)
                seen.append([tx.by_id(row.id) for row in rows])
                raise Undo
        raise Undo

    with pytest.raises(Undo):
        store.write(job)
    assert seen == [seen[0]] * len(ways)


@settings(max_examples=inputs(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    events=st.lists(controls(), min_size=1, max_size=14),
    now=TIMES,
    rule=st.sampled_from(["higher", "lower"]),
)
def test_all_are_as_if_each_was_looked_at_by_itself(
    store: Store, events: list[DERControl], now: int, rule: str
) -> None:
    environment = ENVIRONMENTS[rule]
    alone, at_once = (
        lambda tx, rows: refresh_each(tx, environment, rows[0], now),
        lambda tx, rows: refresh_overlapping(tx, environment, rows[0], now),
    )
    require_alike(store, lambda tx: listed(tx, events), alone, at_once)


def repair_each(tx: Transaction, environment: Environment, rows: list[Row], now: int) -> None:
    """Look at each event that is due by itself, beside all others of its list, also those that end now."""
    events = {row.id: event_of(environment, row) for row in rows}
    able = {number: one for number, one in events.items() if one.EventStatus_.currentStatus not in {2, 3}}
    for row in rows:
        if row.next_at is not None and row.next_at <= now:
            siblings = [one for number, one in able.items() if number != row.id]
            tx.renew(row, timed(environment, row, event_of(environment, row), siblings, now))


@settings(max_examples=inputs(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    events=st.lists(controls(), min_size=1, max_size=14),
    due=st.lists(st.booleans(), min_size=14, max_size=14),
    now=TIMES,
    rule=st.sampled_from(["higher", "lower"]),
)
def test_all_that_are_due_are_as_if_each_was_looked_at_by_itself(
    store: Store, events: list[DERControl], due: list[bool], now: int, rule: str
) -> None:
    environment = ENVIRONMENTS[rule]

    def prepare(tx: Transaction) -> list[Row]:
        return [
            tx.renew(row, row._replace(next_at=min(now, row.ends or now)) if is_due else row)
            for row, is_due in zip(listed(tx, events), due, strict=False)
        ]

    alone, at_once = (
        lambda tx, rows: repair_each(tx, environment, rows, now),
        lambda tx, rows: repair_those(tx, environment, rows, now),
    )
    require_alike(store, prepare, alone, at_once)


def repair_those(tx: Transaction, environment: Environment, rows: list[Row], now: int) -> None:
    repair(tx, environment, [row for row in rows if row.next_at is not None and row.next_at <= now], now)


def control(number: int, name: str) -> DERControl:
    return DERControl(
        mRID=f"{number:032X}",
        description=name,
        creationTime=NOW + number,
        EventStatus_=EventStatus(currentStatus=0, dateTime=NOW, potentiallySuperseded=False),
        interval=DateTimeInterval(start=NOW + 100 + number % 7, duration=60),
        DERControlBase_=DERControlBase(opModMaxLimW=5000),
    )


@pytest.mark.parametrize("count", [20, 40])
def test_one_more_among_many_decodes_each_of_them_once(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    decoded: list[bytes] = []
    name = tmp_path.name[-32:]
    decode = Codec.decode_fragment

    def counted(codec: Codec, fragment: bytes, expected: type[object]) -> object:
        decoded.append(fragment)
        return decode(codec, fragment, expected)

    def publish(tx: Transaction) -> None:
        rows = listed(tx, [control(number, name) for number in range(count)])
        added = control(count, name)
        monkeypatch.setattr(Codec, "decode_fragment", counted)
        row = rows[-1]._replace(id=tx.next_id(), href="/new", mrid=added.mRID)
        siblings = siblings_of(tx, ENVIRONMENT, row, added)
        row = tx.insert(timed(ENVIRONMENT, row, added, siblings, NOW + count))
        refresh_overlapping(tx, ENVIRONMENT, row, NOW + count)

    store.write(publish)
    assert sorted(set(decoded)) == sorted(decoded)
    assert count <= len(decoded) <= count + 1


@pytest.mark.parametrize("later", [0, 200])
def test_many_that_are_due_are_asked_for_together(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later: int
) -> None:
    """Those that start at one second, and those that end."""
    asked: list[int] = []
    overlapping = Transaction.overlapping

    def counted(tx: Transaction, list_id: int, starts: int, ends: int) -> list[Row]:
        asked.append(list_id)
        return overlapping(tx, list_id, starts, ends)

    def run(tx: Transaction) -> list[int | None]:
        rows = listed(tx, [control(number, tmp_path.name[-32:]) for number in range(40)])
        due = [tx.renew(row, row._replace(next_at=NOW + 107)) for row in rows]
        with monkeypatch.context() as patched:
            patched.setattr(Transaction, "overlapping", counted)
            repair(tx, ENVIRONMENT, due, NOW + 107 + later)
        return [row.status for number in due if (row := tx.by_id(number.id)) is not None]

    statuses = store.write(run)
    assert len(statuses) == 40
    assert len(asked) <= 2
