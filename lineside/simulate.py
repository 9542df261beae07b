"""`lineside simulate`: an inverter, or a battery system, that speaks the bytes of the real thing."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from der_client.can import Pack
    from der_client.sunspec import DcLimits, InverterSettings

INVERTER_EXAMPLE = "example: lineside simulate inverter --port 5020 --max-w 10000 --irradiance 0.9"
BATTERY_EXAMPLE = "example: lineside simulate battery --port 5021 --can-port 29536 --soc-pct 60"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `simulate` to the menu."""
    parser = commands.add_parser("simulate")
    kinds = parser.add_subparsers(title="devices", metavar="DEVICE", required=True)
    inverter = kinds.add_parser("inverter", help="a PV inverter on Modbus TCP", epilog=INVERTER_EXAMPLE)
    _add_common(inverter, serial="PV-0001")
    inverter.add_argument(
        "--irradiance", type=float, default=1.0, help="share of the PV rating on offer (0 to 1)"
    )
    inverter.set_defaults(run=lambda chosen: asyncio.run(_serve(chosen, with_battery=False)))
    battery = kinds.add_parser(
        "battery", help="a battery: inverter on Modbus, BMS on CAN", epilog=BATTERY_EXAMPLE
    )
    _add_common(battery, serial="BESS-0001")
    battery.add_argument(
        "--can-port", type=int, default=0, help="TCP port of the CAN bus (socketcand); 0: any"
    )
    battery.add_argument("--capacity-wh", type=float, default=10_000.0, help="energy of the pack")
    battery.add_argument("--soc-pct", type=float, default=60.0, help="state of charge at the start")
    battery.add_argument(
        "--profile", default="pylontech_lv", help="frames of the BMS (pylontech_lv, sma_35x, file)"
    )
    battery.set_defaults(run=lambda chosen: asyncio.run(_serve(chosen, with_battery=True)))


def _add_common(parser: argparse.ArgumentParser, *, serial: str) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="Modbus TCP port; 0: any")
    parser.add_argument("--max-w", type=float, default=5_000.0, help="rating of active power")
    parser.add_argument("--serial", default=serial, help="serial number in model 1")


async def _serve(chosen: argparse.Namespace, *, with_battery: bool) -> int:
    """Serve until SIGINT or SIGTERM; the first line on standard output says where, as JSON."""
    from der_client.can import BatterySettings, PackSettings, serve_battery  # noqa: PLC0415 - heavy, only here
    from der_client.sunspec import DcLimits, serve_inverter  # noqa: PLC0415

    async with AsyncExitStack() as stack:
        where: dict[str, object] = {"host": chosen.host}
        source = None
        if with_battery:
            settings = BatterySettings(
                profile=chosen.profile,
                pack=PackSettings(capacity_wh=chosen.capacity_wh, soc_pct=chosen.soc_pct),
            )
            battery = await serve_battery(settings, host=chosen.host, port=chosen.can_port)
            stack.push_async_callback(battery.close)
            source = _PackSource(battery.pack, DcLimits)
            where["can_port"] = battery.can_port
        inverter = await serve_inverter(
            _inverter_settings(chosen, with_battery=with_battery),
            host=chosen.host,
            port=chosen.port,
            dc_source=source,
        )
        stack.push_async_callback(inverter.close)
        where["modbus_port"] = inverter.port
        sys.stdout.write(json.dumps(where) + "\n")
        sys.stdout.flush()
        await _until_told_to_stop()
    return 0


class _PackSource:
    """The pack as what stands behind the DC side of an inverter."""

    def __init__(self, pack: Pack, limits: type[DcLimits]) -> None:
        self._pack = pack
        self._limits = limits

    def limits(self, now: float) -> DcLimits:
        """What may flow now."""
        return self._limits(*self._pack.limits(now))

    def transfer(self, power_w: float, dt_s: float) -> None:
        """Energy has flowed."""
        self._pack.transfer(power_w, dt_s)


def _inverter_settings(chosen: argparse.Namespace, *, with_battery: bool) -> InverterSettings:
    from der_client.sunspec import InverterSettings  # noqa: PLC0415

    power_w = chosen.max_w
    return InverterSettings(
        serial=chosen.serial,
        model="Simulated battery inverter" if with_battery else "Simulated PV inverter",
        max_w=power_w,
        max_va=power_w * 1.1,
        max_var=power_w * 0.44,
        charge_w=power_w if with_battery else 0.0,
        discharge_w=power_w if with_battery else 0.0,
        capacity_wh=chosen.capacity_wh if with_battery else 0.0,
        pv_w=0.0 if with_battery else power_w,
        irradiance=((0.0, 1.0 if with_battery else chosen.irradiance),),
    )


async def _until_told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
