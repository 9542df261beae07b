"""`lineside demo`: the menu entry."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

TERMINATED = 143
EPILOG = """\
It starts a server, an operator, a PV inverter with its client and a battery system with its client, each a
process of its own on 127.0.0.1, with fresh certificates in a temporary folder. example: lineside demo --once
"""


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


def _run(chosen: argparse.Namespace) -> int:
    from lineside.demo.play import play  # noqa: PLC0415 - what it needs is loaded only for this command

    async def until_told_to_stop() -> int:
        task = asyncio.ensure_future(play(once=chosen.once, keep=chosen.folder))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        return asyncio.run(until_told_to_stop())
    except asyncio.CancelledError:
        return TERMINATED
