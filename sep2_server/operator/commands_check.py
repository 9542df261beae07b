"""`lineside server check` and `lineside server reload`: settings looked at, and read again while serving."""

import argparse
import signal
import sys
from pathlib import Path

from sep2_server.operator.commands import FINE, REFUSED, WRONG_USAGE, complain, say
from sep2_server.operator.site import read_site
from sep2_server.operator.site_check import flaws_of, report
from sep2_server.process.pid_file import signal_server


def add_check(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `check` and `reload`."""
    for name, run, says, example in (
        ("check", check, "look at the settings and files of a server", "lineside server check --config site"),
        ("reload", reload, "have a server read its files again", "lineside server reload --config site"),
    ):
        parser = below.add_parser(name, help=says, description=says, epilog=f"example: {example}")
        parser.add_argument(
            "--config", type=Path, required=True, metavar="PATH", help="settings file or folder"
        )
        parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="before the file")
        parser.set_defaults(run=run)


def check(args: argparse.Namespace) -> int:
    """Tell everything that is wrong with the settings, with the line of each; exit code 2 if anything is."""
    if is_flawed(args.config, args.set):
        return WRONG_USAGE
    say(f"{args.config}: fine")
    return FINE


def reload(args: argparse.Namespace) -> int:
    """Check the files, then have the running server read them again."""
    if is_flawed(args.config, args.set):
        return WRONG_USAGE
    process = signal_server(read_site(args.config, args.set).operator.folder, signal.SIGHUP)
    if process is None:
        complain(f"no server runs with {args.config}", "start it with: lineside server run")
        return REFUSED
    say(f"process {process} reads its files again; its log says so")
    return FINE


def is_flawed(path: Path | None, overrides: list[str]) -> bool:
    """Whether a server cannot start with these settings; standard error then says why."""
    told = report(path, flaws_of(path, overrides))
    if told:
        sys.stderr.write("\n".join(told) + "\n")
        sys.stderr.write(
            "  what to do: correct the settings; a new folder is made by: lineside server init FOLDER\n"
        )
    return bool(told)
