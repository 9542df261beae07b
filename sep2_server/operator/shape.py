"""Strict reading of request bodies: a request is a frozen dataclass whose annotations say what is allowed.

`X` must be there, `X | None = None` may be absent; `Named("pIN")` is the key in the JSON where it is not the
attribute's own name; `Span`, `Length`, `Digits` and `OneOf` bound the value.
"""

import dataclasses
import functools
import re
import types
import typing
from dataclasses import dataclass
from typing import Any, TypeVar

from sep2_server.operator.errors import BadRequest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Named:
    """Key of a field in the JSON."""

    key: str


@dataclass(frozen=True, slots=True)
class Nullable:
    """Null may be given, and means something else than nothing."""


@dataclass(frozen=True, slots=True)
class Span:
    """Least and greatest number."""

    low: int
    high: int

    def flaw(self, value: object) -> str | None:
        """What is wrong with the value, or None."""
        fits = isinstance(value, int) and self.low <= value <= self.high
        return None if fits else f"{value} is outside {self.low} to {self.high}"

    def __str__(self) -> str:
        return f"a whole number from {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Length:
    """Least and greatest number of octets of a text in UTF-8."""

    low: int
    high: int

    def flaw(self, value: object) -> str | None:
        """What is wrong with the value, or None."""
        octets = len(value.encode()) if isinstance(value, str) else -1
        return None if self.low <= octets <= self.high else f"{octets} octets of text"

    def __str__(self) -> str:
        return f"text of {self.low} to {self.high} octets"


@dataclass(frozen=True, slots=True)
class Digits:
    """Least and greatest number of hex digits; an even number of them."""

    low: int
    high: int

    def flaw(self, value: object) -> str | None:
        """What is wrong with the value, or None."""
        text = value if isinstance(value, str) else ""
        fits = re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", text) and self.low <= len(text) <= self.high
        return None if fits else f"{text[:60]!r} is not such"

    def __str__(self) -> str:
        count = f"{self.low}" if self.low == self.high else f"{self.low} to {self.high}"
        return f"{count} hex digits"


@dataclass(frozen=True, slots=True)
class OneOf:
    """The values that there are."""

    values: tuple[str, ...]

    def flaw(self, value: object) -> str | None:
        """What is wrong with the value, or None."""
        return None if value in self.values else f"{value!r:.60} is not one of them"

    def __str__(self) -> str:
        return f"one of {', '.join(self.values)}"


Rule = Span | Length | Digits | OneOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One field of a request, read from its annotation; `kinds` are the JSON types that it may have."""

    key: str
    attr: str
    kinds: tuple[type, ...]
    required: bool
    rules: tuple[Rule, ...]
    item: object = None
    """What a list of requests holds: another request class, or a plain type; None where it is no list."""
    is_nullable: bool = False
    """Whether null is a value of its own, beside that the field is absent."""

    @property
    def allowed(self) -> str:
        """What the field may hold, for a person to read."""
        return " or ".join(dict.fromkeys(map(str, self.rules))) or " or ".join(
            _KINDS[kind] for kind in self.kinds
        )


_CHOICES = frozenset({typing.Union, types.UnionType, typing.Annotated})
_KINDS = {
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}


def read(cls: type[T], body: object) -> T:
    """The request that a JSON body makes. BadRequest names the field and what it may hold."""
    members = {member.key: member for member in members_of(cls)}
    allowed = ", ".join(members)
    if not isinstance(body, dict):
        raise BadRequest("body: not a JSON object", f"give an object with: {allowed}")
    for key in body:
        if key not in members:
            raise BadRequest(f"{key}: there is no such field here", f"allowed: {allowed}")
    values: dict[str, Any] = {}
    for member in members.values():
        if member.key in body:
            values[member.attr] = _checked(member, body[member.key])
        elif member.required:
            raise BadRequest(f"{member.key}: missing", f"give {member.allowed}")
    return cls(**values)


def members_of(cls: type) -> tuple[Member, ...]:
    """The fields of a request class in their order."""
    return _members_of(cls)


@functools.cache
def _members_of(cls: type) -> tuple[Member, ...]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return tuple(_member(f, hints[f.name]) for f in dataclasses.fields(cls))


def _member(field: dataclasses.Field[Any], hint: object) -> Member:
    parts = typing.get_args(hint) if typing.get_origin(hint) in {typing.Union, types.UnionType} else (hint,)
    marks = [mark for part in (hint, *parts) for mark in getattr(part, "__metadata__", ())]
    names = [mark.key for mark in marks if isinstance(mark, Named)]
    return Member(
        key=names[0] if names else field.name,
        attr=field.name,
        kinds=tuple(_kind(part) for part in _flat(hint) if part is not type(None)),
        required=field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        rules=tuple(mark for mark in marks if isinstance(mark, Rule)),
        item=_item_of(hint),
        is_nullable=any(isinstance(mark, Nullable) for mark in marks),
    )


def _item_of(hint: object) -> object:
    """What the list among the alternatives of an annotation holds."""
    if typing.get_origin(hint) is list:
        return typing.get_args(hint)[0]
    parts = typing.get_args(hint) if typing.get_origin(hint) in _CHOICES else ()
    return next((item for part in parts if (item := _item_of(part)) is not None), None)


def _flat(hint: object) -> tuple[object, ...]:
    """The alternatives of an annotation without their marks."""
    if typing.get_origin(hint) is typing.Annotated:
        return _flat(typing.get_args(hint)[0])
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        return tuple(part for choice in typing.get_args(hint) for part in _flat(choice))
    return (typing.get_origin(hint) or hint,)


def _kind(part: object) -> type:
    return typing.cast("type", part)


def _checked(member: Member, value: object) -> object:
    if value is None and member.is_nullable:
        return None
    if type(value) not in member.kinds:
        raise BadRequest(f"{member.key}: {value!r:.60} has the wrong type", f"allowed: {member.allowed}")
    rules = [rule for rule in member.rules if isinstance(rule, Span) == isinstance(value, int)]
    flaws = [flaw for rule in rules if (flaw := rule.flaw(value))]
    if flaws:
        raise BadRequest(f"{member.key}: {flaws[0]}", f"allowed: {member.allowed}")
    return _items(member, value) if isinstance(value, list) else value


def _items(member: Member, value: list[object]) -> list[object]:
    """The items of a list, each read as what the list holds. BadRequest names the first that is wrong."""
    item = member.item
    if dataclasses.is_dataclass(item) and isinstance(item, type):
        return [_one(item, held, f"{member.key}[{number}]") for number, held in enumerate(value)]
    wrong = [held for held in value if isinstance(item, type) and type(held) is not item]
    if wrong:
        raise BadRequest(
            f"{member.key}: {wrong[0]!r:.60} has the wrong type",
            f"allowed: a list of {_KINDS.get(_kind(item), item)}",
        )
    return value


def _one(cls: type[T], held: object, place: str) -> T:
    try:
        return read(cls, held)
    except BadRequest as flaw:
        raise BadRequest(f"{place}.{flaw.detail}", flaw.hint) from flaw
