"""What the commands say where the API cannot be reached, and do where its answer was lost on the way."""

import io
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from sep2_server.operator.client import ApiError, OperatorClient
from sep2_server.operator.keys import Keys

LOST = [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"]
DONE = b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"mRID": "0B"}'
REPLAYED = DONE.replace(b"\r\n", b"\r\nIdempotent-Replayed: true\r\n", 1)
REFUSED = b'HTTP/1.1 409 Conflict\r\nContent-Length: 31\r\n\r\n{"detail": "no", "hint": "why"}'
_UNDECIDED = b'{"error": "store-undecided", "detail": "the database has gone away", "hint": "x"}'
UNDECIDED = b"HTTP/1.1 503 No\r\nContent-Length: %d\r\n\r\n" % len(_UNDECIDED) + _UNDECIDED
KEY = re.compile(rb"(?i)\r\nidempotency-key: (.*)\r\n")
END = re.compile(rb"\r\n\r\n")
LENGTH = re.compile(rb"(?i)\r\ncontent-length: ([0-9]+)\r\n")
CHUNKED = b"1\r\nx\r\n0\r\n\r\n"
CONTROL = {"duration": 60}
PLACE = ("groups", "a", "controls")


class Server:
    """Gives each connection one answer to a whole request, then closes; it keeps what it was sent."""

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(10)
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        with self._listener:
            for answer in self._answers:
                wire, _ = self._listener.accept()
                with wire:
                    self.requests.append(whole(wire))
                    wire.sendall(answer)

    def stop(self) -> None:
        """Wait until all answers are given."""
        self._thread.join(10)
        assert not self._thread.is_alive()

    @property
    def keys(self) -> list[str]:
        """The keys that requests had."""
        return [found[1].decode() for found in map(KEY.search, self.requests) if found]


def whole(wire: socket.socket) -> bytes:
    """A request with its body; what has come, where the other side has closed."""
    octets = b""
    while not (ends := END.search(octets)) or len(octets) < ends.end() + length_in(octets):
        if not (part := wire.recv(65_536)):
            break
        octets += part
    return octets


def length_in(head: bytes) -> int:
    """How many octets a body has; of a chunked one as many as the test sends."""
    found = LENGTH.search(head)
    return int(found[1]) if found else len(CHUNKED) if b"chunked" in head else 0


@contextmanager
def answering(*answers: bytes) -> Iterator[Server]:
    server = Server(list(answers))
    yield server
    server.stop()


