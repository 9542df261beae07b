"""`lineside op resource`: any resource of any function set, by its href."""

import argparse
import json
import sys
from pathlib import Path

from sep2_server.operator import commands_ensure
from sep2_server.operator.body import Document
from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import Row, Shown, UsageError, columns, command, every, listed, rows_of
from sep2_server.operator.commands_modes import settings_of

COLUMNS = ("href", "status", "description", "mRID")


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    group = below.add_parser(
        "resource", help="list, show, add, change and remove resources of any function set"
    ).add_subparsers(metavar="ACTION", required=True)
    parser = _with_href(command(group, "list", list_items, example="resource list /tp"))
    parser.add_argument("--start", type=int, default=0, metavar="N", help="how many to leave out (0)")
    parser.add_argument(
        "--limit", type=int, default=100, metavar="N", help="how many at most, 1 to 1000 (100)"
    )
    _with_href(command(group, "show", show, example="resource show /tp/12"))
    for name, run, example in (
        (
            "add",
            add,
            "add /msg/5/txt --set 'textMessage=Storm at noon' --set interval='{\"duration\": \"1h\"}'",
        ),
        ("put", put, "put /msg/5 --set description=storms"),
    ):
        parser = _with_href(command(group, name, run, example=f"resource {example}"))
        says = "JSON of the resource and what is below it, or a document of the standard; - for stdin"
        parser.add_argument("file", nargs="?", help=says)
        parser.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", help="a field, as text or JSON"
        )
        if name == "add":
            parser.add_argument("--group", help="assign the new program to this group at once")
    parser = _with_href(command(group, "remove", remove, example="resource remove /tp/12"))
    parser.add_argument("--force", action="store_true", help="even with events that are scheduled or active")
    parser = _with_href(command(group, "cancel", cancel, example="resource cancel /dr/5/edc/9 --randomized"))
    parser.add_argument("--randomized", action="store_true", help="each device ends within its random window")
    parser.add_argument("--reason", help="text for the devices")
    commands_ensure.add_parsers(group)
    _with_href(command(group, "responses", responses, example="resource responses /dr/5/edc/9"))
    parser = command(group, "assigned", assigned, example="resource assigned feeder-7")
    parser.add_argument("group", help="name of the group")
    for name, run in (("assign", assign), ("unassign", unassign)):
        parser = _with_href(command(group, name, run, example=f"resource {name} /tp/12 feeder-7"))
        parser.add_argument("group", help="name of the group")


def list_items(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """List the items of a list."""
    answer = api.get("resources", href=args.href, start=args.start, limit=args.limit)
    rows = [_row(item) for item in rows_of(answer, "items")]
    text = columns(rows, COLUMNS, empty="nothing is behind that" if args.start else "the list is empty")
    more = f"\nmore may follow: --start {args.start + args.limit}" if len(rows) == args.limit else ""
    return Shown(data=answer, text=text + more)


def show(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show one resource with all its fields."""
    answer = api.get("resources", href=args.href)
    return Shown(data=answer, text=_text(answer))


def add(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Add a resource to a list, with what is below it."""
    query = {"href": args.href} | ({"group": args.group} if args.group else {})
    answer = api.call("POST", ("resources",), _body(args), query=query)
    return Shown(data=answer, text=_text(answer))


def put(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Change fields of a resource, or make the single one that is not there yet."""
    answer = api.call("PUT", ("resources",), _body(args), query={"href": args.href})
    return Shown(data=answer, text=_text(answer))


def remove(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Remove a resource and all that is below it."""
    query = {"href": args.href} | ({"force": "true"} if args.force else {})
    answer = api.call("DELETE", ("resources",), query=query)
    return Shown(data=answer, text=f"{args.href} is removed")


def cancel(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Cancel an event of any kind, at once or randomized."""
    body = {"randomized": args.randomized} | ({"reason": args.reason} if args.reason else {})
    answer = api.call("POST", ("resources", "cancel"), body, query={"href": args.href})
    return Shown(data=answer, text=_text(answer))


def responses(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show the Responses to an event of any kind, device by device."""
    answer = every(api, "responses", "resources", "responses", href=args.href)
    names = ("device", "status", "meaning", "endDeviceLFDI")
    text = columns(rows_of(answer, "responses"), names, empty="no device has answered yet")
    return Shown(data=answer, text=text)


def assigned(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """List the programs of all kinds that a group assigns to its devices."""
    answer = api.get("groups", args.group, "resources")
    rows = [_row(item) for item in rows_of(answer, "items")]
    return Shown(data=answer, text=columns(rows, ("kind", *COLUMNS), empty="the group assigns nothing"))


def assign(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Assign a program of any kind to a group."""
    answer = api.call("PUT", ("groups", args.group, "resources"), query={"href": args.href})
    return Shown(data=answer, text=f"{args.href} is assigned to {args.group}")


def unassign(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """No longer assign a program to a group."""
    answer = api.call("DELETE", ("groups", args.group, "resources"), query={"href": args.href})
    return Shown(data=answer, text=f"{args.href} is no longer assigned to {args.group}")


def _with_href(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("href", help="as in /tp/12, or the name of a list at the root: TariffProfileList")
    return parser


def _body(args: argparse.Namespace) -> dict[str, object] | Document:
    """What the file holds with the fields that options set; a document goes as it is."""
    given: dict[str, object] = {}
    if args.file is not None:
        try:
            text = sys.stdin.read() if args.file == "-" else Path(args.file).read_text(encoding="utf-8")
            if text.lstrip("\ufeff \t\r\n").startswith("<"):
                return _document(text, args.set)
            given = json.loads(text)
        except (OSError, ValueError, RecursionError) as flaw:
            raise UsageError(f"{args.file}: {flaw}", "name a file with one JSON object") from flaw
        if not isinstance(given, dict):
            raise UsageError(f"{args.file}: no JSON object", "name a file with one JSON object")
    return given | settings_of(args.set, "--set")


def _document(text: str, settings: list[str]) -> Document:
    if settings:
        raise UsageError("--set: the file is a document of the standard", "write it there, or give JSON")
    return Document(text.encode())


def _row(item: Row) -> Row:
    held = item.get("resource")
    fields = held if isinstance(held, dict) else {}
    return {**item, "description": fields.get("description") or fields.get("textMessage")}


def _text(answer: Row) -> str:
    held = answer.get("resource")
    plain = {name: value for name, value in answer.items() if name != "resource"}
    return listed(plain | (held if isinstance(held, dict) else {}))
