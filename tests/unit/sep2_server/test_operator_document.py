"""The OpenAPI document and the reference page are those of the operations."""

import typing
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from sep2_server.operator.openapi import document
from sep2_server.operator.operations import OPERATIONS
from sep2_server.operator.reference import reference
from sep2_server.operator.router import Operation

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "operator_api.md"


def test_the_reference_page_is_up_to_date() -> None:
    assert PAGE.read_text() == reference(OPERATIONS), (
        "run: .venv/bin/lineside op api --reference > docs/reference/operator_api.md"
    )


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.method} {o.path}")
def test_every_operation_declares_its_answer(operation: Operation) -> None:
    assert typing.is_typeddict(operation.answer)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.method} {o.path}")
def test_what_changes_something_takes_a_key_or_says_why_not(operation: Operation) -> None:
    told = document(OPERATIONS)["paths"][operation.path][operation.method.lower()]
    names = {one["name"] for one in told["parameters"] if one["in"] == "header"}
    takes, says = names == {"Idempotency-Key"}, "no Idempotency-Key" in told.get("description", "")
    assert [takes, says, operation.is_read].count(True) == 1
    assert ("headers" in told["responses"]["200"]) == takes


def test_what_takes_no_key_is_what_is_not_in_the_database() -> None:
    keyless = {(op.method, op.path) for op in OPERATIONS if op.keyless}
    assert keyless == {("POST", "/contents"), ("POST", "/tokens"), ("DELETE", "/tokens/{token}")}


def test_no_operation_is_there_twice() -> None:
    ids = [path["operationId"] for paths in document(OPERATIONS)["paths"].values() for path in paths.values()]
    assert len(ids) == len(set(ids)) == len(OPERATIONS)


def test_the_schemas_are_schemas() -> None:
    for schema in document(OPERATIONS)["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_nothing_that_an_operator_sends_is_named_like_an_answer() -> None:
    answers = {op.answer.__name__ for op in OPERATIONS if isinstance(op.answer, type)}
    bodies = {op.body.__name__ for op in OPERATIONS if isinstance(op.body, type)}
    assert answers & bodies == set()
