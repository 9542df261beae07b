"""The Device behind SunSpec Modbus TCP: identify, read, apply with read-back and reversion timers."""

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from der_client.device import Applied, Fault, FaultKind, Nameplate, Reversion, Setpoint, Telemetry
from der_client.former import FormerMemory
from der_client.sunspec.connection import Connection
from der_client.sunspec.curve_plans import curve_models_of
from der_client.sunspec.drafts import Plan
from der_client.sunspec.execution import Execution, Models
from der_client.sunspec.former_curves import FormerCurves
from der_client.sunspec.heartbeat import DeviceHeartbeats
from der_client.sunspec.mapping import plan
from der_client.sunspec.model import DeviceMap
from der_client.sunspec.nameplate import nameplate_of
from der_client.sunspec.plausible import EnergyWatch
from der_client.sunspec.polling import CONTROLS, IDENTITY, telemetry_models
from der_client.sunspec.proxy import ProxySwitch
from der_client.sunspec.pulse import Pulse
from der_client.sunspec.quirks import load_book
from der_client.sunspec.readings import is_local, telemetry_of
from der_client.sunspec.settings import SunSpecSettings
from der_client.sunspec.transport import ModbusTransport
from der_client.sunspec.unused_models import own_schedule
from der_client.sunspec.writes import Step
from der_client.taken_out import taken_out_by

if TYPE_CHECKING:
    from der_client.sunspec.sending import Sending

T = TypeVar("T")

log = logging.getLogger(__name__)

