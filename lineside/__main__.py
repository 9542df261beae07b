"""The command `lineside`: a menu of what every package offers."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from importlib import import_module, metadata
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)


class Command(NamedTuple):
    """The module that has a command, and what the menu says of it."""

    module: str
    help: str


COMMANDS = {
    "demo": Command("lineside.demo.cli", "watch one control travel from the operator to the registers"),
    "certs": Command("certs.cli", "identity and certificates"),
    "server": Command("sep2_server.cli", "make and run an IEEE 2030.5 server"),
    "op": Command("sep2_server.operator.cli", "operate a server: enrol devices, publish controls, and more"),
    "client": Command("der_client.cli", "IEEE 2030.5 client of a DER"),
    "device": Command("der_client.device_cli", "find, read, set and test a device: commissioning"),
    "ven": Command("lineside.ven.cli", "OpenADR VEN: events of a utility become controls on a server"),
    "sim": Command("lineside.sim.cli", "simulate inverters, batteries, cars, households and sites"),
    "conform": Command("conformance_tests.cli", "test any server or client against the standard"),
    "bench": Command("lineside.fleet.cli", "put load on a server and measure it"),
}
"""Only the module of the command that is asked for is loaded, and none for the menu: commands start fast."""

EPILOG = """\
first steps:
  lineside demo              watch one control travel from the operator to an inverter and a battery
  lineside certs init lab    make a PKI for a lab
  lineside server init site  make the folder of a server, then: lineside server run --config site/server.toml

`lineside COMMAND --help` explains a command, with an example.
"""


def parser(first: str | None = None) -> argparse.ArgumentParser:
    """The command line: the whole menu, or the one command that `first` names."""
    made = argparse.ArgumentParser(
        prog="lineside",
        description="The open stack for distributed energy: IEEE 2030.5, SunSpec, CAN, OpenADR.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"lineside {metadata.version('lineside')}")
    made.add_argument("-v", "--verbose", action="count", default=0, help="more log lines (twice: bytes)")
    commands = made.add_subparsers(title="commands", metavar="COMMAND", required=True)
    if first in COMMANDS:
        import_module(COMMANDS[first].module).add_parser(commands)
        return made
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.help)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0 fine, 1 the check or the work failed, 2 wrong usage."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    named = next((word for word in given if not word.startswith("-")), None)
    chosen = parser(named).parse_args(given)
    level = {0: logging.WARNING, 1: logging.INFO}.get(chosen.verbose, logging.DEBUG)
    told = logging.StreamHandler()
    told.setFormatter(_Lines("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[told])
    try:
        code: int = chosen.run(chosen)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _drop_output()
        return 0
    except Exception:
        log.exception("the command failed; this is a defect, please report it with the lines below")
        return 1
    return code


class _Lines(logging.Formatter):
    """A message stays on its line and steers no terminal, whatever a peer has sent."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The line of a message."""
        if not record.message.isprintable():
            from certs import one_line  # noqa: PLC0415 - loads TLS, and few messages need it

            record.message = one_line(record.message)
        return super().formatMessage(record)


def _drop_output() -> None:
    """Let what is still to be written go nowhere: its reader has left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
