"""The BMS of the simulated battery: alarms from the pack, the family's frames, misbehaviour on command.

Pure: `due_frames` takes the time. It speaks through the same profile and DBC that the driver reads with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from der_client.physics.chance import share_of

from .encode import encode_message
from .mapping import message_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from der_client.physics.pack import Pack

    from .frame import CanFrame
    from .mapping import Profile

_GENERAL = frozenset({"general", "protection"})
_DEFAULT_PERIOD_S = 1.0
_BOGUS_FACTOR = 3.0
_LOST_SHARE = 0.5
_OPENS_AFTER_S = 2.0


class BmsFault(StrEnum):
    """What the simulated BMS can be told to do wrong."""

    SILENT = "silent"
    FROZEN_SOC = "frozen_soc"
    ALL_ZERO = "all_zero"
    TRUNCATED = "truncated"
    SWAPPED_BYTES = "swapped_bytes"
    CHARGE_BLOCKED = "charge_blocked"
    DISCHARGE_BLOCKED = "discharge_blocked"
    OVER_NAMEPLATE = "over_nameplate"
    DISABLED = "disabled"
    LOST_FRAMES = "lost_frames"
    STOPPED_HEARTBEAT = "stopped_heartbeat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One alarm with hysteresis on a quantity of the pack: set at or beyond `at`, gone beyond `back`."""

    name: str
    quantity: str
    at: float
    back: float

    def holds(self, value: float, *, is_standing: bool) -> bool:
        """Whether the alarm stands at this value; it is a low alarm if `at` is below `back`."""
        if self.at < self.back:
            return value < self.back if is_standing else value <= self.at
        return value > self.back if is_standing else value >= self.at


