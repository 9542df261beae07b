"""The commands' way to the operator API: one request, one JSON answer. Blocking, standard library only.

What changes something carries an Idempotency-Key: where its answer is lost, it is asked for once more.
"""

import contextlib
import http.client
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import quote, urlencode, urlsplit

from sep2_server.operator.body import JSON, LINES, SEP_XML, Document
from sep2_server.operator.json_value import Json
from sep2_server.operator.keys import HEADER, REPLAYED, UNDECIDED, Keys

TIMEOUT_S: Final = 30
NOT_RUNNING: Final = (
    "is the server running? start it with: lineside server run; or name its URL with --server"
)
MAY_BE_DONE: Final = (
    "it may have been done all the same: repeat it with --key %s, so that it is done once; "
    "lineside op audit tells what was done"
)
"""Where a request went out and no answer came back."""
LOST: Final = (OSError, http.client.HTTPException)
"""What a connection raises that ends before the answer is whole."""

log = logging.getLogger(__name__)


class ApiError(Exception):
    """The API refused or cannot be reached; `status` is 0 where there was no answer.

    `problems` are those of the items of a bulk request.
    """

    def __init__(
        self, status: int, detail: str, hint: str, problems: Sequence[Mapping[str, Json]] = ()
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.hint = hint
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request: its path with the query, what is sent as which media type, and its Idempotency-Key."""

    method: str
    place: str
    body: bytes | None
    content_type: str
    key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """One answer; `is_replayed`: it was given before, and nothing was done again."""

    status: int
    data: bytes
    is_replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorClient:
    """Where the API is, the token's secret, and the roots to trust (None: those of the system).

    `tell` hears in words that an answer was lost, and what became of it.
    """

    url: str
    secret: str = field(repr=False)
    roots: Path | None = None
    keys: Keys = field(default_factory=Keys, repr=False, compare=False)
    tell: Callable[[str], None] = field(default=log.warning, repr=False, compare=False)

    def get(self, *path: str, **query: str | int | None) -> dict[str, Json]:
        """What stands at a path; None leaves a parameter of the query out."""
        given = {key: value for key, value in query.items() if value is not None}
        return self.call("GET", path, query=given)

    def call(
        self,
        method: str,
        path: tuple[str, ...],
        body: Mapping[str, object] | Sequence[object] | Document | None = None,
        *,
        query: Mapping[str, str | int] | None = None,
    ) -> dict[str, Json]:
        """The answer to one request; a list is sent line by line, a document as it is. ApiError: none.

        What changes something and has lost its answer is asked for once more, with its key.
        """
        place = _place(path, query or {})
        octets, content_type = _encoded(body)
        key = None if method == "GET" else self.keys.next()
        sent = Sent(method=method, place=place, body=octets, content_type=content_type, key=key)
        try:
            got = self._asked(sent)
        except LOST as flaw:
            if key is None:
                raise self._no_answer(flaw, NOT_RUNNING) from flaw
            got = self._ask_again(sent, flaw)
        except ValueError as flaw:
            raise self._no_answer(flaw, NOT_RUNNING) from flaw
        return self._read(got, self._may_be_done() if key else NOT_RUNNING)

    def _asked(self, sent: Sent) -> Got:
        """The answer to a request; one that says that nobody knows is as good as lost."""
        got = self._exchange(sent)
        if sent.key is not None and got.status == HTTPStatus.SERVICE_UNAVAILABLE:
            with contextlib.suppress(ValueError):
                told = json.loads(got.data)
                if isinstance(told, dict) and told.get("error") == UNDECIDED:
                    raise ConnectionError(told.get("detail"))
        return got

    def _ask_again(self, sent: Sent, lost: Exception) -> Got:
        """The answer to a request that is sent a second time, and a word about it. ApiError: none again."""
        try:
            got = self._asked(sent)
        except (ApiError, *LOST) as flaw:
            raise self._no_answer(lost, self._may_be_done()) from flaw
        became = "had been done, and was not done again" if got.is_replayed else "was done now"
        if got.status >= HTTPStatus.BAD_REQUEST:
            became = "was refused, and may have been done before"
        self.tell(f"the answer was lost ({lost}); it was asked for again with its key: it {became}")
        return got

    def _read(self, got: Got, hint: str) -> dict[str, Json]:
        """What an answer holds. ApiError for a refusal, and with a hint for what is no answer of the API."""
        try:
            answer = json.loads(got.data or b"{}")
        except ValueError as flaw:
            raise self._no_answer(flaw, hint) from flaw
        if got.status >= HTTPStatus.BAD_REQUEST or not isinstance(answer, dict):
            raise _refusal(got.status, answer)
        return answer

    def send(self, path: str, octets: BinaryIO) -> dict[str, Json]:
        """The answer to a file that is sent as it is, piece by piece. ApiError as for `call`."""
        headers = {"Content-Type": "application/octet-stream", "Authorization": self._bearer()}
        connection = self._connected()
        try:
            connection.request("POST", path, octets, headers, encode_chunked=True)
            answer = connection.getresponse()
            told = json.loads(answer.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError) as flaw:
            raise self._no_answer(flaw, "send them again: twice is once") from flaw
        finally:
            connection.close()
        if answer.status >= 400 or not isinstance(told, dict):
            raise _refusal(answer.status, told)
        return told

    def _exchange(self, sent: Sent) -> Got:
        """The answer to a request. ApiError: it did not go out; one of LOST: that is not known."""
        headers = {"Authorization": self._bearer(), "Accept": "application/json"}
        if sent.body is not None:
            headers["Content-Type"] = sent.content_type
        if sent.key is not None:
            headers[HEADER] = sent.key
        connection = self._connected()
        try:
            connection.request(sent.method, sent.place, sent.body, headers)
            answer = connection.getresponse()
            is_replayed = answer.getheader(REPLAYED) is not None
            return Got(status=answer.status, data=answer.read(), is_replayed=is_replayed)
        finally:
            connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        """A connection that is open. ApiError: there is none, and nothing was asked for."""
        with contextlib.ExitStack() as opened:
            try:
                connection = self._connection()
                opened.callback(connection.close)
                connection.connect()
            except (OSError, http.client.HTTPException, ValueError) as flaw:
                raise self._no_answer(flaw, NOT_RUNNING) from flaw
            opened.pop_all()
        return connection

    def _bearer(self) -> str:
        """What shows the token. ApiError for what cannot be one, which is never told."""
        if not (self.secret.isascii() and self.secret.isprintable()):
            raise ApiError(0, f"the token for {self.url} is none", "a token is 64 hex digits")
        return f"Bearer {self.secret}"

    def _may_be_done(self) -> str:
        return MAY_BE_DONE % self.keys.first

    def _no_answer(self, flaw: Exception, hint: str) -> ApiError:
        return ApiError(0, f"no answer from {self.url}: {flaw}", hint)

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            from certs import CertsError, operator_client_context  # noqa: PLC0415 - only HTTPS needs what it loads

            try:
                context = operator_client_context(self.roots)
            except CertsError as flaw:
                raise ApiError(0, str(flaw), "name a PEM file of root certificates with --roots") from flaw
            return http.client.HTTPSConnection(host, parts.port, timeout=TIMEOUT_S, context=context)
        return http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT_S)


def _place(path: tuple[str, ...], query: Mapping[str, str | int]) -> str:
    """A path with its query. ApiError for an argument of a command that is no text."""
    try:
        place = "/" + "/".join(quote(part, safe="") for part in path)
        return place + (f"?{urlencode(query)}" if query else "")
    except UnicodeEncodeError as flaw:
        raise ApiError(0, f"{str(flaw.object)[:40]!a} is no text", "write it in UTF-8") from flaw


def _encoded(body: Mapping[str, object] | Sequence[object] | Document | None) -> tuple[bytes | None, str]:
    """A body and its media type."""
    if isinstance(body, Document):
        return body.octets, SEP_XML
    if body is None or isinstance(body, Mapping):
        return None if body is None else json.dumps(body).encode(), JSON
    return b"".join(json.dumps(item).encode() + b"\n" for item in body), LINES


def _refusal(status: int, answer: object) -> ApiError:
    told = answer if isinstance(answer, dict) else {}
    detail = str(told.get("detail", f"the server answered {status}"))
    problems = told.get("problems")
    return ApiError(
        status,
        detail,
        str(told.get("hint", "read the log of the server")),
        [problem for problem in problems if isinstance(problem, dict)] if isinstance(problems, list) else [],
    )
