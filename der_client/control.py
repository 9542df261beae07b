"""The task that owns one device: read, decide, make safe, apply, every control period.

It never waits for the network: what the server wants is read from a snapshot. Nothing else calls
`Device.apply`, and only with what `clamp` gave.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final

from der_client.actuation import Actuation
from der_client.ahead import Ahead
from der_client.client_event import Tell, What
from der_client.contained import contained
from der_client.desired import Desired
from der_client.device import (
    Applied,
    BatteryState,
    Device,
    Fault,
    FaultKind,
    Nameplate,
    Reversion,
    Setpoint,
    Telemetry,
)
from der_client.device_news import news_of
from der_client.device_view import DeviceView
from der_client.heard_bms import bms_says
from der_client.hurry import hurry_of
from der_client.kept import Memory
from der_client.lasting import Lasting
from der_client.loop_watch import watch_of
from der_client.override import Override
from der_client.patient import is_pending
from der_client.plan import Plan, reversion_of, setpoint_text
from der_client.preparation import Preparation, Present
from der_client.protected import may_write_grid_code
from der_client.quiet import until_quiet_is_over
from der_client.relay_watch import RelayWatch
from der_client.safety import SafeSetpoint, SafetyState, Surroundings, clamp, unasked, unheard
from der_client.safety_state import latched_of
from der_client.settings import ControlSettings
from der_client.shortfall import Holding, Shortfall
from der_client.site_desk import Heard, SitePart
from der_client.taken_out import brought_back, resting
from der_client.verified import UNVERIFIED
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
        self._lasting = Lasting(device.name, tell)
        self._nameplate: Nameplate | None = None
        self._safety = SafetyState()
        self._actuation = Actuation()
        self._holding, self._shortfall, self._budget = Holding(), Shortfall(), WriteBudget()
        self._loop = watch_of(settings.period_s)
        self._relay = RelayWatch(device, tell)
        self._is_found = self._must_identify = self._is_refused = self._is_writing = False
        self._unsupported, self._lacking = frozenset[str](), frozenset[str]()
        self._applied: tuple[Setpoint, Reversion] | None = None
        self._pending: Setpoint | None = None
        self.ahead: Callable[[], Ahead | None] = lambda: None
        """What holds from the next second on at which the plan changes, once that is near."""
        self.left_s: Callable[[], float | None] = lambda: None
        """How long it is until that second, s."""
        self._preparation, self._turn = Preparation(device, settings, self._gate), hurry_of(device)
        self._telemetry: Telemetry | None = None
        self._applied_s, self._heard_s, self._began_s = 0.0, local_s(), local_s()

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
                with self._contained():
                    await self.cycle()
                due_s = max(began_s + self._settings.period_s, self._local_s())
                is_new = await self._plan.newer(version, due_s - self._local_s())
                self._turn.hurry(is_late=is_new and not self._preparation.is_sent)
                if not is_new and await until_quiet_is_over():
                    due_s = max(due_s, self._local_s())
        finally:
            await self._device.close()

    def _contained(self) -> AbstractContextManager[None]:
        return contained(self._device.name, self._broke, is_known=self.view.value.silent is not None)

    def _broke(self, error: Exception) -> None:
        """What a driver raises is a fault of its device alone: it is left to its timers, as a silent one."""
        self._applied = None
        self._heard_s = min(self._heard_s, self._local_s() - self._settings.unavailable_after_s)
        self._unheard(Fault(kind=FaultKind.MALFORMED, detail=f"{type(error).__name__}: {error}"))

    async def restore(self, memory: Memory | None, system_s: Callable[[], float] = time.time) -> None:
        """Take up what an earlier run left: latches, an override, service, which device it was."""
        await self._lasting.restore(memory, self._device, system_s, self._local_s)
        self._safety = self._safety.latched_before(self._lasting.latched)

    async def override(self, override: Override | None, system_s: Callable[[], float] = time.time) -> None:
        """Put a local operator's setpoint before every program, or end it (None); at the next cycle."""
        await self._lasting.ordered(override, system_s(), self._local_s())

    def reset(self, names: frozenset[str] | None = None) -> None:
        """Reset latched interlocks, all or these, at the next cycle; one whose cause is there stays."""
        asked = self._lasting.latched if names is None else names
        self._safety = self._safety.resetting(asked)
        if names is None or UNVERIFIED in names:
            self._lasting.verified = self._lasting.verified.accepted()

    @property
    def latched(self) -> frozenset[str]:
        """Names of interlocks that wait for an operator."""
        return self._lasting.latched

    async def cycle(self) -> None:
        """One look at the device and, where needed, one write; a relay is held while all is sound."""
        await self._look()
        await self._lasting.keep_latched(self.latched | latched_of(self.view.value.reasons))
        self._relay.look(self._surroundings().rules, self.latched, self.view.value.reasons)

    async def _look(self) -> None:
        nameplate = self._nameplate or await self._identify()
        if nameplate is None:
            return
        telemetry = await self._device.read()
        if isinstance(telemetry, Fault):
            self._applied = None
            self._unheard(telemetry, bms_says(self._device))
            return
        self._heard_s = now = self._local_s()
        self._telemetry = telemetry
        override = self._lasting.order.at(now)
        plan = self._preparation.plan_in_force(self._plan)
        plan = plan or self._without_plan(telemetry, nameplate, override, now)
        if plan is None:
            return
        wish, desired = self._wished(plan, nameplate, telemetry, override)
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
            if self._applied is not None:
                self._holding = self._holding.written(plan, self._applied_s + reversion.after_s)
        if not safe.may_write:
            self._holding = self._holding.unwritten(plan, now)
        rules = self._surroundings().rules.response
        self._shortfall = self._shortfall.after(wish, safe, nameplate, rules, now)
        self._show(telemetry, safe, plan, override)
        await self._lasting.keep(safe.latched, self._local_s())
        await self._preparation.prepare(self.ahead(), self._present(), self._local_s())

    def _without_plan(
        self, telemetry: Telemetry, nameplate: Nameplate, override: Override | None, now: float
    ) -> Plan | None:
        """What to follow where no plan is known. None: for a while the device goes on as it is.

        An event may hold it that is not known yet. It is stopped all the same where an interlock wants that.
        """
        if override is not None or now - self._began_s >= self._settings.plan_wait_s:
            return Plan()
        state = unasked(telemetry, nameplate, self._safety, now, around=self._around(now))
        if state is None:
            return Plan()
        self._safety = state
        return None

    def _wished(
        self, plan: Plan, nameplate: Nameplate, telemetry: Telemetry, override: Override | None
    ) -> tuple[Desired, Desired]:
        """What the plan asks of the device, and what it shall do: where an operator wants it that instead."""
        held, obeys = self._applied is not None, "max_w_pct" not in self._actuation.failed
        heard = Heard(nameplate=nameplate, telemetry=telemetry, is_held=held, is_obeying=obeys)
        wish = self._part.desired(plan, heard)
        if override is None:
            return wish, wish
        return wish, replace(self._part.ordered(override.desired(), wish), instead_of=wish)

    def arm(self, ahead: Ahead, at_s: float) -> None:
        """Let what was prepared for `ahead` pass the gate: its second comes at `at_s`, local, s."""
        self._preparation.arm(ahead, self._present(), at_s)

    def begin(self) -> asyncio.Future[None] | None:
        """Send what passed the gate for this second; None where the device is to be told in the ordinary way.

        What comes back from the device is taken, read back and compared in the next cycle.
        """
        begun = None
        with self._contained():
            begun = self._preparation.begin(self._present(), self._plan.version, self._local_s())
        if begun is None:
            self._turn.hurry(is_late=True)
            return None
        sent, self._safety = begun
        return sent

    def _gate(self, wish: Desired, now: float) -> SafeSetpoint | None:
        """What the gate lets through of a wish at `now`, local, s, on the last reading; None without one."""
        plate, seen, state = self._nameplate, self._telemetry, self._safety
        if plate is None or seen is None:
            return None
        return clamp(wish, seen, plate, state, now, around=self._around(now, is_due=False), is_new=False)

    def _present(self) -> Present | None:
        """What a write that is prepared stands on; None for a device that has to be told in the ordinary way.

        That is one that does not stand alone, does not hold what it was told, or is not left to the programs.
        """
        if self._nameplate is None or self._telemetry is None or self._applied is None:
            return None
        lasting = self._lasting
        is_own = self._part.is_alone and lasting.order.is_none and not lasting.service.owed_back
        return Present(
            nameplate=self._nameplate,
            telemetry=self._telemetry,
            heard_s=self._heard_s,
            held=self._applied,
            safety=self._safety,
            budget=self._budget,
            rules=self._surroundings().rules.writes,
            reasons=self.view.value.reasons,
            is_free=is_own and not (self._is_writing or self._must_identify),
        )

    def _around(self, now: float, *, is_due: bool = True) -> Surroundings:
        """What holds around the device, with what its loop knows; only a reading that `is_due` is missed."""
        around = self._surroundings()
        loop = replace(
            self._loop.told(around.loop),
            silent_s=now - self._heard_s if is_due else 0.0,
            is_unverified=self._lasting.verified.is_pending,
            writes_today=self._budget.today,
            writes_queued=self._budget.queued,
        )
        return replace(
            around,
            blocked=self._actuation.blocked(now),
            lacking=self._lacking,
            loop=loop,
            allow_grid_code_writes=may_write_grid_code(self._device),
        )

    async def _identify(self) -> Nameplate | None:
        """Ratings of the device; asked for again after each loss, before anything is written."""
        found = await self._device.identify()
        if isinstance(found, Fault):
            self._unheard(found, bms_says(self._device))
            return None
        self._lasting.verified = self._lasting.verified.after(found)
        self._nameplate, self._applied, self._is_found, self._lacking = found, None, True, frozenset()
        words = f"{found.manufacturer} {found.model} {found.version} {found.serial}, {found.max_w:g} W"
        log.info("%s: %s", self._device.name, words)
        self.view.set(replace(self.view.value, nameplate=found))
        return found

    def _unheard(self, fault: Fault, battery: BatteryState | Fault | None = None) -> None:
        """Count the silence of a device, whose BMS may speak; after too long it must be identified again."""
        now = self._local_s()
        reasons, self._safety = unheard(self._safety, now, around=self._around(now), battery=battery)
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
        wanted = setpoint = brought_back(safe.setpoint, self._lasting.service.owed_back)
        if former is not None:
            setpoint = self._budget.affordable(wanted, former[0], rules, now)
        self._budget = self._budget.waiting(queued_in(wanted, setpoint))
        age_s = now - self._applied_s
        is_fresh = age_s < REFRESH_SHARE * reversion.after_s
        is_fresh |= self._preparation.stands_in(self.left_s(), reversion.after_s - age_s)
        if (setpoint, reversion) == former and is_fresh and not self._preparation.is_sent:
            return
        self._preparation.forget()
        self._is_writing = True
        try:
            answer = self._device.apply(setpoint, reversion)
            result = await self._lasting.told(answer, setpoint, safe.latched)
        finally:
            self._is_writing = self._preparation.is_sent = False
        before = self._pending if former is None else former[0]
        self._pending = setpoint if is_pending(result) else None
        self._budget = self._budget.after(setpoint, wanted, before, rules, now)
        self._take(result, now)
        if isinstance(result, Fault):
            self._applied = None
            if result.kind is FaultKind.STALE:
                self._nameplate = None
            return
        self._applied, self._applied_s = (setpoint, reversion), now
        if former is None or former[0] != setpoint:
            self._tell(What.APPLIED, setpoint_text(setpoint), points=result.points)

    def _let_be(self, safe: SafeSetpoint) -> None:
        """Write nothing: the device's own reversion timers run. What comes after begins anew."""
        self._applied = None
        self._must_identify |= any(reason.interlock in ANEW for reason in safe.reasons)
        if self._lasting.verified.needs_scan:
            self._nameplate = None

    def _take(self, result: Applied | Fault, now: float) -> None:
        """Count the result; what it says of the device goes into the view."""
        self._actuation = self._actuation.after(result, now, self._settings)
        self._is_refused = isinstance(result, Fault) and result.kind is FaultKind.LOCAL
        is_quiet = self._is_refused or is_pending(result)
        if isinstance(result, Fault) and not self._actuation.failed and not is_quiet:
            log.warning("%s: %s at %s", self._device.name, result.detail, result.point)
        unsupported = result.unsupported if isinstance(result, Applied) else frozenset[str]()
        self._unsupported, self._lacking = unsupported, self._lacking | unsupported
        self._put(replace(self.view.value, failed=self._actuation.failed))

    def _show(self, telemetry: Telemetry, safe: SafeSetpoint, plan: Plan, override: Override | None) -> None:
        """Put the reading out for the reports; a device that was identified and is read is found, or back."""
        plate = self.view.value.nameplate
        if self._is_found and plate is not None:
            self._is_found = False
            what = What.DEVICE_FOUND if self.view.value.silent is None else What.DEVICE_BACK
            self._tell(what, f"{self._device.name} identified: {plate.manufacturer} {plate.model}")
        if safe.state.trends.energy_fault:
            telemetry = replace(telemetry, injected_wh=None, absorbed_wh=None)
        self._put(
            replace(
                self.view.value.given(safe),
                telemetry=telemetry,
                plan=plan,
                unsupported=self._unsupported | safe.refused,
                lost_s=math.inf if safe.may_write else self._holding.lost_s(plan),
                short=self._shortfall.lasting,
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
