"""Frozen dataclasses out of TOML tables: every mistake is named with its full key. Pure."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from owner.errors import SettingsError

T = TypeVar("T")
PLAIN: Final = (bool, int, float, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingShape:
    """One setting of a dataclass: its dotted name, its type as text, its default (`None`: must be set)."""

    name: str
    type_name: str
    default: str | None


def toml_table(text: str) -> dict[str, object]:
    """The table that a TOML text is. ValueError says what is wrong with it, however it is wrong."""
    try:
        return tomllib.loads(text)
    except RecursionError as flaw:
        raise ValueError("it nests too deep") from flaw


def built(cls: type[T], table: Mapping[str, object], place: str, folder: Path) -> T:
    """The dataclass that a table describes; `place` is the dotted key that the table has, with its dot.

    Relative paths are taken from `folder`. SettingsError names the key that is unknown, missing, of the
    wrong type or, by a ValueError of the dataclass that begins with the key, out of range.
    """
    hints = get_type_hints(cls)
    known = {f.name: f for f in fields(cast("type[SettingShape]", cls))}
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise SettingsError(f"{place}{unknown[0]}: no such setting")
    for name, one in known.items():
        if name not in table and one.default is MISSING and one.default_factory is MISSING:
            raise SettingsError(f"{place}{name}: must be set")
    values = {
        name: _value(hints[name], value, f"{place}{name}", folder)
        if known[name].repr
        else _secret(hints[name], value, f"{place}{name}")
        for name, value in table.items()
    }
    try:
        return cls(**values)
    except ValueError as error:
        text = str(error)
        raise SettingsError(text if text.startswith(place) else f"{place}{text}") from error


def shapes_of(cls: type, place: str = "") -> tuple[SettingShape, ...]:
    """Every setting of a dataclass and of those within it, in their order."""
    hints = get_type_hints(cls)
    found: list[SettingShape] = []
    for one in fields(cls):
        inner = _without_none(hints[one.name])
        if isinstance(inner, type) and is_dataclass(inner):
            found += shapes_of(inner, f"{place}{one.name}.")
        else:
            is_open = one.default is MISSING and one.default_factory is MISSING
            default = one.default if one.default_factory is MISSING else one.default_factory()
            text = None if is_open else _text_of(default)
            found.append(SettingShape(name=f"{place}{one.name}", type_name=_name_of(inner), default=text))
    return tuple(found)


def _value(hint: object, value: object, place: str, folder: Path) -> object:
    """A value of the type that its field declares."""
    hint = _without_none(hint)
    origin = get_origin(hint)
    if origin is tuple:
        return _values(get_args(hint)[0], value, place, folder)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return _plain_table(value, place)
    if isinstance(hint, type):
        return _single(hint, value, place, folder)
    raise SettingsError(f"{place}: a setting of type {hint} cannot be written in TOML")


def _secret(hint: object, value: object, place: str) -> object:
    """A value that no message may show: a field that its dataclass leaves out of its own text."""
    inner = _without_none(hint)
    if type(value) is not inner:
        msg = f"{place}: a value of type {_name_of(inner)} is wanted, without quotes or leading zeros"
        raise SettingsError(msg)
    return value


def _single(hint: type, value: object, place: str, folder: Path) -> object:
    if is_dataclass(hint):
        if not isinstance(value, dict):
            raise SettingsError(f"{place}: a table is wanted")
        return built(hint, value, f"{place}.", folder)
    if hint is Path and isinstance(value, str):
        return folder / value
    if hint is float and type(value) is int:
        return float(value)
    if issubclass(hint, StrEnum) and isinstance(value, str):
        if value not in set(hint):
            raise SettingsError(f"{place}: {value!r} is none of {', '.join(hint)}")
        return hint(value)
    if type(value) is not hint:
        raise SettingsError(f"{place}: {value!r} is not of type {_name_of(hint)}")
    return value


def _values(inner: object, value: object, place: str, folder: Path) -> tuple[object, ...]:
    """A list of values of one type; a mistake is named with its number, from 0."""
    if not isinstance(value, list | tuple):
        raise SettingsError(f"{place}: a list is wanted")
    return tuple(_value(inner, item, f"{place}.{at}", folder) for at, item in enumerate(value))


def _plain_table(value: object, place: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise SettingsError(f"{place}: a table is wanted")
    for name, item in value.items():
        if not isinstance(item, PLAIN):
            raise SettingsError(f"{place}.{name}: a number, a text, true or false is wanted")
    return dict(value)


def _without_none(hint: object) -> object:
    if get_origin(hint) in {Union, UnionType}:
        return next(a for a in get_args(hint) if a is not type(None))
    return hint


def _name_of(hint: object) -> str:
    origin = get_origin(hint)
    if origin is tuple:
        return f"list of {_name_of(get_args(hint)[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "table"
    return str(getattr(hint, "__name__", hint))


def _text_of(default: object) -> str:
    """A default as TOML writes it; a dash where nothing is set."""
    if default is None:
        return "-"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return f"[{', '.join(_text_of(item) for item in default)}]"
    if isinstance(default, Mapping):
        return "{}"
    return f'"{default}"' if isinstance(default, str | Path) else str(default)
