"""Texts that are no TOML: cut, nested deeper than a reader goes, a number longer than Python reads."""

from typing import Final

HOPELESS: Final = ("[", "a = " + "[" * 9000 + "]" * 9000, "a = " + "9" * 5000)
