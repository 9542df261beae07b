"""`lineside op notify`: where notifications may go, who subscribed, and what could not be told."""

import argparse

from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import Row, Shown, columns, command, listed, moment, rows_of

_TIMES = ("renewed", "due", "first", "givenUp")


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    notify = below.add_parser("notify", help="subscriptions and notifications").add_subparsers(
        metavar="ACTION", required=True
    )
    for name, run in (("allow", allow), ("disallow", disallow)):
        parser = command(notify, name, run, example=f"notify {name} north 203.0.113.7:8443")
        parser.add_argument("device", help="name or LFDI")
        parser.add_argument("host", help="HOST[:PORT], an address, or a network (CIDR)")
    parser = command(notify, "hosts", hosts, example="notify hosts north")
    parser.add_argument("device", help="name or LFDI")
    for name, run in (("subscriptions", subscriptions), ("list", dead_letters)):
        parser = command(notify, name, run, example=f"notify {name} --device north")
        parser.add_argument("--device", metavar="NAME", help="those of one device")
        parser.add_argument("--after", type=int, metavar="N", help="begin behind this number")
        parser.add_argument("--limit", type=int, default=100, help="how many (100)")
    parser = command(notify, "cancel", cancel, example="notify cancel 42")
    parser.add_argument("subscription", help="its number")
    parser.add_argument("--status", type=int, choices=(1, 2, 3), default=1, help="what is told (1)")
    parser.add_argument("--moved-to", metavar="URI", help="newResourceURI of status 2")
    for name, run in (("show", show), ("retry", retry), ("drop", drop)):
        parser = command(notify, name, run, example=f"notify {name} 7")
        parser.add_argument("letter", help="number of the dead letter")


def allow(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Let notifications of a device go to a host or network."""
    return _hosts(api.call("POST", ("devices", args.device, "notifications"), {"host": args.host}))


def disallow(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """No longer let notifications of a device go to a host or network."""
    return _hosts(api.call("DELETE", ("devices", args.device, "notifications"), {"host": args.host}))


def hosts(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show where notifications of a device may go."""
    return _hosts(api.get("devices", args.device, "notifications"))


def subscriptions(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """List subscriptions and what waits to be told."""
    answer = api.get("subscriptions", device=args.device, after=args.after, limit=args.limit)
    names = ("id", "device", "subscribedResource", "notificationURI", "attempts", "error")
    return Shown(
        data=answer, text=columns(rows_of(answer, "subscriptions"), names, empty="nobody has subscribed")
    )


def cancel(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """End a subscription and tell its client so."""
    body = {"status": args.status, "newResourceURI": args.moved_to}
    given = {name: value for name, value in body.items() if value is not None}
    answer = api.call("POST", ("subscriptions", args.subscription, "cancel"), given)
    return Shown(data=answer, text=f"subscription {args.subscription} is cancelled")


def dead_letters(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """List the notifications that were given up."""
    answer = api.get("deadletters", device=args.device, after=args.after, limit=args.limit)
    rows: list[Row] = [
        {**row, "givenUp": moment(row.get("givenUp"))} for row in rows_of(answer, "deadLetters")
    ]
    names = ("id", "device", "subscribedResource", "givenUp", "attempts", "error")
    text = columns(rows, names, empty="no notification was given up")
    dropped = answer.get("dropped")
    return Shown(data=answer, text=f"{text}\n{dropped} older ones were dropped" if dropped else text)


def show(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show one notification that was given up."""
    answer = api.get("deadletters", args.letter)
    times = {name: moment(answer[name]) for name in _TIMES if name in answer}
    return Shown(data=answer, text=listed({**answer, **times}))


def retry(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Tell the client again, as the resource is now."""
    answer = api.call("POST", ("deadletters", args.letter, "retry"))
    return Shown(data=answer, text=f"dead letter {args.letter} is on its way again")


def drop(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Forget a notification that was given up."""
    answer = api.call("DELETE", ("deadletters", args.letter))
    return Shown(data=answer, text=f"dead letter {args.letter} is dropped")


def _hosts(answer: Row) -> Shown:
    return Shown(data=answer, text=listed(answer))
