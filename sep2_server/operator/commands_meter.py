"""`lineside op meter import`: meter data of the utility from a CSV file, checked before it is stored."""

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from sep2_server.operator.client import ApiError, OperatorClient
from sep2_server.operator.commands import Row, Shown, UsageError, command, number_or_text, rows_of
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.item_lines import Item, Lines, Problems, items_of, twice
from sep2_server.operator.times import duration_s, start_at

BATCH: Final = 500
"""Values of one request: the writer of the server is not kept from others for long."""
REQUIRED: Final = ("device", "usage_point", "meter_reading", "start", "duration", "value")
TYPE: Final[Mapping[str, str]] = {
    "uom": "uom",
    "power_of_ten": "powerOfTenMultiplier",
    "flow": "flowDirection",
    "kind": "kind",
    "phase": "phase",
    "commodity": "commodity",
    "accumulation": "accumulationBehaviour",
    "data_qualifier": "dataQualifier",
    "interval_length": "intervalLength",
}
"""Columns of a ReadingType; the first line of a MeterReading that has them says them for all."""
TEXTS: Final[Mapping[str, str]] = {
    "device": "device",
    "usage_point": "UsagePoint",
    "meter_reading": "MeterReading",
    "value": "value",
    "quality": "qualityFlags",
    "role_flags": "roleFlags",
    "description": "description",
}
NUMBERS: Final[Mapping[str, str]] = {
    "tier": "touTier",
    "block": "consumptionBlock",
    "service": "serviceCategoryKind",
}
COLUMNS: Final = (*REQUIRED, "quality", "tier", "block", *TYPE, "role_flags", "service", "description")


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    actions = below.add_parser("meter", help="meter data of the utility from CSV files").add_subparsers(
        metavar="ACTION", required=True
    )
    parser = command(actions, "import", import_file, example="meter import june.csv --dry-run")
    parser.add_argument("path", type=Path, help=f"CSV with the columns {', '.join(COLUMNS)}")
    parser.add_argument("--dry-run", action="store_true", help="check, and store nothing")


