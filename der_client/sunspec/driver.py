"""The Device behind SunSpec Modbus TCP: identify, read, apply with read-back and reversion timers."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace

from der_client.device import (
    Applied,
    Fault,
    FaultKind,
    Nameplate,
    Reversion,
    Setpoint,
    Telemetry,
    WrittenPoint,
)
from der_client.sunspec.codec import words_of
from der_client.sunspec.connection import Connection, fault_of
from der_client.sunspec.heartbeat import HeartbeatWatch, next_beat
from der_client.sunspec.mapping import Plan, plan
from der_client.sunspec.model import DeviceMap
from der_client.sunspec.nameplate import nameplate_of
from der_client.sunspec.polling import CONTROLS, IDENTITY, TELEMETRY
from der_client.sunspec.readings import is_local, telemetry_of
from der_client.sunspec.scan import ILLEGAL_ADDRESS
from der_client.sunspec.settings import SunSpecSettings
from der_client.sunspec.transport import ModbusTransport
from der_client.sunspec.writes import Block, Step, Wanted, step_of

log = logging.getLogger(__name__)

BEAT_PERIOD_S = 1.0
TIMER_SLACK_S = 2
CONTROL_POINTS = "704"


class SunSpecDevice:
    """An inverter or battery that speaks SunSpec Modbus TCP with the 700-series models."""

    def __init__(
        self, name: str, host: str, port: int, unit: int = 1, settings: SunSpecSettings | None = None
    ) -> None:
        self.name = name
        self.settings = settings or SunSpecSettings()
        self._transport = ModbusTransport(host, port, unit, self.settings.transport)
        self._connection = Connection(self._transport, self.settings.scan)
        self._watch = HeartbeatWatch(self.settings.heartbeat_limit_s)
        self._beats = self.settings.controller_heartbeat
        self._beat_s = 0.0
        self._nameplate: Nameplate | None = None
        self._took_out_of_service = False
        self._unguarded: frozenset[str] = frozenset()

    async def scan(self) -> DeviceMap | Fault:
        """Discover the device and give its map: all models that are defined, with their registers."""
        self._beats = self.settings.controller_heartbeat
        return await self._connection.rescan()

    async def identify(self) -> Nameplate | Fault:
        """Scan the device and give its ratings."""
        device_map = await self.scan()
        if isinstance(device_map, Fault):
            return device_map
        found = nameplate_of(device_map)
        self._nameplate = found if isinstance(found, Nameplate) else None
        return found

    async def read(self) -> Telemetry | Fault:
        """One reading of all measurements; a Fault too where the device's own heartbeat has stopped."""
        device_map = await self._connection.refreshed(TELEMETRY)
        if isinstance(device_map, Fault):
            return device_map
        control, now_s = device_map.first(715), asyncio.get_running_loop().time()
        if self._watch.is_stale(control.integer("DERHb") if control else None, now_s):
            limit_s = self.settings.heartbeat_limit_s
            return Fault(
                kind=FaultKind.STALE, detail=f"the heartbeat stands still for {limit_s} s", point="715.DERHb"
            )
        await self._beat(device_map, now_s)
        return telemetry_of(device_map)

    async def apply(self, setpoint: Setpoint, reversion: Reversion) -> Applied | Fault:
        """Write what differs, restart the reversion timers, read back and compare every point.

        A Fault after a write leaves the device with part of the setpoint; its reversion timers still end it.
        Nothing is written to a device whose ratings or settings are not those that were identified: STALE.
        """
        device_map = await self._connection.refreshed(CONTROLS)
        if isinstance(device_map, Fault):
            return replace(device_map, point=CONTROL_POINTS)
        if is_local(device_map):
            return Fault(
                kind=FaultKind.LOCAL, detail="the device is under local control", point="715.LocRemCtl"
            )
        opens = setpoint.connect is False or setpoint.energize is False
        restore = self._took_out_of_service
        self._took_out_of_service = restore or opens
        wanted = plan(device_map, setpoint, reversion, self.settings.mapping, restore_service=restore)
        result = await self._execute(wanted, device_map)
        if isinstance(result, Applied):
            self._took_out_of_service = opens
            self._note_unguarded(wanted.unguarded)
        return result

    async def close(self) -> None:
        """Close the connection; reversion timers stay armed in the device."""
        await self._transport.close()

    def _note_unguarded(self, fields: frozenset[str]) -> None:
        """Tell once which setpoints outlive a dead client."""
        if fields - self._unguarded:
            log.warning("%s has no reversion timer for %s", self.name, ", ".join(sorted(fields)))
        self._unguarded = fields

    async def _beat(self, device_map: DeviceMap, now_s: float) -> None:
        """Count the controller's heartbeat up, unless the device does not want it. SunSpec model 715."""
        control = device_map.first(715)
        value = control.integer("ControllerHb") if control else None
        point = control.point("ControllerHb") if control else None
        if not self._beats or value is None or control is None or point is None or is_local(device_map):
            return
        if now_s - self._beat_s < BEAT_PERIOD_S:
            return
        self._beat_s = now_s
        failure = await self._transport.write(
            control.address + point.offset, words_of(next_beat(value), point.size)
        )
        if failure and failure.code is not None:
            log.warning("%s takes no controller heartbeat: %s", self.name, failure.detail)
            self._beats = False

    async def _execute(self, wanted: Plan, planned: DeviceMap) -> Applied | Fault:
        """Write the steps that are due, then confirm all of them."""
        due = [(step, step.remaining_s) for step in wanted.steps if self._is_due(step)]
        fault = await self._changed(planned) if due else None
        for step, _ in due:
            fault = fault or await self._write(step)
        if fault:
            return fault
        return await self._confirm(wanted, due) if due else _applied(wanted)

    async def _changed(self, planned: DeviceMap) -> Fault | None:
        """A Fault where ratings or settings are not those that were identified: then nothing is written."""
        if self._nameplate is None:
            return None
        seen = await self._connection.refreshed(IDENTITY)
        if isinstance(seen, Fault):
            return seen
        if seen is planned and _is_same(self._nameplate, nameplate_of(seen)):
            return None
        return Fault(kind=FaultKind.STALE, detail="the device is not as it was identified", point="702")

    def _is_due(self, step: Step) -> bool:
        """True if a register would change, or if a reversion timer was not restarted just now."""
        if not step.is_held or step.timer is None:
            return not step.is_held
        remaining_s = step.remaining_s or 0
        return remaining_s < step.timer_s - min(self.settings.min_write_interval_s, step.timer_s / 4)

    async def _write(self, step: Step) -> Fault | None:
        """Write the blocks of a step up to the first that fails."""
        for block in step.due_blocks:
            fault = await self._write_block(block)
            if fault:
                return fault
        return None

    async def _write_block(self, block: Block) -> Fault | None:
        """Write one block; without an answer the device's registers decide: nothing is sent twice blindly."""
        failure = await self._transport.write(block.address, block.words)
        if failure is None:
            return None
        fault = fault_of(failure, f"{block.model.model_id}.{block.points[0].name}")
        if failure.code is not None:
            if failure.code == ILLEGAL_ADDRESS:
                self._connection.forget()
            return fault
        seen = await self._connection.refreshed(CONTROLS)
        return None if isinstance(seen, DeviceMap) and block.is_held else fault

    async def _confirm(self, wanted: Plan, due: list[tuple[Step, int | None]]) -> Applied | Fault:
        """Read back until every point and timer shows what was written, for `readback_s` at most."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self.settings.readback_s
        toggles = self.settings.toggle_to_refresh
        while True:
            seen = await self._connection.refreshed(CONTROLS)
            if isinstance(seen, Fault):
                return seen
            difference = next(_differences(wanted), None)
            idle = [step for step, before_s in due if not _restarted(step, before_s)]
            if difference is None and not idle:
                return _applied(wanted)
            if difference is None and toggles:
                toggles = False
                fault = await self._toggle(idle)
                if fault:
                    return fault
                continue
            if loop.time() >= deadline_s:
                return difference or _idle_timer(idle[0])
            await asyncio.sleep(self.settings.readback_pause_s)

    async def _toggle(self, steps: list[Step]) -> Fault | None:
        """Disable and enable functions at once, for devices that restart a timer in no other way."""
        for step in steps:
            enable = (step.timer or "").removesuffix("RvrtRem") + "Ena"
            for block in (*step_of(step.model, step.field, {enable: Wanted(0)}).blocks, *step.blocks):
                fault = await self._write_block(block)
                if fault:
                    return fault
        return None


def _is_same(identified: Nameplate, found: Nameplate | Fault) -> bool:
    """True if a device is as it was identified; its ramp is a setpoint, which may change."""
    if isinstance(found, Fault):
        return False
    return replace(found, grad_w_pct_per_s=identified.grad_w_pct_per_s) == identified


def _restarted(step: Step, before_s: int | None) -> bool:
    """True if the reversion timer of a step runs and went up, or stands near its full time."""
    if step.timer is None:
        return True
    now_s = step.remaining_s or 0
    return now_s > 0 and (now_s > (before_s or 0) or now_s >= step.timer_s - TIMER_SLACK_S)


def _idle_timer(step: Step) -> Fault:
    detail = f"the reversion timer did not restart: {step.remaining_s} of {step.timer_s} s"
    return Fault(kind=FaultKind.READBACK, detail=detail, point=f"{step.model.model_id}.{step.timer}")


def _written(wanted: Plan) -> Iterator[tuple[WrittenPoint, tuple[int, ...] | None]]:
    for step in wanted.steps:
        for block in step.blocks:
            yield from block.written()


def _differences(wanted: Plan) -> Iterator[Fault]:
    """The points that show something else than what they shall hold."""
    for point, seen in _written(wanted):
        if seen != point.raw:
            detail = f"register {point.address} holds {seen}, written was {point.raw}"
            yield Fault(kind=FaultKind.READBACK, detail=detail, point=point.point)


def _applied(wanted: Plan) -> Applied:
    return Applied(points=tuple(point for point, _ in _written(wanted)), unsupported=wanted.unsupported)
