"""Errors of the client.

ClientError
 +- DriverError        no driver of that kind is installed, or it is broken; names its package
 +- WrongServerError   the server's PIN is not the one this client was given: it must not be used
 +- ExchangeError      one exchange with the server failed; .href says which
     +- UnreachableError   no connection, no answer in time, 5xx, or not now: try again later
     +- MissingError       404: the URI is gone, or leads to where nothing can be sent: rediscover
     +- RefusedError       any other refusal, or an answer that cannot be used; .status is the HTTP status
"""


class ClientError(Exception):
    """What can go wrong in the client."""


class DriverError(ClientError):
    """A driver is not installed, or cannot be loaded."""


class WrongServerError(ClientError):
    """The server fails the registration check. IEEE 2030.5-2018 (Registration)."""


class ExchangeError(ClientError):
    """One exchange with the server failed."""

    def __init__(self, href: str, detail: str, status: int | None = None) -> None:
        super().__init__(f"{href}: {detail}")
        self.href = href
        self.detail = detail
        self.status = status


class UnreachableError(ExchangeError):
    """The server did not answer, or said that it cannot answer now."""


class MissingError(ExchangeError):
    """The server does not know the URI any more."""


class RefusedError(ExchangeError):
    """The server refused, or its answer cannot be used."""
