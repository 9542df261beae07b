"""One HTTP request with bounds: time, octets, no redirects; and what an answer's status means.

Plain HTTP is spoken with this machine alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from certs import TlsContext
from openadr_ven.v3.bounded import MOST_BYTES, parsed
from openadr_ven.v3.errors import RefusedError, UnavailableError, UnreadableError
from openadr_ven.v3.read_objects import problem_text

TIMEOUT_S: Final = 30.0
LONGEST_WAIT_S: Final = 3600.0
"""A Retry-After beyond it counts as this."""
LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_LATER: Final = frozenset({408, 425, 429})
_CHUNK: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request; `token` is in no text."""

    method: str
    url: str
    query: Sequence[tuple[str, str]] = ()
    body: bytes | None = None
    form: Mapping[str, str] | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    body: bytes = field(repr=False)
    retry_after_s: float | None = None

    def json(self) -> object:
        """The JSON of a good answer, None for an empty one. Raises UnreadableError."""
        return parsed(self.body) if self.body.strip() else None


def is_safe(url: str) -> bool:
    """Whether a URL is of HTTPS, or of this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL)
    )


def judged(answer: Answer) -> Answer:
    """An answer of 2xx as it is; the error that its status means else."""
    if 200 <= answer.status < 300:
        return answer
    try:
        text = problem_text(answer.json())
    except UnreadableError:
        text = "no problem object"
    is_passing = answer.status >= 500 and answer.status != 501
    if is_passing or answer.status in _LATER:
        raise UnavailableError(f"HTTP {answer.status}: {text}", answer.retry_after_s)
    raise RefusedError(answer.status, text)


class Http:
    """Sends requests on connections of its own. `open` it before, `close` it behind."""

    def __init__(self, tls: TlsContext | None, *, timeout_s: float = TIMEOUT_S) -> None:
        """`tls` is a context that verifies; None where only this machine is spoken to."""
        self._tls = tls
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Get ready."""
        connector = aiohttp.TCPConnector(ssl=self._tls if self._tls is not None else True, limit=8)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def send(self, request: Request) -> Answer:
        """The answer of a server. Raises UnavailableError where none comes within time and bounds."""
        if self._session is None or not is_safe(request.url):
            raise UnavailableError(f"{urlsplit(request.url).scheme or 'nothing'} is not spoken here")
        headers = {"Accept": "application/json"}
        if request.token is not None:
            headers["Authorization"] = f"Bearer {request.token}"
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with self._session.request(
                request.method,
                request.url,
                params=list(request.query),
                data=request.body if request.form is None else dict(request.form),
                headers=headers,
                allow_redirects=False,
            ) as response:
                body = await _bounded(response.content)
                return Answer(
                    status=response.status, body=body, retry_after_s=_retry_after_s(response.headers)
                )
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise UnavailableError(f"{request.method}: {type(error).__name__}") from error


async def _bounded(stream: aiohttp.StreamReader) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := await stream.read(_CHUNK):
        size += len(chunk)
        if size > MOST_BYTES:
            raise UnavailableError(f"an answer of more than {MOST_BYTES} octets")
        chunks.append(chunk)
    return b"".join(chunks)


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How long to wait by Retry-After, s; a date counts from the server's own. RFC 9110, 10.2.3."""
    text = headers.get("Retry-After")
    if text is None:
        return None
    if text.isdecimal() and len(text) <= 9:
        return min(float(text), LONGEST_WAIT_S)
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(headers["Date"])
    except (ValueError, TypeError, KeyError):
        return None
    return min(max(0.0, wait.total_seconds()), LONGEST_WAIT_S)