def refusal_of(call: Callable[[], object]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize("lost", LOST, ids=["nothing", "a part"])
@pytest.mark.parametrize(
    ("answer", "said"), [(REPLAYED, "had been done, and was not done again"), (DONE, "was done now")]
)
def test_what_has_lost_its_answer_is_asked_for_once_more_with_its_key(
    lost: bytes, answer: bytes, said: str
) -> None:
    told: list[str] = []
    with answering(lost, answer) as server:
        api = OperatorClient(url=server.url, secret="s", tell=told.append)
        assert api.call("POST", PLACE, CONTROL) == {"mRID": "0B"}
    first, second = server.keys
    assert first == second
    assert server.requests[0] == server.requests[1]
    assert len(told) == 1
    assert told[0].startswith("the answer was lost (")
    assert told[0].endswith(f"it was asked for again with its key: it {said}")


def test_a_refusal_of_the_second_time_is_told_with_what_was_before() -> None:
    told: list[str] = []
    with answering(b"", REFUSED) as server:
        api = OperatorClient(url=server.url, secret="s", tell=told.append)
        assert refusal_of(lambda: api.call("POST", PLACE, CONTROL)).status == 409
    assert [text.rpartition(": it ")[2] for text in told] == ["was refused, and may have been done before"]


def test_what_the_server_itself_has_heard_no_answer_of_is_asked_for_once_more() -> None:
    told: list[str] = []
    with answering(UNDECIDED, REPLAYED) as server:
        api = OperatorClient(url=server.url, secret="s", tell=told.append)
        assert api.call("POST", PLACE, CONTROL) == {"mRID": "0B"}
    assert len(set(server.keys)) == 1
    assert told[0].startswith("the answer was lost (the database has gone away)")


def test_what_stays_undecided_is_told_with_its_key() -> None:
    told: list[str] = []
    with answering(UNDECIDED, UNDECIDED) as server:
        api = OperatorClient(url=server.url, secret="s", tell=told.append, keys=Keys("evening"))
        flaw = refusal_of(lambda: api.call("POST", PLACE, CONTROL))
    assert flaw.status == 0
    assert "repeat it with --key evening" in flaw.hint


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("lost", LOST, ids=["nothing", "a part"])
def test_an_answer_that_is_lost_twice_is_no_refusal_and_names_the_key(method: str, lost: bytes) -> None:
    with answering(lost, lost) as server:
        api = OperatorClient(url=server.url, secret="s", keys=Keys("evening"))
        flaw = refusal_of(lambda: api.call(method, PLACE, CONTROL))
    assert (flaw.status, server.keys) == (0, ["evening", "evening"])
    assert "no answer from" in flaw.detail
    assert "it may have been done all the same: repeat it with --key evening" in flaw.hint


def test_a_server_that_is_gone_the_second_time_may_have_done_it() -> None:
    with answering(b"") as server:
        api = OperatorClient(url=server.url, secret="s", keys=Keys("evening"))
        flaw = refusal_of(lambda: api.call("POST", PLACE, CONTROL))
    assert "repeat it with --key evening" in flaw.hint


@pytest.mark.parametrize("lost", LOST, ids=["nothing", "a part"])
def test_what_only_reads_has_no_key_and_is_not_asked_for_again(lost: bytes) -> None:
    with answering(lost) as server:
        flaw = refusal_of(lambda: OperatorClient(url=server.url, secret="s").call("GET", PLACE))
    assert (flaw.status, server.keys) == (0, [])
    assert "is the server running?" in flaw.hint


@pytest.mark.parametrize("secret", ["one hush\nanother hush", "hush \u20ac"])
def test_what_cannot_be_a_token_is_not_sent_and_not_told(secret: str) -> None:
    api = OperatorClient(url="http://127.0.0.1:1", secret=secret)
    for act in (lambda: api.call("POST", PLACE, CONTROL), lambda: api.send("/contents", io.BytesIO(b"x"))):
        flaw = refusal_of(act)
        assert (flaw.status, flaw.hint) == (0, "a token is 64 hex digits")
        assert "hush" not in flaw.detail


def test_the_requests_of_a_command_have_keys_of_their_own_the_same_at_a_repetition() -> None:
    for _ in range(2):
        with answering(DONE, DONE, DONE) as server:
            api = OperatorClient(url=server.url, secret="s", keys=Keys("evening"))
            for method in ("POST", "GET", "DELETE"):
                api.call(method, PLACE)
        assert server.keys == ["evening", "evening.2"]


def test_commands_without_a_key_have_keys_that_nobody_has_had() -> None:
    with answering(DONE, DONE) as server:
        for _ in range(2):
            OperatorClient(url=server.url, secret="s").call("POST", PLACE, CONTROL)
    first, second = server.keys
    assert first != second
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in server.keys)


@pytest.mark.parametrize("lost", LOST, ids=["nothing", "a part"])
def test_octets_whose_answer_was_lost_are_sent_again(lost: bytes) -> None:
    """They are kept by their digest: twice is once."""
    with answering(lost) as server:
        api = OperatorClient(url=server.url, secret="s")
        flaw = refusal_of(lambda: api.send("/contents", io.BytesIO(b"x")))
    assert "send them again" in flaw.hint


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_where_nobody_listens_nothing_was_done(method: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    api = OperatorClient(url=f"http://127.0.0.1:{port}", secret="s")
    flaw = refusal_of(lambda: api.call(method, ("groups",), {}))
    assert (flaw.status, "is the server running?" in flaw.hint) == (0, True)


def test_what_is_no_answer_of_the_api_is_not_asked_for_again() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>") as server:
        flaw = refusal_of(lambda: OperatorClient(url=server.url, secret="s").call("POST", PLACE, CONTROL))
    assert (flaw.status, "it may have been done" in flaw.hint) == (0, True)
