"""Files of many devices or controls for `lineside op enrol --csv` and `lineside op publish --file`.

A file is read and checked whole before anything is sent, and checked by the server before anything is stored.
"""

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Final

from sep2_server.operator.body import DEEPEST, is_deep
from sep2_server.operator.client import ApiError, OperatorClient
from sep2_server.operator.commands import (
    FINE,
    REFUSED,
    WRONG_USAGE,
    Row,
    Shown,
    UsageError,
    complain,
    pin_text,
    rows_of,
)
from sep2_server.operator.item_lines import Item, Lines, Problems, items_of, twice
from sep2_server.operator.json_value import Json

INTERRUPTED: Final = 130
"""Exit code of what was ended by Ctrl-C, as shells have it."""
BATCH: Final = 100
"""Devices of one request: the writer of the server is not kept from others for long."""
COLUMNS: Final = {
    "name": "name",
    "lfdi": "lFDI",
    "certificate": "certificate",
    "pin": "pIN",
    "role": "role",
    "aggregator": "aggregator",
    "groups": "groups",
    "ders": "DER",
    "category": "deviceCategory",
    "post_rate": "postRate",
}
"""Columns of a file of devices; groups are separated by `;`, a certificate is a path."""
NUMBERS: Final = frozenset({"pin", "ders", "post_rate"})
MOST_DIGITS: Final = 20
SAID: Final = f"columns of devices: {', '.join(COLUMNS)}"


def enrol_file(api: OperatorClient, path: Path, *, dry_run: bool, keep_going: bool) -> Shown:
    """Enrol the devices of a CSV file, all or none; with `keep_going` those that are right."""
    items, problems = items_of(path, _devices(path), SAID)
    problems += _twice(items, "name") + _twice(items, "lFDI")
    bad = {line for line, _ in problems}
    good = _aggregators_first([(line, item) for line, item in items if line not in bad])
    if not problems or keep_going or dry_run:
        problems += _check(api, good)
    if dry_run or (problems and not keep_going):
        return _reported(path, len(items), [], problems, was_sent=False)
    bad = {line for line, _ in problems}
    good = [(line, item) for line, item in good if line not in bad]
    devices, refusal = _enrolled(api, good, problems)
    told = _reported(path, len(items), devices, problems, was_sent=bool(good))
    return replace(told, code=refusal or told.code)


def _enrolled(api: OperatorClient, items: Lines, problems: Problems) -> tuple[list[Json], int]:
    """What is enrolled, whose PINs are told once, and an exit code where the rest fails, which is told."""
    devices: list[Json] = []
    for batch in _batches(items, "enrolled"):
        try:
            answer = api.call("POST", ("devices", "bulk"), [item for _, item in batch])
        except ApiError as flaw:
            problems += _problems(batch, flaw.problems)
            _stopped(flaw.detail, devices, items, batch[0][0], _hint(api, flaw))
            return devices, WRONG_USAGE if flaw.status == HTTPStatus.BAD_REQUEST else REFUSED
        except KeyboardInterrupt:
            _stopped("interrupted", devices, items, batch[0][0], _again(api))
            return devices, INTERRUPTED
        devices += rows_of(answer, "devices")
    return devices, FINE


def _stopped(why: str, devices: list[Json], items: Lines, line: int, hint: str) -> None:
    """Say how far it went."""
    sys.stderr.write("\n" if devices else "")
    count = f"{len(devices)} of {len(items)} devices are enrolled"
    complain(f"{why}; {count}, the next is that of line {line}", hint)


def _hint(api: OperatorClient, flaw: ApiError) -> str:
    """What to do where a batch fails."""
    return flaw.hint if api.keys.first in flaw.hint else f"{flaw.hint}; then {_again(api)}"


def _again(api: OperatorClient) -> str:
    """How to go on: with the key of this time all that was done is answered as this time."""
    again = f"repeat the command with --key {api.keys.first}, all lines in their places: "
    return f"{again}what is enrolled is not enrolled again, and its pINs are told again"


def _aggregators_first(items: Lines) -> Lines:
    """The lines of a file, those of aggregators in front: a device may name one that is not there before."""
    return sorted(items, key=lambda line: not _is_aggregator(line[1]))


def _is_aggregator(item: Item) -> bool:
    return item.get("role") == "aggregator"


def publish_file(api: OperatorClient, path: Path, *, dry_run: bool) -> Shown:
    """Publish the controls of a file of JSON lines with one call, all or none."""
    items, problems = items_of(path, json_lines(path), SAID)
    if problems:
        raise UsageError("\n".join(f"{path}, line {n}: {why}" for n, why in problems), "correct the lines")
    query: dict[str, str | int] | None = {"dry_run": "true"} if dry_run else None
    answer = api.call("POST", ("controls", "bulk"), [item for _, item in items], query=query)
    bad = [(items[int(str(p["item"])) - 1][0], str(p["detail"])) for p in rows_of(answer, "problems")]
    if bad:
        raise UsageError("\n".join(f"{path}, line {n}: {why}" for n, why in bad), "nothing was published")
    done = "would be published" if dry_run else "are published"
    return Shown(data=answer, text=f"{len(rows_of(answer, 'controls'))} controls {done}")


