"""An event that cannot be translated asks nothing; the others are carried out."""

from dataclasses import replace

import pytest

from openadr_ven.containing import translated
from openadr_ven.events import Plan, Target, plans_of
from openadr_ven.to_sep2 import translate
from tests.unit.openadr_ven.house import BATTERY, HOUR, PROGRAMME, T0, House, dispatch, event

FAILING = "http://dr/failing"
"""A programme whose horizon is nothing: what has no end cannot be laid out in it."""
PROGRAMMES = {
    PROGRAMME.marketContext: PROGRAMME,
    FAILING: replace(PROGRAMME, marketContext=FAILING, horizon_s=0),
}
NAMES = tuple(f"battery {number}" for number in range(7))
HOUSE = House(
    devices=tuple(replace(BATTERY, resource=name, name=name, group=name, lFDI=name) for name in NAMES)
)


def plans(failing: tuple[int, ...]) -> list[Plan]:
    """An event without end for each battery; those of `failing` cannot be translated."""
    house = House(devices=HOUSE.devices)
    endless = [
        event(dispatch(1000, length_s=None), eventID=name, targets=(Target(kind="resourceID", value=name),))
        for name in NAMES
    ]
    assert [one.code for one in house.hears(*endless)] == [200] * len(NAMES)
    found = plans_of(house.state, T0 - HOUR)
    return [
        replace(plan, event=replace(plan.event, marketContext=FAILING)) if number in failing else plan
        for number, plan in enumerate(found)
    ]


@pytest.mark.parametrize("failing", [(), (0,), (3, 4), (6,), (0, 1, 2, 3, 4, 5, 6)], ids=str)
def test_events_that_fail_take_no_other_with_them(failing: tuple[int, ...]) -> None:
    asked = plans(failing)
    if failing:
        with pytest.raises(ZeroDivisionError):
            translate(asked, HOUSE.fleet, PROGRAMMES, T0 - HOUR)
    found = translated(asked, HOUSE.fleet, PROGRAMMES, T0 - HOUR)
    names = {NAMES[number] for number in failing}
    assert {one.eventID for one in found.items.values()} == {*NAMES} - names
    assert found.unable == {name: frozenset({name}) for name in names}
    assert {note.eventID for note in found.notes} == names
    assert all("ZeroDivisionError" in note.text for note in found.notes)
