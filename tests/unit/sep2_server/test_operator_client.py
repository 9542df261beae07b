"""What the commands say where the API cannot be reached, and where its answer was lost on the way."""

import io
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from sep2_server.operator.client import ApiError, OperatorClient

MAY_BE_DONE = "it may have been done all the same"
CASES = [
    ("POST", MAY_BE_DONE),
    ("DELETE", MAY_BE_DONE),
    ("GET", "is the server running?"),
]


@pytest.fixture(params=[b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"])
def losing(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a server that does what it is asked for and goes away before it has said so."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        wire, _ = listener.accept()
        with wire:
            wire.recv(65_536)
            wire.sendall(request.param)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread.join(10)
    listener.close()


def hint_of(call: Callable[[], object]) -> str:
    with pytest.raises(ApiError, match="no answer from") as caught:
        call()
    assert caught.value.status == 0
    return caught.value.hint


@pytest.mark.parametrize(("method", "hint"), CASES)
def test_an_answer_that_was_lost_is_no_refusal(losing: str, method: str, hint: str) -> None:
    api = OperatorClient(url=losing, secret="s")
    assert hint in hint_of(lambda: api.call(method, ("groups", "a", "controls"), {"duration": 60}))


def test_octets_whose_answer_was_lost_are_sent_again(losing: str) -> None:
    """They are kept by their digest: twice is once."""
    api = OperatorClient(url=losing, secret="s")
    assert "send them again" in hint_of(lambda: api.send("/contents", io.BytesIO(b"x")))


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_where_nobody_listens_nothing_was_done(method: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    api = OperatorClient(url=f"http://127.0.0.1:{port}", secret="s")
    assert "is the server running?" in hint_of(lambda: api.call(method, ("groups",), {}))
