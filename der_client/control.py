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
from der_client.device import Applied, Device, Fault, FaultKind, Nameplate, Reversion, Setpoint, Telemetry
from der_client.device_news import news_of
from der_client.device_view import DeviceView
from der_client.kept import Kept, Memory
from der_client.loop_watch import watch_of
from der_client.override import Override, Overriding
from der_client.plan import Plan, reversion_of, setpoint_text
from der_client.protected import may_write_grid_code
from der_client.safety import SafeSetpoint, SafetyState, Surroundings, clamp, unheard
from der_client.settings import ControlSettings
from der_client.site_desk import Heard, SitePart
from der_client.taken_out import brought_back, is_idle, resting, taken_out_by
from der_client.verified import UNVERIFIED, Verified
from der_client.watched import Watched
from der_client.write_budget import WriteBudget, queued_in

log = logging.getLogger(__name__)

REFRESH_SHARE: Final = 0.5
"""Share of the reversion time after which the dead-man switch is refreshed."""
ANEW: Final = frozenset({15, 16, 17})
"""Interlocks after which a device is identified anew before anything is written."""


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
        self._kept = Kept(device.name, None, tell)
        self._nameplate: Nameplate | None = None
        self._safety = SafetyState()
        self._actuation = Actuation()
        self._budget = WriteBudget()
        self._loop = watch_of(settings.period_s)
        self._verified = self._known = Verified()
        self._overriding = Overriding()
        self._latched: frozenset[str] = frozenset()
        self._taken_out: frozenset[str] = frozenset()
        self._owed_back: frozenset[str] = frozenset()
        self._is_found = False
        self._must_identify = False
        self._is_refused = False
        self._unsupported: frozenset[str] = frozenset()
        self._applied: tuple[Setpoint, Reversion] | None = None
        self._applied_s = 0.0
        self._heard_s = self._began_s = local_s()

    async def run(self, memory: Memory | None = None) -> None:
        """One cycle each period, sooner where the plan changes, until cancelled; then lets go of the device.

        `memory` keeps latches and overrides over a restart; without one they end with the process.
        The task asks itself whether it was cancelled: `asyncio.wait_for` of Python 3.11, which bus libraries
        use, swallows a cancellation that comes together with the answer.
        """
        task = asyncio.current_task()
        due_s: float | None = None
        try:
            await self.restore(memory)
            while task is None or not task.cancelling():
                version, began_s = self._plan.version, self._local_s()
                self._loop = self._loop.began(began_s, due_s, self._surroundings().rules.link.late_periods)
                await self.cycle()
                due_s = max(began_s + self._settings.period_s, self._local_s())
                await self._plan.newer(version, due_s - self._local_s())
        finally:
            await self._device.close()

    async def restore(self, memory: Memory | None, system_s: Callable[[], float] = time.time) -> None:
        """Take up what an earlier run left: latches, an override, service, which device it was."""
        self._kept = Kept(self._device.name, memory, self._tell)
        self._latched = await self._kept.latched()
        self._safety = self._safety.latched_before(self._latched)
        self._verified = self._known = await self._kept.verified()
        self._taken_out = self._owed_back = await self._kept.taken_out()
        override = await self._kept.override()
        if override is not None:
            self._overriding = Overriding.of(override, system_s(), self._local_s())

    async def override(self, override: Override | None, system_s: Callable[[], float] = time.time) -> None:
        """Put a local operator's setpoint before every program, or end it (None); at the next cycle."""
        self._overriding = (
            Overriding() if override is None else Overriding.of(override, system_s(), self._local_s())
        )
        await self._kept.keep_override(override)

    def reset(self, names: frozenset[str] | None = None) -> None:
        """Reset latched interlocks, all or these, at the next cycle; one whose cause is there stays."""
        asked = self._latched if names is None else names
        self._safety = self._safety.resetting(asked)
        if names is None or UNVERIFIED in names:
            self._verified = self._verified.accepted()

    @property
    def latched(self) -> frozenset[str]:
        """Names of interlocks that wait for an operator."""
        return self._latched

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
        override = self._overriding.at(now)
        plan = self._plan.value or self._plan_of_its_own(now, override)
        if plan is None:
            return
        wish = self._part.desired(plan, self._as_heard(nameplate, telemetry))
        desired = self._part.ordered(override.desired(), wish) if override else wish
        safe = clamp(desired, telemetry, nameplate, self._safety, now, around=self._around(now))
        self._safety = safe.state
        if not safe.may_write:
            self._let_be(safe)
        elif self._must_identify:
            self._nameplate, self._must_identify = None, False
        else:
            share = self._part.lasting_share(nameplate)
            reversion = reversion_of(plan, nameplate, telemetry, self._settings, share=share)
            stands = safe.must_stop or (override is not None and override.energize is False)
            await self._apply(safe, resting(reversion) if stands else reversion)
        self._show(telemetry, safe, plan, override)
        await self._keep(safe, override)

    def _as_heard(self, nameplate: Nameplate, telemetry: Telemetry) -> Heard:
        """What the other DERs of the site have to know of this one."""
        return Heard(
            nameplate=nameplate,
            telemetry=telemetry,
            is_held=self._applied is not None,
            is_obeying="max_w_pct" not in self._actuation.failed,
        )

    def _around(self, now: float) -> Surroundings:
        """What holds around the device, with what only this loop knows."""
        around = self._surroundings()
        loop = replace(
            around.loop,
            period_s=self._loop.period_s,
            silent_s=now - self._heard_s,
            late_s=self._loop.late_s,
            late_cycles=self._loop.late_cycles,
            is_unverified=self._verified.is_pending,
            writes_today=self._budget.today,
            writes_queued=self._budget.queued,
        )
        return replace(
            around,
            blocked=self._actuation.blocked(now),
            loop=loop,
            allow_grid_code_writes=may_write_grid_code(self._device),
        )

    def _plan_of_its_own(self, now: float, override: Override | None) -> Plan | None:
        """Nothing but safety, once the plan has not come in time; until then the device goes on as it is.

        A client that restarts must not release what an event holds before it knows of the event.
        """
        return Plan() if override or now - self._began_s >= self._settings.plan_wait_s else None

    async def _identify(self) -> Nameplate | None:
        """Ratings of the device; asked for again after each loss, before anything is written."""
        found = await self._device.identify()
        if isinstance(found, Fault):
            self._unheard(found)
            return None
        self._verified = self._verified.after(found)
        self._nameplate, self._applied, self._is_found = found, None, True
        words = f"{found.manufacturer} {found.model} {found.version} {found.serial}, {found.max_w:g} W"
        log.info("%s: %s", self._device.name, words)
        self.view.set(replace(self.view.value, nameplate=found))
        return found

    def _unheard(self, fault: Fault) -> None:
        """Count the silence of the device; once it is too long the device must be identified again."""
        now = self._local_s()
        reasons, self._safety = unheard(self._safety, now, around=self._around(now))
        self._put(replace(self.view.value, reasons=reasons))
        if now - self._heard_s < self._settings.unavailable_after_s:
            return
        self._nameplate = None
        if self.view.value.silent is None:
            log.warning("%s unavailable: %s", self._device.name, fault.detail)
            self._tell(What.DEVICE_LOST, f"{self._device.name} unavailable: {fault.detail}")
            self.view.set(replace(self.view.value, silent=fault, telemetry=None))

    async def _apply(self, safe: SafeSetpoint, reversion: Reversion) -> None:
        """Write what is new and may be written, or refresh the dead-man switch at half of its time."""
        now, former, rules = self._local_s(), self._applied, self._surroundings().rules.writes
        wanted = setpoint = brought_back(safe.setpoint, self._owed_back)
        if former is not None:
            setpoint = self._budget.affordable(wanted, former[0], rules, now)
        self._budget = self._budget.waiting(queued_in(wanted, setpoint))
        is_fresh = now - self._applied_s < REFRESH_SHARE * reversion.after_s
        if (setpoint, reversion) == former and is_fresh:
            return
        result = await self._device.apply(setpoint, reversion)
        before = None if former is None else former[0]
        self._budget = self._budget.after(setpoint, wanted, before, rules, now)
        self._take(result, now)
        await self._note_service(setpoint, is_held=isinstance(result, Applied))
        if isinstance(result, Fault):
            self._applied = None
            if result.kind is FaultKind.STALE:
                self._nameplate = None
            return
        self._applied, self._applied_s = (setpoint, reversion), now
        if former is None or former[0] != setpoint:
            self._tell(What.APPLIED, setpoint_text(setpoint), points=result.points)

    async def _note_service(self, setpoint: Setpoint, *, is_held: bool) -> None:
        """Keep by what the device is out of service: a later run has to bring it back."""
        fields = taken_out_by(setpoint)
        is_waiting = bool(self._owed_back) and is_idle(setpoint)
        if not fields and (is_waiting or not is_held):
            return
        if not fields:
            self._owed_back = frozenset()
        out = fields | self._owed_back
        if out != self._taken_out:
            self._taken_out = out
            await self._kept.keep_taken_out(out)

    def _let_be(self, safe: SafeSetpoint) -> None:
        """Write nothing: the device's own reversion timers run. What comes after begins anew."""
        self._applied = None
        self._must_identify |= any(reason.interlock in ANEW for reason in safe.reasons)
        if self._verified.needs_scan:
            self._nameplate = None

    def _take(self, result: Applied | Fault, now: float) -> None:
        """Count the result; what it says of the device goes into the view."""
        self._actuation = self._actuation.after(result, now, self._settings)
        self._is_refused = isinstance(result, Fault) and result.kind is FaultKind.LOCAL
        if isinstance(result, Fault) and not self._actuation.failed and not self._is_refused:
            log.warning("%s: %s at %s", self._device.name, result.detail, result.point)
        unsupported = result.unsupported if isinstance(result, Applied) else frozenset[str]()
        self._unsupported = unsupported
        self._put(replace(self.view.value, failed=self._actuation.failed))

    def _show(self, telemetry: Telemetry, safe: SafeSetpoint, plan: Plan, override: Override | None) -> None:
        """Put the reading out for the reports; a device that was identified and is read is back."""
        plate = self.view.value.nameplate
        if self._is_found and plate is not None:
            self._is_found = False
            self._tell(
                What.DEVICE_BACK, f"{self._device.name} identified: {plate.manufacturer} {plate.model}"
            )
        if safe.state.trends.energy_fault:
            telemetry = replace(telemetry, injected_wh=None, absorbed_wh=None)
        self._put(
            replace(
                self.view.value,
                telemetry=telemetry,
                setpoint=safe.setpoint,
                plan=plan,
                reasons=safe.reasons,
                deratings=safe.deratings,
                refused=safe.refused,
                unsupported=self._unsupported | safe.refused,
                may_write=safe.may_write,
                override=override,
                is_local=self._is_refused or override is not None or telemetry.local_control,
                silent=None,
                at_s=self._heard_s,
            )
        )

    def _put(self, view: DeviceView) -> None:
        """Make a view the present one; say what came and what went."""
        for what, text, is_bad in news_of(self.view.value, view):
            said = text if self._device.name in text else f"{self._device.name}: {text}"
            log.log(logging.WARNING if is_bad else logging.INFO, "%s", said)
            self._tell(what, text)
        self.view.set(view)

    async def _keep(self, safe: SafeSetpoint, override: Override | None) -> None:
        """Keep for a restart what is latched, which device it is, and that an override is over."""
        latched = frozenset(reason.name for reason in safe.reasons if reason.is_latched)
        if latched != self._latched:
            self._latched = latched
            await self._kept.keep_latched(latched)
        if self._verified != self._known and not self._verified.is_pending:
            self._known = self._verified
            await self._kept.keep_verified(self._verified)
        if override is None and self._overriding.override is not None:
            self._overriding = Overriding()
            await self._kept.keep_override(None)
