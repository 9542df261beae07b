"""How often registers may be written; what makes power less passes at once. Interlock 35. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from der_client.device import Setpoint
from der_client.interlocks.rules_device import WriteRules

DAY_S: Final = 86_400.0
POWERS: Final = ("max_w_pct", "target_w", "max_charge_w")
"""Fields that change often; others are written as they come."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one field has used: writes that are still to spend, and writes since `day_s`."""

    left: float
    at_s: float
    count: int
    day_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteBudget:
    """Writes by field of the Setpoint; `queued` counts fields whose latest value waits."""

    spent: Mapping[str, Spent] = field(default_factory=dict)
    queued: int = 0

    @property
    def today(self) -> int:
        """Writes of the field that was written most within its day."""
        return max((one.count for one in self.spent.values()), default=0)

    def affordable(self, wanted: Setpoint, former: Setpoint, rules: WriteRules, now: float) -> Setpoint:
        """The part of `wanted` that may be written now; fields that must wait keep their `former` value."""
        if wanted.energize is False or wanted.connect is False:
            return wanted
        waiting = [
            name
            for name in POWERS
            if getattr(wanted, name) != getattr(former, name)
            and not _is_safer(name, getattr(wanted, name), getattr(former, name))
            and not self._may(name, rules, now)
        ]
        for name in waiting:
            wanted = _with(wanted, name, getattr(former, name))
        return wanted

    def after(
        self, written: Setpoint, wanted: Setpoint, former: Setpoint | None, rules: WriteRules, now: float
    ) -> "WriteBudget":
        """The budget after a write of `written` in the place of `former`, where `wanted` was asked for."""
        spent = dict(self.spent)
        for name in POWERS:
            value = getattr(written, name)
            if former is None or value != getattr(former, name):
                spent[name] = self._taken(name, rules, now)
        return WriteBudget(spent=spent, queued=queued_in(wanted, written))

    def waiting(self, queued: int) -> "WriteBudget":
        """The budget while nothing is written and so many fields wait."""
        return self if queued == self.queued else replace(self, queued=queued)

    def _may(self, name: str, rules: WriteRules, now: float) -> bool:
        one = self._now(name, rules, now)
        return one.left >= 1.0 and not (rules.flash_backed and one.count >= rules.per_day)

    def _taken(self, name: str, rules: WriteRules, now: float) -> Spent:
        one = self._now(name, rules, now)
        return Spent(max(0.0, one.left - 1.0), now, one.count + 1, one.day_s)

    def _now(self, name: str, rules: WriteRules, now: float) -> Spent:
        """What a field may spend at `now`: one more write each `interval_s`, up to `burst`."""
        one = self.spent.get(name)
        if one is None:
            return Spent(rules.burst, now, 0, now)
        earned = (now - one.at_s) / rules.interval_s if rules.interval_s > 0 else rules.burst
        is_new_day = now - one.day_s >= DAY_S
        left = min(rules.burst, one.left + max(0.0, earned))
        return Spent(left, now, 0 if is_new_day else one.count, now if is_new_day else one.day_s)


def queued_in(wanted: Setpoint, written: Setpoint) -> int:
    """Fields whose latest value waits."""
    return sum(getattr(written, name) != getattr(wanted, name) for name in POWERS)


def _is_safer(name: str, new: float | None, old: float | None) -> bool:
    """True for a value that lets less power through."""
    if name == "target_w":
        return new == 0.0 or (new is not None and bool(old) and _is_between(new, old or 0.0))
    return new is not None and (old is None or new < old)


def _is_between(new: float, old: float) -> bool:
    """True for a power of the same direction that is smaller."""
    return new * old >= 0.0 and abs(new) <= abs(old)


def _with(setpoint: Setpoint, name: str, value: float | None) -> Setpoint:
    if name == "max_w_pct":
        return replace(setpoint, max_w_pct=value)
    if name == "target_w":
        return replace(setpoint, target_w=value)
    return replace(setpoint, max_charge_w=value)
