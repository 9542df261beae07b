"""`lineside op` commands about devices: enrol, list, show, remove, and what they report."""

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
    require_without,
    rows_of,
)
from sep2_server.operator.commands_bulk import COLUMNS, devices_csv, enrol_file

_OF_FILE: Final = {"dry_run": "--dry-run", "keep_going": "--keep-going"}
_OF_ONE: Final = {
    "name": "NAME",
    "pin": "--pin",
    "aggregator": "--aggregator",
    "as_aggregator": "--as-aggregator",
    "ders": "--ders",
    "post_rate": "--post-rate",
}


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    parser = command(below, "enrol", enrol, example="enrol north --cert north.pem")
    parser.add_argument("name", nargs="?", help="what operators call the device")
    identity = parser.add_mutually_exclusive_group(required=True)
    identity.add_argument(
        "--csv", type=Path, metavar="FILE", help=f"many devices; columns {', '.join(COLUMNS)}"
    )
    parser.add_argument("--dry-run", action="store_true", help="with --csv: check, and store nothing")
    parser.add_argument("--keep-going", action="store_true", help="with --csv: enrol those that are right")
    identity.add_argument("--cert", type=Path, metavar="FILE", help="its certificate, PEM")
    identity.add_argument("--lfdi", metavar="HEX", help="its LFDI, 40 hex digits")
    parser.add_argument("--pin", type=int, metavar="N", help="its PIN with check digit; made if absent")
    parser.add_argument("--aggregator", metavar="NAME", help="the aggregator that speaks for it")
    parser.add_argument("--as-aggregator", action="store_true", help="enrol an aggregator")
    parser.add_argument("--ders", type=int, metavar="N", help="how many DERs it has (1)")
    parser.add_argument("--post-rate", type=int, metavar="S", help="how often it posts, s")
    parser = command(below, "devices", devices, example="devices --limit 50")
    parser.add_argument("--after", metavar="NAME", help="begin behind this name")
    parser.add_argument("--limit", type=int, default=100, help="how many (100)")
    parser.add_argument("--csv", action="store_true", help="all devices, as CSV that enrol --csv reads")
    for name, run in (("device", device), ("remove", remove)):
        parser = command(below, name, run, example=f"{name} north")
        parser.add_argument("device", help="name or LFDI")
    parser.add_argument("--managed", action="store_true", help="also the devices that it speaks for")
    parser.add_argument("--if-exists", action="store_true", help="fine where it is not there")
    parser = command(below, "readings", readings, example="readings north")
    parser.add_argument("device", help="name or LFDI")
    parser.add_argument("mrid", nargs="?", help="one MeterReading: show its series")
    parser.add_argument("--after", type=int, metavar="T", help="values after this time, s since 1970 UTC")
    parser.add_argument("--limit", type=int, default=100, help="how many values (100)")
    parser = command(below, "events", events, example="events north")
    parser.add_argument("device", help="name or LFDI")
    parser.add_argument("--limit", type=int, default=100, help="how many (100)")
    parser = command(below, "changes", changes, example="changes --after 1200")
    parser.add_argument(
        "--after", type=int, default=0, metavar="N", help="behind this place (the oldest kept)"
    )
    parser.add_argument("--limit", type=int, default=1000, help="how many changes are looked at (1000)")


