"""How a function set is declared: routes with their methods, access and list order. Values only.

The declarations themselves stand in one file per function set; server, client, conformance cases and
documentation read them through `ROUTES`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Final, TypeAlias

from schemas import spec_of

Class: TypeAlias = type
"""A class of the resource model."""

METHODS: Final = ("GET", "HEAD", "PUT", "POST", "DELETE")
PUT: Final = frozenset({"PUT"})
POST: Final = frozenset({"POST"})
DELETE: Final = frozenset({"DELETE"})


class Mark(Enum):
    """What the WADL says of a method at a resource. IEEE 2030.5-2018, annex A."""

    MUST = "M"
    MAY = "O"
    DISCOURAGED = "D"
    ERROR = "E"


class Access(Enum):
    """Who may see a resource, and through whom it is found."""

    PUBLIC = "public"
    """Every client with a valid certificate."""
    OWNER = "owner"
    """The EndDevice that it belongs to, and the aggregator of that EndDevice."""
    ASSIGNED = "assigned"
    """EndDevices to which a FunctionSetAssignments gives it."""
    SELF = "self"
    """The list shows each viewer its own entries only."""
    OPERATOR = "operator"
    """Nobody on the 2030.5 side."""


@dataclass(frozen=True, slots=True)
class Key:
    """One sort key: a dotted path into the item (`interval.start`, or `href`), ascending or not."""

    path: str
    descending: bool = False


def asc(path: str) -> Key:
    """Ascending sort key."""
    return Key(path)


def desc(path: str) -> Key:
    """Descending sort key."""
    return Key(path, descending=True)


def attribute_path(cls: type, dotted: str) -> tuple[str, ...]:
    """Python attributes along a dotted path of wire names; LookupError where the class has no such field."""
    path: list[str] = []
    for name in dotted.split("."):
        found = next((f for f in spec_of(cls) if f.name == name), None)
        if found is None:
            raise LookupError(f"{cls.__name__} has no {name} (in {dotted})")
        path.append(found.attr)
        cls = found.target or cls
    return tuple(path)


class Methods:
    """The five marks of a resource as in annex A: `Methods("MMEOE")` for GET, HEAD, PUT, POST, DELETE."""

    __slots__ = ("marks",)

    def __init__(self, letters: str) -> None:
        self.marks = dict(zip(METHODS, map(Mark, letters), strict=True))

    def __getitem__(self, method: str) -> Mark:
        return self.marks[method]

    def __str__(self) -> str:
        return "".join(mark.value for mark in self.marks.values())


@dataclass(frozen=True, kw_only=True)
class Route:
    """One resource of the standard: where it is by default, what it holds, what may be done, and by whom.

    `id` is its name in the WADL; `path` has placeholders (`/derp/{p}/derc`); `type` is the class at GET;
    `item` is the class of a list's items. `writes` are the methods that clients of the 2030.5 side may use
    (all others that the marks allow are the operator's); `accepts` are the classes that PUT or POST may
    carry. `after` is the key that `a` compares with. `view_of` names the list that a derived list (active
    controls) is a view of.
    """

    id: str
    path: str
    type: Class
    methods: Methods
    access: Access
    item: Class | None = None
    order: tuple[Key, ...] = ()
    after: str | None = None
    writes: frozenset[str] = frozenset()
    accepts: tuple[Class, ...] = ()
    view_of: str | None = None

    def __post_init__(self) -> None:
        if self.item is not None:
            for key in self.order:
                attribute_path(self.item, key.path)
            if self.after is not None:
                attribute_path(self.item, self.after)

    @property
    def is_list(self) -> bool:
        """True for a list resource."""
        return self.item is not None

    @cached_property
    def placeholders(self) -> tuple[str, ...]:
        """Names of the identifiers in the path, in order."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))

    def href(self, *parts: object) -> str:
        """Default URI with the placeholders filled in order."""
        return self.filled(parts)

    def filled(self, parts: tuple[object, ...]) -> str:
        """Default URI with the placeholders filled in order by as many of the parts as there are."""
        template, number = self._template
        return template % (parts if len(parts) == number else parts[:number])

    @cached_property
    def _template(self) -> tuple[str, int]:
        """The path with `%s` for each placeholder, and how many there are."""
        return re.sub(r"\{\w+\}", "%s", self.path), len(self.placeholders)


@dataclass(frozen=True, kw_only=True)
class FunctionSet:
    """One function set: its name, code (as in DNS-SD subtypes), clause and routes."""

    name: str
    code: str
    clause: str
    routes: tuple[Route, ...]
