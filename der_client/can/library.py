"""Reads profiles and DBC files from disk: the built-in ones by name, an installer's own by path."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, cast

import cantools.database
from cantools.database.errors import Error as DatabaseError

from owner import toml_table

from .errors import ProfileError
from .profile import parse_profile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    from cantools.database.can import Database

    from .mapping import Profile

_MAX_DEPTH = 4
_FOLDER = resources.files(__package__)


def builtin_profiles() -> tuple[str, ...]:
    """Names of the profiles that come with the package."""
    names = (entry.name for entry in _FOLDER.joinpath("profiles").iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def load_profile(
    profile: str | Path, dbc: str | Path | None = None, overrides: Mapping[str, object] | None = None
) -> Profile:
    """The profile of that built-in name, or in that TOML file; `dbc` replaces the DBC that the file names.

    A file that `extends` another has its keys too, except those that it sets itself. `overrides` are put over
    both (`{"byte_order": "big", "address": 3}`). The DBC of a file is sought beside it, then among the
    built-in ones. `ProfileError` names file and key.
    """
    source = _source_of(profile)
    data = {**_read_whole(source), **(overrides or {})}
    return parse_profile(data, _read_dbc(source, data, dbc), source.name)


def _read_whole(source: Traversable, depth: int = 0) -> dict[str, object]:
    """The tables of a profile with those of the one that it extends."""
    data = _read_toml(source)
    base = data.get("extends")
    if base is None:
        return data
    if not isinstance(base, str) or depth >= _MAX_DEPTH:
        raise ProfileError(source.name, "extends", f"{base!r} is no profile to begin with")
    beside = source.parent / base if isinstance(source, Path) else None
    found = beside if beside is not None and beside.is_file() else _source_of(base)
    return _merged(_read_whole(found, depth + 1), data)


def _merged(base: dict[str, object], own: dict[str, object]) -> dict[str, object]:
    """Tables joined key by key; anything else of `own` replaces that of `base`."""
    joined = dict(base)
    for key, value in own.items():
        below = joined.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            joined[key] = _merged(below, value)
        else:
            joined[key] = value
    return joined


def _source_of(profile: str | Path) -> Traversable:
    if str(profile) in builtin_profiles():
        return _FOLDER.joinpath("profiles", f"{profile}.toml")
    path = Path(profile)
    if not path.is_file():
        raise ProfileError(
            str(profile), "profile", f"neither a file nor one of {', '.join(builtin_profiles())}"
        )
    return path


def _read_toml(source: Traversable) -> dict[str, object]:
    try:
        return toml_table(source.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ProfileError(source.name, "(whole file)", str(error)) from error


def _read_dbc(source: Traversable, data: dict[str, object], dbc: str | Path | None) -> Database:
    name = data.get("dbc") if dbc is None else str(dbc)
    if not isinstance(name, str):
        raise ProfileError(source.name, "dbc", "missing")
    file = _dbc_file(source, name, is_own=dbc is not None)
    if file is None:
        raise ProfileError(source.name, "dbc", f"no file {name!r}")
    try:
        database = cantools.database.load_string(file.read_text(encoding="cp1252"), database_format="dbc")
    except (DatabaseError, ValueError, KeyError) as error:
        raise ProfileError(file.name, "(whole file)", f"not a usable DBC: {error}") from error
    return cast("Database", database)  # the format dbc holds nothing else


def _dbc_file(source: Traversable, name: str, *, is_own: bool) -> Traversable | None:
    beside = Path(name) if is_own or not isinstance(source, Path) else source.parent / name
    if beside.is_file():
        return beside
    shipped = _FOLDER.joinpath("dbc", Path(name).name)
    return None if is_own or not shipped.is_file() else shipped
