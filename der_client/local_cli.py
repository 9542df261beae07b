"""`lineside client override|release|reset|optout|optin|status`: orders to a client on this machine."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Final

from der_client.local_control import socket_path
from der_client.settings import load_settings
from owner import ask

FINE: Final = 0
CHECK_FAILED: Final = 1
COMMANDS: Final = (
    ("override", "hold a device at a local setpoint that beats every program", "--target-w 0 --for 3600"),
    ("release", "end the local setpoint", "--device roof"),
    ("reset", "reset latched interlocks whose cause is gone", "--name 'thermal runaway'"),
    ("optout", "take no part in one event, or in any", "--mrid 0A1B --for 3600"),
    ("optin", "take part again", "--mrid 0A1B"),
    ("status", "show what holds each device", ""),
)
"""Name, what it does, and an example of its options."""


def arguments_of(parser: argparse.ArgumentParser, command: str) -> None:
    """Give the parser of one command its options."""
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="TOML file of the client")
    if command in {"override", "release", "reset"}:
        parser.add_argument("--device", metavar="NAME", help="this device alone; all where absent")
    if command in {"override", "optout"}:
        parser.add_argument("--for", dest="for_s", type=float, metavar="S", help="end after so many seconds")
    if command in {"optout", "optin"}:
        parser.add_argument("--mrid", metavar="MRID", help="this event alone; all where absent")
    if command == "reset":
        parser.add_argument(
            "--name", dest="names", action="append", metavar="NAME", help="this interlock alone"
        )
    if command == "override":
        parser.add_argument("--target-w", type=float, metavar="W", help="power out of the device, W")
        parser.add_argument("--limit-pct", type=float, metavar="PCT", help="most power, %% of setMaxW")
        parser.add_argument(
            "--stop", dest="energize", action="store_false", default=None, help="out of service"
        )
        parser.add_argument("--keep", action="store_true", default=None, help="also after a restart")
    parser.set_defaults(order=command)


def run(args: argparse.Namespace) -> int:
    """Give the order and print the answer; 1 where it was refused."""
    names = ("device", "for_s", "mrid", "names", "target_w", "limit_pct", "energize", "keep")
    said = {name: getattr(args, name, None) for name in names}
    order = {"do": args.order, **{name: value for name, value in said.items() if value is not None}}
    spool = load_settings(args.config.read_text(), folder=args.config.parent).spool
    try:
        answer = asyncio.run(ask(socket_path(spool), order))
    except (FileNotFoundError, ConnectionRefusedError):
        sys.stderr.write(f"lineside client {args.order}: no client runs with {args.config}\n")
        return CHECK_FAILED
    if "error" in answer:
        sys.stderr.write(f"lineside client {args.order}: {answer['error']}\n")
        return CHECK_FAILED
    sys.stdout.write(json.dumps(answer.get("devices", "done"), indent=2) + "\n")
    return FINE
