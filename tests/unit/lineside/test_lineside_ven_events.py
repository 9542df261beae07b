"""`lineside ven events` and the orders to a VEN that runs: what is shown, and what is refused, and why."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lineside.__main__ import main
from lineside.ven.listing import events_of, lines_of
from lineside.ven.looking import time_text
from lineside.ven.orders import Schedule, Unschedule, checked, order_of, window_of
from lineside.ven.settings import load_settings
from lineside.ven.state import StateFolder
from openadr_ven.events import CreateOpt, Event, OptError, OptReason, OptType, State, Window, add_schedule
from openadr_ven.to_sep2 import Held, HomeKind, Record
from openadr_ven.to_sep2.publication import home_of
from openadr_ven.v2b.kept import Kept, table_of
from tests.unit.lineside.test_lineside_ven import GOOD, written
from tests.unit.openadr_ven.house import CONTEXT, HOUR, PROGRAMME, T0, House, dispatch, event, simple

HOME = home_of(PROGRAMME, HomeKind.DER, "g-battery")
CONTROL = Record(identity="i", mRID="C0", home=HOME, start=T0, end=T0 + HOUR, eventID="e1")


def held(*events: Event) -> State:
    house = House()
    house.hears(*events)
    return house.state


def test_event_has_its_number_programme_level_opt_and_what_is_published() -> None:
    (one,) = events_of(held(event(dispatch(3000), modification=2)), Held(items={"i": CONTROL}), T0 - 60)
    assert (one["eventID"], one["modification"], one["marketContext"]) == ("e1", 2, CONTEXT)
    assert (one["status"], one["opt"], one["start"], one["end"]) == ("far", "optIn", T0, T0 + HOUR)
    assert one["signals"] == [
        {
            "signal": "LOAD_DISPATCH",
            "type": "setpoint",
            "unit": "W",
            "resources": ["battery"],
            "levels": [{"start": T0, "end": T0 + HOUR, "values": [3000.0]}],
            "more": False,
        }
    ]
    assert one["published"] == [
        {
            "kind": "DERProgram",
            "programme": "Demand response",
            "group": "g-battery",
            "mRID": "C0",
            "start": T0,
            "end": T0 + HOUR,
        }
    ]


def test_event_that_runs_shows_the_levels_that_are_left() -> None:
    (one,) = events_of(held(event(simple(1, 2, 3))), Held(), T0 + HOUR)
    assert one["status"] == "active"
    assert [level["values"] for level in one["signals"][0]["levels"]] == [[2.0], [3.0]]


def test_event_that_ends_after_the_last_year_is_shown() -> None:
    """The calendar of Python ends with the year 9999; an event may be longer."""
    state = held(event(dispatch(3000, length_s=9000 * 365 * 86_400)))
    lines = "\n".join(lines_of({"events": events_of(state, Held(), T0 - 60), "schedules": []}))
    assert lines.count("to after the year 9999") == 2
    assert time_text(253_402_300_799) == "9999-12-31T23:59:59Z"


def test_event_without_end_is_cut_and_says_so() -> None:
    state = held(event(simple(*([1, 2] * 200))))
    (one,) = events_of(state, Held(), T0 - 60)
    assert (len(one["signals"][0]["levels"]), one["signals"][0]["more"]) == (288, True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (event(dispatch(3000), marketContext="http://other"), "refused, optOut, 462: unknown market context"),
        (event(dispatch(3000), is_test=True), "far, optIn, test: nothing is dispatched"),
        (
            event(dispatch(3000)),
            f"e1 (0) of {CONTEXT}, 2023-11-14T22:13:20Z to 2023-11-14T23:13:20Z: far, optIn",
        ),
    ],
)
def test_line_of_an_event_says_what_became_of_it(given: Event, said: str) -> None:
    table = {"events": events_of(held(given), Held(items={"i": CONTROL}), T0 - 60), "schedules": []}
    text = "\n".join(lines_of(table))
    assert said in text
    assert "published C0 in DERProgram 'Demand response' for group g-battery" in text


def test_cancelled_event_says_how() -> None:
    house = House()
    house.hears(event(dispatch(3000)))
    house.hears()
    (one,) = events_of(house.state, Held(), T0 - 60)
    assert (one["status"], one["cancelled"]["how"]) == ("cancelled", "missing")


def test_command_reads_what_was_kept_and_prints_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = written(tmp_path, GOOD)
    schedule = CreateOpt(
        optID="o1",
        optType=OptType.OUT,
        reason=OptReason.SCHEDULE,
        windows=(Window(start=T0, duration_s=None),),
    )
    state = add_schedule(held(event(dispatch(3000))), schedule, T0 - HOUR).state
    folder = StateFolder(load_settings(config).state)
    folder.path.mkdir()
    asyncio.run(folder.file.memory(is_20b=True).save(table_of(Kept(state=state))))
    assert main(["ven", "events", "--config", str(config)]) == 0
    assert (
        "schedule o1: optOut of all resources, 2023-11-14T22:13:20Z to further notice"
        in capsys.readouterr().out
    )
    assert main(["ven", "events", "--json", "--config", str(config)]) == 0
    told: Any = json.loads(capsys.readouterr().out)
    assert [(one["eventID"], one["opt"]) for one in told["events"]] == [("e1", "optOut")]
    assert told["schedules"][0]["windows"] == [{"start": T0, "end": None}]


def test_command_without_a_state_says_that_there_is_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ven", "events", "--config", str(written(tmp_path, GOOD))]) == 0
    assert capsys.readouterr().out == "no events\n"


@pytest.mark.parametrize(
    ("text", "length_s"),
    [
        ("2026-07-01T14:00:00Z/PT2H", 7200),
        ("2026-07-01T14:00:00Z/2026-07-01T15:00:00Z", 3600),
        ("2026-07-01T16:00:00+02:00", None),
        ("2026-07-01T14:00:00Z/P9999Y", None),
    ],
)
def test_window_is_a_start_with_an_end_or_without(text: str, length_s: int | None) -> None:
    assert window_of(text) == Window(start=1_782_914_400, duration_s=length_s)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-07-01T14:00:00/PT2H", "no time with its zone"),
        ("soon/PT2H", "is no ISO 8601 time"),
        ("2026-07-01T14:00:00Z/PT0S", "ends before it begins"),
        ("2026-07-01T14:00:00Z/2026-07-01T13:00:00Z", "ends before it begins"),
        ("2026-07-01T14:00:00Z/P2X", "is no ISO 8601 duration"),
    ],
)
def test_window_that_is_none_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        window_of(text)


SCHEDULE = {"schedule": ["2026-07-01T14:00:00Z"], "opt": "optOut", "resources": [], "marketContext": ""}


def test_orders_are_read() -> None:
    made = order_of(SCHEDULE)
    assert isinstance(made, Schedule)
    assert (made.opt, made.windows[0].duration_s, made.told("o1").optID) == (OptType.OUT, None, "o1")
    assert order_of({"unschedule": "o1"}) == Unschedule(opt_id="o1")


@pytest.mark.parametrize(
    "table",
    [
        None,
        [],
        {},
        {**SCHEDULE, "opt": "out"},
        {**SCHEDULE, "schedule": "x"},
        {**SCHEDULE, "resources": [1]},
        {**SCHEDULE, "marketContext": 1},
        {"unschedule": 1},
        {"event": 1, "opt": "optIn", "resources": []},
    ],
)
def test_orders_that_are_none_are_refused(table: object) -> None:
    with pytest.raises(ValueError, match=r"wanted|an order is"):
        order_of(table)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda one: replace(one, resources=("car",)), "no resource car here; there are battery"),
        (lambda one: replace(one, market_context="http://x"), "no programme http://x here"),
    ],
)
def test_schedule_of_what_is_not_ours_is_refused(
    change: Callable[[Schedule], Schedule], why: str, tmp_path: Path
) -> None:
    made = order_of(SCHEDULE)
    assert isinstance(made, Schedule)
    with pytest.raises(OptError, match=why):
        checked(change(made), load_settings(written(tmp_path, GOOD)).enrolment)


@pytest.mark.parametrize(
    "words", [["schedule", "out", "--window", "2026-07-01T14:00:00Z"], ["unschedule", "o1"]]
)
def test_schedule_wants_a_ven_that_runs(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ven", *words, "--config", str(written(tmp_path, GOOD))]) == 2
    assert "lineside ven: " in capsys.readouterr().err
