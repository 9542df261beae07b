"""`lineside op`: operate a server through its operator API. Nothing of the server itself is loaded for it."""

from typing import TYPE_CHECKING

from sep2_server.operator import (
    commands_bench,
    commands_bill,
    commands_configuration,
    commands_controls,
    commands_devices,
    commands_drlc,
    commands_files,
    commands_flow,
    commands_groups,
    commands_message,
    commands_meter,
    commands_network,
    commands_notify,
    commands_prepay,
    commands_resources,
    commands_rights,
    commands_tariff,
)
from sep2_server.operator.menu import MenuFormatter, helps_of, menu

if TYPE_CHECKING:
    import argparse

EPILOG = """\
`lineside op COMMAND --help` explains a command, with an example; --json prints the whole answer.

how the server is found: --config FOLDER of the server, or --server URL and --token-file FILE,
or the environment variables LINESIDE_OPERATOR_URL and LINESIDE_OPERATOR_TOKEN_FILE

a command with the --key of another time does nothing again: it tells what was answered then

example:
  lineside op enrol north --cert north.pem --config site
  lineside op group create feeder-7 --primacy 7 --config site
  lineside op group add feeder-7 north --config site
  lineside op publish feeder-7 --max-w 50% --in 10s --for 5m --config site
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `op`; each leaf sets `run`, a function of the arguments that gives the exit code."""
    parser = subparsers.add_parser("op", formatter_class=MenuFormatter)
    op = parser.add_subparsers(metavar="COMMAND", required=True)
    commands_bill.add_parsers(op)
    commands_devices.add_parsers(op)
    commands_files.add_parsers(op)
    commands_prepay.add_parsers(op)
    commands_configuration.add_parsers(op)
    commands_groups.add_parsers(op)
    commands_controls.add_parsers(op)
    commands_drlc.add_parsers(op)
    commands_tariff.add_parsers(op)
    commands_message.add_parsers(op)
    commands_flow.add_parsers(op)
    commands_meter.add_parsers(op)
    commands_notify.add_parsers(op)
    commands_resources.add_parsers(op)
    commands_rights.add_parsers(op)
    commands_bench.add_parsers(op)
    commands_network.add_parsers(op)
    parser.epilog = f"{menu(op.choices, helps_of(op))}\n{EPILOG}"
