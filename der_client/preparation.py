"""Writes that are prepared before their second: worked out, passed by the gate, sent. Its controller owns it.

Each step holds only while nothing changes: otherwise there is nothing to send, and the device is told in the
ordinary way. What was sent is answered for by the `Device.apply` that follows.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from der_client.ahead import Ahead
from der_client.desired import Desired
from der_client.device import Device, Nameplate, PreparingDevice, Reversion, Setpoint, Telemetry
from der_client.interlocks.rules_device import WriteRules
from der_client.plan import Plan, reversion_of, wish_of
from der_client.safety_state import Reason, SafeSetpoint, SafetyState
from der_client.settings import ControlSettings
from der_client.watched import Watched
from der_client.write_budget import WriteBudget

READING_PERIODS: Final = 2.0
"""A prepared write is not sent on a reading that is older than so many control periods."""
SOON_PERIODS: Final = 2.0
"""So many control periods before its second what is prepared stands in for a refresh of the dead-man switch.

As many have to be left of that switch after the second: what was prepared may not be sent then.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What a controller knows as it asks.

    `held` is what the device was told last and holds; `is_free` says that the programs alone decide about it;
    `reasons` are the interlocks that hold, `heard_s` is when it was read, local, s.
    """

    nameplate: Nameplate
    telemetry: Telemetry
    heard_s: float
    held: tuple[Setpoint, Reversion]
    safety: SafetyState
    budget: WriteBudget
    rules: WriteRules
    reasons: tuple[Reason, ...]
    is_free: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """A write that waits for its second: what `ahead` asks of the device that holds `held`."""

    ahead: Ahead
    wish: Desired
    setpoint: Setpoint
    reversion: Reversion
    nameplate: Nameplate
    held: tuple[Setpoint, Reversion]

    def still_holds(self, present: Present | None) -> bool:
        """True if nothing that the controller knows has changed."""
        if present is None or not present.is_free:
            return False
        return present.held is self.held and present.nameplate is self.nameplate


@dataclass(frozen=True, slots=True, kw_only=True)
class _Armed:
    """A prepared write that passed the gate on a reading; `before` and `after` are the gate's memory."""

    prepared: _Prepared
    telemetry: Telemetry
    before: SafetyState
    after: SafetyState


class Preparation:
    """The next write of one device, where its second is known."""

    def __init__(
        self,
        device: Device,
        settings: ControlSettings,
        gate: Callable[[Desired, float], SafeSetpoint | None],
    ) -> None:
        """`gate` gives what may be written of a wish at a local time, s."""
        self.is_sent = False
        """True from `begin` until `Device.apply` has answered for it."""
        self._device = device if isinstance(device, PreparingDevice) else None
        self._settings = settings
        self._gate = gate
        self._is_preparing = False
        self._unarmed: Ahead | None = None
        self._prepared: _Prepared | None = None
        self._armed: _Armed | None = None
        self._begun: tuple[Plan | None, int] = (None, 0)

    def forget(self) -> None:
        """The device is about to be told something else."""
        self._prepared = self._armed = None

    def stands_in(self, left_s: float | None, lasts_s: float) -> bool:
        """True if a write that is ready refreshes the dead-man switch in time, which lasts `lasts_s` longer.

        `left_s` is how long it is to its second, s. A refresh then would let go of what is prepared.
        """
        if self._prepared is None or left_s is None:
            return False
        soon_s = SOON_PERIODS * self._settings.period_s
        return left_s <= soon_s and max(0.0, left_s) + soon_s < lasts_s

    def plan_in_force(self, plan: Watched[Plan | None]) -> Plan | None:
        """The plan that was begun, until that or another one is published."""
        begun, version = self._begun
        return begun if begun is not None and version == plan.version else plan.value

    async def prepare(self, ahead: Ahead | None, present: Present | None, now: float) -> None:
        """Work out what is to be written at the second of `ahead`, and let the device get ready for it."""
        former, self._prepared = self._prepared, None
        device = self._device
        if ahead is None or device is None or present is None or not present.is_free or self.is_sent:
            return
        if former is not None and former.ahead is ahead and former.still_holds(present):
            self._prepared = former
            return
        plate = present.nameplate
        wish = wish_of(ahead.plan, plate)
        safe = self._gate(wish, now)
        if safe is None or not safe.may_write or safe.must_stop:
            return
        setpoint = present.budget.affordable(safe.setpoint, present.held[0], present.rules, now)
        reversion = reversion_of(ahead.plan, plate, present.telemetry, self._settings)
        self._is_preparing = True
        try:
            is_ready = await device.prepare(setpoint, reversion)
        finally:
            self._is_preparing = False
        if is_ready:
            self._prepared = _Prepared(
                ahead=ahead,
                wish=wish,
                setpoint=setpoint,
                reversion=reversion,
                nameplate=plate,
                held=present.held,
            )

    def arm(self, ahead: Ahead, present: Present | None, at_s: float) -> None:
        """Let what was prepared pass the gate as at `at_s`, local, s: its second is about to come.

        The gate has the newest reading that there is, and everything else as it is now.
        """
        prepared, self._armed = self._prepared, None
        self._unarmed = ahead if self._is_preparing else None
        if prepared is None or present is None or self._is_preparing or prepared.ahead is not ahead:
            return
        is_old = at_s - present.heard_s > READING_PERIODS * self._settings.period_s
        if is_old or not prepared.still_holds(present):
            return
        safe = self._gate(prepared.wish, at_s)
        if safe is None or not safe.may_write or safe.must_stop or safe.reasons != present.reasons:
            return
        setpoint = present.budget.affordable(safe.setpoint, present.held[0], present.rules, at_s)
        if setpoint == prepared.setpoint:
            self._armed = _Armed(
                prepared=prepared, telemetry=present.telemetry, before=present.safety, after=safe.state
            )

    def begin(
        self, present: Present | None, version: int, now: float
    ) -> tuple[asyncio.Future[None], SafetyState] | None:
        """Send what passed the gate, and the gate's memory of it; None where anything has changed since then.

        With another reading by `now`, local, s, it passes the gate once more, and only now where it was not
        ready as the gate was. Its plan holds while the published one is of `version`.
        """
        unarmed, self._unarmed = self._unarmed, None
        if unarmed is not None and not self._is_preparing:
            self.arm(unarmed, present, now)
        armed = self._armed_on(present, now)
        self._prepared = self._armed = None
        if armed is None or present is None or self._device is None or self._is_preparing or self.is_sent:
            return None
        prepared = armed.prepared
        if not prepared.still_holds(present):
            return None
        sent = self._device.begin(prepared.setpoint, prepared.reversion)
        if sent is None:
            return None
        self.is_sent, self._begun = True, (prepared.ahead.plan, version)
        return sent, armed.after

    def _armed_on(self, present: Present | None, now: float) -> _Armed | None:
        """What passed the gate on the present reading."""
        armed = self._armed
        if armed is None or present is None:
            return None
        if present.telemetry is not armed.telemetry:
            self.arm(armed.prepared.ahead, present, now)
            return self._armed
        return armed if present.safety is armed.before else None
