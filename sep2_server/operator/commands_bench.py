"""`lineside op` commands that make things as they are to be: devices, assignments, certificates, settings."""

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
    listed,
    moment,
    require_without,
    rows_of,
)

_ON_OFF: Final = {"on": True, "off": False}
_SETTINGS: Final = {
    "in_band": "--in-band",
    "time_quality": "--time-quality",
    "time_offset": "--time-offset",
    "outage": "--outage",
}


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    parser = command(below, "ensure", ensure, example="ensure north --lfdi 3E4F... --pin 111115 --ders 2")
    parser.add_argument("device", help="name (the LFDI says which device)")
    identity = parser.add_mutually_exclusive_group(required=True)
    identity.add_argument("--cert", type=Path, metavar="FILE", help="its certificate, PEM")
    identity.add_argument("--lfdi", metavar="HEX", help="its LFDI, 40 hex digits")
    _add_fields(parser)
    parser = command(below, "modify", modify, example="modify north --ders 2 --disable")
    parser.add_argument("device", help="name or LFDI")
    parser.add_argument("--name", help="new name")
    _add_fields(parser)
    parser = command(below, "assign", assign, example="assign north feeder-7 --primacy 7")
    parser.add_argument("device", help="name or LFDI")
    parser.add_argument("group", help="group; made where it is not there")
    parser.add_argument("--primacy", type=int, metavar="N", help="primacy of its program, 0 to 255")
    parser.add_argument("--description", help="text for the devices, 32 octets")
    parser = command(below, "forget", forget, example="forget north --readings")
    parser.add_argument("device", help="name or LFDI")
    for name, what in (
        ("readings", "mirrors, usage points and readings"),
        ("responses", "Responses"),
        ("log-events", "LogEvents"),
        ("managed", "also those of the devices that it speaks for"),
    ):
        parser.add_argument(f"--{name}", action="store_true", help=what)
    _add_rights(below)


def _add_fields(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pin", type=int, metavar="N", help="PIN with check digit")
    parser.add_argument("--no-registration", action="store_true", help="without a Registration and PIN")
    parser.add_argument("--role", choices=("device", "aggregator"), help="how it takes part")
    parser.add_argument("--aggregator", metavar="NAME", help="who speaks for it; '' for itself")
    parser.add_argument("--ders", type=int, metavar="N", help="how many DERs it has")
    parser.add_argument("--category", metavar="HEX", help="deviceCategory, a bitmap")
    parser.add_argument("--post-rate", type=int, metavar="S", help="how often it posts, s")
    state = parser.add_mutually_exclusive_group()
    state.add_argument("--enable", dest="enabled", action="store_true", default=None, help="registered")
    state.add_argument("--disable", dest="enabled", action="store_false", help="not registered any more")


def _add_rights(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = command(below, "block", block, example="block --cert stolen.pem --reason stolen")
    identity = parser.add_mutually_exclusive_group(required=True)
    identity.add_argument("--cert", type=Path, metavar="FILE", help="the certificate, PEM")
    identity.add_argument("--lfdi", metavar="HEX", help="its LFDI, 40 hex digits")
    parser.add_argument("--reason", default="", help="why, for operators")
    parser = command(below, "unblock", unblock, example="unblock 3E4F...")
    parser.add_argument("lfdi", help="LFDI, 40 hex digits")
    command(below, "blocked", blocked, example="blocked")
    parser = command(below, "settings", settings, example="settings --in-band on")
    parser.add_argument("--in-band", choices=_ON_OFF, help="in-band registration")
    parser.add_argument("--time-quality", type=int, metavar="N", help="quality of Time (test bench)")
    parser.add_argument("--time-offset", type=int, metavar="S", help="added to the clock, s (test bench)")
    parser.add_argument("--outage", choices=_ON_OFF, help="answer 500 to all devices (test bench)")
    parser.add_argument("--reset", action="store_true", help="go back to the settings of the file")


def ensure(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Make sure that a device is there and as it is to be."""
    body = _fields(args) | _identity(args)
    return _device(api.call("PUT", ("devices", args.device), body))


def modify(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Change a device: name, role, aggregator, PIN, DERs, category, enabled."""
    body = _fields(args) | ({"name": args.name} if args.name else {})
    if not body:
        raise UsageError("nothing to change", "lineside op modify --help")
    return _device(api.call("PATCH", ("devices", args.device), body))


def assign(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Make sure that a device is in a group and has its program."""
    given = {"primacy": args.primacy, "description": args.description}
    body = {name: value for name, value in given.items() if value is not None}
    answer = api.call("PUT", ("devices", args.device, "groups", args.group), body)
    return Shown(data=answer, text=listed(answer))


def forget(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Forget readings, Responses or LogEvents of a device."""
    body = {
        "readings": args.readings,
        "responses": args.responses,
        "logEvents": args.log_events,
        "managed": args.managed,
    }
    answer = api.call("POST", ("devices", args.device, "forget"), body)
    return Shown(data=answer, text=f"{answer['forgotten']} resources of {args.device} are forgotten")


def block(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Refuse a certificate whatever it asks, at once."""
    answer = api.call("POST", ("blocked",), {**_identity(args), "reason": args.reason})
    return Shown(data=answer, text=listed(answer | {"since": moment(answer.get("since"))}))


def unblock(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """No longer refuse a certificate."""
    answer = api.call("DELETE", ("blocked", args.lfdi))
    return Shown(
        data=answer, text=f"{args.lfdi} {'is unblocked' if answer['removed'] else 'was not blocked'}"
    )


def blocked(api: OperatorClient, _: argparse.Namespace) -> Shown:
    """List the certificates that are refused."""
    answer = api.get("blocked")
    rows: list[Row] = [{**row, "since": moment(row.get("since"))} for row in rows_of(answer, "blocked")]
    names = ("lFDI", "device", "reason", "since")
    return Shown(data=answer, text=columns(rows, names, empty="no certificate is blocked"))


def settings(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show or change what may be set at run time."""
    given = {
        "inBandRegistration": _ON_OFF.get(args.in_band),
        "timeQuality": args.time_quality,
        "timeOffset": args.time_offset,
        "outage": _ON_OFF.get(args.outage),
    }
    body = {name: value for name, value in given.items() if value is not None}
    if args.reset:
        require_without(args, _SETTINGS, "with --reset")
        answer = api.call("DELETE", ("settings",))
    else:
        answer = api.call("PUT", ("settings",), body) if body else api.get("settings")
    return Shown(data=answer, text=listed(answer))


def certificate_text(path: Path) -> str:
    """The PEM text of a certificate file. UsageError where it cannot be read."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as flaw:
        raise UsageError(f"{path}: cannot be read ({flaw})", "give a certificate file in PEM form") from flaw


def _identity(args: argparse.Namespace) -> dict[str, object]:
    return {"lFDI": args.lfdi} if args.cert is None else {"certificate": certificate_text(args.cert)}


def _fields(args: argparse.Namespace) -> dict[str, object]:
    given = {
        "pIN": args.pin,
        "registration": False if args.no_registration else None,
        "role": args.role,
        "aggregator": args.aggregator,
        "DER": args.ders,
        "deviceCategory": args.category,
        "postRate": args.post_rate,
        "enabled": args.enabled,
    }
    return {name: value for name, value in given.items() if value is not None}


def _device(answer: Row) -> Shown:
    note = "\nnote the pIN now: it is not shown again" if "pIN" in answer else ""
    return Shown(data=answer, text=listed(answer | {"enrolled": moment(answer.get("enrolled"))}) + note)
