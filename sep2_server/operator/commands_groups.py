"""`lineside op` commands about groups, programs, defaults, curves and rates."""

import argparse

from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import (
    Row,
    Shown,
    UsageError,
    columns,
    command,
    every,
    listed,
    require_without,
    rows_of,
)
from sep2_server.operator.commands_modes import MODES, add_modes, modes_of, settings_of
from sep2_server.operator.json_value import Json


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    _add_group(below)
    _add_curve(below)
    parser = command(below, "default", default, example="default feeder-7 --max-w 80% --set setGradW=5%/s")
    parser.add_argument("group", help="name of the group")
    parser.add_argument("--program", metavar="PROGRAM", help="mRID or description, if the group has several")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting such as setGradW"
    )
    parser.add_argument("--clear", action="store_true", help="take the default away")
    add_modes(parser)
    parser = command(below, "rates", rates, example="rates --poll DERProgramList=60")
    parser.add_argument("device", nargs="?", help="with --post: the device")
    parser.add_argument(
        "--poll", action="append", default=[], metavar="RESOURCE=S", help="new pollRate, s; 0 the default"
    )
    parser.add_argument("--post", type=int, metavar="S", help="new postRate of the device, s")
    parser.add_argument("--mirrors", type=int, metavar="S", help="new postRate of the device's mirrors, s")
    parser.add_argument(
        "--post-all",
        action="append",
        default=[],
        metavar="RESOURCE=S",
        help="new postRate of all: EndDevice, MirrorUsagePoint",
    )


