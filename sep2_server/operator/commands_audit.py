"""`lineside server audit`: whether the audit log of a site is as it was written."""

import argparse
from pathlib import Path

from sep2_server.operator.audit import AUDIT_FILE
from sep2_server.operator.audit_reading import verify
from sep2_server.operator.commands import FINE, REFUSED, WRONG_USAGE, complain, say
from sep2_server.operator.site import read_site
from sep2_server.setting_values import SettingsError


def add_audit_parser(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `lineside server audit`."""
    actions = below.add_parser("audit", help="check the audit log").add_subparsers(
        metavar="ACTION", required=True
    )
    example = "lineside server audit verify --config site"
    parser = actions.add_parser("verify", help="check the chain of its lines", epilog=f"example: {example}")
    parser.add_argument("--config", type=Path, required=True, help="settings file or folder of the server")
    parser.set_defaults(run=verify_audit)


def verify_audit(args: argparse.Namespace) -> int:
    """Check the audit log of a site; the first line that is not as it was written."""
    try:
        verdict = verify(read_site(args.config).operator.folder / AUDIT_FILE)
    except SettingsError as flaw:
        complain(str(flaw), "name the folder that `lineside server init` made")
        return WRONG_USAGE
    except OSError as flaw:
        complain(str(flaw), "run as the user who owns the log")
        return REFUSED
    if verdict.flaw is not None:
        complain(str(verdict.flaw), f"the {verdict.lines} lines before it hold; keep a copy and look into it")
        return REFUSED
    cut = "; the last line was cut short and counts for nothing" if verdict.is_torn else ""
    say(f"{verdict.lines} lines hold{cut}")
    return FINE