def devices_csv(rows: Sequence[Row]) -> str:
    """Devices as a CSV file that `enrol --csv` reads."""
    names = ("name", "lfdi", "role", "aggregator", "groups")
    lines = [names, *((r["name"], r["lFDI"], r["role"], r["aggregator"] or "", _joined(r)) for r in rows)]
    return "\n".join(",".join(map(_cell, line)) for line in lines)


def _cell(value: object) -> str:
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text


def _joined(row: Row) -> str:
    groups = row.get("groups")
    return ";".join(map(str, groups)) if isinstance(groups, list) else ""


def _devices(path: Path) -> Iterator[tuple[int, Item | str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, strict=True)
        names = reader.fieldnames or ()
        unknown = [*(name for name in names if name not in COLUMNS), *twice(names)]
        if unknown or "name" not in names:
            raise UsageError(
                f"{path}: the columns are not those of devices ({', '.join(unknown) or 'no name'})",
                f"allowed: {', '.join(COLUMNS)}",
            )
        for row in reader:
            yield reader.line_num, _device(path.parent, row)


def _device(folder: Path, row: dict[str | None, str | None]) -> Item | str:
    """The device of one line, or what is wrong with it."""
    if None in row:
        return "more cells than columns"
    item: Item = {}
    for column, key in COLUMNS.items():
        text = (row.get(column) or "").strip()
        if not text:
            continue
        if column in NUMBERS and not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
            return f"{column}: {text[:40]!r} is no number"
        item[key] = int(text) if column in NUMBERS else text.split(";") if column == "groups" else text
    if "certificate" in item:
        place = folder / str(item["certificate"])
        try:
            item["certificate"] = place.read_text()
        except (OSError, UnicodeDecodeError) as flaw:
            return f"certificate: {place}: {getattr(flaw, 'strerror', None) or flaw}"
    return item


def json_lines(path: Path) -> Iterator[tuple[int, Item | str]]:
    """The JSON objects of a file by line, or what is wrong with a line."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
            except (ValueError, RecursionError) as flaw:
                yield number, f"no JSON ({flaw})"
                continue
            if is_deep(found):
                yield number, f"nested more than {DEEPEST} deep"
                continue
            yield number, found if isinstance(found, dict) else "no JSON object"


def _twice(items: Sequence[tuple[int, Item]], key: str) -> Problems:
    """Lines whose value another line has already."""
    seen: dict[object, int] = {}
    problems: Problems = []
    for line, item in items:
        value = str(item.get(key, "")).upper() if key == "lFDI" else item.get(key)
        if value and value in seen:
            problems.append((line, f"{key}: line {seen[value]} has it already"))
        seen.setdefault(value, line)
    return problems


def _check(api: OperatorClient, items: Lines) -> Problems:
    """What the server would say of each line, without anything stored.

    Each batch is tried by itself, behind the aggregators of the file that it names: these are told of once.
    """
    aggregators = {item.get("name"): (line, item) for line, item in items if _is_aggregator(item)}
    problems: Problems = []
    for batch in _batches(items, "checked"):
        own = {item.get("name") for _, item in batch}
        named = {item["aggregator"] for _, item in batch if "aggregator" in item}
        tried = [*(aggregators[name] for name in aggregators if name in named - own), *batch]
        answer = api.call("POST", ("devices", "bulk"), [item for _, item in tried], query={"dry_run": "true"})
        lines = {line for line, _ in batch}
        problems += [told for told in _problems(tried, rows_of(answer, "problems")) if told[0] in lines]
    return problems


def _problems(batch: Sequence[tuple[int, Item]], told: Sequence[Mapping[str, Json]]) -> Problems:
    """Problems of the items of a request, by the lines of the file."""
    return [(batch[int(str(p["item"])) - 1][0], f"{p['detail']} ({p['hint']})") for p in told]


def _batches(items: Sequence[tuple[int, Item]], done: str) -> Iterator[Sequence[tuple[int, Item]]]:
    """Parts of a file in their order, with a line on standard error that tells how far they are."""
    for first in range(0, len(items), BATCH):
        yield items[first : first + BATCH]
        if len(items) > BATCH:
            sys.stderr.write(f"\r{min(first + BATCH, len(items))} of {len(items)} {done}")
            sys.stderr.flush()
    if len(items) > BATCH:
        sys.stderr.write("\n")


def _reported(path: Path, lines: int, devices: list[Json], problems: Problems, *, was_sent: bool) -> Shown:
    told = [f"{path}, line {line}: {why}" for line, why in sorted(problems)]
    created = sum(bool(d.get("created")) for d in devices if isinstance(d, dict))
    known = len(devices) - created
    end = "" if was_sent else "nothing was stored"
    summary = f"{lines} devices: {created} enrolled, {known} were there, {len(problems)} refused"
    data: Json = {
        "created": created,
        "known": known,
        "devices": devices,
        "problems": [{"line": line, "detail": why} for line, why in sorted(problems)],
    }
    text = "\n".join([*told, summary, *([end] if end else []), *_pins(devices)])
    return Shown(data=data, text=text, code=1 if problems else 0)


def _pins(devices: list[Json]) -> list[str]:
    """The PINs that the server has made, which are shown once."""
    made = [d for d in devices if isinstance(d, dict) and "pIN" in d]
    head = ["note the pINs now: they are not shown again"] if made else []
    return [*head, *(f"{d['name']},{pin_text(d['pIN'])}" for d in made)]
