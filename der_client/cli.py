"""`lineside client`: run a DER client, look at what a server offers, make a configuration file."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import cache, partial
from os.path import relpath
from pathlib import Path
from typing import Final, Protocol, TypedDict, Unpack

from certs import CertsError
from der_client import local_cli
from der_client.client import AggregatorClient
from der_client.client_event import ClientEvent
from der_client.device_factory import meter_of, relayed_device_of
from der_client.driver_registry import driver_kind
from der_client.errors import ClientError
from der_client.looking import look
from der_client.plants import plants_of
from der_client.settings import ServerSettings, load_settings
from der_client.template import template_with
from der_client.tree import tree_of
from owner import SettingsError

log = logging.getLogger(__name__)

FINE: Final = 0
CHECK_FAILED: Final = 1
WRONG_USAGE: Final = 2


class Words(TypedDict):
    """What a command says of itself."""

    help: str
    description: str
    epilog: str


class Subparsers(Protocol):
    """What `ArgumentParser.add_subparsers` returns, as far as it is needed here."""

    def add_parser(self, name: str, /, **words: Unpack[Words]) -> argparse.ArgumentParser:
        """Parser of one more command."""
        ...


def add_parser(subparsers: Subparsers) -> None:
    """Add `client` and its commands; each sets `run`, a function of the parsed arguments to the exit code."""
    client = _command(subparsers, "client", "IEEE 2030.5 client of a DER", "lineside client init site-1")
    commands = client.add_subparsers(dest="client_command", required=True, metavar="COMMAND")
    run = _command(commands, "run", "run a client until it is stopped", "lineside client run --config c.toml")
    run.add_argument("--config", type=Path, required=True, metavar="FILE", help="TOML file of settings")
    run.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a setting")
    run.add_argument("--events", action="store_true", help="write what happens as lines of JSON")
    run.set_defaults(run=_guarded(_run))
    example = "lineside client discover https://der.example.org/dcap --identity pki/inverter-1"
    discover = _command(commands, "discover", "print what a server offers to a certificate", example)
    discover.add_argument("url", help="URI of DeviceCapability")
    discover.add_argument("--identity", type=Path, metavar="FOLDER", help="folder with cert.pem and key.pem")
    discover.add_argument("--certificate", type=Path, metavar="FILE", help="certificate with its chain")
    discover.add_argument("--key", type=Path, metavar="FILE", help="private key")
    discover.add_argument("--roots", type=Path, metavar="FILE", help="trusted roots; root.pem of the PKI")
    discover.set_defaults(run=_guarded(_discover))
    init = _command(
        commands,
        "init",
        "make a folder with a configuration file",
        "lineside client init roof --server https://der.example.org/dcap --identity pki/roof",
    )
    init.add_argument("folder", type=Path, help="folder to make")
    init.add_argument("--server", metavar="URL", help="URI of DeviceCapability")
    init.add_argument("--identity", type=Path, metavar="FOLDER", help="folder with cert.pem and key.pem")
    init.add_argument("--pin", type=int, metavar="N", help="registration PIN with its check digit")
    init.add_argument("--device", metavar="HOST", help="address of the inverter, or address:port")
    init.add_argument("--name", metavar="NAME", help="name of the device in reports")
    init.set_defaults(run=_guarded(_init))
    for name, says, options in local_cli.COMMANDS:
        example = f"lineside client {name} --config c.toml {options}".strip()
        order = _command(commands, name, says, example)
        local_cli.arguments_of(order, name)
        order.set_defaults(run=_guarded(local_cli.run))


def _command(subparsers: Subparsers, name: str, says: str, example: str) -> argparse.ArgumentParser:
    return subparsers.add_parser(name, help=says, description=f"{says}.", epilog=f"example: {example}")


def _guarded(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    def guarded(args: argparse.Namespace) -> int:
        try:
            return run(args)
        except (ClientError, SettingsError, CertsError, OSError) as error:
            print(f"lineside client: {error}", file=sys.stderr)
            return WRONG_USAGE

    return guarded


def _run(args: argparse.Namespace) -> int:
    settings = load_settings(args.config.read_text(), args.set, folder=args.config.parent)
    made = partial(relayed_device_of, look=cache(driver_kind))
    meters = {one.end_device: meter_of(one) for one in settings.meters}
    plants = plants_of(settings.devices, made, meters)
    client = AggregatorClient(settings, plants, on_event=_print_event if args.events else None)
    asyncio.run(_until_stopped(client))
    return FINE


def _print_event(event: ClientEvent) -> None:
    """One event as a line of JSON, for programs that watch a client."""
    sys.stdout.write(json.dumps(asdict(event)) + "\n")
    sys.stdout.flush()


async def _until_stopped(client: AggregatorClient) -> None:
    """Run until SIGINT or SIGTERM; the devices' reversion timers stay armed."""
    task = asyncio.ensure_future(client.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        log.info("client stopped; the devices' reversion timers stay armed")
    except ExceptionGroup as group:
        wrong = group.subgroup(SettingsError)
        if wrong is None:
            raise
        raise _first(wrong) from group


def _first(error: Exception) -> Exception:
    """The first error of a group, however deep it stands."""
    return _first(error.exceptions[0]) if isinstance(error, ExceptionGroup) else error


def _discover(args: argparse.Namespace) -> int:
    folder: Path = args.identity or Path()
    settings = ServerSettings(
        uri=args.url,
        certificate=args.certificate or folder / "cert.pem",
        key=args.key or folder / "key.pem",
        roots=args.roots or folder.parent / "root.pem",
    )
    view = asyncio.run(look(settings))
    print("\n".join(tree_of(view)))
    return FINE if view.is_registered else CHECK_FAILED


def _init(args: argparse.Namespace) -> int:
    path: Path = args.folder / "client.toml"
    args.folder.mkdir(parents=True, exist_ok=True)
    with path.open("x") as file:
        file.write(template_with(_given(args)))
    missing = [] if args.server else ["set server.uri"]
    missing += [] if args.identity else ["put cert.pem, key.pem and root.pem beside it"]
    print(f"{path} written; {', '.join([*missing, 'then'])}\nlineside client run --config {path}")
    return FINE


def _given(args: argparse.Namespace) -> dict[str, str | int]:
    """The settings that the command line gives; paths as seen from the folder of the configuration."""
    given: dict[str, str | int] = {}
    if args.server:
        given["server.uri"] = args.server
    if args.identity:
        root = args.identity / "root.pem"
        root = root if root.exists() else args.identity.parent / "root.pem"
        for name, file in (("certificate", "cert.pem"), ("key", "key.pem")):
            given[f"server.{name}"] = relpath(args.identity / file, args.folder)
        given["server.roots"] = relpath(root, args.folder)
    if args.pin is not None:
        given["server.pin"] = args.pin
    if args.device:
        host, _, port = args.device.partition(":")
        given["devices.host"] = host
        given |= {"devices.port": int(port)} if port else {}
    return given | ({"devices.name": args.name} if args.name else {})
