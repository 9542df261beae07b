"""`lineside demo`: the menu entry."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

TERMINATED = 143
EPILOG = """\
It starts a server, an operator, a PV inverter with its client, a battery system with its client, and for the
utility an OpenADR VTN and a VEN, each a process of its own on 127.0.0.1, with fresh certificates in a
temporary folder. example: lineside demo --once
"""
EVENT = """\
example, beside a demonstration that stays up: lineside demo event battery -1500 --for 30 --folder FOLDER
"""
WRONG_USAGE = 2


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `demo` to the menu."""
    parser = commands.add_parser("demo", epilog=EPILOG)
    parser.add_argument(
        "--once", action="store_true", help="end after the story; exit code 0 only if all was seen"
    )
    parser.add_argument(
        "--folder", type=Path, help="keep everything in this folder instead of a temporary one"
    )
    parser.set_defaults(run=_run)
    event = parser.add_subparsers(metavar="event").add_parser(
        "event", help="let the VTN of a demonstration that runs publish an event", epilog=EVENT
    )
    event.add_argument("resource", help="pv or battery")
    event.add_argument("watts", type=int, help="what it is to draw, W; less than 0: to give")
    event.add_argument("--in", dest="in_s", type=int, default=5, metavar="S", help="from now, s (5)")
    event.add_argument("--for", dest="for_s", type=int, default=30, metavar="S", help="how long, s (30)")
    event.add_argument("--folder", dest="running", type=Path, required=True, help="that of the demonstration")
    event.set_defaults(run=_event)


def _event(chosen: argparse.Namespace) -> int:
    from lineside.demo.upstream import order_event  # noqa: PLC0415 - what it needs is loaded only here

    order = {name: getattr(chosen, name) for name in ("resource", "watts", "in_s", "for_s")}
    try:
        answer = asyncio.run(order_event(chosen.running, order))
    except (OSError, TimeoutError) as flaw:
        answer = {"error": f"no VTN runs at {chosen.running}: {flaw}"}
    if "error" in answer:
        sys.stderr.write(f"lineside demo event: {answer['error']}\n")
        return WRONG_USAGE
    sys.stdout.write(f"published {answer['detail']}\n")
    return 0


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _run(chosen: argparse.Namespace) -> int:
    if find_spec("openleadr") is None:
        sys.stderr.write("lineside demo: VTN and VEN need more: pip install lineside[openadr]\n")
        return WRONG_USAGE
    if chosen.folder is not None and os.path.lexists(chosen.folder) and not _is_empty(chosen.folder):
        sys.stderr.write(f"lineside demo: {chosen.folder} is there and holds something: name a new folder\n")
        return WRONG_USAGE
    from lineside.demo.play import play  # noqa: PLC0415 - what it needs is loaded only for this command

    async def until_told_to_stop() -> int:
        task = asyncio.ensure_future(play(once=chosen.once, keep=chosen.folder))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        return asyncio.run(until_told_to_stop())
    except asyncio.CancelledError:
        return TERMINATED
