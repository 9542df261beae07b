"""One JSON object of a VTN, read key by key: leniently where a rule allows it, else with a flaw."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from openadr_ven.bounds import LONGEST_S
from openadr_ven.iso8601 import duration_s, instant_us
from openadr_ven.v3.errors import FlawError
from openadr_ven.v3.leniency import Leniency, Notes

LONGEST_TEXT: Final = 10_000
LONGEST_ID: Final = 128
_NUMBER: Final = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?")
_ZONE: Final = re.compile(r"(Z|[+-]\d{2}:?\d{2})$")
_NOW: Final = ("0001-01-01", "0000-00-00")


@dataclass(frozen=True, slots=True)
class Table:
    """An object, where it stands (for people), and the notes that reading it makes."""

    place: str
    keys: Mapping[str, object]
    notes: Notes

    def get(self, name: str) -> object:
        """The value of a key; None where it is missing or null."""
        if name in self.keys:
            return self.keys[name]
        for key, value in self.keys.items():
            if key.lower() == name.lower():
                self.notes.add(Leniency.KEY_CASE, f"{self.place}.{name}")
                return value
        return None

    def flaw(self, name: str, text: str) -> FlawError:
        """A flaw at a key, to be raised."""
        return FlawError(f"{self.place}.{name}: {text}")

    def text(self, name: str) -> str | None:
        """A text, of LONGEST_TEXT characters at most."""
        found = self.get(name)
        if found is None:
            return None
        if not isinstance(found, str) or len(found) > LONGEST_TEXT or not is_text(found):
            raise self.flaw(name, "no text within bounds")
        return found

    def word(self, name: str) -> str:
        """A text that has to be there."""
        found = self.text(name)
        if not found:
            raise self.flaw(name, "missing")
        return found

    def identifier(self, name: str) -> str | None:
        """An identifier."""
        found = self.get(name)
        if isinstance(found, int) and not isinstance(found, bool):
            self.notes.add(Leniency.ID_AS_NUMBER, f"{self.place}.{name}")
            return str(found)
        if found is None:
            return None
        if not isinstance(found, str) or not is_id(found):
            raise self.flaw(name, f"no identifier of 1 to {LONGEST_ID} characters")
        return found

    def whole(self, name: str, default: int | None = None) -> int | None:
        """An integer of 32 bits."""
        found = self.get(name)
        if found is None:
            return default
        if isinstance(found, str) and _NUMBER.fullmatch(found):
            self.notes.add(Leniency.NUMBER_AS_TEXT, f"{self.place}.{name}")
            found = Decimal(found)
        if isinstance(found, Decimal) and found == found.to_integral_value():
            found = int(found)
        if isinstance(found, bool) or not isinstance(found, int) or not -(2**31) <= found < 2**31:
            raise self.flaw(name, "no integer of 32 bits")
        return found

    def flag(self, name: str, *, default: bool) -> bool:
        """A boolean."""
        found = self.get(name)
        if found is None:
            return default
        if not isinstance(found, bool):
            raise self.flaw(name, "no boolean")
        return found

    def items(self, name: str) -> list[object]:
        """A list; empty where it is missing or null."""
        found = self.get(name)
        if found is None:
            return []
        if isinstance(found, list):
            return found
        self.notes.add(Leniency.ONE_FOR_LIST, f"{self.place}.{name}")
        return [found]

    def tables(self, name: str) -> list["Table"]:
        """A list of objects."""
        found = self.items(name)
        return [table_of(one, f"{self.place}.{name}[{i}]", self.notes) for i, one in enumerate(found)]

    def inner(self, name: str) -> "Table | None":
        """An object in this one."""
        found = self.get(name)
        return None if found is None else table_of(found, f"{self.place}.{name}", self.notes)

    def duration_s(self, name: str) -> tuple[bool, int | None]:
        """Whether there is a duration, and the duration, s; None has no end."""
        text = self.text(name)
        if text is None:
            return False, None
        try:
            found_s = duration_s(text)
        except ValueError as error:
            raise self.flaw(name, "no duration") from error
        if found_s is not None and abs(found_s) > LONGEST_S:
            raise self.flaw(name, "a duration beyond all bounds")
        return True, found_s

    def instant_us(self, name: str) -> int | None:
        """A time, microseconds since 1970 UTC; None where it is missing, or means now."""
        text = self.text(name)
        if text is None:
            return None
        try:
            found_us = instant_us(text)
        except (ValueError, OverflowError) as error:
            raise self.flaw(name, f"{text[:40]!r} is no time") from error
        if " " in text.strip():
            self.notes.add(Leniency.TIME_WITH_SPACE, f"{self.place}.{name}")
        if not _ZONE.search(text.strip()) and not text.strip().startswith(_NOW):
            self.notes.add(Leniency.TIME_WITHOUT_ZONE, f"{self.place}.{name}")
        return found_us

    def instant(self, name: str) -> int | None:
        """A time, s since 1970 UTC; as `instant_us`."""
        found_us = self.instant_us(name)
        return None if found_us is None else found_us // 1_000_000


def table_of(found: object, place: str, notes: Notes) -> Table:
    """A JSON object to read. Raises FlawError for what is none."""
    if not isinstance(found, dict):
        raise FlawError(f"{place}: no object")
    return Table(place, found, notes)


def number_of(text: str) -> Decimal | None:
    """The number that a text writes; None if it writes none."""
    return Decimal(text) if _NUMBER.fullmatch(text.strip()) else None


def is_text(found: str) -> bool:
    """Whether a text can be written again: JSON may hold halves of characters."""
    try:
        found.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_id(found: str) -> bool:
    """Whether a text can be an identifier of a VTN, if not one that the schema allows."""
    return 0 < len(found) <= LONGEST_ID and is_text(found)
