"""What is read although it breaks the schema: each rule is declared here, and noted where it is applied."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MOST_NOTES: Final = 1_000
"""So many are kept of one answer."""


class Leniency(StrEnum):
    """A rule, in words for people."""

    KEY_CASE = "a key in another case counts as the key"
    OBJECT_TYPE = "an objectType that is missing, or of a request, is that of the list it stands in"
    NUMBER_AS_TEXT = "a number that is written as text counts as the number"
    ID_AS_NUMBER = "an identifier that is a number counts as its digits"
    ONE_FOR_LIST = "one value counts as a list of it"
    TARGET_FORM = "targets in the form of the other version are read"
    DESCRIPTOR_LEFT_OUT = "a descriptor that cannot be read is left out, and the object holds"
    UNIT_CASE = "units in another case count as the units"
    CURRENCY_IN_UNITS = "units that are letters of a currency count as the currency"
    TIME_WITH_SPACE = "a time with a space in the place of T is read"
    TIME_WITHOUT_ZONE = "a time without a zone is UTC"
    NO_MODIFICATION = "without a readable modificationDateTime it is createdDateTime, or never changes"
    NO_CREATED = "without a readable createdDateTime an object is as old as can be"
    NO_INTERVAL_ID = "an interval without an id has its position"
    SAME_INTERVAL_ID = "an interval with the id of an earlier one has the first number that is free"
    NO_DURATION = "an interval without any duration lasts until the event is deleted"
    NO_INTERVALS = "an event of 3.0.1 without intervals asks for reports only"
    OPERATION_WORD = "operations in the words of the other version are read"
    PROGRAM_UNKNOWN = "an event of a program that is not there has its own descriptors alone"


@dataclass(frozen=True, slots=True)
class Note:
    """A rule that was applied, and to what."""

    rule: Leniency
    place: str


@dataclass(slots=True)
class Notes:
    """All notes of one answer; what goes beyond `MOST_NOTES` is only counted."""

    found: list[Note] = field(default_factory=list)
    left_out: int = 0

    def add(self, rule: Leniency, place: str) -> None:
        """Note that a rule was applied."""
        if len(self.found) < MOST_NOTES:
            self.found.append(Note(rule, place))
        else:
            self.left_out += 1

    @property
    def rules(self) -> frozenset[Leniency]:
        """Which rules were applied at all."""
        return frozenset(note.rule for note in self.found)
