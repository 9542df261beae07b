"""What has begun and is not on the server, by event and device."""

from openadr_ven.to_sep2 import Held, Publications, late, next_late
from openadr_ven.to_sep2.changing import Create, all_done
from tests.unit.openadr_ven.house import BATTERY, HOUR, PV, T0, House, dispatch, event

NOBODY: dict[str, frozenset[str]] = {}
BOTH = {"e1": frozenset({"battery", "pv"})}


def wanted() -> Publications:
    """Two hours for two devices."""
    house = House(devices=(BATTERY, PV))
    return house.makes(event(dispatch(-3000, -2000)))


def held(*, group: str = "", start: int | None = None) -> Held:
    """Those of a group, or that start then, are published."""
    made = [one for one in wanted().items.values() if one.home.group == group or one.start == start]
    return all_done(Held(), [Create(publication=one) for one in made])


def test_nobody_is_late_before_the_start_nor_where_all_is_published() -> None:
    assert late(wanted(), Held(), T0 - 1, NOBODY) == {}
    assert next_late(wanted(), Held(), T0 - 1) == T0
    assert late(wanted(), held(start=T0), T0, NOBODY) == {}
    assert next_late(wanted(), held(start=T0), T0) == T0 + HOUR
    assert late(wanted(), held(start=T0), T0 + HOUR, NOBODY) == BOTH


def test_those_are_late_for_whom_nothing_is_published() -> None:
    assert late(wanted(), held(group="g-pv"), T0, NOBODY) == {"e1": frozenset({"battery"})}


def test_who_was_late_stays_so_until_something_is_published() -> None:
    assert late(wanted(), Held(), T0 + 2 * HOUR, BOTH) == BOTH
    assert late(Publications(), Held(), T0 + 2 * HOUR, BOTH) == BOTH
    assert late(wanted(), held(group="g-pv"), T0 + HOUR, BOTH) == {"e1": frozenset({"battery"})}
    assert late(wanted(), held(start=T0 + HOUR), T0 + HOUR, BOTH) == {}
