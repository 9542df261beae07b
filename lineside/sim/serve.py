"""The shell of a simulation: Modbus and CAN around the rig, a tick, and a door for commands."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import signal
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from certs import modbus_server_context
from der_client.can import BatterySimulator, CanHub
from der_client.sunspec.requests import READ_HOLDING, WRITE_MULTIPLE
from der_client.sunspec.simulator import FaultSwitches, ModbusServer, RtuServer
from der_client.sunspec.simulator.bank import IllegalRequestError, SilentUnitError
from der_client.sunspec.simulator.meter import refuse_write
from lineside.sim.command import answer_line
from lineside.sim.open_files import make_room

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from certs import TlsContext
    from der_client.sunspec.simulator.pdu import RegisterStore
    from lineside.sim.clock import SimClock
    from lineside.sim.rig import Device, Rig

UNITS_PER_PORT = 247
FRESH_S = 0.05
"""Measurements are not older than this; blocks that are read together are of one moment."""
TICK_S = 0.25
ROUND_S = 10.0
"""The grid's profile and a site are looked at each tick; a device that nobody asks within a round."""
LONGEST_LINE = 1 << 16


class Store:
    """The registers of a device at the time of each request."""

    def __init__(self, rig: Rig, device: Device, clock: SimClock) -> None:
        self._rig = rig
        self._device = device
        self._clock = clock
        self._fresh_at = -math.inf

    def read(self, address: int, count: int) -> Sequence[int]:
        """Registers now. Raises IllegalRequestError outside the map."""
        device = self._device
        self._misbehave(READ_HOLDING)
        with self._clock.step() as now:
            if now - self._fresh_at >= FRESH_S * self._clock.speed:
                self._rig.step_one(device, now)
                self._fresh_at = now
        if device.inverter is not None:
            return device.inverter.read(address, count)
        if device.image is not None:
            return device.image.read(address, count)
        return () if device.meter is None else device.meter.read(address, count)

    def write(self, address: int, words: Sequence[int]) -> None:
        """Write points now. Raises IllegalRequestError where the device refuses."""
        self._misbehave(WRITE_MULTIPLE)
        with self._clock.step() as now:
            self._fresh_at = now
            self._rig.step_one(self._device, now)
        if self._device.inverter is None:
            refuse_write(address)
        else:
            self._device.inverter.write(address, words, now)

    def _misbehave(self, function: int) -> None:
        """Be silent or refuse, where this device alone is to, whoever shares its port."""
        faults = self._device.faults
        if faults.silent:
            raise SilentUnitError
        if faults.exception_code is not None and function in faults.exception_functions:
            raise IllegalRequestError(faults.exception_code, "a fault on command")


