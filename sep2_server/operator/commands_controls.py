"""`lineside op` commands about DERControls, their Responses, and the server itself."""

import argparse
from pathlib import Path
from typing import Final

from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import (
    Row,
    Shown,
    UsageError,
    columns,
    command,
    every,
    listed,
    moment,
    number_or_text,
    require_without,
    rows_of,
)
from sep2_server.operator.commands_bulk import publish_file
from sep2_server.operator.commands_modes import MODES, add_modes, modes_of
from sep2_server.operator.json_value import Json

_YES: Final = {True: "yes", False: "no"}
_EVENT: Final = {
    "within": "--in",
    "start": "--at",
    "duration": "--for",
    "description": "--description",
    "randomize_start": "--randomize-start",
    "randomize_duration": "--randomize-duration",
    "responses": "--responses",
    "category": "--category",
}
COLUMNS: Final = ("group", "status", "start", "duration", "modes", "mRID")


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    command(below, "status", status, example="status")
    parser = command(below, "publish", publish, example="publish feeder-7 --max-w 50% --in 10s --for 5m")
    parser.add_argument("group", nargs="?", help="name of the group")
    parser.add_argument("--program", metavar="PROGRAM", help="mRID or description, if the group has several")
    parser.add_argument("--for", dest="duration", metavar="TIME", help="as in 300, 5m, 1h30m")
    parser.add_argument("--file", type=Path, help="many: JSON lines as the API takes them, each with groups")
    parser.add_argument("--dry-run", action="store_true", help="check, and publish nothing")
    _add_event(parser)
    parser = command(below, "change", change, example="change 0B5C... --for 10m")
    parser.add_argument("mrid", help="mRID of the control")
    parser.add_argument("--for", dest="duration", metavar="TIME", help="new duration")
    _add_event(parser)
    parser = command(below, "cancel", cancel, example="cancel 0B5C... --randomized")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("mrid", nargs="?", help="mRID of the control")
    which.add_argument("--group", metavar="NAME", help="all scheduled and active ones of a group")
    which.add_argument("--device", metavar="NAME", help="those of all groups of a device")
    which.add_argument("--all", action="store_true", help="those of all groups")
    parser.add_argument("--program", metavar="PROGRAM", help="with --group: of this program")
    parser.add_argument("--randomized", action="store_true", help="each device ends within its random window")
    parser.add_argument("--reason", help="text for the devices")
    parser = command(below, "controls", controls, example="controls feeder-7 --state active")
    parser.add_argument("group", nargs="?", help="name of the group; all groups if absent")
    parser.add_argument(
        "--state", choices=("scheduled", "active", "cancelled", "superseded"), help="only these"
    )
    parser.add_argument("--responses", action="store_true", help="count the Responses by status")
    parser = command(below, "control", control, example="control 0B5C...")
    parser.add_argument("mrid", help="mRID of the control")
    parser = command(below, "responses", responses, example="responses 0B5C...")
    parser.add_argument("mrid", help="mRID of the control")
    parser.add_argument("--device", metavar="NAME", help="those of one device only")


