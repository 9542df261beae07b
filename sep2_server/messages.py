"""What goes in and out of the dispatcher: requests and answers without a trace of the HTTP library."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from schemas import MEDIA_TYPE

CONTENT_TYPE: Final = ("Content-Type", MEDIA_TYPE)


class Request(NamedTuple):
    """One request of a client whose certificate has been verified.

    `path` and `query` are as on the request line, `lfdi` is that of the TLS certificate, `now` server time in
    s since 1970 UTC, `authority` the Host that the client knows the server by.
    """

    method: str
    path: str
    lfdi: str
    now: int
    query: str = ""
    body: bytes = b""
    content_type: str | None = None
    accept: str | None = None
    authority: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `headers` has all that matter to the standard, Content-Type included.

    `route` is the id of the resource that it comes from, empty where there was none.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    route: str = ""

    @property
    def location(self) -> str | None:
        """URI of what was created or updated."""
        return next((value for name, value in self.headers if name == "Location"), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Download(Answer):
    """The octets of a file, to be sent as the request's headers ask; `etag` is quoted, `lfdi` who loads."""

    status: int = 200
    href: str
    path: Path
    size: int
    etag: str
    lfdi: str


NO_CONTENT: Final = Answer(204)


def found(body: bytes, route: str = "", media_type: str = MEDIA_TYPE) -> Answer:
    """The answer to a GET."""
    kind = CONTENT_TYPE if media_type == MEDIA_TYPE else ("Content-Type", media_type)
    return Answer(200, (kind,), body, route)


def created(href: str) -> Answer:
    """The answer to a POST or PUT that made a resource. IEEE 2030.5-2018, 4.6."""
    return Answer(201, (("Location", href),))


def updated(href: str) -> Answer:
    """The answer to a POST that updated what was there. IEEE 2030.5-2018, 4.6."""
    return Answer(204, (("Location", href),))
