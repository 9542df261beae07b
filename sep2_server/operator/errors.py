"""Refusals of the operator API; the caller reads what is wrong and what to do about it.

Refusal
 +- BadRequest        400  a field, a query or the body is not allowed; the detail begins with its name
 +- Unauthorized      401  no token, or none that this server knows
 +- Forbidden         403  the role of the token does not allow it
 +- NotFound          404  nothing has this name
 +- WrongMethod       405  the path exists, the method does not
 +- Conflict          409  the state of things or a rule of the standard is against it
 +- TooManyAttempts   429  too many failed attempts to show a token; .retry_s says how long to wait
 +- ServerFailed      500  the server failed, and nothing was done; its log says how
 +- AuditFailed       503  the audit log cannot be written, so nothing was done; of tokens .hint may tell else
 +- StoreFailed       503  the store cannot be written, so nothing was done
 +- StoreUndecided    503  the store has not said whether it keeps what was done
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypedDict

from sep2_server.operator.keys import UNDECIDED


class Problem(TypedDict):
    """What is wrong with one item of a bulk request; `item` counts from 1."""

    item: int
    detail: str
    hint: str


class Refusal(Exception):
    """A request that the operator API refuses: `detail` says why, `hint` what to do next."""

    status: ClassVar[int]
    error: ClassVar[str]

    def __init__(self, detail: str, hint: str, problems: Sequence[Mapping[str, object]] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.problems = problems

    def body(self) -> dict[str, Any]:
        """JSON body of the refusal; `problems` are those of single items of a bulk request."""
        body: dict[str, Any] = {"error": self.error, "detail": self.detail, "hint": self.hint}
        return body | ({"problems": list(self.problems)} if self.problems else {})


class BadRequest(Refusal):
    """The request itself is wrong."""

    status = 400
    error = "bad-request"


class Unauthorized(Refusal):
    """The caller has not shown who it is."""

    status = 401
    error = "unauthorized"


class Forbidden(Refusal):
    """The caller is known and may not do this."""

    status = 403
    error = "forbidden"


class NotFound(Refusal):
    """There is no such thing."""

    status = 404
    error = "not-found"


class WrongMethod(Refusal):
    """The path knows other methods; `allowed` are these."""

    status = 405
    error = "method-not-allowed"

    def __init__(self, method: str, path: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"{method} is not defined for {path}", f"use {' or '.join(allowed)}")
        self.allowed = allowed


class Conflict(Refusal):
    """The request is well formed, but not now or not here."""

    status = 409
    error = "conflict"


class TooManyAttempts(Refusal):
    """The address has failed too often to show a token; `retry_s` is how long it waits, s."""

    status = 429
    error = "too-many-attempts"

    def __init__(self, retry_s: int) -> None:
        super().__init__("too many failed attempts from this address", f"wait {retry_s} s, then use a token")
        self.retry_s = retry_s


class ServerFailed(Refusal):
    """The server itself failed, and nothing was done: its log has the stack, the caller hears none of it."""

    status = 500
    error = "server-error"

    def __init__(self) -> None:
        super().__init__("the server failed", "nothing was done; look at the log of the server")


class AuditFailed(Refusal):
    """The action was not done because its audit line could not be written.

    Of an action on tokens the last of two lines may be missing: it was done, which the hint says.
    """

    status = 503
    error = "audit-log-unavailable"


class StoreUndecided(Refusal):
    """The action may have been done: the store was asked to keep it and has not answered."""

    status = 503
    error = UNDECIDED


class StoreFailed(Refusal):
    """The action was not done because it could not be stored."""

    status = 503
    error = "store-unavailable"
