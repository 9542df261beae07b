"""What can go wrong in the server.

Sep2Error
 +- SettingsError            a setting that is unknown or cannot be (in `setting_values`, as Sep2Error is)
 +- StoreError               the database cannot be opened, or is not ours
     +- UndecidedError       a commit that was not answered: what was written may be stored
 +- RemoteError              the client broke the standard; .status is what to answer, .reason the Error code
     +- BadRequest       400  malformed, or values that cannot be
     +- LimitReached     400  too large, or the server keeps no more of these
     +- Forbidden        403  authenticated, but not for this
     +- NotFound         404  unknown, or hidden from this client
     +- NotAllowed       405  not at this resource; .allow are the methods that are
     +- NotAcceptable    406  no media type of ours is acceptable
     +- Duplicate        409  something is there that may not be there twice
     +- WrongMediaType   415  a body of a media type that is not read
     +- NotSatisfiable   416  a range that a file does not have; .size is what it has
     +- Unprocessable    422  a ConnectionPoint that cannot be, where the profile says so
     +- UnknownMethod    501  a method that is not one of the five
     +- Busy             503  later, after .retry_s
"""

from typing import ClassVar, Final

from schemas.codes import ErrorReason
from sep2_server.setting_values import Sep2Error

RETRY_S: Final = 30


class StoreError(Sep2Error):
    """The database cannot be opened, or is not one of ours."""


class UndecidedError(StoreError):
    """A commit went out and nobody has heard of it: what was written may be stored."""


class RemoteError(Sep2Error):
    """The client broke a rule; the text is for the log, the client gets status and reason."""

    status: ClassVar[int]
    reason: int = ErrorReason.INVALID_VALUES
    retry_s: int | None = None
    allow: tuple[str, ...] = ()


class BadRequest(RemoteError):
    """Malformed (reason 0), or values that cannot be (reason 1)."""

    status = 400

    def __init__(self, text: str, reason: int = ErrorReason.INVALID_VALUES) -> None:
        super().__init__(text)
        self.reason = reason


class LimitReached(RemoteError):
    """Larger than the server reads, or more than it keeps."""

    status = 400
    reason = ErrorReason.RESOURCE_LIMIT_REACHED


class Forbidden(RemoteError):
    """Authenticated, but not for this."""

    status = 403


class NotFound(RemoteError):
    """Unknown, or hidden from this client."""

    status = 404


class NotAllowed(RemoteError):
    """A method that this resource refuses."""

    status = 405

    def __init__(self, text: str, allow: tuple[str, ...]) -> None:
        super().__init__(text)
        self.allow = allow


class NotAcceptable(RemoteError):
    """No media type of the server is acceptable to the client."""

    status = 406
    reason = ErrorReason.INVALID_FORMAT


class Duplicate(RemoteError):
    """Something is there that may not be there twice."""

    status = 409


class WrongMediaType(RemoteError):
    """A body of a media type that the server does not read."""

    status = 415
    reason = ErrorReason.INVALID_FORMAT


class NotSatisfiable(RemoteError):
    """A range of octets that a file of `size` octets does not have."""

    status = 416

    def __init__(self, text: str, size: int) -> None:
        super().__init__(text)
        self.size = size


class Unprocessable(RemoteError):
    """A body that can be read and makes no sense. CSIP-AUS reference servers answer so."""

    status = 422


class UnknownMethod(RemoteError):
    """A method that is none of GET, HEAD, PUT, POST and DELETE."""

    status = 501


class Busy(RemoteError):
    """The server cannot do it now; later it may."""

    status = 503
    reason = ErrorReason.RESOURCE_LIMIT_REACHED

    def __init__(self, text: str, retry_s: int = RETRY_S) -> None:
        super().__init__(text)
        self.retry_s = retry_s
