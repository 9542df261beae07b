"""`lineside op` reaches every operation of the API: there is a command that calls it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from sep2_server.operator.operations import OPERATIONS
from sep2_server.operator.router import Operation

COMMANDS = sorted(Path("sep2_server/operator").glob("commands*.py"))
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
BY_MANY = {("PUT", "/groups/{group}/devices/{device}"), ("DELETE", "/groups/{group}/devices/{device}")}
"""What `group add` and `group remove` do with one call for many devices."""
BY_WORDS = {
    ("POST", "/groups/{group}/loadcontrols"),
    ("POST", "/groups/{group}/messages"),
    ("DELETE", "/tariffs/{tariff}"),
    ("DELETE", "/components/{component}"),
    ("POST", "/resources/bulk"),
    ("POST", "/events/cancel/bulk"),
    ("POST", "/defaults/bulk"),
}
"""Whose path is put together of a word: `test_operator_events` and `test_operator_ensure` call them."""
ANY, REST = "*", "**"
Call = tuple[str, tuple[str, ...]]


def called() -> set[Call]:
    """Methods and paths that stand together in one function, or in one module outside of functions."""
    found: set[Call] = set()
    for path in COMMANDS:
        module = ast.parse(path.read_text(encoding="utf-8"))
        functions = [node for node in module.body if isinstance(node, ast.FunctionDef)]
        for function in functions:
            found |= {(method, place) for method in methods_in(function) for place in places_in(function)}
            found |= set(read_in(function))
        everywhere = {method for function in functions for method in methods_in(function)}
        beside = [node for node in module.body if not isinstance(node, ast.FunctionDef)]
        found |= {(method, place) for method in everywhere for node in beside for place in places_in(node)}
    return found


def methods_in(node: ast.AST) -> set[str]:
    texts = {one.value for one in ast.walk(node) if isinstance(one, ast.Constant)}
    said = {text for text in texts if isinstance(text, str)} & METHODS
    calls = [
        one
        for one in ast.walk(node)
        if isinstance(one, ast.Call) and (isinstance(one.func, ast.Attribute) or reads_pages(one))
    ]
    named = {one.func.attr for one in calls if isinstance(one.func, ast.Attribute)}
    spread = any(isinstance(part, ast.Starred) for one in calls for part in one.args)
    return said | ({"POST"} if "send" in named else set()) | ({"GET"} if spread else set())


def places_in(node: ast.AST) -> Iterator[tuple[str, ...]]:
    for one in ast.walk(node):
        if isinstance(one, ast.Tuple):
            yield segments_of(one.elts)
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value.startswith("/"):
            yield (one.value[1:],)


def read_in(node: ast.AST) -> Iterator[Call]:
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "get":
            yield "GET", segments_of(one.args)
        elif isinstance(one, ast.Call) and reads_pages(one):
            yield "GET", segments_of(one.args[2:])


def reads_pages(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "every"


def segments_of(parts: list[ast.expr]) -> tuple[str, ...]:
    return tuple(
        part.value
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
        else REST
        if isinstance(part, ast.Starred)
        else ANY
        for part in parts
    )


def fits(operation: Operation, call: Call) -> bool:
    method, place = call
    if method != operation.method:
        return False
    segments = operation.segments
    if REST in place:
        known = place[: place.index(REST)]
        return 0 < len(known) < len(segments) and all(map(same, segments, known))
    return len(segments) == len(place) and all(map(same, segments, place))


def same(segment: str, part: str) -> bool:
    return segment.startswith("{") if part == ANY else segment == part


def test_every_operation_has_a_command() -> None:
    calls = called()
    missing = {(op.method, op.path) for op in OPERATIONS if not any(fits(op, call) for call in calls)}
    assert missing == BY_MANY | BY_WORDS
