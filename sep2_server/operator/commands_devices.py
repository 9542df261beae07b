"""`lineside op` commands about devices: enrol, list, show, remove, and what they report."""

import argparse
from pathlib import Path

from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import Row, Shown, UsageError, columns, command, listed, moment, rows_of


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    parser = command(below, "enrol", enrol, example="enrol north --cert north.pem")
    parser.add_argument("name", help="what operators call the device")
    identity = parser.add_mutually_exclusive_group(required=True)
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
    for name, run in (("device", device), ("remove", remove)):
        parser = command(below, name, run, example=f"{name} north")
        parser.add_argument("device", help="name or LFDI")
    parser = command(below, "readings", readings, example="readings north")
    parser.add_argument("device", help="name or LFDI")
    parser.add_argument("mrid", nargs="?", help="one MeterReading: show its series")
    parser.add_argument("--after", type=int, metavar="T", help="values after this time, s since 1970 UTC")
    parser.add_argument("--limit", type=int, default=100, help="how many values (100)")
    parser = command(below, "events", events, example="events north")
    parser.add_argument("device", help="name or LFDI")
    parser.add_argument("--limit", type=int, default=100, help="how many (100)")


def enrol(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Enrol a device by its certificate, or by LFDI and PIN."""
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
    answer = api.get("devices", after=args.after, limit=args.limit)
    names = ("name", "role", "sFDI", "lFDI", "groups")
    text = columns(rows_of(answer, "devices"), names, empty="no device is enrolled: lineside op enrol --help")
    more = f"\nmore behind: lineside op devices --after {answer['next']}" if answer.get("next") else ""
    return Shown(data=answer, text=text + more)


def device(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show a device and what its DERs report."""
    answer = api.get("devices", args.device)
    parts = [listed(answer, without=("EndDevice", "DER"))]
    for der in rows_of(answer, "DER"):
        parts += _der_lines(der)
    return Shown(data=answer, text="\n".join(parts))


def remove(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Remove a device and all that it reported."""
    answer = api.call("DELETE", ("devices", args.device))
    return Shown(data=answer, text=f"{args.device} is removed")


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
