"""Holds every exchange with the operator API against its OpenAPI document."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from jsonschema import Draft202012Validator

from schemas import Json
from sep2_server.operator import OperatorClient
from sep2_server.operator.body import LINES, SEP_XML
from sep2_server.operator.client import Got, Sent
from sep2_server.operator.openapi import document
from sep2_server.operator.operations import OPERATIONS

DOCUMENT: dict[str, Any] = document(OPERATIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingClient(OperatorClient):
    """A client that fails a test whose request or answer is not as the document says."""

    called: set[tuple[str, str]] = field(default_factory=set)

    def _exchange(self, sent: Sent) -> Got:
        got = OperatorClient._exchange(self, sent)
        path, _, query = sent.place.partition("?")
        template = template_of(sent.method, path)
        if template is not None:
            self.called.add((sent.method, template))
            value = None if sent.body is None else value_of(sent.body, sent.content_type)
            if sent.content_type == SEP_XML:
                assert SEP_XML in DOCUMENT["paths"][template][sent.method.lower()]["requestBody"]["content"]
            judge(sent.method, template, query, value, got.status, json.loads(got.data))
        return got

    def send(self, path: str, octets: BinaryIO) -> dict[str, Json]:
        told = OperatorClient.send(self, path, octets)
        self.called.add(("POST", path))
        judge("POST", path, "", None, 200, told)
        assert "application/octet-stream" in DOCUMENT["paths"][path]["post"]["requestBody"]["content"]
        return told


def template_of(method: str, path: str) -> str | None:
    """The path of the document that a path is one of; the one with the fewest placeholders counts."""
    paths = sorted(DOCUMENT["paths"], key=lambda known: known.count("{"))
    fits = [p for p in paths if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", p), path)]
    return next((p for p in fits if method.lower() in DOCUMENT["paths"][p]), None)


def judge(method: str, template: str, query: str, body: object, status: int, answer: object) -> None:
    """Raise ValidationError or AssertionError for what the document does not say."""
    operation = DOCUMENT["paths"][template][method.lower()]
    response = operation["responses"][str(status)]
    check(response["content"]["application/json"]["schema"], answer)
    if status != 200:
        return
    known = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query"}
    assert {part.partition("=")[0] for part in query.split("&") if part} <= known
    if body is not None and "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        check(content["schema"], body)


def value_of(body: bytes, content_type: str) -> object:
    """The value of a body: JSON, or one value per line."""
    if content_type == SEP_XML:
        return None
    if content_type == LINES:
        return [json.loads(line) for line in body.splitlines()]
    value: object = json.loads(body)
    return value


def check(schema: dict[str, Any], value: object) -> None:
    """Raise ValidationError for a value that does not fit."""
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)
