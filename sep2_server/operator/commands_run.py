"""`lineside server run`: both sides of a server, in one process or several, until it is told to stop."""

import argparse
import logging
import os
import sys
from functools import partial
from pathlib import Path

from certs import CertsError
from sep2_server.errors import StoreError
from sep2_server.operator.api import PlainHttpError
from sep2_server.operator.commands import FINE, REFUSED, WRONG_USAGE, complain, say
from sep2_server.operator.commands_check import is_flawed
from sep2_server.operator.errors import AuditFailed
from sep2_server.operator.site import read_site
from sep2_server.process.database_lock import held_database
from sep2_server.process.hangups import hold_hangups
from sep2_server.process.pid_file import PidFile
from sep2_server.process.service import ServiceManager
from sep2_server.process.serving import serve_alone
from sep2_server.process.workers import serve_with_workers
from sep2_server.setting_values import SettingsError

log = logging.getLogger(__name__)


def add_run(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `run`."""
    example = "lineside server run --config site --set port=9443 --set operator.port=9444"
    parser = below.add_parser("run", help="run a server until it is stopped", epilog=f"example: {example}")
    parser.add_argument(
        "--config", type=Path, metavar="PATH", help="settings file, or the folder that has it"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="go before the file; repeatable"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="processes that serve devices (1)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve devices and operators until SIGTERM or SIGINT."""
    overrides = [*args.set, *([f"workers={args.workers}"] if args.workers is not None else [])]
    reread = partial(read_site, args.config, overrides)
    manager = ServiceManager.of(os.environ)
    if is_flawed(args.config, overrides):
        return WRONG_USAGE
    try:
        site = reread()
        hold_hangups()
        mark = PidFile.take(site.operator.folder)
        with held_database(site.server.database):
            if site.server.workers > 1:
                return serve_with_workers(site, tell=_announce, reread=reread, manager=manager)
            serve_alone(site, tell=_announce, reread=reread, manager=manager)
        mark.release()
    except (SettingsError, PlainHttpError) as flaw:
        complain(str(flaw), "correct the settings; a new folder is made by: lineside server init FOLDER")
        return WRONG_USAGE
    except (StoreError, CertsError, AuditFailed, OSError) as flaw:
        complain(str(flaw), "see that the files and ports of the settings are there and free")
        return REFUSED
    return FINE


def _announce(line: str) -> None:
    """Say where things are; a server serves also where nobody reads that."""
    try:
        say(line)
    except OSError as flaw:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        log.warning("%s: this was not told: %s", flaw, line)
