"""`lineside sim`: devices that speak the bytes of the real thing. The menu, and what it asks for."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lineside.sim.options import (
    ADDERS,
    MOST_DEVICES,
    PTY,
    add_device,
    add_place,
    add_world,
    whole,
    wish_of,
    within,
)

if TYPE_CHECKING:
    import argparse

    from lineside.sim.build import Wish
    from lineside.sim.rig import Rig
    from lineside.sim.serve import Served

WRONG_USAGE = 2
RUN_STEP_S = 900.0
MOST_HOURS = 10 * 8_760

KINDS = {
    "inverter": ("a PV inverter on Modbus", "lineside sim inverter --port 5020 --max-w 10000"),
    "battery": ("a battery: inverter on Modbus, BMS on CAN", "lineside sim battery --can-port 29536"),
    "ev": ("a charging point and its car", "lineside sim ev --start 2026-06-01T17:00 --speed 600"),
    "load": ("a household behind a meter", "lineside sim load --daily-wh 12000"),
    "site": ("PV, battery, car and household behind a meter", "lineside sim site --self-consumption"),
}


IMAGE_EXAMPLE = "lineside sim image inverter.regs --port 5020"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `sim` to the menu."""
    parser = commands.add_parser("sim")
    kinds = parser.add_subparsers(title="simulations", metavar="KIND", required=True)
    for kind, (what, example) in KINDS.items():
        one = kinds.add_parser(kind, help=what, epilog=f"example: {example}")
        add_place(one)
        add_device(one, kind)
        add_world(one)
        if kind in ADDERS:
            ADDERS[kind](one)
        one.set_defaults(run=_serve, kind=kind)
    image = kinds.add_parser("image", help="a captured register image", epilog=f"example: {IMAGE_EXAMPLE}")
    image.add_argument("file", type=Path, help="lines of an address and words in hex, as device scan writes")
    add_place(image)
    image.set_defaults(run=_serve_image, kind="image", speed=1.0)
    run = kinds.add_parser("run", help="let one run without bus or clock, and say what came of it")
    run.add_argument("kind", choices=KINDS, metavar="KIND", help="what to run (inverter, battery, ...)")
    run.add_argument("--hours", type=within(0, MOST_HOURS), default=24.0, help="how long")
    run.add_argument(
        "--devices",
        type=whole(1, MOST_DEVICES),
        default=1,
        dest="count",
        metavar="N",
        help="how many of them",
    )
    add_device(run, "run")
    add_world(run)
    ADDERS["site"](run)
    run.set_defaults(run=_run_dry)
    kinds.add_parser("list-models", help="what is simulated, and by which model").set_defaults(
        run=_list_models
    )
    kinds.add_parser("list-faults", help="the faults on command").set_defaults(run=_list_faults)


def _serve(chosen: argparse.Namespace) -> int:
    wish = _wish(chosen)
    rig = None if wish is None else _built(wish)
    return WRONG_USAGE if wish is None or rig is None else asyncio.run(_run(chosen, wish.start, rig))


def _serve_image(chosen: argparse.Namespace) -> int:
    from der_client.sunspec.simulator import parse_image  # noqa: PLC0415
    from lineside.sim.build import Wish  # noqa: PLC0415

    try:
        image = parse_image(chosen.file.read_text())
    except (ValueError, OSError) as flaw:
        sys.stderr.write(f"{flaw}\n")
        return WRONG_USAGE
    wish = Wish(kind="image", start=time.time(), count=chosen.count, unit=chosen.unit, image=image)
    rig = _built(wish)
    return WRONG_USAGE if rig is None else asyncio.run(_run(chosen, wish.start, rig))


def _wish(chosen: argparse.Namespace) -> Wish | None:
    try:
        return wish_of(chosen, time.time())
    except (ValueError, OSError) as flaw:
        sys.stderr.write(f"{flaw}\n")
        return None


def _built(wish: Wish) -> Rig | None:
    """The rig of a wish; what is wrong with the wish is told."""
    from der_client.can import CanConfigError  # noqa: PLC0415
    from lineside.sim.build import build  # noqa: PLC0415 - heavy, only here

    try:
        return build(wish)
    except (CanConfigError, OSError) as flaw:
        sys.stderr.write(f"{flaw}\n")
    except ValueError as flaw:
        sys.stderr.write(f"the device cannot say these figures, choose others: {flaw}\n")
    return None


async def _run(chosen: argparse.Namespace, start: float, rig: Rig) -> int:
    """Serve until SIGINT or SIGTERM; the first line on standard output says where, as JSON."""
    from certs import CertsError  # noqa: PLC0415
    from lineside.sim import faults, serve  # noqa: PLC0415 - heavy, only here
    from lineside.sim.clock import SimClock  # noqa: PLC0415

    stop = serve.stop_by_signal()
    served = serve.Served(rig, SimClock(start, chosen.speed))
    try:
        await _open(served, chosen)
        for fault in chosen.fault:
            faults.switch_on(served.rig, fault)
        serve.announce(served, chosen.host)
        async with asyncio.TaskGroup() as group:
            hearing = group.create_task(serve.hear_standard_input(served)) if chosen.control else None
            await stop.wait()
            if hearing is not None:
                hearing.cancel()
    except (OSError, ValueError, CertsError, faults.SimFaultError) as flaw:
        sys.stderr.write(f"{flaw}\n")
        return WRONG_USAGE
    finally:
        await served.close()
    return 0


async def _open(served: Served, chosen: argparse.Namespace) -> None:
    from lineside.sim import serve  # noqa: PLC0415

    if chosen.rtu is not None:
        served.start_rtu(None if chosen.rtu == PTY else chosen.rtu)
    else:
        tls = None if chosen.tls is None else serve.device_context(chosen.tls)
        await served.start(chosen.host, chosen.port, is_one_port=chosen.one_port, tls=tls)
    if hasattr(chosen, "can_port"):
        await served.start_can(chosen.host, chosen.can_port)
    if chosen.control_port is not None:
        await served.start_control(chosen.control_port)


def _run_dry(chosen: argparse.Namespace) -> int:
    """Let the simulation run for its hours as fast as it can; the same seed and start say the same."""
    wish = _wish(chosen)
    rig = None if wish is None else _built(wish)
    if wish is None or rig is None:
        return WRONG_USAGE
    now, end = wish.start, wish.start + chosen.hours * 3600.0
    digest = hashlib.sha256()
    while now < end:
        now = min(end, now + RUN_STEP_S)
        rig.step(now)
        digest.update(json.dumps(rig.status()).encode())
    status = rig.status() if wish.count == 1 else {"devices": wish.count}
    sys.stdout.write(json.dumps({**status, "hash": digest.hexdigest()}) + "\n")
    return 0


def _list_models(_chosen: argparse.Namespace) -> int:
    from der_client.physics.registry import MODELS  # noqa: PLC0415

    for name, model in MODELS.items():
        sys.stdout.write(f"{name:<14} {model.what}\n")
    return 0


def _list_faults(_chosen: argparse.Namespace) -> int:
    from lineside.sim.faults import FAULTS  # noqa: PLC0415

    for name, fault in FAULTS.items():
        sys.stdout.write(f"{name:<22} {fault.what}\n")
    return 0