def enrol(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Enrol a device by its certificate, or by LFDI and PIN, or many from a CSV file."""
    if args.csv is not None:
        require_without(args, _OF_ONE, "with --csv, whose columns tell it")
        return enrol_file(api, args.csv, dry_run=args.dry_run, keep_going=args.keep_going)
    require_without(args, _OF_FILE, "without --csv")
    if args.name is None:
        raise UsageError("NAME: what is the device called?", "lineside op enrol NAME --cert FILE")
    given = {
        "name": args.name,
        "certificate": _text(args.cert),
        "lFDI": args.lfdi,
        "pIN": args.pin,
        "aggregator": args.aggregator,
        "role": "aggregator" if args.as_aggregator else None,
        "DER": args.ders,
        "postRate": args.post_rate,
    }
    body = {name: value for name, value in given.items() if value is not None}
    answer = api.call("POST", ("devices",), body)
    note = "\nnote the pIN now: it is not shown again" if "pIN" in answer else ""
    return Shown(data=answer, text=listed(answer) + note)


def devices(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """List the devices."""
    if args.csv:
        rows = rows_of(every(api, "devices", "devices"), "devices")
        return Shown(data=list(rows), text=devices_csv(rows))
    answer = api.get("devices", after=args.after, limit=args.limit)
    names = ("name", "role", "sFDI", "lFDI", "groups")
    text = columns(rows_of(answer, "devices"), names, empty="no device is enrolled: lineside op enrol --help")
    more = f"\nmore behind: lineside op devices --after {answer['next']}" if answer.get("next") else ""
    return Shown(data=answer, text=text + more)


def device(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show a device and what its DERs report."""
    answer = api.get("devices", args.device)
    programs = api.get("devices", args.device, "programs")
    parts = [listed(answer | {"enrolled": moment(answer.get("enrolled"))}, without=("EndDevice", "DER"))]
    parts += _programs_lines(programs)
    answer |= {name: programs[name] for name in ("programs", "now")}
    for der in rows_of(answer, "DER"):
        parts += _der_lines(der)
    return Shown(data=answer, text="\n".join(parts))


def remove(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Remove a device and all that it reported."""
    flags = {"managed": args.managed, "if_exists": args.if_exists}
    query: dict[str, str | int] = {name: "true" for name, wanted in flags.items() if wanted}
    answer = api.call("DELETE", ("devices", args.device), query=query)
    gone = answer.get("removed")
    names = ", ".join(map(str, gone)) if isinstance(gone, list) else ""
    return Shown(data=answer, text=f"{names} is removed" if names else f"{args.device} was not there")


def readings(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show the latest readings of a device, or the series of one MeterReading."""
    if args.mrid is None:
        answer = api.get("devices", args.device, "readings")
        rows = [{**row, "time": moment(row.get("time"))} for row in rows_of(answer, "readings")]
        names = ("description", "value", "unit", "time", "mRID")
        return Shown(data=answer, text=columns(rows, names, empty="the device has posted no readings"))
    answer = api.get("devices", args.device, "readings", args.mrid, after=args.after, limit=args.limit)
    rows = [{**row, "time": moment(row.get("time"))} for row in rows_of(answer, "values")]
    shown = columns(rows, ("time", "duration", "value", "quality"), empty="no values")
    return Shown(data=answer, text=shown)


def events(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show the LogEvents of a device, the newest first."""
    answer = api.get("devices", args.device, "logevents", limit=args.limit)
    rows: list[Row] = [
        {**row, "created": moment(row.get("createdDateTime"))} for row in rows_of(answer, "LogEvent")
    ]
    names = ("created", "functionSet", "logEventCode", "logEventID", "details")
    return Shown(data=answer, text=columns(rows, names, empty="the device has logged nothing"))


def changes(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show which devices have changed in what, and the place behind that."""
    answer = api.get("changes", after=args.after, limit=args.limit)
    rows: list[Row] = [
        {"device": row.get("device") or "-", "kinds": ", ".join(map(str, _list(row.get("kinds"))))}
        for row in rows_of(answer, "changed")
    ]
    place = {name: answer.get(name) for name in ("next", "more", "complete")}
    table = columns(rows, ("device", "kinds"), empty="nothing has changed")
    return Shown(data=answer, text=f"{table}\n\n{listed(place)}")


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _programs_lines(answer: Row) -> list[str]:
    """The programs of a device in their precedence, and what applies now."""
    names = ("primacy", "group", "description", "openControls", "mRID")
    now = ("mode", "value", "by", "group", "mRID")
    return [
        "\nprograms, the best first",
        columns(rows_of(answer, "programs"), names, empty=" none: lineside op group add --help"),
        "\nwhat applies now",
        columns(rows_of(answer, "now"), now, empty=" nothing"),
    ]


def _der_lines(der: Row) -> list[str]:
    lines = [f"\nDER {der.get('href')}"]
    for name in ("DERCapability", "DERSettings", "DERStatus", "DERAvailability"):
        held = der.get(name)
        lines.append(f" {name}" + ("" if isinstance(held, dict) else ": not reported"))
        if isinstance(held, dict):
            lines.append("\n".join("  " + line for line in listed(held, without=("href",)).splitlines()))
    return lines


def _text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as flaw:
        raise UsageError(f"{path}: cannot be read ({flaw})", "give a certificate file in PEM form") from flaw
