"""`lineside op message`: texts to the devices of a group. IEEE 2030.5-2018, 10.6."""

import argparse

from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import Shown, command, given
from sep2_server.operator.commands_events import (
    add_actions,
    add_list,
    add_program,
    add_times,
    published,
    table_of,
    times_of,
)
from sep2_server.operator.requests_events import PRIORITIES


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    actions = below.add_parser(
        "message", help="messaging: TextMessages to a group, their Responses"
    ).add_subparsers(metavar="ACTION", required=True)
    example = "message send feeder-7 'Storm at noon' --priority high --for 4h"
    parser = command(actions, "send", send, example=example)
    parser.add_argument("group", help="name of the group")
    parser.add_argument("text", help="what is shown to people")
    parser.add_argument("--priority", choices=PRIORITIES, default="normal", help="normal where not said")
    parser.add_argument("--from", dest="originator", metavar="TEXT", help="originator, 20 octets")
    parser.add_argument("--locale", metavar="TAG", help="of the program, where it is made now, as in en-AU")
    add_program(parser)
    add_times(parser, is_random=False)
    add_list(command(actions, "list", list_messages, example="message list feeder-7"))
    add_actions(actions, "message", "TextMessage")


def send(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Send a text to the devices of a group."""
    body = {
        **times_of(args),
        **given(originator=args.originator, locale=args.locale, primacy=args.primacy),
        "textMessage": args.text,
        "priority": args.priority,
    }
    return published(api, args, "messages", body)


def list_messages(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """List the texts to a group with their status now."""
    answer = api.get("groups", args.group, "messages", state=args.state)
    return Shown(
        data=answer, text=table_of(answer, ("priority", "textMessage"), empty="the group has no message")
    )
