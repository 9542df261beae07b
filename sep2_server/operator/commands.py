"""What the `lineside op` commands share: how they find the API, show an answer and report a refusal."""

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sep2_server.operator.client import ApiError, OperatorClient
from sep2_server.operator.json_value import Json
from sep2_server.operator.keys import MOST_GIVEN, Keys, is_key
from sep2_server.operator.table import fields, plain, table
from sep2_server.operator.whereabouts import Whereabouts, WhereaboutsError, whereabouts_of

LAST_DATE_S: Final = 253_402_300_799
"""The last second of the year 9999, s since 1970 UTC."""
PAGE: Final = 1000
"""Rows that are asked for at once: the most that the API gives."""
MOST_DIGITS: Final = 20
MOST_OF_TOKEN: Final = 100
"""Octets of a token file that are looked at."""
_SECRET: Final = re.compile(r"[0-9A-Fa-f]{64}")
FINE: Final = 0
REFUSED: Final = 1
WRONG_USAGE: Final = 2
URL_VARIABLE: Final = "LINESIDE_OPERATOR_URL"
FILE_VARIABLE: Final = "LINESIDE_OPERATOR_TOKEN_FILE"

Row = dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a command has to say: as JSON (for `--json`), and for a person; `code` is its exit code."""

    data: Json
    text: str
    code: int = FINE


Command = Callable[[OperatorClient, argparse.Namespace], Shown]


def command(
    below: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: Command, *, example: str
) -> argparse.ArgumentParser:
    """A parser for one command of the API; its help is the first line of the command's docstring."""
    says = (run.__doc__ or "").partition("\n")[0]
    parser = below.add_parser(name, help=says, description=says, epilog=f"example: lineside op {example}")
    reach = parser.add_argument_group("how to reach the server")
    reach.add_argument("--config", type=Path, metavar="PATH", help="settings file or folder of the server")
    reach.add_argument("--server", metavar="URL", help=f"URL of its operator API (or {URL_VARIABLE})")
    reach.add_argument("--token-file", type=Path, metavar="FILE", help=f"or {FILE_VARIABLE}")
    reach.add_argument("--roots", type=Path, metavar="FILE", help="root certificates to trust, PEM")
    parser.add_argument(
        "--key", type=_key, metavar="KEY", help="a name for what is changed here: with it, twice is once"
    )
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.set_defaults(run=running(run), default_of=parser.get_default)
    return parser


def running(run: Command) -> Callable[[argparse.Namespace], int]:
    """Front of a command: find the API, run, print; a refusal in two lines on stderr, with its exit code."""

    def front(args: argparse.Namespace) -> int:
        try:
            shown = run(_client(args), args)
        except ApiError as flaw:
            items = [f"\n  item {problem.get('item')}: {problem.get('detail')}" for problem in flaw.problems]
            complain(flaw.detail + "".join(items), flaw.hint)
            return WRONG_USAGE if flaw.status == 400 else REFUSED
        except (WhereaboutsError, UsageError) as flaw:
            complain(str(flaw), flaw.hint)
            return WRONG_USAGE
        say(_json(shown.data) if args.json else _plain(shown.text))
        return shown.code

    return front


class UsageError(Exception):
    """Arguments that argparse lets pass and that make no sense; `hint` says what would."""

    def __init__(self, detail: str, hint: str) -> None:
        super().__init__(detail)
        self.hint = hint


def say(text: str) -> None:
    """Print to standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(detail: str, hint: str) -> None:
    """Print an error and what to do next to standard error."""
    sys.stderr.write(_plain(f"error: {detail}\n  what to do: {hint}\n"))


def _plain(text: str) -> str:
    """A text for a person whose lines may hold what devices have sent."""
    return "\n".join(plain(line) for line in text.split("\n"))


def _json(data: Json) -> str:
    """An answer as JSON, of which a terminal can be shown every character."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    if text.replace("\n", "").isprintable():
        return text
    from certs import printable_json  # noqa: PLC0415 - loads TLS, and few answers need it

    return printable_json(text)


def rows_of(answer: Row, name: str) -> list[Row]:
    """The objects of a list in an answer."""
    held = answer.get(name)
    return [item for item in held if isinstance(item, dict)] if isinstance(held, list) else []


