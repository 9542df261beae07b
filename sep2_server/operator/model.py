"""Resources as plain JSON and back, read from their declarations.

The JSON has the standard's names. A number is the value on the wire; a text is a natural one with its unit
(`"50 %"`, `"5 kW"`, `"0.95 under-excited"`), so that the two can never be mistaken for each other.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final, TypeVar, cast

from schemas import Field, Json, Unwritable, json_of, spec_of, validate, wire_name
from sep2_server.operator import natural
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.quantities import amount, plain, scale_of

T = TypeVar("T")

RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "PerCent": (0, 10_000),
    "SignedPerCent": (-10_000, 10_000),
    "OneHourRangeType": (-3_600, 3_600),
    "PowerOfTenMultiplierType": (-9, 9),
}
"""Ranges that the standard states in words, narrower than the type in the schema."""
UNTOLD: Final = frozenset({"subscribable"})
"""Attributes that say nothing of what a resource is about."""
_TEXTS: Final[Mapping[str, str]] = {
    "xs:string": "text",
    "xs:anyURI": "a URI",
    "xs:hexBinary": "hex octets",
    "xs:boolean": "true or false",
}


def resource_of(cls: type[T], given: object, place: str) -> T:
    """The resource that a JSON value describes. BadRequest names the field and what it may hold."""
    if isinstance(given, str) and natural.has_text(cls):
        made = _from_text(cls, given, place)
    else:
        made = _from_object(cls, given, place)
    try:
        validate(made)
    except Unwritable as flaw:
        name, _, reason = str(flaw).partition(": ")
        raise BadRequest(f"{place}.{name.partition('.')[2]}: {reason}", f"allowed: {shape_of(cls)}") from flaw
    _check_ranges(made, place)
    return made


def natural_of(value: object) -> dict[str, Json]:
    """The single fields of a resource that hold something, in natural units as `resource_of` reads them."""
    return {
        f.name: natural_value(f, held)
        for f in _spec(type(value))
        if not f.is_list and f.name not in UNTOLD and (held := getattr(value, f.attr)) is not None
    }


def natural_value(field: Field, held: object) -> Json:
    """One value in natural units: `5000` of `0.01 %` is `"50 %"`, a curve link its href."""
    if field.target is not None:
        return natural.text_of(held) if natural.has_text(type(held)) else natural_of(held)
    if not _is_quantity(field) or not isinstance(held, int):
        return _plain(held)
    step, unit = scale_of(field.unit or "")
    return f"{plain(held * step)} {unit}".rstrip()


def shape_of(cls: type) -> str:
    """What JSON describes a class, for a person to read: its fields, `?` after those that may be absent."""
    members = ", ".join(f.name + ("" if f.required else "?") for f in _spec(cls))
    text = f" or a text such as {natural.example_of(cls)!r}" if natural.has_text(cls) else ""
    return f"{{{members}}}{text}"


def _from_text(cls: type[T], text: str, place: str) -> T:
    try:
        return cast("T", natural.read_text(cls, text))
    except ValueError as flaw:
        raise BadRequest(f"{place}: {text[:60]!r} cannot be read", f"give {flaw}") from flaw


def _from_object(cls: type[T], given: object, place: str) -> T:
    if not isinstance(given, dict):
        raise BadRequest(f"{place}: {_shown(given)} is not an object", f"give {shape_of(cls)}")
    fields = {f.name: f for f in _spec(cls)}
    for key in given:
        if key not in fields:
            raise BadRequest(
                f"{place}.{key}: {wire_name(cls)} has no such field", f"allowed: {', '.join(fields)}"
            )
    values: dict[str, Any] = {}
    for name, f in fields.items():
        if name in given:
            values[f.attr] = _value(f, given[name], f"{place}.{name}")
        elif f.required:
            raise BadRequest(f"{place}.{name}: missing", f"allowed: {allowed(f)}")
    return cls(**values)


def _value(field: Field, given: object, place: str) -> object:
    if not field.is_list:
        return _item(field, given, place)
    if not isinstance(given, list):
        raise BadRequest(f"{place}: {_shown(given)} is not a list", f"give a list of {field.type_name}")
    return [_item(field, item, f"{place}[{number}]") for number, item in enumerate(given)]


def _item(field: Field, given: object, place: str) -> object:
    if field.target is not None:
        return resource_of(field.target, given, place)
    if isinstance(given, str) and field.codes is not None and _is_number(field):
        return _code(field.codes, given, place)
    return _steps(field, given, place) if isinstance(given, str) and _is_quantity(field) else given


def _code(codes: type[IntEnum], text: str, place: str) -> int:
    if text not in codes.__members__:
        raise BadRequest(f"{place}: {text[:60]!r} is not known", f"allowed: {', '.join(codes.__members__)}")
    return int(codes[text])


def _steps(field: Field, text: str, place: str) -> int:
    """A natural value as a whole number of wire steps."""
    step, unit = scale_of(field.unit or "")
    try:
        steps = amount(text, unit) / step
    except ValueError as flaw:
        raise BadRequest(f"{place}: {text[:60]!r} cannot be read", f"allowed: {flaw}") from flaw
    if steps != steps.to_integral_value():
        raise BadRequest(f"{place}: {text} is finer than the wire", f"allowed: steps of {field.unit}")
    return int(steps)


def _check_ranges(made: object, place: str) -> None:
    for f in _spec(type(made)):
        held = getattr(made, f.attr)
        low, high = RANGES.get(f.type_name, (held, held))
        if isinstance(held, int) and not low <= held <= high:
            raise BadRequest(f"{place}.{f.name}: {held} outside {low} to {high}", f"allowed: {allowed(f)}")


def allowed(field: Field) -> str:
    """What a field may hold, for a person to read."""
    if field.target is not None:
        return shape_of(field.target)
    text = _TEXTS.get(field.scalar.primitive if field.scalar else "")
    if text is not None:
        return text
    low, high = RANGES.get(field.type_name, (None, None))
    reach = field.type_name if low is None else f"{low} to {high}"
    return f"{reach} in steps of {field.unit}" if field.unit else reach


def _is_number(field: Field) -> bool:
    return field.scalar is not None and field.scalar.primitive not in _TEXTS


def _is_quantity(field: Field) -> bool:
    return _is_number(field) and field.unit is not None and not field.unit.startswith("s since")


def _spec(cls: type) -> tuple[Field, ...]:
    return spec_of(cls)


def _shown(given: object) -> str:
    return repr(given)[:60]


def _plain(held: object) -> Json:
    if isinstance(held, bool | str):
        return held
    return int(held) if isinstance(held, int) else json_of(held)
