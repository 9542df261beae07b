"""Files of many devices or controls for `lineside op enrol --csv` and `lineside op publish --file`.

A file is read and checked whole before anything is sent, and checked by the server before anything is stored.
"""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from sep2_server.operator.client import ApiError, OperatorClient
from sep2_server.operator.commands import Row, Shown, UsageError, rows_of
from sep2_server.operator.item_lines import Item, Problems, items_of
from sep2_server.operator.json_value import Json

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
SAID: Final = f"columns of devices: {', '.join(COLUMNS)}"


def enrol_file(api: OperatorClient, path: Path, *, dry_run: bool, keep_going: bool) -> Shown:
    """Enrol the devices of a CSV file, all or none; with `keep_going` those that are right."""
    items, problems = items_of(path, _devices(path), SAID)
    problems += _twice(items, "name") + _twice(items, "lFDI")
    bad = {line for line, _ in problems}
    good = [(line, item) for line, item in items if line not in bad]
    if not problems or keep_going or dry_run:
        problems += _check(api, good)
    if dry_run or (problems and not keep_going):
        return _reported(path, len(items), [], problems, dry_run=dry_run)
    bad = {line for line, _ in problems}
    good = [(line, item) for line, item in good if line not in bad]
    devices: list[Json] = []
    for batch in _batches(good, "enrolled"):
        try:
            answer = api.call("POST", ("devices", "bulk"), [item for _, item in batch])
        except ApiError as flaw:
            told = f"{flaw.detail}; {len(devices)} devices of the file before line {batch[0][0]} are enrolled"
            hint = "run the command again" if flaw.status else flaw.hint
            raise ApiError(flaw.status, told, hint, flaw.problems) from flaw
        devices += rows_of(answer, "devices")
    return _reported(path, len(items), devices, problems, dry_run=False)


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
        unknown = [name for name in reader.fieldnames or () if name not in COLUMNS]
        if unknown or "name" not in (reader.fieldnames or ()):
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
        if column in NUMBERS and not (text.isascii() and text.isdigit()):
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
            except ValueError as flaw:
                yield number, f"no JSON ({flaw})"
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


def _check(api: OperatorClient, items: Sequence[tuple[int, Item]]) -> Problems:
    """What the server would say of each line, without anything stored."""
    problems: Problems = []
    for batch in _batches(items, "checked"):
        answer = api.call("POST", ("devices", "bulk"), [item for _, item in batch], query={"dry_run": "true"})
        told = [(int(str(p["item"])), p) for p in rows_of(answer, "problems")]
        problems += [(batch[n - 1][0], f"{p['detail']} ({p['hint']})") for n, p in told]
    return problems


def _batches(items: Sequence[tuple[int, Item]], done: str) -> Iterator[Sequence[tuple[int, Item]]]:
    """Parts of a file in their order, with a line on standard error that tells how far they are."""
    for first in range(0, len(items), BATCH):
        yield items[first : first + BATCH]
        if len(items) > BATCH:
            sys.stderr.write(f"\r{min(first + BATCH, len(items))} of {len(items)} {done}")
            sys.stderr.flush()
    if len(items) > BATCH:
        sys.stderr.write("\n")


def _reported(path: Path, lines: int, devices: list[Json], problems: Problems, *, dry_run: bool) -> Shown:
    told = [f"{path}, line {line}: {why}" for line, why in sorted(problems)]
    created = sum(bool(d.get("created")) for d in devices if isinstance(d, dict))
    known = len(devices) - created
    end = "nothing was stored" if dry_run or (problems and not devices) else ""
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
    return [*head, *(f"{d['name']},{d['pIN']}" for d in made)]
