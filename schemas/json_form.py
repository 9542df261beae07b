"""Resources as plain JSON in wire form, read from their declarations: what programs exchange beside XML."""

from typing import TypeAlias

from schemas.fields import spec_of

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""A JSON value."""


def json_of(value: object) -> dict[str, Json]:
    """A resource as JSON in wire form: its fields by their names, those that are absent left out."""
    found: dict[str, Json] = {}
    for f in spec_of(type(value)):
        held = getattr(value, f.attr)
        if held is not None and held != []:
            found[f.name] = [_item(item) for item in held] if f.is_list else _item(held)
    return found


def _item(item: object) -> Json:
    if isinstance(item, bool | str):
        return item
    return int(item) if isinstance(item, int) else json_of(item)