def import_file(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Store the values of a file with the usage points that they need; all or none."""
    items, problems = items_of(args.path, _lines(args.path), f"columns: {', '.join(COLUMNS)}")
    problems += _twice(items)
    if not problems:
        items = _typed(items)
        for batch in _batches(items, "checked"):
            answer = _send(api, batch, is_trial=True)
            problems += [
                (batch[int(str(p["item"])) - 1][0], f"{p['detail']} ({p['hint']})")
                for p in rows_of(answer, "problems")
            ]
    if problems or args.dry_run:
        return _reported(args.path, len(items), {}, problems)
    done = {"points": 0, "meterReadings": 0, "values": 0}
    for batch in _batches(items, "stored"):
        try:
            answer = _send(api, batch, is_trial=False)
        except ApiError as flaw:
            told = f"{flaw.detail}; {done['values']} of {len(items)} values are stored"
            hint = "run the command again: what is stored is not stored twice"
            raise ApiError(flaw.status, told, hint, flaw.problems) from flaw
        done = {name: count + int(str(answer[name])) for name, count in done.items()}
    return _reported(args.path, len(items), done, [])


def _send(api: OperatorClient, batch: Lines, *, is_trial: bool) -> Row:
    query: dict[str, str | int] | None = {"dry_run": "true"} if is_trial else None
    return api.call("POST", ("meters", "readings"), [item for _, item in batch], query=query)


def _lines(path: Path) -> Iterator[tuple[int, Item | str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        table = csv.DictReader(file, strict=True)
        names = table.fieldnames or ()
        flaws = [f"no such column: {name}" for name in names if name not in COLUMNS]
        flaws += [f"column missing: {name}" for name in REQUIRED if name not in names]
        flaws += [f"column {told}" for told in twice(names)]
        if flaws:
            raise UsageError(f"{path}, line 1: {flaws[0]}", f"allowed: {', '.join(COLUMNS)}")
        for row in table:
            yield table.line_num, _item(row)


def _item(row: dict[str | None, str | None]) -> Item | str:
    """The value of one line, or what is wrong with it."""
    if None in row:
        return "more cells than columns"
    cells = {name: text.strip() for name, text in row.items() if name is not None and text and text.strip()}
    empty = next((name for name in REQUIRED if name not in cells), None)
    if empty is not None:
        return f"{empty}: it is empty"
    try:
        start, duration = cells["start"], cells["duration"]
        item: Item = {
            **{key: cells[name] for name, key in TEXTS.items() if name in cells},
            **{key: _number(cells[name], name) for name, key in NUMBERS.items() if name in cells},
            "start": start_at(number_or_text(start), None, 0),
            "duration": duration_s(number_or_text(duration), "duration"),
        }
        kind = {key: _number(cells[name], name) for name, key in TYPE.items() if name in cells}
    except (BadRequest, ValueError) as flaw:
        return flaw.detail if isinstance(flaw, BadRequest) else str(flaw)
    return item | ({"ReadingType": kind} if kind else {})


def _number(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError as flaw:
        raise ValueError(f"{name}: {text[:40]!r} is no whole number") from flaw


def _key(item: Item) -> tuple[object, ...]:
    """What tells the MeterReadings of a file apart."""
    return item["device"], *(str(item[name]).upper() for name in ("UsagePoint", "MeterReading"))


def _twice(items: Lines) -> Problems:
    """Lines of a MeterReading whose time, block and tier another has, and those that say another type."""
    seen: dict[tuple[object, ...], int] = {}
    kinds: dict[tuple[object, ...], tuple[int, object]] = {}
    problems: Problems = []
    for line, item in items:
        place = (*_key(item), item["start"], item.get("consumptionBlock"), item.get("touTier"))
        if place in seen:
            problems.append((line, f"start: line {seen[place]} has this time, block and tier already"))
        seen.setdefault(place, line)
        kind = item.get("ReadingType")
        first, known = kinds.setdefault(_key(item), (line, kind)) if kind else (line, kind)
        if kind != known:
            problems.append((line, f"the type of reading is another than in line {first}"))
    return problems


def _typed(items: Lines) -> Lines:
    """The values, those of a MeterReading together and in their order, each with its type."""
    kinds = {_key(item): item["ReadingType"] for _, item in reversed(items) if "ReadingType" in item}
    typed = [
        (line, {**item, **({"ReadingType": kinds[_key(item)]} if _key(item) in kinds else {})})
        for line, item in items
    ]
    return sorted(typed, key=lambda one: (*map(str, _key(one[1])), int(str(one[1]["start"]))))


def _batches(items: Sequence[tuple[int, Item]], done: str) -> Iterator[Lines]:
    """Parts of the values, with a line on standard error that tells how far they are."""
    for first in range(0, len(items), BATCH):
        yield list(items[first : first + BATCH])
        if len(items) > BATCH:
            sys.stderr.write(f"\r{min(first + BATCH, len(items))} of {len(items)} {done}")
            sys.stderr.flush()
    if len(items) > BATCH:
        sys.stderr.write("\n")


def _reported(path: Path, lines: int, done: Mapping[str, int], problems: Problems) -> Shown:
    told = [f"{path}, line {line}: {why}" for line, why in sorted(problems)]
    if done:
        made = f"{done['points']} usage points and {done['meterReadings']} meter readings are new"
        told.append(f"{done['values']} values are stored; {made}")
    else:
        told.append(f"{len(problems)} of {lines} values are refused; nothing was stored")
    return Shown(
        data={
            **done,
            "lines": lines,
            "problems": [{"line": line, "detail": why} for line, why in sorted(problems)],
        },
        text="\n".join(told),
        code=1 if problems else 0,
    )
