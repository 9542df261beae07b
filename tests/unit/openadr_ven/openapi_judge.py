"""Judges bodies by the OpenAPI file of a version; what the schema does not name is wrong too."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema
import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from openadr_ven.v3.version import Version

FOLDERS = {"3.0.1": "v301", "3.1.0": "v310"}


@cache
def document(path: Path, *, is_closed: bool) -> dict[str, Any]:
    """The schemas of a file, closed against other keys where they are asked for so."""
    found = yaml.safe_load(path.read_text())["components"]["schemas"]
    schemas = {name: closed(one) for name, one in found.items()} if is_closed else found
    return {"components": {"schemas": schemas}}


def closed(schema: object) -> object:
    """A schema that allows no key but its own, as far down as it goes."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    after = {key: closed(one) for key, one in schema.items()}
    is_plain = isinstance(schema.get("properties"), dict) and "allOf" not in schema
    return after | ({"additionalProperties": False} if is_plain else {})


def flaws(vectors: Path, version: Version, name: str, body: object, *, is_closed: bool = True) -> list[str]:
    """What the schema of this name has against a body, as it is on the wire; allOf cannot be closed."""
    path = vectors / "openadr" / FOLDERS[version.value] / "openadr3.yaml"
    schema = {"$ref": f"#/components/schemas/{name}", **document(path, is_closed=is_closed)}
    judge = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    return [error.message for error in judge.iter_errors(json.loads(json.dumps(body)))]
