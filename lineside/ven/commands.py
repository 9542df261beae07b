"""What the commands of `lineside ven` do."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from certs import CertsError
from lineside.ven.listing import holding_of, lines_of
from lineside.ven.looking import Finding, files_of, programmes_of, server_of, status_of, vtn_of
from lineside.ven.replaying import ReplayError, replayed
from lineside.ven.service import Service
from lineside.ven.settings import VenSettings, load_settings
from lineside.ven.state import BusyError, StateFolder
from openadr_ven.events import OptType
from openadr_ven.memory import KeptError
from owner import SettingsError, ask

log = logging.getLogger(__name__)

FINE: Final = 0
CHECK_FAILED: Final = 1
WRONG_USAGE: Final = 2
OPTS: Final = {"in": OptType.IN, "out": OptType.OUT}
WRONG: Final = (SettingsError, CertsError, KeptError, BusyError, ReplayError, OSError)
"""What is wrong with what was given: one line, no trace."""


def run(args: argparse.Namespace) -> int:
    """`lineside ven run`."""
    return _guarded(_run, args)


def check(args: argparse.Namespace) -> int:
    """`lineside ven check`: 1 where the VTN or the server cannot be worked with."""
    return _guarded(lambda settings: _check(settings, is_offline=args.offline), args)


def status(args: argparse.Namespace) -> int:
    """`lineside ven status`: from the state folder, whether the VEN runs or not."""
    return _guarded(_status, args)


def replay(args: argparse.Namespace) -> int:
    """`lineside ven replay`: 1 where nothing of the file would be carried out."""
    return _guarded(lambda settings: _replay(settings, args), args)


def opt(args: argparse.Namespace) -> int:
    """`lineside ven opt`: 1 where the VEN may not do it, 2 where none runs."""
    return _guarded(lambda settings: _opt(settings, args), args)


def events(args: argparse.Namespace) -> int:
    """`lineside ven events`: from the state folder, whether the VEN runs or not."""
    return _guarded(lambda settings: _events(settings, is_json=args.json), args)


def schedule(args: argparse.Namespace) -> int:
    """`lineside ven schedule`: 1 where the VEN may not do it, 2 where none runs."""
    return _guarded(lambda settings: _schedule(settings, args), args)


def unschedule(args: argparse.Namespace) -> int:
    """`lineside ven unschedule`: 1 where there is no such schedule, 2 where no VEN runs."""
    return _guarded(lambda settings: _told(settings, {"unschedule": args.id}, "unschedule"), args)


def _guarded(work: Callable[[VenSettings], Awaitable[int]], args: argparse.Namespace) -> int:
    try:
        settings = load_settings(args.config)

        async def worked() -> int:
            return await work(settings)

        return asyncio.run(worked())
    except WRONG as flaw:
        sys.stderr.write(f"lineside ven: {flaw}\n")
        return WRONG_USAGE
    except ExceptionGroup as group:
        wrong = group.subgroup(WRONG)
        if wrong is None:
            raise
        sys.stderr.write(f"lineside ven: {_first(wrong)}\n")
        return WRONG_USAGE


async def _run(settings: VenSettings) -> int:
    """Run until SIGINT or SIGTERM. What is published stays: a control has an end of its own."""
    task = asyncio.ensure_future(Service(settings).run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        log.info("VEN stopped; what is published stays on the server")
    return FINE


async def _check(settings: VenSettings, *, is_offline: bool) -> int:
    found = [Finding(True, "the settings can be read"), *programmes_of(settings), *files_of(settings)]
    if not is_offline and all(one.is_good for one in found):
        found += await server_of(settings)
        found += await vtn_of(settings)
    for one in found:
        sys.stdout.write(f"{'ok  ' if one.is_good else 'FAIL'}  {one.text}\n")
    return FINE if all(one.is_good for one in found) else CHECK_FAILED


async def _status(settings: VenSettings) -> int:
    sys.stdout.write("\n".join(await status_of(settings)) + "\n")
    return FINE


async def _events(settings: VenSettings, *, is_json: bool) -> int:
    holding = await holding_of(settings, _time_of(None))
    text = json.dumps(holding, indent=2) if is_json else "\n".join(lines_of(holding))
    sys.stdout.write(f"{text}\n")
    return FINE


async def _replay(settings: VenSettings, args: argparse.Namespace) -> int:
    lines, is_any = await replayed(settings, args.file, _time_of(args.at), args.ven_id)
    sys.stdout.write("\n".join(lines) + "\n")
    return FINE if is_any else CHECK_FAILED


async def _opt(settings: VenSettings, args: argparse.Namespace) -> int:
    order: dict[str, object] = {"event": args.event, "opt": OPTS[args.opt].value, "resources": args.resource}
    return await _told(settings, order, "opt")


async def _schedule(settings: VenSettings, args: argparse.Namespace) -> int:
    order = {
        "schedule": args.window,
        "opt": OPTS[args.opt].value,
        "resources": args.resource,
        "marketContext": args.programme,
    }
    return await _told(settings, order, "schedule")


async def _told(settings: VenSettings, order: dict[str, object], command: str) -> int:
    """Give an order to the VEN that runs."""
    answer = await ask(StateFolder(settings.state).channel, order)
    if "error" in answer:
        sys.stderr.write(f"lineside ven {command}: {answer['error']}\n")
        return CHECK_FAILED
    made = f": {answer['optID']}" if "optID" in answer else ""
    sys.stdout.write(f"done{made}\n")
    return FINE


def _time_of(text: str | None) -> int:
    """Seconds since 1970 of a time with its zone; None is now."""
    if text is None:
        return int(datetime.now().astimezone().timestamp())
    try:
        found = datetime.fromisoformat(text)
    except ValueError as flaw:
        raise SettingsError(f"--at: {flaw}") from flaw
    if found.tzinfo is None:
        raise SettingsError(f"--at: {text} has no zone; add Z for UTC")
    return int(found.timestamp())


def _first(error: Exception) -> Exception:
    """The first error of a group, however deep it stands."""
    return _first(error.exceptions[0]) if isinstance(error, ExceptionGroup) else error
