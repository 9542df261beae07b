"""What is known of a device at one moment: the snapshot that reports are made of. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from der_client.device import Fault, Nameplate, Setpoint, Telemetry
from der_client.plan import Plan
from der_client.safety_state import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceView:
    """What is known of a device: for the reports. `at_s` is the local time of the last reading.

    `failed` are fields of the setpoint that the device does not hold; `silent` is why it does not answer.
    `unsupported` are fields (of curves, modes) of what `plan` asks that the device said it cannot execute.
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
    at_s: float = 0.0
