"""What `lineside op drlc`, `tariff`, `message` and `flow` share: when an event is, its list, its end."""

import argparse

from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import (
    Row,
    Shown,
    columns,
    command,
    every,
    given,
    listed,
    moment,
    number_or_text,
    rows_of,
)

STATES = ("scheduled", "active", "cancelled", "superseded")


def add_times(parser: argparse.ArgumentParser, *, is_random: bool, is_required: bool = True) -> None:
    """Add the options that say when an event is and what devices answer to it."""
    parser.add_argument(
        "--for", dest="duration", required=is_required, metavar="TIME", help="as in 300, 5m, 1h30m"
    )
    parser.add_argument("--in", dest="within", metavar="TIME", help="start in this time, as in 10s")
    parser.add_argument("--at", dest="start", metavar="TIME", help="s since 1970 UTC, or ISO 8601")
    parser.add_argument("--description", help="text for the devices, 32 octets")
    parser.add_argument(
        "--responses", metavar="HEX", help="responseRequired: 01 received, 02 specific, 04 of a user, 07 all"
    )
    if is_random:
        parser.add_argument("--randomize-start", type=int, metavar="S", help="-3600 to 3600 s")
        parser.add_argument("--randomize-duration", type=int, metavar="S", help="-3600 to 3600 s")


def times_of(args: argparse.Namespace) -> dict[str, object]:
    """The fields that those options give."""
    return given(
        start=None if args.start is None else number_or_text(args.start),
        duration=args.duration,
        description=args.description,
        responseRequired=args.responses,
        randomizeStart=getattr(args, "randomize_start", None),
        randomizeDuration=getattr(args, "randomize_duration", None),
    ) | ({"in": args.within} if args.within is not None else {})


def add_program(parser: argparse.ArgumentParser) -> None:
    """Add the options that say in which program of a group an event is."""
    parser.add_argument("--primacy", type=int, metavar="N", help="of the program, where it is made now")
    parser.add_argument("--program", metavar="PROGRAM", help="mRID or description, if the group has several")


def published(api: OperatorClient, args: argparse.Namespace, what: str, body: dict[str, object]) -> Shown:
    """Publish an event in a program of a group and show it."""
    query = {"program": args.program} if args.program else None
    answer = api.call("POST", ("groups", args.group, what), body, query=query)
    return Shown(data=answer, text=text_of(answer))


def add_actions(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, kind: str | None = None
) -> None:
    """Add `show`, `cancel` and `responses` for an event by its mRID, and `cancel` for many of a kind."""
    parser = command(actions, "show", show, example=f"{name} show MRID")
    parser.add_argument("mrid", help="mRID of the event")
    parser = command(actions, "cancel", cancel, example=f"{name} cancel MRID --reason 'storm is over'")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("mrid", nargs="?", help="mRID of the event")
    if kind is not None:
        which.add_argument("--group", metavar="NAME", help="all scheduled and active ones of a group")
        which.add_argument("--device", metavar="NAME", help="those of all groups of a device")
        which.add_argument("--all", action="store_true", help="those of all groups")
    parser.set_defaults(kind=kind)
    parser.add_argument("--randomized", action="store_true", help="each device ends within its random window")
    parser.add_argument("--reason", help="text for the devices")
    parser = command(actions, "responses", responses, example=f"{name} responses MRID")
    parser.add_argument("mrid", help="mRID of the event")


def add_list(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the list of the events of a group."""
    parser.add_argument("group", help="name of the group")
    parser.add_argument("--state", choices=STATES, help="only these")


def show(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show one event with its status now and who answered it."""
    answer = api.get("events", args.mrid)
    return Shown(data=answer, text=text_of(answer))


def cancel(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Cancel an event, or many, at once or randomized."""
    body = {"randomized": args.randomized} | ({"reason": args.reason} if args.reason else {})
    if args.mrid is None:
        chosen = given(kind=args.kind, group=args.group, device=args.device, all=args.all or None)
        answer = api.call("POST", ("events", "cancel"), body | chosen)
        return Shown(data=answer, text=f"{answer['cancelled']} events are cancelled")
    answer = api.call("POST", ("events", args.mrid, "cancel"), body)
    return Shown(data=answer, text=text_of(answer))


def responses(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show the Responses to an event, device by device."""
    answer = every(api, "responses", "events", args.mrid, "responses")
    rows = [{**row, "created": moment(row.get("createdDateTime"))} for row in rows_of(answer, "responses")]
    names = ("device", "status", "meaning", "created", "endDeviceLFDI")
    return Shown(data=answer, text=columns(rows, names, empty="no device has answered yet"))


def table_of(answer: Row, fields: tuple[str, ...], *, empty: str) -> str:
    """The events of a group as a table with some fields of the resource."""
    rows = []
    for one in rows_of(answer, "events"):
        held = one.get("resource")
        wire: Row = held if isinstance(held, dict) else {}
        told = {name: _said(wire.get(name)) for name in fields}
        rows.append({**one, **told, "start": moment(one.get("start"))})
    return columns(rows, ("status", "start", "duration", *fields, "mRID"), empty=empty)


def text_of(answer: Row) -> str:
    """One event, its plain fields below each other."""
    return listed({**answer, "start": moment(answer.get("start"))}, without=("resource",))


def _said(held: object) -> str:
    if isinstance(held, dict):
        return ", ".join(f"{name} {value}" for name, value in held.items())
    return "" if held is None else str(held)
