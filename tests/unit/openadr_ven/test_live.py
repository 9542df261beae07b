"""State of charge and power as devices tell them: what counts for an event, how long, and what is refused."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from openadr_ven.back import Der, DeviceKnown, Series
from openadr_ven.back.living import live_of
from openadr_ven.events import Event, Ports, Snapshot, State, Unit, plans_of, receive, uniform
from openadr_ven.events.enrolment import Enrolment, Resource
from openadr_ven.to_sep2 import (
    Basis,
    BasisError,
    Fleet,
    Live,
    Motion,
    bases_of,
    bases_table,
    judge_of,
    next_renewal,
    renewed,
    translate,
)
from schemas.codes import StorageModeStatusType as Storage
from tests.unit.openadr_ven.house import (
    BATTERY,
    CONTEXT,
    HOUR,
    LOAD,
    PROGRAMME,
    T0,
    House,
    event,
    signal,
    simple,
    watts,
)
from tests.unit.openadr_ven.known_builder import REVERSE, SITE_ROLE, house, power

NOW = T0 + 600
FRESH = Der(readingTime=NOW - 60, soc=Decimal("0.4"), setMaxWh=Decimal(10_000))
HALF = Live(soc=Decimal("0.5"), power_w=Decimal(-1000))
FLEET = Fleet(devices=(BATTERY,))
PROGRAMMES = {CONTEXT: PROGRAMME}


def told(*series: Any, ders: tuple[Der, ...] = (), **more: Any) -> Live | None:  # noqa: ANN401
    known = replace(house({"a": DeviceKnown(series=series, ders=ders)}), **more)
    return live_of(known, NOW).get("a")


def test_state_of_charge_and_ratings_are_those_of_a_fresh_status() -> None:
    der = replace(FRESH, setMaxW=Decimal("5000.7"), setMaxChargeRateW=Decimal(4000))
    live = told(ders=(der,))
    assert live is not None
    assert (live.soc, live.setMaxWh, live.setMaxW, live.setMaxChargeRateW) == (
        Decimal("0.4"),
        10_000,
        5000,
        4000,
    )


@pytest.mark.parametrize(
    ("ders", "more"),
    [
        ((replace(FRESH, readingTime=NOW - 901),), {}),
        ((replace(FRESH, readingTime=None),), {}),
        ((FRESH, replace(FRESH, readingTime=NOW - 901)), {}),
    ],
)
def test_state_of_charge_that_is_old_or_of_a_part_is_not_told(ders: tuple[Der, ...], more: Any) -> None:  # noqa: ANN401
    live = told(ders=ders, **more)
    assert live is None or live.soc is None


@pytest.mark.parametrize("more", [{"is_stale": True}, {"at": None}])
def test_nothing_is_live_while_the_server_is_away(more: Mapping[str, Any]) -> None:
    assert told(power(*[100] * 10), ders=(FRESH,), **more) is None


@pytest.mark.parametrize(
    ("series", "output_w", "motion"),
    [
        (power(*[1000] * 10), -1000, Motion.CHARGING),
        (power(*[1000] * 10, flow=REVERSE), 1000, Motion.DISCHARGING),
        (power(*[4] * 10), -4, Motion.HOLDING),
        (power(*[500] * 5, *[1500] * 5), -1000, Motion.CHARGING),
        (power(*[1000] * 10, role=SITE_ROLE), -1000, Motion.CHARGING),
    ],
)
def test_power_is_the_mean_of_the_last_while_output_positive(
    series: Series, output_w: int, motion: Motion
) -> None:
    live = told(series)
    assert live is not None
    assert (live.power_w, live.motion) == (Decimal(output_w), motion)


def test_power_of_long_ago_is_not_told() -> None:
    assert live_of(house({"a": DeviceKnown(series=(power(1000, 1000),))}), T0 + 2000) == {}


@pytest.mark.parametrize(
    ("modes", "motion"),
    [
        ((Storage.CHARGING,), Motion.CHARGING),
        ((Storage.DISCHARGING, Storage.DISCHARGING), Motion.DISCHARGING),
        ((Storage.CHARGING, Storage.DISCHARGING), Motion.HOLDING),
        ((Storage.HOLDING,), Motion.HOLDING),
        ((99,), Motion.HOLDING),
    ],
)
def test_motion_is_what_storage_says_of_itself(modes: tuple[int, ...], motion: Motion) -> None:
    live = told(ders=tuple(replace(FRESH, storageModeStatus=int(one)) for one in modes))
    assert live is not None
    assert live.motion is motion


def test_last_while_is_found_in_a_day_of_readings_at_once() -> None:
    """Only the last samples are laid out: the fleet is read for each event that comes."""
    live = live_of(house({"a": DeviceKnown(series=(power(*[9] * 1440, *[1000] * 16),))}), T0 + 1456 * 60)
    assert live["a"].power_w == -1000


def charge(kind: str, *values: str, unit: Unit | None = Unit.WH) -> Event:
    return event(signal("CHARGE_STATE", kind, *(Decimal(one) for one in values), unit=unit))


def taken(given: Event, live: Mapping[str, Live], devices: Any = FLEET) -> tuple[State, int]:  # noqa: ANN401
    """The state after an event came, and the code of its answer."""
    names = dict.fromkeys(one.resource for one in devices.devices)
    ports = Ports(
        enrolment=Enrolment(ven_id="ven-1", resources=tuple(Resource(name=name) for name in names)),
        draw=uniform(lambda: 0.5),
        judge=judge_of(devices, PROGRAMMES, lambda: live),
    )
    step = receive(State(), Snapshot(events=(given,), is_full=True), T0 - HOUR, ports)
    return step.state, int(step.answers[0].code)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (charge("setpoint", "8000"), 460),
        (charge("delta", "1000"), 460),
        (charge("multiplier", "0.8", unit=None), 460),
        (event(signal("LOAD_DISPATCH", "delta", Decimal(500), unit=Unit.W)), 469),
        (event(signal("LOAD_DISPATCH", "multiplier", Decimal("0.5"))), 469),
    ],
)
def test_what_needs_live_data_is_refused_without_and_taken_with_it(given: Event, code: int) -> None:
    assert taken(given, {})[1] == code
    assert taken(given, {"battery": HALF})[1] == 200


def test_devices_that_can_do_nothing_of_an_event_are_named() -> None:
    """Of two batteries one told its state of charge: the event is taken, and carried out by that one."""
    other = replace(BATTERY, resource="other", name="other", group="g-other", lFDI="AB")
    fleet = Fleet(devices=(BATTERY, other))
    state, code = taken(charge("setpoint", "8000"), {"battery": HALF}, fleet)
    plans = plans_of(state, T0 - HOUR)
    found = [
        translate(plans, fleet, PROGRAMMES, T0 - HOUR, renewed({}, plans, fleet, live, T0 - HOUR)).unable
        for live in ({"battery": HALF}, {"battery": HALF, "other": HALF})
    ]
    assert (code, found) == (200, [{"e1": frozenset({"other"})}, {}])


def test_loads_reduce_from_what_was_measured() -> None:
    fleet = Fleet(devices=(LOAD,))
    given = event(signal("LOAD_DISPATCH", "setpoint", Decimal(500), unit=Unit.W))
    assert [taken(given, live, fleet)[1] for live in ({}, {"load": HALF})] == [469, 200]


def plays(given: Event, *looks: tuple[int, Live]) -> list[list[int | None]]:
    """The set points after each look, with what counts for the event then."""
    state, code = taken(given, {"battery": looks[0][1]})
    assert code == 200
    bases: dict[str, Basis] = {}
    found = []
    for at, live in looks:
        plans = plans_of(state, at)
        bases = bases_of(bases_table(renewed(bases, plans, FLEET, {"battery": live}, at)))
        found.append(watts(translate(plans, FLEET, PROGRAMMES, at, bases)))
    return found


def held(soc: str, power_w: int = -1000) -> Live:
    return Live(soc=Decimal(soc), power_w=Decimal(power_w))


def test_event_counts_from_its_taking_then_from_just_before_its_start_and_stays() -> None:
    looks = [
        (T0 - HOUR, held("0.5")),
        (T0 - 900, held("0.6")),
        (T0 - 300, held("0.7")),
        (T0 - 60, held("0.9")),
    ]
    assert (
        plays(charge("setpoint", "9000"), *looks, (T0 + 900, held("0.8")))
        == [[-4000], [-4000], [-2000]] + [[-2000]] * 2
    )


def test_delta_does_not_move_with_its_own_effect() -> None:
    given = event(signal("LOAD_DISPATCH", "delta", Decimal(500), unit=Unit.W))
    looks = [(T0 - HOUR, held("0.5")), (T0 - 100, held("0.5", -2000)), (T0 + 900, held("0.5", -2500))]
    assert plays(given, *looks) == [[-1500], [-2500], [-2500]]


def test_intervals_of_a_charge_follow_each_other() -> None:
    """5,000 Wh are held: 2,000 and 1,000 more, or 7,000 and then 6,000."""
    assert plays(charge("delta", "2000", "1000"), (T0 - HOUR, HALF)) == [[-2000, -1000]]
    assert plays(charge("setpoint", "7000", "6000"), (T0 - HOUR, HALF)) == [[-2000, 1000]]


def test_interval_that_cannot_be_reached_leads_as_far_as_the_rates_do() -> None:
    given = charge("setpoint", "9500", "10000")
    assert plays(given, (T0 - HOUR, HALF)) == [[-4000, -1000]]


def test_battery_that_begins_to_charge_while_a_level_runs_is_stopped_and_stays_so() -> None:
    idle, charging = Live(motion=Motion.HOLDING), Live(motion=Motion.CHARGING, drawn_w=Decimal(900))
    looks = [(T0 - HOUR, idle), (T0 + 60, idle), (T0 + 120, charging), (T0 + 180, idle)]
    assert plays(event(simple(2)), *looks) == [[], [], [0], [0]]


def test_what_a_device_told_too_late_is_taken_once_and_a_new_version_before_the_start_counts_anew() -> None:
    state, _ = taken(charge("setpoint", "9000"), {"battery": HALF})
    plans = plans_of(state, T0 - HOUR)
    bases = renewed({}, plans, FLEET, {}, T0 - HOUR)
    bases = renewed(bases, plans, FLEET, {"battery": Live(power_w=Decimal(-5))}, T0 - 1800)
    bases = renewed(bases, plans, FLEET, {"battery": HALF}, T0 - 1700)
    assert bases["e1"].devices["battery"] == replace(HALF, power_w=Decimal(-5))
    newer = [replace(plan, event=replace(plan.event, modification=1)) for plan in plans]
    again = renewed(bases, newer, FLEET, {"battery": held("0.9")}, T0 - 1600)
    assert again["e1"].devices["battery"].soc == Decimal("0.9")
    late = renewed(bases, newer, FLEET, {"battery": held("0.9")}, T0 + 1)
    assert late["e1"].devices["battery"].soc == Decimal("0.5")
    assert late["e1"].modification == 1


def test_next_look_is_just_before_the_next_start() -> None:
    state, _ = taken(charge("setpoint", "9000"), {"battery": HALF})
    plans = plans_of(state, T0 - HOUR)
    bases = renewed({}, plans, FLEET, {}, T0 - HOUR)
    assert next_renewal(bases, plans, T0 - HOUR) == T0 - 300
    assert next_renewal(renewed(bases, plans, FLEET, {}, T0 - 300), plans, T0 - 300) is None


def test_what_is_configured_stands_against_what_is_told() -> None:
    live = {"battery": Live(setMaxWh=1, soc=Decimal("0.5"), setMaxChargeRateW=1)}
    (device,) = FLEET.with_live(live).devices
    assert (device.setMaxWh, device.setMaxChargeRateW, device.soc) == (10_000, 4000, Decimal("0.5"))


def test_event_that_is_over_has_no_basis_any_more() -> None:
    house_ = House()
    house_.hears(event(simple(1)))
    assert renewed({"e0": Basis(modification=0)}, plans_of(house_.state, T0), FLEET, {}, T0).keys() == {"e1"}


@pytest.mark.parametrize(
    "found",
    ["", [], {}, *({"bases": {"e": text}} for text in ("{", "3", '[1, true, {"b": {"colour": 1}}]'))],
    ids=str,
)
def test_basis_that_cannot_be_read_says_so(found: object) -> None:
    with pytest.raises(BasisError):
        bases_of(found)


def test_devices_that_nobody_asked_for_are_not_kept() -> None:
    state, _ = taken(charge("setpoint", "9000"), {"battery": HALF})
    found = renewed({}, plans_of(state, T0), FLEET, {"battery": HALF, "other": HALF}, T0)
    assert found["e1"].devices.keys() == {"battery"}
