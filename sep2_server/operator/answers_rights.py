"""What the operations on settings, certificates, tokens and the audit log answer."""

from typing import TypedDict

from sep2_server.operator.answers import Wire


class Settings(TypedDict):
    """What may be set at run time; `timeOffset` in s."""

    inBandRegistration: bool
    timeQuality: int
    timeOffset: int
    outage: bool
    testBench: bool


class BlockedCertificate(TypedDict):
    """A certificate that is refused, and the device that it is of."""

    lFDI: str
    device: str | None
    reason: str
    since: int


class Blocked(TypedDict):
    """All certificates that are refused."""

    blocked: list[BlockedCertificate]


class Unblocked(TypedDict):
    """A certificate that is no longer refused; `removed` is false where it was not."""

    lFDI: str
    removed: bool


class Token(TypedDict):
    """A token, without its secret; times in s since 1970 UTC."""

    name: str
    role: str
    created: int | None
    expires: int | None
    lastUsed: int | None


class Tokens(TypedDict):
    """All tokens."""

    tokens: list[Token]


class NewToken(TypedDict):
    """A new token with its secret, which is shown once."""

    name: str
    role: str
    expires: int | None
    secret: str


class Audit(TypedDict):
    """Lines of the audit log, the newest first; `next` is what to give as `before` for older ones."""

    entries: list[Wire]
    next: int | None
