"""The operating points on which the simulated inverter is held against the reference model.

Plain data: the reference runs in an environment of its own, so this imports nothing of ours. Shares are of
100 kW and 100 kVA, voltages per unit, frequencies in Hz, a battery's demand negative while charging.
"""

from __future__ import annotations

from typing import TypedDict

RATING_W = 100_000.0
VAR_SHARE = 0.44


class Point(TypedDict):
    """One operating point: the grid, what the DC side offers or a battery is asked for, and the functions."""

    voltage: float
    hertz: float
    power: float
    is_battery: bool
    functions: dict[str, object]


class Disturbance(TypedDict):
    """A grid that leaves normal at 1 s for `lasts_s`."""

    name: str
    voltage: float
    hertz: float
    lasts_s: float
    step_s: float


VOLT_VAR = [[0.92, 0.44], [0.98, 0.0], [1.02, 0.0], [1.08, -0.44]]
STEEP_VOLT_VAR = [[0.92, 0.3], [0.97, 0.0], [1.03, 0.0], [1.07, -0.3]]
VOLT_WATT = [[1.06, 1.0], [1.10, 0.2]]
WATT_VAR = [[-1.0, 0.44], [-0.5, 0.0], [-0.2, 0.0], [0.2, 0.0], [0.5, 0.0], [1.0, -0.44]]

VOLTAGES = (0.90, 0.93, 0.955, 0.98, 1.0, 1.025, 1.045, 1.065, 1.08, 1.095)
POWERS = (0.08, 0.35, 0.7, 1.0)
DEMANDS = (-1.0, -0.6, -0.25, 0.25, 0.6, 1.0)
FREQUENCIES = (58.7, 59.2, 59.7, 59.98, 60.02, 60.3, 60.8, 61.1)

BY_VOLTAGE: tuple[dict[str, object], ...] = (
    {},
    {"limit": 0.3},
    {"limit": 0.75},
    {"pf": 0.9, "absorbing": False},
    {"pf": 0.95, "absorbing": True},
    {"var": 0.3},
    {"var": -0.44},
    {"volt_var": VOLT_VAR},
    {"volt_var": STEEP_VOLT_VAR},
    {"volt_var": VOLT_VAR, "v_ref": 0.98},
    {"volt_var": VOLT_VAR, "volt_watt": VOLT_WATT},
    {"volt_watt": VOLT_WATT},
    {"volt_watt": VOLT_WATT, "limit": 0.5},
    {"watt_var": WATT_VAR},
    {"watt_var": WATT_VAR, "volt_watt": VOLT_WATT},
)
BY_FREQUENCY: tuple[dict[str, object], ...] = (
    {"droop": True},
    {"droop": True, "limit": 0.5},
    {"droop": True, "limit": 0.5, "volt_var": VOLT_VAR},
)
OF_BATTERY: tuple[dict[str, object], ...] = (
    {},
    {"limit": 0.5},
    {"pf": 0.9, "absorbing": False},
    {"var": 0.3},
    {"volt_var": VOLT_VAR},
    {"watt_var": WATT_VAR},
)


def points() -> list[Point]:
    """All operating points, in a fixed order."""
    found = [_point(v, 60.0, p, f) for f in BY_VOLTAGE for v in VOLTAGES for p in POWERS]
    found += [_point(1.0, hz, p, f) for f in BY_FREQUENCY for hz in FREQUENCIES for p in POWERS]
    found += [_battery(v, 60.0, p, f) for f in OF_BATTERY for v in (0.93, 1.0, 1.07) for p in DEMANDS]
    return found + [_battery(1.0, hz, p, {"droop": True}) for hz in FREQUENCIES for p in DEMANDS]


def _point(voltage: float, hertz: float, power: float, functions: dict[str, object]) -> Point:
    return {
        "voltage": voltage,
        "hertz": hertz,
        "power": power,
        "is_battery": False,
        "functions": functions,
    }


def _battery(voltage: float, hertz: float, power: float, functions: dict[str, object]) -> Point:
    return {**_point(voltage, hertz, power, functions), "is_battery": True}


DISTURBANCES: tuple[Disturbance, ...] = (
    {"name": "OV2", "voltage": 1.25, "hertz": 60.0, "lasts_s": 2.0, "step_s": 0.01},
    {"name": "OV1", "voltage": 1.15, "hertz": 60.0, "lasts_s": 20.0, "step_s": 0.01},
    {"name": "UV1", "voltage": 0.80, "hertz": 60.0, "lasts_s": 30.0, "step_s": 0.01},
    {"name": "UV2", "voltage": 0.40, "hertz": 60.0, "lasts_s": 5.0, "step_s": 0.01},
    {"name": "OF2", "voltage": 1.0, "hertz": 62.5, "lasts_s": 2.0, "step_s": 0.01},
    {"name": "OF1", "voltage": 1.0, "hertz": 61.5, "lasts_s": 310.0, "step_s": 0.05},
    {"name": "UF1", "voltage": 1.0, "hertz": 58.0, "lasts_s": 310.0, "step_s": 0.05},
    {"name": "UF2", "voltage": 1.0, "hertz": 56.0, "lasts_s": 2.0, "step_s": 0.01},
    {"name": "ridden through, low", "voltage": 0.75, "hertz": 60.0, "lasts_s": 10.0, "step_s": 0.01},
    {"name": "ridden through, deep", "voltage": 0.40, "hertz": 60.0, "lasts_s": 1.0, "step_s": 0.01},
    {"name": "ridden through, high", "voltage": 1.15, "hertz": 60.0, "lasts_s": 5.0, "step_s": 0.01},
)
"""Each is followed by a normal grid for AFTER_S."""
AFTER_S = 650.0