def _add_event(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--in", dest="within", metavar="TIME", help="start in this time, as in 10s")
    parser.add_argument("--at", dest="start", metavar="TIME", help="s since 1970 UTC, ISO 8601, after-last")
    parser.add_argument("--description", help="text for the devices, 32 octets")
    parser.add_argument("--randomize-start", type=int, metavar="S", help="-3600 to 3600 s")
    parser.add_argument("--randomize-duration", type=int, metavar="S", help="-3600 to 3600 s")
    parser.add_argument(
        "--responses", metavar="HEX", help="responseRequired: 01 received, 02 specific, 03 both"
    )
    parser.add_argument("--category", metavar="HEX", help="deviceCategory, a bitmap")
    add_modes(parser)


def status(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show how the server is."""
    answer = api.get("status")
    return Shown(data=answer, text=listed(answer | {"time": moment(answer.get("time"))}))


def publish(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Publish a DERControl to a group, or many from a file."""
    if args.file is not None:
        require_without(args, {"group": "GROUP", "program": "--program"} | _EVENT | MODES, "with --file")
        return publish_file(api, args.file, dry_run=args.dry_run)
    if args.group is None or args.duration is None:
        raise UsageError("GROUP and --for: to whom, and for how long?", "lineside op publish --help")
    query = {"program": args.program} if args.program else None
    body = _event(args) | {"DERControlBase": modes_of(args)}
    if args.dry_run:
        return _tried(api, body | {"groups": [args.group]} | (query or {}))
    answer = api.call("POST", ("groups", args.group, "controls"), body, query=query)
    return Shown(data=answer, text=_listed(answer))


def _tried(api: OperatorClient, item: dict[str, object]) -> Shown:
    """What a control would be. UsageError where it would be refused."""
    answer = api.call("POST", ("controls", "bulk"), [item], query={"dry_run": "true"})
    for problem in rows_of(answer, "problems"):
        raise UsageError(f"{problem['detail']}; nothing was published", str(problem["hint"]))
    text = "\n\n".join(_listed(row, "mRID", "href") for row in rows_of(answer, "controls"))
    return Shown(data=answer, text=f"{text}\nit would be published; nothing was (--dry-run)")


def change(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Change a DERControl that is not over."""
    modes = modes_of(args)
    body = _event(args) | ({"DERControlBase": modes} if modes else {})
    answer = api.call("PATCH", ("controls", args.mrid), body)
    return Shown(data=answer, text=_listed(answer))


def cancel(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Cancel a DERControl, at once or randomized."""
    if args.group is None:
        require_without(args, {"program": "--program"}, "without --group")
    body = {"randomized": args.randomized} | ({"reason": args.reason} if args.reason else {})
    if args.mrid is None:
        given = {"group": args.group, "device": args.device, "program": args.program, "all": args.all or None}
        body |= {name: value for name, value in given.items() if value is not None}
        answer = api.call("POST", ("controls", "cancel"), body)
        return Shown(data=answer, text=f"{answer['cancelled']} controls are cancelled")
    answer = api.call("POST", ("controls", args.mrid, "cancel"), body)
    return Shown(data=answer, text=_listed(answer))


def controls(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """List DERControls with their status now."""
    path = ("controls",) if args.group is None else ("groups", args.group, "controls")
    counts = "true" if args.responses else None
    answer = every(api, "controls", *path, state=args.state, responses=counts)
    rows = [_row(item) for item in rows_of(answer, "controls")]
    names = (*COLUMNS[:-1], "responses", COLUMNS[-1]) if args.responses else COLUMNS
    return Shown(data=answer, text=columns(rows, names, empty="no controls: lineside op publish --help"))


def control(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show one DERControl and who answered it."""
    answer = api.get("controls", args.mrid)
    return Shown(data=answer, text=_listed(answer))


def responses(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show the Responses to a DERControl, device by device."""
    answer = every(api, "responses", "controls", args.mrid, "responses", device=args.device)
    rows = [{**row, "created": moment(row.get("createdDateTime"))} for row in rows_of(answer, "responses")]
    names = ("device", "status", "meaning", "created", "endDeviceLFDI")
    return Shown(data=answer, text=columns(rows, names, empty="no device has answered yet"))


def _event(args: argparse.Namespace) -> dict[str, object]:
    given = {
        "start": None if args.start is None else number_or_text(args.start),
        "in": args.within,
        "duration": args.duration,
        "description": args.description,
        "randomizeStart": args.randomize_start,
        "randomizeDuration": args.randomize_duration,
        "responseRequired": args.responses,
        "deviceCategory": args.category,
    }
    return {name: value for name, value in given.items() if value is not None}


def _row(item: Row) -> Row:
    said = {name: _pairs(item.get(name)) for name in ("modes", "responses")}
    return {**item, **said, "start": moment(item.get("start"))}


def _pairs(held: Json) -> str:
    if not isinstance(held, dict):
        return ""
    return "; ".join(f"{name} {_YES[v] if isinstance(v, bool) else v}" for name, v in held.items())


def _listed(answer: Row, *without: str) -> str:
    return listed({**answer, "start": moment(answer.get("start"))}, without=("DERControl", *without))
