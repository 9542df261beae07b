"""What is known of a device at one moment: the snapshot that reports are made of. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from der_client.device import Fault, Nameplate, Setpoint, Telemetry
from der_client.override import Override
from der_client.plan import Plan
from der_client.safety_state import Derating, Reason, SafeSetpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceView:
    """What is known of a device: for the reports. `at_s` is the local time of the last reading.

    `failed` are fields of the setpoint that the device does not hold; `silent` is why it does not answer.
    `unsupported` are fields (of curves, modes) of what `plan` asks that the device said it cannot execute.
    `override` is what a local operator wants in the place of all programs, then `is_local` is true too;
    `refused` are grid code settings without permission; nothing is written while `may_write` is false, and
    from `lost_s` on, local, s, the device holds nothing of `plan` then. `short` are fields (of curves, modes)
    of what `plan` asks that the device may not take, or does not follow. `able_w` is what it could give by
    ratings, battery and interlocks, W, whatever limits hold; None: not known.
    """

    name: str
    nameplate: Nameplate | None = None
    telemetry: Telemetry | None = None
    setpoint: Setpoint = field(default_factory=Setpoint)
    reasons: tuple[Reason, ...] = ()
    failed: Mapping[str, Fault] = field(default_factory=dict)
    silent: Fault | None = None
    plan: Plan | None = None
    unsupported: frozenset[str] = frozenset()
    is_local: bool = False
    override: Override | None = None
    deratings: tuple[Derating, ...] = ()
    refused: frozenset[str] = frozenset()
    may_write: bool = True
    lost_s: float = math.inf
    short: frozenset[str] = frozenset()
    able_w: float | None = None

    def given(self, safe: SafeSetpoint) -> "DeviceView":
        """The view with what the gate gave."""
        return replace(
            self,
            setpoint=safe.setpoint,
            reasons=safe.reasons,
            deratings=safe.deratings,
            refused=safe.refused,
            may_write=safe.may_write,
            able_w=safe.able_w,
        )

    at_s: float = 0.0
