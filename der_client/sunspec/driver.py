"""The Device behind SunSpec Modbus TCP: identify, read, apply with read-back and reversion timers."""

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from der_client.device import Applied, Fault, FaultKind, Nameplate, Reversion, Setpoint, Telemetry
from der_client.sunspec.connection import Connection
from der_client.sunspec.curve_plans import curve_models_of
from der_client.sunspec.drafts import CurveBefore, Plan
from der_client.sunspec.execution import Execution, Models
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

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

log = logging.getLogger(__name__)

BEAT_PERIOD_S = 1.0
CONTROL_POINTS = "704"


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
        self._took_out_of_service = False
        self._unguarded: frozenset[str] = frozenset()
        self._before: Mapping[int, CurveBefore] = {}
        self._execution = Execution(self._connection, self.settings)

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
        self._pulse.renew(is_wanted=self.settings.controller_heartbeat)
        self._execution.adapt(self.settings)
        is_for_others = self.settings.one_connection and self.settings.proxy is None
        self._transport.let_go_after(self.settings.idle_s if is_for_others else None)

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
        opens = setpoint.connect is False or setpoint.energize is False
        restore = self._took_out_of_service
        self._took_out_of_service = restore or opens
        wanted = plan(
            device_map,
            setpoint,
            reversion,
            self.settings.mapping,
            restore_service=restore,
            before=self._before,
        )
        self._before = {**self._before, **wanted.touched}
        result = await self._execute(wanted, device_map, models)
        if isinstance(result, Applied):
            self._took_out_of_service = opens
            self._before = {n: was for n, was in self._before.items() if n not in wanted.returned}
            self._note_unguarded(wanted.unguarded)
        return result

    async def _known(self) -> DeviceMap | Fault:
        """The map as it is known; a device that is met for the first time is adapted to."""
        return self._connection.map or await self.scan()

    async def _models_for(self, setpoint: Setpoint) -> Models | Fault:
        """The models that a plan for a Setpoint reads and writes."""
        device_map = await self._known()
        if isinstance(device_map, Fault):
            return device_map
        curves = curve_models_of(device_map, setpoint, frozenset(self._before))
        battery = (802,) if setpoint.open_contactor else ()
        return {**CONTROLS, **dict.fromkeys((*curves, *battery))}

    async def close(self) -> None:
        """Close the connection; reversion timers stay armed in the device."""
        await self._pulse.stop()
        await self._proxy.close()
        await self._transport.close()

    def _note_unguarded(self, fields: frozenset[str]) -> None:
        """Tell once which setpoints outlive a dead client."""
        if fields - self._unguarded:
            log.warning("%s has no reversion timer for %s", self.name, ", ".join(sorted(fields)))
        self._unguarded = fields

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
        if seen is planned and _is_same(self._nameplate, nameplate_of(seen, self.settings.mapping)):
            return None
        return Fault(kind=FaultKind.STALE, detail="the device is not as it was identified", point="702")


def _is_same(identified: Nameplate, found: Nameplate | Fault) -> bool:
    """True if a device is as it was identified; its ramp is a setpoint, which may change."""
    if isinstance(found, Fault):
        return False
    return replace(found, grad_w_pct_per_s=identified.grad_w_pct_per_s) == identified
