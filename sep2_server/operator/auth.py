"""Who calls the operator API: bearer tokens of 256 random bits; the server keeps their SHA-256."""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sep2_server.operator.errors import Forbidden, Unauthorized

TOKEN_BITS: Final = 256
_BEARER: Final = re.compile(r"[Bb]earer ([0-9a-f]{64})")
_HINT: Final = "send the header 'Authorization: Bearer TOKEN'; the token is in the file that the server made"


class Role(StrEnum):
    """What a token allows: a viewer reads, an operator also acts, an admin also rules the server."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


RANKS: Final = {Role.VIEWER: 0, Role.OPERATOR: 1, Role.ADMIN: 2}
"""Each role may do what those below it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What the server knows of one token: whose it is, what it allows, its SHA-256 in hex.

    `created` and `expires` are s since 1970 UTC; None: not known, never.
    """

    name: str
    role: Role
    sha256: str
    created: int | None = None
    expires: int | None = None


def make_secret(random_bits: Callable[[int], int]) -> str:
    """New token as 64 hex digits; `random_bits(n)` draws n bits: pass `secrets.randbits`."""
    return f"{random_bits(TOKEN_BITS):064x}"


def token_of(
    name: str, role: Role, secret: str, *, created: int | None = None, expires: int | None = None
) -> Token:
    """What the server may keep of a secret."""
    sha256 = hashlib.sha256(secret.encode()).hexdigest()
    return Token(name=name, role=role, sha256=sha256, created=created, expires=expires)


def caller(tokens: Iterable[Token], authorization: str | None, now: int = 0) -> Token:
    """The token that an Authorization header shows; Unauthorized for none, an unknown or an expired one.

    Every known token is compared, each in constant time, so that the answer's time says nothing. `now` is in
    s since 1970 UTC.
    """
    found = _BEARER.fullmatch((authorization or "").strip())
    if found is None:
        raise Unauthorized("the request carries no bearer token", _HINT)
    shown = hashlib.sha256(found[1].encode()).hexdigest()
    known = [token for token in tokens if hmac.compare_digest(token.sha256, shown)]
    if not known:
        raise Unauthorized("this server does not know the token", _HINT)
    expires = known[0].expires
    if expires is not None and expires <= now:
        raise Unauthorized(f"the token {known[0].name!r} has expired", "ask an admin for a new one")
    return known[0]


def require(token: Token, role: Role) -> None:
    """Forbidden where the token allows less than the role."""
    if RANKS[token.role] >= RANKS[role]:
        return
    may = "may only read" if token.role is Role.VIEWER else f"is of role {token.role}"
    raise Forbidden(
        f"the token {token.name!r} {may}",
        f"use a token of role {role}; make one with: lineside server token NAME --role {role}",
    )
