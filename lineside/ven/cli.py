"""`lineside ven`: the menu. What a command needs is loaded when it runs."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from lineside.ven.template import TEMPLATE

if TYPE_CHECKING:
    import argparse

WRONG_USAGE = 2
TOML = "ven.toml"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `ven` and its commands; each sets `run`, a function of the parsed arguments to the exit code."""
    ven = _command(
        commands, "ven", "OpenADR VEN: events become controls on a server", "lineside ven init site"
    )
    below = ven.add_subparsers(dest="ven_command", required=True, metavar="COMMAND")
    init = _command(below, "init", "make a folder with a settings file", "lineside ven init site")
    init.add_argument("folder", type=Path, help="folder to make")
    init.set_defaults(run=_init)
    run = _command(below, "run", "run the VEN until it is stopped", "lineside ven run --config ven.toml")
    check = _command(
        below, "check", "try the settings, the VTN and the server", "lineside ven check --config ven.toml"
    )
    check.add_argument("--offline", action="store_true", help="the settings and their files alone")
    status = _command(
        below,
        "status",
        "print registration, events and what is published",
        "lineside ven status --config v.toml",
    )
    events = _command(
        below, "events", "print the events that the VEN holds", "lineside ven events --json --config ven.toml"
    )
    events.add_argument("--json", action="store_true", help="as JSON, times in seconds since 1970")
    orders = (_opt(below), _schedule(below), _unschedule(below))
    for one in (run, check, status, events, _replay(below), *orders):
        one.add_argument("--config", type=Path, required=True, metavar="FILE", help="TOML file of settings")
        one.set_defaults(run=_do)


def _replay(below: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    replay = _command(
        below,
        "replay",
        "print what a saved event would publish; nothing is sent",
        "lineside ven replay event.xml --config ven.toml --at 2026-06-01T12:00:00Z",
    )
    replay.add_argument("file", type=Path, help="an oadrDistributeEvent in XML, or events of 3.x in JSON")
    replay.add_argument("--at", metavar="TIME", help="when it comes, in ISO 8601 with its zone; default: now")
    replay.add_argument(
        "--ven-id", metavar="ID", help="the venID that events may name; default: the one kept"
    )
    return replay


def _opt(below: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    opt = _command(
        below,
        "opt",
        "take part in an event, or not: an order to the VEN that runs",
        "lineside ven opt event-1 out --resource battery --config ven.toml",
    )
    opt.add_argument("event", help="its eventID, as `lineside ven status` shows it")
    opt.add_argument("opt", choices=("in", "out"), help="whether to take part")
    opt.add_argument("--resource", action="append", default=[], metavar="NAME", help="this one alone")
    return opt


def _schedule(
    below: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    schedule = _command(
        below,
        "schedule",
        "take part in no event of some time, or in all: an order to the VEN that runs",
        "lineside ven schedule out --window 2026-07-01T14:00:00Z/PT2H --config ven.toml",
    )
    schedule.add_argument("opt", choices=("in", "out"), help="whether to take part")
    schedule.add_argument(
        "--window",
        action="append",
        required=True,
        metavar="START[/END]",
        help="when; END is a time or a duration (PT2H), none has no end",
    )
    schedule.add_argument("--resource", action="append", default=[], metavar="NAME", help="this one alone")
    schedule.add_argument("--programme", default="", metavar="CONTEXT", help="events of this one alone")
    return schedule


def _unschedule(
    below: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    unschedule = _command(
        below,
        "unschedule",
        "take a schedule back: an order to the VEN that runs",
        "lineside ven unschedule 3f1c --config ven.toml",
    )
    unschedule.add_argument("id", help="its optID, as `lineside ven events` shows it")
    return unschedule


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, says: str, example: str
) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=says, description=f"{says}.", epilog=f"example: {example}")


def _init(args: argparse.Namespace) -> int:
    path: Path = args.folder / TOML
    try:
        args.folder.mkdir(parents=True, exist_ok=True)
        with path.open("x") as file:
            file.write(TEMPLATE)
    except OSError as flaw:
        print(f"lineside ven: {flaw}", file=sys.stderr)
        return WRONG_USAGE
    print(f"{path} written; edit it, then\nlineside ven check --config {path}")
    return 0


def _do(args: argparse.Namespace) -> int:
    code: int = getattr(import_module("lineside.ven.commands"), args.ven_command)(args)
    return code