ALARMS = (
    Threshold(name="high_voltage", quantity="cell_v_max", at=3.65, back=3.50),
    Threshold(name="low_voltage", quantity="cell_v_min", at=2.80, back=3.05),
    Threshold(name="high_temperature", quantity="cell_t_max", at=60.0, back=45.0),
    Threshold(name="low_temperature", quantity="cell_t_min", at=-20.0, back=-10.0),
    Threshold(name="cell_imbalance", quantity="cell_v_spread", at=0.30, back=0.10),
)
WARNINGS = (
    Threshold(name="high_voltage", quantity="cell_v_max", at=3.56, back=3.45),
    Threshold(name="low_voltage", quantity="cell_v_min", at=2.95, back=3.05),
    Threshold(name="high_temperature", quantity="cell_t_max", at=50.0, back=45.0),
    Threshold(name="low_temperature", quantity="cell_t_min", at=0.0, back=3.0),
    Threshold(name="cell_imbalance", quantity="cell_v_spread", at=0.15, back=0.10),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BmsSettings:
    """Names that the BMS gives, an override of the DBC's periods (s), patience with a silent EMS (s).

    After `alive_timeout_s` without a frame from the EMS both limits are 0 and both enables are off; `None`
    means that it does not care.
    """

    manufacturer: str = "LINESIDE"
    model: str = "SIMULATED PACK"
    modules: int = 2
    period_s: float | None = None
    alive_timeout_s: float | None = None


class SimulatedBms:
    """The BMS of one pack; `inject` and `clear` switch faults, `raise_alarm` and `clear_alarm` alarms.

    `wants_charge`, `wants_full_charge` and `offline_modules` may be set; `told` is the last frame of the EMS.
    """

    def __init__(self, pack: Pack, profile: Profile, settings: BmsSettings | None = None) -> None:
        self.pack = pack
        self.profile = profile
        self.settings = BmsSettings() if settings is None else settings
        self._faults: set[BmsFault] = set()
        self._forced: set[str] = set()
        self._standing: set[Threshold] = set()
        self._frozen_soc_pct = pack.soc_pct
        self._alive_s: float | None = None
        self.told: CanFrame | None = None
        self._due_s: dict[str, float] = {}
        self._is_stopping = False
        self.wants_charge = False
        self.wants_full_charge = False
        self.offline_modules = 0
        self._frozen_heartbeat = 0.0
        self._opens_s: float | None = None
        self._outgoing = {
            (message.frame_id, message.is_extended_frame)
            for message in (message_of(profile.database, item.message) for item in profile.outgoing)
        }

    def inject(self, fault: BmsFault) -> None:
        """Misbehave in this way until `clear`."""
        self._faults.add(fault)
        if fault is BmsFault.FROZEN_SOC:
            self._frozen_soc_pct = self.pack.soc_pct

    @property
    def faults(self) -> frozenset[BmsFault]:
        """What it does wrong now."""
        return frozenset(self._faults)

    def clear(self, fault: BmsFault) -> None:
        """Behave again."""
        self._faults.discard(fault)

    def raise_alarm(self, name: str) -> None:
        """Let the alarm arrive, whatever the pack does. `ValueError` if the profile has no such alarm."""
        if name not in {alarm.name for alarm in self.profile.alarms if not alarm.is_warning}:
            raise ValueError(f"{name}: not an alarm of profile {self.profile.name}")
        self._forced.add(name)

    def clear_alarm(self, name: str) -> None:
        """Let the alarm leave, unless the pack itself gives cause for it."""
        self._forced.discard(name)

    def clear_alarms(self) -> None:
        """Let all alarms leave for which the pack itself gives no cause."""
        self._forced.clear()

    def hear(self, frame: CanFrame, now: float) -> None:
        """Take a frame from the bus; one that the profile says we are owed counts as a sign of life."""
        if (frame.arbitration_id, frame.is_extended) in self._outgoing:
            self._alive_s = now
            self.told = frame

    @property
    def period_s(self) -> float:
        """Shortest period of any message, s."""
        return min((self._period_s(name) for name in self.profile.incoming), default=_DEFAULT_PERIOD_S)

    def due_frames(self, now: float) -> tuple[CanFrame, ...]:
        """Frames to be sent at `now`, s; each message has its own period."""
        self._update_alarms()
        self.pack.alarms, self.pack.warnings = self.alarms(), self.warnings()
        self._drive_contactor(now)
        due = [name for name in self.profile.incoming if now >= self._due_s.get(name, now)]
        for name in due:
            self._due_s[name] = max(self._due_s.get(name, now) + self._period_s(name), now)
        if BmsFault.SILENT in self._faults:
            return ()
        values = self.values(now)
        kept = (name for name in due if not self._is_lost(name, now))
        return self._stop_frames() + tuple(self._frame(name, values) for name in kept)

    def demand_stop(self) -> None:
        """Demand standby with the next frames. `ValueError` if the profile has no quick stop."""
        if self.profile.quick_stop is None:
            raise ValueError(f"profile {self.profile.name} has no quick stop")
        self._is_stopping = True

    def _stop_frames(self) -> tuple[CanFrame, ...]:
        name, is_due = self.profile.quick_stop, self._is_stopping
        self._is_stopping = False
        return () if name is None or not is_due else (encode_message(self.profile, name, values={}),)

    def alarms(self) -> frozenset[str]:
        """Alarms that stand, by cause or by command."""
        return frozenset(item.name for item in ALARMS if item in self._standing) | self._forced

    def warnings(self) -> frozenset[str]:
        """Warnings that stand."""
        return frozenset(item.name for item in WARNINGS if item in self._standing)

    def values(self, now: float) -> Mapping[str, float]:
        """Canonical values that the BMS claims at `now`, faults included."""
        is_stopped = bool(self.alarms()) or self._misses_us(now)
        is_off = is_stopped or BmsFault.DISABLED in self._faults
        bogus = _BOGUS_FACTOR if BmsFault.OVER_NAMEPLATE in self._faults else 1.0
        is_charge_closed = is_stopped or BmsFault.CHARGE_BLOCKED in self._faults
        is_discharge_closed = is_stopped or BmsFault.DISCHARGE_BLOCKED in self._faults
        values = self._measured()
        values["ccl"] = 0.0 if is_charge_closed else bogus * self._claimed_a("ccl")
        values["dcl"] = 0.0 if is_discharge_closed else bogus * self._claimed_a("dcl")
        values["charge_enable"] = values["discharge_enable"] = float(not is_off)
        values["contactor"] = float(self.pack.contactor_closed)
        if BmsFault.STOPPED_HEARTBEAT not in self._faults:
            self._frozen_heartbeat = float(int(now) % 256)
        values["heartbeat"] = self._frozen_heartbeat
        return values

    def _drive_contactor(self, now: float) -> None:
        """Open where limits and alarm had time to stop the current, close when the cause is gone."""
        if not (self.alarms() or BmsFault.DISABLED in self._faults):
            self._opens_s, self.pack.wants_contactor = None, True
            return
        self._opens_s = now + _OPENS_AFTER_S if self._opens_s is None else self._opens_s
        self.pack.wants_contactor = now < self._opens_s

    def _is_lost(self, name: str, now: float) -> bool:
        if BmsFault.LOST_FRAMES not in self._faults:
            return False
        frame_id = message_of(self.profile.database, name).frame_id
        return share_of(self.pack.settings.seed, frame_id, int(now * 10)) < _LOST_SHARE

    def _claimed_a(self, name: str) -> float:
        """The pack's limit, or its whole nameplate as the thing to be exaggerated."""
        settings = self.pack.settings
        if BmsFault.OVER_NAMEPLATE in self._faults:
            return settings.max_charge_a if name == "ccl" else settings.max_discharge_a
        return self.pack.ccl_a if name == "ccl" else self.pack.dcl_a

    def _measured(self) -> dict[str, float]:
        pack = self.pack
        cell_v_min, cell_v_max = pack.cell_voltages_v
        cell_t_min, cell_t_max = pack.cell_temperatures_c
        is_frozen = BmsFault.FROZEN_SOC in self._faults
        return {
            "voltage": pack.voltage_v,
            "current": pack.current_a,
            "temp": pack.temperature_c,
            "soc": self._frozen_soc_pct if is_frozen else pack.soc_pct,
            "soh": pack.settings.soh_pct,
            "cvl": pack.cvl_v,
            "dvl": pack.dvl_v,
            "cell_v_min": cell_v_min,
            "cell_v_max": cell_v_max,
            "cell_v_spread": cell_v_max - cell_v_min,
            "cell_t_min": cell_t_min,
            "cell_t_max": cell_t_max,
            "capacity": pack.settings.capacity_ah,
            "modules": float(self.settings.modules),
            "modules_blocking_charge": 0.0,
            "modules_blocking_discharge": 0.0,
            "modules_offline": float(self.offline_modules),
            "available_capacity": pack.settings.capacity_ah * pack.settings.soh_pct / 100.0,
            "chemistry": 0.0,
            "hardware_major": 1.0,
            "hardware_minor": 0.0,
            "firmware": 100.0,
            "cycles": 0.0,
            "error": 0.0,
            "force_charge": float(self.wants_charge),
            "force_charge_2": 0.0,
            "full_charge": float(self.wants_full_charge),
        }

    def _frame(self, name: str, values: Mapping[str, float]) -> CanFrame:
        frame = encode_message(
            self._spoken_profile(),
            name,
            values=values,
            alarms=self._with_general(self.alarms(), is_warning=False),
            warnings=self._with_general(self.warnings(), is_warning=True),
            texts=self._texts(),
        )
        if name not in self.profile.must_have:
            return frame
        if BmsFault.ALL_ZERO in self._faults:
            return replace(frame, data=bytes(len(frame.data)))
        return replace(frame, data=frame.data[:2]) if BmsFault.TRUNCATED in self._faults else frame

    def _with_general(self, names: frozenset[str], *, is_warning: bool) -> frozenset[str]:
        """The names, and for those that the family has no bit for its general one."""
        known = {alarm.name for alarm in self.profile.alarms if alarm.is_warning is is_warning}
        return names | (known & _GENERAL) if names - known else names

    def _texts(self) -> Mapping[str, str]:
        volts, temperatures = self.pack.voltages_v, self.pack.temperatures_c
        return {
            "manufacturer": self.settings.manufacturer,
            "model": self.settings.model,
            "cell_v_min_id": _cell_id(volts.index(min(volts))),
            "cell_v_max_id": _cell_id(volts.index(max(volts))),
            "cell_t_min_id": _cell_id(temperatures.index(min(temperatures))),
            "cell_t_max_id": _cell_id(temperatures.index(max(temperatures))),
        }

    def _spoken_profile(self) -> Profile:
        if BmsFault.SWAPPED_BYTES not in self._faults:
            return self.profile
        return replace(self.profile, is_swapped=not self.profile.is_swapped)

    def _update_alarms(self) -> None:
        measured = self._measured()
        for item in ALARMS + WARNINGS:
            if item.holds(measured[item.quantity], is_standing=item in self._standing):
                self._standing.add(item)
            else:
                self._standing.discard(item)

    def _misses_us(self, now: float) -> bool:
        timeout_s = self.settings.alive_timeout_s
        if timeout_s is None:
            return False
        self._alive_s = now if self._alive_s is None else self._alive_s
        return now - self._alive_s >= timeout_s

    def _period_s(self, name: str) -> float:
        if self.settings.period_s is not None:
            return self.settings.period_s
        cycle_ms = message_of(self.profile.database, name).cycle_time
        return cycle_ms / 1000.0 if cycle_ms else _DEFAULT_PERIOD_S


def _cell_id(index: int) -> str:
    """The name of a cell as it stands on the pack."""
    return f"C{index + 1:02d}"