def _add_group(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    group = below.add_parser(
        "group", help="create, list and fill groups", description="Create, list and fill groups."
    ).add_subparsers(metavar="ACTION", required=True)
    parser = command(group, "create", create, example="group create feeder-7 --primacy 7")
    parser.add_argument("name", help="what operators call the group")
    parser.add_argument("--primacy", type=int, required=True, help="0 to 255, the lower wins")
    parser.add_argument("--description", help="text for the devices, 32 octets")
    command(group, "list", groups, example="group list")
    for name, run in (("show", show), ("delete", delete)):
        parser = command(group, name, run, example=f"group {name} feeder-7")
        parser.add_argument("group", help="name of the group")
    for name, run in (("add", add), ("remove", take_out)):
        parser = command(group, name, run, example=f"group {name} feeder-7 north south")
        parser.add_argument("group", help="name of the group")
        parser.add_argument("device", nargs="+", help="name or LFDI")
    _add_primacy(group)
    command(group, "programs", all_programs, example="group programs")
    parser = command(group, "program", add_program, example="group program feeder-7 --primacy 6")
    parser.add_argument("group", help="name of the group")
    parser.add_argument("--primacy", type=int, required=True, help="0 to 255, the lower wins")
    parser.add_argument("--description", help="text for the devices, 32 octets")


def _add_primacy(group: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = command(group, "primacy", change_program, example="group primacy feeder-7 6")
    parser.add_argument("group", help="name of the group")
    parser.add_argument("primacy", type=int, nargs="?", help="0 to 255, the lower wins")
    parser.add_argument("--description", help="text for the devices, 32 octets")
    parser.add_argument("--program", metavar="PROGRAM", help="mRID or description, if the group has several")


def _add_curve(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    curve = below.add_parser(
        "curve", help="make and list curves", description="Make and list curves."
    ).add_subparsers(metavar="ACTION", required=True)
    example = (
        "curve add feeder-7 'volt-var A' --type opModVoltVar --y-ref SET_MAX_VAR 92,44 98,0 102,0 108,-44"
    )
    parser = command(curve, "add", add_curve, example=example)
    parser.add_argument("group", help="name of the group")
    parser.add_argument("description", help="what operators call the curve, 32 octets")
    parser.add_argument("point", nargs="+", metavar="X,Y", help="1 to 10 points in natural units")
    parser.add_argument("--type", required=True, metavar="MODE", help="mode that follows it: opModVoltVar")
    parser.add_argument("--y-ref", required=True, metavar="REF", help="what y refers to: SET_MAX_VAR")
    parser.add_argument("--program", metavar="PROGRAM", help="mRID or description, if the group has several")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a field such as openLoopTms='5 s'"
    )
    parser = command(curve, "list", curves, example="curve list feeder-7")
    parser.add_argument("group", help="name of the group")
    parser = command(curve, "remove", remove_curve, example="curve remove 0B5C...")
    parser.add_argument("mrid", help="mRID of the curve")


def create(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Create a group with its DERProgram."""
    body = {"name": args.name, "primacy": args.primacy}
    answer = api.call("POST", ("groups",), body | _description(args))
    return Shown(data=answer, text=listed(answer))


def groups(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """List the groups with their programs."""
    answer = every(api, "groups", "groups")
    rows: list[Row] = [
        {**program, "group": group["name"], "devices": group["devices"]}
        for group in rows_of(answer, "groups")
        for program in rows_of(group, "programs")
    ]
    names = ("group", "primacy", "description", "devices", "mRID")
    return Shown(
        data=answer, text=columns(rows, names, empty="no group yet: lineside op group create --help")
    )


def show(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show a group, its programs and its devices."""
    answer = api.get("groups", args.group)
    members = every(api, "devices", "groups", args.group, "devices")
    programs = columns(rows_of(answer, "programs"), ("primacy", "description", "href", "mRID"), empty="")
    devices = columns(rows_of(members, "devices"), ("name", "sFDI", "lFDI"), empty="no device is a member")
    return Shown(data=answer | members, text=f"{programs}\n\n{devices}")


def delete(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Delete a group with its programs and controls."""
    answer = api.call("DELETE", ("groups", args.group))
    return Shown(data=answer, text=f"group {args.group} is deleted")


def add(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Assign devices to a group."""
    answer = api.call("POST", ("groups", args.group, "devices"), {"add": args.device})
    return Shown(data=answer, text=f"in {args.group}: {', '.join(args.device)}")


def take_out(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Take devices out of a group."""
    answer = api.call("POST", ("groups", args.group, "devices"), {"remove": args.device})
    return Shown(data=answer, text=f"no longer in {args.group}: {', '.join(args.device)}")


def add_program(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Add a further DERProgram to a group."""
    answer = api.call(
        "POST", ("groups", args.group, "programs"), {"primacy": args.primacy} | _description(args)
    )
    return Shown(data=answer, text=listed(answer))


def all_programs(api: OperatorClient, _: argparse.Namespace) -> Shown:
    """List the DERPrograms of all groups with their primacies."""
    answer = every(api, "programs", "programs")
    names = ("group", "primacy", "description", "hasDefault", "openControls", "mRID")
    return Shown(data=answer, text=columns(rows_of(answer, "programs"), names, empty="no programs"))


def default(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show the DefaultDERControl of a group, or set what is given."""
    query = {"program": args.program} if args.program else None
    if args.clear:
        require_without(args, {"set": "--set"} | MODES, "with --clear")
    modes = modes_of(args)
    body = settings_of(args.set, "--set") | ({"DERControlBase": modes} if modes else {})
    path = ("groups", args.group, "default")
    method = "DELETE" if args.clear else "PATCH" if body else "GET"
    answer = api.call(method, path, body or None, query=query)
    natural = answer.get("natural")
    return Shown(
        data=answer, text=listed(natural if isinstance(natural, dict) else {}) or "no default is set"
    )


def add_curve(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Add a DERCurve to a program."""
    body: dict[str, object] = {
        "description": args.description,
        "curveType": args.type,
        "yRefType": args.y_ref,
    }
    body |= {"points": [_point(text) for text in args.point]} | settings_of(args.set, "--set")
    query = {"program": args.program} if args.program else None
    answer = api.call("POST", ("groups", args.group, "curves"), body, query=query)
    return Shown(data=answer, text=listed(answer, without=("DERCurve",)))


def curves(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """List the curves of a group."""
    answer = api.get("groups", args.group, "curves")
    rows = [{**row, "points": _drawn(row)} for row in rows_of(answer, "curves")]
    names = ("description", "curveType", "points", "yRefType", "mRID")
    return Shown(data=answer, text=columns(rows, names, empty="the group has no curves"))


def remove_curve(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Remove a DERCurve that no control uses."""
    answer = api.call("DELETE", ("curves", args.mrid))
    return Shown(data=answer, text=f"curve {args.mrid} is removed")


def rates(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show poll rates, or set poll rates and the post rate of a device."""
    of_device = {"postRate": args.post, "MirrorUsagePoint": args.mirrors}
    wanted = {name: rate for name, rate in of_device.items() if rate is not None}
    if (args.device is None) != (not wanted):
        raise UsageError(
            "--post or --mirrors and DEVICE belong together", "lineside op rates north --post 60"
        )
    if args.poll or args.post_all:
        given = {
            "pollRate": settings_of(args.poll, "--poll"),
            "postRate": settings_of(args.post_all, "--post-all"),
        }
        api.call("PUT", ("rates",), {name: rates for name, rates in given.items() if rates})
    if args.device is not None:
        api.call("PUT", ("devices", args.device, "rates"), wanted)
    answer = api.get("rates")
    rows = [{"resource": n, kind: s} for kind in ("pollRate", "postRate") for n, s in _rates(answer, kind)]
    return Shown(data=answer, text=columns(rows, ("resource", "pollRate", "postRate"), empty="no rates"))


def change_program(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Change the primacy or description of a program of a group."""
    given = {"primacy": args.primacy, "description": args.description}
    body = {name: value for name, value in given.items() if value is not None}
    programs = rows_of(api.get("groups", args.group, "programs"), "programs")
    if args.program is None and len(programs) != 1:
        raise UsageError(f"group {args.group} has {len(programs)} programs", "say which with --program")
    program = args.program or str(programs[0]["mRID"])
    answer = api.call("PATCH", ("groups", args.group, "programs", program), body)
    return Shown(data=answer, text=listed(answer))


def _rates(answer: Row, kind: str) -> list[tuple[str, Json]]:
    held = answer.get(kind)
    return list(held.items()) if isinstance(held, dict) else []


def _description(args: argparse.Namespace) -> dict[str, object]:
    return {} if args.description is None else {"description": args.description}


def _point(text: str) -> list[object]:
    parts = text.split(",")
    if not 2 <= len(parts) <= 3:
        raise UsageError(f"{text}: not a point", "write points as X,Y (and ,under-excited for opModWattPF)")
    return [part.strip() for part in parts]


def _drawn(row: Row) -> str:
    points = row.get("points")
    return (
        " ".join(",".join(map(str, p)) for p in points if isinstance(p, list))
        if isinstance(points, list)
        else ""
    )
