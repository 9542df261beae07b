"""The reference page of the API, written from its operations: `docs/reference/operator_api.md`. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sep2_server.operator.body import SEP_XML
from sep2_server.operator.openapi import document
from sep2_server.operator.router import Operation

_HEAD: Final = """\
# The operator API

Written by `lineside op api --reference` from the operations themselves; do not edit it.

JSON over HTTPS with the certificate of the server; `Authorization: Bearer TOKEN`. Field names are the
standard's; a text has a unit, a number is in wire form, times are s since 1970 UTC. A refusal is
`{"error", "detail", "hint"}`: the detail begins with the field, the hint says what is allowed; a refused bulk
request lists its `problems`. `GET /openapi.json` (without a token) is all of this as OpenAPI 3.1.

What changes something takes the header `Idempotency-Key: KEY` (1 to 64 visible characters of ASCII), but for
what says so below. Sent again with the same key, it is answered as the first time, with
`Idempotent-Replayed: true`, and nothing is done twice; of several at once one is done, and the others get its
answer. With another request the key is refused (409). What was refused, and a `dry_run`, keep no key. Keys of
one token are none of another; they are kept for `operator_answer_retention_s` (a day).

The role is the least that may do it: a viewer reads, an operator also acts on devices, groups and controls,
an admin also rules the server. A field with `?` may be absent.
"""


def reference(operations: Sequence[Operation]) -> str:
    """The page in Markdown."""
    schemas = document(tuple(operations))["components"]["schemas"]
    parts = [_HEAD]
    for tag in dict.fromkeys(operation.segments[0] for operation in operations):
        mine = [operation for operation in operations if operation.segments[0] == tag]
        parts.append("\n".join([f"## /{tag}", "", *_table(mine, schemas)]))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _table(operations: Iterable[Operation], schemas: dict[str, Any]) -> Iterable[str]:
    yield "| request | role | does | body | query | answer |"
    yield "|---|---|---|---|---|---|"
    for operation in operations:
        says = (operation.run.__doc__ or "").partition("\n")[0]
        says += f" (No key: {operation.keyless}.)" if operation.keyless else ""
        cells = (
            f"`{operation.method} {operation.path}`",
            operation.least.value,
            says,
            _body(operation, schemas),
            ", ".join(f"`{name}`" for name in operation.query),
            _fields(operation.answer, schemas),
        )
        yield f"| {' | '.join(cells)} |"


def _body(operation: Operation, schemas: dict[str, Any]) -> str:
    """What is sent; resources may be documents of the standard."""
    document = f"a resource: JSON, or {SEP_XML}" if operation.takes_documents else ""
    return document or _fields(operation.body, schemas)


def _fields(cls: object, schemas: dict[str, Any]) -> str:
    """The fields of a class, `?` behind those that may be absent."""
    if cls is bytes:
        return "octets"
    schema = schemas.get(getattr(cls, "__name__", ""), {})
    required = schema.get("required", ())
    names = [name if name in required else f"{name}?" for name in schema.get("properties", {})]
    return f"`{', '.join(names)}`" if names else ""
