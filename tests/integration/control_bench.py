"""A control loop on a device in memory, with a clock by hand: what tests of failures share."""

import sqlite3
from dataclasses import dataclass, field, replace

from der_client.client_event import What
from der_client.control import Controller
from der_client.device import (
    Applied,
    BatteryState,
    Device,
    Fault,
    Nameplate,
    Reversion,
    Setpoint,
    Telemetry,
    WrittenPoint,
)
from der_client.interlocks import SafetyRules, Surroundings
from der_client.kept import Memory
from der_client.plan import Plan
from der_client.settings import ControlSettings
from der_client.watched import Watched
from function_sets import ModeSource
from schemas import ActivePower
from tests.unit.der_client.plates import plate

PLATE = replace(
    plate(10_000, 10_000, 4_000),
    der_type=80,
    modes=frozenset({"opModMaxLimW", "opModTargetW"}),
    max_charge_w=5_000.0,
    max_discharge_w=8_000.0,
)
BATTERY = BatteryState(
    voltage_v=50.0,
    current_a=0.0,
    soc_pct=50.0,
    soh_pct=100.0,
    temperature_c=20.0,
    charge_limit_a=200.0,
    discharge_limit_a=200.0,
    charge_voltage_v=56.0,
)
OUT = Setpoint(target_w=0.0, max_w_pct=0.0, energize=False)


@dataclass
class Rig:
    """A device that does what it is told and says what a test wants; it notes what happens to it."""

    name: str = "cellar"
    plate: Nameplate | Fault = PLATE
    reading: Telemetry | Fault = field(
        default_factory=lambda: Telemetry(power_w=0.0, reactive_var=0.0, battery=BATTERY)
    )
    answer: Applied | Fault = field(default_factory=Applied)
    done: list[str] = field(default_factory=list)
    told: list[tuple[Setpoint, Reversion]] = field(default_factory=list)

    async def identify(self) -> Nameplate | Fault:
        self.done.append("identify")
        return self.plate

    async def read(self) -> Telemetry | Fault:
        if isinstance(self.reading, Telemetry) and self.told:
            return replace(self.reading, power_w=self.told[-1][0].target_w or 0.0)
        return self.reading

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        self.done.append("apply")
        self.told.append((setpoint, reversion))
        return self.answer

    async def close(self) -> None:
        self.done.append("close")

    def says(self, **change: object) -> None:
        """The BMS says something else than all is well."""
        battery = replace(BATTERY, **change)  # type: ignore[arg-type]
        self.reading = Telemetry(power_w=0.0, reactive_var=0.0, battery=battery)


class Notes(dict[str, str]):
    """A memory that is a dictionary."""

    def remember(self, name: str, body: str) -> None:
        self[name] = body

    def recall(self, name: str) -> str | None:
        return self.get(name)


class Torn:
    """A memory on a disk that is broken."""

    def remember(self, name: str, body: str) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    def recall(self, name: str) -> str | None:
        raise sqlite3.OperationalError("disk I/O error")


@dataclass
class Bench:
    """A control loop, period by period; on its rig, or on a `device` that has the rig in it."""

    rig: Rig
    memory: Memory | None = None
    rules: SafetyRules = field(default_factory=SafetyRules)
    now: float = 100.0
    silent_share: float = 0.0
    ahead_s: float | None = None
    heard: list[tuple[What, str]] = field(default_factory=list)
    device: Device | None = None

    def __post_init__(self) -> None:
        self.plan = Watched[Plan | None](target(3_000))
        self.loop = self.made()

    def made(self) -> Controller:
        """A new control loop for the device."""
        return Controller(
            self.device or self.rig,
            ControlSettings(plan_wait_s=5.0),
            self.plan,
            surroundings=lambda: Surroundings(
                rules=self.rules, server_silent_share=self.silent_share, server_ahead_s=self.ahead_s
            ),
            tell=self.tell,
            local_s=lambda: self.now,
        )

    def tell(
        self,
        what: What,
        detail: str,
        *,
        href: str | None = None,
        mrid: str | None = None,
        points: tuple[WrittenPoint, ...] = (),
    ) -> None:
        self.heard.append((what, detail))

    async def begin(self) -> None:
        """Take up what the memory holds, as a start does."""
        await self.loop.restore(self.memory)

    async def cycle(self, seconds: float = 1.0) -> Setpoint:
        """One period; what the device holds after it."""
        await self.loop.cycle()
        self.now += seconds
        return self.rig.told[-1][0] if self.rig.told else Setpoint()

    @property
    def reasons(self) -> list[str]:
        return [reason.name for reason in self.loop.view.value.reasons]


def target(watts: int) -> Plan:
    value = ActivePower(multiplier=0, value=watts)
    source = ModeSource(mode="opModTargetW", value=value, mRID="AA", program_href="/p", primacy=1)
    return Plan(modes={"opModTargetW": source})
