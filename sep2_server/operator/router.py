"""Which operation a method and a path name, and what an operation is. No HTTP types."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from schemas import Json
from sep2_server.operator.auth import Role
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest, NotFound, WrongMethod

READ: Final = "GET"
TRUTHS: Final = {"true": True, "false": False}
_DIGITS: Final = re.compile("[0-9]{1,19}")
Answer = dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: names out of its path, its query, its JSON body, and the server's time (s since 1970)."""

    names: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    now: int

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number in the query. BadRequest outside `low` to `high`."""
        text = self.query.get(name)
        if text is None:
            return default
        if not _DIGITS.fullmatch(text) or not low <= int(text) <= high:
            raise BadRequest(f"{name}: {text[:60]!r} in the query", f"allowed: {low} to {high}")
        return int(text)

    def flag(self, name: str) -> bool:
        """A truth in the query, false where it is absent. BadRequest for anything but true and false."""
        text = self.query.get(name, "false")
        if text not in TRUTHS:
            raise BadRequest(f"{name}: {text[:60]!r} in the query", "allowed: true, false")
        return TRUTHS[text]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing the API does; `action` is its name in the audit log, `query` the parameters that it knows.

    `body` is the class of what is sent, bytes for octets as they are, `answer` that of what comes back (a
    TypedDict), `role` the least one that may do it. The OpenAPI document is made of these and of the
    docstring of `run`.
    """

    method: str
    path: str
    action: str
    run: Callable[[Desk, Call], Answer]
    query: tuple[str, ...] = ()
    body: object = None
    answer: object = None
    role: Role | None = None
    takes_documents: bool = False
    """Whether a resource may be sent as a document of the standard (application/sep+xml) too."""
    keyless: str = ""
    """Why what it does, though it changes something, is not kept under an Idempotency-Key."""
    is_beside_store: bool = False
    """Whether what it changes is in files, which no rollback undoes: its audit line tells that it begins."""

    @property
    def least(self) -> Role:
        """The least role that may do it: where none is said, a viewer reads and an operator acts."""
        return self.role or (Role.VIEWER if self.is_read else Role.OPERATOR)

    @property
    def segments(self) -> tuple[str, ...]:
        """The path in its parts; `{device}` stands for any one."""
        return tuple(self.path.strip("/").split("/"))

    @property
    def is_read(self) -> bool:
        """True where nothing changes."""
        return self.method == READ

    @property
    def takes_key(self) -> bool:
        """Whether its answer is kept for a repetition with the same Idempotency-Key."""
        return not self.is_read and not self.keyless

    def check_query(self, query: Mapping[str, str]) -> None:
        """BadRequest for a parameter that the operation does not know."""
        for name in query:
            if name not in self.query:
                allowed = ", ".join(self.query) or "none"
                raise BadRequest(f"{name[:60]}: no such parameter of the query here", f"allowed: {allowed}")


def find(
    operations: Sequence[Operation], method: str, parts: Sequence[str]
) -> tuple[Operation, dict[str, str]]:
    """The operation at a path and the names out of it. NotFound and WrongMethod say what there is instead."""
    here = {o.method: (o, names) for o in operations if (names := _names(o.segments, parts)) is not None}
    path = "/" + "/".join(parts)[:120]
    if not here:
        first = sorted({operation.segments[0] for operation in operations})
        raise NotFound(f"nothing is at {path}", f"paths begin with /{', /'.join(first)}")
    if method not in here:
        raise WrongMethod(method[:20], path, tuple(sorted(here)))
    return here[method]


def _names(segments: Sequence[str], parts: Sequence[str]) -> dict[str, str] | None:
    if len(segments) != len(parts):
        return None
    names: dict[str, str] = {}
    for segment, part in zip(segments, parts, strict=True):
        if segment.startswith("{"):
            names[segment[1:-1]] = part
        elif segment != part:
            return None
    return names
