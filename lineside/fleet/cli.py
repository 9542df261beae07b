"""`lineside bench`: the menu entry."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineside.fleet.identities import Identity
    from lineside.fleet.tally import Tally

EPILOG = """\
The server must know the devices: --enrol-csv writes the list to enrol them by and ends; with --enrol-command
the command of the server's operator is run first (once where it names {csv}, else for each device with
{name}, {lfdi}, {sfdi}, {pin}, {certificate}). Exit code 1 where anything failed.
example: lineside bench fleet --server https://127.0.0.1:8443/dcap --pki lab --devices 100 --duration 60
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `bench` to the menu."""
    bench = commands.add_parser("bench")
    kinds = bench.add_subparsers(title="loads", metavar="LOAD", required=True)
    parser = kinds.add_parser(
        "fleet",
        help="a fleet of CSIP clients against any IEEE 2030.5 server",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--server", required=True, metavar="URL", help="URL of DeviceCapability")
    _add_identities(parser)
    _add_load(parser)
    parser.add_argument("--json", action="store_true", help="write the result as JSON")
    parser.set_defaults(run=_run)


def _add_identities(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--devices", type=_count, metavar="N", help="how many (100, or all in --certificates)"
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--pki", type=Path, help="folder of `lineside certs init`; certificates are issued")
    where.add_argument(
        "--certificates", type=Path, metavar="FOLDER", help="folder of folders with cert.pem and key.pem"
    )
    parser.add_argument("--roots", type=Path, metavar="FILE", help="roots to trust, with --certificates")
    parser.add_argument(
        "--enrol-csv", type=Path, metavar="FILE", help="write name, LFDI and PIN of all devices"
    )
    parser.add_argument("--enrol-command", metavar="COMMAND", help="enrol the devices by this command first")


def _add_load(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--duration", type=_positive, default=60.0, metavar="S", help="how long (60 s)")
    parser.add_argument(
        "--speed", type=_positive, default=1.0, help="divides the server's poll and post rates"
    )
    parser.add_argument(
        "--rate", type=_positive, metavar="N", help="cycles of the fleet per second, whatever the poll rates"
    )
    parser.add_argument(
        "--ramp", type=_positive, metavar="S", help="spread of the first connections (50 devices a second)"
    )
    parser.add_argument(
        "--connections", choices=("kept", "new"), default="kept", help="between the cycles of a device (kept)"
    )
    parser.add_argument("--processes", type=_count, default=1, metavar="N", help="share the devices out (1)")
    parser.add_argument("--timeout", type=_positive, default=20.0, metavar="S", help="for one request (20 s)")


def _run(chosen: argparse.Namespace) -> int:
    from certs import CertsError  # noqa: PLC0415 - what it needs is loaded only for this command
    from lineside.fleet.enrolment import EnrolmentError, enrol  # noqa: PLC0415
    from lineside.fleet.identities import write_csv  # noqa: PLC0415

    try:
        identities = _identities(chosen)
        if chosen.enrol_csv is not None:
            write_csv(chosen.enrol_csv, identities)
        if chosen.enrol_command is not None:
            enrol(chosen.enrol_command, identities, chosen.enrol_csv)
    except (CertsError, EnrolmentError, OSError) as flaw:
        sys.stderr.write(f"lineside bench fleet: {flaw}\n")
        return 2
    if chosen.enrol_csv is not None and chosen.enrol_command is None:
        print(f"{chosen.enrol_csv} lists {len(identities)} devices; enrol them, then run without --enrol-csv")
        return 0
    return _measure(chosen, identities)


def _identities(chosen: argparse.Namespace) -> list[Identity]:
    """The devices, whose roots are looked at before a thousand of them do so."""
    from certs import CertsError, operator_client_context  # noqa: PLC0415
    from lineside.fleet.identities import issue, load  # noqa: PLC0415

    if chosen.pki is not None:
        return issue(chosen.pki, chosen.devices or 100)
    if chosen.roots is None:
        raise CertsError("--certificates needs --roots FILE")
    found = load(chosen.certificates, chosen.roots, chosen.devices)
    operator_client_context(chosen.roots)
    return found


def _measure(chosen: argparse.Namespace, identities: list[Identity]) -> int:
    from lineside.fleet.processes import run_fleet  # noqa: PLC0415
    from lineside.fleet.share import Plan  # noqa: PLC0415
    from lineside.fleet.telling import as_data, table  # noqa: PLC0415

    plan = Plan(
        url=chosen.server,
        identities=identities,
        duration_s=chosen.duration,
        speed=chosen.speed,
        rate=chosen.rate,
        ramp_s=chosen.ramp,
        connections=chosen.connections,
        timeout_s=chosen.timeout,
    )
    tally = run_fleet(plan, min(chosen.processes, len(identities)), _teller(len(identities)))
    print(json.dumps(as_data(tally), indent=1) if chosen.json else table(tally))
    return 1 if tally.errors or not tally.requests else 0


def _teller(devices: int) -> Callable[[Tally], None]:
    """Shows the progress: one line that is written over on a terminal, a line each second elsewhere."""
    from lineside.fleet.telling import progress  # noqa: PLC0415

    before = [0]
    start, end = ("\r\x1b[K", "") if sys.stderr.isatty() else ("", "\n")

    def tell(tally: Tally) -> None:
        since, before[0] = tally.requests - before[0], tally.requests
        sys.stderr.write(f"{start}{progress(tally, devices=devices, since=since)}{end}")
        sys.stderr.flush()

    return tell


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0, or has no end")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value
