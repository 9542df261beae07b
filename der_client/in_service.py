"""How long a device has been in or out of service, and whether it may change that now. Interlock 25. Pure."""

from dataclasses import dataclass, replace

from der_client.device import Setpoint
from der_client.interlocks import SafetyRules


@dataclass(frozen=True, slots=True, kw_only=True)
class InService:
    """Whether a device was last told to be in service, and since when, monotonic, s."""

    is_on: bool = True
    since_s: float | None = None

    def after(self, setpoint: Setpoint, rules: SafetyRules, now: float, *, must_stop: bool) -> "InService":
        """The service that a device is in now: stops by interlocks at once, all else after its time."""
        wants_off = setpoint.energize is False or setpoint.connect is False
        is_on = not (must_stop or wants_off)
        if is_on == self.is_on:
            return self
        least_s = rules.min_off_s if is_on else 0.0 if must_stop else rules.min_on_s
        if self.since_s is not None and now - self.since_s < least_s:
            return self
        return InService(is_on=is_on, since_s=now)

    def of(self, setpoint: Setpoint) -> Setpoint:
        """The setpoint with the service that a device is in."""
        if self.is_on:
            energize = None if setpoint.energize is False else setpoint.energize
            connect = None if setpoint.connect is False else setpoint.connect
            return replace(setpoint, energize=energize, connect=connect)
        return setpoint if _is_off(setpoint) else replace(setpoint, energize=False)


def _is_off(setpoint: Setpoint) -> bool:
    return setpoint.energize is False or setpoint.connect is False
