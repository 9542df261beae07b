"""Every statement of the store finds its rows by an index: none grows with the fleet."""

import re
from collections.abc import Iterator
from types import ModuleType

import pytest
from sqlalchemy import text
from sqlalchemy.sql.expression import ClauseElement, Executable

from sep2_server import (
    Store,
    statements,
    statements_ahead,
    statements_events,
    statements_operators,
    statements_programs,
    statements_readings,
    statements_rights,
)
from sep2_server.notifications import statements as notifying
from sep2_server.sqlite import DIALECT, SqliteConnection

SMALL = {
    "COUNT_GROUPS": "the status of the server counts them, by an index of their names",
    "OPTIONS": "what was set at run time is read all at once",
    "BLOCKED": "the blocked certificates are read all at once",
    "CONSUMERS": "consumers of the feed are a handful",
    "COUNT_OWED": "a scrape counts the outbox, whose rows are there for seconds",
    "COUNT_DEAD": "a scrape counts the dead letters, which are bounded",
    "AHEAD": "what is active is looked through where the clock has gone back, and at a start",
    "NEXT_LINKING": "groups whose members have yet to be linked are a handful, and are there for minutes",
    "NEXT_REMOVAL": "what has yet to be removed is a handful too, of which the first by key is asked for",
    "NOT_OVER": "events that are not over are looked through, by an index of them, at the same times",
    "COUNT_MEMBERS": "run once, by a migration",
}
"""Statements that look at a whole table, and why they may."""
MODULES: tuple[ModuleType, ...] = (
    statements,
    statements_ahead,
    statements_events,
    statements_operators,
    statements_programs,
    statements_readings,
    statements_rights,
    notifying,
)
DECLARED = {
    f"{module.__name__.rpartition('.')[0].rpartition('.')[2]}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, Executable) and isinstance(value, ClauseElement)
}
MADE = {
    "rows_at": statements.rows_at(4),
    "rows_with": statements.rows_with(4),
    "rows_named": statements.rows_named(4),
    "few_lists_at": statements.few_lists_at(4),
    "items_with": statements.items_with("sqlite", is_there=True),
    "with_siblings": statements_events.with_siblings(4),
    "update_resource": statements.update_resource(frozenset({"body", "version"})),
}


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteConnection]:
    path = tmp_path_factory.mktemp("plans") / "server.db"
    Store(path).close()
    connection = SqliteConnection(path)
    yield connection
    connection.close()


def plan_of(db: SqliteConnection, statement: ClauseElement) -> list[str]:
    """The steps of SQLite's plan."""
    written = str(statement.compile(dialect=DIALECT))
    names = set(re.findall(r":(\w+)", written))
    return [
        str(row[3])
        for row in db.run(text(f"EXPLAIN QUERY PLAN {written}"), **dict.fromkeys(names)).fetchall()
    ]


@pytest.mark.parametrize("name", sorted({**DECLARED, **MADE}))
def test_no_statement_looks_at_a_whole_table(db: SqliteConnection, name: str) -> None:
    steps = plan_of(db, {**DECLARED, **MADE}[name])
    scans = [step for step in steps if step.startswith("SCAN")]
    assert bool(scans) == (name.rpartition(".")[2] in SMALL), steps


def test_what_has_a_name_of_an_owner_is_found_by_both(db: SqliteConnection) -> None:
    steps = plan_of(db, MADE["rows_named"])
    found = [step for step in steps if "SEARCH" in step]
    assert len(found) == 4
    assert all("resource_by_mrid (mrid=? AND owner_id=?)" in step for step in found)


def test_the_lists_at_many_uris_are_found_by_each_of_them(db: SqliteConnection) -> None:
    steps = plan_of(db, statements.lists_at("sqlite"))
    (scanned,) = (step for step in steps if step.startswith("SCAN"))
    assert "VIRTUAL TABLE" in scanned, "the array of the URIs that are asked for"
    assert any(step.startswith("SEARCH resource USING INDEX") and "(href=?)" in step for step in steps)
    assert any("SEARCH tally" in step and "list_id=? AND scope=?" in step for step in steps)


@pytest.mark.parametrize("name", ["HAS_PROGRAM", "FEW_IN_ORDER"])
def test_whether_a_client_has_a_program_is_asked_of_the_groups_that_have_it(
    db: SqliteConnection, name: str
) -> None:
    steps = plan_of(db, getattr(statements_programs, name))
    found = [step for step in steps if step.startswith("SEARCH")]
    assert found[-3].endswith("member_by_resource (resource_id=?)")
    assert found[-2].endswith("group_list_by_list (list_id=?)")
    assert found[-1].endswith("(viewer_id=? AND group_id=?)")
    assert not any("TEMP B-TREE" in step for step in steps)


