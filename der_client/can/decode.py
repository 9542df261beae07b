"""Frames and times in, canonical values out: keeps the last good sample of each value, decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cantools.database.errors import DecodeError

from .alarms import AlarmRegister
from .canonical import CANONICAL
from .mapping import message_of
from .plan import plan_of
from .wire import swap_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cantools.database.can import Message, Signal

    from .frame import CanFrame
    from .mapping import Profile
    from .plan import MessagePlan, Target

_ZERO_RUN = 3


class Rejected(StrEnum):
    """Why a frame, or one value of it, was not taken."""

    TOO_SHORT = "shorter than the signals that are needed"
    ALL_ZERO = "all zero"
    MALFORMED = "cannot be decoded"
    NOT_AVAILABLE = "not available"
    OUT_OF_RANGE = "out of range"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One refusal: the message, the canonical value if only that was refused, and why."""

    message: str
    reason: Rejected
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """The last good value of one canonical name and the time of its frame, s."""

    value: float
    at_s: float


class BmsDecoder:
    """Holds what the BMS said last. `feed` never raises, whatever the frame holds.

    `invalid` names must-have messages whose last three frames or more were all zero. `alarms` and
    `warnings` stay until the BMS takes them back, however long it is silent.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.samples: dict[str, Sample] = {}
        self.invalid: set[str] = set()
        self._register = AlarmRegister(profile.alarms, profile.alarm_coding)
        self._texts: dict[str, bytes] = {}
        self._zero_runs: dict[str, int] = {}
        self._heard: dict[str, float] = {}
        self._required = {name: m for name, m in profile.values.items() if m.is_required}
        plans = [plan_of(profile, message_of(profile.database, name)) for name in profile.incoming]
        self._plans = {(plan.message.frame_id, plan.message.is_extended_frame): plan for plan in plans}

    @property
    def alarms(self) -> frozenset[str]:
        """Names of active alarms."""
        return self._register.active(is_warning=False)

    @property
    def warnings(self) -> frozenset[str]:
        """Names of active warnings."""
        return self._register.active(is_warning=True)

    def value(self, name: str) -> float | None:
        """Last good value, of whatever age, else the profile's constant; `None` where there is neither."""
        sample = self.samples.get(name)
        return self.profile.constants.get(name) if sample is None else sample.value

    def needed(self, name: str) -> float:
        """The same for a name that every profile has; `KeyError` while `missing` names it."""
        sample = self.samples.get(name)
        return self.profile.constants[name] if sample is None else sample.value

    def text(self, name: str) -> str:
        """A text of the profile (`manufacturer`, ...), empty until it was received."""
        parts = (self._texts.get(message, b"") for message in self.profile.texts.get(name, ()))
        return b"".join(parts).decode("ascii", "replace").strip(" \0")

    def missing(self) -> tuple[str, ...]:
        """Required names for which there was no good value yet."""
        return tuple(sorted(self._required.keys() - self.samples.keys()))

    def overdue_s(self, now: float) -> float:
        """Age of the oldest required value beyond its mapping's `stale_s`; negative while all are fresh."""
        ages = (
            now - self.samples[n].at_s - m.stale_s for n, m in self._required.items() if n in self.samples
        )
        return max(ages, default=0.0)

    def age_s(self, now: float) -> float:
        """Age of the oldest required value, s; 0 before the first."""
        return max((now - self.samples[n].at_s for n in self._required if n in self.samples), default=0.0)

    def quiet(self, now: float, after_s: float) -> frozenset[str]:
        """Messages with alarms or enables that were heard once and not within the last `after_s`, s."""
        return frozenset(name for name, at_s in self._heard.items() if now - at_s >= after_s)

    def feed(self, frame: CanFrame, now: float) -> tuple[Rejection, ...]:
        """Take one frame received at `now`, s; frames that the profile does not read are ignored."""
        plan = self._plans.get((frame.arbitration_id, frame.is_extended))
        if plan is None:
            return ()
        if len(frame.data) < plan.shortest:
            return (Rejection(message=plan.message.name, reason=Rejected.TOO_SHORT),)
        if plan.is_must_have and self._is_all_zero(plan.message.name, frame.data):
            return (Rejection(message=plan.message.name, reason=Rejected.ALL_ZERO),)
        data = frame.data if plan.order is None else swap_bytes(frame.data, plan.order)
        raw = _raw_codes(plan.message, data)
        if raw is None:
            return (Rejection(message=plan.message.name, reason=Rejected.MALFORMED),)
        return self._take(plan, raw, frame.data, now)

    def _take(
        self, plan: MessagePlan, raw: Mapping[str, float], data: bytes, now: float
    ) -> tuple[Rejection, ...]:
        for name in plan.texts:
            self._texts[name] = data
        if plan.is_safety:
            self._heard[plan.message.name] = now
        if plan.has_alarms:
            self._register.take(plan.message.name, raw)
        reasons = ((target.mapping.name, self._store(target, raw, now)) for target in plan.targets)
        return tuple(
            Rejection(message=plan.message.name, value=name, reason=reason)
            for name, reason in reasons
            if reason is not None
        )

    def _is_all_zero(self, message: str, data: bytes) -> bool:
        if any(data):
            self._zero_runs[message] = 0
            self.invalid.discard(message)
            return False
        self._zero_runs[message] = self._zero_runs.get(message, 0) + 1
        if self._zero_runs[message] >= _ZERO_RUN:
            self.invalid.add(message)
        return True

    def _store(self, target: Target, raw: Mapping[str, float], now: float) -> Rejected | None:
        mapping = target.mapping
        code = raw.get(target.signal.name)
        if code is None:
            return None
        if code in mapping.not_available:
            return Rejected.NOT_AVAILABLE
        value = _canonical(target, code, raw)
        if not mapping.low <= value <= mapping.high:
            return Rejected.OUT_OF_RANGE
        if mapping.name == "heartbeat" and self.value("heartbeat") == value:
            return None
        self.samples[mapping.name] = Sample(value, now)
        return None


def _raw_codes(message: Message, data: bytes) -> Mapping[str, float] | None:
    try:
        decoded = message.decode_simple(data, decode_choices=False, scaling=False, allow_truncated=True)
    except DecodeError:
        return None
    return {name: code for name, code in decoded.items() if isinstance(code, (int, float))}


def _canonical(target: Target, code: float, raw: Mapping[str, float]) -> float:
    mapping = target.mapping
    if CANONICAL[mapping.name].is_flag:
        return float(code in mapping.true_codes)
    physical = _physical(target.signal, code)
    if target.fine is not None:
        physical = _finer(target.fine, physical, raw, step=abs(target.signal.conversion.scale))
    value = mapping.sign * mapping.factor * physical + mapping.offset
    return abs(value) if mapping.is_magnitude else value


def _physical(signal: Signal, code: float) -> float:
    """The DBC's own linear conversion, rounded where the DBC's decimal step cannot say more."""
    return round(code * signal.conversion.scale + signal.conversion.offset, 9)


def _finer(fine: Signal, coarse_value: float, raw: Mapping[str, float], *, step: float) -> float:
    """The finer copy while the frame holds it and it agrees with the coarse one within one step of that."""
    code = raw.get(fine.name)
    if code is None:
        return coarse_value
    fine_value = _physical(fine, code)
    return fine_value if abs(fine_value - coarse_value) <= step else coarse_value
