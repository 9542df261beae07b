"""Whatever goes wrong, the operator API answers in JSON: a word, what is wrong, and what to do about it."""

import asyncio
import gzip
import json
import logging
from collections.abc import Iterator

import pytest

from sep2_server.operator import Site, counter
from sep2_server.operator.desk import Desk
from sep2_server.operator.operations import OPERATIONS
from sep2_server.operator.router import Answer, Call, Operation
from tests.integration.operator_api.conftest import LiveServer
from tests.integration.operator_api.test_operator_access import audit_lines

INNER = "row 4711 of secret_table"
FIELDS = {"error", "detail", "hint"}
Told = tuple[int, dict[str, str], bytes]


def fail(_desk: Desk, _call: Call) -> Answer:
    raise ArithmeticError(INNER)


BROKEN = (
    Operation("GET", "/broken", "look at what is broken", fail),
    Operation("POST", "/broken", "do what is broken", fail),
    Operation("POST", "/contents", "keep what is broken", fail),
)


@pytest.fixture
def port(live: LiveServer) -> Iterator[int]:
    """Where the operators of a running server are heard without TLS too."""
    with live.heard_too() as port:
        yield port


@pytest.fixture
def token(site: Site) -> str:
    secret = (site.operator.folder / "operator.token").read_text().strip()
    return f"Host: a\r\nAuthorization: Bearer {secret}\r\nConnection: close\r\n"


async def exchange(port: int, sent: bytes) -> Told:
    """Status, headers and body of the answer to some octets."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    async with asyncio.timeout(10):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    line, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
    return int(line.split()[1]), headers, body


def refusal(told: Told) -> dict[str, str]:
    """The refusal in an answer, which has nothing else."""
    _, headers, body = told
    assert headers["content-type"].startswith("application/json"), told
    assert headers["cache-control"] == "no-store"
    found: dict[str, str] = json.loads(body)
    assert set(found) == FIELDS
    return found


@pytest.mark.parametrize(
    "line", ["GET /broken", "POST /broken", "POST /contents"], ids=lambda line: line.replace(" /", " ")
)
async def test_an_operation_that_raises_is_a_500_in_json_and_one_stack_in_the_log(
    port: int,
    token: str,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    others = tuple(one for one in OPERATIONS if one.path != "/contents")
    monkeypatch.setattr(counter, "OPERATIONS", (*BROKEN, *others))
    with caplog.at_level(logging.WARNING):
        told = await exchange(port, f"{line} HTTP/1.1\r\n{token}Content-Length: 0\r\n\r\n".encode())
    assert (told[0], refusal(told)["error"]) == (500, "server-error")
    assert INNER not in told[2].decode()
    stacks = [record for record in caplog.records if record.exc_info]
    assert [str(one.exc_info[1]) for one in stacks if one.exc_info] == [INNER]
    assert stacks[0].levelno == logging.ERROR


async def test_an_action_that_raises_is_an_audit_line(
    port: int, token: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counter, "OPERATIONS", (*BROKEN, *OPERATIONS))
    await exchange(port, f"POST /broken HTTP/1.1\r\n{token}Content-Length: 0\r\n\r\n".encode())
    assert audit_lines(site)[-1]["outcome"] == "failed: error of the server"


async def test_tokens_that_cannot_be_read_are_a_500_in_json(
    port: int, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> None:
        raise PermissionError(INNER)

    monkeypatch.setattr(counter, "read_tokens", unreadable)
    for path in ("/status", "/metrics"):
        told = await exchange(port, f"GET {path} HTTP/1.1\r\n{token}\r\n".encode())
        assert (told[0], refusal(told)["error"]) == (500, "server-error")
        assert INNER not in told[2].decode()


@pytest.mark.parametrize(
    ("line", "status", "error"),
    [
        ("GET /nothing", 404, "not-found"),
        ("GET /", 404, "not-found"),
        ("DELETE /status", 405, "method-not-allowed"),
        ("POST /livez", 405, "method-not-allowed"),
        ("DELETE /metrics", 405, "method-not-allowed"),
    ],
)
async def test_what_is_not_there_is_told_in_json(
    port: int, token: str, line: str, status: int, error: str
) -> None:
    told = await exchange(port, f"{line} HTTP/1.1\r\n{token}\r\n".encode())
    assert (told[0], refusal(told)["error"]) == (status, error)
    assert ("allow" in told[1]) == (status == 405)


def chunked(body: bytes) -> bytes:
    return b"Transfer-Encoding: chunked\r\n\r\n" + body


MALFORMED = {
    "a method of no name": b"BREW /status HTTP/1.1\r\nHost: a\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\r\n\r\n",
    "a header without a name": b"GET /status HTTP/1.1\r\n: x\r\n\r\n",
    "a header that is too long": b"GET /status HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
    "a target that is too long": b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "a length that is none": b"POST /groups HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    "two lengths": b"POST /groups HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "a URI that is none": b"GET http://[/ HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
async def test_what_is_no_request_is_a_400_in_json_without_a_stack(
    port: int, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    told = await exchange(port, sent)
    assert (told[0], refusal(told)["error"]) == (400, "bad-request")
    assert not [record for record in caplog.records if record.exc_info]


BODIES = {
    "a chunk that is none": chunked(b"zz\r\n"),
    "a chunk that is none, later": chunked(b"1\r\nx\r\nzz\r\n"),
    "what is not compressed": b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nxxxx",
    "a compression of no name": b"Content-Encoding: nonsense\r\nContent-Length: 4\r\n\r\nxxxx",
    "too much": b"Content-Length: 2000000\r\n\r\n" + b" " * 2_000_000,
    "too much once it is unpacked": b"Content-Encoding: gzip\r\n"
    + chunked(b"%x\r\n" % len(packed := gzip.compress(b" " * 2_000_000)) + packed + b"\r\n0\r\n\r\n"),
    "no JSON": b"Content-Length: 1\r\n\r\n{",
    "another type": b"Content-Type: text/plain\r\nContent-Length: 1\r\n\r\n1",
    "a text that is no UTF-8": b'Content-Type: application/json\r\nContent-Length: 3\r\n\r\n"\xff"',
    "an expectation": b"Expect: more\r\nContent-Length: 1\r\n\r\n{",
}


@pytest.mark.parametrize("path", ["groups", "contents"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_that_cannot_be_read_is_told_in_json_without_a_stack(
    port: int, token: str, path: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    told = await exchange(port, f"POST /{path} HTTP/1.1\r\n{token}".encode() + body)
    if told[0] != 200:
        assert (told[0], refusal(told)["error"]) == (400, "bad-request")
    assert (path, told[0]) != ("groups", 200)
    assert not [record for record in caplog.records if record.exc_info]