def test_whether_a_client_has_a_list_is_asked_of_its_group(db: SqliteConnection) -> None:
    steps = plan_of(db, statements_programs.HAS_LIST)
    assert steps[0].endswith("group_list_by_list (list_id=?)")
    assert steps[-1].endswith("(viewer_id=? AND group_id=?)")


@pytest.mark.parametrize("name", ["PROGRAMS_IN_ORDER", "PROGRAM_VERSIONS"])
def test_programs_of_a_client_are_found_by_its_groups(db: SqliteConnection, name: str) -> None:
    steps = plan_of(db, getattr(statements_programs, name))
    assert steps[0].endswith("(viewer_id=?)")
    assert steps[1].endswith("(group_id=? AND kind=?)")
    assert steps[2].endswith("(list_id=?)")


def test_usage_points_of_a_device_are_found_among_those_alone(db: SqliteConnection) -> None:
    (step,) = plan_of(db, statements.POINTS_OF_OWNER)
    assert step.endswith("resource_points (owner_id=?)")


def test_what_a_device_had_is_found_by_its_owner_the_oldest_first(db: SqliteConnection) -> None:
    (step,) = plan_of(db, statements.OF_OWNER_FIRST)
    assert step.endswith("resource_by_owner (owner_id=?)")


def test_values_are_removed_by_their_set_and_key(db: SqliteConnection) -> None:
    (step,) = plan_of(db, statements_readings.DELETE_UNTO)
    assert step.endswith("(reading_set_id=? AND sort_key<?)")


def test_old_readings_are_found_by_their_day(db: SqliteConnection) -> None:
    (step,) = plan_of(db, statements_readings.OLD_SETS)
    assert "reading_by_day (day<?)" in step


def test_events_of_a_time_are_found_by_when_they_begin(db: SqliteConnection) -> None:
    """From as long before as the longest event of the list."""
    steps = plan_of(db, statements_events.OVERLAPPING)
    assert steps[0].endswith("resource_by_start (list_id=? AND starts>? AND starts<?)")
    assert steps[-1].endswith("resource_by_length (list_id=?)")
    assert not any("TEMP B-TREE" in step for step in steps)


def test_the_last_open_event_is_found_from_the_end(db: SqliteConnection) -> None:
    (step,) = plan_of(db, statements_events.LAST_OPEN)
    assert step.endswith("resource_by_start (list_id=?)")


def test_events_that_have_left_their_list_are_found_by_their_owner(db: SqliteConnection) -> None:
    (step,) = plan_of(db, statements_events.LEFT)
    assert step.endswith("resource_by_owner (owner_id=?)")


def test_responses_are_counted_by_their_event_and_read_by_their_device(db: SqliteConnection) -> None:
    (step, _) = plan_of(db, statements_rights.COUNT_REPORTS)
    assert step.endswith("report_by_subject (subject=?)")
    (step,) = plan_of(db, statements_rights.REPORTS_OF_DEVICE)
    assert step.endswith("report_by_device (end_device_id=? AND subject=? AND rowid>?)")


def test_rivals_of_an_event_are_found_by_when_they_begin(db: SqliteConnection) -> None:
    steps = plan_of(db, statements_events.with_siblings(4))
    found = [step for step in steps if "USING INDEX resource_by" in step]
    assert found[0].endswith("resource_by_start (list_id=? AND starts>? AND starts<?)")
    assert found[1].endswith("resource_by_length (list_id=?)")


def test_who_follows_a_curve_is_found_by_the_curve(db: SqliteConnection) -> None:
    first, *others = plan_of(db, statements_operators.FOLLOWERS)
    assert first.startswith("SEARCH follower")
    assert "(href=? AND resource_id>?)" in first
    assert [step.partition(" USING ")[0] for step in others] == ["SEARCH resource"]


def test_old_answers_are_found_by_their_time(db: SqliteConnection) -> None:
    (step,) = plan_of(db, statements_operators.ANSWERED_BEFORE)
    assert "answered_by_time (at<?)" in step


def test_events_that_a_clock_ahead_has_ended_are_found_by_when_they_are_due(db: SqliteConnection) -> None:
    (step, *_) = plan_of(db, statements_ahead.OVER_AHEAD)
    assert "resource_due (next_at>? AND next_at<?)" in step
    (step, *_) = plan_of(db, statements_ahead.SPANS_AHEAD)
    assert "resource_due (next_at>?)" in step


def test_statements_are_looked_at() -> None:
    assert len(DECLARED) > 90
    assert set(SMALL) <= {name.rpartition(".")[2] for name in DECLARED}
