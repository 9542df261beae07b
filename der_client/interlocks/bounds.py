"""Hard bounds of settings: declared with each field, checked when a value is made. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, get_args, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class Within:
    """What a setting may be: from `low` to `high` in `unit`, and what it is for, in words."""

    low: float
    high: float
    unit: str
    text: str


def bounds_of(cls: type) -> Mapping[str, Within]:
    """The bounds of each field of a class of settings that declares them."""
    hints = get_type_hints(cls, include_extras=True)
    return {name: found for name, hint in hints.items() if (found := _within(hint)) is not None}


def check(settings: object, place: str) -> None:
    """Raise ValueError where a setting is outside its bounds; `place` is the dotted name of the table."""
    for name, within in bounds_of(type(settings)).items():
        value = getattr(settings, name)
        if value is not None and not within.low <= value <= within.high:
            msg = f"{place}.{name}: {value} outside {float(within.low)} to {float(within.high)}"
            raise ValueError(msg)


def settings_of(settings: object, place: str) -> list[tuple[str, object, Within | None]]:
    """Dotted name, value and bounds of every setting below `settings`, in the order of declaration."""
    found: list[tuple[str, object, Within | None]] = []
    bounds = bounds_of(type(settings))
    for name in [f.name for f in fields(settings)] if is_dataclass(settings) else []:
        value = getattr(settings, name)
        if is_dataclass(value):
            found += settings_of(value, f"{place}.{name}")
        else:
            found.append((f"{place}.{name}", value, bounds.get(name)))
    return found


def _within(hint: object) -> Within | None:
    if get_origin(hint) is not Annotated:
        return None
    return next((extra for extra in get_args(hint)[1:] if isinstance(extra, Within)), None)
