"""The energy of a flow reservation: what storage gave and took, and when all of it has flown. 2030.5, 21."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from der_client.device import Telemetry
from der_client.device_view import DeviceView
from der_client.flow import Grant, StorageFlow, UsedEnergy, used_from, used_text
from tests.unit.der_client.plates import PV, STORAGE

CHARGE = Grant(mrid="B1", energy_wh=1_000.0)
GIVE = Grant(mrid="B2", energy_wh=-1_000.0)
BATTERY = DeviceView(name="battery", nameplate=STORAGE)


def read(
    at_s: float, power_w: float, given_wh: float | None = None, taken_wh: float | None = None
) -> DeviceView:
    reading = Telemetry(power_w=power_w, reactive_var=0.0, injected_wh=given_wh, absorbed_wh=taken_wh)
    return replace(BATTERY, telemetry=reading, at_s=at_s)


def flow(*views: DeviceView) -> list[float | None]:
    counted = StorageFlow()
    return [counted.after([view]) for view in views]


def test_power_over_time_is_energy() -> None:
    assert flow(read(0.0, -3_600.0), read(10.0, 7_200.0), read(20.0, 0.0)) == [0.0, -10.0, 10.0]


def test_counters_go_before_power() -> None:
    assert flow(read(0.0, 9e9, 100.0, 50.0), read(10.0, 9e9, 103.0, 51.0)) == [0.0, 2.0]


def test_a_counter_that_runs_backwards_is_not_believed() -> None:
    assert flow(read(0.0, 3_600.0, 100.0, 50.0), read(10.0, 0.0, 3.0, 50.0)) == [0.0, 10.0]


def test_the_same_reading_is_counted_once_and_a_long_silence_only_in_part() -> None:
    assert flow(read(0.0, 3_600.0), read(0.0, 3_600.0), read(4_000.0, 0.0)) == [0.0, 0.0, 60.0]


def test_what_is_no_storage_or_was_not_read_gives_nothing() -> None:
    roof = DeviceView(name="roof", nameplate=PV, telemetry=Telemetry(power_w=1.0, reactive_var=0.0))

    assert flow(BATTERY, roof) == [None, None]


def counted(grant: Grant | None, values: Sequence[float | None], used: UsedEnergy) -> list[bool]:
    used.running = grant
    return [used.after(value) for value in values]


@pytest.mark.parametrize(
    ("grant", "values"), [(CHARGE, (50.0, -450.0, -950.0, -1_500.0)), (GIVE, (50.0, 550.0, 1_050.0, 1_600.0))]
)
def test_a_grant_is_spent_once_when_its_energy_has_flown_in_its_direction(
    grant: Grant, values: Sequence[float]
) -> None:
    used = UsedEnergy()

    assert counted(grant, values, used) == [False, False, True, False]
    assert used.is_spent(grant)


def test_what_flows_the_other_way_uses_nothing() -> None:
    used = UsedEnergy()

    assert counted(CHARGE, (0.0, 5_000.0, 4_500.0), used) == [False, False, False]
    assert used.used_wh == {"B1": 500.0}


def test_what_flowed_while_it_did_not_run_is_not_counted() -> None:
    used = UsedEnergy()
    counted(CHARGE, (0.0, -100.0), used)
    counted(None, (None,), used)
    counted(GIVE, (900.0, 950.0), used)
    counted(CHARGE, (-5_000.0, -5_100.0), used)

    assert used.used_wh == {"B1": 200.0, "B2": 50.0}


def test_what_was_used_survives_a_restart_and_is_forgotten_with_its_offer() -> None:
    used = UsedEnergy(used_from(used_text({"B1": 999.0, "B2": 3.0})))
    used.forget({"B1"})

    assert counted(CHARGE, (0.0, -1.0), used) == [False, True]
    assert used_from(None) == {}
    assert used.used_wh == {"B1": 1_000.0}
