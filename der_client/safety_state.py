"""What `clamp` remembers between two calls, and what it gives. Pure values."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from der_client.desired import Desired
from der_client.device import Setpoint
from der_client.eased import Easing
from der_client.entering import Entering
from der_client.in_service import InService
from der_client.interlocks import Action, Held, Table, Trends
from der_client.own_ramp import OwnRamp
from der_client.ramp import Ramp

CONTROL_LOOP: Final = 17
NO_WRITES: Final = Action.NO_WRITE.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why the device may not do all that was asked: the interlock that holds, and its DERStatus alarm bit.

    `level` are the letters of the published list; a latched one waits for an operator.
    """

    interlock: int
    name: str
    alarm_bit: int | None = None
    level: str = "W"
    is_latched: bool = False


def opens_relay(reason: Reason) -> bool:
    """True for an interlock after which nothing may hold a device connected.

    Those with the letter O, and a control loop that is not to be relied on (17).
    """
    return "O" in reason.level.split() or (reason.interlock == CONTROL_LOOP and reason.level == NO_WRITES)


def latched_of(reasons: Collection[Reason]) -> frozenset[str]:
    """Names of the interlocks among these that wait for an operator."""
    return frozenset(reason.name for reason in reasons if reason.is_latched)


@dataclass(frozen=True, slots=True, kw_only=True)
class Derating:
    """Power that goes down gradually: which interlock, and the share that is left, 1 to 0."""

    interlock: int
    name: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyState:
    """What `clamp` remembers between two calls; owned by the task that owns the device.

    `reset` names latched interlocks that an operator wants reset: at the next call, where they may be.
    `believed` is what the programs wanted last while the server's clock was believed; `scale` is what was
    left of limit and target, which their ramps do not know of.
    """

    held: Mapping[str, Held] = field(default_factory=dict)
    table: Table | None = None
    trends: Trends = field(default_factory=Trends)
    limit: Ramp | None = None
    target: Ramp | None = None
    easing: Easing = field(default_factory=Easing)
    accepted: Desired = field(default_factory=Desired)
    believed: Desired = field(default_factory=Desired)
    sent_w: float | None = None
    sent_limit_w: float | None = None
    moved_w: float = 0.0
    still_since_s: float = -math.inf
    at_s: float = -math.inf
    entering: Entering | None = None
    service: InService = field(default_factory=InService)
    limit_ramp: OwnRamp | None = None
    scale: float = 1.0
    reactive_ramp: OwnRamp | None = None
    reset: frozenset[str] = frozenset()

    def resetting(self, names: frozenset[str]) -> "SafetyState":
        """The state in which these latched interlocks are to be reset."""
        return replace(self, reset=names)

    def latched_before(self, names: frozenset[str]) -> "SafetyState":
        """The state in which interlocks that were latched in an earlier run still are."""
        return replace(self, held={**self.held, **{name: Held(True) for name in names}})


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeSetpoint:
    """What the device may do now, why it is less than asked, and what to remember.

    `may_write` is false where nothing may be written at all: then its reversion timers run. `refused` are
    protected functions that were asked for without permission. `must_stop` says that an interlock takes the
    device out of service. `able_w` is what the device could give, whatever a program or the site limits, W.
    """

    setpoint: Setpoint
    reasons: tuple[Reason, ...]
    state: SafetyState
    deratings: tuple[Derating, ...] = ()
    refused: frozenset[str] = frozenset()
    may_write: bool = True
    must_stop: bool = False
    able_w: float = 0.0

    @property
    def latched(self) -> frozenset[str]:
        """Names of the interlocks among the reasons that wait for an operator."""
        return latched_of(self.reasons)
