"""Levels of the battery: cells, temperatures, current, state of charge. Values for LFP cells."""

import math
from dataclasses import dataclass
from typing import Annotated

from der_client.interlocks.bounds import Within, check


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRules:
    """Voltages of single cells, V, and their spread, mV. Interlocks 1, 2 and 6."""

    high_derate_v: Annotated[float, Within(3.2, 4.2, "V", "charge derates from here")] = 3.45
    high_v: Annotated[float, Within(3.3, 4.25, "V", "no charge")] = 3.60
    high_after_s: Annotated[float, Within(0, 10, "s", "delay of no charge")] = 2.0
    high_stop_v: Annotated[float, Within(3.3, 4.3, "V", "stop at once, latched")] = 3.65
    high_clear_v: Annotated[float, Within(3.0, 4.2, "V", "charge again below")] = 3.50
    low_derate_v: Annotated[float, Within(2.5, 3.6, "V", "discharge derates from here")] = 3.00
    low_v: Annotated[float, Within(2.4, 3.5, "V", "no discharge")] = 2.90
    low_after_s: Annotated[float, Within(0, 30, "s", "delay of no discharge")] = 5.0
    low_stop_v: Annotated[float, Within(2.3, 3.4, "V", "stop")] = 2.80
    low_stop_after_s: Annotated[float, Within(0, 10, "s", "delay of the stop")] = 2.0
    low_open_v: Annotated[float, Within(2.0, 3.3, "V", "contactor open at once, latched")] = 2.50
    low_clear_v: Annotated[float, Within(2.5, 3.7, "V", "discharge again above")] = 3.05
    spread_warn_mv: Annotated[float, Within(10, 500, "mV", "warning of imbalance")] = 80.0
    spread_derate_mv: Annotated[float, Within(20, 800, "mV", "half the power")] = 150.0
    spread_stop_mv: Annotated[float, Within(50, 1000, "mV", "0 W")] = 300.0
    spread_clear_mv: Annotated[float, Within(5, 500, "mV", "full power again below")] = 100.0
    spread_after_s: Annotated[float, Within(0, 600, "s", "delay of all levels of imbalance")] = 60.0

    def __post_init__(self) -> None:
        check(self, "safety.cells")
        rising = (self.high_derate_v, self.high_v, self.high_stop_v)
        falling = (self.low_derate_v, self.low_v, self.low_stop_v, self.low_open_v)
        if list(rising) != sorted(rising) or list(falling) != sorted(falling, reverse=True):
            raise ValueError("safety.cells: levels must follow each other: derate, act, stop, open")
        if self.high_clear_v >= self.high_v or self.low_clear_v <= self.low_v:
            raise ValueError("safety.cells: a level clears on its safe side")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureRules:
    """Temperatures of the battery, degC, their spread and their rate. Interlocks 3, 4, 5, 7 and 36."""

    charge_low_derate_c: Annotated[float, Within(-10, 20, "degC", "charge derates from here down")] = 5.0
    charge_low_c: Annotated[float, Within(-20, 15, "degC", "no charge")] = 0.0
    charge_low_clear_c: Annotated[float, Within(-15, 20, "degC", "charge again above")] = 3.0
    cold_charge_c_rate: Annotated[
        float,
        Within(0, 0.05, "1/h", "share of the capacity that may be charged below, where the BMS permits it"),
    ] = 0.0
    high_derate_c: Annotated[float, Within(25, 70, "degC", "power derates from here up")] = 45.0
    high_c: Annotated[float, Within(30, 75, "degC", "0 W")] = 55.0
    high_clear_c: Annotated[float, Within(20, 70, "degC", "power again below")] = 45.0
    high_open_c: Annotated[float, Within(35, 80, "degC", "contactor open, latched")] = 60.0
    high_open_after_s: Annotated[float, Within(0, 10, "s", "delay of the contactor")] = 1.0
    discharge_low_derate_c: Annotated[float, Within(-20, 20, "degC", "discharge derates from here down")] = (
        0.0
    )
    discharge_low_end_c: Annotated[float, Within(-40, 10, "degC", "to 0 W at")] = -10.0
    discharge_low_c: Annotated[float, Within(-40, 5, "degC", "no discharge")] = -20.0
    after_s: Annotated[float, Within(0, 60, "s", "delay of charge, discharge and 0 W")] = 5.0
    spread_warn_k: Annotated[float, Within(2, 30, "K", "warning of the spread")] = 8.0
    spread_derate_k: Annotated[float, Within(4, 40, "K", "half the power")] = 15.0
    spread_after_s: Annotated[float, Within(0, 600, "s", "delay of the spread")] = 60.0
    rate_warn_k_per_min: Annotated[float, Within(0.5, 10, "K/min", "warning of a rise")] = 3.0
    rate_k_per_min: Annotated[float, Within(1, 60, "K/min", "thermal runaway: contactor open, latched")] = (
        10.0
    )
    rate_after_s: Annotated[float, Within(0, 60, "s", "delay of the rate")] = 5.0

    def __post_init__(self) -> None:
        check(self, "safety.temperatures")
        rising = (self.high_derate_c, self.high_c, self.high_open_c)
        falling = (self.discharge_low_derate_c, self.discharge_low_end_c, self.discharge_low_c)
        if list(rising) != sorted(rising) or list(falling) != sorted(falling, reverse=True):
            raise ValueError("safety.temperatures: levels must follow each other: derate, act, open")
        if self.charge_low_derate_c < self.charge_low_c or self.charge_low_clear_c <= self.charge_low_c:
            raise ValueError("safety.temperatures: charge derates and clears above charge_low_c")


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentRules:
    """Current against CCL and DCL, and what the BMS may claim at all. Interlocks 8, 9 and 34."""

    step_up_a_per_s: Annotated[
        float | None, Within(0.01, 1000, "A/s", "fastest rise of a limit of the BMS, each module")
    ] = 1.0
    modules: Annotated[float, Within(1, 1000, "", "modules in parallel")] = 1.0
    over_pct: Annotated[float, Within(0, 20, "%", "tolerance above CCL and DCL")] = 5.0
    over_a: Annotated[float, Within(0, 20, "A", "tolerance, at least")] = 2.0
    over_after_s: Annotated[float, Within(0, 10, "s", "delay of half the power")] = 2.0
    stop_after_s: Annotated[float, Within(1, 60, "s", "delay of the stop")] = 10.0
    max_charge_a: Annotated[float | None, Within(0, math.inf, "A", "nameplate of the battery")] = None
    max_discharge_a: Annotated[float | None, Within(0, math.inf, "A", "nameplate of the battery")] = None
    min_charge_v: Annotated[float | None, Within(0, 2000, "V", "lowest CVL to be believed")] = None
    max_charge_v: Annotated[float | None, Within(0, 2000, "V", "highest CVL to be believed")] = None
    contactor_a: Annotated[float, Within(0.1, 20, "A", "current through an open contactor")] = 2.0
    contactor_after_s: Annotated[float, Within(0, 10, "s", "delay of contactor and precharge")] = 1.0
    alarm_clear_s: Annotated[float, Within(0, 600, "s", "rest after an alarm of the BMS")] = 60.0

    def __post_init__(self) -> None:
        check(self, "safety.current")


@dataclass(frozen=True, slots=True, kw_only=True)
class SocRules:
    """State of charge: the window and whether it is to be believed. Interlocks 10 and 11."""

    empty_pct: Annotated[float, Within(0, 20, "%", "no discharge, whatever the reserve")] = 5.0
    empty_derate_pct: Annotated[float, Within(0, 40, "%", "discharge derates from here to empty_pct")] = 10.0
    after_s: Annotated[float, Within(0, 60, "s", "delay of a blocked direction")] = 5.0
    jump_pct: Annotated[float, Within(1, 50, "%", "warning of a jump within 10 s")] = 5.0
    frozen_s: Annotated[float, Within(60, 3600, "s", "warning where it stands still under load")] = 600.0
    contradiction_pct: Annotated[float, Within(5, 90, "%", "not believed above this with an empty cell")] = (
        20.0
    )
    contradiction_v: Annotated[float, Within(2.5, 3.5, "V", "an empty cell")] = 2.95
    contradiction_after_s: Annotated[float, Within(0, 600, "s", "delay of half the power")] = 30.0

    def __post_init__(self) -> None:
        check(self, "safety.soc")
        if self.empty_derate_pct < self.empty_pct:
            raise ValueError("safety.soc: discharge derates above empty_pct")
