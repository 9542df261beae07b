"""Frames and times in, canonical values out: keeps the last good sample of each value, decides nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from .alarms import AlarmRegister
from .mapping import message_of
from .plan import plan_of

if TYPE_CHECKING:
    from .frame import CanFrame
    from .mapping import Profile
    from .plan import Codes, MessagePlan, Target

_ZERO_RUN = 3
_DECIMALS = 9
"""Where the decimal step of a DBC cannot say more."""


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


Sample = tuple[float, float]
"""The last good value of one canonical name and the time of its frame, s."""


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
        self._fresh_until_s = -math.inf
        self._alarm_data: dict[str, bytes] = {}
        self._required = {name: m for name, m in profile.values.items() if m.is_required}
        plans = [plan_of(profile, message_of(profile.database, name)) for name in profile.incoming]
        self._plans = {profile.identifier(plan.name): plan for plan in plans}

    @property
    def alarms(self) -> frozenset[str]:
        """Names of active alarms."""
        return self._register.active(is_warning=False)

    @property
    def has_alarm(self) -> bool:
        """True while any alarm stands."""
        return self._register.has_alarm

    @property
    def warnings(self) -> frozenset[str]:
        """Names of active warnings."""
        return self._register.active(is_warning=True)

    def value(self, name: str) -> float | None:
        """Last good value, of whatever age, else the profile's constant; `None` where there is neither."""
        sample = self.samples.get(name)
        return self.profile.constants.get(name) if sample is None else sample[0]

    def recent(self, name: str, now: float, age_s: float) -> float | None:
        """The last good value if it is no older than `age_s`, or a constant; else `None`."""
        sample = self.samples.get(name)
        if sample is None:
            return self.profile.constants.get(name)
        return sample[0] if now - sample[1] <= age_s else None

    def needed(self, name: str) -> float:
        """The same for a name that every profile has; `KeyError` while `missing` names it."""
        sample = self.samples.get(name)
        return self.profile.constants[name] if sample is None else sample[0]

    def text(self, name: str) -> str:
        """A text of the profile (`manufacturer`, ...), empty until it was received."""
        parts = (self._texts.get(message, b"") for message in self.profile.texts.get(name, ()))
        return b"".join(parts).decode("ascii", "replace").strip(" \0")

    def missing(self) -> tuple[str, ...]:
        """Required names for which there was no good value yet."""
        return tuple(sorted(self._required.keys() - self.samples.keys()))

    def is_fresh(self, now: float) -> bool:
        """True while every required value is there and younger than its mapping's `stale_s`."""
        if now < self._fresh_until_s:
            return True
        if self.missing():
            return False
        ends = (self.samples[name][1] + mapping.stale_s for name, mapping in self._required.items())
        self._fresh_until_s = min(ends, default=math.inf)
        return now < self._fresh_until_s

    def overdue_s(self, now: float) -> float:
        """Age of the oldest required value beyond its mapping's `stale_s`; negative while all are fresh."""
        ages = (now - self.samples[n][1] - m.stale_s for n, m in self._required.items() if n in self.samples)
        return max(ages, default=0.0)

    def silence_s(self, now: float) -> float:
        """Age of the oldest required value, less what its mapping lets it be slower than others, s."""
        common_s = self.profile.timing.stale_s
        late = (now - self.samples[n][1] - m.stale_s for n, m in self._required.items() if n in self.samples)
        return max(0.0, max(late, default=-common_s) + common_s)

    def age_s(self, now: float) -> float:
        """Age of the oldest required value, s; 0 before the first."""
        return max((now - self.samples[n][1] for n in self._required if n in self.samples), default=0.0)

    def quiet(self, now: float, after_s: float) -> frozenset[str]:
        """Messages with alarms or enables that were heard once and not within the last `after_s`, s."""
        return frozenset(name for name, at_s in self._heard.items() if now - at_s >= after_s)

    def feed(self, frame: CanFrame, now: float) -> tuple[Rejection, ...]:
        """Take one frame received at `now`, s; frames that the profile does not read are ignored."""
        plan = self._plans.get((frame.arbitration_id, frame.is_extended))
        if plan is None:
            return ()
        data = frame.data
        if len(data) < plan.shortest:
            return (Rejection(message=plan.name, reason=Rejected.TOO_SHORT),)
        if plan.is_must_have and self._is_all_zero(plan.name, data):
            return (Rejection(message=plan.name, reason=Rejected.ALL_ZERO),)
        codes = plan.values.codes(data)
        if codes is None:
            return (Rejection(message=plan.name, reason=Rejected.MALFORMED),)
        for name in plan.texts:
            self._texts[name] = data
        if plan.is_safety and not self._hear(plan, data, now):
            return (Rejection(message=plan.name, reason=Rejected.MALFORMED),)
        return self._take(plan, codes, now)

    def _hear(self, plan: MessagePlan, data: bytes, now: float) -> bool:
        """Take alarms and note the time; the same bytes once more change no alarm. False if not decoded."""
        self._heard[plan.name] = now
        if plan.alarms and self._alarm_data.get(plan.name) != data:
            codes = plan.alarm_codes.codes(data)
            if codes is None:
                return False
            self._alarm_data[plan.name] = data
            self._register.take(plan.alarms, codes)
        return True

    def _take(self, plan: MessagePlan, codes: Codes, now: float) -> tuple[Rejection, ...]:
        """Keep every value that is one; what was refused, and why."""
        refused: list[tuple[str, Rejected]] = []
        samples = self.samples
        for index, name, not_available, divisor, low, high in plan.plain:
            code = codes[index]
            if code is None:
                continue
            value = code / divisor
            if code in not_available:
                refused.append((name, Rejected.NOT_AVAILABLE))
            elif low <= value <= high:
                samples[name] = (value, now)
            else:
                refused.append((name, Rejected.OUT_OF_RANGE))
        for target in plan.special:
            reason = self._store(target, codes, now)
            if reason is not None:
                refused.append((target.mapping.name, reason))
        if not refused:
            return ()
        return tuple(Rejection(message=plan.name, value=name, reason=reason) for name, reason in refused)

    def _is_all_zero(self, message: str, data: bytes) -> bool:
        if any(data):
            if self._zero_runs.pop(message, 0):
                self.invalid.discard(message)
            return False
        self._zero_runs[message] = self._zero_runs.get(message, 0) + 1
        if self._zero_runs[message] >= _ZERO_RUN:
            self.invalid.add(message)
        return True

    def _store(self, target: Target, codes: Codes, now: float) -> Rejected | None:
        mapping = target.mapping
        code = codes[target.index]
        if code is None:
            return None
        if code in mapping.not_available:
            return Rejected.NOT_AVAILABLE
        value = _canonical(target, code, codes)
        if not mapping.low <= value <= mapping.high:
            return Rejected.OUT_OF_RANGE
        if target.is_heartbeat and self.value("heartbeat") == value:
            return None
        self.samples[mapping.name] = (value, now)
        return None


def _canonical(target: Target, code: float, codes: Codes) -> float:
    mapping = target.mapping
    if target.is_flag:
        return float(mapping.is_true(code))
    if target.half and code >= target.half:
        code -= 2 * target.half
    physical = round(code * target.scale + target.offset, _DECIMALS)
    if target.fine_index is not None:
        physical = _finer(target, physical, codes[target.fine_index])
    value = mapping.sign * mapping.factor * physical + mapping.offset
    return abs(value) if mapping.is_magnitude else value


def _finer(target: Target, coarse_value: float, code: float | None) -> float:
    """The finer copy while the frame holds it and it agrees with the coarse one within one step of that."""
    if code is None:
        return coarse_value
    fine_value = round(code * target.fine_scale + target.fine_offset, _DECIMALS)
    return fine_value if abs(fine_value - coarse_value) <= abs(target.scale) else coarse_value
