"""`lineside op resource ensure` and `end`: JSON lines of what is to be there, or is to end."""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from sep2_server.operator.client import ApiError, OperatorClient
from sep2_server.operator.commands import Row, Shown, UsageError, columns, command, rows_of
from sep2_server.operator.commands_bulk import json_lines
from sep2_server.operator.item_lines import Lines, items_of
from sep2_server.operator.json_value import Json


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands below `lineside op resource`."""
    for name, run, says in (
        ("ensure", ensure, 'JSON lines: {"kind": "DERControl", "below": MRID, "resource": {"mRID": ...}}'),
        (
            "defaults",
            defaults,
            'JSON lines: {"program": MRID, "default": {"setGradW": 27}}; null takes it away',
        ),
        ("end", end, 'JSON lines: {"mRID": MRID, "randomized": true, "reason": "over"}'),
    ):
        parser = command(below, name, run, example=f"resource {name} wanted.jsonl")
        parser.add_argument("file", type=Path, help=says)
        parser.add_argument("--dry-run", action="store_true", help="check, and store nothing")
        parser.add_argument("--keep-going", action="store_true", help="do those that are right")


def ensure(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Have the programs, rate components, curves and events of a file, all or none, however often."""
    lines, answer = _sent(
        api, args, ("resources", "bulk"), "columns of resources: kind, resource, below, group"
    )
    made = Counter(one["created"] is True for one in rows_of(answer, "items"))
    words = ("would be made", "are there") if args.dry_run else ("made", "were there")
    problems = _problems(lines, rows_of(answer, "problems"))
    summary = f"{len(lines)} resources: {made[True]} {words[0]}, {made[False]} {words[1]}"
    text = "\n".join([*_told(args.file, problems), f"{summary}, {len(problems)} refused"])
    return Shown(data=answer, text=text, code=1 if problems else 0)


def defaults(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Change the DefaultDERControls of programs by a file, all or none; null takes one away."""
    lines, answer = _sent(api, args, ("defaults", "bulk"), "columns of defaults: program, default")
    return _listed(args, lines, answer, ("program", "mRID"))


def end(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Cancel the events of a file, all or none, however often; what is over or not known stays so."""
    lines, answer = _sent(
        api, args, ("events", "cancel", "bulk"), "columns of events: mRID, randomized, reason"
    )
    return _listed(args, lines, answer, ("mRID", "status", "cancelled"))


def _listed(args: argparse.Namespace, lines: Lines, answer: Row, names: tuple[str, ...]) -> Shown:
    problems = _problems(lines, rows_of(answer, "problems"))
    table = columns(rows_of(answer, "items"), names, empty="nothing was done")
    text = "\n".join([*_told(args.file, problems), table])
    return Shown(data=answer, text=text, code=1 if problems else 0)


def _sent(
    api: OperatorClient, args: argparse.Namespace, place: tuple[str, ...], columns_there: str
) -> tuple[Lines, Row]:
    """The lines of a file, and what the server answers to all of them. UsageError names lines."""
    lines, unread = items_of(args.file, json_lines(args.file), columns_there)
    if unread:
        raise UsageError("\n".join(_told(args.file, unread)), "correct the lines")
    query: dict[str, str | int] = {"dry_run": "true"} if args.dry_run else {}
    query |= {"keep_going": "true"} if args.keep_going else {}
    try:
        answer = api.call("POST", place, [item for _, item in lines], query=query)
    except ApiError as flaw:
        if not flaw.problems:
            raise
        told = _told(args.file, _problems(lines, flaw.problems))
        raise UsageError("\n".join([flaw.detail, *told]), flaw.hint) from flaw
    return lines, answer


def _problems(lines: Lines, told: Sequence[Mapping[str, Json]]) -> list[tuple[int, str]]:
    found = [(int(str(one["item"])), f"{one['detail']} ({one['hint']})") for one in told]
    return [(lines[number - 1][0], text) for number, text in found]


def _told(path: Path, problems: list[tuple[int, str]]) -> list[str]:
    return [f"{path}, line {line}: {why}" for line, why in problems]
