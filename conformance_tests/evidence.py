"""What proves a verdict: exchanges as they were on the wire, facts of TLS, and notes, in their order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_KEPT: Final = 1 << 16
"""Octets of a body that a report keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFacts:
    """One connection: version, suite, what the peer presented (subjects, leaf first), alert if refused."""

    version: str = ""
    suite: str = ""
    chain: tuple[str, ...] = ()
    alert: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer. Times are s since 1970 of the runner's clock; names of headers as sent.

    `by` names who sent the request: an identity of the runner, or the client under test. `status` is None
    where no answer came, and `error` then says what was seen instead. Bodies are cut at MOST_KEPT octets;
    `octets` is the whole length of the answer's body.
    """

    at_s: float
    by: str
    method: str
    uri: str
    request_headers: tuple[tuple[str, str], ...] = ()
    request_body: bytes = b""
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    octets: int = 0
    took_s: float = 0.0
    error: str = ""
    tls: TlsFacts | None = None

    def header(self, name: str) -> str | None:
        """A header of the answer, whatever the case of its name; the first one of several."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def request_header(self, name: str) -> str | None:
        """A header of the request, whatever the case of its name; the first one of several."""
        wanted = name.lower()
        return next((value for key, value in self.request_headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One line of the time line that is no exchange: what the operator was asked, what was waited for."""

    at_s: float
    text: str


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Everything of one case in its order, bounded by `most` exchanges; `dropped` counts the rest.

    Beyond the bound so many as `most_proofs` are kept that prove what did not hold. `last` is the place of
    the last exchange; None where that was dropped, or there was none.
    """

    most: int = 400
    most_proofs: int = 100
    exchanges: list[Exchange] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    dropped: int = 0
    last: int | None = field(default=None, compare=False)
    _aside: Exchange | None = field(default=None, compare=False, repr=False)

    def add(self, exchange: Exchange) -> int | None:
        """Keep an exchange; its place, or None where the bound is reached."""
        if len(self.exchanges) < self.most:
            self._keep(exchange)
        else:
            self.dropped += 1
            self.last, self._aside = None, exchange
        return self.last

    def proof(self) -> int | None:
        """The place of the last exchange, which is kept now if it was dropped; None beyond all bounds."""
        if self._aside is not None and len(self.exchanges) < self.most + self.most_proofs:
            self.dropped -= 1
            self._keep(self._aside)
        return self.last

    def _keep(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.last, self._aside = len(self.exchanges) - 1, None


def kept(body: bytes) -> bytes:
    """What is kept of a body."""
    return body[:MOST_KEPT]


def sorted_headers(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Headers of a mapping as an exchange has them."""
    return tuple(headers.items())
