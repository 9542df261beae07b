"""Values of settings from what TOML or a command line holds: texts, numbers, lists and tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOTS: Final = Path("root.pem")
"""File with the roots, beside the settings, where nothing else is said."""


class Sep2Error(Exception):
    """Anything that this package raises on purpose."""


class SettingsError(Sep2Error):
    """A setting that is unknown or has a value that cannot be."""


def value_of(name: str, value: object, kind: object) -> object:
    """A value of a kind; SettingsError names the setting and what it is not."""
    try:
        if kind is Path:
            return Path(str(value))
        if kind is bool:
            return _truth(value)
        if kind is int:
            return _whole(value)
        if kind is str:
            return str(value)
        if isinstance(value, Mapping):
            return {str(key): _whole(number) for key, number in value.items()}
        return _several(value, kind)
    except (TypeError, ValueError) as flaw:
        raise SettingsError(f"{name}: {value!r} is not {getattr(kind, '__name__', kind)}") from flaw


def _several(value: object, kind: object) -> tuple[object, ...]:
    if kind == tuple[int, ...]:
        return tuple(map(_whole, value if isinstance(value, list | tuple) else _texts(value)))
    return tuple(_texts(value))


def _texts(value: object) -> list[str]:
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    if not isinstance(value, str):
        raise TypeError(value)
    return value.split(",")


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text not in {"true", "false"}:
        raise ValueError(value)
    return text == "true"


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(value)
    return int(value)
