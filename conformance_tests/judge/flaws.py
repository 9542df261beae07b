"""What may be wrong with a body, and the judgement on one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from conformance_tests.case import Level


class Kind(StrEnum):
    """What is wrong; the value is how a report names it."""

    MEDIA_TYPE = "wrong content type"
    SIZE = "too large"
    NOT_XML = "not well-formed"
    FORBIDDEN = "forbidden construct"
    NAMESPACE = "wrong namespace"
    UNKNOWN = "unknown"
    ORDER = "wrong order"
    MISSING = "missing"
    REPEATED = "too many"
    VALUE = "wrong form of value"
    RANGE = "out of range"
    ENUMERATION = "not in the table"
    CONTENT = "wrong content"
    EXTENSION = "extension in a wrong place"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing that is wrong: of which element or attribute (`/DERControl[2]/interval`), in words.

    `line` is its line in the body, 0 where it has none. `level` is SHOULD for numbers that the standard
    reserves.
    """

    kind: Kind
    path: str
    text: str
    line: int = 0
    level: Level = Level.MUST

    def __str__(self) -> str:
        where = f" (line {self.line})" if self.line else ""
        return f"{self.path or '/'}: {self.kind}: {self.text}{where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was found in one body: its document element, its extensions, and at most some fifty flaws.

    `root` is the local name of the document element, `namespace` its namespace; both are empty where it could
    not be read. `extensions` are the qualified names of the extension elements in it.
    """

    root: str = ""
    namespace: str = ""
    elements: int = 0
    extensions: tuple[str, ...] = ()
    flaws: tuple[Flaw, ...] = ()

    @property
    def ok(self) -> bool:
        """True where nothing breaks the schema."""
        return not any(flaw.level is Level.MUST for flaw in self.flaws)

    @property
    def broken(self) -> tuple[Flaw, ...]:
        """The flaws that break the schema."""
        return tuple(flaw for flaw in self.flaws if flaw.level is Level.MUST)

    @property
    def reserved(self) -> tuple[Flaw, ...]:
        """The flaws that break no more than a table of numbers."""
        return tuple(flaw for flaw in self.flaws if flaw.level is not Level.MUST)

    def words(self, most: int = 3) -> str:
        """The first flaws in one line, those that break the schema first."""
        told = [*self.broken, *self.reserved]
        rest = f"; and {len(told) - most} more" if len(told) > most else ""
        return "; ".join(str(flaw) for flaw in told[:most]) + rest
