"""What the interlocks look at: one reading, its history, and what is known around. Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from der_client.device import BatteryState, Fault, Nameplate, SiteReading, Telemetry
from der_client.interlocks.rules import SafetyRules
from der_client.interlocks.trends import Trends


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """The connection point: its meter (`None` where there is no reading), its limits, and our part in them.

    `age_s` is that of the reading, without one that of the client. Limits are magnitudes in W, `None` where
    none holds; `*_allowed_w` is what the reading may show of them while they come down on a ramp, None: the
    limits themselves. `share` is the part of the limits that falls to this device, `is_largest` tells that it
    gives or takes more than others; `own_w` is its power when the meter was read, None: that of its last
    reading.
    """

    reading: SiteReading | None
    age_s: float = 0.0
    export_limit_w: float | None = None
    import_limit_w: float | None = None
    export_allowed_w: float | None = None
    import_allowed_w: float | None = None
    share: float = 1.0
    is_largest: bool = True
    own_w: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopFacts:
    """The control loop of a device: its period, how long the device has been silent, and its own lateness.

    `late_s` is how much later than due this cycle began, `late_cycles` how many before it were late in a
    row; `plan_age_s` the age of the setpoint; `is_unverified` tells that firmware or model are not those
    that were identified before; `writes_today` counts the writes of the register written most.
    """

    period_s: float = 1.0
    silent_s: float = 0.0
    late_s: float = 0.0
    late_cycles: int = 0
    plan_age_s: float | None = None
    is_unverified: bool = False
    writes_today: int = 0
    writes_queued: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What holds around a device: the rules, how lost the server is (1: lost), and which fields fail.

    `blocked` names fields of the Setpoint that the device takes and does not hold, `lacking` those that it
    said it cannot execute. `server_ahead_s` is the
    server's clock less our monotonic one, `system_ahead_s` our system's clock less the server's, s.
    """

    rules: SafetyRules = field(default_factory=SafetyRules)
    server_silent_share: float = 0.0
    blocked: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()
    site: SiteFacts | None = None
    loop: LoopFacts = field(default_factory=LoopFacts)
    server_ahead_s: float | None = None
    system_ahead_s: float | None = None
    allow_grid_code_writes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the interlocks look at. `state` is the battery where a BMS speaks.

    `refused` are protected fields; `grid_window` are limits of entering service, by name.
    """

    telemetry: Telemetry
    nameplate: Nameplate
    battery: BatteryState | Fault | None
    state: BatteryState | None
    trends: Trends
    around: Surroundings
    setpoint_is_valid: bool = True
    refused: frozenset[str] = frozenset()
    grid_window: Mapping[str, float] = field(default_factory=dict)

    @property
    def rules(self) -> SafetyRules:
        """The rules in force."""
        return self.around.rules

    @property
    def cell_v_max(self) -> float | None:
        """Highest cell voltage by the BMS, else by the device, V."""
        return self._cell("cell_v_max")

    @property
    def cell_v_min(self) -> float | None:
        """Lowest cell voltage by the BMS, else by the device, V."""
        return self._cell("cell_v_min")

    @property
    def cell_c_max(self) -> float | None:
        """Highest cell temperature by the BMS, else by the device, degC."""
        return self._cell("cell_c_max")

    @property
    def cell_c_min(self) -> float | None:
        """Lowest cell temperature by the BMS, else by the device, degC."""
        return self._cell("cell_c_min")

    def _cell(self, name: str) -> float | None:
        own: float | None = getattr(self.state, name, None)
        told: float | None = getattr(self.telemetry.cells, name, None)
        return told if own is None else own

    @property
    def soc_pct(self) -> float | None:
        """State of charge by the BMS, else by the device."""
        return self.state.soc_pct if self.state else self.telemetry.soc_pct
