"""`lineside op flow`: flow reservations of devices, granted or declined. IEEE 2030.5-2018, 10.9."""

import argparse

from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import Shown, columns, command, given, listed, moment, rows_of
from sep2_server.operator.commands_events import add_actions, add_times, times_of

COLUMNS = ("device", "status", "energy", "power", "start", "duration", "answer", "mRID")


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    actions = below.add_parser(
        "flow", help="flow reservations: what devices ask for, and what they are granted"
    ).add_subparsers(metavar="ACTION", required=True)
    parser = command(actions, "list", list_flows, example="flow list --open")
    parser.add_argument("device", nargs="?", help="name of a device; those of all if absent")
    parser.add_argument("--open", action="store_true", help="only those that nobody has answered")
    parser.add_argument("--after", type=int, metavar="N", help="go on behind this, as the last list said")
    example = "flow grant REQUEST --energy 10kWh --power 5kW"
    parser = command(actions, "grant", grant, example=example)
    parser.add_argument("request", help="mRID of the FlowReservationRequest")
    parser.add_argument("--device", metavar="NAME", help="whose it is, where several have used the mRID")
    parser.add_argument("--energy", metavar="ENERGY", help="less than is asked for, as in 10kWh")
    parser.add_argument("--power", metavar="POWER", help="less than is asked for, as in 5kW")
    add_times(parser, is_random=False, is_required=False)
    parser = command(actions, "decline", decline, example="flow decline REQUEST")
    parser.add_argument("request", help="mRID of the FlowReservationRequest")
    parser.add_argument("--device", metavar="NAME", help="whose it is, where several have used the mRID")
    add_actions(actions, "flow")


def list_flows(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """List what devices ask for, and the answers to it."""
    answer = api.get("flows", device=args.device, open="true" if args.open else None, after=args.after)
    rows = []
    for one in rows_of(answer, "requests"):
        answers = [str(event.get("status")) for event in rows_of(one, "answers")]
        rows.append({**one, "start": moment(one.get("start")), "answer": ", ".join(answers)})
    more = f"\nmore behind: lineside op flow list --after {answer['next']}" if answer.get("next") else ""
    return Shown(data=answer, text=columns(rows, COLUMNS, empty="no device asks for anything") + more)


def grant(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Grant what a device asks for, or less."""
    body = {**times_of(args), **given(energyAvailable=args.energy, powerAvailable=args.power)}
    return _answered(api, args, body)


def decline(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Decline what a device asks for: an event without energy and power."""
    return _answered(api, args, {"decline": True})


def _answered(api: OperatorClient, args: argparse.Namespace, body: dict[str, object]) -> Shown:
    query = {"device": args.device} if args.device else None
    answer = api.call("POST", ("flows", args.request, "answer"), body, query=query)
    held = answer.get("answer")
    told = held if isinstance(held, dict) else {}
    return Shown(
        data=answer, text=listed({**told, "start": moment(told.get("start"))}, without=("resource",))
    )
