"""Every flaw of a settings file at once, with its line: unknown names, wrong values, missing files."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from certs import CertsError, ServerTls
from sep2_server.address import PostgresAddress, is_url
from sep2_server.folders import is_folder
from sep2_server.operator.operator_settings import TABLE, OperatorSettings, settings_file
from sep2_server.operator.site import Site, given_of, site_of
from sep2_server.process.place import tls_files
from sep2_server.profile_settings import RULES
from sep2_server.setting_values import SettingsError
from sep2_server.settings import Settings

_TABLE: Final = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
_KEY: Final = re.compile(
    r"\s*((?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|\"[^\"]*\"))*)\s*="
)
_AT_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)")
_QUOTES: Final = ('"""', "'''")


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a setting; `line` is 0 where it stands in no line of the file."""

    line: int
    text: str


def report(path: Path | None, flaws: Iterable[Flaw]) -> list[str]:
    """Flaws as a compiler would tell them, in the order of their lines."""
    name = "settings" if path is None else settings_file(path).name
    ordered = sorted(flaws, key=lambda flaw: flaw.line)
    return [f"{name}:{flaw.line}: {flaw.text}" if flaw.line else f"{name}: {flaw.text}" for flaw in ordered]


def flaws_of(path: Path | None, overrides: Iterable[str] = ()) -> list[Flaw]:
    """Everything that is wrong with a settings file and `key=value` texts; empty where a server can start."""
    try:
        given = given_of(path, overrides)
    except SettingsError as flaw:
        found = _AT_LINE.search(str(flaw))
        return [Flaw(int(found[1]) if found else 0, str(flaw))]
    lines = {} if path is None else lines_of(settings_file(path).read_text(encoding="utf-8"))
    wrong = dict(_wrong_values(given))
    flaws = [Flaw(_line_of(name, lines), text) for name, text in wrong.items()]
    try:
        site = site_of(_without(given, wrong))
    except SettingsError as flaw:
        return [*flaws, Flaw(_line_of(str(flaw).partition(":")[0], lines), str(flaw))]
    return flaws + [
        Flaw(_line_of(name, lines), text) for name, text in _wrong_files(site) if name not in wrong
    ]


def lines_of(text: str) -> dict[str, int]:
    """The line of each key of a TOML text, by its dotted name, and of each table."""
    found: dict[str, int] = {}
    table, closing = "", ""
    for number, line in enumerate(text.splitlines(), 1):
        if closing:
            closing = "" if closing in line else closing
            continue
        closing = next((mark for mark in _QUOTES if line.count(mark) % 2), "")
        if head := _TABLE.match(line):
            table = _plain(head[1]) + "."
            found.setdefault(table[:-1], number)
        elif key := _KEY.match(line):
            found.setdefault(table + _plain(key[1]), number)
    return found


def _plain(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))


def _line_of(name: str, lines: Mapping[str, int]) -> int:
    """The line of a key, or of the nearest table that it belongs to."""
    while name and name not in lines:
        name = name.rpartition(".")[0]
    return lines.get(name, 0)


def _wrong_values(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names of the settings that cannot be, each looked at by itself, and why."""
    for name, value in given.items():
        if name == TABLE and isinstance(value, dict):
            for inner, held in value.items():
                yield from _wrong(f"{TABLE}.{inner}", inner, {TABLE: {inner: held}}, _names(OperatorSettings))
            continue
        around = {"profile": given["profile"]} if name in RULES and "profile" in given else {}
        known = _names(Settings) | RULES.keys() | {TABLE}
        parts = [
            flaw
            for full, part in _parts(name, value)
            for flaw in _wrong(full, name, {**around, name: part}, known)
        ]
        yield from parts or _wrong(name, name, {**around, name: value}, known)


def _parts(name: str, value: object) -> Iterator[tuple[str, object]]:
    """The entries of a setting that is a table, each with its full name and as a table of its own."""
    if not isinstance(value, dict):
        return
    if name == "profile":
        held = {"name": value["name"]} if "name" in value else {}
        for rule, set_to in value.items():
            for full, part in [*_parts("", set_to)] or [("", set_to)]:
                yield f"{name}.{rule}{full}", {**held, rule: part}
        return
    for key, entry in value.items():
        if name == "mounts":
            for full, part in [*_parts("profile", entry)] or [("", entry)]:
                yield f"{name}.{key}{full.removeprefix('profile')}", {key: part}
        else:
            yield f"{name}.{key}", {key: entry}


def _wrong(full: str, name: str, given: Mapping[str, Any], known: set[str]) -> Iterator[tuple[str, str]]:
    if name not in known:
        near = get_close_matches(name, sorted(known), 1)
        yield full, f"{full}: unknown" + (f"; did you mean {near[0]}?" if near else "")
        return
    try:
        site_of(given)
    except SettingsError as flaw:
        yield full, str(flaw)


def _names(cls: type) -> set[str]:
    return {f.name for f in fields(cls)}


def _without(given: Mapping[str, Any], wrong: Mapping[str, str]) -> dict[str, Any]:
    tables = {name.partition(".")[0] for name in wrong} - {TABLE}
    left = {name: value for name, value in given.items() if name not in tables}
    table = left.pop(TABLE, None)
    if isinstance(table, dict):
        left[TABLE] = {name: value for name, value in table.items() if f"{TABLE}.{name}" not in wrong}
    return left


def _wrong_files(site: Site) -> Iterator[tuple[str, str]]:
    """Files that are not there or cannot be used, by the setting that names them."""
    settings = site.server
    named = [("certificate", settings.certificate), ("key", settings.key), ("roots", settings.roots)]
    named += [("extra_trusted", path) for path in settings.extra_trusted_paths]
    missing = [(name, f"{name}: {path}: {why}") for name, path in named if (why := _why_not(path))]
    yield from missing
    if not missing:
        yield from _wrong_certificates(settings)
    yield from _wrong_database(settings)
    if os.path.lexists(settings.files_folder) and not is_folder(settings.files_folder):
        yield "files_folder", f"files_folder: {settings.files_folder}: no folder"
    if site.operator.plain_http and not site.operator.is_loopback:
        yield (
            f"{TABLE}.plain_http",
            f"{TABLE}.plain_http: only on a loopback address, not {site.operator.host}",
        )


def _why_not(path: Path) -> str:
    """Why a file cannot be read; empty where it can."""
    try:
        if not path.is_file():
            return "no such file"
        path.open("rb").close()
    except OSError as flaw:
        return f"this user may not read it ({flaw.strerror})"
    return ""


def _wrong_database(settings: Settings) -> Iterator[tuple[str, str]]:
    if not is_url(settings.database):
        if not is_folder(Path(settings.database).parent):
            yield "database", f"database: {Path(settings.database).parent}: no such folder"
        return
    try:
        PostgresAddress.of(settings.database, settings.database_password)
    except SettingsError as flaw:
        yield str(flaw).partition(":")[0], str(flaw)


def _wrong_certificates(settings: Settings) -> Iterator[tuple[str, str]]:
    try:
        ServerTls(tls_files(settings))
    except (CertsError, OSError) as flaw:
        name = next(
            (n for n in ("roots", "key", "certificate") if str(getattr(settings, n)) in str(flaw)), "key"
        )
        yield name, f"{name}: {flaw}"
