"""Answers that are changed on their way to the runner: what a server with a planted fault would send."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import pytest

from conformance_tests.evidence import Exchange
from conformance_tests.server.wire import Wire
from schemas import MEDIA_TYPE, Codec, Malformed

Change = Callable[[Exchange], Exchange]
Edit = Callable[[object], None]
Asking = Callable[[Wire, str, str], tuple[Wire, str]]


@contextmanager
def tampered(change: Change | None = None, asking: Asking | None = None) -> Iterator[None]:
    """Every answer goes through `change`, and every question (who, method, URI) through `asking`."""
    plain = Wire.request

    async def request(
        self: Wire,
        method: str,
        uri: str,
        headers: Mapping[str, str],
        body: bytes | None,
        keep: Callable[[Exchange], None],
    ) -> Exchange:
        who, where = asking(self, method, uri) if asking else (self, uri)
        answer = replace(await plain(who, method, where, headers, body, lambda _: None), uri=uri)
        answer = change(answer) if change else answer
        keep(answer)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Wire, "request", request)
        yield


def to(method: str, then: Change, *, ending: str = "", status: int | None = None) -> Change:
    """A change of the answers to one method alone, at URIs with this ending, of this status."""

    def change(answer: Exchange) -> Exchange:
        path = answer.uri.partition("?")[0]
        fits = answer.method == method and path.endswith(ending) and status in {None, answer.status}
        return then(answer) if fits else answer

    return change


def answering(status: int, **headers: str) -> Change:
    """Another status, with these headers (`Content_Type`) in the place of those of the same name."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda answer: replace(with_headers(answer, **names), status=status)


def with_headers(answer: Exchange, **headers: str) -> Exchange:
    """The answer with other headers; an empty value leaves one out."""
    names = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    rest = [(name, value) for name, value in answer.headers if name.lower() not in names]
    return replace(answer, headers=(*rest, *((name, value) for name, value in names.items() if value)))


def changing_bytes(before: bytes, after: bytes) -> Change:
    """Octets of the body changed, once."""
    return lambda answer: replace(answer, body=answer.body.replace(before, after, 1))


def editing(edit: Edit, codec: Codec) -> Change:
    """The resource of every XML body with an edit."""

    def change(answer: Exchange) -> Exchange:
        media = (answer.header("Content-Type") or "").partition(";")[0]
        if answer.status != 200 or media != MEDIA_TYPE or not answer.body:
            return answer
        try:
            value = codec.decode_any(answer.body)
        except Malformed:
            return answer
        edit(value)
        return replace(answer, body=codec.encode(value))

    return change
