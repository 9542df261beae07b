"""`lineside server run`: both sides of a server in one process, until it is told to stop."""

import argparse
import asyncio
import signal
from pathlib import Path

import uvloop

from certs import CertsError
from sep2_server.app import Sep2Server
from sep2_server.errors import SettingsError, StoreError
from sep2_server.operator.api import PlainHttpError
from sep2_server.operator.commands import FINE, REFUSED, WRONG_USAGE, complain, say
from sep2_server.operator.errors import AuditFailed
from sep2_server.operator.mrid import pen_warning
from sep2_server.operator.side import OperatorSide
from sep2_server.operator.site import Site, read_site
from sep2_server.store import Store


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
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve devices and operators until SIGTERM or SIGINT."""
    try:
        site = read_site(args.config, args.set)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(site))
    except (SettingsError, PlainHttpError) as flaw:
        complain(str(flaw), "correct the settings; a new folder is made by: lineside server init FOLDER")
        return WRONG_USAGE
    except (StoreError, CertsError, AuditFailed, OSError) as flaw:
        complain(str(flaw), "see that the files and ports of the settings are there and free")
        return REFUSED
    return FINE


async def serve(site: Site, stop: asyncio.Event | None = None) -> None:
    """Run both sides of a site until `stop` is set, or the process is told to stop."""
    ending = stop or _on_signals()
    store = Store(site.server.database)
    try:
        async with Sep2Server(site.server, store) as server, OperatorSide(site.operator, server) as side:
            say(f"devices    https://{site.server.host}:{server.port}/dcap")
            say(f"operators  {side.url}, token in {side.token_file}")
            warning = pen_warning(site.server.pen)
            if warning:
                say(f"note       {warning}")
            await ending.wait()
    finally:
        store.close()


def _on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    return ending
