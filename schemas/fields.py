"""How a resource is declared: the `resource` decorator and the marks that annotations carry.

`X` exactly one, `X | None` optional, `list[X]` any number, `Annotated[list[X], AtMost(10)]` one to ten,
`Attr[X]` XML attribute, `Annotated[X, Unit("s")]` unit. Everything else in the project reads `spec_of(cls)`.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import IntEnum
from operator import attrgetter
from reprlib import recursive_repr
from typing import Annotated, TypeVar, dataclass_transform

T = TypeVar("T")

STANDARD = "IEEE 2030.5-2018"
"""Name of the edition that plain `resource` declarations belong to."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A type without children: an XML simple type, or (`wrapped`) a complex type that only renames one.

    `primitive` is the XML Schema type at the root; `low` and `high` bound numbers, `max_length` bounds
    characters of a string or octets of a hexBinary. `None` means: as the type it is based on.
    """

    name: str
    primitive: str = ""
    low: int | None = None
    high: int | None = None
    max_length: int | None = None
    wrapped: bool = False
    base: str | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """Unit of a quantity as it stands on the wire."""

    text: str


@dataclass(frozen=True, slots=True)
class AtMost:
    """Upper bound of a list that needs at least one item."""

    count: int


@dataclass(frozen=True, slots=True)
class Default:
    """Value that an absent attribute stands for."""

    value: int | str


@dataclass(frozen=True, slots=True)
class Codes:
    """Meaning of the numbers of a field (or of its bits, for a flag type)."""

    enumeration: type[IntEnum]


class _Attribute:
    """Mark of an XML attribute."""


_ATTRIBUTE = _Attribute()
Attr = Annotated[T, _ATTRIBUTE]


@dataclass(frozen=True, slots=True)
class Field:
    """One attribute or child element of a resource, read from its annotation.

    `name` is the name on the wire, `attr` the Python one; `scalar` or `target` is the type; `foreign` marks
    fields that an extension adds (they live in the extension's namespace and come last).
    """

    name: str
    attr: str
    scalar: Scalar | None
    target: type | None
    is_attribute: bool
    is_list: bool
    required: bool
    at_most: int | None
    default: int | str | None
    unit: str | None
    codes: type[IntEnum] | None
    owner: type
    foreign: bool

    @property
    def type_name(self) -> str:
        """Name of the field's type in the schema."""
        return self.scalar.name if self.scalar else wire_name(typing.cast("type", self.target))


REGISTRY: dict[str, type] = {}
"""Every class of the standard by its name on the wire."""

_WIRE_NAMES: dict[type, str] = {}
_READERS: dict[type, Callable[[object], object]] = {}
"""What gives the values of a resource, for each class that was compared."""
_SPECS: dict[type, tuple[Field, ...]] = {}


def _values_of(one: object) -> object:
    """Values of all fields."""
    read = _READERS.get(type(one))
    if read is None:
        names = [each.name for each in fields(type(one))]  # type: ignore[arg-type]  # every resource is one
        read = _READERS[type(one)] = attrgetter(*names) if names else _nothing
    return read(one)


def _nothing(_: object) -> tuple[()]:
    return ()


def _is_equal(one: object, other: object) -> bool:
    return _values_of(one) == _values_of(other) if other.__class__ is one.__class__ else NotImplemented


@recursive_repr()
def _shown(one: object) -> str:
    named = (f"{each.name}={getattr(one, each.name)!r}" for each in fields(one))  # type: ignore[arg-type]
    return f"{type(one).__qualname__}({', '.join(named)})"


def _made(cls: type[T]) -> type[T]:
    """A dataclass as the standard library makes it; what compares and shows it is one function for all.

    Made for each class by itself, those two would take a third of the memory and half of the time of loading.
    """
    made = dataclass(slots=True, kw_only=True, repr=False, eq=False)(cls)
    for name, function in (("__eq__", _is_equal), ("__repr__", _shown), ("__hash__", None)):
        setattr(made, name, function)
    return made


@dataclass_transform(kw_only_default=True)
def resource(cls: type[T]) -> type[T]:
    """Make a class a resource of the standard: slotted dataclass, order of lines = order on the wire."""
    made = _made(cls)
    REGISTRY[made.__name__] = made
    _WIRE_NAMES[made] = made.__name__
    return made


@dataclass_transform(kw_only_default=True)
def extension(cls: type[T]) -> type[T]:
    """Make a class an extension: a subclass that a profile puts in the place of its base."""
    made = _made(cls)
    _WIRE_NAMES[made] = _WIRE_NAMES[made.__mro__[1]]
    return made


@dataclass_transform(kw_only_default=True)
def addition(cls: type[T]) -> type[T]:
    """Make a class a resource of its own that only a profile knows."""
    made = _made(cls)
    _WIRE_NAMES[made] = made.__name__
    return made


def wire_name(cls: type) -> str:
    """Name of the class on the wire: its own, or that of the standard's class which it extends."""
    return _WIRE_NAMES[cls]


def spec_of(cls: type) -> tuple[Field, ...]:
    """All fields of a resource class, those of its base first, in the order of the wire."""
    held = _SPECS.get(cls)
    if held is None:
        held = _SPECS[cls] = _spec(cls)
    return held


def _spec(cls: type) -> tuple[Field, ...]:
    hints = {}
    for owner in reversed(cls.__mro__):
        module = vars(sys.modules[owner.__module__])
        for name, raw in inspect.get_annotations(owner).items():
            hints[name] = (owner, _evaluate(raw, module))
    names = [f.name for f in dataclasses.fields(cls)]
    return tuple(_field(name, *hints[name]) for name in names)


def _evaluate(raw: object, module: dict[str, object]) -> object:
    holder = types.SimpleNamespace(__annotations__={"it": raw})
    return typing.get_type_hints(holder, globalns=module, include_extras=True)["it"]


def _field(attr: str, owner: type, hint: object) -> Field:
    hint, optional = _without_none(hint)
    hint, marks = _unwrapped(hint)
    is_list = typing.get_origin(hint) is list
    if is_list:
        inner, more = _unwrapped(typing.get_args(hint)[0])
        hint, marks = inner, (*more, *marks)
    scalars = [m for m in marks if isinstance(m, Scalar)]
    at_most = _mark(marks, AtMost)
    default = _mark(marks, Default)
    unit = _mark(marks, Unit)
    codes = _mark(marks, Codes)
    return Field(
        name=attr.rstrip("_"),
        attr=attr,
        scalar=flatten(tuple(scalars)) if scalars else None,
        target=None if scalars else typing.cast("type", hint),
        is_attribute=_ATTRIBUTE in marks,
        is_list=is_list,
        required=not optional and (not is_list or at_most is not None),
        at_most=at_most.count if at_most else None,
        default=default.value if default else None,
        unit=unit.text if unit else None,
        codes=codes.enumeration if codes else None,
        owner=owner,
        foreign=REGISTRY.get(owner.__name__) is not owner,
    )


def _without_none(hint: object) -> tuple[object, bool]:
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        rest = [a for a in typing.get_args(hint) if a is not type(None)]
        return rest[0], True
    return hint, False


def _unwrapped(hint: object) -> tuple[object, tuple[object, ...]]:
    if typing.get_origin(hint) is Annotated:
        inner, *marks = typing.get_args(hint)
        return inner, tuple(marks)
    return hint, ()


def _mark(marks: tuple[object, ...], kind: type[T]) -> T | None:
    found = [m for m in marks if isinstance(m, kind)]
    return found[-1] if found else None


def flatten(chain: tuple[Scalar, ...]) -> Scalar:
    """One scalar with the bounds of its whole chain, the last one first in rank."""
    result = chain[0]
    for scalar in chain[1:]:
        result = Scalar(
            name=scalar.name,
            primitive=result.primitive,
            low=result.low if scalar.low is None else scalar.low,
            high=result.high if scalar.high is None else scalar.high,
            max_length=result.max_length if scalar.max_length is None else scalar.max_length,
            wrapped=scalar.wrapped,
            base=result.name,
        )
    return result
