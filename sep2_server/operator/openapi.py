"""The OpenAPI 3.1 document of the API, made from the operations and the classes that they name. Pure."""

import types
import typing
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from sep2_server.operator.body import SEP_XML
from sep2_server.operator.keys import HEADER, MOST_CHARACTERS, PATTERN, REPLAYED
from sep2_server.operator.router import Operation
from sep2_server.operator.shape import Digits, Length, Member, OneOf, Rule, Span, members_of

OPENAPI_PARTS: Final = ("openapi.json",)
"""Path of the document; no token is needed for it."""
Schema = dict[str, Any]
_PLAIN: Final[Mapping[object, Schema]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    dict: {"type": "object"},
    list: {"type": "array"},
    type(None): {"type": "null"},
    object: {},
    typing.Any: {},
}
_NUMBERS: Final = frozenset({"limit", "before", "depth"})
_TRUTHS: Final = frozenset({"responses", "dry_run", "keep_going", "if_exists", "managed", "open"})
_REFUSAL: Final[Schema] = {
    "type": "object",
    "description": "Why a request is refused: a word for programs, what is wrong, and what to do about it.",
    "properties": {
        "error": {"type": "string"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "item": {"type": "integer"},
                    "detail": {"type": "string"},
                    "hint": {"type": "string"},
                },
                "required": ["item", "detail", "hint"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["error", "detail", "hint"],
    "additionalProperties": False,
}
_KEY: Final[Schema] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Names the request: sent again with the same key it is answered as the first time, and "
    "nothing is done twice. With another request the key is refused (409). What was refused, and a dry_run, "
    "keep no key.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS, "pattern": PATTERN},
}
_REPLAYED: Final[Schema] = {
    REPLAYED: {
        "description": "the answer was given before to the same key, and nothing was done now",
        "schema": {"enum": ["true"]},
    }
}
_STATUSES: Final = {
    "400": "the request is wrong",
    "401": "no known token",
    "403": "the role of the token does not allow it",
    "404": "nothing has this name",
    "409": "the state of things is against it, or the key is that of another request",
    "429": "too many failed attempts; Retry-After says how long to wait",
    "500": "the server failed and nothing was done: its log says how",
    "503": "nothing was done: the audit log or the store cannot be written; but with store-undecided it may "
    "have been done: ask again with the same key",
}


@cache
def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The document of these operations."""
    schemas: Schema = {"Refusal": _REFUSAL}
    paths: dict[str, Schema] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lineside operator API",
            "version": "1",
            "description": "JSON with the standard's names. A text has a unit, a number is in wire form, "
            "times are s since 1970 UTC. What changes something takes an Idempotency-Key, unless its "
            "description says why not.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation, schemas: Schema) -> Schema:
    summary, _, more = (operation.run.__doc__ or operation.action).partition("\n")
    made: Schema = {
        "operationId": _id_of(operation),
        "summary": summary,
        "tags": [operation.segments[0]],
        "x-role": operation.least.value,
        "parameters": [
            *_path_parameters(operation),
            *map(_query_parameter, operation.query),
            *([_KEY] if operation.takes_key else []),
        ],
        "responses": {
            "200": _content("done", schema_of(operation.answer or dict, schemas))
            | ({"headers": _REPLAYED} if operation.takes_key else {}),
            **{
                status: _content(why, {"$ref": "#/components/schemas/Refusal"})
                for status, why in _STATUSES.items()
            },
        },
    }
    no_key = f"It takes no {HEADER}: {operation.keyless}." if operation.keyless else ""
    text = " ".join([*more.split(), *no_key.split()])
    made |= {"description": text} if text else {}
    if operation.body is not None:
        documents = {SEP_XML: {"schema": {"type": "string"}}} if operation.takes_documents else {}
        content = {**_body(operation.body, schemas), **documents}
        made["requestBody"] = {"content": content, "required": True}
    return made


def _body(cls: object, schemas: Schema) -> Schema:
    """What is sent, by media type; octets as they are have no schema."""
    if cls is bytes:
        return {"application/octet-stream": {}}
    return {"application/json": {"schema": schema_of(cls, schemas)}}


def schema_of(hint: object, schemas: Schema) -> Schema:
    """The JSON schema of an annotation; classes of fields go to `schemas` and are referred to."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return schema_of(arguments[0], schemas)
    if origin in {typing.Union, types.UnionType}:
        return {"anyOf": [schema_of(part, schemas) for part in arguments]}
    if origin is list:
        return {"type": "array", "items": schema_of(arguments[0], schemas)}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(arguments[1], schemas)}
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    return _reference(typing.cast("type", hint), schemas)


def _reference(cls: type, schemas: Schema) -> Schema:
    name = cls.__name__
    if name not in schemas:
        schemas[name] = {}
        schemas[name] = _typed(cls, schemas) if typing.is_typeddict(cls) else _request(cls, schemas)
    return {"$ref": f"#/components/schemas/{name}"}


def _typed(cls: type, schemas: Schema) -> Schema:
    hints = typing.get_type_hints(cls)
    return {
        "type": "object",
        "description": " ".join((cls.__doc__ or "").split()),
        "properties": {name: schema_of(hint, schemas) for name, hint in hints.items()},
        "required": sorted(getattr(cls, "__required_keys__", ())),
        "additionalProperties": False,
    }


def _request(cls: type, schemas: Schema) -> Schema:
    members = members_of(cls)
    return {
        "type": "object",
        "description": " ".join((cls.__doc__ or "").split()),
        "properties": {member.key: _member(member, schemas) for member in members},
        "required": [member.key for member in members if member.required],
        "additionalProperties": False,
    }


def _member(member: Member, schemas: Schema) -> Schema:
    choices = [
        {**_PLAIN.get(kind, {}), **_bounds(kind, member.rules)} for kind in member.kinds if kind in _PLAIN
    ]
    if member.item is not None:
        choices = [{"type": "array", "items": schema_of(member.item, schemas)}]
    if member.is_nullable:
        choices.append({"type": "null"})
    made = choices[0] if len(choices) == 1 else {"anyOf": choices}
    return {**made, "description": member.allowed}


def _bounds(kind: type, rules: Sequence[Rule]) -> Schema:
    bounds: Schema = {}
    for rule in rules:
        if isinstance(rule, Span) and kind is int:
            bounds |= {"minimum": rule.low, "maximum": rule.high}
        elif isinstance(rule, Length) and kind is str:
            bounds |= {"minLength": min(rule.low, 1), "maxLength": rule.high}
        elif isinstance(rule, Digits) and kind is str:
            bounds |= {"pattern": "^([0-9A-Fa-f]{2})+$", "minLength": rule.low, "maxLength": rule.high}
        elif isinstance(rule, OneOf) and kind is str:
            bounds |= {"enum": list(rule.values)}
    return bounds


def _path_parameters(operation: Operation) -> list[Schema]:
    names = [part[1:-1] for part in operation.segments if part.startswith("{")]
    return [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names]


def _query_parameter(name: str) -> Schema:
    kind = "integer" if name in _NUMBERS else "boolean" if name in _TRUTHS else "string"
    return {"name": name, "in": "query", "required": False, "schema": {"type": kind}}


def _content(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _id_of(operation: Operation) -> str:
    words = [part.strip("{}") for part in operation.segments]
    return "_".join([operation.method.lower(), *words])
