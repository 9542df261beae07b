"""Errors of the wire carry what the answer needs."""

import pytest

from schemas import Codec, Error
from sep2_server import Environment, settings_of
from sep2_server.errors import (
    BadRequest,
    Busy,
    Duplicate,
    Forbidden,
    LimitReached,
    NotAcceptable,
    NotAllowed,
    NotFound,
    RemoteError,
    UnknownMethod,
    WrongMediaType,
)
from sep2_server.messages import Answer, created, found, updated

ENVIRONMENT = Environment.of(settings_of({}))
CASES = [
    (BadRequest("x", 0), 400, 0),
    (BadRequest("x"), 400, 1),
    (LimitReached("x"), 400, 2),
    (Forbidden("x"), 403, 1),
    (NotFound("x"), 404, 1),
    (NotAllowed("x", ("GET", "HEAD")), 405, 1),
    (NotAcceptable("x"), 406, 0),
    (Duplicate("x"), 409, 1),
    (WrongMediaType("x"), 415, 0),
    (UnknownMethod("x"), 501, 1),
]


@pytest.mark.parametrize(("flaw", "status", "reason"), CASES)
def test_a_refusal_has_a_status_and_an_error_body(flaw: RemoteError, status: int, reason: int) -> None:
    answer = ENVIRONMENT.refusal(flaw)
    assert answer.status == status
    assert Codec().decode(answer.body, Error) == Error(reasonCode=reason)
    assert ("Content-Type", "application/sep+xml") in answer.headers


def test_a_method_that_is_not_allowed_comes_with_those_that_are() -> None:
    assert ("Allow", "GET, HEAD") in ENVIRONMENT.refusal(NotAllowed("x", ("GET", "HEAD"))).headers


def test_a_busy_server_says_when_to_come_back() -> None:
    answer = ENVIRONMENT.refusal(Busy("x"))
    assert (answer.status, ("Retry-After", "30") in answer.headers) == (503, True)
    assert Codec().decode(answer.body, Error) == Error(maxRetryDuration=30, reasonCode=2)


def test_a_failure_of_the_server_tells_nothing() -> None:
    assert (ENVIRONMENT.failure.status, b"reasonCode" in ENVIRONMENT.failure.body) == (500, True)


def test_answers_have_their_location() -> None:
    assert (created("/a").status, created("/a").location) == (201, "/a")
    assert (updated("/a").status, updated("/a").location) == (204, "/a")
    assert (found(b"<a/>").location, Answer(200).body) == (None, b"")
