"""`lineside conform`: prove what a server or a client does, clause by clause."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certs import CertsError
from conformance_tests.case import Role
from conformance_tests.catalogue import all_cases
from conformance_tests.errors import UsageError
from conformance_tests.kept_runs import compare_runs, report_runs
from conformance_tests.listing import listed, listed_json
from conformance_tests.options import add_client_options, add_run_options, add_server_options, with_settings
from conformance_tests.runner import select
from conformance_tests.session import run_client, run_server

if TYPE_CHECKING:
    from collections.abc import Callable

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  its public name has none

PROFILES = ("base", "csip", "csip_aus")


def add_parser(subparsers: Subparsers) -> None:
    """Add `conform` and its commands; each sets `run`: parsed arguments to exit code."""
    example = "lineside conform server https://der.example.org/dcap --cert d.pem --key d.key --roots ca.pem"
    conform = _command(subparsers, "conform", "test any server or client against the standard", example)
    below = conform.add_subparsers(dest="conform_command", required=True, metavar="COMMAND")
    _add_list(below)
    server = _command(below, "server", "test a server at the URI of its DeviceCapability", example)
    server.add_argument("url", metavar="URL", help="https URI of the DeviceCapability")
    add_server_options(server)
    add_run_options(server, PROFILES)
    server.set_defaults(run=_told(lambda args: run_server(with_settings(args, server))))
    example = "lineside conform client --cert s.pem --key s.key --roots ca.pem --client-cert device.pem"
    client = _command(below, "client", "test a DER client, or an aggregator: a scripted server", example)
    add_client_options(client)
    add_run_options(client, PROFILES)
    client.set_defaults(run=_told(lambda args: run_client(with_settings(args, client))))
    compare = _command(below, "compare", "two runs beside each other", "lineside conform compare old new")
    compare.add_argument("before", type=Path, help="folder or report.json of the earlier run")
    compare.add_argument("after", type=Path, help="folder or report.json of the later run")
    compare.set_defaults(run=_told(compare_runs))
    _add_report(below)


def _add_list(below: Subparsers) -> None:
    parser = _command(
        below, "list", "the cases, with clause and level", "lineside conform list --only CORE-*"
    )
    parser.add_argument("--role", type=Role, choices=list(Role), help="what is under test")
    parser.add_argument("--profile", choices=PROFILES, help="the profile by which it is judged")
    parser.add_argument(
        "--only", action="append", default=[], metavar="PATTERN", help="id, name, family, clause"
    )
    parser.add_argument("--json", action="store_true", help="everything about each case, as JSON")
    parser.set_defaults(run=_told(_list))


def _add_report(below: Subparsers) -> None:
    example = "lineside conform report 'our server=runs/server' runs/client --markdown conformance.md"
    parser = _command(below, "report", "runs as one page with a row for each procedure", example)
    parser.add_argument("runs", nargs="+", metavar="[NAME=]DIR", help="folder or report.json of a run")
    parser.add_argument("--title", default="Conformance", help="title of the page")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="where to write it (standard output)")
    parser.set_defaults(run=_told(report_runs))


def _list(args: argparse.Namespace) -> int:
    cases = select(all_cases(), args.role, args.profile, args.only)
    lines = listed_json(cases) if args.json else listed(cases, shutil.get_terminal_size().columns)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def _told(command: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """The command, which tells wrong usage in a line and answers 2."""

    def run(args: argparse.Namespace) -> int:
        try:
            return command(args)
        except (UsageError, CertsError) as error:
            sys.stderr.write(f"lineside conform: {error}\n")
            return 2

    return run


def _command(below: Subparsers, name: str, says: str, example: str) -> argparse.ArgumentParser:
    form: Any = argparse.RawDescriptionHelpFormatter
    return below.add_parser(
        name,
        help=says,
        description=f"{says[0].upper()}{says[1:]}.",
        epilog=f"example:\n  {example}",
        formatter_class=form,
    )
