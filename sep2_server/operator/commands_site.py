"""`lineside server init` and `lineside server token`: the folder of a server, and who may operate it."""

import argparse
import json
import secrets
from pathlib import Path
from typing import Final

from certs import CertsError, Pki
from function_sets import pen_warning
from sep2_server.operator.auth import Role, Token
from sep2_server.operator.commands import FINE, REFUSED, WRONG_USAGE, complain, moment, say
from sep2_server.operator.console import audited
from sep2_server.operator.errors import Refusal
from sep2_server.operator.operator_settings import FILE
from sep2_server.operator.site import read_site
from sep2_server.operator.token_files import FIRST_FILE, add_token, open_tokens, read_tokens, remove_token
from sep2_server.setting_values import SettingsError

SERVER_NAME: Final = "server"
PKI_FOLDER: Final = "pki"
_SETTINGS: Final = """\
# Settings of one IEEE 2030.5 server. Paths are relative to this file.
host = {host}
port = {port}
database = "lineside.db"
certificate = "{certificates}server/cert.pem"  # the chain that the server presents, without the root
key = "{certificates}server/key.pem"
roots = "{certificates}root.pem"  # every root that the certificates of clients may end at
pen = {pen}  # your IANA private enterprise number; 0 belongs to nobody: replace it before use

[operator]  # the API for `lineside op` and other operator software
host = "127.0.0.1"
port = {operator_port}
plain_http = false
folder = "operator"  # tokens and audit log
"""


def add_init(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `init`."""
    example = "lineside server init site --pki --name der.example.org"
    parser = below.add_parser("init", help="make the folder of a server", epilog=f"example: {example}")
    parser.add_argument("folder", type=Path, help="new folder")
    parser.add_argument("--host", default="127.0.0.1", help="address for devices (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8443, help="port for devices (8443)")
    parser.add_argument("--operator-port", type=int, default=8444, help="port for operators (8444)")
    parser.add_argument("--pen", type=int, default=0, help="IANA private enterprise number")
    parser.add_argument(
        "--pki",
        action="store_true",
        help="make a PKI for a lab if none is there, and the server's certificate",
    )
    parser.add_argument(
        "--name", action="append", default=[], metavar="HOST", help="further name in that certificate"
    )
    parser.add_argument("--force", action="store_true", help="write over older settings; a PKI is kept")
    parser.set_defaults(run=init)


def add_token_parser(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `token`."""
    example = "lineside server token control-room --config site --role viewer"
    parser = below.add_parser(
        "token", help="make, list or remove tokens of operators", epilog=f"example: {example}"
    )
    parser.add_argument("name", nargs="?", help="whose token; list all if absent")
    parser.add_argument("--config", type=Path, required=True, help="settings file or folder of the server")
    parser.add_argument("--role", type=Role, choices=list(Role), default=Role.OPERATOR, help="what it allows")
    parser.add_argument("--remove", action="store_true", help="remove it; takes effect at once")
    parser.set_defaults(run=token)


def init(args: argparse.Namespace) -> int:
    """Write the settings, make the first token and, if asked, certificates."""
    path = args.folder / FILE
    try:
        if path.exists() and not args.force:
            complain(f"{path} exists", "name another folder, or write over it with --force")
            return REFUSED
        (args.folder / "operator").mkdir(parents=True, exist_ok=True)
        path.write_text(_settings(args), encoding="utf-8")
        read_site(path)
        if args.pki:
            _make_certificates(args)
        open_tokens(args.folder / "operator", secrets.randbits)
    except CertsError as flaw:
        complain(str(flaw), "correct it and run the command again with --force; the CAs are kept")
        return REFUSED
    except (OSError, SettingsError) as flaw:
        complain(str(flaw), "correct it and run the command again with --force")
        return REFUSED
    say("\n".join(_next_steps(args)))
    return FINE


def token(args: argparse.Namespace) -> int:
    """Make or remove a token, or list them; a new secret is shown once."""
    try:
        folder = read_site(args.config).operator.folder
        if args.name is None:
            lines = [f"{token.name}  {token.role}{_expiry(token)}" for token in read_tokens(folder)]
            say("\n".join(lines) or "no tokens yet: the first start of the server makes one")
        elif args.remove:
            with audited(folder, "revoke token", args.name):
                remove_token(folder, args.name)
            say(f"{args.name} is removed")
        else:
            _make(folder, args)
    except SettingsError as flaw:
        complain(str(flaw), "name the folder that `lineside server init` made")
        return WRONG_USAGE
    except (Refusal, OSError, ValueError) as flaw:
        complain(str(flaw), getattr(flaw, "hint", "make the folder writable for you"))
        return REFUSED
    return FINE


def _make(folder: Path, args: argparse.Namespace) -> None:
    """Make a token and tell its secret, also where the log takes no line that it was made."""
    secret = ""
    try:
        with audited(folder, "create token", f"{args.name}/{args.role}"):
            secret = add_token(folder, args.name, args.role, secrets.randbits)
    finally:
        if secret:
            say(secret)


def _expiry(token: Token) -> str:
    return "" if token.expires is None else f"  until {moment(token.expires)}"


def _settings(args: argparse.Namespace) -> str:
    return _SETTINGS.format(
        host=json.dumps(args.host),
        port=args.port,
        operator_port=args.operator_port,
        pen=args.pen,
        certificates=f"{PKI_FOLDER}/" if args.pki else "",
    )


def _make_certificates(args: argparse.Namespace) -> None:
    """Make what is not there: devices have certificates of a PKI, and know the server by its own."""
    folder = args.folder / PKI_FOLDER
    hosts = list(dict.fromkeys(["localhost", "127.0.0.1", args.host, *args.name]))
    pki = Pki.open_or_create(folder)
    if not pki.has_server(SERVER_NAME, hosts=hosts):
        pki.issue_server(SERVER_NAME, hosts=hosts, force=args.force)


def _next_steps(args: argparse.Namespace) -> list[str]:
    lines = [
        f"{args.folder / FILE} is written",
        f"the token of operators is in {args.folder / 'operator' / FIRST_FILE}",
    ]
    if not args.pki:
        lines.append(f"put the server's chain, key and roots where {FILE} says")
    warning = pen_warning(args.pen)
    lines += [f"note: {warning}"] if warning else []
    lines.append(f"next: lineside server run --config {args.folder}")
    return lines
