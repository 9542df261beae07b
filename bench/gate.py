"""The gate of the client: what one device costs in one control period, with everything measured.

The floor is to write down what was measured, in the same periods: whatever is done with a device, that is.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from typing import Final

from bench.measure import Result
from der_client.desired import Desired
from der_client.device import BatteryState, Nameplate, Setpoint, SiteReading, Telemetry
from der_client.interlocks import SafetyRules, SiteFacts, Surroundings
from der_client.safety import SafetyState, clamp

DEVICES: Final = 1_000
PERIODS: Final = 9
MOST: Final = 25.0
"""Readings that may be made in the time of the gate."""
PLATE: Final = Nameplate(
    manufacturer="Maker",
    model="One",
    serial="1",
    version="1",
    der_type=4,
    modes=frozenset({"opModMaxLimW"}),
    max_w=10_000,
    max_va=11_000,
    max_var=4_400,
    max_var_neg=4_400,
    set_max_w=10_000,
    set_max_va=11_000,
    set_max_var=4_400,
    set_max_var_neg=4_400,
    v_nom_v=230.0,
)
STORAGE: Final = replace(PLATE, der_type=80, max_charge_w=5_000.0, max_discharge_w=8_000.0, capacity_wh=9e3)
SUN: Final = Telemetry(
    power_w=6_000.0,
    reactive_var=0.0,
    voltage_v=230.0,
    frequency_hz=50.0,
    injected_wh=1e6,
    temperatures_c={"cabinet": 40.0, "heat sink": 50.0},
    heartbeat=1,
)
PACK: Final = BatteryState(
    voltage_v=50.0,
    current_a=60.0,
    soc_pct=50.0,
    soh_pct=100.0,
    temperature_c=20.0,
    charge_limit_a=200.0,
    discharge_limit_a=200.0,
    charge_voltage_v=56.0,
    cell_v_min=3.30,
    cell_v_max=3.31,
    cell_c_min=20.0,
    cell_c_max=21.0,
    contactor_closed=True,
    heartbeat=1,
)
KINDS: Final = (
    ("a generator under a limit", PLATE, SUN, Setpoint(max_w_pct=80.0)),
    ("a battery with cells", STORAGE, replace(SUN, power_w=3e3, battery=PACK), Setpoint(target_w=3_000.0)),
)


def readings_at(second: int, reading: Telemetry) -> Telemetry:
    """The reading a second later: power, counters and heartbeats have moved."""
    battery = reading.battery
    if isinstance(battery, BatteryState):
        battery = replace(battery, heartbeat=second, current_a=60.0 + second % 7)
    power_w = reading.power_w + second % 7
    return replace(reading, power_w=power_w, heartbeat=second, injected_wh=1e6 + second, battery=battery)


def period_us(plate: Nameplate, reading: Telemetry, wish: Setpoint) -> tuple[float, float]:
    """CPU of the gate of one device in one period, and of making its reading, us: medians of periods."""
    site = SiteFacts(reading=SiteReading(power_w=100.0), export_limit_w=50_000.0)
    around = Surroundings(rules=SafetyRules(), site=site, server_ahead_s=0.0, system_ahead_s=0.0)
    states = [SafetyState()] * DEVICES
    gate, floor = [], []
    for second in range(PERIODS):
        start = time.process_time()
        now = [readings_at(second, reading) for _ in states]
        made = time.process_time()
        states = [
            clamp(Desired(setpoint=wish), seen, plate, state, float(second), around=around).state
            for seen, state in zip(now, states, strict=True)
        ]
        floor.append(made - start)
        gate.append(time.process_time() - made)
    return statistics.median(gate) / DEVICES * 1e6, statistics.median(floor) / DEVICES * 1e6


def measure() -> list[Result]:
    """What the gate costs for each kind of device; one process controls a thousand each second."""
    results = []
    for kind, plate, reading, wish in KINDS:
        ours, floor = period_us(plate, reading, wish)
        results.append(
            Result(
                name=f"gate of {kind}, one of {DEVICES:,}, one period",
                ours=ours,
                floor_value=floor,
                floor="making its reading",
                bar=MOST,
                unit="us CPU",
            )
        )
    return results
