"""`lineside op configuration`: what the operator wants of a device's Configuration."""

import argparse
from typing import Final

from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import Row, Shown, UsageError, columns, command
from sep2_server.operator.json_value import Json

_TIME: Final = ("tzOffset", "dstOffset", "dstStartRule", "dstEndRule")


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    actions = below.add_parser(
        "configuration",
        help="what the operator wants of a device's Configuration",
        description="Show and set what is wanted of a device's Configuration.",
    ).add_subparsers(metavar="ACTION", required=True)
    for name, run in (("show", show), ("withdraw", withdraw)):
        parser = command(actions, name, run, example=f"configuration {name} north")
        parser.add_argument("device", help="name or LFDI")
    parser = command(actions, "set", change, example="configuration set north --locale en-US")
    parser.add_argument("device", help="name or LFDI")
    parser.add_argument("--locale", metavar="TAG", help="currentLocale")
    parser.add_argument("--device-name", metavar="TEXT", help="userDeviceName")
    parser.add_argument("--low-charge", type=int, metavar="N", help="PowerConfiguration.lowChargeThreshold")
    parser.add_argument("--tz-offset", type=int, metavar="S", help="time zone, s east of UTC")
    parser.add_argument("--dst-offset", type=int, metavar="S", help="daylight saving, s")
    parser.add_argument("--dst-start", metavar="HEX", help="dstStartRule, 8 hex digits")
    parser.add_argument("--dst-end", metavar="HEX", help="dstEndRule, 8 hex digits")


def show(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show what is wanted of a device and what it reports."""
    return _shown(api.get("devices", args.device, "configuration"))


def change(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Want something of a device; it reads that from its Configuration."""
    zone = dict(zip(_TIME, (args.tz_offset, args.dst_offset, args.dst_start, args.dst_end), strict=True))
    told = [value for value in zone.values() if value is not None]
    if told and len(told) < len(_TIME):
        raise UsageError(
            "a time zone has four parts", "give --tz-offset, --dst-offset, --dst-start and --dst-end"
        )
    given = {
        "currentLocale": args.locale,
        "userDeviceName": args.device_name,
        "PowerConfiguration": None if args.low_charge is None else {"lowChargeThreshold": args.low_charge},
        "TimeConfiguration": zone if told else None,
    }
    body = {name: value for name, value in given.items() if value is not None}
    return _shown(api.call("PUT", ("devices", args.device, "configuration"), body))


def withdraw(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Want nothing of a device any more."""
    return _shown(api.call("DELETE", ("devices", args.device, "configuration")))


def _shown(answer: Row) -> Shown:
    wanted, reported = answer.get("wanted"), answer.get("reported")
    names = {**_plain(wanted), **_plain(reported)}
    rows: list[Row] = [
        {"value": name, "wanted": _plain(wanted).get(name), "reported": _plain(reported).get(name)}
        for name in names
    ]
    text = columns(rows, ("value", "wanted", "reported"), empty="the device has put no Configuration")
    return Shown(data=answer, text=text)


def _plain(held: Json) -> dict[str, Json]:
    """The values of a configuration by their dotted names."""
    if not isinstance(held, dict):
        return {}
    found: dict[str, Json] = {}
    for name, value in held.items():
        below = _plain(value)
        found.update({f"{name}.{key}": one for key, one in below.items()} if below else {name: value})
    return found
