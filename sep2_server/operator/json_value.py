"""JSON values, for the commands of an operator: `schemas.Json` without the schema, which is slow to load."""

from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""A JSON value."""