def every(api: OperatorClient, name: str, *path: str, **query: str | int | None) -> dict[str, Json]:
    """All pages of what stands at a path as one answer, the objects of its list `name` together."""
    found: list[Json] = []
    while True:
        answer = api.get(*path, limit=PAGE, **query)
        found += rows_of(answer, name)
        if not answer.get("next"):
            return {**answer, name: found}
        query["after"] = str(answer["next"])


def columns(rows: Sequence[Row], names: Sequence[str], *, empty: str) -> str:
    """Rows as a table with these columns; `empty` where there are none."""
    return table(names, [[row.get(name) for name in names] for row in rows]) if rows else empty


def listed(row: Row, *, without: Sequence[str] = ()) -> str:
    """The plain fields of an object below each other."""
    return fields([(name, _field(name, value)) for name, value in row.items() if name not in without])


def pin_text(pin: Json) -> str:
    """A PIN in its six digits, zeros in front among them."""
    return f"{pin:06d}" if isinstance(pin, int) else str(pin)


def moment(seconds: Json) -> str:
    """A time in s since 1970 UTC, for a person to read."""
    if not isinstance(seconds, int):
        return ""
    if not 0 <= seconds <= LAST_DATE_S:
        return f"{seconds} s"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _field(name: str, value: Json) -> object:
    return pin_text(value) if name == "pIN" else _brief(value)


def _brief(value: Json) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_brief(held)}" for name, held in value.items())
    return [_brief(item) for item in value] if isinstance(value, list) else value


def _client(args: argparse.Namespace) -> OperatorClient:
    found = whereabouts_of(args.config) if args.config else Whereabouts()
    token_file = args.token_file or found.token_file or _path(os.environ.get(FILE_VARIABLE))
    url = args.server or found.url or os.environ.get(URL_VARIABLE)
    if url is None or token_file is None:
        missing = "--server" if url is None else "--token-file"
        raise UsageError(
            f"{missing}: where is the operator API?",
            f"give --config FOLDER, or --server and --token-file, or set {URL_VARIABLE} and {FILE_VARIABLE}",
        )
    roots = args.roots or found.roots
    secret = _secret(token_file)
    return OperatorClient(url=url, secret=secret, roots=roots, keys=Keys(args.key), tell=_note)


def _secret(file: Path) -> str:
    """The token of a file. UsageError, which never tells what is in it."""
    hint = "name the file that `lineside server init` made, and run as the user who owns it"
    try:
        secret = file.read_bytes()[:MOST_OF_TOKEN].decode("ascii", "replace").strip()
    except (OSError, ValueError) as flaw:
        raise UsageError(f"{file}: {getattr(flaw, 'strerror', None) or flaw}", hint) from flaw
    if not _SECRET.fullmatch(secret):
        raise UsageError(f"{file}: not a token, which is 64 hex digits and nothing else", hint)
    return secret


def _key(text: str) -> str:
    """A key for the requests of a command. ArgumentTypeError for what cannot be one."""
    if len(text) > MOST_GIVEN or not is_key(text):
        raise argparse.ArgumentTypeError(f"allowed: 1 to {MOST_GIVEN} visible characters, no spaces")
    return text


def _note(text: str) -> None:
    sys.stderr.write(f"note: {text}\n")


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def require_without(args: argparse.Namespace, options: Mapping[str, str], form: str) -> None:
    """UsageError where an option is given that has no place in a form of the command, such as `--file`.

    `options` tell by the name of the argument how it is written.
    """
    misplaced = [written for name, written in options.items() if getattr(args, name) != args.default_of(name)]
    if misplaced:
        raise UsageError(
            f"{', '.join(misplaced)}: not {form}; nothing was done", "leave it out, or use the other form"
        )


def number_or_text(text: str) -> int | str:
    """A whole number where a text is one, in the digits 0 to 9; else the text."""
    is_number = text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
    return int(text) if is_number else text


def given(**values: object) -> dict[str, object]:
    """What is given, without what is not."""
    return {name: value for name, value in values.items() if value is not None}
