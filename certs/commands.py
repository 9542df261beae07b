"""What each command of `lineside certs` does: parsed arguments in, lines of text and the exit code out."""

import argparse
from dataclasses import dataclass
from typing import Final

from certs.describe import describe_chain
from certs.files import read_chain
from certs.findings import Severity
from certs.identity import display_lfdi, display_sfdi, pin_with_check
from certs.line import one_line
from certs.pki import Credentials, Pki
from certs.profile import check
from certs.refusal import path_findings

FINE: Final = 0
CHECK_FAILED: Final = 1
WRONG_USAGE: Final = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """Lines to print and the exit code of the command."""

    lines: list[str]
    exit_code: int = FINE


def init(args: argparse.Namespace) -> Outcome:
    """Make a PKI in `args.folder`."""
    pki = Pki.create(args.folder, args.depth, force=args.force)
    return Outcome(
        [f"PKI with chains of {pki.depth} certificates in {args.folder}; peers trust {pki.root_path}"]
    )


def device(args: argparse.Namespace) -> Outcome:
    """Issue a device certificate."""
    serial = None if args.serial is None else args.serial.encode()
    pki = Pki.open(args.folder)
    return _issued(pki.issue_device(args.name, hw_type=args.hw_type, serial=serial, force=args.force))


def aggregator(args: argparse.Namespace) -> Outcome:
    """Issue an aggregator certificate."""
    issued = Pki.open(args.folder).issue_aggregator(
        args.name, hosts=args.host, organization=args.organization, country=args.country, force=args.force
    )
    return _issued(issued)


def server(args: argparse.Namespace) -> Outcome:
    """Issue a server certificate."""
    return _issued(Pki.open(args.folder).issue_server(args.name, hosts=args.host, force=args.force))


def modbus(args: argparse.Namespace) -> Outcome:
    """Issue a certificate for Modbus/TCP Security."""
    pki = Pki.open(args.folder)
    return _issued(pki.issue_modbus(args.name, hosts=args.host, role=args.role, force=args.force))


def show(args: argparse.Namespace) -> Outcome:
    """Say what certificate files hold, findings included."""
    return Outcome([line for path in args.file for line in (str(path), *describe_chain(read_chain(path)))])


def check_file(args: argparse.Namespace) -> Outcome:
    """Hold the first certificate of a file against the profile of a kind, and its chain together."""
    chain = read_chain(args.file)
    findings = [*check(chain[0], args.kind), *path_findings(chain)]
    failed = any(finding.severity is Severity.ERROR for finding in findings)
    lines = [one_line(str(finding)) for finding in findings] or [f"{args.file}: in order as {args.kind}"]
    return Outcome(lines, CHECK_FAILED if failed else FINE)


def pin(args: argparse.Namespace) -> Outcome:
    """Append the check digit to a registration code."""
    return Outcome([f"{pin_with_check(args.code):06d}"])


def _issued(credentials: Credentials) -> Outcome:
    return Outcome(
        [
            f"certificate {credentials.certificate_path}",
            f"key         {credentials.key_path}",
            f"root        {credentials.root_path}",
            f"LFDI        {display_lfdi(credentials.lfdi)}",
            f"SFDI        {display_sfdi(credentials.sfdi)}",
        ]
    )
