"""Levels of the device and of what is around it: links, grid, site, inverter, clock, writes."""

import math
from dataclasses import dataclass
from typing import Annotated

from der_client.interlocks.bounds import Within, check


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRules:
    """Silence of the device, its heartbeat, and our own control loop. Interlocks 15, 16, 17 and 19."""

    silent_s: Annotated[float, Within(0.5, 30, "s", "warning of missed polls")] = 3.0
    lost_s: Annotated[float, Within(2, 120, "s", "the device counts as lost")] = 10.0
    heartbeat_warn_s: Annotated[float, Within(1, 60, "s", "warning of a heartbeat that stands")] = 3.0
    heartbeat_s: Annotated[float, Within(2, 120, "s", "nothing is written any more")] = 10.0
    late_periods: Annotated[float, Within(1, 10, "periods", "a control cycle is late")] = 2.0
    late_cycles: Annotated[
        float, Within(2, 60, "cycles", "late in a row: the reversion is not refreshed")
    ] = 5.0
    late_clear_s: Annotated[float, Within(0, 300, "s", "in time again before the next write")] = 10.0
    stale_periods: Annotated[float, Within(1, 60, "periods", "age of a setpoint that is not renewed")] = 3.0

    def __post_init__(self) -> None:
        check(self, "safety.link")


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRules:
    """The enter-service window where the device is given none by a program. Interlock 26; IEEE 1547-2018."""

    low_v_pct: Annotated[float, Within(80, 100, "% of nominal", "lowest voltage")] = 91.7
    high_v_pct: Annotated[float, Within(100, 115, "% of nominal", "highest voltage")] = 105.0
    low_hz: Annotated[
        float | None, Within(45, 60, "Hz", "lowest frequency; absent: 0.5 Hz below nominal")
    ] = None
    high_hz: Annotated[
        float | None, Within(50, 65, "Hz", "highest frequency; absent: 0.1 Hz above nominal")
    ] = None
    delay_s: Annotated[float, Within(0, 600, "s", "in the window before power rises (ESDlyTms)")] = 300.0
    ramp_s: Annotated[float, Within(0, 1000, "s", "from nothing to setMaxW after that")] = 300.0

    def __post_init__(self) -> None:
        check(self, "safety.grid")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRules:
    """Limits at the connection point and the meter that shows them. Interlocks 22 and 23."""

    derate_pct: Annotated[float, Within(50, 100, "% of the limit", "power does not rise any more")] = 95.0
    over_after_s: Annotated[float, Within(0, 60, "s", "delay of the report")] = 2.0
    stop_after_s: Annotated[float, Within(5, 300, "s", "the largest unit stops")] = 15.0
    clear_s: Annotated[float, Within(0, 3600, "s", "under the limit before it starts again")] = 60.0
    meter_stale_s: Annotated[float, Within(1, 60, "s", "warning of a silent meter")] = 3.0
    meter_lost_s: Annotated[float, Within(2, 120, "s", "the export limit becomes a generation limit")] = 10.0

    def __post_init__(self) -> None:
        check(self, "safety.site")


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterRules:
    """The inverter itself. Interlocks 30, 32 and 33."""

    derate_c: Annotated[float, Within(40, 100, "degC", "power derates from here")] = 70.0
    stop_c: Annotated[float, Within(50, 110, "degC", "stop")] = 85.0
    stop_after_s: Annotated[float, Within(0, 60, "s", "delay of the stop")] = 10.0
    energy_factor: Annotated[float, Within(1, 3, "x rating", "energy above this is not believed")] = 1.2

    def __post_init__(self) -> None:
        check(self, "safety.inverter")
        if self.derate_c >= self.stop_c:
            raise ValueError("safety.inverter: power derates below stop_c")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRules:
    """Whether the device does what it was told. Interlock 21."""

    tolerance_pct: Annotated[float, Within(1, 20, "% of setMaxW", "tolerance of the power")] = 5.0
    tolerance_w: Annotated[float, Within(1, math.inf, "W", "tolerance, at least")] = 100.0
    settle_s: Annotated[float, Within(1, 120, "s", "after the ramp until a warning")] = 10.0
    stop_after_s: Annotated[
        float, Within(10, 600, "s", "after the ramp until partial, or a stop above a limit")
    ] = 60.0
    clear_s: Annotated[float, Within(0, 3600, "s", "rest after such a stop")] = 300.0

    def __post_init__(self) -> None:
        check(self, "safety.response")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRules:
    """The server's clock against ours. Interlock 31."""

    jump_warn_s: Annotated[float, Within(0.1, 60, "s", "warning of a jump of the server's clock")] = 1.0
    offset_warn_s: Annotated[float, Within(1, 3600, "s", "warning of our system clock")] = 10.0
    jump_s: Annotated[float, Within(5, 3600, "s", "a jump after which events are held as they are")] = 60.0
    settle_s: Annotated[float, Within(0, 3600, "s", "without a jump until the new time is believed")] = 60.0

    def __post_init__(self) -> None:
        check(self, "safety.clock")


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRules:
    """How often a register may be written; what makes power safer is never held back. Interlock 35."""

    interval_s: Annotated[float, Within(0, 300, "s", "between two writes of a register, on average")] = 5.0
    burst: Annotated[float, Within(1, 100, "writes", "writes that may follow each other at once")] = 10.0
    per_day: Annotated[float, Within(100, 100_000, "writes", "most in a day where flash_backed")] = 1000.0
    flash_backed: bool = False

    def __post_init__(self) -> None:
        check(self, "safety.writes")
