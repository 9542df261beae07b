"""Settings of a site: those of the IEEE 2030.5 side, and `[operator]` for the operators' side."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from sep2_server.operator.operator_settings import (
    TABLE,
    OperatorSettings,
    operator_settings,
    settings_file,
    toml_of,
)
from sep2_server.settings import FILES_AS_TEXT, Settings, override, placed, settings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """All settings of one server."""

    server: Settings
    operator: OperatorSettings


def read_site(path: Path | None = None, overrides: Iterable[str] = ()) -> Site:
    """Settings of a file (or of `server.toml` in a folder), then of `key=value` and `operator.key=value`.

    Relative paths are relative to the file. SettingsError names the key and what it may be.
    """
    return site_of(given_of(path, overrides))


def given_of(path: Path | None = None, overrides: Iterable[str] = ()) -> dict[str, Any]:
    """What a settings file and `key=value` texts say, nothing of it looked at yet."""
    given = {} if path is None else _from_file(settings_file(path))
    for text in overrides:
        override(given, text)
    return given


def site_of(given: Mapping[str, Any]) -> Site:
    """The site that values describe. SettingsError names the first that cannot be."""
    rest = dict(given)
    operator = operator_settings(rest.pop(TABLE, {}))
    return Site(server=settings_of(rest), operator=operator)


def _from_file(path: Path) -> dict[str, Any]:
    given = toml_of(path)
    for held, cls in ((given, Settings), (given[TABLE], OperatorSettings)):
        if isinstance(held, dict):
            _resolve(held, cls, path.parent)
    return given


def _resolve(held: dict[str, Any], cls: type, folder: Path) -> None:
    """Make the paths that a class has among its settings relative to a folder."""
    for f in fields(cls):
        if get_type_hints(cls)[f.name] is Path or f.name in FILES_AS_TEXT:
            held[f.name] = placed(f.name, held.get(f.name, f.default), cls, folder)
