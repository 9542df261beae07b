"""What a device makes of what it is told: failures counted, functions given up and tried again. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from der_client.device import Applied, Fault
from der_client.fallback import field_of
from der_client.settings import ControlSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """One field of the Setpoint that fails: how often in a row, how, and until when it is not used."""

    count: int
    fault: Fault
    until_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actuation:
    """Fields that fail, by name. A field counts as failed once it is blocked, until it works again."""

    failing: Mapping[str, Failing] = field(default_factory=dict)

    def blocked(self, now: float) -> frozenset[str]:
        """Fields that are not used at `now`, monotonic, s."""
        return frozenset(name for name, one in self.failing.items() if one.until_s and now < one.until_s)

    @property
    def failed(self) -> Mapping[str, Fault]:
        """Fields that count as failed, with their last fault."""
        return {name: one.fault for name, one in self.failing.items() if one.until_s is not None}

    def after(self, result: Applied | Fault, now: float, settings: ControlSettings) -> "Actuation":
        """The count after one apply: a success clears what was in use, a failure blocks at the limit.

        A field that is tried again after `retry_s` and still fails is given up at once. Interlock 20.
        """
        if isinstance(result, Applied):
            blocked = self.blocked(now)
            return Actuation(failing={name: one for name, one in self.failing.items() if name in blocked})
        name = field_of(result)
        if name is None:
            return self
        former = self.failing.get(name)
        count = 1 if former is None else former.count + 1
        until_s = now + settings.retry_s if count >= settings.readback_limit else None
        fresh = Failing(count=count, fault=result, until_s=until_s)
        return replace(self, failing={**self.failing, name: fresh})
