"""`lineside op` commands about the network: place devices in it, and see it."""

import argparse

from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import Row, Shown, UsageError, command, listed, number_or_text, rows_of

LEVELS = ("sy", "st", "ss", "fd", "sg", "tf", "sp")


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    parser = command(below, "place", place, example="place north GRID/ST1/SS3/FD7/SG2/TF5/SP9")
    parser.add_argument("device", help="name or LFDI")
    parser.add_argument("path", nargs="?", help="from the system down to the service point")
    for level in LEVELS:
        parser.add_argument(f"--{level}", metavar="NAME", help=f"its node of level {level.upper()}")
    parser.add_argument(
        "--primacy",
        action="append",
        default=[],
        metavar="LEVEL=N",
        help="for new nodes; SY 10, ST 9, SS 8, FD 7, SG 6, TF 5, SP 4 if absent",
    )
    parser.add_argument("--nowhere", action="store_true", help="take it out of the network")
    parser = command(below, "tree", tree, example="tree GRID/ST1 --depth 2")
    parser.add_argument("under", nargs="?", help="path of a node; all of the network if absent")
    parser.add_argument("--depth", type=int, metavar="N", help="how many levels (7)")


def place(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Put a device at its place in the network; nodes are made as needed."""
    if args.nowhere:
        answer = api.call("DELETE", ("devices", args.device, "place"))
        return Shown(data=answer, text=listed(answer))
    body: dict[str, object] = {
        level.upper(): name for level in LEVELS if (name := getattr(args, level)) is not None
    }
    body |= {"path": args.path} if args.path else {}
    body |= {"primacies": dict(map(_primacy, args.primacy))} if args.primacy else {}
    answer = api.call("PUT", ("devices", args.device, "place"), body)
    return Shown(data=answer, text=listed(answer))


def tree(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show the network with the number of devices at or below each node."""
    answer = api.get("tree", under=args.under, depth=args.depth)
    lines = _lines(rows_of(answer, "nodes"), 0)
    more = [] if answer.get("complete") else ["more nodes than are shown: lineside op tree PATH"]
    text = "\n".join([*lines, *more]) or "the network is empty: lineside op place --help"
    return Shown(data=answer, text=text)


def _lines(nodes: list[Row], depth: int) -> list[str]:
    lines: list[str] = []
    for node in nodes:
        name = f"{'  ' * depth}{node['level']} {node['name']}"
        lines.append(f"{name[:70]:<70} {node['devices']:>8} devices  primacy {node['primacy']}")
        lines += _lines(rows_of(node, "nodes"), depth + 1)
    return lines


def _primacy(text: str) -> tuple[str, int]:
    level, _, number = text.partition("=")
    value = number_or_text(number)
    if level.lower() not in LEVELS or not isinstance(value, int):
        raise UsageError(f"--primacy {text}: not LEVEL=N", "write it as in --primacy TF=3")
    return level.upper(), value
