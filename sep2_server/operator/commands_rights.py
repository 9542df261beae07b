"""`lineside op` commands about tokens, the audit log and the API itself."""

import argparse
import json

from sep2_server.operator.audit_chain import FILTERS
from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import (
    FINE,
    Row,
    Shown,
    columns,
    command,
    listed,
    moment,
    rows_of,
    say,
)


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    token = below.add_parser(
        "token", help="make, list and revoke tokens", description="Make, list and revoke tokens."
    ).add_subparsers(metavar="ACTION", required=True)
    parser = command(token, "create", create, example="token create control-room --role operator --for 90d")
    parser.add_argument("name", help="whose token")
    parser.add_argument("--role", choices=("viewer", "operator", "admin"), default="viewer", help="(viewer)")
    parser.add_argument("--for", dest="lifetime", metavar="TIME", help="how long it is good, as in 90d")
    command(token, "list", tokens, example="token list")
    parser = command(token, "revoke", revoke, example="token revoke control-room")
    parser.add_argument("name", help="whose token")
    parser = command(below, "audit", audit, example="audit --who control-room --action cancel")
    for name in FILTERS:
        parser.add_argument(f"--{name}", metavar="TEXT", help=f"lines with this in {name}")
    parser.add_argument("--before", type=int, metavar="N", help="lines before this number")
    parser.add_argument("--limit", type=int, default=50, help="how many (50)")
    parser = below.add_parser(
        "api",
        help="print the OpenAPI document of the API",
        description="Print the OpenAPI document of the API, or its reference page.",
        epilog="example: lineside op api > openapi.json",
    )
    parser.add_argument("--reference", action="store_true", help="print the reference page instead")
    parser.add_argument("--json", action="store_true", help="the document is JSON anyway")
    parser.set_defaults(run=api_document)


def create(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Make a token; its secret is shown once."""
    given = {"name": args.name, "role": args.role, "lifetime": args.lifetime}
    answer = api.call(
        "POST", ("tokens",), {name: value for name, value in given.items() if value is not None}
    )
    text = listed({**answer, "expires": moment(answer.get("expires")) or "never"})
    return Shown(data=answer, text=f"{text}\nnote the secret now: it is not shown again")


def tokens(api: OperatorClient, _: argparse.Namespace) -> Shown:
    """List the tokens with role, expiry and last use."""
    answer = api.get("tokens")
    rows: list[Row] = [
        {**row, **{name: moment(row.get(name)) for name in ("created", "expires", "lastUsed")}}
        for row in rows_of(answer, "tokens")
    ]
    names = ("name", "role", "created", "expires", "lastUsed")
    return Shown(data=answer, text=columns(rows, names, empty="no tokens"))


def revoke(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Revoke a token; it is refused at once."""
    answer = api.call("DELETE", ("tokens", args.name))
    return Shown(data=answer, text=f"token {args.name} is revoked")


def audit(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show what was done, the newest first."""
    wanted = {name: getattr(args, name) for name in FILTERS}
    answer = api.get("audit", before=args.before, limit=args.limit, **wanted)
    rows = rows_of(answer, "entries")
    text = columns(rows, ("seq", "time", "who", "action", "target", "outcome"), empty="no such lines")
    more = f"\nolder ones: lineside op audit --before {answer['next']}" if answer.get("next") else ""
    return Shown(data=answer, text=text + more)


def api_document(args: argparse.Namespace) -> int:
    """Print the OpenAPI document of the API, or its reference page."""
    from sep2_server.operator.openapi import document  # noqa: PLC0415 - all of the server, for this command alone
    from sep2_server.operator.operations import OPERATIONS  # noqa: PLC0415
    from sep2_server.operator.reference import reference  # noqa: PLC0415

    if args.reference:
        say(reference(OPERATIONS).rstrip("\n"))
    else:
        say(json.dumps(document(OPERATIONS), indent=2, ensure_ascii=False))
    return FINE
