"""The state survives a restart."""

import json
from decimal import Decimal

import pytest

from openadr_ven.events import (
    CreateOpt,
    OptReason,
    OptType,
    Point,
    State,
    Window,
    add_schedule,
    from_json,
    opt_resources,
    to_json,
)
from openadr_ven.events.errors import StoredError
from openadr_ven.events.stored import record_from_json, record_to_json
from tests.unit.openadr_ven.event_builder import HOUR, T0, Ven, cancelled_event, event, event_3, late, signal


def lived_in() -> State:
    """A state with something of everything."""
    ven = Ven(offsets={"runs": 5})
    curve = signal("CURVE", "", None, Point(x=Decimal("0.92"), y=Decimal("-0.44")))
    notice = signal("ALERT_FIRE", "", None, "run")
    override = signal("CTA2045_SET_OVERRIDE_STATUS", "", None, True)
    ven.hears(
        event("runs", randomization=late(60), baseline=signal("BASELINE", "")),
        event("bad", flaw="no duration"),
        event_3("three", signals=(curve, notice, override), start=None, duration_s=None, priority=0),
    )
    ven.waits(T0 + 5)
    window = Window(start=T0 + 10 * HOUR, duration_s=None)
    made = CreateOpt(optID="o1", optType=OptType.OUT, reason=OptReason.SCHEDULE, windows=(window,))
    ven.keeps(add_schedule(ven.state, made, T0 + 10))
    ven.keeps(
        opt_resources(
            ven.state, "runs", ("charger",), OptType.OUT, T0 + 11, optID="o2", reason=OptReason.ECONOMIC
        )
    )
    ven.hears(cancelled_event("runs"), full=False, at=T0 + 20)
    return ven.state


def test_state_is_the_same_after_a_restart() -> None:
    state = lived_in()

    assert from_json(to_json(state)) == state


def test_single_event_is_the_same_after_a_restart() -> None:
    for record in lived_in().records.values():
        assert record_from_json(record_to_json(record)) == record


def test_ven_goes_on_after_a_restart_as_if_nothing_was() -> None:
    ven = Ven(offsets={"e1": 30})
    ven.hears(event(randomization=late(60)))
    again = Ven(state=from_json(to_json(ven.state)))

    assert again.hears(event(randomization=late(60)), at=T0 + 40) == ven.hears(
        event(randomization=late(60)), at=T0 + 40
    )
    assert again.drawn == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version":1}',
        '{"version":2,"state":{"records":{},"schedules":[]}}',
        '{"version":1,"state":{"records":{"e1":{}},"schedules":[]}}',
        '{"version":1,"state":{"records":[],"schedules":[]}}',
        '{"version":1,"state":{"records":{},"schedules":[1]}}',
        '{"version":1,"state":{"records":{},"others":[]}}',
    ],
)
def test_damaged_state_is_said(text: str) -> None:
    with pytest.raises(StoredError):
        from_json(text)


@pytest.mark.parametrize("text", ["", "1", "{}"])
def test_damaged_event_is_said(text: str) -> None:
    with pytest.raises(StoredError):
        record_from_json(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [("phase", "asleep"), ("start", "soon"), ("start", True), ("drawn", {}), ("refusal", 1)],
)
def test_damaged_field_of_an_event_is_said(name: str, value: object) -> None:
    table = json.loads(record_to_json(lived_in().records["runs"]))
    table[name] = value

    with pytest.raises(StoredError):
        record_from_json(json.dumps(table))


def test_damaged_number_is_said() -> None:
    text = record_to_json(lived_in().records["runs"]).replace('{"decimal":"3000"}', '{"decimal":"lots"}')

    with pytest.raises(StoredError):
        record_from_json(text)


def test_field_that_an_older_version_did_not_have_is_at_its_default() -> None:
    record = lived_in().records["bad"]
    table = json.loads(record_to_json(record))
    del table["opted"]

    assert record_from_json(json.dumps(table)) == record
