"""Status of resources: online, overridden, capacity, operating state, storage."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from openadr_ven.back import (
    Capacity,
    Der,
    Description,
    DeviceKnown,
    Known,
    Quality,
    Quantity,
    ReportPoint,
    ResourceState,
    Standing,
    points,
)
from openadr_ven.v3.report import OperatingState
from tests.unit.openadr_ven.known_builder import MINUTE, REVERSE, T0, house, known, power

OPERATIONAL, OFF = 2, 1
LOCAL, REMOTE = 0, 1
BATTERY = Der(
    readingTime=T0,
    operationalModeStatus=OPERATIONAL,
    localControlModeStatus=REMOTE,
    soc=Decimal("0.55"),
    setMaxW=Decimal(5000),
    setMaxChargeRateW=Decimal(4000),
    setMaxDischargeRateW=Decimal(4500),
    rtgMaxChargeRateW=Decimal(5000),
    setMaxWh=Decimal(10_000),
)
NOTHING = Standing()
OUT = Standing(opted_out=frozenset({"a"}))
HELD = Standing(curtailed=frozenset({"a"}))


def point(of: Known, quantity: Quantity, at: int = T0, standing: Standing = NOTHING) -> ReportPoint:
    (found,) = points(of, [Description(rID="x", quantity=quantity)], [(at, at)], standing)
    return found


def status(of: Known, at: int = T0, standing: Standing = NOTHING) -> ResourceState:
    found = point(of, Quantity.STATUS, at, standing).value
    assert isinstance(found, ResourceState)
    return found


@pytest.mark.parametrize(
    ("age_s", "der", "told"),
    [
        (0, BATTERY, True),
        (900, BATTERY, True),
        (901, BATTERY, False),
        (0, replace(BATTERY, operationalModeStatus=OFF), False),
    ],
)
def test_a_resource_is_online_while_its_status_is_fresh_and_it_is_not_off(
    age_s: int, der: Der, *, told: bool
) -> None:
    assert status(known(ders=(der,)), T0 + age_s).is_online is told


def test_a_log_event_or_a_reading_shows_that_a_device_is_there() -> None:
    by_log = house({"a": DeviceKnown(ders=(BATTERY,), log_event_at=T0 + 5000)})
    by_reading = known(power(*range(100)))
    assert status(by_log, T0 + 5500).is_online
    assert status(by_reading, T0 + 100 * MINUTE + 899).is_online


def test_a_device_that_may_not_speak_to_the_server_is_offline() -> None:
    assert not status(house({"a": DeviceKnown(ders=(BATTERY,), is_enabled=False)})).is_online


@pytest.mark.parametrize(
    ("mode", "standing", "told"),
    [(REMOTE, Standing(), False), (LOCAL, Standing(), True), (REMOTE, OUT, True), (None, Standing(), False)],
)
def test_local_control_and_an_opt_out_override(mode: int | None, standing: Standing, *, told: bool) -> None:
    of = known(ders=(replace(BATTERY, localControlModeStatus=mode),))
    assert status(of, standing=standing).is_overridden is told


def test_capacity_is_the_share_of_what_the_resource_can_draw() -> None:
    of = known(power(-1000, flow=REVERSE), ders=(BATTERY,))
    assert status(of, T0 + 60).capacity == Capacity(
        current=Decimal("0.2"), least=Decimal(0), most=Decimal("0.8"), normal=Decimal("0.8")
    )


def test_what_feeds_in_draws_nothing() -> None:
    found = status(known(power(3000, flow=REVERSE), ders=(BATTERY,)), T0 + 60).capacity
    assert found is not None
    assert found.current == 0


def test_a_generator_has_no_capacity_to_draw() -> None:
    assert status(known(ders=(Der(readingTime=T0, setMaxW=Decimal(5000)),))).capacity is None


def test_what_is_built_for_next_to_nothing_has_no_capacity() -> None:
    der = Der(readingTime=T0, rtgMaxChargeRateW=Decimal("1E-25"))
    assert status(known(power(1000), ders=(der,)), T0 + 60).capacity is None


def test_no_measured_power_leaves_the_current_capacity_open() -> None:
    found = status(known(ders=(BATTERY,))).capacity
    assert found is not None
    assert found.current is None


def test_a_resource_of_two_devices_is_online_while_one_is_and_overridden_once_one_is() -> None:
    local = replace(BATTERY, readingTime=T0 - 5000, localControlModeStatus=LOCAL)
    of = Known(
        devices={"a": DeviceKnown(ders=(BATTERY,)), "b": DeviceKnown(ders=(local,))},
        members={"site": ("a", "b")},
    )
    found = status(of)
    assert (found.is_online, found.is_overridden) == (True, True)
    assert found.capacity is not None
    assert found.capacity.most == Decimal("0.8")


def test_the_last_status_of_a_server_that_is_away_is_the_last_known_one() -> None:
    found = point(replace(known(ders=(BATTERY,)), is_stale=True), Quantity.STATUS)
    assert found.quality is Quality.LAST_KNOWN
    assert isinstance(found.value, ResourceState)


@pytest.mark.parametrize(
    ("watt", "standing", "told"),
    [
        (2000, Standing(), OperatingState.RUNNING_NORMAL),
        (0, Standing(), OperatingState.IDLE_NORMAL),
        (2000, HELD, OperatingState.RUNNING_CURTAILED),
        (0, HELD, OperatingState.IDLE_CURTAILED),
        (2000, Standing(opted_out={"a"}, curtailed={"a"}), OperatingState.RUNNING_OPTED_OUT),
        (0, OUT, OperatingState.IDLE_OPTED_OUT),
    ],
)
def test_operating_state(watt: int, standing: Standing, told: OperatingState) -> None:
    of = known(power(watt), ders=(BATTERY,))
    assert point(of, Quantity.OPERATING_STATE, T0 + 60, standing).value is told


@pytest.mark.parametrize("fault", [{"inverterStatus": 7}, {"genConnectStatus": 0b10000}, {"alarmStatus": 1}])
def test_a_fault_is_an_error(fault: dict[str, Any]) -> None:
    of = known(ders=(replace(BATTERY, **fault),))
    assert point(of, Quantity.OPERATING_STATE, standing=OUT).value is OperatingState.ERROR


@pytest.mark.parametrize(
    ("der", "told"),
    [
        ({"storageModeStatus": 0}, OperatingState.RUNNING_NORMAL),
        ({"storageModeStatus": 2}, OperatingState.IDLE_NORMAL),
        ({"inverterStatus": 4}, OperatingState.RUNNING_NORMAL),
        ({"inverterStatus": 8}, OperatingState.IDLE_NORMAL),
        ({}, OperatingState.IDLE_NORMAL),
    ],
)
def test_without_readings_the_der_says_whether_it_works(der: dict[str, Any], told: OperatingState) -> None:
    of = known(ders=(replace(BATTERY, **der),))
    assert point(of, Quantity.OPERATING_STATE).value is told


def test_the_charge_level_of_several_is_by_what_they_hold() -> None:
    small = replace(BATTERY, soc=Decimal("0.15"), setMaxWh=Decimal(30_000))
    assert point(known(ders=(BATTERY, small)), Quantity.CHARGE_LEVEL).value == Decimal("0.25")
    unknown = replace(small, setMaxWh=None)
    assert point(known(ders=(BATTERY, unknown)), Quantity.CHARGE_LEVEL).value == Decimal("0.35")


def test_an_old_charge_level_is_the_last_known_one() -> None:
    of = known(ders=(BATTERY,))
    assert point(of, Quantity.CHARGE_LEVEL, T0 + 900).quality is Quality.GOOD
    assert point(of, Quantity.CHARGE_LEVEL, T0 + 901).quality is Quality.LAST_KNOWN


@pytest.mark.parametrize(
    ("quantity", "told"),
    [
        (Quantity.USABLE_CAPACITY, 10_000),
        (Quantity.MAX_CHARGE_POWER, 4000),
        (Quantity.MAX_DISCHARGE_POWER, 4500),
    ],
)
def test_ratings_of_storage(quantity: Quantity, told: int) -> None:
    assert point(known(ders=(BATTERY,)), quantity).value == told
    assert point(known(ders=(Der(readingTime=T0),)), quantity).quality is Quality.NO_DATA


def test_opted_out_devices_are_counted() -> None:
    assert point(known(ders=(BATTERY,)), Quantity.OPTED_OUT, standing=OUT).value == 1
    assert point(known(ders=(BATTERY,)), Quantity.OPTED_OUT).value == 0


def test_without_a_charge_level_there_is_no_data() -> None:
    assert point(known(ders=(Der(readingTime=T0),)), Quantity.CHARGE_LEVEL).quality is Quality.NO_DATA
