"""The BMS as a state machine: frames and times in, BatteryState or Fault out. Pure; time is an argument."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from der_client.device import BatteryState, Fault, FaultKind

from .canonical import DETAILS
from .decode import BmsDecoder
from .limits import BatteryLimits, Claim, LimitGuard
from .mapping import message_of, signal_of
from .soc_watch import SOC_FROZEN, SocWatch

if TYPE_CHECKING:
    from .decode import Rejection, Sample
    from .frame import CanFrame
    from .mapping import Profile

FORCE_CHARGE = "force_charge"
FULL_CHARGE = "full_charge"
MODULES_OFFLINE = "modules_offline"
MODULES_BLOCKING = "modules_blocking"
QUICK_STOP = "quick_stop"
CONTACTOR_OPEN = "contactor_open"
MESSAGE_SILENT = "message_silent"


_BLOCKING = ("modules_blocking_charge", "modules_blocking_discharge")


class Phase(StrEnum):
    """Where the conversation with the BMS stands."""

    INIT = "init"
    OK = "ok"
    STALE = "stale"
    LOST = "lost"
    RECOVERING = "recovering"


class Freshness(StrEnum):
    """How the required values look at one moment."""

    MISSING = "missing"
    FRESH = "fresh"
    LATE = "late"
    SILENT = "silent"
    SETTLED = "settled"


TRANSITIONS: dict[tuple[Phase, Freshness], Phase] = {
    (Phase.INIT, Freshness.MISSING): Phase.INIT,
    (Phase.INIT, Freshness.FRESH): Phase.OK,
    (Phase.INIT, Freshness.LATE): Phase.INIT,
    (Phase.INIT, Freshness.SILENT): Phase.INIT,
    (Phase.OK, Freshness.FRESH): Phase.OK,
    (Phase.OK, Freshness.LATE): Phase.STALE,
    (Phase.OK, Freshness.SILENT): Phase.LOST,
    (Phase.STALE, Freshness.FRESH): Phase.OK,
    (Phase.STALE, Freshness.LATE): Phase.STALE,
    (Phase.STALE, Freshness.SILENT): Phase.LOST,
    (Phase.LOST, Freshness.FRESH): Phase.RECOVERING,
    (Phase.LOST, Freshness.LATE): Phase.LOST,
    (Phase.LOST, Freshness.SILENT): Phase.LOST,
    (Phase.RECOVERING, Freshness.FRESH): Phase.RECOVERING,
    (Phase.RECOVERING, Freshness.SETTLED): Phase.OK,
    (Phase.RECOVERING, Freshness.LATE): Phase.LOST,
    (Phase.RECOVERING, Freshness.SILENT): Phase.LOST,
}


class BmsState:
    """One battery as its BMS tells it. Owned by one task; `now` is monotonic, s, and never falls.

    INIT until every required value was seen; OK; STALE once a required value is `stale_s` old: the limits
    are 0; LOST at `lost_s`: a fault, until `recover_s` of good frames without a gap.
    """

    def __init__(self, profile: Profile, limits: BatteryLimits | None = None) -> None:
        self.decoder = BmsDecoder(profile)
        self.phase = Phase.INIT
        self._timing = profile.timing
        self._limits = BatteryLimits() if limits is None else limits
        self._guard = LimitGuard(self._limits)
        self._soc_watch = SocWatch(_soc_step_pct(profile))
        self._seen: dict[str, Sample | None] = {}
        self._stop_id = None if profile.quick_stop is None else profile.identifier(profile.quick_stop)
        self._stopped_s: float | None = None
        self._is_complete = False
        self._good_since_s: float | None = None
        self._alarm_left_s: float | None = None

    def feed(self, frame: CanFrame, now: float) -> tuple[Rejection, ...]:
        """Take one frame received at `now`, s; what of it was refused."""
        self._advance(now)
        if self._stop_id == (frame.arbitration_id, frame.is_extended):
            self._alarm_left_s = self._stopped_s = now
        had_alarm = self.decoder.has_alarm
        rejections = self.decoder.feed(frame, now)
        if had_alarm and not self.decoder.has_alarm:
            self._alarm_left_s = now
        self._take_samples(now)
        self._advance(now)
        return rejections

    def assess(self, now: float) -> BatteryState | Fault:
        """The battery at `now`: a state while the BMS speaks, else a fault."""
        self._advance(now)
        if self.phase is Phase.INIT:
            waiting = ", ".join(self.decoder.missing()) or "a complete set"
            return Fault(kind=FaultKind.NO_ANSWER, detail=f"not received yet: {waiting}")
        if self.phase in {Phase.LOST, Phase.RECOVERING}:
            return self._lost_fault(now)
        return self._battery_state(now)

    def alarms(self, now: float) -> frozenset[str]:
        """Alarms of the BMS that stand, and its demand for standby while that holds."""
        is_stopped = self._stopped_s is not None and now - self._stopped_s < self._timing.restart_delay_s
        return self.decoder.alarms | {QUICK_STOP} if is_stopped else self.decoder.alarms

    def details(self) -> dict[str, float]:
        """What else the BMS has told of itself, by canonical name."""
        found = {name: self.decoder.value(name) for name in DETAILS}
        return {name: value for name, value in found.items() if value is not None}

    def warnings(self, now: float) -> frozenset[str]:
        """What the BMS warns of and what we noticed ourselves."""
        own = (
            (SOC_FROZEN, self._soc_watch.is_frozen),
            (FORCE_CHARGE, self._wants_charge),
            (FULL_CHARGE, self.decoder.value("full_charge") == 1.0),
            (MODULES_OFFLINE, bool(self.decoder.value("modules_offline"))),
            (MODULES_BLOCKING, any(self.decoder.value(name) for name in _BLOCKING)),
            (CONTACTOR_OPEN, self.decoder.value("contactor") == 0.0),
            (MESSAGE_SILENT, bool(self.decoder.quiet(now, self._timing.lost_s))),
        )
        return self.decoder.warnings | self._guard.warnings | {name for name, is_true in own if is_true}

    def _battery_state(self, now: float) -> BatteryState:
        is_charge_open, is_discharge_open = self._open_directions(now)
        charge_a, discharge_a = self._guard.in_force(
            now, is_charge_open=is_charge_open, is_discharge_open=is_discharge_open
        )
        return BatteryState(
            voltage_v=self.decoder.needed("voltage"),
            current_a=self.decoder.needed("current"),
            soc_pct=self.decoder.needed("soc"),
            soh_pct=self.decoder.needed("soh"),
            temperature_c=self.decoder.needed("temp"),
            charge_limit_a=charge_a,
            discharge_limit_a=discharge_a,
            charge_voltage_v=self.decoder.needed("cvl"),
            charge_allowed=is_charge_open,
            discharge_allowed=is_discharge_open,
            alarms=self.alarms(now),
            warnings=self.warnings(now),
            stale_s=self.decoder.silence_s(now),
            discharge_voltage_v=self._recent("dvl", now),
            cell_v_min=self._recent("cell_v_min", now),
            cell_v_max=self._recent("cell_v_max", now),
            cell_c_min=self._recent("cell_t_min", now),
            cell_c_max=self._recent("cell_t_max", now),
            contactor_closed=_flag(self.decoder.value("contactor")),
            wants_charge=self._wants_charge,
            heartbeat=_counter(self.decoder.value("heartbeat")),
        )

    @property
    def _wants_charge(self) -> bool:
        """True while the BMS asks to be charged, by either of its two requests."""
        return 1.0 in {self.decoder.value("force_charge"), self.decoder.value("force_charge_2")}

    def _recent(self, name: str, now: float) -> float | None:
        """A value that no limit depends on, while the BMS still tells it: a slow one for as much longer."""
        mapping, timing = self.decoder.profile.values.get(name), self._timing
        own_s = timing.stale_s if mapping is None else mapping.stale_s
        return self.decoder.recent(name, now, own_s + timing.lost_s - timing.stale_s)

    def _open_directions(self, now: float) -> tuple[bool, bool]:
        """Whether charge and discharge are allowed at `now`, apart from the size of the limits."""
        is_open = (
            self.phase is Phase.OK
            and not self.decoder.has_alarm
            and not self._is_restart_delayed(now)
            and self.decoder.value("contactor") != 0.0
        )
        is_charge_open = is_open and self.decoder.value("charge_enable") != 0.0
        is_discharge_open = is_open and self.decoder.value("discharge_enable") != 0.0
        return is_charge_open, is_discharge_open and not self._wants_charge

    def _is_restart_delayed(self, now: float) -> bool:
        return self._alarm_left_s is not None and now - self._alarm_left_s < self._timing.restart_delay_s

    def _take_samples(self, now: float) -> None:
        """Hand each new sample of limits and state of charge on, once."""
        self._is_complete = self._is_complete or not self.decoder.missing()
        if self._is_complete:
            if self._is_new("ccl") | self._is_new("dcl"):
                self._guard.claim(self._claim(), now)
            if self._is_new("soc"):
                self._watch_soc(now)

    def _is_new(self, name: str) -> bool:
        """True once for each sample; also once for a constant."""
        sample = self.decoder.samples.get(name)
        is_new = name not in self._seen or self._seen[name] is not sample
        self._seen[name] = sample
        return is_new

    def _claim(self) -> Claim:
        return Claim(
            ccl_a=self.decoder.needed("ccl"),
            dcl_a=self.decoder.needed("dcl"),
            cvl_v=self.decoder.needed("cvl"),
            voltage_v=self.decoder.needed("voltage"),
        )

    def _watch_soc(self, now: float) -> None:
        capacity_ah = self._limits.capacity_ah or self.decoder.value("capacity")
        if capacity_ah:
            self._soc_watch.take(self.decoder.needed("soc"), self.decoder.needed("current"), capacity_ah, now)

    def _advance(self, now: float) -> None:
        freshness = self._freshness(now)
        if freshness is not Freshness.FRESH and freshness is not Freshness.SETTLED:
            self._good_since_s = None
        elif self._good_since_s is None:
            self._good_since_s = now
        self.phase = TRANSITIONS[self.phase, freshness]
        if self.phase is not Phase.OK:
            self._guard.hold(now)

    def _freshness(self, now: float) -> Freshness:
        if self.decoder.is_fresh(now) and not self.decoder.invalid:
            return self._settled(now)
        if self.decoder.missing():
            return Freshness.MISSING
        overdue_s = self.decoder.overdue_s(now)
        if overdue_s >= self._timing.lost_s - self._timing.stale_s:
            return Freshness.SILENT
        if overdue_s >= 0 or self.decoder.invalid:
            return Freshness.LATE
        return self._settled(now)

    def _settled(self, now: float) -> Freshness:
        """Fresh, and long enough so to be trusted again."""
        is_settled = self._good_since_s is not None and now - self._good_since_s >= self._timing.recover_s
        return Freshness.SETTLED if self.phase is Phase.RECOVERING and is_settled else Freshness.FRESH

    def _lost_fault(self, now: float) -> Fault:
        if self.decoder.invalid:
            names = ", ".join(sorted(self.decoder.invalid))
            return Fault(kind=FaultKind.MALFORMED, detail=f"frames all zero: {names}")
        if self.phase is Phase.RECOVERING and self._good_since_s is not None:
            good_s = now - self._good_since_s
            detail = f"good frames for {good_s:.1f} s, {self._timing.recover_s:g} s are needed"
        else:
            detail = f"BMS silent for {self.decoder.age_s(now):.1f} s"
        return Fault(kind=FaultKind.STALE, detail=detail)


def _flag(value: float | None) -> bool | None:
    return None if value is None else value == 1.0


def _counter(value: float | None) -> int | None:
    return None if value is None else int(value)


def _soc_step_pct(profile: Profile) -> float:
    """Step of the SoC signal, %; 0 where the profile has SoC as a constant."""
    mapping = profile.values.get("soc")
    if mapping is None:
        return 0.0
    signal = signal_of(message_of(profile.database, mapping.message), mapping.signal)
    return abs(signal.conversion.scale) * mapping.factor
