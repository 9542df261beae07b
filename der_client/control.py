"""The task that owns one device: read, decide, make safe, apply, every control period.

It never waits for the network: what the server wants is read from a snapshot. Nothing else calls
`Device.apply`, and only with what `clamp` gave.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from der_client.actuation import Actuation
from der_client.client_event import Tell, What
from der_client.device import (
    Applied,
    Device,
    Fault,
    FaultKind,
    Nameplate,
    Reversion,
    Setpoint,
    Telemetry,
)
from der_client.device_view import DeviceView
from der_client.plan import Plan, reversion_of, setpoint_text
from der_client.safety import SafeSetpoint, SafetyState, Surroundings, clamp
from der_client.settings import ControlSettings
from der_client.site_desk import Heard, SitePart
from der_client.watched import Watched

log = logging.getLogger(__name__)

REFRESH_SHARE: Final = 0.5
"""Share of the reversion time after which the dead-man switch is refreshed."""


class Controller:
    """Owns one device."""

    def __init__(
        self,
        device: Device,
        settings: ControlSettings,
        plan: Watched[Plan | None],
        *,
        surroundings: Callable[[], Surroundings],
        tell: Tell,
        local_s: Callable[[], float] = time.monotonic,
        part: SitePart | None = None,
    ) -> None:
        self.view: Watched[DeviceView] = Watched(DeviceView(name=device.name))
        self._device = device
        self._settings = settings
        self._plan = plan
        self._part = part or SitePart(device.name)
        self._surroundings = surroundings
        self._tell = tell
        self._local_s = local_s
        self._nameplate: Nameplate | None = None
        self._safety = SafetyState()
        self._actuation = Actuation()
        self._applied: tuple[Setpoint, Reversion] | None = None
        self._applied_s = 0.0
        self._heard_s = self._began_s = local_s()

    async def run(self) -> None:
        """One cycle each period, sooner where the plan changes, until cancelled; then lets go of the device.

        The task asks itself whether it was cancelled: `asyncio.wait_for` of Python 3.11, which bus libraries
        use, swallows a cancellation that comes together with the answer.
        """
        task = asyncio.current_task()
        try:
            while task is None or not task.cancelling():
                version, began_s = self._plan.version, self._local_s()
                await self.cycle()
                rest_s = max(0.0, began_s + self._settings.period_s - self._local_s())
                await self._plan.newer(version, rest_s)
        finally:
            await self._device.close()

    async def cycle(self) -> None:
        """One look at the device and, where needed, one write."""
        nameplate = self._nameplate or await self._identify()
        if nameplate is None:
            return
        telemetry = await self._device.read()
        if isinstance(telemetry, Fault):
            self._applied = None
            self._unheard(telemetry)
            return
        self._heard_s = now = self._local_s()
        around = replace(self._surroundings(), blocked=self._actuation.blocked(now))
        plan = self._plan.value or self._plan_of_its_own(now)
        if plan is None:
            return
        desired = self._part.desired(plan, self._as_heard(nameplate, telemetry))
        safe = clamp(desired, telemetry, nameplate, self._safety, now, around=around)
        self._safety = safe.state
        share = self._part.lasting_share(nameplate)
        await self._apply(safe, reversion_of(plan, nameplate, telemetry, self._settings, share=share))
        self._show(telemetry, safe, plan)

    def _as_heard(self, nameplate: Nameplate, telemetry: Telemetry) -> Heard:
        """What the other DERs of the site have to know of this one."""
        return Heard(
            nameplate=nameplate,
            telemetry=telemetry,
            is_held=self._applied is not None,
            is_obeying="max_w_pct" not in self._actuation.failed,
        )

    def _plan_of_its_own(self, now: float) -> Plan | None:
        """Nothing but safety, once the plan has not come in time; until then the device goes on as it is.

        A client that restarts must not release what an event holds before it knows of the event.
        """
        return Plan() if now - self._began_s >= self._settings.plan_wait_s else None

    async def _identify(self) -> Nameplate | None:
        """Ratings of the device; asked for again after each loss, before anything is written."""
        found = await self._device.identify()
        if isinstance(found, Fault):
            self._unheard(found)
            return None
        self._nameplate, self._applied, self._heard_s = found, None, self._local_s()
        log.info(
            "%s: %s %s %s, %g W",
            self._device.name,
            found.manufacturer,
            found.model,
            found.serial,
            found.max_w,
        )
        self._tell(What.DEVICE_BACK, f"{self._device.name} identified: {found.manufacturer} {found.model}")
        self.view.set(replace(self.view.value, nameplate=found, silent=None))
        return found

    def _unheard(self, fault: Fault) -> None:
        """Count the silence of the device; once it is too long the device must be identified again."""
        if self._local_s() - self._heard_s < self._settings.unavailable_after_s:
            return
        self._nameplate = None
        if self.view.value.silent is None:
            log.warning("%s unavailable: %s", self._device.name, fault.detail)
            self._tell(What.DEVICE_LOST, f"{self._device.name} unavailable: {fault.detail}")
            self.view.set(replace(self.view.value, silent=fault, telemetry=None))

    async def _apply(self, safe: SafeSetpoint, reversion: Reversion) -> None:
        """Write what is new, or refresh the dead-man switch once half of its time is over."""
        wanted, now = (safe.setpoint, reversion), self._local_s()
        is_fresh = now - self._applied_s < REFRESH_SHARE * reversion.after_s
        if wanted == self._applied and is_fresh:
            return
        former = self._applied
        result = await self._device.apply(safe.setpoint, reversion)
        self._take(result, now)
        if isinstance(result, Fault):
            self._applied = None
            if result.kind is FaultKind.STALE:
                self._nameplate = None
            return
        self._applied, self._applied_s = wanted, now
        if former is None or former[0] != safe.setpoint:
            self._tell(What.APPLIED, setpoint_text(safe.setpoint), points=result.points)

    def _take(self, result: Applied | Fault, now: float) -> None:
        """Count the result; tell when a function is given up and when it works again."""
        before = self._actuation.failed
        self._actuation = self._actuation.after(result, now, self._settings)
        after = self._actuation.failed
        for name in sorted(after.keys() - before.keys()):
            text = f"{self._device.name} does not hold {name}: {after[name].detail}"
            log.error("%s", text)
            self._tell(What.FAULT, text)
        for name in sorted(before.keys() - after.keys()):
            log.info("%s holds %s again", self._device.name, name)
            self._tell(What.RECOVERED, f"{self._device.name} holds {name} again")
        is_local = isinstance(result, Fault) and result.kind is FaultKind.LOCAL
        if isinstance(result, Fault) and not after and not is_local:
            log.warning("%s: %s at %s", self._device.name, result.detail, result.point)
        unsupported = result.unsupported if isinstance(result, Applied) else frozenset[str]()
        self.view.set(replace(self.view.value, failed=after, is_local=is_local, unsupported=unsupported))

    def _show(self, telemetry: Telemetry, safe: SafeSetpoint, plan: Plan) -> None:
        """Put the reading out for the reports; say which interlocks came and went."""
        former = {(reason.interlock, reason.name) for reason in self.view.value.reasons}
        present = {(reason.interlock, reason.name) for reason in safe.reasons}
        for number, name in sorted(present - former):
            log.warning("%s: interlock %d, %s", self._device.name, number, name)
            self._tell(What.INTERLOCK, f"interlock {number}: {name}")
        for number, name in sorted(former - present):
            log.info("%s: interlock %d cleared, %s", self._device.name, number, name)
            self._tell(What.INTERLOCK, f"interlock {number} cleared: {name}")
        self.view.set(
            replace(
                self.view.value,
                telemetry=telemetry,
                setpoint=safe.setpoint,
                plan=plan,
                reasons=safe.reasons,
                silent=None,
                at_s=self._heard_s,
            )
        )