class Served:
    """A running simulation: its servers, its buses, its tick. `close` ends all."""

    def __init__(self, rig: Rig, clock: SimClock) -> None:
        self.rig = rig
        self.clock = clock
        self.places: list[dict[str, object]] = []
        self.control_port: int | None = None
        self._stack = AsyncExitStack()
        self._tick: asyncio.TimerHandle | None = None
        self._turn = 0
        self._is_told = False

    async def start(self, host: str, port: int, *, is_one_port: bool, tls: TlsContext | None = None) -> None:
        """Open the ports, inside TLS where there is a context. Raises OSError where one cannot be had.

        TooManyPortsError where the system does not allow as many.
        """
        groups = list(_groups(list(self.rig.devices.values()), is_one_port=is_one_port))
        make_room(len(groups) + sum(device.bms is not None for device in self.rig.devices.values()))
        for number, group in enumerate(groups):
            line = FaultSwitches()
            server = ModbusServer(self._stores(group, line), line)
            await server.start(host, port + number if port else 0, tls)
            self._stack.push_async_callback(server.close)
            self.places += [
                {"name": device.name, "port": server.port, "unit": unit} for unit, device in group
            ]
        self._beat()

    def start_rtu(self, port: str | None) -> None:
        """Serve Modbus RTU, all devices on one line: a serial port, or a new pseudo terminal for `None`.

        Raises OSError where the port cannot be had, ValueError for more devices than a line can have.
        """
        devices = list(self.rig.devices.values())
        groups = [*_groups(devices, is_one_port=len(devices) > 1)]
        if len(groups) > 1:
            raise ValueError(f"a serial line has {UNITS_PER_PORT} units at most")
        line = FaultSwitches()
        server = RtuServer(self._stores(groups[0], line), line)
        self._stack.callback(server.close)
        path = server.start_on_pty() if port is None else server.start_on(port)
        self.places += [
            {"name": device.name, "serial_port": path, "unit": unit} for unit, device in groups[0]
        ]
        self._beat()

    def _stores(self, group: Iterable[tuple[int, Device]], line: FaultSwitches) -> dict[int, RegisterStore]:
        """The units of one port, with the faults of its line."""
        stores: dict[int, RegisterStore] = {}
        for unit, device in group:
            device.line = line
            stores[unit] = Store(self.rig, device, self.clock)
        return stores

    async def start_can(self, host: str, port: int) -> None:
        """Let each battery send its frames on a bus of its own (socketcand)."""
        batteries = [device for device in self.rig.devices.values() if device.bms is not None]
        for number, device in enumerate(batteries):
            hub = CanHub("can0")
            await hub.start(host, port + number if port else 0)
            self._stack.push_async_callback(hub.close)
            assert device.bms is not None  # noqa: S101 - chosen by it
            simulator = BatterySimulator(device.bms, hub.join(), clock=hub.clock)
            await simulator.start()
            self._stack.push_async_callback(simulator.close)
            next(place for place in self.places if place["name"] == device.name)["can_port"] = hub.port

    async def start_control(self, port: int) -> None:
        """Take commands, lines of JSON, on a port of this machine."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", port, limit=LONGEST_LINE)
        self._stack.push_async_callback(server.wait_closed)
        self._stack.callback(server.close)
        self.control_port = server.sockets[0].getsockname()[1]

    def tell(self, line: str) -> str:
        """Do what a line of JSON says, now; the answer."""
        with self.clock.step() as now:
            self.rig.step(now)
        return answer_line(self.rig, line)

    async def close(self) -> None:
        """End everything."""
        if self._tick is not None:
            self._tick.cancel()
        await self._stack.aclose()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ValueError):
            while line := await reader.readline():
                writer.write(self.tell(line.decode(errors="replace")).encode() + b"\n")
                await writer.drain()
        writer.close()

    def _beat(self) -> None:
        """Go on with what nobody asks: a few devices each tick, so that each has its turn in a round."""
        with self.clock.step() as now:
            self._go_on(now)
        if self.clock.is_behind and not self._is_told:
            self._is_told = True
            sys.stderr.write(f"too much for this machine: time runs slower than {self.clock.speed:g} to 1\n")
        self._tick = asyncio.get_running_loop().call_later(TICK_S, self._beat)

    def _go_on(self, now: float) -> None:
        if self.rig.site is not None or self.rig.grid:
            self.rig.step(now)
            return
        devices = list(self.rig.devices.values())
        share = max(1, round(len(devices) * TICK_S / ROUND_S))
        for _ in range(share if len(devices) > 1 else 1):
            self.rig.step_one(devices[self._turn % len(devices)], now)
            self._turn += 1


def _groups(devices: list[Device], *, is_one_port: bool) -> Iterable[list[tuple[int, Device]]]:
    """Devices with their unit numbers by port: each on its own, or as many on one as there are units."""
    if not is_one_port:
        return [[(device.unit, device)] for device in devices]
    numbered = [(1 + i % UNITS_PER_PORT, device) for i, device in enumerate(devices)]
    return [numbered[i : i + UNITS_PER_PORT] for i in range(0, len(numbered), UNITS_PER_PORT)]


def device_context(folder: Path) -> TlsContext:
    """The TLS context of a device whose certificate is in a folder of a PKI. CertsError where it is not."""
    return modbus_server_context(folder / "cert.pem", folder / "key.pem", folder.parent / "root.pem")


def announce(served: Served, host: str) -> None:
    """Say where everything is: one line of JSON."""
    first = served.places[0]
    where: dict[str, object] = {"host": host}
    where |= {"modbus_port": first["port"]} if "port" in first else {"serial_port": first["serial_port"]}
    where |= {key: place["can_port"] for place in served.places for key in ("can_port",) if key in place}
    if served.control_port is not None:
        where["control_port"] = served.control_port
    where["devices"] = served.places
    sys.stdout.write(json.dumps(where) + "\n")
    sys.stdout.flush()


async def hear_standard_input(served: Served) -> None:
    """Take commands, lines of JSON, from standard input until it ends."""
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while not reader.at_eof():
        try:
            line = await reader.readline()
        except ValueError:
            answer = json.dumps({"ok": False, "error": f"a line has {LONGEST_LINE} characters at most"})
        else:
            answer = served.tell(line.decode(errors="replace")) if line else ""
        sys.stdout.write(answer + "\n" if answer else "")
        sys.stdout.flush()


def stop_by_signal() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set from now on."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop
