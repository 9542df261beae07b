"""The command `lineside`: a menu of what every package offers."""

from __future__ import annotations

import argparse
import logging
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import certs.cli
import der_client.cli
import sep2_server.cli
from lineside import demo, simulate

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)

EPILOG = """\
first steps:
  lineside demo              watch one control travel from the operator to an inverter and a battery
  lineside certs init lab    make a PKI for a lab
  lineside server init site  make the folder of a server, then: lineside server run --config site/server.toml

`lineside COMMAND --help` explains a command, with an example.
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    made = argparse.ArgumentParser(
        prog="lineside",
        description="The open stack for distributed energy: IEEE 2030.5 server and client, SunSpec, CAN.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"lineside {metadata.version('lineside')}")
    made.add_argument("-v", "--verbose", action="count", default=0, help="more log lines (twice: bytes)")
    commands = made.add_subparsers(title="commands", metavar="COMMAND", required=True)
    demo.add_parser(commands)
    certs.cli.add_parser(commands)
    sep2_server.cli.add_parsers(commands)
    der_client.cli.add_parser(commands)
    simulate.add_parser(commands)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0 fine, 1 the check or the work failed, 2 wrong usage."""
    chosen = parser().parse_args(arguments)
    level = {0: logging.WARNING, 1: logging.INFO}.get(chosen.verbose, logging.DEBUG)
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    try:
        code: int = chosen.run(chosen)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception:
        log.exception("the command failed; this is a defect, please report it with the lines below")
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
