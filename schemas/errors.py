"""Errors of the resource model.

SchemaError
 +- Malformed     a document breaks a rule; .rule names it, .path says where: the peer's mistake (400)
 +- Unwritable    a resource in memory breaks its own declaration: our mistake, never sent on the wire
"""

from __future__ import annotations


class SchemaError(ValueError):
    """A document or a resource does not keep the schema."""


class Malformed(SchemaError):
    """A document is not well-formed or violates the schema.

    `rule` is one of: size, well-formed, doctype, encoding, root, unknown, order, occurrence, missing,
    lexical, range, length, content, attribute, type. `path` is the place in the document, without namespaces.
    """

    status = 400

    def __init__(self, rule: str, detail: str, path: str = "/") -> None:
        super().__init__(f"{path}: {detail} [{rule}]")
        self.rule = rule
        self.detail = detail
        self.path = path


class Unwritable(SchemaError):
    """A value does not fit the field that it stands in."""
