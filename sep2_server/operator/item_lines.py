"""The lines of a file of many items: those that can be read, and what is wrong with the others."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from sep2_server.operator.commands import UsageError

Item = dict[str, object]
Lines = list[tuple[int, Item]]
Problems = list[tuple[int, str]]


def twice(names: Sequence[str]) -> list[str]:
    """The names among columns that an earlier column has already: of such the last cell alone would count."""
    return [f"{name} twice" for place, name in enumerate(names) if name in names[:place]]


def items_of(path: Path, lines: Iterable[tuple[int, Item | str]], columns: str) -> tuple[Lines, Problems]:
    """The items of a file by line, and what is wrong with the other lines.

    `lines` gives for the number of each line its item, or the problem. UsageError for a file that cannot be
    read, or in which nothing is; it names the `columns` that belong there.
    """
    items: Lines = []
    problems: Problems = []
    try:
        for line, item in lines:
            if isinstance(item, str):
                problems.append((line, item))
            else:
                items.append((line, item))
    except (OSError, UnicodeDecodeError, csv.Error) as flaw:
        raise UsageError(f"{path}: cannot be read ({flaw})", "give a text file in UTF-8") from flaw
    if not items and not problems:
        raise UsageError(f"{path}: nothing is in it", columns)
    return items, problems
