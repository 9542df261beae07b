"""How much power a DER is able to give, whatever is asked of it: for DERAvailability."""

from dataclasses import replace

import pytest

from der_client.device import Setpoint, SiteReading, Telemetry
from der_client.interlocks import SiteFacts
from tests.unit.der_client.safety_bench import GIVE, PV, REST, STORAGE, SUN, Gate, says


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (REST, 8_000.0),
        (says(discharge_limit_a=60.0), 3_000.0),
        (says(discharge_allowed=False), 0.0),
        (says(soc_pct=5.0), 0.0),
        (says(stale_s=3.0), 0.0),
        (says(alarms=frozenset({"fire"})), 0.0),
    ],
)
def test_a_battery_is_able_to_give_what_its_bms_and_interlocks_leave(
    reading: Telemetry, expected: float
) -> None:
    gate = Gate()
    results = [gate.step(GIVE, reading) for _ in range(10)]

    assert results[-1].able_w == expected


def test_a_program_or_a_site_that_limits_power_takes_away_nothing_of_what_a_device_is_able_to_give() -> None:
    gate = Gate(PV)
    gate.around = replace(
        gate.around, site=SiteFacts(reading=SiteReading(power_w=5_000.0), export_limit_w=1_000.0)
    )

    assert gate.step(Setpoint(max_w_pct=20.0), SUN).able_w == 10_000.0


def test_a_hybrid_is_able_to_give_more_than_its_battery() -> None:
    hybrid = replace(STORAGE, der_type=83, max_discharge_w=3_000.0)

    assert Gate(hybrid).step(Setpoint(), SUN).able_w == 10_000.0


def test_an_inverter_that_is_stopped_is_able_to_give_nothing() -> None:
    assert Gate(PV).step(Setpoint(), replace(SUN, inputs=frozenset({"fire"}))).able_w == 0.0
