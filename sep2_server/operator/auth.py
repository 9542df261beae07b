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
    """What a token allows: a viewer reads, an operator reads and acts."""

    VIEWER = "viewer"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What the server knows of one token: whose it is, what it allows, and its SHA-256 in hex."""

    name: str
    role: Role
    sha256: str


def make_secret(random_bits: Callable[[int], int]) -> str:
    """New token as 64 hex digits; `random_bits(n)` draws n bits: pass `secrets.randbits`."""
    return f"{random_bits(TOKEN_BITS):064x}"


def token_of(name: str, role: Role, secret: str) -> Token:
    """What the server may keep of a secret."""
    return Token(name=name, role=role, sha256=hashlib.sha256(secret.encode()).hexdigest())


def caller(tokens: Iterable[Token], authorization: str | None) -> Token:
    """The token that an Authorization header shows; Unauthorized for none or an unknown one.

    Every known token is compared, each in constant time, so that the answer's time says nothing.
    """
    found = _BEARER.fullmatch((authorization or "").strip())
    if found is None:
        raise Unauthorized("the request carries no bearer token", _HINT)
    shown = hashlib.sha256(found[1].encode()).hexdigest()
    known = [token for token in tokens if hmac.compare_digest(token.sha256, shown)]
    if not known:
        raise Unauthorized("this server does not know the token", _HINT)
    return known[0]


def require(token: Token, role: Role) -> None:
    """Forbidden where the token allows less than the role."""
    if role is Role.OPERATOR and token.role is not Role.OPERATOR:
        raise Forbidden(
            f"the token {token.name!r} may only read",
            "use a token of role operator; make one with: lineside server token NAME --role operator",
        )
