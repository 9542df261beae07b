"""`lineside certs`: make a PKI, issue certificates, read and check those of others."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from certs import commands
from certs.commands import Outcome
from certs.errors import CertsError
from certs.findings import Kind
from certs.line import one_line
from certs.pki import LAB_HW_TYPE


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `certs` and its commands; each sets `run`, a function of the parsed arguments to the exit code."""
    certs = _command(subparsers, "certs", "identity and certificates", "lineside certs init pki")
    below = certs.add_subparsers(dest="certs_command", required=True, metavar="COMMAND")
    init = _command(below, "init", "make a PKI in a folder", "lineside certs init pki --depth 4")
    init.add_argument("folder", type=Path, help="folder to make")
    init.add_argument("--depth", type=int, choices=(2, 3, 4), default=4, help="certificates in a chain")
    init.add_argument("--force", action="store_true", help="replace the CAs of an older PKI")
    init.set_defaults(run=_printing(commands.init))
    _add_issuing(below)
    _add_reading(below)


def _add_issuing(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    device = _issuing(below, "device", "lineside certs device pki inverter-1", commands.device)
    device.add_argument("--hw-type", default=LAB_HW_TYPE, metavar="OID", help="hwType under the maker's arc")
    device.add_argument("--serial", metavar="TEXT", help="hwSerialNum; the name unless given")
    aggregator = _issuing(below, "aggregator", "lineside certs aggregator pki acme", commands.aggregator)
    aggregator.add_argument("--organization", default="Lineside lab aggregator", help="who runs it")
    aggregator.add_argument("--country", default="US", metavar="CC", help="two-letter code")
    example = "lineside certs server pki utility --host der.example.org"
    server = _issuing(below, "server", example, commands.server)
    example = "lineside certs modbus pki controller --role GridServiceSunSpec"
    modbus = _issuing(below, "modbus", example, commands.modbus)
    modbus.add_argument("--role", help="what a client may do, as GridServiceSunSpec")
    for parser in (aggregator, server, modbus):
        parser.add_argument("--host", action="append", default=[], help="DNS name or IP address; repeatable")


def _add_reading(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    show = _command(below, "show", "say what certificate files hold", "lineside certs show cert.pem")
    show.add_argument("file", type=Path, nargs="+", help="PEM or DER file")
    show.set_defaults(run=_printing(commands.show))
    example = "lineside certs check cert.pem --kind device"
    check = _command(below, "check", "hold a certificate file against the profile", example)
    check.add_argument("file", type=Path, help="PEM or DER file; the first certificate is of the kind")
    check.add_argument("--kind", type=Kind, choices=list(Kind), required=True, help="what it is to be")
    check.set_defaults(run=_printing(commands.check_file))
    pin = _command(below, "pin", "append the check digit to a registration code", "lineside certs pin 12345")
    pin.add_argument("code", help="five decimal digits")
    pin.set_defaults(run=_printing(commands.pin))


def _command(
    below: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, says: str, example: str
) -> argparse.ArgumentParser:
    return below.add_parser(name, help=says, description=f"{says}.", epilog=f"example: {example}")


def _issuing(
    below: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    example: str,
    run: Callable[[argparse.Namespace], Outcome],
) -> argparse.ArgumentParser:
    parser = _command(below, name, f"issue a certificate for one {name}", example)
    parser.add_argument("folder", type=Path, help="folder of the PKI")
    parser.add_argument("name", help="name of the new folder in it")
    parser.add_argument("--force", action="store_true", help="replace an older certificate of that name")
    parser.set_defaults(run=_printing(run))
    return parser


def _printing(command: Callable[[argparse.Namespace], Outcome]) -> Callable[[argparse.Namespace], int]:
    """Front of a command: print its lines; print an error in one line, with the exit code for wrong usage."""

    def run(args: argparse.Namespace) -> int:
        try:
            outcome = command(args)
        except (CertsError, OSError) as error:
            print(one_line(f"lineside certs: {error}"), file=sys.stderr)
            return commands.WRONG_USAGE
        print("\n".join(outcome.lines))
        return outcome.exit_code

    return run
