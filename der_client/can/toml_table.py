"""A TOML table that is read key by key: a wrong type or an unknown key is an error with file and key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import ProfileError

if TYPE_CHECKING:
    from collections.abc import Mapping


class TomlTable:
    """One table of a profile file. Take every key that is known, then call `finish`."""

    def __init__(self, source: str, path: str, data: Mapping[str, object]) -> None:
        self.source = source
        self.path = path
        self._left = dict(data)

    def error(self, key: str, reason: str) -> ProfileError:
        """The error to raise for `key` of this table."""
        return ProfileError(self.source, f"{self.path}.{key}" if self.path else key, reason)

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def names(self) -> tuple[str, ...]:
        """Keys that were not taken yet, in file order."""
        return tuple(self._left)

    def peek(self, key: str) -> object:
        """The value of `key` as it stands in the file, not taken; `None` where it is absent."""
        return self._left.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """A string; required if there is no default."""
        value = self._take(key, default)
        if not isinstance(value, str):
            raise self.error(key, f"{value!r} is not a string")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number; required if there is no default."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e12:
            raise self.error(key, f"{value!r} is not a number")
        return float(value)

    def positive(self, key: str, default: float) -> float:
        """A number above 0."""
        value = self.number(key, default)
        if value <= 0:
            raise self.error(key, f"{value:g} is not above 0")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise self.error(key, f"{value!r} is not true or false")
        return value

    def integers(self, key: str) -> frozenset[int] | None:
        """A list of integers, `None` where the key is absent."""
        if key not in self:
            return None
        value = self._take(key, None)
        if not isinstance(value, list) or not all(type(item) is int for item in value):
            raise self.error(key, f"{value!r} is not a list of integers")
        return frozenset(value)

    def pair(self, key: str, default: tuple[float, float]) -> tuple[float, float]:
        """Two numbers, the lower one first."""
        value = self._take(key, list(default))
        numbers = [item for item in value if type(item) in {int, float}] if isinstance(value, list) else []
        if len(numbers) != 2 or numbers != value or numbers[0] > numbers[1]:
            raise self.error(key, f"{value!r} is not [lowest, highest]")
        return float(numbers[0]), float(numbers[1])

    def texts(self, key: str) -> tuple[str, ...]:
        """One string or a list of strings."""
        value = self._take(key, None)
        items = value if isinstance(value, list) else [value]
        if not items or not all(isinstance(item, str) for item in items):
            raise self.error(key, f"{value!r} is not a string or a list of strings")
        return tuple(str(item) for item in items)

    def table(self, key: str) -> TomlTable:
        """A table inside this one; empty where the key is absent."""
        return self._as_table(key, self._take(key, {}))

    def tables(self, key: str) -> tuple[TomlTable, ...]:
        """An array of tables; empty where the key is absent."""
        value = self._take(key, [])
        if not isinstance(value, list):
            raise self.error(key, f"{value!r} is not an array of tables")
        return tuple(self._as_table(f"{key}[{number}]", item) for number, item in enumerate(value))

    def finish(self) -> None:
        """Raise for the first key that was not taken."""
        for key in self._left:
            raise self.error(key, "unknown key")

    def _as_table(self, key: str, value: object) -> TomlTable:
        if not isinstance(value, dict):
            raise self.error(key, f"{value!r} is not a table")
        return TomlTable(self.source, f"{self.path}.{key}" if self.path else key, value)

    def _take(self, key: str, default: object) -> object:
        value = self._left.pop(key, default)
        if value is None:
            raise self.error(key, "missing")
        return value
