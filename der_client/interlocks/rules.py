"""Everything that an operator may set of the safety layer: a tree of small tables, each value in hard bounds.

Defaults are those of the published list of interlocks for LFP cells; the pack maker's data sheet wins.
"""

import math
from dataclasses import dataclass, field
from typing import Annotated

from der_client.interlocks.bounds import Within, check
from der_client.interlocks.rules_battery import (
    CellRules,
    CurrentRules,
    SocRules,
    TemperatureRules,
)
from der_client.interlocks.rules_device import (
    ClockRules,
    GridRules,
    InverterRules,
    LinkRules,
    ResponseRules,
    SiteRules,
    WriteRules,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyRules:
    """What an operator may set of the safety layer; every value has hard bounds.

    `reserve_pct` is the floor of discharge, `full_pct` the ceiling of charge; power derates over
    `derate_band_pct` before each. `server_lost_max_w` limits the power while the server is lost and
    `ramp_w_per_min` how fast power may change (`None`: what the server says alone holds).
    """

    reserve_pct: Annotated[float, Within(0, 90, "%", "floor of discharge by programs")] = 10.0
    full_pct: Annotated[float, Within(50, 100, "%", "ceiling of charge")] = 100.0
    derate_band_pct: Annotated[
        float, Within(0, 20, "%", "power derates over this before floor and ceiling")
    ] = 5.0
    hysteresis_pct: Annotated[float, Within(0, 10, "%", "a blocked direction opens again this far away")] = (
        2.0
    )
    dead_band_pct: Annotated[float, Within(0, 10, "% of setMaxW", "a change that is not worth a write")] = 1.0
    reversal_s: Annotated[float, Within(0, 60, "s", "pause at 0 W before a change of direction")] = 2.0
    bms_stale_s: Annotated[float, Within(0.5, 10, "s", "silence of the BMS until 0 W")] = 3.0
    bms_lost_s: Annotated[float, Within(1, 60, "s", "silence of the BMS until the inverter stops")] = 10.0
    server_lost_max_w: Annotated[
        float | None, Within(0, math.inf, "W", "most power while the server is lost")
    ] = None
    ramp_w_per_min: Annotated[
        float | None, Within(1, math.inf, "W/min", "fastest change of power by a setpoint")
    ] = None
    min_on_s: Annotated[float, Within(0, 3600, "s", "time in service before a wished stop")] = 2.0
    min_off_s: Annotated[float, Within(0, 3600, "s", "time out of service before a start")] = 2.0
    cells: CellRules = field(default_factory=CellRules)
    temperatures: TemperatureRules = field(default_factory=TemperatureRules)
    current: CurrentRules = field(default_factory=CurrentRules)
    soc: SocRules = field(default_factory=SocRules)
    link: LinkRules = field(default_factory=LinkRules)
    grid: GridRules = field(default_factory=GridRules)
    site: SiteRules = field(default_factory=SiteRules)
    inverter: InverterRules = field(default_factory=InverterRules)
    response: ResponseRules = field(default_factory=ResponseRules)
    clock: ClockRules = field(default_factory=ClockRules)
    writes: WriteRules = field(default_factory=WriteRules)

    def __post_init__(self) -> None:
        check(self, "safety")
        if self.reserve_pct > self.full_pct:
            msg = f"safety.reserve_pct: {self.reserve_pct} above safety.full_pct"
            raise ValueError(msg)
