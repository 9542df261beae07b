"""The commands' way to the operator API: one request, one JSON answer. Blocking, standard library only."""

import contextlib
import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import quote, urlencode, urlsplit

from sep2_server.operator.body import JSON, LINES, SEP_XML, Document
from sep2_server.operator.json_value import Json

TIMEOUT_S: Final = 30
NOT_RUNNING: Final = (
    "is the server running? start it with: lineside server run; or name its URL with --server"
)
MAY_BE_DONE: Final = (
    "it may have been done all the same: look before you repeat it (lineside op audit); "
    "what has mRIDs of yours may be repeated: lineside op resource ensure"
)
"""Where a request went out and no answer came back."""


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
class OperatorClient:
    """Where the API is, the token's secret, and the roots to trust (None: those of the system)."""

    url: str
    secret: str = field(repr=False)
    roots: Path | None = None

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
        """The answer to one request; a list is sent line by line, a document as it is. ApiError: none."""
        place = "/" + "/".join(quote(part, safe="") for part in path)
        place += f"?{urlencode(query)}" if query else ""
        try:
            status, data = self._exchange(method, place, *_encoded(body))
            answer = json.loads(data or b"{}")
        except (OSError, http.client.HTTPException, ValueError) as flaw:
            raise self._no_answer(flaw, NOT_RUNNING if method == "GET" else MAY_BE_DONE) from flaw
        if status >= 400 or not isinstance(answer, dict):
            raise _refusal(status, answer)
        return answer

    def send(self, path: str, octets: BinaryIO) -> dict[str, Json]:
        """The answer to a file that is sent as it is, piece by piece. ApiError as for `call`."""
        headers = {"Content-Type": "application/octet-stream", "Authorization": f"Bearer {self.secret}"}
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

    def _exchange(self, method: str, place: str, body: bytes | None, content_type: str) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self.secret}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = content_type
        connection = self._connected()
        try:
            connection.request(method, place, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
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

    def _no_answer(self, flaw: Exception, hint: str) -> ApiError:
        return ApiError(0, f"no answer from {self.url}: {flaw}", hint)

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            from certs import operator_client_context  # noqa: PLC0415 - only HTTPS needs what it loads

            context = operator_client_context(self.roots)
            return http.client.HTTPSConnection(host, parts.port, timeout=TIMEOUT_S, context=context)
        return http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT_S)


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