CONTROL_POINTS = "704"
READY_S = 60.0
"""For so long what was read to prepare a write holds, s."""
CHANGED = Fault(kind=FaultKind.STALE, detail="the device is not as it was identified", point="702")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A write that was worked out at `at_s`, for the device as it was read then."""

    setpoint: Setpoint
    reversion: Reversion
    wanted: Plan
    due: list[tuple[Step, int | None]]
    models: Models
    device_map: DeviceMap
    at_s: float


class SunSpecDevice:
    """An inverter or battery that speaks SunSpec Modbus TCP with the 700-series models."""

    def __init__(
        self, name: str, host: str, port: int, unit: int = 1, settings: SunSpecSettings | None = None
    ) -> None:
        self.name = name
        self._given = self.settings = settings or SunSpecSettings()
        self._book = load_book(self._given.quirk_files) if self._given.quirks else None
        self._transport = ModbusTransport(host, port, unit, self.settings.transport)
        adapt = self._book.scan if self._book else None
        self._connection = Connection(self._transport, self.settings.scan, adapt)
        self._watches = DeviceHeartbeats.of(self.settings.heartbeat_limit_s)
        self._pulse = Pulse(name, self._connection, is_wanted=self.settings.controller_heartbeat)
        self._proxy = ProxySwitch(self._transport, self.settings.proxy)
        self._energies = EnergyWatch()
        self._nameplate: Nameplate | None = None
        self._taken_out: frozenset[str] = frozenset()
        self._unguarded: frozenset[str] = frozenset()
        self._unreturned: frozenset[int] = frozenset()
        self._former = FormerCurves()
        self._execution = Execution(self._connection, self.settings)
        self._ready: Ready | None = None
        self._begun: tuple[Ready, Sending] | None = None

    async def scan(self) -> DeviceMap | Fault:
        """Discover the device and give its map: all models that are defined, with their registers."""
        self._proxy.open()
        found = await self._connection.rescan()
        if isinstance(found, DeviceMap):
            self._adapt(found)
        return found

    def _adapt(self, device_map: DeviceMap) -> None:
        """Take the settings for this device: those given, with what is known of its model."""
        if self._book:
            identity = device_map.identity()
            for quirk in self._book.of(identity):
                log.info("%s: %s", self.name, quirk.name)
            self.settings = self._book.device(self._given, identity)
        schedule = own_schedule(device_map)
        if schedule is not None:
            log.warning("%s follows %s, which may go against what is asked", self.name, schedule)
        self._pulse.renew(is_wanted=self.settings.controller_heartbeat)
        self._execution.adapt(self.settings)
        is_for_others = self.settings.one_connection and self.settings.proxy is None
        self._transport.let_go_after(self.settings.idle_s if is_for_others else None)

    async def take_up(self, memory: FormerMemory) -> None:
        """Go on with the curves that an earlier run found here, and keep those that are found from now on."""
        await self._former.take_up(memory)

    async def knock(self) -> Fault | None:
        """Whether the device answers at all: one read at each place where its map may begin."""
        return await self._connection.knock()

    async def identify(self) -> Nameplate | Fault:
        """Scan the device and give its ratings."""
        device_map = await self.scan()
        if isinstance(device_map, Fault):
            return device_map
        found = nameplate_of(device_map, self.settings.mapping)
        self._nameplate = found if isinstance(found, Nameplate) else None
        return found

    async def read(self) -> Telemetry | Fault:
        """One reading of all measurements; a Fault too where the device's own heartbeat has stopped."""
        known = await self._known()
        if isinstance(known, Fault):
            return known
        device_map = await self._connection.refreshed(telemetry_models(known))
        if isinstance(device_map, Fault):
            return device_map
        now_s = asyncio.get_running_loop().time()
        if (silent := self._watches.silent(device_map, now_s)) is not None:
            detail = f"the heartbeat stands still for {silent.limit_s} s"
            return Fault(kind=FaultKind.STALE, detail=detail, point=silent.point)
        await self._pulse.with_reading(device_map)
        reading = telemetry_of(device_map, self.settings.mapping)
        if isinstance(reading, Fault) or self._nameplate is None:
            return reading
        return self._energies.telemetry(reading, self._nameplate.max_w, now_s)

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        """Write what differs, restart the reversion timers, read back and compare every point.

        A Fault after a write leaves the device with part of the setpoint; its reversion timers still end it.
        Nothing is written to a device whose ratings or settings are not those that were identified: STALE.
        """
        self._ready, begun, self._begun = None, self._begun, None
        if begun is not None:
            ready, sending = begun
            await sending.done
            if sending.failure is None and self._is_for(ready, setpoint, reversion):
                return await self._confirmed(ready)
        models = await self._models_for(setpoint)
        if isinstance(models, Fault):
            return replace(models, point=CONTROL_POINTS)
        device_map = await self._connection.refreshed(models)
        if isinstance(device_map, Fault):
            return replace(device_map, point=CONTROL_POINTS)
        if is_local(device_map):
            return Fault(
                kind=FaultKind.LOCAL, detail="the device is under local control", point="715.LocRemCtl"
            )
        opened, restore = taken_out_by(setpoint), self._taken_out
        self._taken_out = restore | opened
        wanted = plan(
            device_map,
            setpoint,
            reversion,
            self.settings.mapping,
            restore=restore,
            before=self._former.of(device_map),
        )
        self._note_unreturned(wanted.unreturned)
        await self._former.note(device_map, wanted.touched)
        result = await self._execute(wanted, device_map, models)
        if isinstance(result, Applied):
            self._taken_out = opened
            await self._former.forget(wanted.returned)
            self._note_unguarded(wanted.unguarded)
        return result

    async def prepare(self, setpoint: Setpoint, reversion: Reversion) -> bool:
        """Read and work out all that writing the setpoint needs; False where it is no matter of one write.

        That is so for a device that is taken out of service or brought back, or that adopts a curve.
        """
        self._ready = None
        if self._taken_out or taken_out_by(setpoint):
            return False
        models = await self._models_for(setpoint)
        if isinstance(models, Fault) or self._nameplate is None:
            return False
        seen = await self._connection.refreshed({**models, **IDENTITY})
        if isinstance(seen, Fault) or is_local(seen) or not self._is_as_identified(seen):
            return False
        wanted = plan(seen, setpoint, reversion, self.settings.mapping, before=self._former.of(seen))
        if wanted.touched or wanted.returned:
            return False
        self._ready = Ready(
            setpoint=setpoint,
            reversion=reversion,
            wanted=wanted,
            due=self._execution.due(wanted),
            models=models,
            device_map=seen,
            at_s=asyncio.get_running_loop().time(),
        )
        return True

    def begin(self, setpoint: Setpoint, reversion: Reversion) -> asyncio.Future[None] | None:
        """Send what was prepared; None where it does not hold any more."""
        ready, self._ready = self._ready, None
        if ready is None or self._begun is not None or not self._is_for(ready, setpoint, reversion):
            return None
        if asyncio.get_running_loop().time() - ready.at_s > READY_S:
            return None
        sending = self._execution.begin(ready.due)
        if sending is None:
            return None
        self._begun = ready, sending
        return sending.done

    def _is_for(self, ready: Ready, setpoint: Setpoint, reversion: Reversion) -> bool:
        """True if it is what is asked for, of the device as it is known now."""
        is_same = (setpoint, reversion) == (ready.setpoint, ready.reversion)
        return is_same and self._connection.holds(ready.device_map)

    async def _confirmed(self, ready: Ready) -> Applied | Fault:
        """What became of a write that was prepared: read back, and from the device that was planned for."""
        result = await self._execution.confirm(ready.wanted, ready.due, {**ready.models, **IDENTITY})
        if isinstance(result, Fault):
            return result
        if not (self._connection.holds(ready.device_map) and self._is_as_identified(ready.device_map)):
            return CHANGED
        self._note_unguarded(ready.wanted.unguarded)
        return result

    def _is_as_identified(self, seen: DeviceMap) -> bool:
        """True if ratings and settings as last read are those that were identified."""
        known = self._nameplate
        return known is not None and _is_same(known, nameplate_of(seen, self.settings.mapping))

    async def _known(self) -> DeviceMap | Fault:
        """The map as it is known; a device that is met for the first time is adapted to."""
        return self._connection.map or await self.scan()

    async def _models_for(self, setpoint: Setpoint) -> Models | Fault:
        """The models that a plan for a Setpoint reads and writes."""
        device_map = await self._known()
        if isinstance(device_map, Fault):
            return device_map
        curves = curve_models_of(device_map, setpoint, self._former.models)
        battery = (802,) if setpoint.open_contactor else ()
        return {**CONTROLS, **dict.fromkeys((*curves, *battery))}

    async def close(self) -> None:
        """Close the connection; reversion timers stay armed in the device."""
        await self._pulse.stop()
        await self._proxy.close()
        await self._transport.close()

    def _note_unguarded(self, fields: frozenset[str]) -> None:
        """Tell once what does not go to its default by a timer of the device."""
        if fields - self._unguarded:
            names = ", ".join(sorted(fields))
            log.warning("%s does not go to its default without this client: %s", self.name, names)
        self._unguarded = fields

    def _note_unreturned(self, models: frozenset[int]) -> None:
        """Tell once what stays as this client has set it; it is put back when that is possible again."""
        if models - self._unreturned:
            names = ", ".join(map(str, sorted(models)))
            log.warning("%s: cannot or must not be put back as it was: model %s", self.name, names)
        self._unreturned = models

    async def _execute(self, wanted: Plan, planned: DeviceMap, models: Models) -> Applied | Fault:
        """Write the steps that are due, if the device is still the one that was planned for."""
        due = self._execution.due(wanted)
        fault = await self._changed(planned) if due else None
        return fault or await self._execution.run(wanted, due, models)

    async def _changed(self, planned: DeviceMap) -> Fault | None:
        """A Fault where ratings or settings are not those that were identified: then nothing is written."""
        if self._nameplate is None:
            return None
        seen = await self._connection.refreshed(IDENTITY)
        if isinstance(seen, Fault):
            return seen
        return None if seen is planned and self._is_as_identified(seen) else CHANGED


def _is_same(identified: Nameplate, found: Nameplate | Fault) -> bool:
    """True if a device is as it was identified; its ramp is a setpoint, which may change."""
    if isinstance(found, Fault):
        return False
    return replace(found, grad_w_pct_per_s=identified.grad_w_pct_per_s) == identified
